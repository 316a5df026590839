#include "numerics/gauss.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "paths/matching.h"

/* Tensor points of smaller weight are left out. All of them together weigh about as much as the normal law beyond nine
   standard deviations, 1e-19. */
static const double LEAST_WEIGHT = 1e-20;

/* Orthonormal Hermite polynomials of degree n and n - 1 at x. */
static double hermite(int n, double x, double *below)
{
    double before = 0, now = 1;
    for (int j = 0; j < n; j++) {
        double next = (x * now - sqrt(j) * before) / sqrt(j + 1.0);
        before = now;
        now = next;
    }
    *below = before;
    return now;
}

/* Nodes are the eigenvalues of the Jacobi matrix (Golub & Welsch), polished by Newton steps. */
int gauss_hermite(int order, double *node, double *weight)
{
    double beside[GAUSS_ORDER_MAX] = {0}, below;
    for (int i = 0; i < order; i++) {
        node[i] = 0;
        beside[i] = sqrt(i + 1.0);
    }
    if (LAPACKE_dsterf_work(order, node, beside) != 0)
        return -1;
    for (int i = 0; i < order; i++) {
        int mirror = order - 1 - i;
        double x = i == mirror ? 0 : 0.5 * (node[i] - node[mirror]);
        for (int step = 0; step < 2 && x != 0; step++) {
            double value = hermite(order, x, &below);
            x -= value / (sqrt(order) * below);
        }
        hermite(order, x, &below);
        weight[i] = 1 / (order * below * below);
        if (i >= mirror) {
            node[i] = x;
            node[mirror] = -x;
            weight[mirror] = weight[i];
        }
    }
    return 0;
}

double gauss_points_bytes(int dims, size_t n)
{
    return 8.0 * (dims + 1.0) * (double)n;
}

void gauss_points_clear(gauss_points *points)
{
    for (size_t b = 0; points->block && b < points->n_blocks; b++)
        free(points->block[b]);
    free(points->block);
    free(points->lanes);
    memset(points, 0, sizeof *points);
}

static sgdmft_status allocate(sgdmft_context *ctx, int dims, size_t n, gauss_points *out)
{
    *out = (gauss_points){.dims = dims, .n = n, .n_blocks = (n + GAUSS_LANES - 1) / GAUSS_LANES};
    out->lanes = memory_zeroed(out->n_blocks, sizeof *out->lanes);
    out->block = memory_zeroed(out->n_blocks, sizeof *out->block);
    int failed = !out->lanes || !out->block;
    for (size_t b = 0; b < out->n_blocks && !failed; b++) {
        size_t left = n - b * GAUSS_LANES;
        out->lanes[b] = left < GAUSS_LANES ? left : GAUSS_LANES;
        out->block[b] = memory_doubles(((size_t)dims + 1) * out->lanes[b]);
        failed = !out->block[b];
    }
    if (!failed)
        return SGDMFT_OK;
    gauss_points_clear(out);
    return context_out_of_memory(ctx, "the points of a Gaussian average", gauss_points_bytes(dims, n));
}

/* A walk over all points of a tensor product whose weight counts. */
typedef struct tensor {
    int dims;
    const int *order;
    const double *node, *weight; /* [dims][GAUSS_ORDER_MAX] */
    double point[GAUSS_DIMS_MAX];
    size_t count, most;
    gauss_points *out; /* NULL: only count */
} tensor;

static void visit(tensor *t, double weight)
{
    size_t index = t->count++;
    if (!t->out)
        return;
    size_t b = index / GAUSS_LANES, p = index % GAUSS_LANES, n = t->out->lanes[b];
    for (int d = 0; d < t->dims; d++)
        t->out->block[b][(size_t)d * n + p] = t->point[d];
    t->out->block[b][(size_t)t->dims * n + p] = weight;
}

static void walk(tensor *t, int dim, double weight)
{
    if (dim == t->dims) {
        visit(t, weight);
        return;
    }
    const double *node = t->node + dim * GAUSS_ORDER_MAX, *factor = t->weight + dim * GAUSS_ORDER_MAX;
    for (int i = 0; i < t->order[dim] && t->count <= t->most; i++)
        if (weight * factor[i] >= LEAST_WEIGHT) {
            t->point[dim] = node[i];
            walk(t, dim + 1, weight * factor[i]);
        }
}

static sgdmft_status walk_rules(sgdmft_context *ctx, tensor *t)
{
    size_t size = (size_t)t->dims * GAUSS_ORDER_MAX;
    double *rules = memory_doubles(2 * size);
    if (!rules)
        return context_out_of_memory(ctx, "Gauss-Hermite rules", 16.0 * (double)size);
    int failed = 0;
    for (int d = 0; d < t->dims && !failed; d++)
        failed = gauss_hermite(t->order[d], rules + d * GAUSS_ORDER_MAX, rules + size + (size_t)d * GAUSS_ORDER_MAX);
    t->node = rules;
    t->weight = rules + size;
    if (!failed)
        walk(t, 0, 1);
    free(rules);
    return failed ? context_fail(ctx, SGDMFT_ERR_ARGUMENT, "the Gauss-Hermite rule cannot be computed (LAPACK)")
                  : SGDMFT_OK;
}

sgdmft_status gauss_tensor_count(sgdmft_context *ctx, int dims, const int *order, size_t most, size_t *out)
{
    tensor t = {.dims = dims, .order = order, .most = most};
    sgdmft_status status = walk_rules(ctx, &t);
    *out = t.count;
    return status;
}

sgdmft_status gauss_tensor_new(sgdmft_context *ctx, int dims, const int *order, gauss_points *out)
{
    tensor t = {.dims = dims, .order = order, .most = SIZE_MAX - 1, .out = out};
    size_t n;
    memset(out, 0, sizeof *out);
    sgdmft_status status = gauss_tensor_count(ctx, dims, order, SIZE_MAX - 1, &n);
    if (!status)
        status = allocate(ctx, dims, n, out);
    if (!status)
        status = walk_rules(ctx, &t);
    if (status)
        gauss_points_clear(out);
    return status;
}

sgdmft_status gauss_sobol_new(sgdmft_context *ctx, random_key key, int dims, size_t n, gauss_points *out)
{
    sgdmft_status status = allocate(ctx, dims, n, out);
    if (status)
        return status;
    for (size_t b = 0; b < out->n_blocks; b++) {
        size_t lanes = out->lanes[b];
        double *row = out->block[b];
        for (int d = 0; d < dims; d++, row += lanes) {
            sobol_points(key, (unsigned)d, b * GAUSS_LANES, lanes, row);
            normal_quantiles(lanes, row, row);
        }
        for (size_t p = 0; p < lanes; p++)
            row[p] = 1 / (double)n;
    }
    status = matching_apply(ctx, (size_t)dims, out->n_blocks, out->block, out->lanes);
    if (status)
        gauss_points_clear(out);
    return status;
}
