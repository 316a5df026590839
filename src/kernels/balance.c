#include "kernels/balance.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/step_rule.h"

/* The fraction of its variance that the newest coefficient keeps. */
static const double KEPT = 0.25;

/* Adds weight times the part of the right-hand side of (9) that does not contain C. */
static void add_gain(const kernels *kern, const averages_layout *at, const double *averages, double eta, double weight,
                     double *out)
{
    int k = kern->k;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double drift = averages[at->gr + c] + averages[at->gr + transposed];
            out[c] += weight * kern->delta * eta * (eta * averages[at->outer + c] - drift);
        }
}

/* C(t_{i+1}, t_{i+1}) by (9) minus that of the kernels. */
static void missing_variance(const kernels *kern, int i, const averages_layout *at, const double *now,
                             const double *next, double *out)
{
    int kk = kern->k * kern->k;
    step_weights time = step_rule_time(kern->grid, i);
    double here[MATRIX_MAX * MATRIX_MAX], lambda = kern->filter.lambda;
    kernels_correlation(kern, kern->q0, kern->rho, i, i, out);
    for (int c = 0; c < kk; c++)
        out[c] *= 1 - 2 * lambda * time.start;
    add_gain(kern, at, now, kern->grid->eta_start[i], time.start, out);
    add_gain(kern, at, next, kern->grid->eta_end[i], time.end, out);
    kernels_correlation(kern, kern->q0, kern->rho, i + 1, i + 1, here);
    for (int c = 0; c < kk; c++)
        out[c] = out[c] / (1 + 2 * lambda * time.end) - here[c];
}

/* root = square root of 1 + D, where D is reduced until no eigenvalue of this is below KEPT. */
static int bounded_root(int k, double *D, double *root)
{
    double smallest = matrix_smallest_eigenvalue(k, D);
    double part = smallest < KEPT - 1 ? (KEPT - 1) / smallest : 1;
    for (int c = 0; c < k * k; c++)
        D[c] = part * D[c] + (c % (k + 1) == 0);
    return matrix_psd_root(k, D, root, NULL);
}

int balance_newest(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    enum { SIZE = MATRIX_MAX * MATRIX_MAX };
    int k = kern->k;
    double missing[SIZE], newest[SIZE], own[SIZE] = {0}, root[SIZE], inverse[SIZE], half[SIZE] = {0}, D[SIZE] = {0};
    double factor[SIZE], left[SIZE] = {0}, map[SIZE] = {0}, balanced[SIZE] = {0};
    missing_variance(kern, i, at, now, next, missing);
    for (int c = 0; c < k * k; c++)
        newest[c] = kernels_V(kern, i + 1, c / k)[i * k + c % k];
    matrix_add_product_t(k, 1, newest, newest, own);
    /* With P = V V^T of the newest coefficient, V becomes P^{1/2} (1 + P^{-1/2} missing P^{-1/2})^{1/2} P^{-1/2} V. */
    if (matrix_psd_root(k, own, root, inverse))
        return -1;
    matrix_add_product(k, 1, inverse, missing, half);
    matrix_add_product(k, 1, half, inverse, D);
    if (bounded_root(k, D, factor))
        return -1;
    matrix_add_product(k, 1, root, factor, left);
    matrix_add_product(k, 1, left, inverse, map);
    matrix_add_product(k, 1, map, newest, balanced);
    for (int c = 0; c < k * k; c++)
        kernels_V(kern, i + 1, c / k)[i * k + c % k] = balanced[c];
    return 0;
}
