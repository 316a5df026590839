/* Dense k x k blocks, row-major. Small, inlined; k <= MATRIX_MAX. */
#ifndef SGDMFT_CORE_MATRIX_H
#define SGDMFT_CORE_MATRIX_H

#include <stddef.h>

enum { MATRIX_MAX = 8 };

/* c += s a b */
static inline void matrix_add_product(int k, double s, const double *a, const double *b, double *c)
{
    for (int i = 0; i < k; i++)
        for (int l = 0; l < k; l++) {
            double x = s * a[i * k + l];
            for (int j = 0; j < k; j++)
                c[i * k + j] += x * b[l * k + j];
        }
}

/* c += s a b^T */
static inline void matrix_add_product_t(int k, double s, const double *a, const double *b, double *c)
{
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            double sum = 0;
            for (int l = 0; l < k; l++)
                sum += a[i * k + l] * b[j * k + l];
            c[i * k + j] += s * sum;
        }
}

/* Solves a X = b for n right-hand sides in place, b[k][n]; a is destroyed. Partial pivoting. 0, or -1 if singular. */
int matrix_solve(int k, double *a, size_t n, double *b);

/* For a symmetric matrix a[k][k], its positive semi-definite part P (negative eigenvalues set to zero): the
   symmetric root of P and the pseudo-inverse of that root. Returns 0, or -1 if the eigenvalues cannot be found. */
int matrix_psd_root(int k, const double *a, double *root, double *inverse);

/* The same with eigenvalues up to `floor` set to zero. */
int matrix_psd_root_above(int k, const double *a, double floor, double *root, double *inverse);

/* The smallest eigenvalue of a symmetric a[k][k], NaN if not finite. */
double matrix_smallest_eigenvalue(int k, const double *a);

#endif
