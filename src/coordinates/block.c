#include "coordinates/block.h"

#include <math.h>
#include <string.h>

#include "core/arrays.h"
#include "core/matrix.h"
#include "paths/lanes.h"

enum { STEP_ARRAYS = 9, BLOCK_ARRAYS = 11 };

static void step_arrays(coordinate_step *s, size_t cells, array_row rows[STEP_ARRAYS])
{
    size_t kk = (size_t)(s->k * s->k), kkstar = (size_t)(s->k * s->kstar);
    const array_row all[STEP_ARRAYS] = {
        {&s->L, kk * cells, 0},   {&s->drift_teacher, kkstar, 0},
        {&s->drift_start, kk, 0}, {&s->memory_kernel, kk * cells, 0},
        {&s->memory_end, kk, 0},  {&s->onto_teacher, kkstar, 0},
        {&s->onto_start, kk, 0},  {&s->V, kk * cells, 0},
        {&s->V_inverse, kk, 0},
    };
    memcpy(rows, all, sizeof all);
}

sgdmft_status coordinate_step_new(sgdmft_context *ctx, int k, int kstar, int cells, coordinate_step *out)
{
    array_row rows[STEP_ARRAYS];
    *out = (coordinate_step){.k = k, .kstar = kstar};
    step_arrays(out, (size_t)cells, rows);
    if (arrays_allocate(rows, STEP_ARRAYS))
        return context_out_of_memory(ctx, "a step of the coordinates", arrays_bytes(rows, STEP_ARRAYS));
    return SGDMFT_OK;
}

void coordinate_step_clear(coordinate_step *step)
{
    array_row rows[STEP_ARRAYS];
    step_arrays(step, 0, rows);
    arrays_free(rows, STEP_ARRAYS);
}

void coordinate_step_set_cell(coordinate_step *step, int cell, double h, double delta, double eta_start, double eta_end)
{
    step->cell = cell;
    step->half_h = 0.5 * h;
    step->rate_start = delta * eta_start;
    step->rate_end = delta * eta_end;
    step->noise_scale = -sqrt(delta);
}

void coordinate_row_from_blocks(int k, int cells, const double *blocks, size_t stride, double *row)
{
    for (int j = 0; j < cells; j++)
        for (int a = 0; a < k; a++)
            memcpy(row + (a * cells + j) * k, blocks + (size_t)j * stride + (size_t)(a * k), sizeof *row * (size_t)k);
}

void coordinate_row_to_blocks(int k, int cells, const double *row, size_t stride, double *blocks)
{
    for (int j = 0; j < cells; j++)
        for (int a = 0; a < k; a++)
            memcpy(blocks + (size_t)j * stride + (size_t)(a * k), row + (a * cells + j) * k, sizeof *row * (size_t)k);
}

/* The past is the last row: it is left out where it is not needed. */
static size_t block_arrays(coordinate_block *b, size_t steps, size_t n, int keeps_past, array_row rows[BLOCK_ARRAYS])
{
    size_t width = (size_t)b->k * n;
    const array_row all[BLOCK_ARRAYS] = {
        {&b->theta, width, 0},
        {&b->X, width, 0},
        {&b->slope, width, 0},
        {&b->theta_next, width, 0},
        {&b->X_next, width, 0},
        {&b->slope_next, width, 0},
        {&b->theta_known, width, 0},
        {&b->X_known, width, 0},
        {&b->curvature, (size_t)b->k * width, 0},
        {&b->zeta, steps * width, 0},
        {&b->past, (steps + 1) * width, 0},
    };
    memcpy(rows, all, sizeof all);
    return keeps_past ? BLOCK_ARRAYS : BLOCK_ARRAYS - 1;
}

sgdmft_status coordinate_block_new(sgdmft_context *ctx, int k, const path_inputs *in, int keeps_past,
                                   coordinate_block *out)
{
    array_row rows[BLOCK_ARRAYS];
    *out = (coordinate_block){.k = k, .in = in};
    size_t count = block_arrays(out, (size_t)in->steps, in->n, keeps_past, rows);
    if (arrays_allocate(rows, count))
        return context_out_of_memory(ctx, "a block of coordinates", arrays_bytes(rows, count));
    return SGDMFT_OK;
}

