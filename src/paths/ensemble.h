/* The paths of one replica: blocks of inputs, and how they are drawn. */
#ifndef SGDMFT_PATHS_ENSEMBLE_H
#define SGDMFT_PATHS_ENSEMBLE_H

#include "kernels/grid.h"
#include "kernels/principal.h"
#include "model/data_law.h"
#include "model/initial.h"
#include "model/schedule.h"
#include "paths/inputs.h"
#include "paths/label_axes.h"
#include "paths/share.h"
#include "problem/problem.h"

/* The inputs of one replica, cut into blocks of paths. Blocks of other ranks have sizes but no arrays
   (inputs_of_other_rank). */
typedef struct path_ensemble {
    size_t n_blocks;
    path_inputs *block;
    size_t paths;
    double visits; /* total number of events */
} path_ensemble;

/* Everything that the paths of a problem are drawn from. */
typedef struct path_source {
    const sgdmft_problem *problem;
    const sample_process *process;
    const model *m;
    model_shape shape;
    const data_law *law;
    const initial_law *start; /* law of the coordinates at t = 0, used by src/coordinates alone */
    const schedule *eta;
    const label_axes *label;     /* axes along which z* and eps are drawn; NULL: their own coordinates */
    const principal_axes *field; /* axes along which z0 and xi are drawn; NULL: Brownian-bridge modes of xi */
    const path_share *share;     /* the paths that this rank draws; NULL: all */

    /* 1: paths with similar numbers of visits share a block, for a solve in which the cost of a block is that of its
       most visited path; or, where a sample keeps its place in every epoch, paths with neighbouring places, as a block
       only costs something when one of its paths is visited. */
    int by_visits;
} path_source;

/* Draws the paths of replica `replica` on `grid`: problem->numerics.paths of them, which depend on the seed and the
   replica alone. *out is owned by the caller (path_ensemble_free). Errors: SGDMFT_ERR_NON_FINITE for a label that is
   not finite, SGDMFT_ERR_PLUGIN, SGDMFT_ERR_MEMORY. Collective call: every rank of source->share makes it. */
sgdmft_status path_ensemble_new(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                                path_ensemble **out);

/* The paths at t = 0, without innovations and events. */
sgdmft_status path_ensemble_start(sgdmft_context *ctx, const path_source *source, uint32_t replica,
                                  path_ensemble **out);

/* An ensemble of empty blocks; NULL if memory runs out. */
path_ensemble *path_ensemble_empty(size_t n_blocks);
void path_ensemble_free(path_ensemble *ensemble);

/* path_ensemble_new without events and labels. */
sgdmft_status path_ensemble_normals(sgdmft_context *ctx, const path_source *source, const time_grid *grid,
                                    uint32_t replica, path_ensemble **out);

/* The number of lanes with which a block is about as large as a level-2 cache. */
size_t path_block_lanes(int k, int steps, int64_t paths);

/* The number of lanes of the blocks of a source: no more than that, and where a sample keeps its place no more than a
   batch has paths. */
size_t source_lanes(const path_source *source, const time_grid *grid);

#endif
