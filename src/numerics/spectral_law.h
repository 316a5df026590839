/* The spectral law mu of X^T X, which is that of Marchenko and Pastur, as a sum over points, and sums of exponentials
   over the points. */
#ifndef SGDMFT_NUMERICS_MARCHENKO_H
#define SGDMFT_NUMERICS_MARCHENKO_H

#include <stddef.h>

#include "core/context.h"

/* int f dmu = sum_i weight[i] f(x[i]) with positive weights; x[0] = 0, the other points ascend inside (low, high). */
typedef struct spectral_law {
    size_t n;
    double *x, *weight;
    double low, high; /* edges (1 -+ sqrt delta)^2 of the continuous part */
    double excess;    /* weight[0] minus the atom of mu at 0 */
} spectral_law;

/* Enough points for integrands such as exp(-c x) with 0 <= c <= decay to be exact to the last digit, relative to their
   value at x = 0. The continuous part, which may be smaller by a factor of down to exp(-fall), keeps its own digits:
   the excess is smaller still. `fall` is at most decay times low. */
sgdmft_status spectral_law_init(sgdmft_context *ctx, double delta, double decay, double fall, spectral_law *out);
void spectral_law_clear(spectral_law *law);

/* Number of points that spectral_law_init will take. */
double spectral_law_points(double delta, double decay, double fall);

/* out[j] = sum_i weight[i] exp(-rate[i] h (first + j)) for j < count. `first` and the weights may be negative. */
sgdmft_status exponential_sums(sgdmft_context *ctx, size_t n, const double *rate, const double *weight, double h,
                               int first, size_t count, double *out);

#endif
