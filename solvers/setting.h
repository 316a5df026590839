/* What all replicas of a solve share: the compiled model, the grids, the constants of the averages. Immutable. */
#ifndef SGDMFT_SETTING_H
#define SGDMFT_SETTING_H

#include "paths/block.h"
#include "problem/initial.h"
#include "problem/model.h"
#include "problem/penalty.h"
#include "problem/problem.h"
#include "twotime/grid.h"
#include "twotime/schedule.h"

/* The grid of the problem, every second node of it, to extrapolate, and every fourth, to tell what is left after that. */
enum { LEVEL_FINE, LEVEL_COARSE, LEVEL_CHECK, LEVELS };

typedef struct solve_setting {
    const sgdmft_problem *problem;
    model *m;
    initial_law law;
    schedule *eta;
    penalty *pen;            /* NULL for a ridge */
    time_grid *grid[LEVELS]; /* the problem's steps, made a multiple of four, and parts of them */
    path_setting set[LEVELS];
    path_source source;
} solve_setting;

sgdmft_status solve_setting_init(sgdmft_context *ctx, const sgdmft_problem *problem, solve_setting *out);
void solve_setting_clear(solve_setting *s);

/* The kernels of one replica on a grid, at t = 0. Owned by the caller. */
sgdmft_status solve_setting_kernels(sgdmft_context *ctx, const solve_setting *s, const time_grid *grid, kernels **out);

/* How many of the levels replica `index` solves: the first quarter of the replicas all of them, if curves are extrapolated. */
int solve_setting_levels(const solve_setting *s, int index);

/* Output time number i of the problem. */
double solve_setting_time(const solve_setting *s, int i);

#endif
