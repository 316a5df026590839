/* Paths of a coordinate (theta^t, theta*) from a solution: a Gaussian process given (theta(0), theta*) if the penalty
   is a ridge (gaussian.h), otherwise a nonlinear one (nonlinear.h). */
#ifndef SGDMFT_SAMPLE_COORDINATES_H
#define SGDMFT_SAMPLE_COORDINATES_H

#include <stdint.h>

#include "model/coordinates_law.h"
#include "sample/gaussian.h"
#include "sample/nonlinear.h"

/* Refuses penalties other than the ridge, for which C, R and m are not enough. */
sgdmft_status coordinates_check_ridge(sgdmft_context *ctx, const sgdmft_problem *problem);

typedef struct coordinate_process {
    int k, kstar;
    size_t n; /* nodes */
    coordinates_law *law;
    gaussian_process gaussian;    /* for a ridge */
    nonlinear_process *nonlinear; /* otherwise, or NULL */
    size_t normals;               /* standard normals of a path */
} coordinate_process;

/* The process at the nodes node[0] < .. < node[n-1]. The solution must outlive it. Errors: SGDMFT_ERR_UNSUPPORTED (a
   penalty, from a solution without its process), SGDMFT_ERR_CONFLICT (two_time_check), and those of the parts. */
sgdmft_status coordinate_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                     const size_t *node, coordinate_process **out);
void coordinate_process_free(coordinate_process *process); /* NULL is allowed */

/* A block of paths; one per thread. */
typedef struct coordinate_paths {
    double *theta;     /* [n][k][SAMPLE_LANES] */
    double *thetastar; /* [k*][SAMPLE_LANES] */
    double *theta0;    /* [k][SAMPLE_LANES] */
    double *uniforms, *normals, *row, *law_work;
    nonlinear_workspace *nonlinear;
} coordinate_paths;

sgdmft_status coordinate_paths_new(sgdmft_context *ctx, const coordinate_process *process, coordinate_paths **out);
void coordinate_paths_free(coordinate_paths *paths); /* NULL is allowed */

/* Draws block number `number` (draws.h). Returns SGDMFT_OK, or SGDMFT_ERR_NO_CONVERGENCE (nonlinear.h) without a
   message, as it may run in any thread. */
sgdmft_status coordinate_paths_draw(const coordinate_process *process, uint64_t seed, uint64_t number,
                                    coordinate_paths *paths);

/* Reports a status of coordinate_paths_draw, and returns it. */
sgdmft_status coordinate_paths_report(sgdmft_context *ctx, sgdmft_status status);

#endif
