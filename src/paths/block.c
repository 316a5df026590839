#include "paths/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths/lanes.h"
#include "twotime/block.h"

double path_block_bytes(model_shape shape, int steps, size_t n, int slots)
{
    double k = shape.k, lanes = (double)n, s = slots;
    double inputs = shape.kstar + k + shape.noises + shape.labels + steps * k + s * (3 + k) + 1.5 * s;
    double state = 3 * k + s * k + s * (s + 1) / 2 * k * k;
    return 8.0 * lanes * (inputs + state);
}

sgdmft_status path_block_new(sgdmft_context *ctx, const path_setting *set, const path_inputs *in, path_block *out)
{
    size_t k = (size_t)set->shape.k, slots = (size_t)in->slots, n = in->n;
    size_t chains = slots * (slots + 1) / 2 * k * k * n;
    path_block block = {.in = in};
    block.w = memory_doubles(k * n);
    block.w_next = memory_doubles(k * n);
    block.r = memory_doubles(k * n);
    block.kick = memory_doubles(slots * k * n);
    block.chain = memory_doubles(chains);
    *out = block;
    if (block.w && block.w_next && block.r && block.kick && block.chain)
        return SGDMFT_OK;
    path_block_clear(out);
    return context_out_of_memory(ctx, "a block of paths", 8.0 * (double)(chains + slots * k * n));
}

void path_block_clear(path_block *block)
{
    free(block->w);
    free(block->w_next);
    free(block->r);
    free(block->kick);
    free(block->chain);
    memset(block, 0, sizeof *block);
}

/* Doubles per lane of gathered visit values: time, r, g [k], G [k k], y. */
static size_t visit_width(const model_shape *shape)
{
    size_t k = (size_t)shape->k;
    return 1 + 2 * k + k * k + (size_t)shape->labels;
}

sgdmft_status path_scratch_new(sgdmft_context *ctx, const path_setting *set, size_t lanes, int slots,
                               path_scratch **out)
{
    size_t k = (size_t)set->shape.k, kk = k * k;
    size_t observables = (size_t)set->shape.observables + 1 + (size_t)set->shape.kstar;
    path_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "scratch space", sizeof *s);
    sgdmft_status status = model_work_new(ctx, set->m, lanes, &s->model);
    s->g = memory_doubles(k * lanes);
    s->G = memory_doubles(kk * lanes);
    s->t = memory_doubles(lanes);
    s->work = memory_doubles((kk > observables ? kk : observables) * lanes);
    s->GK = memory_doubles((size_t)(slots + 1) * kk * lanes);
    s->own = memory_doubles(k * lanes);
    s->control = memory_doubles(lanes);
    s->rho = memory_doubles((size_t)(slots + 1) * kk * lanes);
    s->visit = memory_doubles(visit_width(&set->shape) * lanes);
    if (!status && !(s->g && s->G && s->t && s->work && s->GK && s->own && s->control && s->rho && s->visit))
        status = context_out_of_memory(ctx, "scratch space", 8.0 * (double)(kk * lanes * (size_t)(slots + 4)));
    if (status)
        path_scratch_free(s);
    else
        *out = s;
    return status;
}

void path_scratch_free(path_scratch *s)
{
    if (!s)
        return;
    model_work_free(s->model);
    free(s->g);
    free(s->G);
    free(s->t);
    free(s->work);
    free(s->GK);
    free(s->own);
    free(s->control);
    free(s->rho);
    free(s->visit);
    free(s);
}

/* w(t_node) = onto_teacher w* + onto_start z0 + sum_j V_j xi_j with
   onto_teacher = R A + F, onto_start = R B, R = R(t_node, 0). */
static void field_coefficients(const path_setting *set, const kernels *kern, int node, double *onto_teacher,
                               double *onto_start)
{
    int k = set->shape.k, kstar = set->shape.kstar;
    const double *F = kern->F + (size_t)node * (size_t)(k * kstar);
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < kstar; b++) {
            onto_teacher[a * kstar + b] = F[a * kstar + b];
            for (int c = 0; c < k; c++)
                onto_teacher[a * kstar + b] += kernels_R(kern, a * k + c, node)[0] * set->law->a[c * kstar + b];
        }
        for (int b = 0; b < k; b++) {
            onto_start[a * k + b] = 0;
            for (int c = 0; c < k; c++)
                onto_start[a * k + b] += kernels_R(kern, a * k + c, node)[0] * set->law->b[c * k + b];
        }
    }
}