void coordinate_block_clear(coordinate_block *block)
{
    array_row rows[BLOCK_ARRAYS];
    arrays_free(rows, block_arrays(block, 0, 0, 1, rows));
}

double coordinate_block_bytes(int k, int steps, int keeps_past, double paths)
{
    array_row rows[BLOCK_ARRAYS];
    coordinate_block one = {.k = k};
    return paths * arrays_bytes(rows, block_arrays(&one, (size_t)steps, 1, keeps_past, rows));
}

static size_t width_of(const coordinate_block *block)
{
    return (size_t)block->k * block->in->n;
}

/* theta at the last accepted node goes into the past. */
static void keep(coordinate_block *block, int node)
{
    if (block->past)
        memcpy(block->past + (size_t)node * width_of(block), block->theta, sizeof(double) * width_of(block));
}

static void guess_next(coordinate_block *block)
{
    size_t bytes = sizeof(double) * width_of(block);
    memcpy(block->X_next, block->X, bytes);
    memcpy(block->slope_next, block->slope, bytes);
    memcpy(block->theta_next, block->theta, bytes);
}

/* Adds the terms of X in theta* and u. */
static void add_drift_of_start(const coordinate_block *block, const coordinate_step *step, double *out)
{
    const path_inputs *in = block->in;
    int k = step->k, kstar = step->kstar;
    lanes_combine(k, kstar, (size_t)kstar, in->n, step->drift_teacher, in->wstar, out);
    lanes_combine(k, k, (size_t)k, in->n, step->drift_start, in->z0, out);
}

void coordinate_block_start(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work)
{
    size_t n = block->in->n;
    penalty_gradient(pen, work, n, n, block->theta, block->slope);
    memset(block->X, 0, sizeof(double) * width_of(block));
    add_drift_of_start(block, step, block->X);
    guess_next(block);
    keep(block, 0);
}

void coordinate_block_prepare(coordinate_block *block, const coordinate_step *step)
{
    const path_inputs *in = block->in;
    int k = step->k, columns = k * (step->cell + 1);
    size_t n = in->n, width = width_of(block);
    double *theta = block->theta_known, *X = block->X_known;
    memset(theta, 0, sizeof(double) * width);
    lanes_combine(k, columns, (size_t)columns, n, step->L, in->xi, theta);
    for (size_t p = 0; p < width; p++)
        theta[p] = block->theta[p] - step->half_h * (block->slope[p] + step->rate_start * block->X[p]) +
                   step->noise_scale * theta[p];
    memset(X, 0, sizeof(double) * width);
    add_drift_of_start(block, step, X);
    if (block->past)
        lanes_combine(k, columns, (size_t)columns, n, step->memory_kernel, block->past, X);
    else
        lanes_combine(k, columns - k, (size_t)columns, n, step->memory_kernel, block->zeta, X);
}

/* X_next is held fixed, since the penalty may be stiff, but the mean gradient is not. */
void coordinate_block_move(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work)
{
    int k = step->k;
    size_t n = block->in->n;
    penalty_hessian(pen, work, n, n, block->theta_next, block->curvature);
    for (size_t p = 0; p < n; p++) {
        double matrix[MATRIX_MAX * MATRIX_MAX], defect[MATRIX_MAX];
        for (int c = 0; c < k * k; c++)
            matrix[c] = (c % (k + 1) == 0) + step->half_h * block->curvature[(size_t)c * n + p];
        for (int a = 0; a < k; a++) {
            size_t x = (size_t)a * n + p;
            defect[a] = block->theta_next[x] - block->theta_known[x] +
                        step->half_h * (block->slope_next[x] + step->rate_end * block->X_next[x]);
        }
        if (matrix_solve(k, matrix, 1, defect))
            continue;
        for (int a = 0; a < k; a++)
            block->theta_next[(size_t)a * n + p] -= defect[a];
    }
    penalty_gradient(pen, work, n, n, block->theta_next, block->slope_next);
}

