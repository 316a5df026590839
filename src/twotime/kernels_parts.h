/* Pieces of kernels_advance, one file each; not for other modules. */
#ifndef SGDMFT_KERNELS_PARTS_H
#define SGDMFT_KERNELS_PARTS_H

#include <math.h>

#include "twotime/kernels.h"

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
double kernels_factor_row(kernels *kern, int i, const estimates_layout *at, const double *now, const double *next);

/* R and Q at node i + 1. Stein: after kernels_factor_row. */
double kernels_response_pathwise(kernels *kern, int i, const estimates_layout *at, const double *next);
double kernels_response_stein(kernels *kern, int i, const estimates_layout *at, const double *next);

/* Q(t_0, t_0) */
void kernels_response_start(kernels *kern, const estimates_layout *at, const double *first);

#endif
