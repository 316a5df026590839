#include "merged/events.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "core/simd.h"
#include "paths/lanes.h"

/* What the cell itself has done to a path at place u, for one component. Between two times of the cell,

     R(t(u), t(v)) = 1 + C (course(u) - fade(u) psi(v)),   C = R(t_{i+1}, t_i) - 1,
     course = (1 - e^{-x u}) / (1 - e^{-x}),   fade = e^{x (1 - u)},

   with x and psi of cell_shape. With the moments U of the noise and K of earlier kicks, and psi in place of a sum over
   these by its projection, B = psi_0 K_0 + psi_1 K_1,

     direct = sqrt(delta) (U_0 u + U_1 Phi(u)) + K_0,
     decay  = course direct - fade (sqrt(delta) (U_0 int_0^u psi + U_1 int_0^u psi phi_1) + B),

   and the position is lower by direct + C decay. At x = 0 course, fade and psi are u, 1 and v. */
typedef struct own_terms {
    double *course, *fade, *mean, *slope; /* [count]; the integrals of psi and psi phi_1 are `mean` and `slope` */
} own_terms;

static VECTOR_CLONES void line_terms(size_t count, const double *restrict place, const own_terms *to)
{
    for (size_t v = 0; v < count; v++) {
        double u = place[v];
        to->course[v] = u;
        to->fade[v] = 1;
        to->mean[v] = 0.5 * u * u;
        to->slope[v] = MOMENT_ROOT3 * u * u * (2 * u / 3 - 0.5);
    }
}

static void decay_terms(double x, size_t count, const double *place, const own_terms *to)
{
    double growth = expm1(x), all = exp(x);
    for (size_t v = 0; v < count; v++) {
        double u = place[v], here = exp(x * u), above = (here - 1) / x;
        double mean = (above - u) / growth, first = ((u * here - above) / x - 0.5 * u * u) / growth;
        to->fade[v] = all / here;
        to->course[v] = (here - 1) / growth * to->fade[v];
        to->mean[v] = mean;
        to->slope[v] = MOMENT_ROOT3 * (2 * first - mean);
    }
}

static VECTOR_CLONES void own_cell(size_t count, double root, const cell_shape *shape, const int *restrict lane,
                                   const double *restrict place, const own_terms *terms, const double *restrict U0,
                                   const double *restrict U1, const double *restrict K0, const double *restrict K1,
                                   double *restrict direct, double *restrict decay)
{
    const double *restrict course = terms->course, *restrict fade = terms->fade, *restrict mean = terms->mean;
    const double *restrict slope = terms->slope;
    double psi0 = shape->mean, psi1 = shape->slope;
    for (size_t v = 0; v < count; v++) {
        double u = place[v], u0 = root * U0[lane[v]], u1 = root * U1[lane[v]], k0 = K0[lane[v]], k1 = K1[lane[v]];
        double all = u0 * u + u1 * moment_slope_integral(u) + k0;
        direct[v] = all;
        decay[v] = course[v] * all - fade[v] * (u0 * mean[v] + u1 * slope[v] + psi0 * k0 + psi1 * k1);
    }
}

static VECTOR_CLONES void subtract_scaled(size_t count, double factor, const double *restrict x, double *restrict r)
{
    for (size_t v = 0; v < count; v++)
        r[v] -= factor * x[v];
}

static VECTOR_CLONES void kick_moments(int k, size_t n, size_t count, const int *restrict lane,
                                       const double *restrict place, const double *restrict step,
                                       const double *restrict g, double *restrict mean, double *restrict slope)
{
    for (int a = 0; a < k; a++) {
        double *restrict K0 = mean + (size_t)a * n, *restrict K1 = slope + (size_t)a * n;
        const double *restrict from = g + (size_t)a * count;
#pragma GCC ivdep
        for (size_t v = 0; v < count; v++) {
            double kick = step[v] * from[v];
            K0[lane[v]] += kick;
            K1[lane[v]] += moment_slope(place[v]) * kick;
        }
    }
}

/* Subtracts what the cell itself has done from the positions r[k][count]. `room` has 6 numbers for each of them. */
static void subtract_own(const merged_block *block, const merged_kernels *kern, size_t n, size_t count,
                         const int *lane, const double *place, double *room, double *r)
{
    size_t k = (size_t)kern->k, width = k * n;
    double *direct = room, *decay = room + count, root = sqrt(kern->delta);
    own_terms terms = {room + 2 * count, room + 3 * count, room + 4 * count, room + 5 * count};
    if (kern->shape.x > 0)
        decay_terms(kern->shape.x, count, place, &terms);
    else
        line_terms(count, place, &terms);
    for (size_t b = 0; b < k; b++) {
        const double *U = block->U + b * n, *K = block->K + b * n;
        own_cell(count, root, &kern->shape, lane, place, &terms, U, U + width, K, K + width, direct, decay);
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
    kick_moments((int)k, n, count, lane, place, cell->step + first, g, block->K, block->K + k * n);
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
static int advance_step(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                        int i, const window_cell *cell, path_workspace *s)
{
    const time_grid *grid = kern->grid;
    int k = plan->shape.k;
    size_t n = base->in->n, width = (size_t)k * n;
    double x = grid->middle[i], root = sqrt(kern->delta), *r = block->room, minus[MATRIX_MAX * MATRIX_MAX];
    double course, fade, mean, slope;
    own_terms at = {&course, &fade, &mean, &slope};
    if (kern->shape.x > 0)
        decay_terms(kern->shape.x, 1, &x, &at);
    else
        line_terms(1, &x, &at);
    double direct[MOMENTS] = {x, moment_slope_integral(x)};
    double decay[MOMENTS] = {course * direct[0] - fade * mean, course * direct[1] - fade * slope};
    for (size_t p = 0; p < width; p++)
        r[p] = (1 - x) * base->r_last[p] + x * base->r[p];
    for (int c = 0; c < k * k; c++)
        minus[c] = -kern->bridge[c];
    lanes_combine(k, k, (size_t)k, n, minus, cell->bridge, r);
    for (int m = 0; m < MOMENTS; m++) {
        for (int c = 0; c < k * k; c++) {
            double one = c % (k + 1) == 0;
            minus[c] = -root * (one * direct[m] + (kern->within[c] - one) * decay[m]);
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
