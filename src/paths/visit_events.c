#include "paths/visit_events.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "paths/lanes.h"

/* The chains of one visit a, by which (2) is solved: with rho_ab = R(T_a, T_b) and step_G = eta_a G_a,

     chain(a, a) = eta_a G_a,   chain(a, c) = - eta_a G_a sum_{c <= b < a} rho_ab chain(b, c) for c < a. */
static void visit_chain(const path_block *block, int k, int slot, size_t lane, const double *rho, const double *step_G)
{
    double *chains = block->chains->chain;
    size_t n = block->in->n, kk = (size_t)(k * k), last = (size_t)slot;
    double *row = chains + last * (last + 1) / 2 * kk * n + lane;
    for (size_t c = 0; c < last; c++) {
        double sum[MATRIX_MAX * MATRIX_MAX] = {0}, value[MATRIX_MAX * MATRIX_MAX] = {0}, other[MATRIX_MAX * MATRIX_MAX];
        for (size_t b = c; b < last; b++) {
            const double *chain = chains + (b * (b + 1) / 2 + c) * kk * n + lane;
            for (size_t x = 0; x < kk; x++)
                other[x] = chain[x * n];
            matrix_add_product(k, -1, rho + b * kk, other, sum);
        }
        matrix_add_product(k, 1, step_G, sum, value);
        for (size_t x = 0; x < kk; x++)
            row[(c * kk + x) * n] = value[x];
    }
    for (size_t x = 0; x < kk; x++)
        row[(last * kk + x) * n] = step_G[x];
}

/* Stores the kick of visit v and its chains. `rho` is scratch for R between it and the earlier visits of its path. */
static void derive_visit(const path_block *block, const kernels *kern, int cell, size_t v, double *rho,
                         const double *kick, const double *step_G)
{
    const path_inputs *in = block->in;
    const path_chains *c = block->chains;
    int k = kern->k, slot = in->visit_slot[v];
    size_t lane = (size_t)in->visit_lane[v];
    for (int b = 0; b < slot; b++) {
        size_t at = (size_t)b * in->n + lane;
        kernels_between(kern, cell, in->visit_place[v], c->cell[at], c->place[at], rho + b * k * k);
    }
    for (int a = 0; a < k; a++)
        c->kick[(size_t)(slot * k + a) * in->n + lane] = kick[a];
    visit_chain(block, k, slot, lane, rho, step_G);
}

/* Times, positions, gradients, labels and Hessians of the visits of one group, and how R(t, s) depends on their
   places. */
typedef struct gathered {
    double *t, *r, *g, *y, *G; /* [count], [k][count], [k][count], [labels][count], [k][k][count] */

    /* [count] With u the place of the visit and x, psi as in fitting.h: psi(u); and, with an earlier visit at place v
       of the same cell,

         R(t, s) = 1 + (R_{i+1,i} - 1) (course(u) - fade(u) psi(v)),
         course = (1 - e^{-x u}) / (1 - e^{-x}),   fade = e^{x (1 - u)}. */
    double *psi, *course, *fade;
} gathered;

/* Sets psi, course and fade for visits at the given places of a cell with decay x. At x = 0 they are u, u and 1. */
static void fit_to_decay(double x, size_t count, const double *place, const gathered *to)
{
    double growth = expm1(x), all = exp(x);
    for (size_t v = 0; v < count; v++) {
        double here = x > 0 ? exp(x * place[v]) : 1;
        to->psi[v] = x > 0 ? (here - 1) / growth : place[v];
        to->fade[v] = all / here;
        to->course[v] = x > 0 ? to->psi[v] * to->fade[v] : place[v];
    }
}

