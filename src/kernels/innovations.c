#include "kernels/innovations.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"

/* Without white noise, innovations of neighbouring cells are nearly equal, and their covariance is singular to
   rounding. A direction that is dropped where it is small may return in a later cell where it is not, and what was
   dropped would then be divided by another small number. So every innovation has an independent part of this fraction
   of its variance, with which the matrix is positive definite and the error of the factor is that of rounding. */
static const double INDEPENDENT_PART = 1e-9;

/* Row i of the covariance of the innovations, blocks j <= i, for a process with white noise, and the bridge of cell
   i. */
static int noisy_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next,
                     double *row)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double half = step_rule_time(kern->grid, i).start, start = kern->grid->eta_start[i], end = kern->grid->eta_end[i];
    for (int j = 0; j < i; j++) {
        const double *a = averages_row(at, now, j, VISITS), *b = averages_row(at, next, j, VISITS);
        for (size_t c = 0; c < kk; c++)
            row[(size_t)j * kk + c] = half * (start * a[c] + end * b[c]);
    }
    const double *own = averages_row(at, next, i, VISITS);
    double rate[MATRIX_MAX * MATRIX_MAX];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double white = start * start * now[at->outer + c] + end * end * next[at->outer + c];
            rate[c] = 0.5 * kern->delta * white;
            row[(size_t)i * kk + c] = half * white + half * end * (own[c] + own[transposed]);
        }
    return matrix_psd_root(k, rate, kern->bridge + (size_t)i * kk, NULL);
}

/* The same in discrete time, where the innovation of a step is the force in it, from the averages at its beginning. */
static void discrete_row(const kernels *kern, int i, const averages_layout *at, const double *now, double *row)
{
    size_t kk = (size_t)(kern->k * kern->k);
    double h = kern->grid->h[i], eta = kern->grid->eta_start[i];
    for (int j = 0; j < i; j++) {
        const double *visits = averages_row(at, now, j, VISITS);
        for (size_t c = 0; c < kk; c++)
            row[(size_t)j * kk + c] = h * eta * visits[c];
    }
    for (size_t c = 0; c < kk; c++)
        row[(size_t)i * kk + c] = h * eta * eta * now[at->outer + c];
}

/* The same for a smooth process. */
static void smooth_row(const kernels *kern, int i, const averages_layout *at, const double *next, double *row)
{
    size_t kk = (size_t)(kern->k * kern->k);
    for (int j = 0; j <= i; j++)
        memcpy(row + (size_t)j * kk, averages_row(at, next, j, VISITS), sizeof(double) * kk);
}

/* L_ij = (E[dU_i dU_j^T] - sum_{l<j} L_il L_jl^T) L_jj^{-T} for j < i, and L_ii L_ii^T = E[dU_i dU_i^T] - sum_{l<i}
   L_il L_il^T, positive part. Returns the change relative to its scale, or NaN. */
static double factor_row(kernels *kern, int i, const double *row)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double change = 0, rest[MATRIX_MAX * MATRIX_MAX], value[MATRIX_MAX * MATRIX_MAX];
    double *factor = kernels_L(kern, i, 0);
    double before = factor[(size_t)i * kk];
    for (int j = 0; j <= i; j++) {
        memcpy(rest, row + (size_t)j * kk, sizeof(double) * kk);
        const double *other = kernels_L(kern, j, 0);
        if (k == 1) {
            double sum = 0;
            for (int l = 0; l < j; l++)
                sum += factor[l] * other[l];
            rest[0] -= sum;
        } else {
            for (int l = 0; l < j; l++)
                matrix_add_product_t(k, -1, factor + (size_t)l * kk, other + (size_t)l * kk, rest);
        }
        if (j == i)
            break;
        memset(value, 0, sizeof value);
        matrix_add_product_t(k, 1, rest, kern->root_inverse + (size_t)j * kk, value);
        memcpy(factor + (size_t)j * kk, value, sizeof(double) * kk);
    }
    double part = kern->white_noise ? 0 : INDEPENDENT_PART * matrix_trace(k, row + (size_t)i * kk) / k;
    for (int a = 0; a < k; a++)
        rest[a * (k + 1)] += part;
    if (matrix_psd_root_above(k, rest, 0.5 * part, value, kern->root_inverse + (size_t)i * kk))
        return NAN;
    for (size_t c = 0; c < kk; c++)
        if (!isfinite(value[c]))
            return NAN;
    memcpy(factor + (size_t)i * kk, value, sizeof(double) * kk);
    double scale = kern->white_noise ? fabs(value[0]) : sqrt(matrix_trace(k, row + (size_t)i * kk));
    change = fmax(change, relative_change(before, value[0], scale));
    return change;
}

double innovations_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    double *row = kern->scratch;
    if (kern->discrete)
        discrete_row(kern, i, at, now, row);
    else if (!kern->white_noise)
        smooth_row(kern, i, at, next, row);
    else if (noisy_row(kern, i, at, now, next, row))
        return NAN;
    return factor_row(kern, i, row);
}
