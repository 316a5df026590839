#include "paths/block.h"

#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "paths/events.h"
#include "paths/lanes.h"

static history_plan history_plan_of(const path_plan *plan, size_t n)
{
    return (history_plan){
        .k = plan->shape.k, .n = n, .grid = plan->grid, .single = plan->single, .last_visit = plan->last_visit};
}

double path_block_bytes(const path_plan *plan, size_t n, int slots)
{
    const model_shape *shape = &plan->shape;
    history_plan history = history_plan_of(plan, n);
    double k = shape->k, lanes = (double)n, s = slots, steps = plan->at.steps;
    int visits = plan->process->visits != NULL, batches = plan->grid->discrete;
    double inputs = shape->kstar + 2 * k + shape->noises + shape->labels + steps * k;
    inputs += visits ? (3 + k) * s : (k + 1) * s;
    double state = (plan->grid->epoch > 0 ? 7 : 6) * k + (plan->at.response->midpoint ? 2 * k : 0);
    if (plan->at.response->pathwise)
        state += batches  ? s * (k * k + 0.5)
                 : visits ? s * (s + 1) / 2 * k * k + (k + 1.5) * s
                          : s * k * k;
    state += batches ? k : 0;
    return 8.0 * lanes * (inputs + state) + path_history_bytes(&history);
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

/* Stores the cell and, unless there is no array for it, the place of the visits of each lane, slot by slot. */
static void list_by_slot(const path_inputs *in, path_chains *c)
{
    for (int cell = 0; cell < in->steps; cell++)
        for (size_t g = in->group_first[cell]; g < in->group_first[cell + 1]; g++)
            for (size_t v = in->groups[g].first; v < in->groups[g].first + in->groups[g].count; v++) {
                size_t at = (size_t)in->visit_slot[v] * in->n + (size_t)in->visit_lane[v];
                c->cell[at] = cell;
                if (c->place)
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
    list_by_slot(in, c);
    return 0;
}

static int chains_of_batches(const path_inputs *in, size_t k, path_chains *c)
{
    size_t slots = (size_t)in->slots, n = in->n;
    c->slope = memory_doubles(slots * k * k * n + 1);
    c->cell = memory_zeroed(slots * n + 1, sizeof *c->cell);
    if (!c->slope || !c->cell)
        return -1;
    list_by_slot(in, c);
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
    int steps = plan->process->events == EVENTS_STEPS;
    if (c && (plan->grid->discrete ? chains_of_batches(in, k, c)
              : steps              ? chains_of_cells(in, k, c)
                                   : chains_of_visits(in, k, c))) {
        chains_free(c);
        return NULL;
    }
    return c;
}

sgdmft_status path_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, path_block *out)
{
    size_t width = (size_t)plan->shape.k * in->n;
    int pathwise = plan->at.response->pathwise, apart = plan->grid->epoch > 0, midpoint = plan->at.response->midpoint;
    int batches = plan->grid->discrete;
    history_plan history = history_plan_of(plan, in->n);
    path_block block = {.in = in};
    block.w = memory_doubles(width);
    block.r = memory_doubles(width);
    block.r_last = memory_doubles(width);
    block.unvisited = apart ? memory_doubles(width) : NULL;
    block.newest_sum = memory_doubles(width);
    block.newest_moment = memory_doubles(width);
    block.coming = batches ? memory_doubles(width) : NULL;
    block.zero = memory_doubles(width);
    block.chains = pathwise ? chains_new(plan, in) : NULL;
    block.middle = midpoint ? memory_doubles(width) : NULL;
    block.earlier = midpoint ? memory_doubles(width) : NULL;
    int failed = path_history_new(&history, in->xi, &block.history);
    *out = block;
    if (!failed && block.w && block.r && block.r_last && (block.unvisited || !apart) && block.newest_sum &&
        block.newest_moment && block.zero && (block.coming || !batches) && (block.chains || !pathwise) &&
        ((block.middle && block.earlier) || !midpoint))
        return SGDMFT_OK;
    path_block_clear(out);
    return context_out_of_memory(ctx, "a block of paths", path_block_bytes(plan, in->n, in->slots));
}

void path_block_clear(path_block *block)
{
    free(block->w);
    free(block->r);
    free(block->r_last);
    free(block->unvisited);
    free(block->newest_sum);
    free(block->newest_moment);
    free(block->coming);
    free(block->zero);
    path_history_clear(&block->history);
    chains_free(block->chains);
    free(block->middle);
    free(block->earlier);
    memset(block, 0, sizeof *block);
}

/* Doubles per lane of path_workspace.visit. Visits of a group need a time, r and g [k], G [k k], y and three numbers
   for their place; the stages of a kick need up to 4 positions and gradients [k] and two Hessians [k k]. */
static size_t visit_width(const model_shape *shape)
{
    size_t k = (size_t)shape->k;
    return 4 + 8 * k + 2 * k * k + (size_t)shape->labels;
}

sgdmft_status path_workspace_new(sgdmft_context *ctx, const path_plan *plan, size_t lanes, int slots,
                                 path_workspace **out)
{
    size_t k = (size_t)plan->shape.k, kk = k * k;
    size_t observables = (size_t)plan->shape.observables + 1 + (size_t)plan->shape.kstar;
    size_t chained = plan->at.response->pathwise ? (size_t)slots + 1 : 0;
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
    size_t nodes = 2 * ((size_t)plan->at.steps + 1); /* every epoch adds a row to the history */
    s->row = memory_doubles((chained > nodes ? chained : nodes) * kk);
    s->entry = memory_zeroed(lanes, sizeof *s->entry);
    s->inserted = memory_doubles(plan->last_visit ? 6 * k * lanes : 1);
    if (!status && !(s->g && s->G && s->t && s->work && s->GK && s->own && s->control && s->rho && s->visit && s->row &&
                     s->inserted && s->entry))
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
    free(s->entry);
    free(s);
}

void path_block_coefficients(const path_plan *plan, const double *R, const double *F, double *onto_teacher,
                             double *onto_start)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    memcpy(onto_teacher, F, sizeof(double) * (size_t)(k * kstar));
    matrix_accumulate(k, k, kstar, 1, R, plan->law->start_onto_signal, onto_teacher);
    memset(onto_start, 0, sizeof(double) * (size_t)(k * k));
    matrix_accumulate(k, k, k, 1, R, plan->law->start_root, onto_start);
}

