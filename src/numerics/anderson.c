#include "numerics/anderson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

sgdmft_status anderson_init(sgdmft_context *ctx, size_t capacity, anderson *a)
{
    memset(a, 0, sizeof *a);
    a->capacity = capacity;
    a->space = memory_doubles((2 + 2 * ANDERSON_DEPTH) * capacity);
    if (!a->space)
        return context_out_of_memory(ctx, "the accelerated iteration", 48.0 * (double)capacity);
    a->image = a->space;
    a->residual = a->space + capacity;
    for (int j = 0; j < ANDERSON_DEPTH; j++) {
        a->image_step[j] = a->space + (size_t)(2 + 2 * j) * capacity;
        a->residual_step[j] = a->space + (size_t)(3 + 2 * j) * capacity;
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

static double dot(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Stores the differences to the last iterate in front of the older ones. */
static void remember(anderson *a, const double *x, const double *f)
{
    if (a->started) {
        double *image = a->image_step[ANDERSON_DEPTH - 1], *residual = a->residual_step[ANDERSON_DEPTH - 1];
        for (int j = ANDERSON_DEPTH - 1; j > 0; j--) {
            a->image_step[j] = a->image_step[j - 1];
            a->residual_step[j] = a->residual_step[j - 1];
        }
        a->image_step[0] = image;
        a->residual_step[0] = residual;
        for (size_t i = 0; i < a->size; i++) {
            image[i] = f[i] - a->image[i];
            residual[i] = f[i] - x[i] - a->residual[i];
        }
        if (a->stored < ANDERSON_DEPTH)
            a->stored++;
    }
    for (size_t i = 0; i < a->size; i++) {
        a->image[i] = f[i];
        a->residual[i] = f[i] - x[i];
    }
    a->started = 1;
}

/* Coefficients of the differences in the least-squares fit of the residual, by the normal equations. */
static int fit(const anderson *a, double gamma[ANDERSON_DEPTH])
{
    const double *d = a->residual, *u = a->residual_step[0], *v = a->residual_step[1];
    double uu = dot(a->size, u, u), ud = dot(a->size, u, d);
    gamma[0] = gamma[1] = 0;
    if (!(uu > 0) || !isfinite(uu))
        return -1;
    gamma[0] = ud / uu;
    if (a->stored < 2)
        return 0;
    double vv = dot(a->size, v, v), uv = dot(a->size, u, v), vd = dot(a->size, v, d);
    double determinant = uu * vv - uv * uv;
    if (!(determinant > 1e-8 * uu * vv)) /* nearly parallel differences: one is enough */
        return 0;
    gamma[0] = (ud * vv - vd * uv) / determinant;
    gamma[1] = (vd * uu - ud * uv) / determinant;
    return 0;
}

void anderson_next(anderson *a, const double *x, double *f)
{
    double gamma[ANDERSON_DEPTH];
    remember(a, x, f);
    if (a->stored == 0 || fit(a, gamma))
        return;
    for (int j = 0; j < a->stored; j++)
        for (size_t i = 0; i < a->size; i++)
            f[i] -= gamma[j] * a->image_step[j][i];
}
