#include "solvers/dmft/merged.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "merged/innovations.h"
#include "merged/last_visit.h"
#include "solvers/dmft/replica.h"

static size_t gram_size(const merged_kernels *kern)
{
    return (size_t)(MOMENTS * kern->k) * (size_t)kern->features;
}

sgdmft_status merged_replica_new(sgdmft_context *ctx, const merged_source *source, const path_plan *plan,
                                 size_t n_blocks, int threads, size_t lanes, merged_replica **out)
{
    merged_replica *m = calloc(1, sizeof *m);
    if (!m)
        return context_out_of_memory(ctx, "a replica", sizeof *m);
    *m = (merged_replica){.window = source->window, .level = source->level, .threads = threads, .n_blocks = n_blocks};
    sgdmft_status status = merged_kernels_new(ctx, &source->kernels, &m->kern);
    if (!status) {
        m->normals = normals_layout_of(plan, m->kern);
        m->block = calloc(n_blocks, sizeof *m->block);
        m->room = calloc((size_t)threads, sizeof *m->room);
        m->gram = memory_doubles(gram_size(m->kern));
        int failed = !m->block || !m->room || !m->gram || normals_change_new(&m->normals, &m->change);
        for (int i = 0; i < threads && !failed; i++)
            failed = !(m->room[i] = memory_doubles(normals_room(&m->normals, lanes)));
        if (failed)
            status = context_out_of_memory(ctx, "a replica", 8.0 * (double)gram_size(m->kern));
    }
    if (status)
        merged_replica_free(m);
    else
        *out = m;
    return status;
}

void merged_replica_free(merged_replica *m)
{
    if (!m)
        return;
    for (size_t b = 0; m->block && b < m->n_blocks; b++)
        merged_block_clear(&m->block[b]);
    for (int i = 0; m->room && i < m->threads; i++)
        free(m->room[i]);
    free(m->block);
    free(m->room);
    free(m->gram);
    normals_change_clear(&m->change);
    merged_kernels_free(m->kern);
    free(m);
}

sgdmft_status merged_replica_block(sgdmft_context *ctx, merged_replica *m, const path_plan *plan, const path_inputs *in,
                                   size_t b, path_block *base)
{
    return merged_block_new(ctx, plan, in, m->kern->cells.most, base, &m->block[b]);
}

size_t merged_replica_sums(const merged_replica *m)
{
    size_t normals = normals_sums(&m->normals), gram = gram_size(m->kern);
    return normals > gram ? normals : gram;
}

/* The inputs of block b in a cell of this grid. */
static window_cell *cell_of(const merged_replica *m, size_t b, int cell)
{
    return &m->window[b].cell[m->level][cell % (WINDOW_CELLS >> m->level)];
}

int merged_replica_advance(const merged_replica *m, const path_plan *plan, size_t b, path_block *base, int cell,
                           path_workspace *workspace, double *sums)
{
    if (cell < 0)
        return merged_block_start(&m->block[b], base, plan, workspace, sums);
    return merged_block_advance(&m->block[b], base, plan, m->kern, cell, cell_of(m, b, cell), workspace, sums);
}

int merged_replica_last_visit(const merged_replica *m, const path_plan *plan, size_t b, const path_block *base,
                              int cell, path_workspace *workspace, double *sums, double *observed)
{
    return merged_last_visit(&m->block[b], base, plan, m->kern, cell, workspace, sums, observed);
}

int merged_replica_renew(const merged_replica *m, const path_plan *plan, size_t b, const path_block *base, int node,
                         path_workspace *workspace, double *sums)
{
    return merged_block_renew(&m->block[b], base, plan, m->kern, node, workspace, sums);
}

static int add_normals(replica *rep, const void *user, size_t b, int thread, double *sums)
{
    const merged_replica *m = rep->merged;
    const int *cell = user;
    normals_add(&m->normals, &m->block[b], &rep->block[b], rep->plan, m->kern, cell_of(m, b, *cell), m->room[thread],
                sums);
    return 0;
}

static int change_normals(replica *rep, const void *user, size_t b, int thread, double *sums)
{
    const merged_replica *m = rep->merged;
    const int *cell = user;
    (void)sums;
    normals_apply(&m->normals, &m->block[b], &rep->block[b], rep->plan, m->kern, &m->change, cell_of(m, b, *cell),
                  m->room[thread]);
    merged_block_prepare(&m->block[b], &rep->block[b], m->kern);
    return 0;
}

