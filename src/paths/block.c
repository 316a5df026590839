#include "paths/block.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/control_values.h"
#include "paths/events.h"
#include "paths/lanes.h"
#include "core/matrix.h"

double path_block_bytes(const path_plan *plan, size_t n, int slots)
{
    const model_shape *shape = &plan->shape;
    double k = shape->k, lanes = (double)n, s = slots, steps = plan->at.steps;
    int visits = plan->process->visits != NULL;
    double inputs = shape->kstar + 2 * k + shape->noises + shape->labels + steps * k;
    inputs += visits ? (3 + k) * s : (k + 1) * s;
    double rows = (plan->single ? 3 : 2) * steps + 1 + (plan->last_visit ? 2 * steps + 1 : 0);
    double state = 5 * k + (plan->single ? 0.5 : 1) * rows * k;
    if (plan->at.response == RESPONSE_PATHWISE)
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

static path_chains *chains_new(const path_plan *plan, const path_inputs *in)
{
    size_t k = (size_t)plan->shape.k;
    path_chains *c = calloc(1, sizeof *c);
    if (c && (plan->process->events == EVENTS_STEPS ? chains_of_cells(in, k, c) : chains_of_visits(in, k, c))) {
        chains_free(c);
        return NULL;
    }
    return c;
}

static int rows_of_block(const path_plan *plan, const path_inputs *in, path_block *block)
{
    int k = plan->shape.k, steps = in->steps, single = plan->single;
    if (rows_from(k, in->n, steps, single, in->xi, &block->xi) || rows_new(k, in->n, steps, single, &block->sum) ||
        rows_new(k, in->n, steps + 1, single, &block->hat))
        return -1;
    if (!plan->last_visit)
        return 0;
    return rows_new(k, in->n, steps, single, &block->moment) || rows_new(k, in->n, steps + 1, single, &block->gradient);
}

sgdmft_status path_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, path_block *out)
{
    size_t width = (size_t)plan->shape.k * in->n;
    int pathwise = plan->at.response == RESPONSE_PATHWISE;
    path_block block = {.in = in};
    block.w = memory_doubles(width);
    block.r = memory_doubles(width);
    block.r_last = memory_doubles(width);
    block.newest_sum = memory_doubles(width);
    block.newest_moment = memory_doubles(width);
    block.chains = pathwise ? chains_new(plan, in) : NULL;
    int failed = rows_of_block(plan, in, &block);
    *out = block;
    if (!failed && block.w && block.r && block.r_last && block.newest_sum && block.newest_moment &&
        (block.chains || !pathwise))
        return SGDMFT_OK;
    path_block_clear(out);
    return context_out_of_memory(ctx, "a block of paths", path_block_bytes(plan, in->n, in->slots));
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

sgdmft_status path_workspace_new(sgdmft_context *ctx, const path_plan *plan, size_t lanes, int slots,
                               path_workspace **out)
{
    size_t k = (size_t)plan->shape.k, kk = k * k;
    size_t observables = (size_t)plan->shape.observables + 1 + (size_t)plan->shape.kstar;
    size_t chained = plan->at.response == RESPONSE_PATHWISE ? (size_t)slots + 1 : 0;
    path_workspace *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "scratch space", sizeof *s);
    sgdmft_status status = model_work_new(ctx, plan->m, lanes, &s->model);
    s->g = memory_doubles(k * lanes);
    s->G = memory_doubles(kk * lanes);
    s->t = memory_doubles(lanes);
    s->work = memory_doubles((kk > observables ? kk : observables) * lanes);
    s->GK = memory_doubles(chained * kk * lanes + 1);
    s->own = memory_doubles(k * lanes);
    s->control = memory_doubles(lanes);
    s->rho = memory_doubles(chained * kk * lanes + 1);
    s->visit = memory_doubles(visit_width(&plan->shape) * lanes);
    s->row = memory_doubles((size_t)(slots > plan->at.steps ? slots : plan->at.steps) * kk);
    s->inserted = memory_doubles(plan->last_visit ? 6 * k * lanes : 1);
    if (!status && !(s->g && s->G && s->t && s->work && s->GK && s->own && s->control && s->rho && s->visit && s->row &&
                     s->inserted))
        status = context_out_of_memory(ctx, "scratch space", 8.0 * (double)(kk * lanes * (size_t)(slots + 4)));
    if (status)
        path_workspace_free(s);
    else
        *out = s;
    return status;
}

