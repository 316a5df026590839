#include "core/matrix.h"

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

int matrix_solve(int k, double *a, size_t n, double *b)
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

static int scalar_root(double a, double floor, double *root, double *inverse)
{
    *root = a > floor ? sqrt(a) : 0;
    *inverse = a > floor ? 1 / *root : 0;
    return isfinite(a) ? 0 : -1;
}

/* The Jacobi rotation that makes a[p][q] vanish. */
static void rotate(int k, int p, int q, double *a, double *vectors)
{
    double apq = a[p * k + q];
    if (apq == 0)
        return;
    double theta = 0.5 * (a[q * k + q] - a[p * k + p]) / apq;
    double t = copysign(1, theta) / (fabs(theta) + sqrt(1 + theta * theta));
    double c = 1 / sqrt(1 + t * t), s = t * c;
    for (int i = 0; i < k; i++) {
        double x = a[i * k + p], y = a[i * k + q];
        a[i * k + p] = c * x - s * y;
        a[i * k + q] = s * x + c * y;
    }
    for (int i = 0; i < k; i++) {
        double x = a[p * k + i], y = a[q * k + i];
        a[p * k + i] = c * x - s * y;
        a[q * k + i] = s * x + c * y;
        x = vectors[i * k + p];
        y = vectors[i * k + q];
        vectors[i * k + p] = c * x - s * y;
        vectors[i * k + q] = s * x + c * y;
    }
}

/* Eigenvalues and eigenvectors (columns of `vectors`) of a symmetric matrix, which is destroyed, by cyclic Jacobi
   rotations. For blocks this small that is quick, and unlike LAPACK it never starts threads. */
static void eigen(int k, double *a, double *vectors, double *values)
{
    enum { SWEEPS = 60 };
    for (int i = 0; i < k * k; i++)
        vectors[i] = i % (k + 1) == 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0, size = 0;
        for (int i = 0; i < k; i++)
            for (int j = 0; j < k; j++)
                *(i == j ? &size : &off) += a[i * k + j] * a[i * k + j];
        if (off <= 1e-34 * size)
            break;
        for (int p = 0; p < k - 1; p++)
            for (int q = p + 1; q < k; q++)
                rotate(k, p, q, a, vectors);
    }
    for (int i = 0; i < k; i++)
        values[i] = a[i * k + i];
}

/* The symmetric part of a, finite: 0, otherwise -1. */
static int symmetrise(int k, const double *a, double *symmetric)
{
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            symmetric[i * k + j] = 0.5 * (a[i * k + j] + a[j * k + i]);
            if (!isfinite(symmetric[i * k + j]))
                return -1;
        }
    return 0;
}

double matrix_smallest_eigenvalue(int k, const double *a)
{
    double symmetric[MATRIX_MAX * MATRIX_MAX], vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX];
    if (symmetrise(k, a, symmetric))
        return NAN;
    eigen(k, symmetric, vectors, values);
    double smallest = values[0];
    for (int v = 1; v < k; v++)
        smallest = fmin(smallest, values[v]);
    return smallest;
}

int matrix_psd_root(int k, const double *a, double *root, double *inverse)
{
    return matrix_psd_root_above(k, a, 0, root, inverse);
}

int matrix_psd_root_above(int k, const double *a, double floor, double *root, double *inverse)
{
    if (k == 1)
        return scalar_root(a[0], floor, root, inverse);
    double symmetric[MATRIX_MAX * MATRIX_MAX], vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX], largest = 0;
    if (symmetrise(k, a, symmetric))
        return -1;
    eigen(k, symmetric, vectors, values);
    for (int v = 0; v < k; v++)
        largest = fmax(largest, values[v]);
    memset(root, 0, sizeof(double) * (size_t)(k * k));
    memset(inverse, 0, sizeof(double) * (size_t)(k * k));
    for (int v = 0; v < k; v++) {
        if (!(values[v] > RANK_TOLERANCE * largest && values[v] > floor))
            continue;
        double size = sqrt(values[v]);
        for (int i = 0; i < k; i++)
            for (int j = 0; j < k; j++) {
                double outer = vectors[i * k + v] * vectors[j * k + v];
                root[i * k + j] += size * outer;
                inverse[i * k + j] += outer / size;
            }
    }
    return 0;
}
