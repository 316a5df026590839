#include "paths/rows.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/simd.h"
#include "paths/lanes.h"
#include "paths/lanes_parts.h"

enum { HALF = TILE / 2 };

typedef double wide16 __attribute__((vector_size(128)));
typedef float narrow8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float narrow16 __attribute__((vector_size(64), aligned(4), may_alias));

static VECTOR_CLONES void store_clones(size_t n, const double *restrict x, float *restrict row)
{
    for (size_t p = 0; p < n; p++)
        row[p] = (float)x[p];
}

static VECTOR_CLONES void load_clones(size_t n, const float *restrict row, double *restrict x)
{
    for (size_t p = 0; p < n; p++)
        x[p] = row[p];
}

COMBINE_TILE(combine_tile, float)

/* The same for two rows of coefficients, `stride` apart, at once: converting x to double precision costs as much as the
   products of one of them. */
INLINED void combine_tile_of_two(size_t n, size_t stride, const double *restrict c, const float *restrict x,
                                 double *restrict out)
{
    const float *restrict x0 = x, *restrict x1 = x + n, *restrict x2 = x + 2 * n, *restrict x3 = x + 3 * n;
    const float *restrict x4 = x + 4 * n, *restrict x5 = x + 5 * n, *restrict x6 = x + 6 * n, *restrict x7 = x + 7 * n;
    const double *restrict d = c + stride;
    double *restrict second = out + n;
    for (size_t p = 0; p < n; p++) {
        double y0 = x0[p], y1 = x1[p], y2 = x2[p], y3 = x3[p], y4 = x4[p], y5 = x5[p], y6 = x6[p], y7 = x7[p];
        out[p] +=
            ((c[0] * y0 + c[1] * y1) + (c[2] * y2 + c[3] * y3)) + ((c[4] * y4 + c[5] * y5) + (c[6] * y6 + c[7] * y7));
        second[p] +=
            ((d[0] * y0 + d[1] * y1) + (d[2] * y2 + d[3] * y3)) + ((d[4] * y4 + d[5] * y5) + (d[6] * y6 + d[7] * y7));
    }
}

static VECTOR_CLONES void combine_clones(int rows, int columns, size_t stride, size_t n,
                                         const double *restrict coefficient, const float *restrict x,
                                         double *restrict out)
{
    int b = 0;
    for (; b + TILE <= columns; b += TILE) {
        int a = 0;
        for (; a + 2 <= rows; a += 2)
            combine_tile_of_two(n, stride, coefficient + (size_t)a * stride + b, x + (size_t)b * n,
                                out + (size_t)a * n);
        if (a < rows)
            combine_tile(n, coefficient + (size_t)a * stride + b, x + (size_t)b * n, out + (size_t)a * n);
    }
    for (; b < columns; b++)
        for (int a = 0; a < rows; a++) {
            double c = coefficient[(size_t)a * stride + (size_t)b];
            for (size_t p = 0; p < n; p++)
                out[(size_t)a * n + p] += c * x[(size_t)b * n + p];
        }
}

