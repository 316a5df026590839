/* The spectral law mu of X^T X, Marchenko and Pastur's, as a sum over points, and sums of exponentials over it. */
#ifndef SGDMFT_NUMERICS_MARCHENKO_H
#define SGDMFT_NUMERICS_MARCHENKO_H

#include <stddef.h>

#include "core/context.h"

/* int f dmu = sum_i weight[i] f(x[i]): positive weights; x[0] = 0, then ascending points inside (low, high). */
typedef struct spectral_law {
    size_t n;
    double *x, *weight;
    double low, high; /* edges (1 -+ sqrt delta)^2 of the continuous part */
    double excess;    /* weight[0] less the atom of mu at 0 */
} spectral_law;

/* Points for integrands such as exp(-c x) with 0 <= c <= decay, to the last digit relative to the value at x = 0. The
   continuous part keeps its own digits when it is smaller by up to exp(-fall): the excess is smaller still. `fall` is
   at most decay low. */
sgdmft_status spectral_law_init(sgdmft_context *ctx, double delta, double decay, double fall, spectral_law *out);
void spectral_law_clear(spectral_law *law);

/* Number of points that spectral_law_init will take. */
double spectral_law_points(double delta, double decay, double fall);

/* out[j] = sum_i weight[i] exp(-rate[i] h (first + j)) for j < count, first any sign. Weights may have any sign. */
sgdmft_status exponential_sums(sgdmft_context *ctx, size_t n, const double *rate, const double *weight, double h,
                               int first, size_t count, double *out);

#endif
