#include "core/matrix.h"

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

int matrix_inverse(int k, const double *a, double *inverse)
{
    double copy[MATRIX_MAX * MATRIX_MAX];
    memcpy(copy, a, sizeof(double) * (size_t)(k * k));
    for (int c = 0; c < k * k; c++)
        inverse[c] = c % (k + 1) == 0;
    return matrix_solve(k, copy, (size_t)k, inverse);
}

static int all_finite(int k, const double *a)
{
    for (int c = 0; c < k * k; c++)
        if (!isfinite(a[c]))
            return 0;
    return 1;
}

/* The lower triangle of a matrix stored by columns, as LAPACK leaves it, by rows and with zeros above the diagonal. */
static void take_lower(int k, const double *columns, double *out)
{
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            out[i * k + j] = j <= i ? columns[j * k + i] : 0;
}

int matrix_cholesky(int k, const double *a, double *factor)
{
    double columns[MATRIX_MAX * MATRIX_MAX];
    memcpy(columns, a, sizeof(double) * (size_t)(k * k)); /* symmetric: rows are columns */
    if (!all_finite(k, a) || LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', k, columns, k) != 0)
        return -1;
    take_lower(k, columns, factor);
    return 0;
}

void matrix_cholesky_divide(int k, const double *factor, int rows, double *x)
{
    /* To LAPACK, which reads by columns, the rows of x are right-hand sides and L is the upper triangle of L L^T. */
    LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', k, rows, factor, k, x, k);
}

/* a = V D V^T = (V sqrt D)(V sqrt D)^T, and the triangle comes from rotating the columns of V sqrt D. A plain Cholesky
   factorisation would divide by pivots that are rounding errors where a is singular. */
int matrix_psd_cholesky(int k, const double *a, double *factor)
{
    enum { WORK = 34 * MATRIX_MAX };
    double columns[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX], reflectors[MATRIX_MAX], work[WORK];
    memcpy(columns, a, sizeof(double) * (size_t)(k * k));
    if (!all_finite(k, a) || LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', k, columns, k, values, work, WORK) != 0)
        return -1;
    for (int j = 0; j < k; j++)
        for (int i = 0; i < k; i++)
            columns[j * k + i] *= values[j] > 0 ? sqrt(values[j]) : 0;
    if (LAPACKE_dgelqf_work(LAPACK_COL_MAJOR, k, k, columns, k, reflectors, work, WORK) != 0)
        return -1;
    take_lower(k, columns, factor);
    for (int j = 0; j < k; j++)
        for (int i = j, flip = factor[j * k + j] < 0; flip && i < k; i++)
            factor[i * k + j] = -factor[i * k + j];
    return 0;
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
   rotations. */
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

/* The same for the symmetric part of a, which is kept. Returns 0, or -1 if a is not finite. */
static int eigen_symmetric(int k, const double *a, double *vectors, double *values)
{
    double symmetric[MATRIX_MAX * MATRIX_MAX];
    if (!all_finite(k, a))
        return -1;
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            symmetric[i * k + j] = 0.5 * (a[i * k + j] + a[j * k + i]);
    eigen(k, symmetric, vectors, values);
    return 0;
}

static double smallest_of(int k, const double *values)
{
    double smallest = values[0];
    for (int v = 1; v < k; v++)
        smallest = fmin(smallest, values[v]);
    return smallest;
}

double matrix_smallest_eigenvalue(int k, const double *a)
{
    double vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX];
    return eigen_symmetric(k, a, vectors, values) ? NAN : smallest_of(k, values);
}

/* root = sum_v size_v v v^T over the eigenvectors v with size_v > 0, and its pseudo-inverse. */
static void assemble(int k, const double *vectors, const double *size, double *root, double *inverse)
{
    memset(root, 0, sizeof(double) * (size_t)(k * k));
    if (inverse)
        memset(inverse, 0, sizeof(double) * (size_t)(k * k));
    for (int v = 0; v < k; v++)
        for (int i = 0; i < k && size[v] > 0; i++)
            for (int j = 0; j < k; j++) {
                double outer = vectors[i * k + v] * vectors[j * k + v];
                root[i * k + j] += size[v] * outer;
                if (inverse)
                    inverse[i * k + j] += outer / size[v];
            }
}

int matrix_psd_root(int k, const double *a, double *root, double *inverse)
{
    return matrix_psd_root_above(k, a, 0, root, inverse);
}

int matrix_psd_root_above(int k, const double *a, double floor, double *root, double *inverse)
{
    double vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX], size[MATRIX_MAX] = {0}, largest = 0;
    if (eigen_symmetric(k, a, vectors, values))
        return -1;
    for (int v = 0; v < k; v++)
        largest = fmax(largest, values[v]);
    for (int v = 0; v < k; v++)
        size[v] = values[v] > RANK_TOLERANCE * largest && values[v] > floor ? sqrt(values[v]) : 0;
    assemble(k, vectors, size, root, inverse);
    return 0;
}

int matrix_raised_root(int k, const double *a, double least, double *root, double *inverse, double *smallest)
{
    double vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX], size[MATRIX_MAX] = {0};
    if (eigen_symmetric(k, a, vectors, values))
        return -1;
    for (int v = 0; v < k; v++)
        size[v] = sqrt(fmax(values[v], least));
    assemble(k, vectors, size, root, inverse);
    *smallest = smallest_of(k, values);
    return 0;
}
