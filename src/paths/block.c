#include "paths/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths/control_values.h"
#include "paths/driver.h"
#include "paths/lanes.h"
#include "twotime/block.h"

double path_block_bytes(const path_setting *set, size_t n, int slots)
{
    const model_shape *shape = &set->shape;
    double k = shape->k, lanes = (double)n, s = slots, steps = set->at.steps;
    int visits = !set->driver->per_cell;
    double inputs = shape->kstar + 2 * k + shape->noises + shape->labels + steps * k;
    inputs += visits ? (3 + k) * s : (k + 1) * s;
    double rows = (set->single ? 3 : 2) * steps + 1 + (set->last_visit ? 2 * steps + 1 : 0);
    double state = 5 * k + (set->single ? 0.5 : 1) * rows * k;
    if (set->at.response == RESPONSE_PATHWISE)
        state += visits ? s * (s + 1) / 2 * k * k + (k + 1.5) * s : s * k * k;
    return 8.0 * lanes * (inputs + state);
}

static void chains_free(path_chains *c)
{
    if (!c)
        return;
    free(c->chain);
    free(c->kick);
    free(c->cell);
    free(c->place);
    free(c->slope);
    free(c->between);
    free(c);
}

/* Where the visits of each lane are, slot by slot. */
static void spread_visits(const path_inputs *in, path_chains *c)
{
    for (int cell = 0; cell < in->steps; cell++)
        for (size_t g = in->group_first[cell]; g < in->group_first[cell + 1]; g++)
            for (size_t v = in->groups[g].first; v < in->groups[g].first + in->groups[g].count; v++) {
                size_t at = (size_t)in->visit_slot[v] * in->n + (size_t)in->visit_lane[v];
                c->cell[at] = cell;
                c->place[at] = in->visit_place[v];
            }
}

static int chains_of_visits(const path_inputs *in, size_t k, path_chains *c)
{
    size_t slots = (size_t)in->slots, n = in->n;
    c->chain = memory_doubles(slots * (slots + 1) / 2 * k * k * n + 1);
    c->kick = memory_doubles(slots * k * n + 1);
    c->cell = memory_zeroed(slots * n + 1, sizeof *c->cell);
    c->place = memory_doubles(slots * n + 1);
    if (!c->chain || !c->kick || !c->cell || !c->place)
        return -1;
    spread_visits(in, c);
    return 0;
}

static int chains_of_cells(const path_inputs *in, size_t k, path_chains *c)
{
    size_t steps = (size_t)in->steps;
    c->slope = memory_doubles(steps * k * k * in->n);
    c->between = memory_doubles(steps * k * steps * k);
    return c->slope && c->between ? 0 : -1;
}

static path_chains *chains_new(const path_setting *set, const path_inputs *in)
{
    size_t k = (size_t)set->shape.k;
    path_chains *c = calloc(1, sizeof *c);
    if (c && (set->driver->per_cell ? chains_of_cells(in, k, c) : chains_of_visits(in, k, c))) {
        chains_free(c);
        return NULL;
    }
    return c;
}

static int rows_of_block(const path_setting *set, const path_inputs *in, path_block *block)
{
    int k = set->shape.k, steps = in->steps, single = set->single;
    if (rows_from(k, in->n, steps, single, in->xi, &block->xi) || rows_new(k, in->n, steps, single, &block->sum) ||
        rows_new(k, in->n, steps + 1, single, &block->hat))
        return -1;
    if (!set->last_visit)
        return 0;
    return rows_new(k, in->n, steps, single, &block->moment) || rows_new(k, in->n, steps + 1, single, &block->gradient);
}

sgdmft_status path_block_new(sgdmft_context *ctx, const path_setting *set, const path_inputs *in, path_block *out)
{
    size_t width = (size_t)set->shape.k * in->n;
    int pathwise = set->at.response == RESPONSE_PATHWISE;
    path_block block = {.in = in};
    block.w = memory_doubles(width);
    block.r = memory_doubles(width);
    block.r_last = memory_doubles(width);
    block.newest_sum = memory_doubles(width);
    block.newest_moment = memory_doubles(width);
    block.chains = pathwise ? chains_new(set, in) : NULL;
    int failed = rows_of_block(set, in, &block);
    *out = block;
    if (!failed && block.w && block.r && block.r_last && block.newest_sum && block.newest_moment &&
        (block.chains || !pathwise))
        return SGDMFT_OK;
    path_block_clear(out);
    return context_out_of_memory(ctx, "a block of paths", path_block_bytes(set, in->n, in->slots));
}

void path_block_clear(path_block *block)
{
    free(block->w);
    free(block->r);
    free(block->r_last);
    free(block->newest_sum);
    free(block->newest_moment);
    rows_clear(&block->xi);
    rows_clear(&block->sum);
    rows_clear(&block->hat);
    rows_clear(&block->moment);
    rows_clear(&block->gradient);
    chains_free(block->chains);
    memset(block, 0, sizeof *block);
}

/* Doubles per lane of `visit`: time, r, g [k], G [k k], y of gathered visits; time, and up to 4 positions and gradients
   [k] and two Hessians [k k] of the stages of a kick. */