void path_block_start_field(const path_block *block, const path_plan *plan, double *w)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    size_t n = block->in->n;
    memset(w, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, plan->law->start_onto_signal, block->in->wstar, w);
    lanes_combine(k, k, (size_t)k, n, plan->law->start_root, block->in->z0, w);
}

/* The field w at a node, and its part `own`, which does not come from the teacher. */
static void field_at_node(const path_block *block, const path_plan *plan, const kernels *kern, int node, double *own,
                          double *w)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    size_t n = block->in->n;
    double onto_teacher[MATRIX_MAX * MATRIX_MAX], onto_start[MATRIX_MAX * MATRIX_MAX], R[MATRIX_MAX * MATRIX_MAX];
    for (int c = 0; c < k * k; c++)
        R[c] = kernels_onto_start(kern, c, node);
    path_block_coefficients(plan, R, kern->F + node * k * kstar, onto_teacher, onto_start);
    memset(own, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, onto_start, block->in->z0, own);
    path_history_field(&block->history, kern, node, own);
    memcpy(w, own, sizeof(double) * (size_t)k * n);
    lanes_combine(k, kstar, (size_t)kstar, n, onto_teacher, block->in->wstar, w);
}

int path_block_gradient(void *user, const double *r, double *g, double *G)
{
    const block_gradient *source = user;
    return model_gradient(source->plan->m, source->s->model, source->in->n, source->s->t, r, source->in->y, g, G);
}

void path_block_average_start(const path_block *block, const path_plan *plan, const double *g, path_workspace *s,
                              double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_outer(k, plan->shape.kstar, n, g, block->in->wstar, sums + plan->at.mu);
    path_block_start_field(block, plan, s->work);
    lanes_outer(k, k, n, g, s->work, sums + plan->at.gw0);
}

void path_block_average(const path_block *block, const path_plan *plan, const double *position, path_workspace *s,
                        double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_sum(k * k, n, s->G, sums + plan->at.gamma);
    lanes_outer(k, k, n, s->g, position, sums + plan->at.gr);
    path_block_average_start(block, plan, s->g, s, sums);
}

/* Computes g and G at a position and adds all averages that involve no events. */
static int node_averages(const path_block *block, const path_plan *plan, int node, const double *position,
                         path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_fill(n, plan->grid->t[node], s->t);
    if (model_gradient(plan->m, s->model, n, s->t, position, block->in->y, s->g, s->G))
        return -1;
    if (plan->last_visit)
        rows_set(&block->history.gradients, node, s->g);
    lanes_outer(k, k, n, s->g, s->g, sums + plan->at.outer);
    path_block_average(block, plan, position, s, sums);
    return 0;
}

