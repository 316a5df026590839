/* With the empirical covariance L L^T of the centred rows x, the rows become L^{-1} x. Sums over lanes are formed block
   by block and joined as in share.h. The covariance is computed a panel of rows at a time, because every part of the
   blocks needs a copy of the rows being computed. */
#include "paths/matching.h"

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* The number of rows in a panel, and the number of doubles that the copies of all parts may take; panels have fewer
   rows where the copies would be larger. */
enum { PANEL_ROWS = 64, PANEL_NUMBERS = 1 << 22 };

typedef struct matcher {
    sgdmft_context *ctx;
    const path_share *share;
    size_t rows, n_blocks;
    double *const *block;
    const size_t *n;
    double lanes;
    size_t panel; /* rows of a panel */
    double *sums; /* [parts of this rank][panel][rows] */
    double *both; /* [2][panel][rows] joined sums over even and odd parts */
    double *gram; /* [rows][rows] */
    share_room room;
} matcher;

static void matcher_clear(matcher *m)
{
    free(m->sums);
    free(m->both);
    free(m->gram);
    share_room_clear(&m->room);
}

static sgdmft_status matcher_init(sgdmft_context *ctx, matcher *m)
{
    size_t most = PANEL_NUMBERS / (PATH_PARTS * m->rows);
    m->panel = most < 1 ? 1 : most < PANEL_ROWS ? most : PANEL_ROWS;
    size_t width = m->panel * m->rows, parts = share_count(m->share);
    m->sums = memory_doubles(parts * width);
    m->both = memory_doubles(2 * width);
    m->gram = memory_doubles(m->rows * m->rows);
    if (!m->sums || !m->both || !m->gram)
        return context_out_of_memory(ctx, "moment matching", 8.0 * (double)((parts + 2) * width + m->rows * m->rows));
    return share_room_new(ctx, m->share, width, &m->room);
}

/* 1 if the rest is to be left out, because the caller asked to stop. Ranks that work together do all of it, since each
   needs the sums of the others. */
static int stopped(const matcher *m)
{
    return !share_ranks(m->share) && context_stop_now(m->ctx);
}

typedef void (*part_fn)(const matcher *m, size_t b, size_t first, size_t count, double *sums);

/* Sums of `width` numbers over all blocks into m->both[0 .. width - 1]; `add` adds those of one block. Non-zero if a
   message was lost. */
static int over_parts(matcher *m, part_fn add, size_t first, size_t count, size_t width)
{
    int threads = share_threads(m->share);
    size_t parts = share_count(m->share), start = share_first(m->share), step = share_size(m->share);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < parts; i++) {
        double *sums = m->sums + i * width;
        memset(sums, 0, sizeof *sums * width);
        for (size_t b = start + i * step; b < m->n_blocks && !stopped(m); b += PATH_PARTS)
            add(m, b, first, count, sums);
    }
    int lost = share_join(m->share, &m->room, m->sums, width, 0, m->both);
    for (size_t i = 0; i < width; i++)
        m->both[i] += m->both[width + i];
    return lost;
}

static void add_means(const matcher *m, size_t b, size_t first, size_t count, double *sums)
{
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < m->n[b]; p++)
            sums[i] += m->block[b][(first + i) * m->n[b] + p];
}

/* Rows first .. first + count - 1 of the lower triangle of the covariance. */
static void add_gram(const matcher *m, size_t b, size_t first, size_t count, double *sums)
{
    int n = (int)m->n[b], rows = (int)count, before = (int)first, stride = (int)m->rows;
    const double *x = m->block[b], *own = x + first * m->n[b];
    if (first > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, before, n, 1 / m->lanes, own, n, x, n, 1, sums,
                    stride);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, rows, n, 1 / m->lanes, own, n, 1, sums + first, stride);
}

static int remove_means(matcher *m)
{
    int threads = share_threads(m->share);
    if (over_parts(m, add_means, 0, m->rows, m->rows))
        return 1;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < m->n_blocks; b++)
        for (size_t i = 0; i < m->rows && share_owns(m->share, b) && !stopped(m); i++) {
            double mean = m->both[i] / m->lanes, *row = m->block[b] + i * m->n[b];
            for (size_t p = 0; p < m->n[b]; p++)
                row[p] -= mean;
        }
    return 0;
}

static int make_gram(matcher *m)
{
    for (size_t first = 0; first < m->rows; first += m->panel) {
        size_t count = m->rows - first < m->panel ? m->rows - first : m->panel;
        if (over_parts(m, add_gram, first, count, count * m->rows))
            return 1;
        memcpy(m->gram + first * m->rows, m->both, sizeof *m->gram * count * m->rows);
    }
    return 0;
}

/* x becomes L^{-1} x. Non-zero if the covariance is singular. */
static int whiten(matcher *m)
{
    int threads = share_threads(m->share), order = (int)m->rows;
    if (LAPACKE_dpotrf_work(LAPACK_ROW_MAJOR, 'L', order, m->gram, order) != 0)
        return 1;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t b = 0; b < m->n_blocks; b++)
        if (share_owns(m->share, b) && !stopped(m))
            cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, order, (int)m->n[b], 1,
                        m->gram, order, m->block[b], (int)m->n[b]);
    return 0;
}

static sgdmft_status match(sgdmft_context *ctx, matcher *m)
{
    if (remove_means(m) || make_gram(m))
        return SGDMFT_OK; /* a message was lost, which ranks_agree reports */
    int singular = !stopped(m) && whiten(m);
    if (stopped(m))
        return context_interrupted(ctx, "moments were matched");
    return singular ? context_fail(ctx, SGDMFT_ERR_NON_FINITE,
                                   "moment matching: the empirical covariance of %zu normals over %.0f paths is "
                                   "singular; hint: raise numerics.paths",
                                   m->rows, m->lanes)
                    : SGDMFT_OK;
}

sgdmft_status matching_apply_shared(sgdmft_context *ctx, const path_share *share, size_t rows, size_t n_blocks,
                                    double *const *block, const size_t *n)
{
    size_t lanes = 0;
    for (size_t b = 0; b < n_blocks; b++)
        lanes += n[b];
    if (rows > lanes / 4)
        rows = lanes / 4;
    if (rows == 0)
        return SGDMFT_OK;
    matcher m = {
        .ctx = ctx, .share = share, .rows = rows, .n_blocks = n_blocks, .block = block, .n = n, .lanes = (double)lanes};
    sgdmft_status status = ranks_agree(ctx, share_ranks(share), matcher_init(ctx, &m));
    /* BLAS runs on one thread, so that its sums do not depend on the number of threads */
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    if (!status)
        status = ranks_agree(ctx, share_ranks(share), match(ctx, &m));
    omp_set_num_threads(threads);
    matcher_clear(&m);
    return status;
}

sgdmft_status matching_apply(sgdmft_context *ctx, size_t rows, size_t n_blocks, double *const *block, const size_t *n)
{
    return matching_apply_shared(ctx, NULL, rows, n_blocks, block, n);
}
