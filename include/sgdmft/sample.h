/* Paths of the limiting processes, and densities of the coordinates, from a solution and the problem that it solves.

   Two processes can be drawn, independently of each other (docs/sampling.md):

     coordinates     theta^t, a coordinate of the students, with that of the teachers, theta*
     preactivations  of a training sample: the signal s and the label y, the field w^t, which would be its preactivation
                     if it had never been visited, the preactivation r^t, and the visits

   A sampler knows the processes at chosen times. Paths are drawn in blocks, each into memory of its own:

     sgdmft_sampler_new(ctx, problem, solution, SGDMFT_SAMPLE_BOTH, NULL, 0, &sampler);
     sgdmft_paths_new(ctx, sampler, &paths);
     for (uint64_t block = 0; block < 100; block++) {
         sgdmft_paths_draw(ctx, paths, seed, block);
         const double *r = sgdmft_paths_at(paths, SGDMFT_PATH_PREACTIVATION, 2);
         ...
     }

   Now r[a * SGDMFT_SAMPLE_LANES + lane] is component a of path number block * SGDMFT_SAMPLE_LANES + lane at the third
   time.

   The numbers of a path are a function of the seed and of the number of the path; with a ridge, coordinates depend on
   the chosen times, too. They depend neither on threads nor on what was drawn before. */
#ifndef SGDMFT_SAMPLE_H
#define SGDMFT_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "problem.h"
#include "solution.h"

SGDMFT_BEGIN_DECLS

/* Paths of a block. Path number p is lane p % SGDMFT_SAMPLE_LANES of block p / SGDMFT_SAMPLE_LANES. */
#define SGDMFT_SAMPLE_LANES 64

typedef struct sgdmft_sampler sgdmft_sampler;
typedef struct sgdmft_paths sgdmft_paths;

/* The processes that a sampler draws. */
typedef enum sgdmft_sample_parts {
    SGDMFT_SAMPLE_COORDINATES = 1,
    SGDMFT_SAMPLE_PREACTIVATIONS = 2,
    SGDMFT_SAMPLE_BOTH = 3
} sgdmft_sample_parts;

/* The quantities of a path: arrays [rows][SGDMFT_SAMPLE_LANES]. */
typedef enum sgdmft_path_quantity {
    SGDMFT_PATH_THETA = 0,         /* coordinates: theta^t, one row per student */
    SGDMFT_PATH_THETA_STAR = 1,    /* theta*, one row per teacher; the same at all times */
    SGDMFT_PATH_FIELD = 2,         /* preactivations: w^t, one row per student */
    SGDMFT_PATH_PREACTIVATION = 3, /* r^t, one row per student; at a visit: just before it */
    SGDMFT_PATH_SIGNAL = 4,        /* s, one row per teacher; the same at all times */
    SGDMFT_PATH_LABEL = 5,         /* y, one row per component; the same at all times */
    SGDMFT_PATH_KICK = 6           /* at visits only: r just after the visit is r - kick; one row per student; with
                                      momentum and small batches, r moves only later, and the kick is 0 */
} sgdmft_path_quantity;

/* A sampler at times[n_times], each moved to the nearest node of the solution's time grid; of times with the same node
   one remains. times = NULL stands for the output times of the problem that the solution has reached. `problem` is the
   one that was solved; it and the solution must outlive the sampler. *out is owned by the caller (sgdmft_sampler_free);
   it is NULL on failure.

   If a covariance has negative eigenvalues of more than a millionth of its trace, a warning goes to the logger: then
   the solution is too noisy for its number of times.

   Errors: SGDMFT_ERR_ARGUMENT (no times, or one outside the grid), SGDMFT_ERR_MISSING (the solution has no arrays of
   two times), SGDMFT_ERR_SHAPE (the problem has other numbers of students and teachers), SGDMFT_ERR_RANGE (the response
   is not known), SGDMFT_ERR_UNSUPPORTED (coordinates with a penalty, from a solution without their process),
   SGDMFT_ERR_CONFLICT (the law of the coordinates at t = 0 has changed), SGDMFT_ERR_NON_FINITE, SGDMFT_ERR_MEMORY, and
   those of sgdmft_problem_check. */
