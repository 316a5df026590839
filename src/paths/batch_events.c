/* For pathwise responses, a run backwards over the visits b of a path solves (2) for the derivatives of g at node i with
   respect to w at each visit. With v_b the step of visit b and D_b = eta G at the visit,

     x_b = d g_i / d w(T_b) = (- G R_{i, v_b + 1} - sum_{a > b} x_a R_{v_a, v_b + 1}) D_b. */
#include "paths/batch_events.h"

#include <math.h>
#include <string.h>

#include "paths/events.h"
#include "paths/lanes.h"

/* The kicks of the step from node `cell`, prepared at that node. */
static int advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s)
{
    (void)kern;
    (void)cell;
    (void)s;
    size_t bytes = sizeof(double) * (size_t)plan->shape.k * block->in->n;
    memcpy(block->newest_sum, block->coming, bytes);
    memcpy(block->newest_moment, block->coming, bytes); /* at place 1 of the cell */
    return 0;
}

/* Prepares the kicks of the step from the node, eta g of the paths in its batch, and stores D at these visits. */
static void prepare_kicks(path_block *block, const path_plan *plan, int node, const path_workspace *s)
{
    const path_inputs *in = block->in;
    size_t k = (size_t)plan->shape.k, n = in->n, kk = k * k;
    double eta = plan->grid->eta_start[node];
    for (size_t g = in->group_first[node]; g < in->group_first[node + 1]; g++)
        for (size_t v = in->groups[g].first; v < in->groups[g].first + in->groups[g].count; v++) {
            size_t lane = (size_t)in->visit_lane[v];
            for (size_t a = 0; a < k; a++)
                block->coming[a * n + lane] += eta * s->g[a * n + lane];
            double *D = block->chains ? block->chains->slope + (size_t)in->visit_slot[v] * kk * n + lane : NULL;
            for (size_t x = 0; x < kk && D; x++)
                D[x * n] = eta * s->G[x * n + lane];
        }
}

/* Where a sample keeps its place in every epoch, averages given a visit run over the paths of the batch: g and G become
   zero on all others, and as many times larger as there are batches. */
static void keep_batch(const path_block *block, const path_plan *plan, int node, path_workspace *s)
{
    const path_inputs *in = block->in;
    size_t k = (size_t)plan->shape.k, n = in->n;
    double batches = round(1 / plan->grid->h[node]);
    lanes_fill(n, 0, s->control);
    for (size_t g = in->group_first[node]; g < in->group_first[node + 1]; g++)
        for (size_t v = in->groups[g].first; v < in->groups[g].first + in->groups[g].count; v++)
            s->control[in->visit_lane[v]] = batches;
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            s->g[a * n + p] *= s->control[p];
    for (size_t x = 0; x < k * k; x++)
        for (size_t p = 0; p < n; p++)
            s->G[x * n + p] *= s->control[p];
}

/* The mean square of the number of visits in the cell after a node, divided by its mean. */
static double square_per_visit(const path_plan *plan, int node)
{
    int poisson = plan->process->events == EVENTS_VISITS && process_is_independent(plan->process);
    return poisson ? 1 + plan->grid->h[node] : 1;
}

/* Where a sample keeps its place, blocks have paths with neighbouring places, and most blocks have none in a batch. */
static int is_idle(const path_block *block, const path_plan *plan, int node)
{
    const path_inputs *in = block->in;
    return node == plan->grid->steps ||
           (process_keeps_places(plan->process) && in->group_first[node] == in->group_first[node + 1]);
}

