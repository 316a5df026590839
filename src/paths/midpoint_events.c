/* All lanes have their events at the same times, halfway through each cell on every grid, so they share the responses
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
        kernels_between(kern, cell, 0.5, b, 0.5, R);
        for (int c = 0; c < k; c++)
            for (int l = 0; l < k; l++)
                between[((b * k + c) * steps + cell) * k + l] = -R[l * k + c];
    }
}

/* Before the first pass of a cell: the number of parts of each kick, and a first guess of the positions. Later passes
   keep the numbers, so that kicks change smoothly from pass to pass, and begin at the last solution. */
static int begin_cell(path_block *block, const midpoint_step *step, double *work)
{
    if (block->begun == block->node)
        return 0;
    if (midpoint_parts(step, work, block->parts))
        return -1;
    memcpy(block->middle, step->r, sizeof *block->middle * step->k * step->n);
    block->begun = block->node;
    return 0;
}

static int advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s)
{
    const path_inputs *in = block->in;
    const time_grid *grid = kern->grid;
    size_t k = (size_t)plan->shape.k, n = in->n, width = k * n;
    double *r = s->work, own[MATRIX_MAX * MATRIX_MAX], length = grid->h[cell] * step_rule_eta(grid, cell);
    response_midpoint_own(kern, cell, own);
    for (size_t x = 0; x < width; x++)
        r[x] = 0.5 * (block->r_last[x] + block->r[x]);
    lanes_fill(n, grid->t[cell] + 0.5 * grid->h[cell], s->t);
    block_gradient source = {plan, in, s};
    midpoint_step step = {
        .k = k, .n = n, .length = length, .own = own, .r = r, .gradient = path_block_gradient, .user = &source};
    if (begin_cell(block, &step, s->visit) ||
        plan->process->midpoint(&step, block->parts, s->visit, block->middle, s->g,
                                block->chains->slope + (size_t)cell * k * width))
        return -1;
    for (size_t x = 0; x < width; x++) {
        block->newest_sum[x] = length * s->g[x];
        block->newest_moment[x] = 0.5 * block->newest_sum[x];
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
        lanes_sum(kk, block->in->n, s->GK + (size_t)(b * kk) * block->in->n,
                  sums + averages_used(&plan->at, b) + (size_t)(RESPONSE_CELL * kk));
}

/* No control variable is used without white noise, which alone would ask for an interpolation. */
const path_events midpoint_events = {.advance = advance, .derive = derive, .average = average};
