/* The response seam: how R and the memory kernel Q of the mean gradient,

     Q(t, s) = E_A[G(t) J(t, s)],      dR/dt (t, s) = - lambda R - delta eta Q,      R(s, s) = 1,

   are found from averages over paths given a visit. An estimator says which rows of averages it needs and how a row of
   R and Q follows from them; it knows nothing of the process. There are two, and one more for sampled theta
   (response_sampled.h):

     response_pathwise   averages of derivatives along paths; needs a smooth gradient
     response_stein      correlations of the gradient with the noise of the field; needs white noise in the field */
#ifndef SGDMFT_KERNELS_RESPONSE_H
#define SGDMFT_KERNELS_RESPONSE_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

typedef struct response_estimator {
    const char *name; /* value of numerics.response */
    int pathwise;     /* 1: paths carry their derivatives along */
    size_t rows;      /* rows of a cell in the averages, beside VISITS */

    /* Q(0, 0) from the averages at node 0. */
    void (*start)(kernels *kern, const averages_layout *at, const double *first);

    /* R and Q at node i + 1 from the averages just before it; after innovations_row. Returns the largest change
       relative to its scale, or NaN. */
    double (*advance)(kernels *kern, int i, const averages_layout *at, const double *next);

    /* Q at node i anew, from the averages just after it, where they jump. */
    void (*renew)(kernels *kern, int i, const averages_layout *at, const double *after);
} response_estimator;

static inline averages_layout averages_layout_of(int k, int kstar, int steps, const response_estimator *estimator)
{
    return averages_layout_with(k, kstar, steps, estimator, 1 + estimator->rows);
}

#endif
