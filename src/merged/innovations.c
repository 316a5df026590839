#include "merged/innovations.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "core/matrix.h"

/* The part of S in M. */
static const double STIFFNESS = 0.95;

/* Relative to its diagonal, what is added to M: two students that are always equal make it singular. */
static const double REGULAR = 1e-10;

/* The noise of the newest cell keeps at least this part of the white one in every direction. */
static const double LEAST_NOISE = 0.02;

/* y[k][features] = E_A[g K^T] M^{-1} over n features. */
static void predict_by(const merged_kernels *kern, const averages_layout *at, const double *averages, int n, double *y)
{
    int k = kern->k, F = kern->features;
    for (int a = 0; a < k; a++)
        for (int f = 0; f < n; f++)
            y[(size_t)a * (size_t)F + (size_t)f] = averages_row(at, averages, f / k, VISITS)[a * k + f % k];
    if (n > 0)
        LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', n, k, kern->mixture, F, y, F);
}

int innovations_prepare(merged_kernels *kern, const averages_layout *at, const double *now)
{
    int n = merged_features(kern), F = kern->features;
    size_t stride = (size_t)F;
    for (int f = 0; f < n; f++) {
        double *row = kern->mixture + (size_t)f * stride;
        const double *gram = kern->gram + (size_t)f * stride, *S = kern->S + (size_t)f * stride;
        for (int e = f; e < n; e++)
            row[e] = (1 - STIFFNESS) * gram[e] + STIFFNESS * S[e];
        row[f] *= 1 + REGULAR;
        if (!(row[f] > 0))
            row[f] = 1; /* nothing happened in the cell, as where eta is zero */
    }
    /* the upper triangle by rows is the lower one by columns */
    if (n > 0 && LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, kern->mixture, F))
        return -1;
    predict_by(kern, at, now, n, kern->y_now);
    kern->prepared = 1;
    return 0;
}

/* Lower triangular factor of the matrix a[n][n], with squared pivots of at least least[i]. Returns the largest change
   of the factor relative to its scale, or NaN if a number is not finite. */
static double floored_cholesky(int n, const double *a, const double *least, double *root)
{
    double change = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (int l = 0; l < j; l++)
                sum -= root[i * n + l] * root[j * n + l];
            if (!isfinite(sum))
                return NAN;
            double value = i == j ? sqrt(fmax(sum, least[i])) : root[j * n + j] > 0 ? sum / root[j * n + j] : 0;
            change = fmax(change, relative_change(root[i * n + j], value, fabs(value)));
            root[i * n + j] = value;
        }
    return change;
}

/* The covariance of the newest innovation [2 k][2 k], and the bridge. */
static int own_covariance(merged_kernels *kern, int i, const averages_layout *at, const double *now, const double *next,
                          double *D)
{
    int k = kern->k, n = MOMENTS * k, newest = MOMENTS * kern->cells.n;
    double h = kern->grid->h[i], start = kern->grid->eta_start[i], end = kern->grid->eta_end[i];
    double rate[MATRIX_MAX * MATRIX_MAX];
    const double *own = averages_row(at, next, newest, VISITS);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double first = start * start * now[at->outer + c], last = end * end * next[at->outer + c];
            double mean = 0.5 * h * (first + last), slope = h * (last - first) / (2 * MOMENT_ROOT3);
            rate[c] = 0.5 * kern->delta * (first + last);
            D[a * n + b] = mean + 0.5 * h * end * (own[c] + own[transposed]);
            D[(k + a) * n + k + b] = mean;
            D[(k + a) * n + b] = D[a * n + k + b] = slope;
        }
    return matrix_psd_root(k, rate, kern->bridge, NULL);
}

/* b from y at both ends; returns its change. */
static void make_b(merged_kernels *kern, int i, int n)
{
    int k = kern->k;
    size_t F = (size_t)kern->features;
    double h = kern->grid->h[i], start = kern->grid->eta_start[i], end = kern->grid->eta_end[i];
    for (int a = 0; a < k; a++) {
        const double *first = kern->y_now + (size_t)a * F, *last = kern->y_next + (size_t)a * F;
        double *mean = kern->b + (size_t)a * F, *slope = kern->b + (size_t)(k + a) * F;
        for (int f = 0; f < n; f++) {
            mean[f] = 0.5 * h * (start * first[f] + end * last[f]);
            slope[f] = h / (2 * MOMENT_ROOT3) * (end * last[f] - start * first[f]);
        }
    }
}

/* Rows of S of the newest cell with the old ones, b S, and D - b S b^T in place of D; D is kept in `whole`. */
static void subtract_predicted(merged_kernels *kern, int n, double *D)
{
    int more = cell_features(kern);
    size_t F = (size_t)kern->features;
    for (int x = 0; x < more; x++) {
        double *row = kern->S + (size_t)(n + x) * F;
        const double *b = kern->b + (size_t)x * F;
        memset(row, 0, sizeof *row * (size_t)n);
        for (int f = 0; f < n; f++) {
            const double *S = kern->S + (size_t)f * F;
            for (int e = 0; e < n; e++)
                row[e] += b[f] * S[e];
        }
        for (int f = 0; f < n; f++)
            kern->S[(size_t)f * F + (size_t)(n + x)] = row[f];
        for (int z = 0; z <= x; z++) {
            const double *other = kern->b + (size_t)z * F;
            double sum = 0;
            for (int f = 0; f < n; f++)
                sum += row[f] * other[f];
            /* keeps the predicted part where it will be completed by root root^T */
            kern->S[(size_t)(n + x) * F + (size_t)(n + z)] = kern->S[(size_t)(n + z) * F + (size_t)(n + x)] = sum;
            D[x * more + z] -= sum;
            if (z < x)
                D[z * more + x] -= sum;
        }
    }
}

double innovations_merged(merged_kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int n = merged_features(kern), more = cell_features(kern);
    size_t F = (size_t)kern->features;
    double D[4 * MATRIX_MAX * MATRIX_MAX] = {0}, least[2 * MATRIX_MAX];
    if (!kern->prepared && innovations_prepare(kern, at, now))
        return NAN;
    predict_by(kern, at, next, n, kern->y_next);
    make_b(kern, i, n);
    if (own_covariance(kern, i, at, now, next, D))
        return NAN;
    for (int x = 0; x < more; x++)
        least[x] = LEAST_NOISE * fmax(D[(kern->k + x % kern->k) * more + kern->k + x % kern->k], 0);
    subtract_predicted(kern, n, D);
    double change = floored_cholesky(more, D, least, kern->root);
    if (isnan(change))
        return NAN;
    for (int x = 0; x < more; x++)
        for (int z = 0; z < more; z++) {
            double sum = 0;
            for (int l = 0; l <= (x < z ? x : z); l++)
                sum += kern->root[x * more + l] * kern->root[z * more + l];
            kern->S[(size_t)(n + x) * F + (size_t)(n + z)] += sum;
        }
    return change;
}