SGDMFT_API sgdmft_status sgdmft_sampler_new(sgdmft_context *ctx, sgdmft_problem *problem,
                                            const sgdmft_solution *solution, sgdmft_sample_parts parts,
                                            const double *times, size_t n_times, sgdmft_sampler **out);
SGDMFT_API void sgdmft_sampler_free(sgdmft_sampler *sampler); /* NULL is allowed */

/* The times, ascending, and their number. Owned by the sampler. */
SGDMFT_API const double *sgdmft_sampler_times(const sgdmft_sampler *sampler, size_t *n_times);

/* Rows of a quantity, 0 for one that the sampler does not draw. */
SGDMFT_API size_t sgdmft_sampler_rows(const sgdmft_sampler *sampler, sgdmft_path_quantity quantity);

/* 1 if the sampler draws preactivations of dynamics that visit samples one by one. */
SGDMFT_API int sgdmft_sampler_has_visits(const sgdmft_sampler *sampler);

/* Memory for a block of paths. The sampler must outlive it. *out is owned by the caller (sgdmft_paths_free); it is NULL
   on failure. Errors: SGDMFT_ERR_MEMORY. */
SGDMFT_API sgdmft_status sgdmft_paths_new(sgdmft_context *ctx, const sgdmft_sampler *sampler, sgdmft_paths **out);
SGDMFT_API void sgdmft_paths_free(sgdmft_paths *paths); /* NULL is allowed */

/* Draws block number `block`. Several threads may draw from one sampler, each with paths and a context of its own.
   Errors: SGDMFT_ERR_MEMORY, SGDMFT_ERR_PLUGIN (a plug-in asked to stop), SGDMFT_ERR_NO_CONVERGENCE (a step of a
   coordinate with a penalty has no solution); the content of `paths` is then undefined. */
SGDMFT_API sgdmft_status sgdmft_paths_draw(sgdmft_context *ctx, sgdmft_paths *paths, uint64_t seed, uint64_t block);

/* The last block at the time of that index, from 0: [rows][SGDMFT_SAMPLE_LANES], valid until the next draw. NULL for a
   quantity that is not drawn, for SGDMFT_PATH_KICK, and for an index that is too large. */
SGDMFT_API const double *sgdmft_paths_at(const sgdmft_paths *paths, sgdmft_path_quantity quantity, size_t time);

/* How often a sample is visited up to the end of the solution's time grid; 0 without visits. lane <
   SGDMFT_SAMPLE_LANES. */
SGDMFT_API size_t sgdmft_paths_visits(const sgdmft_paths *paths, size_t lane);

/* The time of a visit, counted from 0; NaN if there is none of that number. */
SGDMFT_API double sgdmft_paths_visit_time(const sgdmft_paths *paths, size_t lane, size_t visit);

/* A quantity of the preactivations at visit number `visit` of every path: [rows][SGDMFT_SAMPLE_LANES], valid until the
   next draw. Lanes with fewer visits are undefined. NULL for a quantity that is not drawn, and if no path of the block
   has that many visits. */
SGDMFT_API const double *sgdmft_paths_at_visit(const sgdmft_paths *paths, sgdmft_path_quantity quantity, size_t visit);

/* Gives the solution densities of the coordinates at times[n_times] in place of those that it has: averages over `bins`
   bins of equal width, the same for all times, that leave out less than 1e-4 of the probability on either side. With a
   ridge they are integrals without sampling noise. With a penalty they come from numerics.paths paths, drawn with the
   seed of the problem, and have standard errors. Between nodes of the time grid, moments or densities are interpolated
   linearly.

   Errors: as sgdmft_sampler_new and sgdmft_paths_draw. On failure the solution has no histograms. */
SGDMFT_API sgdmft_status sgdmft_sample_histograms(sgdmft_context *ctx, sgdmft_problem *problem,
                                                  sgdmft_solution *solution, const double *times, size_t n_times,
                                                  size_t bins);

SGDMFT_END_DECLS

#endif
