#include "parameters/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths/lanes.h"

sgdmft_status parameter_block_new(sgdmft_context *ctx, int k, const path_inputs *in, parameter_block *out)
{
    size_t width = (size_t)k * in->n;
    double **const arrays[] = {&out->theta,  &out->X,          &out->slope, &out->theta_next,
                               &out->X_next, &out->slope_next, &out->base,  &out->known};
    *out = (parameter_block){.k = k, .in = in, .zeta = memory_doubles((size_t)in->steps * width)};
    int failed = !out->zeta;
    for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
        failed |= !(*arrays[a] = memory_doubles(width));
    if (!failed)
        return SGDMFT_OK;
    parameter_block_clear(out);
    return context_out_of_memory(ctx, "a block of coordinates", 8.0 * (double)(width * (size_t)(in->steps + 8)));
}

void parameter_block_clear(parameter_block *block)
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
    memset(block, 0, sizeof *block);
}

void parameter_block_prepare(parameter_block *block, const parameter_step *step)
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
    lanes_combine(k, k * step->i, stride, n, step->answer, block->zeta, block->known);
}

void parameter_block_move(parameter_block *block, const parameter_step *step, const penalty *pen, double *work)
{
    size_t n = block->in->n, width = (size_t)step->k * n;
    for (size_t p = 0; p < width; p++)
        block->theta_next[p] = block->base[p] - step->half * (block->slope_next[p] + step->then * block->X_next[p]);
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

void parameter_block_answer(parameter_block *block, const parameter_step *step)
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
    lanes_combine(k, k, (size_t)(k * (step->i + 1)), n, step->answer + (size_t)(k * step->i), zeta, block->X_next);
}

static void swap(double **x, double **y)
{
    double *keep = *x;
    *x = *y;
    *y = keep;
}

void parameter_block_accept(parameter_block *block)
{
    swap(&block->theta, &block->theta_next);
    swap(&block->X, &block->X_next);
    swap(&block->slope, &block->slope_next);
    size_t bytes = sizeof(double) * (size_t)block->k * block->in->n;
    memcpy(block->X_next, block->X, bytes);
    memcpy(block->slope_next, block->slope, bytes);
}
