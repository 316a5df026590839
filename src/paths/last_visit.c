#include "paths/last_visit.h"

#include <string.h>

#include "core/matrix.h"
#include "paths/lanes.h"
#include "paths/observe.h"

/* The largest number of nodes over which the last visit is integrated. */
enum { NODES_MOST = 16 };

/* A visit inserted at a node, or none. The weights are integrals of the density of the last visit against the two
   halves of the hat function of the node. */
typedef struct insertion {
    int node;
    double after, before; /* weights from the cells that begin and that end at the node */
    double none;          /* probability that there is no visit */
    const double *r;      /* [k][n] position at the node of the averages, given the insertion */
    const double *kick;   /* [k][n] of the inserted visit, or NULL */
} insertion;

/* The run backwards over the nodes at which visits are inserted. */
typedef struct walk {
    const path_block *block;
    const path_plan *plan;
    const kernels *kern;
    int node;
    path_workspace *s;
    double *base;    /* [k][n] position without the visits from the current node on */
    double *r;       /* [k][n] position with the inserted visit */
    double *kick;    /* [k][n] kick of the inserted visit */
    double *wide[2]; /* [k][n] room for rows in double precision */
    double *later;   /* [k][n] sum of weight * g over the insertions so far, which are all later */
    double *sums, *observed;
} walk;

int last_visit_first(const last_visit_law *law, const time_grid *grid, int node)
{
    int first = node - 1;
    while (first > 0 && node - first < NODES_MOST && grid->t[node] - grid->t[first - 1] <= law->window)
        first--;
    return first;
}

/* S of cell c. */
static const double *sum_of(const walk *w, int c)
{
    return c == w->node - 1 ? w->block->newest_sum : rows_get(&w->block->history.kicks, c, w->wide[0]);
}

/* B of cell c. */
static const double *moment_of(const walk *w, int c)
{
    return c == w->node - 1 ? w->block->newest_moment : rows_get(&w->block->history.moments, c, w->wide[1]);
}

/* Takes back the kicks of cell c: base += sum of R(t_node, T_b) kick_b over its visits b. */
static void take_back(const walk *w, int c)
{
    int k = w->plan->shape.k;
    double of_sum[MATRIX_MAX * MATRIX_MAX], of_moment[MATRIX_MAX * MATRIX_MAX];
    for (int x = 0; x < k * k; x++) {
        const double *R = kernels_R(w->kern, x, w->node);
        of_sum[x] = R[c];
        of_moment[x] = R[c + 1] - R[c];
    }
    lanes_take_back(k, w->block->in->n, of_sum, of_moment, sum_of(w, c), moment_of(w, c), w->base);
}

static void add_scaled(size_t n, double factor, const double *x, double *sums)
{
    for (size_t c = 0; c < n; c++)
        sums[c] += factor * x[c];
}

/* The sums of row VISITS of a cell. */
static double *visits_row(const walk *w, int cell)
{
    return w->sums + averages_used(&w->plan->at, cell) + (size_t)VISITS * (size_t)(w->plan->shape.k * w->plan->shape.k);
}

/* Adds the products of g with kicks, E[g S_c^T], where g is that of this insertion and of the later ones. The inserted
   kick belongs to the cells beside its node. Insertions at later nodes leave all visits of the cell that begins at the
   node in place. */
static void add_kicks(const walk *w, const insertion *at, const double *g_kick, const double *later_visits)
{
    size_t kk = (size_t)(w->plan->shape.k * w->plan->shape.k);
    if (at->after > 0) {
        add_scaled(kk, 1, later_visits, visits_row(w, at->node));
        add_scaled(kk, at->after, g_kick, visits_row(w, at->node));
    }
    if (at->before > 0)
        add_scaled(kk, at->before, g_kick, visits_row(w, at->node - 1));
}

int last_visit_evaluate(const path_block *block, const path_plan *plan, double weight, const double *r,
                        path_workspace *s, double *observed)
{
    const path_inputs *in = block->in;
    if (!observed)
        return model_gradient(plan->m, s->model, in->n, s->t, r, in->y, s->g, NULL);
    if (model_loss_gradient(plan->m, s->model, in->n, s->t, r, in->y, s->work, s->g))
        return -1;
    return path_observe_add(block, plan, weight, r, s, observed);
}

