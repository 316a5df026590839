/* The step rule: how integrals over time become sums over the nodes of a grid. Here it is the trapezoid rule,

     int over cell i of f dt = h/2 (f(t_i+) + f(t_{i+1}-)),

   with one-sided limits, since eta and the averages may jump at a node. A two-time kernel is averaged over its earlier
   time in cell c as (R_c + R_{c+1}) / 2. The error is of second order in h, and the extrapolation over nested grids
   (solvers/common/statistics.h) removes its leading term. For processes of visits the rule may be fitted to the decay
   of the response (fitting.h). */
#ifndef SGDMFT_KERNELS_STEP_RULE_H
#define SGDMFT_KERNELS_STEP_RULE_H

#include "kernels/grid.h"

/* Weights of the values at both ends of a cell. */
typedef struct step_weights {
    double start, end;
} step_weights;

/* The weights of an integral over the cell. */
static inline step_weights step_rule_time(const time_grid *grid, int cell)
{
    return (step_weights){0.5 * grid->h[cell], 0.5 * grid->h[cell]};
}

/* The factor delta eta of the force of the samples at both ends. */
static inline step_weights step_rule_rates(const time_grid *grid, double delta, int cell)
{
    return (step_weights){delta * grid->eta_start[cell], delta * grid->eta_end[cell]};
}

/* The weights of an integral of the force over the cell, which include this factor. */
static inline step_weights step_rule_force(const time_grid *grid, double delta, int cell)
{
    step_weights time = step_rule_time(grid, cell);
    return (step_weights){time.start * delta * grid->eta_start[cell], time.end * delta * grid->eta_end[cell]};
}

/* eta in a cell, for a kick that stands for the whole cell. */
static inline double step_rule_eta(const time_grid *grid, int cell)
{
    return 0.5 * (grid->eta_start[cell] + grid->eta_end[cell]);
}

/* The mean over cell c of a row of a kernel. */
static inline double step_rule_mean(const double *row, int c)
{
    return 0.5 * (row[c] + row[c + 1]);
}

#endif