void path_workspace_free(path_workspace *s)
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
static void field_coefficients(const path_plan *plan, const kernels *kern, int node, double *onto_teacher,
                               double *onto_start)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    const double *F = kern->F + (size_t)node * (size_t)(k * kstar);
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < kstar; b++) {
            onto_teacher[a * kstar + b] = F[a * kstar + b];
            for (int c = 0; c < k; c++)
                onto_teacher[a * kstar + b] += kernels_onto_start(kern, a * k + c, node) * plan->law->a[c * kstar + b];
        }
        for (int b = 0; b < k; b++) {
            onto_start[a * k + b] = 0;
            for (int c = 0; c < k; c++)
                onto_start[a * k + b] += kernels_onto_start(kern, a * k + c, node) * plan->law->b[c * k + b];
        }
    }
}

/* w(0) = A w* + B z0 */
static void field_at_start(const path_block *block, const path_plan *plan, double *w)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    size_t n = block->in->n;
    memset(w, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, plan->law->a, block->in->wstar, w);
    lanes_combine(k, k, (size_t)k, n, plan->law->b, block->in->z0, w);
}

/* The field, and its part `own` that does not come from the teacher. */
static void field_at_node(const path_block *block, const path_plan *plan, const kernels *kern, int node, double *own,
                          double *w)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    size_t n = block->in->n;
    double onto_teacher[MATRIX_MAX * MATRIX_MAX], onto_start[MATRIX_MAX * MATRIX_MAX];
    field_coefficients(plan, kern, node, onto_teacher, onto_start);
    memset(own, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, onto_start, block->in->z0, own);
    rows_combine(&block->xi, node, (size_t)(k * kern->steps), kernels_V(kern, node, 0), own);
    memcpy(w, own, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, onto_teacher, block->in->wstar, w);
}

void path_block_average_start(const path_block *block, const path_plan *plan, const double *g, path_workspace *s,
                              double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_outer(k, plan->shape.kstar, n, g, block->in->wstar, sums + plan->at.mu);
    field_at_start(block, plan, s->work);
    lanes_outer(k, k, n, g, s->work, sums + plan->at.gw0);
}

void path_block_average(const path_block *block, const path_plan *plan, path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_sum(k * k, n, s->G, sums + plan->at.gamma);
    lanes_outer(k, k, n, s->g, block->r, sums + plan->at.gr);
    path_block_average_start(block, plan, s->g, s, sums);
}

/* g and G at the node, and all averages that need no events. */
static int node_averages(path_block *block, const path_plan *plan, int node, path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_fill(n, plan->grid->t[node], s->t);
    if (model_gradient(plan->m, s->model, n, s->t, block->r, block->in->y, s->g, s->G))
        return -1;
    if (plan->last_visit)
        rows_set(&block->gradient, node, s->g);
    lanes_outer(k, k, n, s->g, s->g, sums + plan->at.outer);
    path_block_average(block, plan, s, sums);
    return 0;
}

int path_block_start(path_block *block, const path_plan *plan, path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n, slots = (size_t)block->in->slots, width = (size_t)k * n;
    if (block->chains && block->chains->chain)
        memset(block->chains->chain, 0, sizeof(double) * slots * (slots + 1) / 2 * (size_t)(k * k) * n);
    block->node = 0;
    field_at_start(block, plan, block->w);
    memset(block->newest_sum, 0, sizeof(double) * width);
    rows_set(&block->hat, 0, block->newest_sum);
    memcpy(block->r, block->w, sizeof(double) * width);
    return node_averages(block, plan, 0, s, sums);
}