/* Adds the averages with one insertion. */
static int average(const walk *w, const insertion *at)
{
    const averages_layout *layout = &w->plan->at;
    int k = w->plan->shape.k;
    size_t n = w->block->in->n, kk = (size_t)(k * k);
    double weight = at->after + at->before + at->none, product[4 * MATRIX_MAX * MATRIX_MAX], *g = w->s->g;
    if (last_visit_evaluate(w->block, w->plan, weight, at->r, w->s, w->observed))
        return -1;
    const double *sum = at->after > 0 ? sum_of(w, at->node) : g;
    lanes_insertion_products(k, n, weight, g, at->r, at->kick ? at->kick : g, sum, w->later, product);
    add_scaled(kk, weight, product, w->sums + layout->outer);
    add_scaled(kk, weight, product + kk, w->sums + layout->gr);
    if (at->kick)
        add_kicks(w, at, product + 2 * kk, product + 3 * kk);
    return 0;
}

/* Inserts a visit at node c, which kicks by eta g, and adds the averages. */
static int insert(const walk *w, int c, double eta, double after, double before)
{
    int k = w->plan->shape.k;
    size_t n = w->block->in->n;
    double response[MATRIX_MAX * MATRIX_MAX];
    for (int x = 0; x < k * k; x++)
        response[x] = kernels_R(w->kern, x, w->node)[c];
    lanes_insert(k, n, eta, response, rows_get(&w->block->history.gradients, c, w->wide[1]), w->base, w->kick, w->r);
    return average(w, &(insertion){.node = c, .after = after, .before = before, .r = w->r, .kick = w->kick});
}

/* Inserts visits from the node back to node `first`, then takes the path without a visit since that node. */
static int walk_back(const walk *w, int first)
{
    const time_grid *grid = w->plan->grid;
    const last_visit_law *law = w->plan->process->last_visit;
    double after = 0, all, end;
    memcpy(w->base, w->block->r, sizeof(double) * (size_t)w->plan->shape.k * w->block->in->n);
    for (int c = w->node; c >= first; c--) {
        double before = 0, next_after = 0;
        if (c < w->node)
            take_back(w, c);
        if (c > first) {
            law->cell(grid->t[w->node] - grid->t[c], grid->h[c - 1], w->kern->fit[c - 1], &all, &end);
            before = end;
            next_after = all - end;
        }
        /* where eta jumps, visits just before and just after the node kick differently */
        int apart = c < w->node && c > 0 && grid->corner[c];
        if (apart && insert(w, c, grid->eta_start[c], after, 0))
            return -1;
        if (c == first && apart)
            break;
        if (insert(w, c, c > first ? grid->eta_end[c - 1] : grid->eta_start[c], apart ? 0 : after, before))
            return -1;
        after = next_after;
    }
    double none = law->none(grid->t[w->node] - grid->t[first]);
    return average(w, &(insertion){.node = first, .none = none, .r = w->base});
}

int last_visit_averages(const path_block *block, const path_plan *plan, const kernels *kern, int node,
                        path_workspace *s, double *sums, double *observed)
{
    size_t width = (size_t)plan->shape.k * block->in->n;
    int first = last_visit_first(plan->process->last_visit, plan->grid, node);
    walk w = {.block = block,
              .plan = plan,
              .kern = kern,
              .node = node,
              .s = s,
              .base = s->inserted,
              .r = s->inserted + width,
              .kick = s->inserted + 2 * width,
              .later = s->inserted + 3 * width,
              .wide = {s->inserted + 4 * width, s->inserted + 5 * width},
              .sums = sums,
              .observed = observed};
    memset(w.later, 0, sizeof(double) * width);
    lanes_fill(block->in->n, plan->grid->t[node], s->t);
    if (walk_back(&w, first))
        return -1;
    path_history_correlate(&block->history.kicks, &plan->at, first, VISITS, w.later, s->row, sums);
    path_history_correlate(&block->history.normals, &plan->at, node, INNOVATION, w.later, s->row, sums);
    path_block_average_start(block, plan, w.later, s, sums);
    return 0;
}
