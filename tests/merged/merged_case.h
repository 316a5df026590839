/* Kernels with a merged history on a small grid, with rows, covariances and averages made by hand. */
#ifndef SGDMFT_TESTS_MERGED_MERGED_CASE_H
#define SGDMFT_TESTS_MERGED_MERGED_CASE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/random.h"
#include "kernels/response_stein.h"
#include "merged/kernels.h"
#include "support/check.h"
#include "support/schedule.h"

enum { CASE_K = 2, CASE_KK = CASE_K * CASE_K };

static const double CASE_Q0[CASE_KK] = {1.3, 0.2, 0.2, 0.9}, CASE_M0[CASE_KK] = {0.4, -0.1, 0.2, 0.3},
                    CASE_RHO[CASE_KK] = {1.1, 0.15, 0.15, 0.8}, CASE_DELTA = 1.7, CASE_LAMBDA = 0.3;

typedef struct merged_case {
    sgdmft_context *ctx;
    schedule *eta;
    time_grid *grid;
    merged_kernels *kern;
    averages_layout at;
    double *now, *next;
} merged_case;

/* A graded grid of 8 steps on [0, 2], on which no cell is merged but by hand. `smooth`: Q(t, t) is known. */
static inline merged_case merged_case_new(double epoch, int smooth)
{
    merged_case c = {.ctx = check_context(1)};
    check_ok(c.ctx, schedule_of(c.ctx, "0.8/(1 + 0.3*t)", 2, &c.eta));
    check_ok(c.ctx, time_grid_new(c.ctx, 8, 2, 1.2, c.eta, epoch, &c.grid));
    merged_kernels_plan plan = {.base = {.k = CASE_K,
                                         .kstar = CASE_K,
                                         .delta = CASE_DELTA,
                                         .filter = {CASE_LAMBDA},
                                         .white_noise = 1,
                                         .smooth_gradient = smooth,
                                         .grid = c.grid,
                                         .q0 = CASE_Q0,
                                         .m0 = CASE_M0,
                                         .rho = CASE_RHO},
                                .rule = {.ratio = 1e-3, .epoch = epoch},
                                .marks = 3};
    check_ok(c.ctx, merged_kernels_new(c.ctx, &plan, &c.kern));
    assert_int_equal(c.kern->cells.most, 8);
    c.at = averages_layout_of(CASE_K, CASE_K, MOMENTS * (c.kern->cells.most + 1), &response_stein);
    c.now = memory_doubles(c.at.size);
    c.next = memory_doubles(c.at.size);
    assert_true(c.now && c.next);
    return c;
}

static inline void merged_case_clear(merged_case *c)
{
    merged_kernels_free(c->kern);
    time_grid_free(c->grid);
    schedule_free(c->eta);
    sgdmft_context_free(c->ctx);
    free(c->now);
    free(c->next);
}

/* Accepted cells with these nodes of the grid at their ends. */
static inline void merged_case_cells(merged_case *c, int cells, const int *node)
{
    for (int i = 0; i < cells; i++)
        cell_list_add(&c->kern->cells, c->grid->t[node[i]], c->grid->t[node[i + 1]]);
}

static inline void merged_case_normals(uint64_t item, size_t count, double scale, double *out)
{
    random_normals((random_key){90211, 1, 79}, item, 0, count, out);
    for (size_t x = 0; x < count; x++)
        out[x] *= scale;
}

/* A symmetric positive definite matrix over `n` features, in rows of the length of the kernels: 1 plus products of
   normals, with eigenvalues of the order of 1. */
static inline void merged_case_covariance(const merged_case *c, uint64_t item, int n, double *S)
{
    size_t F = (size_t)c->kern->features, size = (size_t)n;
    double *x = memory_doubles(size * size);
    assert_non_null(x);
    merged_case_normals(item, size * size, 1 / sqrt(n), x);
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++) {
            double sum = i == j;
            for (size_t l = 0; l < size; l++)
                sum += x[i * size + l] * x[j * size + l];
            S[i * F + j] = sum;
        }
    free(x);
}

/* The entry (a, b) of a block of a row over features: moment m of cell c. */
static inline double *merged_case_at(const merged_case *c, double *row, int a, int cell, int m, int b)
{
    return row + (size_t)a * (size_t)c->kern->features + (size_t)((MOMENTS * cell + m) * CASE_K + b);
}

/* The coefficients in a cell of the function that is the line from `first` to `last` there. */
static inline void merged_case_line(const merged_case *c, double *row, int cell, const double *first,
                                    const double *last)
{
    for (int a = 0; a < CASE_K; a++)
        for (int b = 0; b < CASE_K; b++) {
            int x = a * CASE_K + b;
            *merged_case_at(c, row, a, cell, 0, b) = 0.5 * (first[x] + last[x]);
            *merged_case_at(c, row, a, cell, 1, b) = (last[x] - first[x]) / (2 * sqrt(3));
        }
}

/* The value at the place u of a cell. */
static inline double merged_case_value(const merged_case *c, double *row, int a, int b, int cell, double u)
{
    return *merged_case_at(c, row, a, cell, 0, b) + *merged_case_at(c, row, a, cell, 1, b) * sqrt(3) * (2 * u - 1);
}

/* The row [k][k] of averages of moment m of a cell, to be written. */
static inline double *merged_case_average(const merged_case *c, double *averages, int group, int kind)
{
    return averages + averages_used(&c->at, group) + kind * CASE_KK;
}

#endif
