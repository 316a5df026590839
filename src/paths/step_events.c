/* All lanes have their events at the same times, so they share the responses between events. A run backwards over the
   events solves (2) for the derivatives of g(t) with respect to w at each event: with D_b = d kick_b / d r_b,

     x_b = d g(t) / d w(T_b) = (- G R(t, T_b) - sum_{a > b} x_a R(T_a, T_b)) D_b. */
#include "paths/step_events.h"

#include <string.h>

#include "core/matrix.h"
#include "paths/lanes.h"

/* Component x of a kernel row at event b, linear between nodes. */
static double at_event(const kernels *kern, response_row row, int x, int b)
{
    const double *low = row.row + (size_t)x * row.plane + b;
    return low[0] + kern->grid->middle[b] * (low[1] - low[0]);
}

/* out[b][k][k] = - R(t_node, T_b) for b < node. */
static void response_at_node(const kernels *kern, int node, double *out)
{
    response_row row = {kernels_R(kern, 0, node), kern->plane};
    int kk = kern->k * kern->k;
    for (int b = 0; b < node; b++)
        for (int x = 0; x < kk; x++)
            out[b * kk + x] = -at_event(kern, row, x, b);
}

/* Sets - R(T_cell, T_b), b < cell, in path_chains.between. */
static void response_at_event(const kernels *kern, int cell, double *between)
{
    int k = kern->k, steps = kern->steps;
    double R[MATRIX_MAX * MATRIX_MAX];
    for (int b = 0; b < cell; b++) {
        kernels_between(kern, cell, kern->grid->middle[cell], b, kern->grid->middle[b], R);
        for (int c = 0; c < k; c++)
            for (int l = 0; l < k; l++)
                between[((b * k + c) * steps + cell) * k + l] = -R[l * k + c];
    }
}

/* The position just before the event in the middle of the cell (block.h); it is the first event of the cell, so S = B =
   0. */
static void position(const path_block *block, const path_plan *plan, const kernels *kern, int cell, double *r)
{
    const path_inputs *in = block->in;
    size_t k = (size_t)plan->shape.k, n = in->n;
    double x = kern->grid->middle[cell], minus_root[MATRIX_MAX * MATRIX_MAX];
    for (size_t p = 0; p < k * n; p++)
        r[p] = (1 - x) * block->r_last[p] + x * block->r[p];
    if (!plan->process->white_noise)
        return;
    for (size_t c = 0; c < k * k; c++)
        minus_root[c] = -kern->bridge[(size_t)cell * k * k + c];
    lanes_combine((int)k, (int)k, k, n, minus_root, in->bridge + (size_t)cell * k * n, r);
}

static int advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s)
{
    const path_inputs *in = block->in;
    const time_grid *grid = kern->grid;
    size_t k = (size_t)plan->shape.k, n = in->n, a = (size_t)cell;
    double *r = s->work, *D = block->chains ? block->chains->slope + a * k * k * n : NULL;
    position(block, plan, kern, cell, r);
    lanes_fill(n, grid->t[cell] + grid->middle[cell] * grid->h[cell], s->t);
    block_gradient source = {plan, in, s};
    kick_step step = {.k = k,
                      .n = n,
                      .eta = grid->eta_middle[cell],
                      .h = grid->h[cell],
                      .noise = in->noise ? in->noise + a * n : NULL,
                      .r = r,
                      .gradient = path_block_gradient,
                      .user = &source};
    if (plan->process->kick(&step, s->visit, block->newest_sum, D))
        return -1;
    for (size_t p = 0; p < k * n; p++)
        block->newest_moment[p] = grid->middle[cell] * block->newest_sum[p];
    if (D)
        response_at_event(kern, cell, block->chains->between);
    return 0;
}

static void derive(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                   path_workspace *s)
{
    response_at_node(kern, node, s->row);
    lanes_adjoint(plan->shape.k, block->in->n, history, kern->steps, s->row, block->chains->between,
                  block->chains->slope, s->G, s->work, s->rho, s->GK);
}

static void average(const path_block *block, const path_plan *plan, int history, path_workspace *s, double *sums)
{
    size_t kk = (size_t)(plan->shape.k * plan->shape.k), n = block->in->n;
    const double *middle = plan->grid->middle;
    for (int b = 0; b < history; b++) {
        double *left = sums + averages_used(&plan->at, b) + RESPONSE_LEFT * kk;
        double *right = sums + averages_used(&plan->at, b) + RESPONSE_RIGHT * kk;
        for (size_t x = 0; x < kk; x++) {
            const double *GK = s->GK + ((size_t)b * kk + x) * n;
            double sum = 0;
            for (size_t p = 0; p < n; p++)
                sum += GK[p];
            left[x] += (1 - middle[b]) * sum;
            right[x] += middle[b] * sum;
        }
    }
}

static void interpolate(const path_block *block, const path_plan *plan, const kernels *kern, response_row row,
                        int history, path_workspace *s)
{
    int kk = plan->shape.k * plan->shape.k;
    size_t n = block->in->n;
    for (int b = 0; b < history; b++)
        for (int x = 0; x < kk; x++) {
            double value = at_event(kern, row, x, b), *out = s->rho + ((size_t)b * (size_t)kk + (size_t)x) * n;
            for (size_t p = 0; p < n; p++)
                out[p] = value;
        }
}

const path_events step_events = {.advance = advance, .derive = derive, .average = average, .interpolate = interpolate};
