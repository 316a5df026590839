/* The two-time arrays of a solution, as the samplers of its limiting processes see them. */
#ifndef SGDMFT_SAMPLE_TWO_TIME_H
#define SGDMFT_SAMPLE_TWO_TIME_H

#include <stddef.h>

#include "columns/solution.h"
#include "core/context.h"
#include "sgdmft/problem.h"

typedef struct two_time {
    int k, kstar;
    size_t n;                                /* nodes */
    const double *t;                         /* [n] ascending from 0 */
    const double *C;                         /* [n][n][k][k] */
    const double *R;                         /* [n][n][k][k], zero above the diagonal */
    const double *m;                         /* [n][k][k*] */
    const solution_coordinates *coordinates; /* NULL for a ridge */
} two_time;

/* The solution must have a grid and outlive the view. */
two_time two_time_of(const sgdmft_solution *solution);

static inline const double *two_time_C(const two_time *x, size_t i, size_t j)
{
    return x->C + (i * x->n + j) * (size_t)(x->k * x->k);
}

static inline const double *two_time_R(const two_time *x, size_t i, size_t j)
{
    return x->R + (i * x->n + j) * (size_t)(x->k * x->k);
}

static inline const double *two_time_m(const two_time *x, size_t i)
{
    return x->m + i * (size_t)(x->k * x->kstar);
}

/* The node nearest to t. */
size_t two_time_nearest(const two_time *x, double t);

/* The cell [t_i, t_{i+1}] that t is in, and its place there in [0, 1]; the ends of the grid for times beyond. */
size_t two_time_cell(const two_time *x, double t, double *place);

/* Fails with SGDMFT_ERR_CONFLICT unless C(0,0) and m(0) are the initial moments of the problem, which a file of samples
   may have changed since. */
sgdmft_status two_time_check(sgdmft_context *ctx, const two_time *x, const sgdmft_problem *problem);

#endif
