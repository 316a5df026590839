#include "twotime/principal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/ranks.h"

/* Directions whose singular values differ by a fifth are told apart to 1%. */
enum { ITERATIONS = 12 };

static double product(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* x -= (x . y) y, twice against rounding, for the rows y of q[count][n]; then x is scaled to length 1. */
static void orthonormalise(size_t n, size_t count, const double *q, double *x)
{
    for (int again = 0; again < 2; again++)
        for (size_t r = 0; r < count; r++) {
            const double *y = q + r * n;
            double c = product(n, x, y);
            for (size_t i = 0; i < n; i++)
                x[i] -= c * y[i];
        }
    double scale = 1 / sqrt(product(n, x, x));
    for (size_t i = 0; i < n; i++)
        x[i] *= scale;
}

/* Adds to the rows q[count][n] the unit vector that is farthest from their span, made orthogonal to them. left[i] is the
   square of the distance of unit vector i. */
static void complete(size_t n, size_t count, double *left, double *q)
{
    size_t best = 0;
    double *x = q + count * n;
    for (size_t i = 1; i < n; i++)
        if (left[i] > left[best])
            best = i;
    memset(x, 0, sizeof(double) * n);
    x[best] = 1;
    orthonormalise(n, count, q, x);
    for (size_t i = 0; i < n; i++)
        left[i] -= x[i] * x[i];
}

/* x becomes sum over nodes of (time around the node) V_i^T V_i x. */
static void apply(const kernels *kern, size_t n, double *work, double *x)
{
    const time_grid *grid = kern->grid;
    memset(work, 0, sizeof(double) * n);
    for (int i = 1; i <= kern->steps; i++) {
        double around = 0.5 * (grid->h[i - 1] + (i < kern->steps ? grid->h[i] : 0));
        for (int a = 0; a < kern->k; a++) {
            const double *row = kernels_V(kern, i, a);
            size_t used = (size_t)(i * kern->k);
            double c = around * product(used, row, x);
            for (size_t j = 0; j < used; j++)
                work[j] += c * row[j];
        }
    }
    memcpy(x, work, sizeof(double) * n);
}

/* Rows q[n][n], the first `count` by orthogonal iteration from smooth functions of time. `work` has 2 n doubles. */
static void fill_rows(const kernels *kern, size_t n, size_t count, double *work, double *q)
{
    size_t k = (size_t)kern->k;
    double *left = work + n;
    for (size_t r = 0; r < count; r++)
        for (size_t j = 0; j < n; j++)
            q[r * n + j] = j % k == r % k ? cos(M_PI * (double)(r / k) * ((double)(j / k) + 0.5) / kern->steps) : 0;
    for (int step = 0; step <= ITERATIONS; step++)
        for (size_t r = 0; r < count; r++) {
            if (step > 0)
                apply(kern, n, work, q + r * n);
            orthonormalise(n, r, q, q + r * n);
        }
    for (size_t j = 0; j < n; j++) {
        left[j] = 1;
        for (size_t r = 0; r < count; r++)
            left[j] -= q[r * n + j] * q[r * n + j];
    }
    for (size_t r = count; r < n; r++)
        complete(n, r, left, q);
}

static void transpose(size_t n, double *q)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double keep = q[i * n + j];
            q[i * n + j] = q[j * n + i];
            q[j * n + i] = keep;
        }
}

static principal_axes *axes_allocate(size_t n)
{
    principal_axes *axes = calloc(1, sizeof *axes);
    double *q = memory_doubles(n * n);
    if (!axes || !q) {
        free(axes);
        free(q);
        return NULL;
    }
    *axes = (principal_axes){n, q};
    return axes;
}

sgdmft_status principal_axes_new(sgdmft_context *ctx, const kernels *kern, size_t count, principal_axes **out)
{
    size_t n = (size_t)(kern->steps * kern->k);
    principal_axes *axes = axes_allocate(n);
    double *work = memory_doubles(2 * n);
    if (!axes || !work) {
        principal_axes_free(axes);
        free(work);
        return context_out_of_memory(ctx, "the principal directions of the field", 8.0 * (double)(n * n));
    }
    fill_rows(kern, n, count < n ? count : n, work, axes->Q);
    transpose(n, axes->Q);
    free(work);
    *out = axes;
    return SGDMFT_OK;
}

sgdmft_status principal_axes_broadcast(sgdmft_context *ctx, principal_axes **axes)
{
    size_t n = *axes ? (*axes)->size : 0;
    sgdmft_status status = ranks_broadcast(ctx, ctx->ranks, &n, sizeof n);
    if (!status && n > 0 && !*axes && !(*axes = axes_allocate(n)))
        status = context_out_of_memory(ctx, "the principal directions of the field", 8.0 * (double)(n * n));
    status = ranks_agree(ctx, ctx->ranks, status);
    return status || n == 0 ? status : ranks_broadcast(ctx, ctx->ranks, (*axes)->Q, sizeof(double) * n * n);
}

void principal_axes_free(principal_axes *axes)
{
    if (!axes)
        return;
    free(axes->Q);
    free(axes);
}

/* out[size][n] = Q z */
static void to_coarse_cells(const principal_axes *axes, size_t n, const double *z, double *out)
{
    for (size_t i = 0; i < axes->size; i++) {
        double *row = out + i * n;
        memset(row, 0, sizeof *row * n);
        for (size_t j = 0; j < axes->size; j++)
            for (size_t p = 0; p < n; p++)
                row[p] += axes->Q[i * axes->size + j] * z[j * n + p];
    }
}

void principal_axes_apply(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, double *work, double *x)
{
    size_t width = k * n;
    const double *whole = work, *rest = work + axes->size * n;
    to_coarse_cells(axes, n, x, work);
    memcpy(work + axes->size * n, x + axes->size * n, sizeof *x * axes->size * n);
    for (int c = 0; c < fine->steps / 2; c++) {
        double h1 = fine->h[2 * c], h2 = fine->h[2 * c + 1];
        double a = sqrt(h1 / (h1 + h2)), b = sqrt(h2 / (h1 + h2));
        double *first = x + (size_t)(2 * c) * width, *second = first + width;
        for (size_t p = 0; p < width; p++) {
            first[p] = a * whole[(size_t)c * width + p] + b * rest[(size_t)c * width + p];
            second[p] = b * whole[(size_t)c * width + p] - a * rest[(size_t)c * width + p];
        }
    }
}
