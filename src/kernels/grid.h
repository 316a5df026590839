/* The time grid: nodes 0 = t_0 < ... < t_N = T and the cells between them, with eta at both ends of every cell, and
   where the law of a path given a visit begins anew. */
#ifndef SGDMFT_KERNELS_GRID_H
#define SGDMFT_KERNELS_GRID_H

#include <stddef.h>

#include "core/context.h"
#include "model/schedule.h"

typedef struct time_grid {
    int steps;
    double *t;          /* [steps + 1] */
    double *h;          /* [steps] cell widths */
    double *eta_start;  /* [steps] eta just after t_i */
    double *eta_end;    /* [steps] eta just before t_{i+1} */
    double *middle;     /* [steps] place in the cell, 0 to 1, of its middle: on a coarse grid, the node left out */
    double *eta_middle; /* [steps] eta there */
    char *corner;       /* [steps + 1] 1 where eta jumps or an epoch begins, so that curves have a corner */
    double epoch;       /* visit_law.epoch of the process; 0 where visits are independent of each other */
    char *renewal;      /* [steps + 1] 1 at nodes where an epoch begins */
    int *
        history; /* [steps + 1] a path that is visited just before node i lacks its visits since node history[i]: where the
                           epoch that ends at the node or contains it began, or i itself if all visits count */
} time_grid;

/* Nodes t_i = horizon (i / steps)^grading, stretched between the jumps of eta and the beginnings of epochs, so that
   each of these times is a node, also of the grids coarsened once and twice. `epoch` is 0 or the length of an epoch. If
   there are too few nodes, jumps of eta are passed over, but beginnings of epochs are not: SGDMFT_ERR_CONFLICT. */
sgdmft_status time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                            double epoch, time_grid **out);
/* Every second node of `fine`, whose number of steps must be even. */
sgdmft_status time_grid_coarsen(sgdmft_context *ctx, const time_grid *fine, const schedule *eta, time_grid **out);
void time_grid_free(time_grid *grid);

/* How the innovations of the two halves of cell c of the coarser grid make up its own: a xi_1 + b xi_2. */
typedef struct cell_halves {
    double a, b;
} cell_halves;
cell_halves time_grid_halves(const time_grid *fine, size_t c);

/* The cell that contains t in [0, T]: t_i <= t < t_{i+1} (the last cell for t = T). */
int time_grid_cell(const time_grid *grid, double t);

/* Weights of the local cubic interpolation at t, which does not reach across corners: nodes first .. first + *count -
   1. A node itself gets count 1. */
int time_grid_stencil(const time_grid *grid, double t, int *count, double weights[4]);

#endif
