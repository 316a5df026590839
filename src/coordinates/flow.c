#include "coordinates/flow.h"

#include <string.h>

#include "core/arrays.h"
#include "core/matrix.h"
#include "paths/lanes.h"

enum { ARRAYS = 8 };

static size_t rows_before(size_t node)
{
    return node * (node + 1) / 2;
}

static void flow_arrays(flow_block *f, size_t steps, size_t n, array_row rows[ARRAYS])
{
    size_t width = (size_t)(f->k * f->k) * n, nodes = steps + 1;
    const array_row all[ARRAYS] = {
        {&f->D, rows_before(nodes) * width, 0},
        {&f->Y, nodes * width, 0},
        {&f->Y_next, nodes * width, 0},
        {&f->curvature, width, 0},
        {&f->curvature_next, width, 0},
        {&f->one, width, 0},
        {&f->solve, width, 0},
        {&f->work, width, 0},
    };
    memcpy(rows, all, sizeof all);
}

double flow_block_bytes(int k, int steps, double paths)
{
    array_row rows[ARRAYS];
    flow_block one = {.k = k};
    flow_arrays(&one, (size_t)steps, 1, rows);
    return paths * arrays_bytes(rows, ARRAYS);
}

sgdmft_status flow_block_new(sgdmft_context *ctx, int k, int steps, size_t n, flow_block *out)
{
    array_row rows[ARRAYS];
    *out = (flow_block){.k = k};
    flow_arrays(out, (size_t)steps, n, rows);
    if (arrays_allocate(rows, ARRAYS))
        return context_out_of_memory(ctx, "the responses of coordinates", arrays_bytes(rows, ARRAYS));
    for (int a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            out->one[(size_t)(a * k + a) * n + p] = 1;
    return SGDMFT_OK;
}

void flow_block_clear(flow_block *flow)
{
    array_row rows[ARRAYS];
    flow_arrays(flow, 0, 0, rows);
    arrays_free(rows, ARRAYS);
}

/* x[c] += sign value[c] for all lanes */
static void add_constant(int kk, size_t n, double sign, const double *value, double *x)
{
    for (int c = 0; c < kk; c++)
        for (size_t p = 0; p < n; p++)
            x[(size_t)c * n + p] += sign * value[c];
}

/* A kick at the node itself: D = 1, which changes X by gamma alone. */
static void begin_node(flow_block *flow, size_t n, size_t node, const double *gamma, double *Y)
{
    int kk = flow->k * flow->k;
    size_t width = (size_t)kk * n;
    memcpy(flow->D + (rows_before(node) + node) * width, flow->one, sizeof(double) * width);
    memset(Y + node * width, 0, sizeof(double) * width);
    add_constant(kk, n, 1, gamma, Y + node * width);
}

void flow_block_start(flow_block *flow, const coordinate_block *block, const double *gamma, const penalty *pen,
                      double *work)
{
    size_t n = block->in->n;
    penalty_hessian(pen, work, n, n, block->theta, flow->curvature);
    begin_node(flow, n, 0, gamma, flow->Y);
}

/* The inverse of 1 + h/2 (penalty'' + delta eta memory_end) for every lane. */
static void invert(flow_block *flow, size_t n, const coordinate_step *step)
{
    int k = flow->k, kk = k * k;
    for (size_t p = 0; p < n; p++) {
        double matrix[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX] = {0};
        for (int c = 0; c < kk; c++) {
            double diagonal = c % (k + 1) == 0;
            inverse[c] = diagonal;
            matrix[c] = diagonal +
                        step->half_h * (flow->curvature_next[(size_t)c * n + p] + step->rate_end * step->memory_end[c]);
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
    int k = flow->k, kk = k * k;
    size_t n = block->in->n, width = (size_t)kk * n, i = (size_t)step->cell;
    double *after = flow->D + rows_before(i + 1) * width, *before = flow->D + rows_before(i) * width;
    penalty_hessian(pen, work, n, n, block->theta_next, flow->curvature_next);
    invert(flow, n, step);
    lanes_chain_shared(k, n, (int)i + 1, rows->row, flow->D, flow->one, flow->work, flow->Y_next);
    for (size_t j = 0; j <= i; j++) {
        double *Y = flow->Y_next + j * width, *D = after + j * width, *old = before + j * width;
        add_constant(kk, n, -1, rows->half + j * (size_t)kk, Y);
        lanes_multiply_each(k, n, 1, flow->curvature, old, flow->work);
        for (size_t p = 0; p < width; p++)
            flow->work[p] = old[p] - step->half_h * (flow->work[p] + step->rate_start * flow->Y[j * width + p] +
                                                     step->rate_end * Y[p]);
        lanes_multiply_each(k, n, 1, flow->solve, flow->work, D);
        lanes_multiply(k, n, step->memory_end, D, Y);
        for (int c = 0; c < kk; c++)
            for (size_t p = 0; p < n; p++)
                sums[j * (size_t)kk + (size_t)c] += D[(size_t)c * n + p];
    }
    begin_node(flow, n, i + 1, rows->gamma, flow->Y_next);
}

/* row[p] = D_{i+1,j} from D_ij (`now`), D_{i-1,j} (`before`, or NULL if there is no velocity) and F_ij. */
static void flow_step_row(size_t width, const coordinate_step *step, const double *before, const double *now,
                          const double *force, double *row)
{
    double h = 2 * step->half_h;
    for (size_t p = 0; p < width; p++)
        row[p] = now[p] + (before ? step->beta * (now[p] - before[p]) : 0) - step->gain * h * force[p];
}

void flow_block_step(flow_block *flow, const coordinate_block *block, const coordinate_step *step, const penalty *pen,
                     double *work, double *sums)
{
    int k = flow->k, kk = k * k;
    size_t n = block->in->n, width = (size_t)kk * n, i = (size_t)step->cell;
    double *after = flow->D + rows_before(i + 1) * width, *now = flow->D + rows_before(i) * width;
    const double *before = i > 0 ? flow->D + rows_before(i - 1) * width : NULL;
    for (size_t p = 0; p < width; p++)
        flow->solve[p] = 0; /* D_{i-1,i}, before the kick */
    for (size_t j = 0; j <= i; j++) {
        lanes_multiply_each(k, n, 1, flow->curvature, now + j * width, flow->work);
        for (size_t p = 0; p < width; p++)
            flow->work[p] += step->rate_start * flow->Y[j * width + p];
        flow_step_row(width, step,
                      !before ? NULL
                      : j < i ? before + j * width
                              : flow->solve,
                      now + j * width, flow->work, after + j * width);
        for (int c = 0; c < kk; c++)
            for (size_t p = 0; p < n; p++)
                sums[j * (size_t)kk + (size_t)c] += after[j * width + (size_t)c * n + p];
    }
    for (size_t p = 0; p < width; p++)
        after[(i + 1) * width + p] = step->gain * flow->one[p];
    penalty_hessian(pen, work, n, n, block->theta_next, flow->curvature_next);
}

void flow_block_close(flow_block *flow, const coordinate_block *block, const coordinate_step *step,
                      const flow_step *rows)
{
    int k = flow->k;
    size_t n = block->in->n, width = (size_t)(k * k) * n, node = (size_t)step->cell + 1;
    const double *D = flow->D + rows_before(node) * width;
    lanes_chain_shared(k, n, (int)node, rows->row, flow->D, flow->one, flow->work, flow->Y_next);
    memset(flow->Y_next + node * width, 0, sizeof(double) * width);
    for (size_t j = 0; j <= node; j++)
        lanes_multiply(k, n, step->memory_end, D + j * width, flow->Y_next + j * width);
}

static void swap(double **x, double **y)
{
    double *first = *x;
    *x = *y;
    *y = first;
}

void flow_block_accept(flow_block *flow)
{
    swap(&flow->Y, &flow->Y_next);
    swap(&flow->curvature, &flow->curvature_next);
}
