/* All lanes have their events at the same times, at the same place of each cell, so they share the responses
   between events. With D_b the derivative of kick b with respect to the position that it would have without itself, a
   run backwards over the events gives the derivatives of the newest kick,

     x_b = d S_i / d w(T_b) = - (D_i R(T_i, T_b) + sum_{b < a < i} x_a R(T_a, T_b)) D_b,   x_i = D_i. */
#include "paths/midpoint_events.h"

#include <string.h>

#include "core/matrix.h"
#include "kernels/response_midpoint.h"
#include "kernels/step_rule.h"
#include "paths/lanes.h"

/* - R(T_cell, T_b), b < cell, in path_chains.between. */
static void response_at_event(const kernels *kern, int cell, double *between)
{
    int k = kern->k, steps = kern->steps;
    double R[MATRIX_MAX * MATRIX_MAX];
    for (int b = 0; b < cell; b++) {
        kernels_between(kern, cell, kern->grid->event[cell], b, 1 - kern->grid->event[b], R);
        for (int c = 0; c < k; c++)
            for (int l = 0; l < k; l++)
                between[((b * k + c) * steps + cell) * k + l] = -R[l * k + c];
    }
}

/* The position at the event of the cell before, from which the one of this cell is found; in the first cell, that
   without the kick. It is kept for all passes of the cell, so that a pass depends on nothing but its kernels. */
static void begin_cell(path_block *block, const midpoint_step *step)
{
    size_t bytes = sizeof *block->middle * step->k * step->n;
    if (block->begun != block->node)
        memcpy(block->earlier, block->node == 1 ? step->r : block->middle, bytes);
    block->begun = block->node;
    memcpy(block->middle, block->earlier, bytes);
}

static int advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s)
{
    const path_inputs *in = block->in;
    const time_grid *grid = kern->grid;
    size_t k = (size_t)plan->shape.k, n = in->n, width = k * n;
    double *r = s->work, own[MATRIX_MAX * MATRIX_MAX], length = grid->h[cell] * step_rule_eta(grid, cell);
    double place = grid->event[cell];
    response_midpoint_own(kern, cell, own);
    for (size_t x = 0; x < width; x++)
        r[x] = (1 - place) * block->r_last[x] + place * block->r[x];
    lanes_fill(n, grid->t[cell] + place * grid->h[cell], s->t);
    block_gradient source = {plan, in, s};
    midpoint_step step = {
        .k = k, .n = n, .length = length, .own = own, .r = r, .gradient = path_block_gradient, .user = &source};
    begin_cell(block, &step);
    if (plan->process->midpoint(&step, s->visit, block->middle, s->g, block->chains->slope + (size_t)cell * k * width))
        return -1;
    for (size_t x = 0; x < width; x++) {
        block->newest_sum[x] = length * s->g[x];
        block->newest_moment[x] = (1 - place) * block->newest_sum[x];
    }
    for (size_t c = 0; c < k * k; c++)
        own[c] = -own[c];
    memcpy(s->own, r, sizeof *r * width);
    lanes_combine((int)k, (int)k, k, n, own, block->newest_sum, s->own);
    response_at_event(kern, cell, block->chains->between);
    return 0;
}

static void derive(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                   path_workspace *s)
{
    int cell = node - 1, k = plan->shape.k;
    size_t size = (size_t)(k * k) * block->in->n;
    const double *D = block->chains->slope + (size_t)cell * size, *between = block->chains->between;
    (void)history;
    for (int b = 0; b < cell; b++)
        for (int c = 0; c < k; c++)
            for (int l = 0; l < k; l++)
                s->row[(b * k + l) * k + c] = between[((b * k + c) * kern->steps + cell) * k + l];
    lanes_adjoint(k, block->in->n, cell, kern->steps, s->row, between, block->chains->slope, D, s->work, s->rho, s->GK);
    memcpy(s->GK + (size_t)cell * size, D, sizeof *D * size);
}

static void average(const path_block *block, const path_plan *plan, int history, path_workspace *s, double *sums)
{
    int kk = plan->shape.k * plan->shape.k;
    for (int b = 0; b < history; b++)
        for (int c = 0; c < kk; c++) {
            const double *x = s->GK + (size_t)(b * kk + c) * block->in->n;
            double *out = sums + averages_used(&plan->at, b) + c;
            lanes_sum(1, block->in->n, x, out + (size_t)(RESPONSE_CELL * kk));
            lanes_outer(1, 1, block->in->n, x, x, out + (size_t)(CELL_SQUARE * kk));
        }
    path_history_correlate(&block->history.normals, &plan->at, history, CELL_NORMAL, block->newest_sum, s->row, sums);
}

/* No control variable is used without white noise, which alone would ask for an interpolation. */
const path_events midpoint_events = {.advance = advance, .derive = derive, .average = average};
