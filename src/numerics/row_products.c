#include "numerics/row_products.h"

#include "core/simd.h"

/* Rows that are added together, columns that are worked on together, and partial sums of a product of two vectors. */
enum { TOGETHER = 4, BLOCK = 256, LANES = 8 };

/* out[n] += sum of four rows with their factors. */
VECTOR_CLONES static void add_four(const double *row, size_t stride, const double *factor, double s, size_t n,
                                   double *out)
{
    const double *second = row + stride, *third = second + stride, *fourth = third + stride;
    double a = s * factor[0], b = s * factor[1], c = s * factor[2], d = s * factor[3];
#pragma omp simd
    for (size_t j = 0; j < n; j++)
        out[j] += (a * row[j] + b * second[j]) + (c * third[j] + d * fourth[j]);
}

VECTOR_CLONES static void add_one(const double *row, double factor, size_t n, double *out)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++)
        out[j] += factor * row[j];
}

/* The first row that is not zero from this column on. */
static size_t first_row(row_matrix matrix, size_t column)
{
    return matrix.slope > 0 && column >= matrix.corner ? (column - matrix.corner) / matrix.slope + 1 : 0;
}

void rows_add(row_matrix matrix, size_t rows, size_t columns, double s, const double *factor, double *out)
{
    for (size_t first = 0; first < columns; first += BLOCK) {
        size_t n = columns - first < BLOCK ? columns - first : BLOCK, i = first_row(matrix, first);
        const double *row = matrix.value + first;
        for (; i + TOGETHER <= rows; i += TOGETHER)
            add_four(row + i * matrix.stride, matrix.stride, factor + i, s, n, out + first);
        for (; i < rows; i++)
            add_one(row + i * matrix.stride, s * factor[i], n, out + first);
    }
}

VECTOR_CLONES static double product(size_t n, const double *a, const double *b)
{
    double part[LANES] = {0}, rest = 0;
    size_t whole = n - n % LANES;
    for (size_t j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++)
            part[l] += a[j + (size_t)l] * b[j + (size_t)l];
    for (size_t j = whole; j < n; j++)
        rest += a[j] * b[j];
    return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7])) + rest;
}

void rows_lower_product(row_matrix matrix, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] + product(i, matrix.value + i * matrix.stride, x);
}
