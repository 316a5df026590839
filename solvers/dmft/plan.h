/* Everything that a solve derives from its problem and that all replicas share: the compiled model, the laws, the
   grids, and the constants of the averages. Immutable. */
#ifndef SGDMFT_SOLVERS_DMFT_PLAN_H
#define SGDMFT_SOLVERS_DMFT_PLAN_H

#include "kernels/grid.h"
#include "merged/kernels.h"
#include "model/initial.h"
#include "model/model.h"
#include "model/penalty.h"
#include "model/schedule.h"
#include "paths/block.h"
#include "paths/ensemble.h"
#include "problem/problem.h"

/* The nested grids: that of the problem, every second node of it for extrapolation, and every fourth node to estimate
   the error after that. */
enum { GRID_FINE, GRID_COARSE, GRID_CHECK, GRIDS };

typedef struct dmft_plan {
    const sgdmft_problem *problem; /* not owned */
    model *m;
    initial_law start; /* law of the coordinates at t = 0 */
    data_law law;      /* law of the samples */
    schedule *eta;
    penalty *penalty;       /* NULL for a ridge */
    time_grid *grid[GRIDS]; /* the finest has the steps of the problem, rounded up to a multiple of four; the coarser
                               ones are NULL where the step has no error */
    path_plan on_grid[GRIDS];
    path_source source;
    int merged;         /* 1: the history is merged */
    cell_rule rule;     /* by which it is */
    int n_marks, *mark; /* the nodes of the finest grid that have two-time arrays then */
    double fastest;     /* rate_at_start, for the midpoint rule; otherwise 0 */
    int steps_least;    /* with which jumps of eta and beginnings of epochs are nodes of all grids */
} dmft_plan;

/* On success *out is to be cleared. Errors: SGDMFT_ERR_CONFLICT, SGDMFT_ERR_KINK and those of the parts, with a message
   that names key and line. */
sgdmft_status dmft_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, dmft_plan *out);
void dmft_plan_clear(dmft_plan *plan);

/* The kernels of one replica on a grid, at t = 0. Owned by the caller. */
sgdmft_status dmft_plan_kernels(sgdmft_context *ctx, const dmft_plan *plan, const time_grid *grid, kernels **out);

/* The plan of the kernels with a merged history on one grid. */
void dmft_plan_merged(const dmft_plan *plan, int grid, merged_kernels_plan *out);

/* The mean number of cells of the history of a step on a grid. */
double dmft_plan_cells(const dmft_plan *plan, int grid);

/* The number of grids that a replica solves: one if the step has no error, all if curves are extrapolated, otherwise
   two. */
int dmft_plan_grids(const dmft_plan *plan);

/* The number of grids that every replica must have solved to be of use. */
int dmft_plan_grids_least(const dmft_plan *plan);

#endif
