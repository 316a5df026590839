#include "merged/block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "merged/events.h"
#include "paths/lanes.h"

double merged_block_bytes(const path_plan *plan, double cells)
{
    double k = plan->shape.k;
    return 2 * sizeof(float) * MOMENTS * cells * k + 8 * (3 * MOMENTS + 7) * k;
}

sgdmft_status merged_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, int cells,
                               path_block *base, merged_block *out)
{
    size_t width = (size_t)plan->shape.k * in->n;
    int apart = plan->grid->epoch > 0, failed;
    *base = (path_block){.in = in};
    *out = (merged_block){.K = NULL};
    base->r = memory_doubles(width);
    base->r_last = memory_doubles(width);
    base->unvisited = apart ? memory_doubles(width) : NULL;
    failed = rows_new(plan->shape.k, in->n, MOMENTS * cells, 1, &out->kicks) ||
             rows_new(plan->shape.k, in->n, MOMENTS * cells, 1, &out->innovations) ||
             rows_new(plan->shape.k, in->n, plan->last_visit ? GRADIENTS : 0, 1, &out->gradients);
    out->K = memory_doubles(MOMENTS * width);
    out->U = memory_doubles(MOMENTS * width);
    out->predicted = memory_doubles(width);
    out->g_last = memory_doubles(width);
    out->room = memory_doubles((MOMENTS + 1) * width + 4 * in->n);
    if (failed || !base->r || !base->r_last || (apart && !base->unvisited) || !out->K || !out->U || !out->predicted ||
        !out->g_last || !out->room)
        return context_out_of_memory(ctx, "a block of paths", (double)in->n * merged_block_bytes(plan, cells));
    return SGDMFT_OK;
}

void merged_block_clear(merged_block *block)
{
    rows_clear(&block->kicks);
    rows_clear(&block->innovations);
    rows_clear(&block->gradients);
    free(block->K);
    free(block->U);
    free(block->predicted);
    free(block->g_last);
    free(block->room);
    memset(block, 0, sizeof *block);
}

/* g, G and the averages at a position that involve no history. */
static int node_averages(merged_block *block, const path_block *base, const path_plan *plan, int node,
                         const double *position, path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = base->in->n;
    lanes_fill(n, plan->grid->t[node], s->t);
    if (model_gradient(plan->m, s->model, n, s->t, position, base->in->y, s->g, s->G))
        return -1;
    memcpy(block->g_last, s->g, sizeof(double) * (size_t)k * n);
    if (plan->last_visit)
        rows_set(&block->gradients, node % GRADIENTS, s->g);
    lanes_outer(k, k, n, s->g, s->g, sums + plan->at.outer);
    path_block_average(base, plan, position, s, sums);
    return 0;
}

int merged_block_start(merged_block *block, path_block *base, const path_plan *plan, path_workspace *s, double *sums)
{
    path_block_start_field(base, plan, base->r);
    return node_averages(block, base, plan, 0, base->r, s, sums);
}

void merged_block_prepare(merged_block *block, const path_block *base, const merged_kernels *kern)
{
    memset(block->predicted, 0, sizeof(double) * (size_t)kern->k * base->in->n);
    rows_combine(&block->innovations, MOMENTS * kern->cells.n, (size_t)kern->features, kern->y_now, block->predicted);
}

/* row[k][features] = scale R_{i+1} over `features` features from `first` on, with rows of that length. */
static void scaled_row(const merged_kernels *kern, int first, int features, double scale, double *row)
{
    for (int a = 0; a < kern->k; a++) {
        const double *R = kern->R_next + (size_t)a * (size_t)kern->features + (size_t)first;
        for (int f = 0; f < features; f++)
            row[(size_t)a * (size_t)features + (size_t)f] = scale * R[f];
    }
}

/* Adds the kicks of cells first .. last - 1 to a position. */
static void add_kicks(const merged_block *block, const merged_kernels *kern, int first, int last, path_workspace *s,
                      double *r)
{
    int group = MOMENTS * first, groups = MOMENTS * (last - first), features = groups * kern->k;
    if (groups <= 0)
        return;
    scaled_row(kern, group * kern->k, features, -1, s->row);
    rows_combine_part(&block->kicks, group, groups, (size_t)features, s->row, r);
}

/* The positions at t_{i+1} without the newest cell: of the path as it is, and of one that is visited now, which lacks
   the kicks of the cells from `since` on. */
static void open_positions(const merged_block *block, path_block *base, const path_plan *plan,
                           const merged_kernels *kern, int since, path_workspace *s)
{
    int k = kern->k, kstar = kern->kstar, features = merged_features(kern), cells = kern->cells.n;
    size_t n = base->in->n, bytes = sizeof(double) * (size_t)k * n;
    double onto_teacher[MATRIX_MAX * MATRIX_MAX], onto_start[MATRIX_MAX * MATRIX_MAX];
    path_block_coefficients(plan, kern->mark[0].R_next, kern->F_next, onto_teacher, onto_start);
    memset(base->r, 0, bytes);
    lanes_combine(k, kstar, (size_t)kstar, n, onto_teacher, base->in->wstar, base->r);
    lanes_combine(k, k, (size_t)k, n, onto_start, base->in->z0, base->r);
    scaled_row(kern, 0, features, -sqrt(kern->delta), s->row);
    rows_combine(&block->innovations, MOMENTS * cells, (size_t)features, s->row, base->r);
    add_kicks(block, kern, 0, since < cells ? since : cells, s, base->r);
    if (!base->unvisited)
        return;
    memcpy(base->unvisited, base->r, bytes);
    add_kicks(block, kern, since, cells, s, base->r);
}

