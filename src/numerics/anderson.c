#include "numerics/anderson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* A difference whose part across the newer ones is below this fraction of it adds nothing but rounding. */
static const double NEARLY_PARALLEL = 1e-4;

sgdmft_status anderson_init(sgdmft_context *ctx, size_t capacity, int depth, anderson *a)
{
    memset(a, 0, sizeof *a);
    a->capacity = capacity;
    a->depth = depth;
    a->space = memory_doubles((3 + 2 * (size_t)depth) * capacity);
    if (!a->space)
        return context_out_of_memory(ctx, "the accelerated iteration", 8.0 * (3 + 2 * depth) * (double)capacity);
    a->image = a->space;
    a->residual = a->space + capacity;
    a->weight = a->space + 2 * capacity;
    for (size_t i = 0; i < capacity; i++)
        a->weight[i] = 1;
    for (int j = 0; j < depth; j++) {
        a->image_step[j] = a->space + (size_t)(3 + 2 * j) * capacity;
        a->residual_step[j] = a->space + (size_t)(4 + 2 * j) * capacity;
    }
    return SGDMFT_OK;
}

void anderson_clear(anderson *a)
{
    free(a->space);
    memset(a, 0, sizeof *a);
}

void anderson_restart(anderson *a, size_t size)
{
    a->size = size;
    a->stored = 0;
    a->started = 0;
}

static double dot(const anderson *a, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < a->size; i++)
        sum += a->weight[i] * a->weight[i] * x[i] * y[i];
    return sum;
}

/* Stores the differences to the last iterate in front of the older ones. */
static void remember(anderson *a, const double *x, const double *f)
{
    if (a->started) {
        double *image = a->image_step[a->depth - 1], *residual = a->residual_step[a->depth - 1];
        for (int j = a->depth - 1; j > 0; j--) {
            a->image_step[j] = a->image_step[j - 1];
            a->residual_step[j] = a->residual_step[j - 1];
        }
        a->image_step[0] = image;
        a->residual_step[0] = residual;
        for (size_t i = 0; i < a->size; i++) {
            image[i] = f[i] - a->image[i];
            residual[i] = f[i] - x[i] - a->residual[i];
        }
        if (a->stored < a->depth)
            a->stored++;
    }
    for (size_t i = 0; i < a->size; i++) {
        a->image[i] = f[i];
        a->residual[i] = f[i] - x[i];
    }
    a->started = 1;
}

/* Coefficients of the differences in the least-squares fit of the residual: the factorisation of Cholesky of their
   products, newest first, up to the first one that is nearly parallel to newer ones. Returns their number. */
static int fit(const anderson *a, double gamma[ANDERSON_DEPTH_MOST])
{
    double factor[ANDERSON_DEPTH_MOST][ANDERSON_DEPTH_MOST], side[ANDERSON_DEPTH_MOST];
    int used = 0;
    for (int j = 0; j < a->stored; j++) {
        double own = dot(a, a->residual_step[j], a->residual_step[j]), rest = own;
        side[j] = dot(a, a->residual_step[j], a->residual);
        for (int l = 0; l < j; l++) {
            double sum = dot(a, a->residual_step[j], a->residual_step[l]);
            for (int x = 0; x < l; x++)
                sum -= factor[j][x] * factor[l][x];
            factor[j][l] = sum / factor[l][l];
            rest -= factor[j][l] * factor[j][l];
            side[j] -= factor[j][l] * side[l];
        }
        if (!(rest > NEARLY_PARALLEL * NEARLY_PARALLEL * own) || !isfinite(rest))
            break;
        factor[j][j] = sqrt(rest);
        side[j] /= factor[j][j];
        used = j + 1;
    }
    for (int j = used - 1; j >= 0; j--) {
        gamma[j] = side[j];
        for (int l = j + 1; l < used; l++)
            gamma[j] -= factor[l][j] * gamma[l];
        gamma[j] /= factor[j][j];
    }
    return used;
}

void anderson_next(anderson *a, const double *x, double *f)
{
    double gamma[ANDERSON_DEPTH_MOST];
    remember(a, x, f);
    int used = fit(a, gamma);
    for (int j = 0; j < used; j++)
        for (size_t i = 0; i < a->size; i++)
            f[i] -= gamma[j] * a->image_step[j][i];
}