INLINED void add_sixteen(const double *x, const wide16 *y, lanes8 *sum)
{
    const lanes8 *left = (const lanes8 *)x;
    *sum += left[0] * __builtin_shufflevector(*y, *y, 0, 1, 2, 3, 4, 5, 6, 7);
    *sum += left[1] * __builtin_shufflevector(*y, *y, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* sum += x y for sixteen lanes. Sixteen, because gcc converts eight floats in two halves. */
INLINED void add_products(const double *x, const float *y, lanes8 *sum)
{
    wide16 right = __builtin_convertvector(*(const narrow16 *)y, wide16);
    add_sixteen(x, &right, sum);
}

/* The same for two rows of x. */
INLINED void add_products_of_two(size_t n, const double *x, const float *y, lanes8 *first, lanes8 *second)
{
    wide16 right = __builtin_convertvector(*(const narrow16 *)y, wide16);
    add_sixteen(x, &right, first);
    add_sixteen(x + n, &right, second);
}

/* sum += x y for eight lanes, at the end of a row. */
INLINED void add_last_products(const double *x, const float *y, lanes8 *sum)
{
    *sum += *(const lanes8 *)x * __builtin_convertvector(*(const narrow8 *)y, lanes8);
}

/* The sum of the partial sums and of the products of the lanes from p on. */
INLINED double finish(size_t n, size_t p, lanes8 *part, const double *x, const float *y)
{
    double sum = 0;
    if (p + PARTS <= n) {
        add_last_products(x + p, y + p, part);
        p += PARTS;
    }
    for (; p < n; p++)
        sum += x[p] * y[p];
    for (size_t j = 0; j < PARTS; j++)
        sum += (*part)[j];
    return sum;
}

/* Products with eight rows of y at once, each in eight partial sums. The order of summation then does not depend on the
   vector width, and no addition waits for the one before. */
INLINED void outer_tile(size_t n, const double *x, const float *y, double *out)
{
    lanes8 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    size_t p = 0;
    for (; p + 2 * PARTS <= n; p += 2 * PARTS) {
        const float *right = y + p;
        add_products(x + p, right, &s0);
        add_products(x + p, right + n, &s1);
        add_products(x + p, right + 2 * n, &s2);
        add_products(x + p, right + 3 * n, &s3);
        add_products(x + p, right + 4 * n, &s4);
        add_products(x + p, right + 5 * n, &s5);
        add_products(x + p, right + 6 * n, &s6);
        add_products(x + p, right + 7 * n, &s7);
    }
    lanes8 sum[TILE] = {s0, s1, s2, s3, s4, s5, s6, s7};
    for (size_t b = 0; b < TILE; b++)
        out[b] += finish(n, p, &sum[b], x, y + b * n);
}

/* Products of two rows of x with four rows of y; out[2][columns]. */
INLINED void outer_tile_of_two(size_t n, size_t columns, const double *x, const float *y, double *out)
{
    lanes8 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0};
    size_t p = 0;
    for (; p + 2 * PARTS <= n; p += 2 * PARTS) {
        const float *right = y + p;
        add_products_of_two(n, x + p, right, &s0, &t0);
        add_products_of_two(n, x + p, right + n, &s1, &t1);
        add_products_of_two(n, x + p, right + 2 * n, &s2, &t2);
        add_products_of_two(n, x + p, right + 3 * n, &s3, &t3);
    }
    lanes8 sum[TILE] = {s0, s1, s2, s3, t0, t1, t2, t3};
    for (size_t b = 0; b < HALF; b++) {
        out[b] += finish(n, p, &sum[b], x, y + b * n);
        out[columns + b] += finish(n, p, &sum[HALF + b], x + n, y + b * n);
    }
}

INLINED void outer_one(size_t n, const double *x, const float *y, double *out)
{
    lanes8 sum = {0};
    size_t p = 0;
    for (; p + 2 * PARTS <= n; p += 2 * PARTS)
        add_products(x + p, y + p, &sum);
    *out += finish(n, p, &sum, x, y);
}

static VECTOR_CLONES void outer_clones(int rows, int columns, size_t n, const double *x, const float *y, double *out)
{
    int b = 0;
    for (; b + TILE <= columns; b += TILE) {
        int a = 0;
        for (; a + 2 <= rows; a += 2)
            for (int half = b; half < b + TILE; half += HALF)
                outer_tile_of_two(n, (size_t)columns, x + (size_t)a * n, y + (size_t)half * n,
                                  out + a * columns + half);
        if (a < rows)
            outer_tile(n, x + (size_t)a * n, y + (size_t)b * n, out + a * columns + b);
    }
    for (; b < columns; b++)
        for (int a = 0; a < rows; a++)
            outer_one(n, x + (size_t)a * n, y + (size_t)b * n, out + a * columns + b);
}

static VECTOR_CLONES void close_clones(size_t n, const double *restrict S, const double *restrict B,
                                       float *restrict row, float *restrict next)
{
    for (size_t p = 0; p < n; p++) {
        row[p] = (float)(row[p] + (S[p] - B[p]));
        next[p] = (float)B[p];
    }
}

int rows_new(int k, size_t n, int groups, int single, path_rows *out)
{
    size_t count = (size_t)groups * (size_t)k * n;
    *out = (path_rows){.k = k, .n = n};
    if (single)
        out->single = memory_raw(count, sizeof *out->single);
    else
        out->exact = memory_raw(count, sizeof *out->exact);
    return out->single || out->exact ? 0 : -1;
}

int rows_from(int k, size_t n, int groups, int single, double *data, path_rows *out)
{
    if (!single) {
        *out = (path_rows){.k = k, .n = n, .borrowed = 1, .exact = data};
        return 0;
    }
    if (rows_new(k, n, groups, single, out))
        return -1;
    store_clones((size_t)groups * (size_t)k * n, data, out->single);
    return 0;
}

void rows_clear(path_rows *rows)
{
    free(rows->single);
    if (!rows->borrowed)
        free(rows->exact);
    *rows = (path_rows){0};
}

static size_t width(const path_rows *rows)
{
    return (size_t)rows->k * rows->n;
}

void rows_set(const path_rows *rows, int group, const double *x)
{
    size_t n = width(rows), first = (size_t)group * n;
    if (rows->single)
        store_clones(n, x, rows->single + first);
    else
        memcpy(rows->exact + first, x, sizeof *x * n);
}

const double *rows_get(const path_rows *rows, int group, double *room)
{
    size_t n = width(rows), first = (size_t)group * n;
    if (!rows->single)
        return rows->exact + first;
    load_clones(n, rows->single + first, room);
    return room;
}

void rows_combine_part(const path_rows *rows, int first, int groups, size_t stride, const double *coefficient,
                       double *out)
{
    int columns = rows->k * groups;
    size_t skipped = (size_t)first * width(rows);
    if (rows->single)
        combine_clones(rows->k, columns, stride, rows->n, coefficient, rows->single + skipped, out);
    else
        lanes_combine(rows->k, columns, stride, rows->n, coefficient, rows->exact + skipped, out);
}

void rows_combine(const path_rows *rows, int groups, size_t stride, const double *coefficient, double *out)
{
    rows_combine_part(rows, 0, groups, stride, coefficient, out);
}

void rows_outer(const path_rows *rows, int groups, const double *x, double *out)
{
    int columns = rows->k * groups;
    if (rows->single)
        outer_clones(rows->k, columns, rows->n, x, rows->single, out);
    else
        lanes_outer(rows->k, columns, rows->n, x, rows->exact, out);
}

void rows_close_cell(const path_rows *rows, int group, const double *S, const double *B)
{
    size_t n = width(rows), first = (size_t)group * n;
    if (rows->single) {
        close_clones(n, S, B, rows->single + first, rows->single + first + n);
        return;
    }
    double *now = rows->exact + first;
    for (size_t p = 0; p < n; p++)
        now[p] += S[p] - B[p];
    memcpy(now + n, B, sizeof *B * n);
}

static VECTOR_CLONES void merge_clones(size_t n, const double *onto_mean, const double *onto_slope, float *restrict x)
{
    float *restrict slope = x + n;
    const float *restrict other = x + 2 * n, *restrict other_slope = x + 3 * n;
    for (size_t p = 0; p < n; p++) {
        double mean = x[p], second = other[p];
        slope[p] = (float)((onto_mean[0] * mean + onto_slope[0] * slope[p]) +
                           (onto_mean[1] * second + onto_slope[1] * other_slope[p]));
        x[p] = (float)(mean + second);
    }
}

void rows_merge(const path_rows *rows, int first, int groups, const double onto_mean[2], const double onto_slope[2])
{
    size_t n = width(rows);
    float *x = rows->single + (size_t)first * n;
    merge_clones(n, onto_mean, onto_slope, x);
    memmove(x + 2 * n, x + 4 * n, sizeof *x * (size_t)(groups - first - 4) * n);
}