/* Sums over all paths from those over the even and the odd parts. */
static const double *whole(replica *rep, size_t width)
{
    for (size_t x = 0; x < width; x++)
        rep->halves[x] += rep->halves[width + x];
    return rep->halves;
}

int merged_replica_begin(replica *rep, int i, const double *now)
{
    merged_replica *m = rep->merged;
    size_t width = normals_sums(&m->normals);
    if (replica_for_blocks(rep, width, add_normals, &i))
        return -1;
    normals_solve(&m->normals, m->kern, (double)rep->paths, whole(rep, width), &m->change);
    /* a failure shows as a residual that is not a number */
    innovations_prepare(m->kern, &rep->plan->at, now);
    return replica_for_blocks(rep, 0, change_normals, &i);
}

static int accept_block(replica *rep, const void *user, size_t b, int thread, double *sums)
{
    const merged_replica *m = rep->merged;
    (void)user;
    merged_block_accept(&m->block[b], &rep->block[b], m->kern, rep->workspace[thread], sums);
    return 0;
}

/* Merges whatever is to be merged at t. */
static void merge_old(replica *rep, double t, double *before, double *now)
{
    merged_replica *m = rep->merged;
    cell_list *cells = &m->kern->cells;
    const averages_layout *at = &rep->plan->at;
    int width = (int)at->kinds * at->k * at->k;
    for (int c = cell_list_pair(cells, t, 0); c >= 0; c = cell_list_pair(cells, t, c)) {
        moment_map map = moment_map_of(cell_list_share(cells, c));
        merged_kernels_merge(m->kern, c, &map);
        merged_row_merge(before + at->rows, width, cells->n, c, &map, 1);
        merged_row_merge(now + at->rows, width, cells->n, c, &map, 1);
        for (size_t b = 0; b < m->n_blocks; b++)
            if (share_owns(rep->share, b))
                merged_block_merge(&m->block[b], cells->n, c, &map);
        cell_list_merge(cells, c);
    }
}

/* If the accepted node has two-time arrays: stores their row, and follows the column from here on. */
static void follow_mark(merged_replica *m, const time_grid *grid, grid_solution *out)
{
    int row = m->next_mark, marks = out->shape.marks;
    size_t kk = (size_t)(m->kern->k * m->kern->k);
    if (row == marks || out->mark[row] != m->node)
        return;
    if (row > 0)
        merged_kernels_mark(m->kern, grid->t[m->node]);
    for (int j = 0; j <= row; j++) {
        size_t at = ((size_t)row * (size_t)marks + (size_t)j) * kk;
        memcpy(out->R_marks + at, m->kern->mark[j].R, sizeof(double) * kk);
        if (j < row)
            merged_mark_correlation(m->kern, j, out->C_marks + at);
        else
            merged_correlation(m->kern, 0, out->C_marks + at);
    }
    m->next_mark++;
}

int merged_replica_accept(replica *rep, double *before, double *now)
{
    merged_replica *m = rep->merged;
    if (rep->out->nodes == 0) {
        for (size_t b = 0; b < rep->n_blocks; b++)
            path_block_keep_position(&rep->block[b]);
        follow_mark(m, rep->grid, rep->out);
        return 0;
    }
    size_t width = gram_size(m->kern);
    if (replica_for_blocks(rep, width, accept_block, NULL))
        return -1;
    const double *sum = whole(rep, width);
    for (size_t x = 0; x < width; x++)
        m->gram[x] = sum[x] / (double)rep->paths;
    merged_kernels_accept(m->kern, m->node, m->gram);
    m->node++;
    merge_old(rep, rep->grid->t[m->node], before, now);
    follow_mark(m, rep->grid, rep->out);
    return 0;
}

void merged_replica_record(merged_replica *m, int node, grid_solution *out)
{
    size_t kk = (size_t)(m->kern->k * m->kern->k);
    int next = node != m->node;
    const kernel_mark *start = &m->kern->mark[0];
    memcpy(out->R + (size_t)node * kk, next ? start->R_next : start->R, sizeof(double) * kk);
    memcpy(out->Q + (size_t)node * kk, next ? m->kern->end_next : m->kern->end, sizeof(double) * kk);
}
