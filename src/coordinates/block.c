#include "coordinates/block.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"
#include "core/matrix.h"

sgdmft_status coordinate_block_new(sgdmft_context *ctx, int k, const path_inputs *in, int keeps_past,
                                  coordinate_block *out)
{
    size_t width = (size_t)k * in->n;
    double **const arrays[] = {&out->theta,  &out->X,          &out->slope, &out->theta_next,
                               &out->X_next, &out->slope_next, &out->base,  &out->known};
    *out = (coordinate_block){.k = k, .in = in, .zeta = memory_doubles((size_t)in->steps * width)};
    out->past = keeps_past ? memory_doubles((size_t)(in->steps + 1) * width) : NULL;
    out->curvature = memory_doubles((size_t)k * width);
    int failed = !out->zeta || !out->curvature || (keeps_past && !out->past);
    for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
        failed |= !(*arrays[a] = memory_doubles(width));
    if (!failed)
        return SGDMFT_OK;
    coordinate_block_clear(out);
    return context_out_of_memory(ctx, "a block of coordinates", 8.0 * (double)(width * (size_t)(in->steps + 8)));
}

void coordinate_block_clear(coordinate_block *block)
{
    free(block->theta);
    free(block->X);
    free(block->slope);
    free(block->theta_next);
    free(block->X_next);
    free(block->slope_next);
    free(block->base);
    free(block->known);
    free(block->zeta);
    free(block->curvature);
    free(block->past);
    memset(block, 0, sizeof *block);
}

void coordinate_block_prepare(coordinate_block *block, const coordinate_step *step)
{
    const path_inputs *in = block->in;
    int k = step->k;
    size_t n = in->n, width = (size_t)k * n, stride = (size_t)(k * (step->i + 1));
    memset(block->base, 0, sizeof(double) * width);
    lanes_combine(k, k * (step->i + 1), stride, n, step->noise, in->xi, block->base);
    for (size_t p = 0; p < width; p++)
        block->base[p] = block->theta[p] - step->half * (block->slope[p] + step->now * block->X[p]) +
                         step->noise_scale * block->base[p];
    memset(block->known, 0, sizeof(double) * width);
    lanes_combine(k, step->kstar, (size_t)step->kstar, n, step->teacher, in->wstar, block->known);
    lanes_combine(k, k, (size_t)k, n, step->start, in->z0, block->known);
    if (block->past)
        lanes_combine(k, k * (step->i + 1), stride, n, step->memory_kernel, block->past, block->known);
    else
        lanes_combine(k, k * step->i, stride, n, step->memory_kernel, block->zeta, block->known);
}

/* One step of Newton's method for theta_next + h/2 (penalty'(theta_next) + delta eta X_next) = base, X_next held fixed:
   penalties can be stiff, the answer of the gradient is not. */
void coordinate_block_move(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work)
{
    int k = step->k;
    size_t n = block->in->n;
    penalty_hessian(pen, work, n, n, block->theta_next, block->curvature);
    for (size_t p = 0; p < n; p++) {
        double matrix[MATRIX_MAX * MATRIX_MAX], defect[MATRIX_MAX];
        for (int c = 0; c < k * k; c++)
            matrix[c] = (c % (k + 1) == 0) + step->half * block->curvature[(size_t)c * n + p];
        for (int a = 0; a < k; a++) {
            size_t x = (size_t)a * n + p;
            defect[a] = block->theta_next[x] - block->base[x] +
                        step->half * (block->slope_next[x] + step->then * block->X_next[x]);
        }
        if (matrix_solve(k, matrix, 1, defect))
            continue;
        for (int a = 0; a < k; a++)
            block->theta_next[(size_t)a * n + p] -= defect[a];
    }
    penalty_gradient(pen, work, n, n, block->theta_next, block->slope_next);
}

static void subtract(int k, int columns, size_t stride, size_t n, const double *coefficient, const double *x,
                     double *negative, double *out)
{
    size_t width = (size_t)k * n;
    memset(negative, 0, sizeof(double) * width);
    lanes_combine(k, columns, stride, n, coefficient, x, negative);
    for (size_t p = 0; p < width; p++)
        out[p] -= negative[p];
}

void coordinate_block_remember(coordinate_block *block, const coordinate_step *step)
{
    const path_inputs *in = block->in;
    int k = step->k;
    size_t n = in->n, width = (size_t)k * n;
    double *zeta = block->zeta + (size_t)step->i * width, *rest = block->X_next;
    memcpy(rest, block->theta_next, sizeof(double) * width);
    subtract(k, step->kstar, (size_t)step->kstar, n, step->M, in->wstar, zeta, rest);
    subtract(k, k, (size_t)k, n, step->N, in->z0, zeta, rest);
    subtract(k, k * step->i, (size_t)(k * step->i), n, step->V, block->zeta, zeta, rest);
    memset(zeta, 0, sizeof(double) * width);
    lanes_combine(k, k, (size_t)k, n, step->inverse, rest, zeta);
    memcpy(block->X_next, block->known, sizeof(double) * width);
    if (block->past)
        lanes_combine(k, k, (size_t)k, n, step->own, block->theta_next, block->X_next);
    else
        lanes_combine(k, k, (size_t)(k * (step->i + 1)), n, step->memory_kernel + (size_t)(k * step->i), zeta, block->X_next);
}

void coordinate_block_recall(coordinate_block *block, const coordinate_step *step)
{
    const path_inputs *in = block->in;
    int k = step->k, columns = k * (step->i + 1);
    size_t n = in->n, bytes = sizeof(double) * (size_t)k * n;
    memset(block->X, 0, bytes);
    lanes_combine(k, step->kstar, (size_t)step->kstar, n, step->teacher, in->wstar, block->X);
    lanes_combine(k, k, (size_t)k, n, step->start, in->z0, block->X);
    lanes_combine(k, columns, (size_t)columns, n, step->memory_kernel, block->zeta, block->X);
    memcpy(block->X_next, block->X, bytes);
}

static void swap(double **x, double **y)
{
    double *keep = *x;
    *x = *y;
    *y = keep;
}

void coordinate_block_keep(coordinate_block *block, int node)
{
    size_t width = (size_t)block->k * block->in->n;
    if (block->past)
        memcpy(block->past + (size_t)node * width, block->theta, sizeof(double) * width);
}

void coordinate_block_accept(coordinate_block *block, int node)
{
    swap(&block->theta, &block->theta_next);
    swap(&block->X, &block->X_next);
    swap(&block->slope, &block->slope_next);
    size_t bytes = sizeof(double) * (size_t)block->k * block->in->n;
    memcpy(block->X_next, block->X, bytes);
    memcpy(block->slope_next, block->slope, bytes);
    memcpy(block->theta_next, block->theta, bytes);
    coordinate_block_keep(block, node);
}