void path_block_add_rows(const path_plan *plan, int cells, int kind, const double *x, const path_rows *y,
                         path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    memset(s->row, 0, sizeof(double) * (size_t)(k * k * cells));
    rows_outer(y, cells, x, s->row);
    for (int c = 0; c < cells; c++) {
        double *out = sums + averages_used(&plan->at, c) + (size_t)kind * (size_t)(k * k);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++)
                out[a * k + b] += s->row[(a * cells + c) * k + b];
    }
}

void path_block_add_events(const path_block *block, const path_plan *plan, int node, path_workspace *s, double *sums)
{
    int k = plan->shape.k, before = node - 1;
    const double *last = plan->process->white_noise ? s->g : block->newest_sum;
    double *newest = sums + averages_used(&plan->at, before) + (size_t)VISITS * (size_t)(k * k);
    path_block_add_rows(plan, before, VISITS, last, &block->sum, s, sums);
    lanes_outer(k, k, block->in->n, last, block->newest_sum, newest);
    if (plan->at.response == RESPONSE_PATHWISE)
        plan->events->average(block, plan, node, s, sums);
}

/* r at the node from the field there and the kicks of all cells but the newest: K_j takes R(t_node, t_j) K_j away. */
static void open_position(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s)
{
    int k = plan->shape.k, nodes = cell + 1;
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
static void close_position(path_block *block, const path_plan *plan, const kernels *kern, int cell)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    double of_sum[MATRIX_MAX * MATRIX_MAX], of_moment[MATRIX_MAX * MATRIX_MAX];
    for (int c = 0; c < k * k; c++) {
        const double *R = kernels_R(kern, c, cell + 1);
        of_sum[c] = -R[cell];
        of_moment[c] = R[cell] - R[cell + 1];
    }
    lanes_combine(k, k, (size_t)k, n, of_sum, block->newest_sum, block->r);
    lanes_combine(k, k, (size_t)k, n, of_moment, block->newest_moment, block->r);
}

int path_block_advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s,
                       double *sums)
{
    return path_block_advance_controlled(block, plan, kern, cell, NULL, s, sums, NULL);
}

int path_block_advance_controlled(path_block *block, const path_plan *plan, const kernels *kern, int cell,
                                  const path_control *control, path_workspace *s, double *sums, double *weighted)
{
    int node = cell + 1;
    block->node = node;
    field_at_node(block, plan, kern, node, s->own, block->w);
    open_position(block, plan, kern, cell, s);
    if (plan->events->advance(block, plan, kern, cell, s))
        return -1;
    close_position(block, plan, kern, cell);
    if (node_averages(block, plan, node, s, sums))
        return -1;
    if (plan->at.response == RESPONSE_PATHWISE)
        plan->events->derive(block, plan, kern, node, s);
    else
        path_block_add_rows(plan, node, INNOVATION, s->g, &block->xi, s, sums);
    path_block_add_events(block, plan, node, s, sums);
    if (control) {
        control_values(block, plan, kern, control, s);
        control_averages(block, plan, control->node, s, weighted);
    }
    return 0;
}

/* The newest cell becomes one of the rows. */
static void accept_cell(path_block *block, const path_plan *plan, int cell)
{
    rows_set(&block->sum, cell, block->newest_sum);
    if (plan->last_visit)
        rows_set(&block->moment, cell, block->newest_moment);
    rows_close_cell(&block->hat, cell, block->newest_sum, block->newest_moment);
}

void path_block_accept(path_block *block, const path_plan *plan)
{
    double *keep = block->r;
    if (block->node > 0)
        accept_cell(block, plan, block->node - 1);
    block->r = block->r_last;
    block->r_last = keep;
}