static size_t visit_width(const model_shape *shape)
{
    size_t k = (size_t)shape->k;
    return 1 + 8 * k + 2 * k * k + (size_t)shape->labels;
}

sgdmft_status path_scratch_new(sgdmft_context *ctx, const path_setting *set, size_t lanes, int slots,
                               path_scratch **out)
{
    size_t k = (size_t)set->shape.k, kk = k * k;
    size_t observables = (size_t)set->shape.observables + 1 + (size_t)set->shape.kstar;
    size_t chained = set->at.response == RESPONSE_PATHWISE ? (size_t)slots + 1 : 0;
    path_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "scratch space", sizeof *s);
    sgdmft_status status = model_work_new(ctx, set->m, lanes, &s->model);
    s->g = memory_doubles(k * lanes);
    s->G = memory_doubles(kk * lanes);
    s->t = memory_doubles(lanes);
    s->work = memory_doubles((kk > observables ? kk : observables) * lanes);
    s->GK = memory_doubles(chained * kk * lanes + 1);
    s->own = memory_doubles(k * lanes);
    s->control = memory_doubles(lanes);
    s->rho = memory_doubles(chained * kk * lanes + 1);
    s->visit = memory_doubles(visit_width(&set->shape) * lanes);
    s->row = memory_doubles((size_t)(slots > set->at.steps ? slots : set->at.steps) * kk);
    s->inserted = memory_doubles(set->last_visit ? 6 * k * lanes : 1);
    if (!status && !(s->g && s->G && s->t && s->work && s->GK && s->own && s->control && s->rho && s->visit && s->row &&
                     s->inserted))
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
    free(s->row);
    free(s->inserted);
    free(s);
}

/* w(t_node) = onto_teacher w* + onto_start z0 + sum_j V_j xi_j with
   onto_teacher = R A + F, onto_start = R B, R = R(t_node, 0), or what takes its place. */
static void field_coefficients(const path_setting *set, const kernels *kern, int node, double *onto_teacher,
                               double *onto_start)
{
    int k = set->shape.k, kstar = set->shape.kstar;
    const double *F = kern->F + (size_t)node * (size_t)(k * kstar);
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < kstar; b++) {
            onto_teacher[a * kstar + b] = F[a * kstar + b];
            for (int c = 0; c < k; c++)
                onto_teacher[a * kstar + b] += kernels_onto_start(kern, a * k + c, node) * set->law->a[c * kstar + b];
        }
        for (int b = 0; b < k; b++) {
            onto_start[a * k + b] = 0;
            for (int c = 0; c < k; c++)
                onto_start[a * k + b] += kernels_onto_start(kern, a * k + c, node) * set->law->b[c * k + b];
        }
    }
}

/* w(0) = A w* + B z0 */
static void field_at_start(const path_block *block, const path_setting *set, double *w)
{
    int k = set->shape.k, kstar = set->shape.kstar;
    size_t n = block->in->n;
    memset(w, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, set->law->a, block->in->wstar, w);
    lanes_combine(k, k, (size_t)k, n, set->law->b, block->in->z0, w);
}

/* The field, and its part `own` that does not come from the teacher. */
static void field_at_node(const path_block *block, const path_setting *set, const kernels *kern, int node, double *own,
                          double *w)
{
    int k = set->shape.k, kstar = set->shape.kstar;
    size_t n = block->in->n;
    double onto_teacher[BLOCK_MAX * BLOCK_MAX], onto_start[BLOCK_MAX * BLOCK_MAX];
    field_coefficients(set, kern, node, onto_teacher, onto_start);
    memset(own, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, onto_start, block->in->z0, own);
    rows_combine(&block->xi, node, (size_t)(k * kern->steps), kernels_V(kern, node, 0), own);
    memcpy(w, own, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, onto_teacher, block->in->wstar, w);
}

void path_block_average_start(const path_block *block, const path_setting *set, const double *g, path_scratch *s,
                              double *sums)
{
    int k = set->shape.k;
    size_t n = block->in->n;
    lanes_outer(k, set->shape.kstar, n, g, block->in->wstar, sums + set->at.mu);
    field_at_start(block, set, s->work);
    lanes_outer(k, k, n, g, s->work, sums + set->at.gw0);
}

void path_block_average(const path_block *block, const path_setting *set, path_scratch *s, double *sums)
{
    int k = set->shape.k;
    size_t n = block->in->n;
    lanes_sum(k * k, n, s->G, sums + set->at.gamma);
    lanes_outer(k, k, n, s->g, block->r, sums + set->at.gr);
    path_block_average_start(block, set, s->g, s, sums);
}

/* g and G at the node, and all averages that need no events. */
static int node_averages(path_block *block, const path_setting *set, int node, path_scratch *s, double *sums)
{
    int k = set->shape.k;
    size_t n = block->in->n;
    lanes_fill(n, set->grid->t[node], s->t);
    if (model_gradient(set->m, s->model, n, s->t, block->r, block->in->y, s->g, s->G))
        return -1;
    if (set->last_visit)
        rows_set(&block->gradient, node, s->g);
    lanes_outer(k, k, n, s->g, s->g, sums + set->at.outer);
    path_block_average(block, set, s, sums);
    return 0;
}

