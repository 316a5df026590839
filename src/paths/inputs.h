/* Everything random about a block of paths, drawn once and never changed: teacher field w*, initial field, label
   noise and label, the innovations xi of the field, and the events of the driver with their place in the bridge.

   Block layout: lane p of a block of n lanes is the fastest index. */
#ifndef SGDMFT_PATHS_INPUTS_H
#define SGDMFT_PATHS_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "paths/label_axes.h"
#include "paths/share.h"
#include "model/data_law.h"
#include "model/initial.h"
#include "model/model.h"
#include "problem/problem.h"
#include "kernels/grid.h"
#include "kernels/principal.h"
#include "model/schedule.h"

/* Visits that can be treated together: the same cell, the same rank within the cell, different lanes. */
typedef struct visit_group {
    size_t first, count; /* range in the arrays path_inputs.visit_... */
    int rank;
} visit_group;

typedef struct path_inputs {
    size_t n;          /* lanes */
    int slots;         /* largest number of events of a lane */
    int steps;         /* cells of the grid these inputs belong to */
    double *rows;      /* [rows][n] owned: what of the next five is not another block's */
    double *wstar;     /* [k*][n] teacher pre-activations */
    double *z0;        /* [k][n] standard normals: w(0) = A w* + B z0 */
    double *eps;       /* [noises][n] */
    double *xi;        /* [steps][k][n] standard normals, one vector per cell */
    double *noise;     /* [steps][n] standard normals, increments of a driver that diffuses; otherwise NULL */
    double *test;      /* [k][n] standard normals of the test law: z0, or what leads the field */
    double *tests;     /* owned, or NULL */
    double *labels;    /* owned, or NULL */
    double *y;         /* [labels][n] */
    int *slots_before; /* [steps + 1] largest number of events of a lane before node i */

    /* One event per cell, event c in cell c: */
    double *bridge; /* [steps][k][n] unit-rate Brownian bridge of the cell at the event; NULL for a drift */

    /* Visits, every lane with its own, in order of groups; NULL for a driver with one event per cell. */
    size_t visits;
    size_t *group_first;  /* [steps + 1] groups of cell i: group_first[i] .. group_first[i + 1] - 1 */
    visit_group *groups;  /* in order of cell, then rank */
    int *visit_lane;      /* ascending within a group of drawn paths */
    int *visit_slot;      /* ordinal of the visit within its path */
    double *visit_place;  /* (time - t_cell) / h_cell */
    double *visit_step;   /* eta(time) times the mark of the visit */
    double *visit_bridge; /* [k][count] for each group, from k first: unit-rate Brownian bridge of the cell */
} path_inputs;

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
   Together with the ranks of source->share, if it has some. */
sgdmft_status path_ensemble_new(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                                path_ensemble **out);

/* The same paths seen on the grid of every second node: the same visits, fields and labels, in part those of `fine`,
   which has to live longer. Not together: without messages. */
sgdmft_status path_ensemble_coarsen(sgdmft_context *ctx, const path_ensemble *fine, const path_source *source,
                                    const time_grid *fine_grid, const time_grid *coarse_grid, path_ensemble **out);
void path_ensemble_free(path_ensemble *ensemble);

/* Lanes per block that keep a block near the size of a level-2 cache. */
size_t path_block_lanes(int k, int steps, int64_t paths);

#endif
