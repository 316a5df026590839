/* The time grid: nodes 0 = t_0 < ... < t_N = T and the cells between them, with eta at both ends of every cell, and the
   nodes at which an epoch of the process begins. */
#ifndef SGDMFT_KERNELS_GRID_H
#define SGDMFT_KERNELS_GRID_H

#include <stddef.h>

#include "core/context.h"
#include "model/schedule.h"

typedef struct time_grid {
    int steps;
    int discrete;       /* 1: the nodes are the steps of discrete dynamics, and nothing happens between them */
    double *t;          /* [steps + 1] */
    double *h;          /* [steps] widths of the cells */
    double *eta_start;  /* [steps] eta just after t_i */
    double *eta_end;    /* [steps] eta just before t_{i+1} */
    double *middle;     /* [steps] place of the middle of the cell, 0 to 1: the node that a coarse grid leaves out */
    double *eta_middle; /* [steps] eta there */
    double *event;      /* [steps] place of an event that stands for the whole cell, 1/2 to 1 */
    double damping;     /* event = 1/2 + damping h_i / t_{i+1}, at most 1 */
    char *corner;       /* [steps + 1] 1 where eta jumps or an epoch begins, so that curves have a corner */
    double epoch;       /* visit_law.epoch of the process; 0 where visits are independent of each other */
    char *renewal;      /* [steps + 1] 1 at nodes where an epoch begins */

    /* [steps + 1] A path that is visited just before node i has not been visited since node history[i]: the beginning
       of the epoch that contains this time, or i itself if visits are independent, so that all of them count. In
       discrete time, the visit is in step i, and history[i] = i where an epoch begins. */
    int *history;
} time_grid;

/* The least number of steps with which the jumps of eta and the beginnings of epochs are nodes of the grid and of the
   two coarser ones. */
sgdmft_status time_grid_least_steps(sgdmft_context *ctx, double horizon, const schedule *eta, double epoch, int *least);

/* Nodes t_i = horizon (i / steps)^grading, moved such that every jump of eta and every beginning of an epoch is a node,
   also of the grids coarsened once and twice. `epoch` is 0 or the length of an epoch. If there are too few nodes, some
   jumps of eta are not nodes; too few nodes for the epochs are an error, SGDMFT_ERR_CONFLICT. *out is owned by the
   caller (time_grid_free). */
sgdmft_status time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                            double epoch, time_grid **out);
/* The grid of discrete dynamics with `steps` steps of length b, and of the same eta in each as at its beginning.
   `epoch` is 0, or 1 if 1/b is whole and a new epoch begins after as many steps. *out as above. */
sgdmft_status time_grid_discrete(sgdmft_context *ctx, int steps, double b, const schedule *eta, double epoch,
                                 time_grid **out);

/* Makes it a grid for the limit of small steps. The mean of eta over every step takes the place of its value at the
   beginning, which is as good then, and leaves a series in b where eta jumps within a step. Curves have corners at both
   ends of a step in which eta jumps, and at multiples of `epoch` unless it is 0; they are smooth at all other nodes. */
sgdmft_status time_grid_small_steps(sgdmft_context *ctx, const schedule *eta, double epoch, time_grid *grid);

/* The grid of every second node of `fine`, whose number of steps must be even. */
sgdmft_status time_grid_coarsen(sgdmft_context *ctx, const time_grid *fine, const schedule *eta, time_grid **out);
void time_grid_free(time_grid *grid);

/* The innovation of the coarse cell c has the normal a xi_1 + b xi_2, with the normals of its two cells of `fine`. */
typedef struct cell_halves {
    double a, b;
} cell_halves;
cell_halves time_grid_halves(const time_grid *fine, size_t c);

/* The cell that contains t in [0, T]: t_i <= t < t_{i+1} (the last cell for t = T). */
int time_grid_cell(const time_grid *grid, double t);

/* Weights of the local cubic interpolation at t, for nodes first .. first + *count - 1; returns `first`. It does not
   reach across corners. At a node, *count is 1. */
int time_grid_stencil(const time_grid *grid, double t, int *count, double weights[4]);

#endif
