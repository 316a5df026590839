/* What one solve of one replica on one grid leaves behind. Owned by whoever created it. */
#ifndef SGDMFT_SOLVERS_DMFT_GRID_SOLUTION_H
#define SGDMFT_SOLVERS_DMFT_GRID_SOLUTION_H

#include <stddef.h>

#include "coordinates/record.h"
#include "kernels/grid.h"
#include "kernels/kernels.h"
#include "sgdmft/status.h"

typedef struct grid_solution {
    int nodes;          /* nodes computed: 0 .. nodes - 1 are valid */
    size_t observables; /* 2 (train, test loss) + 2 per user observable */
    double *observed;   /* [N+1][observables], valid where `wanted` */
    char *wanted;       /* [N+1] nodes at which observables are averaged */
    double *residual;   /* [N+1] self-consistency residual of the step that ends at the node */
    int steps;          /* steps tried */
    double passes;      /* corrector passes (or sweeps), summed over steps */
    int passes_max;
    double *identity;          /* [2][k][k] defects of the identities for C(t,t) and C(t,0) at the last node */
    double *identity_scale;    /* [2][k][k] size of the terms that cancel */
    kernels *kern;             /* owned */
    coordinate_record *record; /* owned; NULL for a ridge and on the coarse grid */
    sgdmft_status status;
    char *message; /* why it stopped, or NULL */
} grid_solution;

sgdmft_status grid_solution_new(sgdmft_context *ctx, kernels *kern, size_t observables, grid_solution **out);
void grid_solution_free(grid_solution *tr);

#endif
