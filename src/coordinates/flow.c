#include "coordinates/flow.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"
#include "core/matrix.h"

static size_t rows_before(size_t node)
{
    return node * (node + 1) / 2;
}

double flow_block_bytes(int k, int steps, double paths)
{
    double n = steps;
    return 8.0 * paths * k * k * ((n + 1) * (n + 2) / 2 + 2 * n + 7);
}

sgdmft_status flow_block_new(sgdmft_context *ctx, int k, int steps, size_t n, flow_block *out)
{
    size_t width = (size_t)(k * k) * n, nodes = (size_t)steps + 1;
    double **const arrays[] = {&out->D,   &out->memory_kernel, &out->memory_kernel_next, &out->curvature, &out->curvature_next,
                               &out->one, &out->solve,  &out->work};
    const size_t blocks[] = {rows_before(nodes), nodes, nodes, 1, 1, 1, 1, 1};
    int failed = 0;
    *out = (flow_block){.D = NULL};
    for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
        failed |= !(*arrays[a] = memory_doubles(blocks[a] * width));
    if (failed) {
        flow_block_clear(out);
        return context_out_of_memory(ctx, "the responses of coordinates", flow_block_bytes(k, steps, (double)n));
    }
    for (int a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            out->one[(size_t)(a * k + a) * n + p] = 1;
    return SGDMFT_OK;
}

void flow_block_clear(flow_block *flow)
{
    free(flow->D);
    free(flow->memory_kernel);
    free(flow->memory_kernel_next);
    free(flow->curvature);
    free(flow->curvature_next);
    free(flow->one);
    free(flow->solve);
    free(flow->work);
    memset(flow, 0, sizeof *flow);
}

/* x[c] += value[c] for all lanes */
static void add_constant(int kk, size_t n, double sign, const double *value, double *x)
{
    for (int c = 0; c < kk; c++)
        for (size_t p = 0; p < n; p++)
            x[(size_t)c * n + p] += sign * value[c];
}

/* A kick at the node itself: D = 1, and only E[G] answers. */
static void begin_node(flow_block *flow, int k, size_t n, size_t node, const double *gamma, double *answer)
{
    size_t width = (size_t)(k * k) * n;
    memcpy(flow->D + (rows_before(node) + node) * width, flow->one, sizeof(double) * width);
    memset(answer + node * width, 0, sizeof(double) * width);
    add_constant(k * k, n, 1, gamma, answer + node * width);
}

void flow_block_start(flow_block *flow, const coordinate_block *block, const double *gamma, const penalty *pen,
                      double *work)
{
    size_t n = block->in->n;
    penalty_hessian(pen, work, n, n, block->theta, flow->curvature);
    begin_node(flow, block->k, n, 0, gamma, flow->memory_kernel);
}

/* The inverse of 1 + h/2 (penalty'' + delta eta own) for every lane. */
static void invert(flow_block *flow, int k, size_t n, const coordinate_step *step, const double *own)
{
    int kk = k * k;
    for (size_t p = 0; p < n; p++) {
        double matrix[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX] = {0};
        for (int c = 0; c < kk; c++) {
            double diagonal = c % (k + 1) == 0;
            inverse[c] = diagonal;
            matrix[c] = diagonal + step->half * (flow->curvature_next[(size_t)c * n + p] + step->then * own[c]);
        }
        if (matrix_solve(k, matrix, (size_t)k, inverse))
            memset(inverse, 0, sizeof inverse);
        for (int c = 0; c < kk; c++)
            flow->solve[(size_t)c * n + p] = inverse[c];
    }
}

void flow_block_advance(flow_block *flow, const coordinate_block *block, const coordinate_step *step,
                        const flow_step *rows, const penalty *pen, double *work, double *sums)
{
    int k = step->k, kk = k * k;
    size_t n = block->in->n, width = (size_t)kk * n, i = (size_t)step->i;
    double *fresh = flow->D + rows_before(i + 1) * width, *before = flow->D + rows_before(i) * width;
    penalty_hessian(pen, work, n, n, block->theta_next, flow->curvature_next);
    invert(flow, k, n, step, rows->own);
    lanes_chain_shared(k, n, (int)i + 1, rows->row, flow->D, flow->one, flow->work, flow->memory_kernel_next);
    for (size_t j = 0; j <= i; j++) {
        double *known = flow->memory_kernel_next + j * width, *D = fresh + j * width, *old = before + j * width;
        add_constant(kk, n, -1, rows->half + j * (size_t)kk, known);
        lanes_multiply_each(k, n, 1, flow->curvature, old, flow->work);
        for (size_t p = 0; p < width; p++)
            flow->work[p] =
                old[p] - step->half * (flow->work[p] + step->now * flow->memory_kernel[j * width + p] + step->then * known[p]);
        lanes_multiply_each(k, n, 1, flow->solve, flow->work, D);
        lanes_multiply(k, n, rows->own, D, known);
        for (int c = 0; c < kk; c++)
            for (size_t p = 0; p < n; p++)
                sums[j * (size_t)kk + (size_t)c] += D[(size_t)c * n + p];
    }
    begin_node(flow, k, n, i + 1, rows->gamma, flow->memory_kernel_next);
}

static void swap(double **x, double **y)
{
    double *keep = *x;
    *x = *y;
    *y = keep;
}

void flow_block_accept(flow_block *flow)
{
    swap(&flow->memory_kernel, &flow->memory_kernel_next);
    swap(&flow->curvature, &flow->curvature_next);
}