int path_block_start(path_block *block, const path_plan *plan, const kernels *kern, path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n, slots = (size_t)block->in->slots, width = (size_t)k * n;
    if (block->chains && block->chains->chain)
        memset(block->chains->chain, 0, sizeof(double) * slots * (slots + 1) / 2 * (size_t)(k * k) * n);
    block->node = block->begun = 0;
    path_block_start_field(block, plan, block->w);
    path_history_start(&block->history, block->zero);
    memcpy(block->r, block->w, sizeof(double) * width);
    if (plan->events->at_node)
        return plan->events->at_node(block, plan, kern, 0, s, sums);
    return node_averages(block, plan, 0, block->r, s, sums);
}

void path_block_average_events(const path_block *block, const path_plan *plan, int node, int history, path_workspace *s,
                               double *sums)
{
    int k = plan->shape.k, newest = node - 1, is_new = node == block->node, earlier = is_new ? newest : node;
    const path_history *h = &block->history;
    const double *last = plan->process->white_noise || plan->grid->discrete ? s->g : block->newest_sum;
    path_history_correlate(&h->kicks, &plan->at, history < earlier ? history : earlier, VISITS, last, s->row, sums);
    if (is_new && history == node)
        lanes_outer(k, k, block->in->n, last, block->newest_sum,
                    sums + averages_used(&plan->at, newest) + (size_t)VISITS * (size_t)(k * k));
    if (plan->at.response->pathwise)
        plan->events->average(block, plan, history, s, sums);
}

/* The positions (1) at the node from the field there and the kicks of all cells but the newest: that of the path as it
   is, and that of a path which is visited now. */
static void open_positions(const path_block *block, const path_plan *plan, const kernels *kern, int node,
                           path_workspace *s)
{
    size_t bytes = sizeof(double) * (size_t)plan->shape.k * block->in->n;
    int history = plan->grid->history[node];
    memcpy(block->r, block->w, bytes);
    path_history_recall(&block->history, kern, node, 0, history, s->row, block->r);
    if (!block->unvisited || history == node)
        return;
    memcpy(block->unvisited, block->r, bytes);
    path_history_recall(&block->history, kern, node, history, node, s->row, block->r);
}

/* Adds the kicks of the newest cell to the position of the path as it is. */
static void close_position(const path_block *block, const path_plan *plan, const kernels *kern, int cell)
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

/* Adds all averages at a position that lacks the events since node `history`. */
static int all_averages(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                        const double *position, path_workspace *s, double *sums)
{
    if (node_averages(block, plan, node, position, s, sums))
        return -1;
    if (plan->at.response->pathwise)
        plan->events->derive(block, plan, kern, node, history, s);
    else
        path_history_correlate(&block->history.normals, &plan->at, node, INNOVATION, s->g, s->row, sums);
    path_block_average_events(block, plan, node, history, s, sums);
    return 0;
}

/* The same in the middle of the cell before the node, where the events have computed g and the position. */
static void cell_averages(const path_block *block, const path_plan *plan, const kernels *kern, int node,
                          path_workspace *s, double *sums)
{
    int k = plan->shape.k;
    size_t n = block->in->n;
    lanes_outer(k, k, n, s->g, s->g, sums + plan->at.outer);
    lanes_outer(k, k, n, s->g, s->own, sums + plan->at.gr);
    path_block_average_start(block, plan, s->g, s, sums);
    plan->events->derive(block, plan, kern, node, node, s);
    path_block_average_events(block, plan, node, node, s, sums);
}

int path_block_advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s,
                       double *sums)
{
    int node = cell + 1;
    block->node = node;
    if (!block->observed && plan->events->is_idle && plan->events->is_idle(block, plan, node))
        return plan->events->advance(block, plan, kern, cell, s) ||
               plan->events->at_node(block, plan, kern, node, s, sums);
    field_at_node(block, plan, kern, node, s->own, block->w);
    open_positions(block, plan, kern, node, s);
    if (plan->events->advance(block, plan, kern, cell, s))
        return -1;
    close_position(block, plan, kern, cell);
    if (plan->events->at_node)
        return plan->events->at_node(block, plan, kern, node, s, sums);
    if (plan->at.response->midpoint) {
        cell_averages(block, plan, kern, node, s, sums);
        return 0;
    }
    return all_averages(block, plan, kern, node, plan->grid->history[node], path_block_unvisited(block, plan), s, sums);
}

void path_block_accept(path_block *block, const path_plan *plan)
{
    if (block->node > 0)
        path_history_close_cell(&block->history, plan->grid, block->node - 1, block->newest_sum, block->newest_moment,
                                block->zero);
    path_block_keep_position(block);
    block->node = -1;
}

int path_block_renew(const path_block *block, const path_plan *plan, const kernels *kern, int node, path_workspace *s,
                     double *sums)
{
    return all_averages(block, plan, kern, node, node, block->r_last, s, sums);
}
