/* The driver of SGD. A visit kicks by step * g; each path has visits of its own, so they are gathered into groups whose
   gradients are one block evaluation. */
#include <string.h>

#include "paths/driver.h"
#include "paths/lanes.h"
#include "paths/response.h"
#include "twotime/block.h"

/* Field and response at one visit: r_a, and rho_ab for the earlier visits b of its path. */
static void visit_position(const path_block *block, const kernels *kern, int cell, int slot, size_t lane, double *rho,
                           double *r, size_t r_stride)
{
    const path_inputs *in = block->in;
    int k = kern->k;
    size_t n = in->n, at = (size_t)slot * n + lane;
    double x = in->place[at];
    const double *spread = kern->bridge + (size_t)cell * (size_t)(k * k);
    for (int a = 0; a < k; a++) {
        double w = block->w[(size_t)a * n + lane] * (1 - x) + x * block->w_next[(size_t)a * n + lane];
        for (int c = 0; c < k; c++)
            w -= spread[a * k + c] * in->bridge[((size_t)slot * (size_t)k + (size_t)c) * n + lane];
        r[(size_t)a * r_stride] = w;
    }
    for (int b = 0; b < slot; b++) {
        double *block_rho = rho + (size_t)b * (size_t)(k * k);
        response_between(kern, cell, x, in->cell[(size_t)b * n + lane], in->place[(size_t)b * n + lane], block_rho);
        for (int a = 0; a < k; a++)
            for (int c = 0; c < k; c++)
                r[(size_t)a * r_stride] -=
                    block_rho[a * k + c] * block->kick[((size_t)b * (size_t)k + (size_t)c) * n + lane];
    }
}

/* chain(a, c) = step_a G_a (1 for c = a, else - sum_{c <= b < a} rho_ab chain(b, c)) at one visit. */
static void visit_chain(path_block *block, int k, int slot, size_t lane, const double *rho, const double *step_G)
{
    size_t n = block->in->n, kk = (size_t)(k * k), last = (size_t)slot;
    double *row = block->chain + last * (last + 1) / 2 * kk * n + lane;
    for (size_t c = 0; c < last; c++) {
        double sum[BLOCK_MAX * BLOCK_MAX] = {0}, value[BLOCK_MAX * BLOCK_MAX] = {0}, other[BLOCK_MAX * BLOCK_MAX];
        for (size_t b = c; b < last; b++) {
            const double *chain = block->chain + (b * (b + 1) / 2 + c) * kk * n + lane;
            for (size_t x = 0; x < kk; x++)
                other[x] = chain[x * n];
            block_add_product(k, -1, rho + b * kk, other, sum);
        }
        block_add_product(k, 1, step_G, sum, value);
        for (size_t x = 0; x < kk; x++)
            row[(c * kk + x) * n] = value[x];
    }
    for (size_t x = 0; x < kk; x++)
        row[(last * kk + x) * n] = step_G[x];
}

/* All visits of one group: no two on the same path, so their gradients are one block evaluation. */
static int visit_group_advance(path_block *block, const path_setting *set, const kernels *kern, int cell,
                               const visit_group *group, path_scratch *s)
{
    const path_inputs *in = block->in;
    int k = set->shape.k;
    size_t count = group->count, kk = (size_t)(k * k), n = in->n;
    size_t slots = (size_t)(in->slots > 0 ? in->slots : 1);
    double *t = s->visit, *r = t + count, *g = r + (size_t)k * count, *G = g + (size_t)k * count;
    double *y = G + kk * count;
    for (size_t v = 0; v < count; v++) {
        int slot = in->visit_slot[group->first + v];
        size_t lane = (size_t)in->visit_lane[group->first + v];
        t[v] = in->time[(size_t)slot * n + lane];
        visit_position(block, kern, cell, slot, lane, s->rho + v * slots * kk, r + v, count);
        for (size_t c = 0; c < (size_t)set->shape.labels; c++)
            y[c * count + v] = in->y[c * n + lane];
    }
    if (model_gradient(set->m, s->model, count, t, r, y, g, G))
        return -1;
    for (size_t v = 0; v < count; v++) {
        int slot = in->visit_slot[group->first + v];
        size_t lane = (size_t)in->visit_lane[group->first + v];
        double step = in->weight[(size_t)slot * n + lane], step_G[BLOCK_MAX * BLOCK_MAX];
        for (size_t c = 0; c < (size_t)k; c++)
            block->kick[((size_t)slot * (size_t)k + c) * n + lane] = step * g[c * count + v];
        for (size_t x = 0; x < kk; x++)
            step_G[x] = step * G[x * count + v];
        if (block->chain)
            visit_chain(block, k, slot, lane, s->rho + v * slots * kk, step_G);
    }
    return 0;
}

static int advance(path_block *block, const path_setting *set, const kernels *kern, int cell, path_scratch *s)
{
    const path_inputs *in = block->in;
    for (size_t v = in->group_first[cell]; v < in->group_first[cell + 1]; v++)
        if (visit_group_advance(block, set, kern, cell, &in->groups[v], s))
            return -1;
    return 0;
}

static void interpolate(const path_block *block, const path_setting *set, const kernels *kern, response_row row,
                        int node, path_scratch *s)
{
    const path_inputs *in = block->in;
    lanes_response(set->shape.k, in->n, in->slots_before[node], row, in->cell, in->place, s->rho);
}

static void react(path_block *block, const path_setting *set, const kernels *kern, int node, path_scratch *s)
{
    const path_inputs *in = block->in;
    interpolate(block, set, kern, (response_row){kernels_R(kern, 0, node), kern->plane}, node, s);
    lanes_react(set->shape.k, in->n, in->slots_before[node], s->rho, block->kick, block->r);
}

/* s->rho is still that of react. */
static void derive(path_block *block, const path_setting *set, const kernels *kern, int node, path_scratch *s)
{
    int k = set->shape.k, slots = block->in->slots_before[node];
    size_t n = block->in->n, width = (size_t)(k * k) * n;
    for (int b = 0; b < slots; b++)
        lanes_chain(k, n, slots, b, s->rho, block->chain, s->G, s->work, s->GK + (size_t)b * width);
}

static void average(const path_block *block, const path_setting *set, int node, path_scratch *s, double *sums)
{
    const path_inputs *in = block->in;
    int k = set->shape.k;
    size_t n = in->n, width = (size_t)(k * k) * n;
    for (int b = 0; b < in->slots_before[node]; b++) {
        size_t at = (size_t)b * n;
        const double *kick = block->kick + at * (size_t)k;
        if (set->at.response == RESPONSE_PATHWISE)
            lanes_scatter(k, n, in->cell + at, in->place + at, s->GK + (size_t)b * width, s->g, kick,
                          sums + set->at.rows);
        else
            lanes_scatter_visits(k, n, set->at.kinds, in->cell + at, s->g, kick, sums + set->at.rows);
    }
}

const path_driver driver_poisson = {.singular = 1,
                                    .per_cell = 0,
                                    .advance = advance,
                                    .react = react,
                                    .derive = derive,
                                    .average = average,
                                    .interpolate = interpolate};