/* Time, position and label of the visits of a group. */
static gathered gather(const path_block *block, const path_plan *plan, const kernels *kern, int cell,
                       const visit_group *group, path_workspace *s)
{
    const path_inputs *in = block->in;
    size_t k = (size_t)plan->shape.k, kk = k * k, n = in->n, count = group->count, first = group->first;
    gathered to = {.t = s->visit};
    to.r = to.t + count;
    to.g = to.r + k * count;
    to.y = to.g + k * count;
    to.psi = to.y + (size_t)plan->shape.labels * count;
    to.course = to.psi + count;
    to.fade = to.course + count;
    to.G = to.fade + count;
    const int *lane = in->visit_lane + first;
    const double *place = in->visit_place + first;
    for (size_t v = 0; v < count; v++)
        to.t[v] = kern->grid->t[cell] + place[v] * kern->grid->h[cell];
    lanes_visit((int)k, n, count, lane, place, kern->bridge + (size_t)cell * kk, in->visit_bridge + k * first,
                block->r_last, block->r, to.r);
    fit_to_decay(kern->fit[cell], count, place, &to);
    if (group->rank > 0) {
        double slope[MATRIX_MAX * MATRIX_MAX];
        for (size_t c = 0; c < kk; c++)
            slope[c] = kernels_R(kern, (int)c, cell + 1)[cell] - (c % (k + 1) == 0);
        lanes_visit_again((int)k, n, count, lane, to.course, to.fade, slope, block->newest_sum, block->newest_moment,
                          to.r);
    }
    for (size_t c = 0; c < (size_t)plan->shape.labels; c++)
        for (size_t v = 0; v < count; v++)
            to.y[c * count + v] = in->y[c * n + (size_t)lane[v]];
    return to;
}

/* Kicks the paths of one group of visits. The visits are on different paths, so one evaluation of the model gives all
   their gradients. */
static int visit_group_advance(path_block *block, const path_plan *plan, const kernels *kern, int cell,
                               const visit_group *group, path_workspace *s)
{
    const path_inputs *in = block->in;
    size_t k = (size_t)plan->shape.k, kk = k * k, n = in->n, count = group->count;
    gathered of = gather(block, plan, kern, cell, group, s);
    if (model_gradient(plan->m, s->model, count, of.t, of.r, of.y, of.g, block->chains ? of.G : NULL))
        return -1;
    const double *step = in->visit_step + group->first;
    lanes_kick((int)k, n, count, in->visit_lane + group->first, of.psi, step, of.g, block->newest_sum,
               block->newest_moment);
    for (size_t v = 0; v < count && block->chains; v++) {
        double kick[MATRIX_MAX], step_G[MATRIX_MAX * MATRIX_MAX];
        for (size_t c = 0; c < k; c++)
            kick[c] = step[v] * of.g[c * count + v];
        for (size_t x = 0; x < kk; x++)
            step_G[x] = step[v] * of.G[x * count + v];
        derive_visit(block, kern, cell, group->first + v, s->rho, kick, step_G);
    }
    return 0;
}

static int advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s)
{
    const path_inputs *in = block->in;
    size_t width = (size_t)plan->shape.k * in->n;
    memset(block->newest_sum, 0, sizeof(double) * width);
    memset(block->newest_moment, 0, sizeof(double) * width);
    for (size_t v = in->group_first[cell]; v < in->group_first[cell + 1]; v++)
        if (visit_group_advance(block, plan, kern, cell, &in->groups[v], s))
            return -1;
    return 0;
}

static void interpolate(const path_block *block, const path_plan *plan, const kernels *kern, response_row row,
                        int history, path_workspace *s)
{
    const path_inputs *in = block->in;
    lanes_response(plan->shape.k, in->n, in->slots_before[history], row, block->chains->cell, block->chains->place,
                   s->rho);
}

static void derive(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                   path_workspace *s)
{
    int k = plan->shape.k, slots = block->in->slots_before[history];
    size_t n = block->in->n, width = (size_t)(k * k) * n;
    interpolate(block, plan, kern, (response_row){kernels_R(kern, 0, node), kern->plane}, history, s);
    for (int b = 0; b < slots; b++)
        lanes_chain(k, n, slots, b, s->rho, block->chains->chain, s->G, s->work, s->GK + (size_t)b * width);
}

static void average(const path_block *block, const path_plan *plan, int history, path_workspace *s, double *sums)
{
    const path_inputs *in = block->in;
    size_t n = in->n, width = (size_t)(plan->shape.k * plan->shape.k) * n;
    for (int b = 0; b < in->slots_before[history]; b++) {
        size_t at = (size_t)b * n;
        lanes_scatter(plan->shape.k, n, block->chains->cell + at, block->chains->place + at, s->GK + (size_t)b * width,
                      sums + plan->at.rows);
    }
}

const path_events visit_events = {.advance = advance, .derive = derive, .average = average, .interpolate = interpolate};
