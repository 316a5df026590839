/* The response seam: how R and the memory kernel Q of the mean gradient, by which (4) reads

     dR/dt (t, s) = - lambda R(t, s) - delta eta Q(t, s),   R(s, s) = 1,   Q(t, s) = E_A[G(t) J(t, s)],

   are found from averages over paths given a visit. An estimator states which rows of averages it needs, and how a row
   of R and Q follows from them; it does not know the process. There are three, and one more for sampled theta
   (response_sampled.h):

     response_pathwise   averages of derivatives along paths, which need a smooth gradient
     response_stein      correlations of the gradient with the noise of the field, which must contain white noise
     response_midpoint   as pathwise, for kicks in the middle of a cell that move their own position; solves for R and m
                         at the end of the cell without Q */
#ifndef SGDMFT_KERNELS_RESPONSE_H
#define SGDMFT_KERNELS_RESPONSE_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

typedef struct response_estimator {
    const char *name; /* value of numerics.response */
    int pathwise;     /* 1: paths compute their derivatives */
    int midpoint;     /* 1: averages at a node are those in the middle of the cell before it */
    size_t rows;      /* number of rows of a cell in the averages, besides VISITS */

    /* Q(0, 0) from the averages at node 0. */
    void (*start)(kernels *kern, const averages_layout *at, const double *first);

    /* R and Q at node i + 1 from the averages just before it, given row i of L (innovations_row). Returns the largest
       change relative to its scale, or NaN. */
    double (*advance)(kernels *kern, int i, const averages_layout *at, const double *next);

    /* m and F at node i + 1, given R there, from the averages just after node i (`now`) and just before node i + 1
       (`next`). Returns as `advance`. */
    double (*overlap)(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

    /* Q at node i once more, from the averages just after the node, where they jump. */
    void (*renew)(kernels *kern, int i, const averages_layout *at, const double *after);
} response_estimator;

/* The layout of the averages with the rows that the estimator needs. */
static inline averages_layout averages_layout_of(int k, int kstar, int steps, const response_estimator *estimator)
{
    return averages_layout_with(k, kstar, steps, estimator, 1 + estimator->rows);
}

#endif
