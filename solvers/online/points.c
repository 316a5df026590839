#include "solvers/online/points.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "numerics/gauss.h"
#include "paths/matching.h"

/* Points of smaller weight are left out of a tensor product. Together they weigh about as much as the normal law beyond
   nine standard deviations, 1e-19. */
static const double LEAST_WEIGHT = 1e-20;

double online_points_bytes(int dims, size_t n)
{
    return 8.0 * (dims + 1.0) * (double)n;
}

void online_points_clear(online_points *points)
{
    for (size_t b = 0; points->block && b < points->n_blocks; b++)
        free(points->block[b]);
    free(points->block);
    free(points->lanes);
    memset(points, 0, sizeof *points);
}

static sgdmft_status allocate(sgdmft_context *ctx, int dims, size_t n, online_points *out)
{
    *out = (online_points){.dims = dims, .n = n, .n_blocks = (n + ONLINE_LANES - 1) / ONLINE_LANES};
    out->lanes = memory_zeroed(out->n_blocks, sizeof *out->lanes);
    out->block = memory_zeroed(out->n_blocks, sizeof *out->block);
    int failed = !out->lanes || !out->block;
    for (size_t b = 0; b < out->n_blocks && !failed; b++) {
        size_t left = n - b * ONLINE_LANES;
        out->lanes[b] = left < ONLINE_LANES ? left : ONLINE_LANES;
        out->block[b] = memory_doubles(((size_t)dims + 1) * out->lanes[b]);
        failed = !out->block[b];
    }
    if (!failed)
        return SGDMFT_OK;
    online_points_clear(out);
    return context_out_of_memory(ctx, "the points of a Gaussian average", online_points_bytes(dims, n));
}

/* A walk over all points of a tensor product whose weight counts. */
typedef struct tensor {
    int dims;
    const int *order;
    const double *node, *weight; /* [dims][GAUSS_ORDER_MAX] */
    double point[ONLINE_DIMS_MAX];
    size_t count, most;
    online_points *out; /* NULL: only count */
} tensor;

static void add_point(tensor *t, double weight)
{
    size_t index = t->count++;
    if (!t->out)
        return;
    size_t b = index / ONLINE_LANES, p = index % ONLINE_LANES, n = t->out->lanes[b];
    for (int d = 0; d < t->dims; d++)
        t->out->block[b][(size_t)d * n + p] = t->point[d];
    t->out->block[b][(size_t)t->dims * n + p] = weight;
}

static void walk(tensor *t, int dim, double weight)
{
    if (dim == t->dims) {
        add_point(t, weight);
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
    return failed ? context_out_of_memory(ctx, "Gauss-Hermite rules", 16.0 * GAUSS_ORDER_MAX) : SGDMFT_OK;
}

sgdmft_status online_points_count(sgdmft_context *ctx, int dims, const int *order, size_t most, size_t *out)
{
    tensor t = {.dims = dims, .order = order, .most = most};
    sgdmft_status status = walk_rules(ctx, &t);
    *out = t.count;
    return status;
}

sgdmft_status online_points_hermite(sgdmft_context *ctx, int dims, const int *order, online_points *out)
{
    tensor t = {.dims = dims, .order = order, .most = SIZE_MAX - 1, .out = out};
    size_t n;
    memset(out, 0, sizeof *out);
    sgdmft_status status = online_points_count(ctx, dims, order, SIZE_MAX - 1, &n);
    if (!status)
        status = allocate(ctx, dims, n, out);
    if (!status)
        status = walk_rules(ctx, &t);
    if (status)
        online_points_clear(out);
    return status;
}

sgdmft_status online_points_sobol(sgdmft_context *ctx, random_key key, int dims, size_t n, online_points *out)
{
    sgdmft_status status = allocate(ctx, dims, n, out);
    if (status)
        return status;
    for (size_t b = 0; b < out->n_blocks; b++) {
        size_t lanes = out->lanes[b];
        double *row = out->block[b];
        for (int d = 0; d < dims; d++, row += lanes) {
            sobol_points(key, (unsigned)d, b * ONLINE_LANES, lanes, row);
            normal_quantiles(lanes, row, row);
        }
        for (size_t p = 0; p < lanes; p++)
            row[p] = 1 / (double)n;
    }
    status = matching_apply(ctx, (size_t)dims, out->n_blocks, out->block, out->lanes);
    if (status)
        online_points_clear(out);
    return status;
}