int path_block_start(path_block *block, const path_setting *set, path_scratch *s, double *sums)
{
    int k = set->shape.k;
    size_t n = block->in->n, slots = (size_t)block->in->slots, width = (size_t)k * n;
    if (block->chains && block->chains->chain)
        memset(block->chains->chain, 0, sizeof(double) * slots * (slots + 1) / 2 * (size_t)(k * k) * n);
    block->node = 0;
    field_at_start(block, set, block->w);
    memset(block->newest_sum, 0, sizeof(double) * width);
    rows_set(&block->hat, 0, block->newest_sum);
    memcpy(block->r, block->w, sizeof(double) * width);
    return node_averages(block, set, 0, s, sums);
}

void path_block_add_rows(const path_setting *set, int cells, int kind, const double *x, const path_rows *y,
                         path_scratch *s, double *sums)
{
    int k = set->shape.k;
    memset(s->row, 0, sizeof(double) * (size_t)(k * k * cells));
    rows_outer(y, cells, x, s->row);
    for (int c = 0; c < cells; c++) {
        double *out = sums + estimates_used(&set->at, c) + (size_t)kind * (size_t)(k * k);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++)
                out[a * k + b] += s->row[(a * cells + c) * k + b];
    }
}

void path_block_add_events(const path_block *block, const path_setting *set, int node, path_scratch *s, double *sums)
{
    int k = set->shape.k, before = node - 1;
    const double *last = set->driver->singular ? s->g : block->newest_sum;
    double *newest = sums + estimates_used(&set->at, before) + (size_t)VISITS * (size_t)(k * k);
    path_block_add_rows(set, before, VISITS, last, &block->sum, s, sums);
    lanes_outer(k, k, block->in->n, last, block->newest_sum, newest);
    if (set->at.response == RESPONSE_PATHWISE)
        set->driver->average(block, set, node, s, sums);
}

/* r at the node from the field there and the kicks of all cells but the newest: K_j takes R(t_node, t_j) K_j away. */
static void open_position(path_block *block, const path_setting *set, const kernels *kern, int cell, path_scratch *s)
{
    int k = set->shape.k, nodes = cell + 1;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            const double *R = kernels_R(kern, a * k + b, cell + 1);
            for (int j = 0; j < nodes; j++)
                s->row[(a * nodes + j) * k + b] = -R[j];
        }
    memcpy(block->r, block->w, sizeof(double) * (size_t)k * block->in->n);
    rows_combine(&block->hat, nodes, (size_t)(k * nodes), s->row, block->r);
}

/* Adds the kicks of the newest cell. */
static void close_position(path_block *block, const path_setting *set, const kernels *kern, int cell)
{
    int k = set->shape.k;
    size_t n = block->in->n;
    double of_sum[BLOCK_MAX * BLOCK_MAX], of_moment[BLOCK_MAX * BLOCK_MAX];
    for (int c = 0; c < k * k; c++) {
        const double *R = kernels_R(kern, c, cell + 1);
        of_sum[c] = -R[cell];
        of_moment[c] = R[cell] - R[cell + 1];
    }
    lanes_combine(k, k, (size_t)k, n, of_sum, block->newest_sum, block->r);
    lanes_combine(k, k, (size_t)k, n, of_moment, block->newest_moment, block->r);
}

int path_block_advance(path_block *block, const path_setting *set, const kernels *kern, int cell, path_scratch *s,
                       double *sums)
{
    return path_block_advance_controlled(block, set, kern, cell, NULL, s, sums, NULL);
}

int path_block_advance_controlled(path_block *block, const path_setting *set, const kernels *kern, int cell,
                                  const path_control *control, path_scratch *s, double *sums, double *weighted)
{
    int node = cell + 1;
    block->node = node;
    field_at_node(block, set, kern, node, s->own, block->w);
    open_position(block, set, kern, cell, s);
    if (set->driver->advance(block, set, kern, cell, s))
        return -1;
    close_position(block, set, kern, cell);
    if (node_averages(block, set, node, s, sums))
        return -1;
    if (set->at.response == RESPONSE_PATHWISE)
        set->driver->derive(block, set, kern, node, s);
    else
        path_block_add_rows(set, node, INNOVATION, s->g, &block->xi, s, sums);
    path_block_add_events(block, set, node, s, sums);
    if (control) {
        control_values(block, set, kern, control, s);
        control_averages(block, set, control->node, s, weighted);
    }
    return 0;
}

/* The newest cell becomes one of the rows. */
static void accept_cell(path_block *block, const path_setting *set, int cell)
{
    rows_set(&block->sum, cell, block->newest_sum);
    if (set->last_visit)
        rows_set(&block->moment, cell, block->newest_moment);
    rows_close_cell(&block->hat, cell, block->newest_sum, block->newest_moment);
}

void path_block_accept(path_block *block, const path_setting *set)
{
    double *keep = block->r;
    if (block->node > 0)
        accept_cell(block, set, block->node - 1);
    block->r = block->r_last;
    block->r_last = keep;
}