/* The field, and its part `own` that does not come from the teacher. */
static void field_at_node(const path_block *block, const path_setting *set, const kernels *kern, int node,
                          double *own, double *w)
{
    int k = set->shape.k, kstar = set->shape.kstar;
    size_t n = block->in->n;
    double onto_teacher[BLOCK_MAX * BLOCK_MAX], onto_start[BLOCK_MAX * BLOCK_MAX];
    field_coefficients(set, kern, node, onto_teacher, onto_start);
    memset(own, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, onto_start, block->in->z0, own);
    lanes_combine(k, k * node, (size_t)(k * kern->steps), n, kernels_V(kern, node, 0), block->in->xi, own);
    memcpy(w, own, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, onto_teacher, block->in->wstar, w);
}

static void fill(size_t n, double value, double *x)
{
    for (size_t p = 0; p < n; p++)
        x[p] = value;
}

/* g and G at the node, and all averages that need no visits. */
static int node_averages(path_block *block, const path_setting *set, double t, path_scratch *s, double *sums)
{
    int k = set->shape.k;
    size_t n = block->in->n;
    const estimates_layout *at = &set->at;
    fill(n, t, s->t);
    if (model_gradient(set->m, s->model, n, s->t, block->r, block->in->y, s->g, s->G))
        return -1;
    for (int c = 0; c < k * k; c++)
        for (size_t p = 0; p < n; p++)
            sums[at->gamma + (size_t)c] += s->G[(size_t)c * n + p];
    lanes_outer(k, k, n, s->g, s->g, sums + at->outer);
    lanes_outer(k, k, n, s->g, block->r, sums + at->gr);
    lanes_outer(k, set->shape.kstar, n, s->g, block->in->wstar, sums + at->mu);
    /* w(0) = A w* + B z0 */
    memset(s->work, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, set->shape.kstar, (size_t)set->shape.kstar, n, set->law->a, block->in->wstar, s->work);
    lanes_combine(k, k, (size_t)k, n, set->law->b, block->in->z0, s->work);
    lanes_outer(k, k, n, s->g, s->work, sums + at->gw0);
    return 0;
}

int path_block_start(path_block *block, const path_setting *set, path_scratch *s, double *sums)
{
    int k = set->shape.k;
    size_t n = block->in->n, slots = (size_t)block->in->slots;
    memset(block->kick, 0, sizeof(double) * slots * (size_t)k * n);
    memset(block->chain, 0, sizeof(double) * slots * (slots + 1) / 2 * (size_t)(k * k) * n);
    memset(block->w_next, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, set->shape.kstar, (size_t)set->shape.kstar, n, set->law->a, block->in->wstar, block->w_next);
    lanes_combine(k, k, (size_t)k, n, set->law->b, block->in->z0, block->w_next);
    memcpy(block->r, block->w_next, sizeof(double) * (size_t)k * n);
    return node_averages(block, set, 0, s, sums);
}

/* R(T_a, T_b) as a k x k block for visit a in `cell` at place `x`, visit b at place `z` in `other`. */
static void response_between(const kernels *kern, int cell, double x, int other, double z, double *rho)
{
    int kk = kern->k * kern->k;
    for (int c = 0; c < kk; c++) {
        const double *low = kernels_R(kern, c, cell), *high = kernels_R(kern, c, cell + 1);
        if (other == cell) {
            double one = c % (kern->k + 1) == 0;
            rho[c] = one + (x - z) * (high[cell] - one);
        } else {
            double before = low[other] + z * (low[other + 1] - low[other]);
            double after = high[other] + z * (high[other + 1] - high[other]);
            rho[c] = before + x * (after - before);
        }
    }
}

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
        visit_chain(block, k, slot, lane, s->rho + v * slots * kk, step_G);
    }
    return 0;
}

static void response_averages(const path_block *block, const path_setting *set, int slots, path_scratch *s,
                              double *sums)
{
    const path_inputs *in = block->in;
    int k = set->shape.k;
    size_t n = in->n, width = (size_t)(k * k) * n;
    for (int b = 0; b < slots; b++) {
        size_t at = (size_t)b * n;
        double *GK = s->GK + (size_t)b * width;
        lanes_chain(k, n, slots, b, s->rho, block->chain, s->G, s->work, GK);
        lanes_scatter(k, n, in->cell + at, in->place + at, GK, s->g, block->kick + at * (size_t)k,
                      sums + set->at.rows);
    }
}

