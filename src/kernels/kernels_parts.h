/* Pieces of kernels_advance, one file each; src/coordinates puts them together in another way. */
#ifndef SGDMFT_KERNELS_KERNELS_PARTS_H
#define SGDMFT_KERNELS_KERNELS_PARTS_H

#include <math.h>

#include "kernels/kernels.h"

static inline double *kernels_Q(const kernels *kern, int component, int i)
{
    return kern->Q + (size_t)component * kern->plane + (size_t)i * kern->stride;
}

static inline double *kernels_L(const kernels *kern, int i, int j)
{
    return kern->L + ((size_t)i * (size_t)kern->steps + (size_t)j) * (size_t)(kern->k * kern->k);
}

/* Change of a number relative to a scale that does not vanish. */
static inline double relative_change(double before, double after, double scale)
{
    return fabs(after - before) / (scale > 1 ? scale : 1);
}

/* Each returns the largest change of what it wrote relative to its scale, or NaN. `next`: estimates at node i + 1. */

/* L row i and the bridge of cell i. */
double kernels_factor_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* R and Q at node i + 1. Stein: after kernels_factor_row. */
double kernels_response_pathwise(kernels *kern, int i, const averages_layout *at, const double *next);
double kernels_response_stein(kernels *kern, int i, const averages_layout *at, const double *next);

/* With sampled theta, after V and F of node i + 1; rests[c] = E[rest(theta(t_{i+1})) xi_c^T], c <= i. */
double kernels_response_sampled(kernels *kern, int i, const averages_layout *at, const double *next,
                                const double *rests);

/* Stein's lemma for a quantity X that depends on the innovations: rows[c] = E[X xi_c^T], c <= i, `stride` doubles apart,
   give mean[c], the mean effect on X of a kick in cell c. */
void kernels_cell_means(const kernels *kern, int i, const double *rows, size_t stride, double *mean);

/* Row i + 1 of planes laid out like Q, by local polynomials through the means over cells 0 .. i, and through end[k][k] at
   t_{i+1} unless it is NULL. */
void kernels_smooth_row(kernels *kern, int i, const double *mean, const double *end, double *planes);

/* E[g (w(0) - A w*)^T] P^+: the mean effect on g of a kick at t = 0 that decays like the regression on the start. */
void kernels_from_start(const kernels *kern, const averages_layout *at, const double *averages, double *q);

#endif
