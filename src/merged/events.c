#include "merged/events.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "core/simd.h"
#include "paths/lanes.h"

/* The displacement of a path at place x by the noise and the earlier kicks of the same cell, for one component. With
   C = R(t_{i+1}, t_i) - 1, the moments U of the noise and K of the kicks, and the sum B = (K_0 + K_1 / sqrt 3) / 2 of
   place times kick,

     direct = sqrt(delta) (U_0 x + U_1 Phi(x)) + K_0,
     decay  = sqrt(delta) (U_0 x^2/2 + U_1 sqrt(3) (x^3/3 - x^2/2)) + x K_0 - B,

   and the position is lower by direct + C decay. */
static VECTOR_CLONES void own_cell(size_t count, double root, const int *restrict lane, const double *restrict place,
                                   const double *restrict U0, const double *restrict U1, const double *restrict K0,
                                   const double *restrict K1, double *restrict direct, double *restrict decay)
{
    for (size_t v = 0; v < count; v++) {
        double x = place[v], u0 = root * U0[lane[v]], u1 = root * U1[lane[v]], k0 = K0[lane[v]], k1 = K1[lane[v]];
        direct[v] = u0 * x + u1 * moment_slope_integral(x) + k0;
        decay[v] = u0 * (0.5 * x * x) + u1 * (MOMENT_ROOT3 * x * x * (x / 3 - 0.5)) + (x - 0.5) * k0 -
                   k1 * (0.5 / MOMENT_ROOT3);
    }
}

static VECTOR_CLONES void subtract_scaled(size_t count, double factor, const double *restrict x, double *restrict r)
{
    for (size_t v = 0; v < count; v++)
        r[v] -= factor * x[v];
}

/* Subtracts this displacement from the positions r[k][count]. `room` has 2 numbers for each of them. */
static void subtract_own(const merged_block *block, const merged_kernels *kern, size_t n, size_t count, const int *lane,
                         const double *place, double *room, double *r)
{
    size_t k = (size_t)kern->k, width = k * n;
    double *direct = room, *decay = room + count, root = sqrt(kern->delta);
    for (size_t b = 0; b < k; b++) {
        const double *U = block->U + b * n, *K = block->K + b * n;
        own_cell(count, root, lane, place, U, U + width, K, K + width, direct, decay);
        subtract_scaled(count, 1, direct, r + b * count);
        for (size_t a = 0; a < k; a++)
            subtract_scaled(count, kern->within[a * k + b] - (a == b), decay, r + a * count);
    }
}

/* The visits of one group, which are on different paths. */
static int advance_group(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                         int i, const window_cell *cell, const visit_group *group, path_workspace *s)
{
    size_t k = (size_t)plan->shape.k, n = base->in->n, count = group->count, first = group->first;
    const int *lane = cell->lane + first;
    const double *place = cell->place + first;
    double *t = s->visit, *r = t + count, *g = r + k * count, *y = g + k * count;
    for (size_t v = 0; v < count; v++)
        t[v] = kern->grid->t[i] + place[v] * kern->grid->h[i];
    lanes_visit((int)k, n, count, lane, place, kern->bridge, cell->visit_bridge + k * first, base->r_last, base->r, r);
    subtract_own(block, kern, n, count, lane, place, block->room, r);
    for (size_t c = 0; c < (size_t)plan->shape.labels; c++)
        for (size_t v = 0; v < count; v++)
            y[c * count + v] = base->in->y[c * n + (size_t)lane[v]];
    if (model_gradient(plan->m, s->model, count, t, r, y, g, NULL))
        return -1;
    double *slope = block->room;
    for (size_t v = 0; v < count; v++)
        slope[v] = moment_slope(place[v]);
    lanes_kick((int)k, n, count, lane, slope, cell->step + first, g, block->K, block->K + k * n);
    return 0;
}

static int advance_visits(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                          int i, const window_cell *cell, path_workspace *s)
{
    memset(block->K, 0, sizeof(double) * MOMENTS * (size_t)plan->shape.k * base->in->n);
    for (size_t v = 0; v < cell->n_groups; v++)
        if (advance_group(block, base, plan, kern, i, cell, &cell->groups[v], s))
            return -1;
    return 0;
}

/* One event at the middle of the cell. */
static int advance_step(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern, int i,
                        const window_cell *cell, path_workspace *s)
{
    const time_grid *grid = kern->grid;
    int k = plan->shape.k;
    size_t n = base->in->n, width = (size_t)k * n;
    double x = grid->middle[i], root = sqrt(kern->delta), *r = block->room, minus[MATRIX_MAX * MATRIX_MAX];
    double terms[MOMENTS][2] = {{x, 0.5 * x * x}, {moment_slope_integral(x), MOMENT_ROOT3 * x * x * (x / 3 - 0.5)}};
    for (size_t p = 0; p < width; p++)
        r[p] = (1 - x) * base->r_last[p] + x * base->r[p];
    for (int c = 0; c < k * k; c++)
        minus[c] = -kern->bridge[c];
    lanes_combine(k, k, (size_t)k, n, minus, cell->bridge, r);
    for (int m = 0; m < MOMENTS; m++) {
        for (int c = 0; c < k * k; c++) {
            double one = c % (k + 1) == 0;
            minus[c] = -root * (one * terms[m][0] + (kern->within[c] - one) * terms[m][1]);
        }
        lanes_combine(k, k, (size_t)k, n, minus, block->U + (size_t)m * width, r);
    }
    lanes_fill(n, grid->t[i] + x * grid->h[i], s->t);
    block_gradient source = {plan, base->in, s};
    kick_step step = {.k = (size_t)k,
                      .n = n,
                      .eta = grid->eta_middle[i],
                      .h = grid->h[i],
                      .noise = cell->noise,
                      .r = r,
                      .gradient = path_block_gradient,
                      .user = &source};
    if (plan->process->kick(&step, s->visit, block->K, NULL))
        return -1;
    for (size_t p = 0; p < width; p++)
        block->K[width + p] = moment_slope(x) * block->K[p];
    return 0;
}

int merged_events_advance(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                          int i, const window_cell *cell, path_workspace *s)
{
    return plan->process->visits ? advance_visits(block, base, plan, kern, i, cell, s)
                                 : advance_step(block, base, plan, kern, i, cell, s);
}
