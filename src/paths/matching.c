#include "paths/matching.h"

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"

static void remove_means(size_t rows, size_t n_blocks, double *const *block, const size_t *n, double lanes)
{
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t b = 0; b < n_blocks; b++)
            for (size_t p = 0; p < n[b]; p++)
                sum += block[b][i * n[b] + p];
        double mean = sum / lanes;
        for (size_t b = 0; b < n_blocks; b++)
            for (size_t p = 0; p < n[b]; p++)
                block[b][i * n[b] + p] -= mean;
    }
}

/* BLAS with one thread, so that its sums do not depend on the number of threads. */
static int whiten(size_t rows, size_t n_blocks, double *const *block, const size_t *n, double lanes, double *gram)
{
    int threads = omp_get_max_threads(), order = (int)rows;
    omp_set_num_threads(1);
    for (size_t b = 0; b < n_blocks; b++)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, order, (int)n[b], 1 / lanes, block[b], (int)n[b], 1, gram,
                    order);
    int failed = LAPACKE_dpotrf_work(LAPACK_ROW_MAJOR, 'L', order, gram, order) != 0;
    for (size_t b = 0; b < n_blocks && !failed; b++)
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, order, (int)n[b], 1, gram, order,
                    block[b], (int)n[b]);
    omp_set_num_threads(threads);
    return failed;
}

sgdmft_status matching_apply(sgdmft_context *ctx, size_t rows, size_t n_blocks, double *const *block, const size_t *n)
{
    size_t lanes = 0;
    for (size_t b = 0; b < n_blocks; b++)
        lanes += n[b];
    if (rows > lanes / 4)
        rows = lanes / 4;
    if (rows == 0)
        return SGDMFT_OK;
    double *gram = memory_doubles(rows * rows);
    if (!gram)
        return context_out_of_memory(ctx, "moment matching", 8.0 * (double)rows * (double)rows);
    remove_means(rows, n_blocks, block, n, (double)lanes);
    int failed = whiten(rows, n_blocks, block, n, (double)lanes, gram);
    free(gram);
    return failed ? context_fail(ctx, SGDMFT_ERR_NON_FINITE,
                                 "moment matching: the empirical covariance of %zu driving normals over %zu paths is "
                                 "singular; hint: raise numerics.paths",
                                 rows, lanes)
                  : SGDMFT_OK;
}
