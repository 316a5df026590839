/* What all replicas of a solve share: the compiled model, the grids, the constants of the averages. Immutable. */
#ifndef SGDMFT_SOLVERS_DMFT_PLAN_H
#define SGDMFT_SOLVERS_DMFT_PLAN_H

#include "kernels/grid.h"
#include "model/initial.h"
#include "model/model.h"
#include "model/penalty.h"
#include "model/schedule.h"
#include "paths/block.h"
#include "paths/ensemble.h"
#include "problem/problem.h"

/* The grid of the problem, every second node of it, to extrapolate, and every fourth, to tell what is left after that.
   */
enum { GRID_FINE, GRID_COARSE, GRID_CHECK, GRIDS };

typedef struct dmft_plan {
    const sgdmft_problem *problem;
    model *m;
    initial_law start; /* of the coordinates */
    data_law law;      /* of the samples */
    schedule *eta;
    penalty *penalty;       /* NULL for a ridge */
    time_grid *grid[GRIDS]; /* the problem's steps, made a multiple of four, and parts of them */
    path_plan on_grid[GRIDS];
    path_source source;
} dmft_plan;

sgdmft_status dmft_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, dmft_plan *out);
void dmft_plan_clear(dmft_plan *plan);

/* The kernels of one replica on a grid, at t = 0. Owned by the caller. */
sgdmft_status dmft_plan_kernels(sgdmft_context *ctx, const dmft_plan *plan, const time_grid *grid, kernels **out);

/* How many of the levels replica `index` solves: the first quarter of the replicas all of them, if curves are
   extrapolated. */
int dmft_plan_grids(const dmft_plan *plan, int index);

#endif
