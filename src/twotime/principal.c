#include "twotime/principal.h"

#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/ranks.h"

/* Work space of the eigenvalue solver, in rows. */
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

/* Lower triangle of sum over nodes of (time around the node) V_i^T V_i. */
static void make_gram(const kernels *kern, size_t n, double *out)
{
    const time_grid *grid = kern->grid;
    for (int i = 1; i <= kern->steps; i++) {
        double around = 0.5 * (grid->h[i - 1] + (i < kern->steps ? grid->h[i] : 0));
        for (int a = 0; a < kern->k; a++) {
            const double *row = kernels_V(kern, i, a);
            for (size_t j = 0; j < (size_t)(i * kern->k); j++)
                for (size_t l = 0; l <= j; l++)
                    out[j * n + l] += around * row[j] * row[l];
        }
    }
}

/* By columns a lower triangle is an upper one, and eigenvectors come as rows, those of small eigenvalues first. */
static int eigenvectors(size_t n, double *gram, double *space, double *Q)
{
    /* BLAS with one thread, so that its sums do not depend on the number of threads */
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

sgdmft_status principal_axes_new(sgdmft_context *ctx, const kernels *kern, principal_axes **out)
{
    size_t n = (size_t)(kern->steps * kern->k);
    principal_axes *axes = axes_allocate(n);
    double *gram = memory_doubles(n * n), *space = memory_doubles((1 + WORK_ROWS) * n);
    sgdmft_status status = SGDMFT_OK;
    if (!axes || !gram || !space) {
        status = context_out_of_memory(ctx, "the principal directions of the field", 16.0 * (double)(n * n));
    } else {
        make_gram(kern, n, gram);
        if (eigenvectors(n, gram, space, axes->Q))
            status = context_fail(ctx, SGDMFT_ERR_NON_FINITE,
                                  "the principal directions of the field: their eigenvalues were not found");
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

void principal_axes_apply(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, double *work,
                          double *x)
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
