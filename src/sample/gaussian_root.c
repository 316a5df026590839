#include "sample/gaussian_root.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paths/lanes.h"

void gaussian_root_clear(gaussian_root *root)
{
    free(root->root);
    *root = (gaussian_root){.n = 0};
}

/* V D V^T with D = sqrt(max(eigenvalue, 0)); rows of `v` are overwritten by D^(1/2)-scaled eigenvectors. */
static void multiply_out(size_t n, const double *value, double *v, double *root)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            v[i * n + j] *= value[j] > 0 ? sqrt(sqrt(value[j])) : 0;
    int size = (int)n;
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, size, size, 1, v, size, 0, root, size);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            root[j * n + i] = root[i * n + j];
}

static double negative_part(size_t n, const double *value)
{
    double negative = 0, trace = 0;
    for (size_t i = 0; i < n; i++) {
        negative += value[i] < 0 ? -value[i] : 0;
        trace += value[i];
    }
    return trace > 0 ? negative / trace : 0;
}

sgdmft_status gaussian_root_new(sgdmft_context *ctx, size_t n, double *covariance, gaussian_root *out)
{
    double *value = malloc(n * sizeof *value);
    *out = (gaussian_root){.n = n, .root = malloc(n * n * sizeof *out->root)};
    lapack_int info = LAPACK_WORK_MEMORY_ERROR;
    if (value && out->root)
        info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, covariance, (lapack_int)n, value);
    sgdmft_status status = SGDMFT_OK;
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        status = context_out_of_memory(ctx, "the root of a covariance", 40.0 * (double)n * (double)n);
    else if (info != 0)
        status = context_fail(ctx, SGDMFT_ERR_NON_FINITE, "the eigenvalues of a covariance cannot be computed (%d)",
                              (int)info);
    if (!status) {
        out->negative = negative_part(n, value);
        multiply_out(n, value, covariance, out->root);
    }
    free(value);
    free(covariance);
    if (status)
        gaussian_root_clear(out);
    return status;
}

void gaussian_root_apply(const gaussian_root *root, size_t lanes, const double *z, double *x)
{
    memset(x, 0, root->n * lanes * sizeof *x);
    lanes_combine((int)root->n, (int)root->n, root->n, lanes, root->root, z, x);
}