/* The moments of the newest innovation: predicted part and noise. */
static void draw_innovation(merged_block *block, const path_block *base, const merged_kernels *kern, int i,
                            const window_cell *cell)
{
    int k = kern->k, more = cell_features(kern);
    size_t n = base->in->n, width = (size_t)k * n;
    double h = kern->grid->h[i], start = kern->grid->eta_start[i], end = kern->grid->eta_end[i];
    double *ahead = block->room, *U = block->U;
    memset(ahead, 0, sizeof(double) * width);
    rows_combine(&block->innovations, MOMENTS * kern->cells.n, (size_t)kern->features, kern->y_next, ahead);
    for (size_t x = 0; x < width; x++) {
        double first = start * block->predicted[x], last = end * ahead[x];
        U[x] = 0.5 * h * (first + last);
        U[width + x] = h / (2 * MOMENT_ROOT3) * (last - first);
    }
    lanes_combine(more, more, (size_t)more, n, kern->root, cell->xi, U);
}

/* Adds the newest cell to a position: its noise, and its kicks if `kicked`. */
static void close_position(const merged_block *block, const path_block *base, const merged_kernels *kern, int kicked,
                           double *r)
{
    int k = kern->k, more = cell_features(kern), first = merged_features(kern);
    double row[2 * MATRIX_MAX * MATRIX_MAX], noise[2 * MATRIX_MAX * MATRIX_MAX], root = sqrt(kern->delta);
    scaled_row(kern, first, more, -1, row);
    for (int x = 0; x < k * more; x++)
        noise[x] = root * row[x];
    lanes_combine(k, more, (size_t)more, base->in->n, noise, block->U, r);
    if (kicked)
        lanes_combine(k, more, (size_t)more, base->in->n, row, block->K, r);
}

/* Adds the products of g with the moments of the history: of kicks in cells before `since`, and of all innovations.
   cells = number of accepted cells; with `newest`, the newest one counts too. */
static void history_averages(const merged_block *block, const path_block *base, const path_plan *plan, int cells,
                             int since, int newest, path_workspace *s, double *sums)
{
    int k = plan->shape.k, kicked = since < cells ? since : cells;
    size_t n = base->in->n, width = (size_t)k * n, kk = (size_t)(k * k);
    path_history_correlate(&block->kicks, &plan->at, MOMENTS * kicked, VISITS, s->g, s->row, sums);
    path_history_correlate(&block->innovations, &plan->at, MOMENTS * cells, INNOVATION, s->g, s->row, sums);
    for (int m = 0; newest && m < MOMENTS; m++) {
        double *out = sums + averages_used(&plan->at, MOMENTS * cells + m);
        lanes_outer(k, k, n, s->g, block->U + (size_t)m * width, out + INNOVATION * kk);
        if (since > cells)
            lanes_outer(k, k, n, s->g, block->K + (size_t)m * width, out + VISITS * kk);
    }
}

int merged_block_advance(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                         int i, const window_cell *cell, path_workspace *s, double *sums)
{
    int since = merged_visited_before(kern, i);
    open_positions(block, base, plan, kern, since, s);
    draw_innovation(block, base, kern, i, cell);
    if (merged_events_advance(block, base, plan, kern, i, cell, s))
        return -1;
    close_position(block, base, kern, 1, base->r);
    if (base->unvisited)
        close_position(block, base, kern, 0, base->unvisited);
    base->node = i + 1;
    if (node_averages(block, base, plan, i + 1, path_block_unvisited(base, plan), s, sums))
        return -1;
    history_averages(block, base, plan, kern->cells.n, since, 1, s, sums);
    return 0;
}

int merged_block_renew(merged_block *block, const path_block *base, const path_plan *plan, const merged_kernels *kern,
                       int i, path_workspace *s, double *sums)
{
    if (node_averages(block, base, plan, i, base->r_last, s, sums))
        return -1;
    history_averages(block, base, plan, kern->cells.n, kern->cells.n, 0, s, sums);
    return 0;
}

void merged_block_accept(merged_block *block, path_block *base, const merged_kernels *kern, path_workspace *s,
                         double *gram)
{
    int k = kern->k, cells = kern->cells.n, old = MOMENTS * cells;
    size_t n = base->in->n, width = (size_t)k * n, F = (size_t)kern->features;
    for (int m = 0; m < MOMENTS; m++) {
        rows_set(&block->kicks, old + m, block->K + (size_t)m * width);
        rows_set(&block->innovations, old + m, block->U + (size_t)m * width);
    }
    int columns = (old + MOMENTS) * k;
    for (int m = 0; m < MOMENTS; m++) {
        memset(s->row, 0, sizeof(double) * (size_t)(k * columns));
        rows_outer(&block->kicks, old + MOMENTS, block->K + (size_t)m * width, s->row);
        for (int a = 0; a < k; a++)
            for (int f = 0; f < columns; f++)
                gram[(size_t)(m * k + a) * F + (size_t)f] += s->row[a * columns + f];
    }
    path_block_keep_position(base);
}

void merged_block_merge(merged_block *block, int n_cells, int c, const moment_map *map)
{
    path_rows *rows[] = {&block->kicks, &block->innovations};
    for (int r = 0; r < 2; r++)
        rows_merge(rows[r], MOMENTS * c, MOMENTS * n_cells, map->onto_mean, map->onto_slope);
}
