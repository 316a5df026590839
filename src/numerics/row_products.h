/* Products of large row-major matrices with vectors, in one thread. Each number of a result is a sum in an order that
   depends neither on the number of threads nor on the width of vectors. Those of BLAS do, and its threads wait for each
   other after every product, which takes longer than the product where processors are busy. */
#ifndef SGDMFT_NUMERICS_ROW_PRODUCTS_H
#define SGDMFT_NUMERICS_ROW_PRODUCTS_H

#include <stddef.h>

/* A matrix in memory: number (i, j) is at value[i * stride + j]. */
typedef struct row_matrix {
    const double *value;
    size_t stride;
    size_t corner, slope; /* rows_add: row i is zero from column corner + i slope on; slope = 0: there is no such end */
} row_matrix;

/* out[columns] += s sum_i factor[i] row_i over the first `rows` rows. */
void rows_add(row_matrix matrix, size_t rows, size_t columns, double s, const double *factor, double *out);

/* out[n] = the product of x[n] and the leading lower triangle of a matrix, with ones in the place of its diagonal. */
void rows_lower_product(row_matrix matrix, size_t n, const double *x, double *out);

#endif
