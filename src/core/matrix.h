/* Small dense matrices, row-major, of up to MATRIX_MAX rows and columns: the k x k and k x k* blocks of the theory.

   Solving and the symmetric roots are our own because LAPACK's fixed cost per call dominates at these sizes: it takes 4
   to 15 times as long to solve, and 1.2 to 4 times as long for a root below order 8. It may also start threads inside a
   parallel loop. Factorisations that are made once per problem use LAPACK. */
#ifndef SGDMFT_CORE_MATRIX_H
#define SGDMFT_CORE_MATRIX_H

#include <stddef.h>

enum { MATRIX_MAX = 8 };

/* c[rows][columns] += s a[rows][inner] b[inner][columns] */
static inline void matrix_accumulate(int rows, int inner, int columns, double s, const double *a, const double *b,
                                     double *c)
{
    for (int i = 0; i < rows; i++)
        for (int l = 0; l < inner; l++) {
            double x = s * a[i * inner + l];
            for (int j = 0; j < columns; j++)
                c[i * columns + j] += x * b[l * columns + j];
        }
}

/* c[rows][columns] += s a[rows][inner] b[columns][inner]^T */
static inline void matrix_accumulate_t(int rows, int inner, int columns, double s, const double *a, const double *b,
                                       double *c)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            double sum = 0;
            for (int l = 0; l < inner; l++)
                sum += a[i * inner + l] * b[j * inner + l];
            c[i * columns + j] += s * sum;
        }
}

/* The same for square blocks: c += s a b and c += s a b^T. */
static inline void matrix_add_product(int k, double s, const double *a, const double *b, double *c)
{
    matrix_accumulate(k, k, k, s, a, b, c);
}

static inline void matrix_add_product_t(int k, double s, const double *a, const double *b, double *c)
{
    matrix_accumulate_t(k, k, k, s, a, b, c);
}

static inline double matrix_trace(int k, const double *a)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        sum += a[i * k + i];
    return sum;
}

/* Solves a X = b for n right-hand sides in place, b[k][n], by Gauss-Jordan elimination with partial pivoting; a is
   destroyed. Returns 0, or -1 if a is singular. k may exceed MATRIX_MAX here. */
int matrix_solve(int k, double *a, size_t n, double *b);

/* inverse = a^{-1}. Returns 0, or -1 if a is singular. */
int matrix_inverse(int k, const double *a, double *inverse);

/* The Cholesky factor of a symmetric positive definite a, lower triangular with zeros above the diagonal. Returns 0, or
   -1 if a is not positive definite or not finite. */
int matrix_cholesky(int k, const double *a, double *factor);

/* x[rows][k] becomes x (L L^T)^{-1} for a Cholesky factor L: the regression coefficients of vectors with covariances x
   on a vector with covariance L L^T. */
void matrix_cholesky_divide(int k, const double *factor, int rows, double *x);

/* Lower triangular B with zeros above the diagonal, a diagonal >= 0 and B B^T = a for a symmetric a that is positive
   semi-definite up to rounding. Returns 0, or -1 if a is not finite. */
int matrix_psd_cholesky(int k, const double *a, double *factor);

/* The symmetric root of the positive semi-definite part of a (its symmetric part with negative eigenvalues set to
   zero), and the pseudo-inverse of that root unless `inverse` is NULL. Eigenvalues below 1e-10 of the largest count as
   zero. Returns 0, or -1 if a is not finite. */
int matrix_psd_root(int k, const double *a, double *root, double *inverse);

/* The same with eigenvalues up to `floor` >= 0 set to zero as well. */
int matrix_psd_root_above(int k, const double *a, double floor, double *root, double *inverse);

/* The symmetric root of a with eigenvalues below `least` >= 0 raised to it, and the inverse of that root (zero along
   eigenvectors where the root is zero) unless `inverse` is NULL. *smallest is the smallest eigenvalue of a itself.
   Returns 0, or -1 if a is not finite. */
int matrix_raised_root(int k, const double *a, double least, double *root, double *inverse, double *smallest);

/* The smallest eigenvalue of the symmetric part of a; NaN if a is not finite. */
double matrix_smallest_eigenvalue(int k, const double *a);

#endif
