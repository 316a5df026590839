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

/* The inputs of one replica, cut into blocks of paths. Blocks of other ranks have their lanes, slots and steps only. */
typedef struct path_ensemble {
    size_t n_blocks;
    path_inputs *block;
    size_t paths;
    double visits; /* events in all */
} path_ensemble;

/* What paths are drawn for. */
typedef struct path_source {
    const sgdmft_problem *problem;
    const sample_process *process;
    const model *m;
    model_shape shape;
    const data_law *law;
    const initial_law *start; /* of the coordinates; for coordinates alone */
    const schedule *eta;
    const label_axes *label;     /* along which z* and eps are drawn; NULL: as they are */
    const principal_axes *field; /* along which z0 and innovations are drawn; NULL: by Brownian-bridge modes */
    const path_share *share;     /* NULL: this process draws all */
    int by_visits; /* paths with similar numbers of visits side by side, for what costs as many slots as the most visited */
} path_source;

/* Draws `problem->numerics.paths` paths of replica `replica` on `grid`. Depends on the seed and the replica alone.
   Collective call: every rank of
   source->share, if it has some, makes it. */
sgdmft_status path_ensemble_new(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                                path_ensemble **out);

/* An ensemble of blocks without anything in them; NULL if there is no memory. */
path_ensemble *path_ensemble_empty(size_t n_blocks);
void path_ensemble_free(path_ensemble *ensemble);

/* path_ensemble_new without events and labels: normals alone. */
sgdmft_status path_ensemble_normals(sgdmft_context *ctx, const path_source *source, const time_grid *grid,
                                    uint32_t replica, path_ensemble **out);

/* Lanes per block that keep a block near the size of a level-2 cache. */
size_t path_block_lanes(int k, int steps, int64_t paths);

#endif