static int at_node(path_block *block, const path_plan *plan, const kernels *kern, int node, path_workspace *s,
                   double *sums)
{
    const path_inputs *in = block->in;
    int k = plan->shape.k, history = plan->grid->history[node];
    size_t n = in->n;
    memset(block->coming, 0, sizeof *block->coming * (size_t)k * n);
    if (is_idle(block, plan, node))
        return 0;
    const double *position = history == node ? block->r : path_block_unvisited(block, plan);
    lanes_fill(n, plan->grid->t[node], s->t);
    if (model_gradient(plan->m, s->model, n, s->t, position, in->y, s->g, s->G))
        return -1;
    prepare_kicks(block, plan, node, s);
    double again = square_per_visit(plan, node);
    for (size_t p = 0; p < (size_t)k * n; p++)
        s->own[p] = again * s->g[p];
    if (process_keeps_places(plan->process))
        keep_batch(block, plan, node, s);
    lanes_outer(k, k, n, s->g, s->own, sums + plan->at.outer);
    path_block_average(block, plan, position, s, sums);
    if (node == 0)
        return 0;
    if (plan->at.response->pathwise)
        batch_events.derive(block, plan, kern, node, history, s);
    else
        path_history_correlate(&block->history.normals, &plan->at, node, INNOVATION, s->g, s->row, sums);
    path_block_average_events(block, plan, node, history, s, sums);
    return 0;
}

/* Entries of the planes of R, one for each lane. Where every sample is in every batch, all lanes have the same one. */
typedef struct entries {
    const double *first; /* plane 0 */
    size_t plane;
    const size_t *at; /* [n]; NULL if all are `same` */
    size_t same;
} entries;

/* The entries R(t_node, t_{v + 1}) with the step v of slot b; `from` is the slot whose steps are the nodes, or -1 if all
   nodes are `node`. */
static entries entries_of(const path_block *block, const path_plan *plan, const kernels *kern, int from, int node,
                          int b, size_t *at)
{
    size_t n = block->in->n;
    const int *step = block->chains->cell + (size_t)b * n,
              *row = block->chains->cell + (size_t)(from < 0 ? 0 : from) * n;
    entries R = {kern->R, kern->plane, NULL, 0};
    R.same = (size_t)(from < 0 ? node : row[0]) * kern->stride + (size_t)step[0] + 1;
    if (plan->process->batch == BATCH_FULL)
        return R;
    for (size_t p = 0; p < n; p++)
        at[p] = (size_t)(from < 0 ? node : row[p]) * kern->stride + (size_t)step[p] + 1;
    R.at = at;
    return R;
}

/* sum[a b] -= x[a l] R[l b], lane by lane. */
static void subtract_products(size_t k, size_t n, const double *x, entries R, double *sum)
{
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++)
            for (size_t l = 0; l < k; l++) {
                const double *plane = R.first + (l * k + b) * R.plane, *left = x + (a * k + l) * n;
                double *out = sum + (a * k + b) * n, same = plane[R.same];
                if (R.at)
                    for (size_t p = 0; p < n; p++)
                        out[p] -= left[p] * plane[R.at[p]];
                else
                    for (size_t p = 0; p < n; p++)
                        out[p] -= left[p] * same;
            }
}

static void derive(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                   path_workspace *s)
{
    size_t k = (size_t)plan->shape.k, n = block->in->n, width = k * k * n;
    const path_chains *c = block->chains;
    int slots = block->in->slots_before[history];
    double *sum = s->work;
    for (int b = slots - 1; b >= 0; b--) {
        memset(sum, 0, sizeof *sum * width);
        subtract_products(k, n, s->G, entries_of(block, plan, kern, -1, node, b, s->entry), sum);
        for (int a = b + 1; a < slots; a++)
            subtract_products(k, n, s->GK + (size_t)a * width, entries_of(block, plan, kern, a, 0, b, s->entry), sum);
        lanes_multiply_each((int)k, n, 1, sum, c->slope + (size_t)b * width, s->GK + (size_t)b * width);
    }
}

/* Visits that are still to come have no row yet. */
static void average(const path_block *block, const path_plan *plan, int history, path_workspace *s, double *sums)
{
    size_t n = block->in->n, kk = (size_t)(plan->shape.k * plan->shape.k);
    for (int b = 0; b < block->in->slots_before[history]; b++) {
        const int *cell = block->chains->cell + (size_t)b * n;
        for (size_t x = 0; x < kk; x++) {
            const double *GK = s->GK + ((size_t)b * kk + x) * n;
            for (size_t p = 0; p < n; p++)
                if (cell[p] < history)
                    sums[averages_used(&plan->at, cell[p]) + RESPONSE_LEFT * kk + x] += GK[p];
        }
    }
}

const path_events batch_events = {
    .advance = advance, .is_idle = is_idle, .at_node = at_node, .derive = derive, .average = average};