/* D = tr(g~ u^T) - tr(G dr/du), see block.h, per lane into s->control. */
static void control_values(const path_block *block, const path_setting *set, int slots, const path_control *control,
                           path_scratch *s)
{
    const path_inputs *in = block->in;
    int k = set->shape.k;
    size_t n = in->n, kk = (size_t)(k * k);
    double *D = s->control;
    memset(D, 0, sizeof(double) * n);
    memcpy(s->work, s->g, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, control->onto_own, s->own, s->work);
    lanes_combine(k, set->shape.kstar, (size_t)set->shape.kstar, n, control->onto_teacher, in->wstar, s->work);
    for (size_t a = 0; a < (size_t)k; a++)
        for (size_t p = 0; p < n; p++)
            D[p] += s->work[a * n + p] * s->own[a * n + p];
    lanes_response(k, n, slots, control->covariance, in->cell, in->place, s->rho);
    for (size_t a = 0; a < (size_t)k; a++)
        for (size_t b = 0; b < (size_t)k; b++) {
            double here = control->covariance.row[(b * (size_t)k + a) * control->covariance.plane + control->node];
            const double *G = s->G + (a * (size_t)k + b) * n;
            for (size_t p = 0; p < n; p++)
                D[p] -= G[p] * here;
            for (size_t v = 0; v < (size_t)slots; v++) {
                const double *GK = s->GK + (v * kk + a * (size_t)k + b) * n;
                const double *c = s->rho + (v * kk + b * (size_t)k + a) * n;
                for (size_t p = 0; p < n; p++)
                    D[p] -= GK[p] * c[p];
            }
        }
}

static void scale_rows(size_t rows, size_t n, const double *D, double *x)
{
    for (size_t a = 0; a < rows; a++)
        for (size_t p = 0; p < n; p++)
            x[a * n + p] *= D[p];
}

/* All averages again, weighted by D; D and D^2 themselves at the end. Destroys g, G and GK. */
static void control_averages(const path_block *block, const path_setting *set, int slots, path_scratch *s,
                             double *sums)
{
    const path_inputs *in = block->in;
    int k = set->shape.k;
    size_t n = in->n, kk = (size_t)(k * k), width = kk * n;
    const estimates_layout *at = &set->at;
    double *D = s->control;
    for (size_t p = 0; p < n; p++) {
        sums[at->size] += D[p];
        sums[at->size + 1] += D[p] * D[p];
    }
    lanes_outer(k, k, n, s->g, s->own, sums + at->size + 2);
    memcpy(s->work, s->g, sizeof(double) * (size_t)k * n);
    scale_rows((size_t)k, n, D, s->g);
    scale_rows(kk, n, D, s->G);
    for (size_t c = 0; c < kk; c++)
        for (size_t p = 0; p < n; p++)
            sums[at->gamma + c] += s->G[c * n + p];
    lanes_outer(k, k, n, s->g, s->work, sums + at->outer);
    lanes_outer(k, k, n, s->g, block->r, sums + at->gr);
    lanes_outer(k, set->shape.kstar, n, s->g, in->wstar, sums + at->mu);
    memset(s->work, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, set->shape.kstar, (size_t)set->shape.kstar, n, set->law->a, in->wstar, s->work);
    lanes_combine(k, k, (size_t)k, n, set->law->b, in->z0, s->work);
    lanes_outer(k, k, n, s->g, s->work, sums + at->gw0);
    for (int b = 0; b < slots; b++) {
        size_t first = (size_t)b * n;
        double *GK = s->GK + (size_t)b * width;
        scale_rows(kk, n, D, GK);
        lanes_scatter(k, n, in->cell + first, in->place + first, GK, s->g, block->kick + first * (size_t)k,
                      sums + at->rows);
    }
}

int path_block_advance(path_block *block, const path_setting *set, const kernels *kern, int cell, path_scratch *s,
                       double *sums)
{
    return path_block_advance_controlled(block, set, kern, cell, NULL, s, sums, NULL);
}

int path_block_advance_controlled(path_block *block, const path_setting *set, const kernels *kern, int cell,
                                  const path_control *control, path_scratch *s, double *sums, double *weighted)
{
    const path_inputs *in = block->in;
    int k = set->shape.k, slots = in->slots_before[cell + 1];
    field_at_node(block, set, kern, cell + 1, s->own, block->w_next);
    for (size_t v = in->group_first[cell]; v < in->group_first[cell + 1]; v++)
        if (visit_group_advance(block, set, kern, cell, &in->groups[v], s))
            return -1;
    memcpy(block->r, block->w_next, sizeof(double) * (size_t)k * in->n);
    response_row row = {kernels_R(kern, 0, cell + 1), kern->plane};
    lanes_response(k, in->n, slots, row, in->cell, in->place, s->rho);
    lanes_react(k, in->n, slots, s->rho, block->kick, block->r);
    if (node_averages(block, set, kern->grid->t[cell + 1], s, sums))
        return -1;
    response_averages(block, set, slots, s, sums);
    if (control) {
        control_values(block, set, slots, control, s);
        control_averages(block, set, slots, s, weighted);
    }
    return 0;
}

void path_block_accept(path_block *block)
{
    double *keep = block->w;
    block->w = block->w_next;
    block->w_next = keep;
}
