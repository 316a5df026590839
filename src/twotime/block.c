#include "twotime/block.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Eigenvalues below this fraction of the largest count as zero in the pseudo-inverse. */
static const double RANK_TOLERANCE = 1e-10;

static void swap_rows(size_t n, double *x, double *y)
{
    for (size_t j = 0; j < n; j++) {
        double keep = x[j];
        x[j] = y[j];
        y[j] = keep;
    }
}

int block_solve(int k, double *a, size_t n, double *b)
{
    size_t width = (size_t)k;
    for (int c = 0; c < k; c++) {
        int pivot = c;
        for (int i = c + 1; i < k; i++)
            if (fabs(a[i * k + c]) > fabs(a[pivot * k + c]))
                pivot = i;
        if (!(fabs(a[pivot * k + c]) > 0))
            return -1;
        if (pivot != c) {
            swap_rows(width, a + c * k, a + pivot * k);
            swap_rows(n, b + (size_t)c * n, b + (size_t)pivot * n);
        }
        double inverse = 1 / a[c * k + c];
        for (size_t j = 0; j < n; j++)
            b[(size_t)c * n + j] *= inverse;
        for (int j = c; j < k; j++)
            a[c * k + j] *= inverse;
        for (int i = 0; i < k; i++) {
            double factor = a[i * k + c];
            if (i == c || factor == 0)
                continue;
            for (int j = c; j < k; j++)
                a[i * k + j] -= factor * a[c * k + j];
            for (size_t j = 0; j < n; j++)
                b[(size_t)i * n + j] -= factor * b[(size_t)c * n + j];
        }
    }
    return 0;
}

static int scalar_root(double a, double *root, double *inverse)
{
    *root = a > 0 ? sqrt(a) : 0;
    *inverse = a > 0 ? 1 / *root : 0;
    return isfinite(a) ? 0 : -1;
}

int block_psd_root(int k, const double *a, double *root, double *inverse)
{
    if (k == 1)
        return scalar_root(a[0], root, inverse);
    double vectors[BLOCK_MAX * BLOCK_MAX], values[BLOCK_MAX], work[34 * BLOCK_MAX];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            vectors[i * k + j] = 0.5 * (a[i * k + j] + a[j * k + i]);
            if (!isfinite(vectors[i * k + j]))
                return -1;
        }
    /* Symmetric input, so row-major and column-major agree; eigenvector v is row v of the result. */
    if (LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'U', k, vectors, k, values, work, 34 * BLOCK_MAX) != 0)
        return -1;
    double floor = RANK_TOLERANCE * fmax(values[k - 1], 0);
    memset(root, 0, sizeof(double) * (size_t)(k * k));
    memset(inverse, 0, sizeof(double) * (size_t)(k * k));
    for (int v = 0; v < k; v++) {
        if (!(values[v] > floor))
            continue;
        double size = sqrt(values[v]);
        for (int i = 0; i < k; i++)
            for (int j = 0; j < k; j++) {
                double outer = vectors[v * k + i] * vectors[v * k + j];
                root[i * k + j] += size * outer;
                inverse[i * k + j] += outer / size;
            }
    }
    return 0;
}
