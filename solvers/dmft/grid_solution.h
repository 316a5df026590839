/* The result of solving one replica on one grid. */
#ifndef SGDMFT_SOLVERS_DMFT_GRID_SOLUTION_H
#define SGDMFT_SOLVERS_DMFT_GRID_SOLUTION_H

#include <stddef.h>

#include "coordinates/record.h"
#include "kernels/grid.h"
#include "kernels/kernels.h"
#include "sgdmft/status.h"

/* The numbers of a grid solution that size its arrays. */
typedef struct grid_shape {
    int k, kstar, steps;
    size_t observables;
    int marks; /* times of the two-time arrays, if the history is merged; otherwise 0, and all nodes have them */
} grid_shape;

typedef struct grid_solution {
    grid_shape shape;
    int nodes;                 /* computed: 0 .. nodes - 1 are valid */
    size_t observables;        /* 2 (train, test loss) + 2 for each observable of the user */
    double *C;                 /* [N+1][k][k] C(t_i, t_i) */
    double *m;                 /* [N+1][k][k*] */
    double *R;                 /* [N+1][k][k] R(t_i, 0) */
    double *Q;                 /* [N+1][k][k] Q(t_i, t_i) */
    double *observed;          /* [N+1][observables], valid where `wanted` */
    char *wanted;              /* [N+1] 1 at nodes where observables are averaged */
    double *residual;          /* [N+1] residual of self-consistency of the step that ends at the node */
    int steps;                 /* steps that were tried */
    double passes;             /* corrector passes or sweeps, summed over steps */
    int passes_max;            /* largest number of passes of a step */
    double *identity;          /* [2][k][k] defects of the identities for C(t,t) and C(t,0) at the last node */
    double *identity_scale;    /* [2][k][k] sizes of the terms that cancel in them */
    kernels *kern;             /* owned; NULL if the history is merged */
    int *mark;                 /* [marks] the nodes of the two-time arrays */
    double *C_marks, *R_marks; /* [marks][marks][k][k] at these nodes, [i][j] with j <= i */
    coordinate_record *record; /* owned; NULL for a ridge and on the coarse grids */
    sgdmft_status status;
    char *message; /* why the solve ended early, or NULL */
} grid_solution;

/* An empty solution, owned by the caller (grid_solution_free). On success it owns `kern`, which may be NULL. */
sgdmft_status grid_solution_new(sgdmft_context *ctx, const grid_shape *shape, kernels *kern, grid_solution **out);
void grid_solution_free(grid_solution *solution); /* NULL is allowed */

#endif
