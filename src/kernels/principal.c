#include "kernels/principal.h"

#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/ranks.h"

/* Scratch memory of the eigenvalue solver, in rows. */
enum { WORK_ROWS = 34 };

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

/* Component a of U_i: the coefficients of z0 and the innovations before node i in the field there. */
static void field_row(const kernels *kern, const double *B, int i, int a, double *row)
{
    int k = kern->k;
    for (int b = 0; b < k; b++) {
        row[b] = 0;
        for (int c = 0; c < k; c++)
            row[b] += kernels_onto_start(kern, a * k + c, i) * B[c * k + b];
    }
    if (i > 0)
        memcpy(row + k, kernels_V(kern, i, a), sizeof *row * (size_t)(i * k));
}

/* The lower triangle of the sum over nodes of (time around the node) U_i^T U_i. */
static void make_gram(const kernels *kern, const double *B, size_t n, double *row, double *out)
{
    const time_grid *grid = kern->grid;
    for (int i = 0; i <= kern->steps; i++) {
        double around = 0.5 * ((i > 0 ? grid->h[i - 1] : 0) + (i < kern->steps ? grid->h[i] : 0));
        for (int a = 0; a < kern->k; a++) {
            field_row(kern, B, i, a, row);
            for (size_t j = 0; j < (size_t)((i + 1) * kern->k); j++)
                for (size_t l = 0; l <= j; l++)
                    out[j * n + l] += around * row[j] * row[l];
        }
    }
}

/* Q from the lower triangle of `gram`. Read by columns, as LAPACK does, it is an upper triangle, and the eigenvectors
   come as rows in ascending order of the eigenvalues. Non-zero if they are not found. */
static int eigenvectors(size_t n, double *gram, double *space, double *Q)
{
    /* BLAS runs on one thread, so that its sums do not depend on the number of threads */
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    int failed = LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'U', (int)n, gram, (int)n, space, space + n,
                                    (int)(WORK_ROWS * n)) != 0;
    omp_set_num_threads(threads);
    for (size_t j = 0; j < n && !failed; j++)
        for (size_t r = 0; r < n; r++)
            Q[j * n + r] = gram[(n - 1 - r) * n + j];
    return failed;
}

sgdmft_status principal_axes_new(sgdmft_context *ctx, const kernels *kern, const double *B, principal_axes **out)
{
    size_t n = (size_t)((kern->steps + 1) * kern->k);
    principal_axes *axes = axes_allocate(n);
    double *gram = memory_doubles(n * n), *space = memory_doubles((1 + WORK_ROWS) * n);
    sgdmft_status status = SGDMFT_OK;
    if (!axes || !gram || !space) {
        status = context_out_of_memory(ctx, "the principal directions of the field", 16.0 * (double)(n * n));
    } else {
        make_gram(kern, B, n, space, gram);
        if (eigenvectors(n, gram, space, axes->Q))
            status = context_fail(ctx, SGDMFT_ERR_NON_FINITE,
                                  "the principal directions of the field: the eigenvalue solver did not converge");
    }
    free(gram);
    free(space);
    if (status)
        principal_axes_free(axes);
    else
        *out = axes;
    return status;
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

static void add_row(size_t n, double factor, const double *x, double *out)
{
    for (size_t p = 0; p < n; p++)
        out[p] += factor * x[p];
}

/* out[size][n] = Q z, where z are the rows of z0[k][n] followed by those of x. */
static void to_coarse_cells(const principal_axes *axes, size_t k, size_t n, const double *z0, const double *x,
                            double *out)
{
    memset(out, 0, sizeof *out * axes->size * n);
    for (size_t i = 0; i < axes->size; i++)
        for (size_t j = 0; j < axes->size; j++)
            add_row(n, axes->Q[i * axes->size + j], j < k ? z0 + j * n : x + (j - k) * n, out + i * n);
}

void principal_axes_apply(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, double *work,
                          double *z0, double *x)
{
    size_t width = k * n, cells = (axes->size - k) / k;
    const double *sums = work + width, *rests = sums + cells * width;
    to_coarse_cells(axes, k, n, z0, x, work);
    if ((size_t)fine->steps == cells) {
        memcpy(z0, work, sizeof *z0 * width);
        memcpy(x, sums, sizeof *x * cells * width);
        return;
    }
    memcpy(work + axes->size * n, x + cells * width, sizeof *x * cells * width);
    memcpy(z0, work, sizeof *z0 * width);
    for (size_t c = 0; c < cells; c++) {
        cell_halves half = time_grid_halves(fine, c);
        const double *sum = sums + c * width, *rest = rests + c * width;
        double *first = x + 2 * c * width, *second = first + width;
        for (size_t p = 0; p < width; p++) {
            first[p] = half.a * sum[p] + half.b * rest[p];
            second[p] = half.b * sum[p] - half.a * rest[p];
        }
    }
}

void principal_axes_leading(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, const double *z0,
                            const double *x, double *out)
{
    memset(out, 0, sizeof *out * k * n);
    for (size_t r = 0; r < k; r++)
        for (size_t i = 0; i < axes->size; i++) {
            double share = axes->Q[i * axes->size + r];
            if (i < k) {
                add_row(n, share, z0 + i * n, out + r * n);
                continue;
            }
            size_t cell = i / k - 1, component = i % k;
            if ((size_t)(fine->steps + 1) * k == axes->size) {
                add_row(n, share, x + (cell * k + component) * n, out + r * n);
                continue;
            }
            cell_halves half = time_grid_halves(fine, cell);
            const double *first = x + (2 * cell * k + component) * n;
            add_row(n, share * half.a, first, out + r * n);
            add_row(n, share * half.b, first + k * n, out + r * n);
        }
}