/* out -= coefficient x; `scratch` has the size of out. */
static void subtract(int k, int columns, size_t n, const double *coefficient, const double *x, double *scratch,
                     double *out)
{
    size_t width = (size_t)k * n;
    memset(scratch, 0, sizeof(double) * width);
    lanes_combine(k, columns, (size_t)columns, n, coefficient, x, scratch);
    for (size_t p = 0; p < width; p++)
        out[p] -= scratch[p];
}

/* The position of the node before the last one is kept in X_known, which discrete time does not need otherwise. */
void coordinate_block_step(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work)
{
    const path_inputs *in = block->in;
    int k = step->k, columns = k * (step->cell + 1);
    size_t n = in->n, width = width_of(block);
    double *before = block->X_known, *next = block->theta_next, h = 2 * step->half_h;
    memset(next, 0, sizeof *next * width);
    lanes_combine(k, columns, (size_t)columns, n, step->L, in->xi, next);
    for (size_t p = 0; p < width; p++) {
        double velocity = step->cell > 0 ? step->beta * (block->theta[p] - before[p]) : 0;
        double force = h * (block->slope[p] + step->rate_start * block->X[p]) - step->noise_scale * next[p];
        next[p] = block->theta[p] + velocity - step->gain * force;
    }
    memcpy(before, block->theta, sizeof *before * width);
    penalty_gradient(pen, work, n, n, next, block->slope_next);
}

void coordinate_block_close(coordinate_block *block, const coordinate_step *step)
{
    int k = step->k, columns = k * (step->cell + 1);
    size_t n = block->in->n;
    memset(block->X_next, 0, sizeof(double) * width_of(block));
    add_drift_of_start(block, step, block->X_next);
    lanes_combine(k, columns, (size_t)columns, n, step->memory_kernel, block->past, block->X_next);
    lanes_combine(k, k, (size_t)k, n, step->memory_end, block->theta_next, block->X_next);
}

void coordinate_block_find_zeta(coordinate_block *block, const coordinate_step *step)
{
    const path_inputs *in = block->in;
    int k = step->k, before = k * step->cell;
    size_t n = in->n, width = width_of(block);
    double *zeta = block->zeta + (size_t)step->cell * width, *rest = block->X_next;
    memcpy(rest, block->theta_next, sizeof(double) * width);
    subtract(k, step->kstar, n, step->onto_teacher, in->wstar, zeta, rest);
    subtract(k, k, n, step->onto_start, in->z0, zeta, rest);
    subtract(k, before, n, step->V, block->zeta, zeta, rest);
    memset(zeta, 0, sizeof(double) * width);
    lanes_combine(k, k, (size_t)k, n, step->V_inverse, rest, zeta);
}

void coordinate_block_update_drift(coordinate_block *block, const coordinate_step *step)
{
    int k = step->k, before = k * step->cell;
    size_t n = block->in->n, width = width_of(block);
    const double *zeta = block->zeta + (size_t)step->cell * width;
    coordinate_block_find_zeta(block, step);
    memcpy(block->X_next, block->X_known, sizeof(double) * width);
    if (block->past)
        lanes_combine(k, k, (size_t)k, n, step->memory_end, block->theta_next, block->X_next);
    else
        lanes_combine(k, k, (size_t)(before + k), n, step->memory_kernel + before, zeta, block->X_next);
}

void coordinate_block_renew(coordinate_block *block, const coordinate_step *step)
{
    int k = step->k, columns = k * (step->cell + 1);
    size_t n = block->in->n, bytes = sizeof(double) * width_of(block);
    memset(block->X, 0, bytes);
    add_drift_of_start(block, step, block->X);
    lanes_combine(k, columns, (size_t)columns, n, step->memory_kernel, block->zeta, block->X);
    memcpy(block->X_next, block->X, bytes);
}

static void swap(double **x, double **y)
{
    double *first = *x;
    *x = *y;
    *y = first;
}

void coordinate_block_accept(coordinate_block *block, int node)
{
    swap(&block->theta, &block->theta_next);
    swap(&block->X, &block->X_next);
    swap(&block->slope, &block->slope_next);
    guess_next(block);
    keep(block, node);
}
