#include "merged/last_visit.h"

#include <string.h>

#include "core/matrix.h"
#include "paths/lanes.h"
#include "paths/last_visit.h"

/* Weights of the two nodes of a cell in an integral of the density of the last visit over it, times phi_0 and phi_1. */
typedef struct cell_weights {
    double start[MOMENTS], end[MOMENTS];
} cell_weights;

/* Gauss-Legendre points and weights on (0, 1): exact to rounding for the densities of cells of up to some units. */
enum { POINTS = 6 };
static const double POINT[POINTS] = {0.033765242898423987, 0.16939530676686776, 0.38069040695840156,
                                     0.61930959304159844,  0.83060469323313224, 0.96623475710157601};
static const double WEIGHT[POINTS] = {0.085662246189585172, 0.18038078652406931, 0.23395696728634552,
                                      0.23395696728634552,  0.18038078652406931, 0.085662246189585172};

/* The weights of a cell of width h that ends `late` before the node. */
static cell_weights weights_of(const last_visit_law *law, double late, double h)
{
    cell_weights w = {{0}, {0}};
    for (int x = 0; x < POINTS; x++) {
        double u = POINT[x], mass = WEIGHT[x] * h * law->density(late + (1 - u) * h);
        w.start[0] += mass * (1 - u);
        w.end[0] += mass * u;
        w.start[1] += mass * (1 - u) * moment_slope(u);
        w.end[1] += mass * u * moment_slope(u);
    }
    return w;
}

/* A visit inserted at a node, or none. */
typedef struct insertion {
    int node;
    const cell_weights *after, *before; /* of the cells that begin and that end at the node, or NULL */
    double weight;                      /* all together */
    const double *r;                    /* [k][n] position at the node of the averages, given the insertion */
    const double *kick;                 /* [k][n] of the inserted visit, or NULL */
} insertion;

/* The run backwards over the nodes. */
typedef struct walk {
    const merged_block *block;
    const path_block *base;
    const path_plan *plan;
    const merged_kernels *kern;
    int node; /* of the averages */
    path_workspace *s;
    double *without;  /* [k][n] position without the visits from the current node on */
    double *r, *kick; /* [k][n] */
    double *wide;     /* [2][k][n] room for rows in double precision */
    double *later;    /* [k][n] sum of weight * g over the insertions so far, which are all later */
    double *sums, *observed;
} walk;

/* The index in the list of the cell that begins at node c. */
static int cell_at(const walk *w, int c)
{
    return w->kern->cells.n - (w->node - 1 - c);
}

/* Moment m of the kicks of the cell that begins at node c. */
static const double *kicks_of(const walk *w, int c, int m)
{
    size_t width = (size_t)w->plan->shape.k * w->base->in->n;
    if (c == w->node - 1)
        return w->block->K + (size_t)m * width;
    return rows_get(&w->block->kicks, MOMENTS * cell_at(w, c) + m, w->wide + (size_t)m * width);
}

/* Coefficient m of R(t_node, .) in the cell that begins at node c. */
static void row_block(const walk *w, int c, int m, double *R)
{
    merged_row_block(w->kern, w->kern->R_next, (MOMENTS * cell_at(w, c) + m) * w->kern->k, R);
}

/* R(t_node, t_c): the lines of the cells beside a node may differ, and count equally. */
static void response_at(const walk *w, int c, double *R)
{
    int kk = w->kern->k * w->kern->k;
    double mean[MATRIX_MAX * MATRIX_MAX], slope[MATRIX_MAX * MATRIX_MAX];
    if (c == w->node) {
        for (int x = 0; x < kk; x++)
            R[x] = x % (w->kern->k + 1) == 0;
        return;
    }
    if (c == w->node - 1) {
        memcpy(R, w->kern->within, sizeof *R * (size_t)kk);
        return;
    }
    row_block(w, c, 0, mean);
    row_block(w, c, 1, slope);
    for (int x = 0; x < kk; x++)
        R[x] = mean[x] - MOMENT_ROOT3 * slope[x];
    if (cell_at(w, c) == 0)
        return;
    row_block(w, c - 1, 0, mean);
    row_block(w, c - 1, 1, slope);
    for (int x = 0; x < kk; x++)
        R[x] = 0.5 * (R[x] + mean[x] + MOMENT_ROOT3 * slope[x]);
}

/* Takes back the kicks of the cell that begins at node c. */
static void take_back(const walk *w, int c)
{
    double R[MOMENTS][MATRIX_MAX * MATRIX_MAX];
    for (int m = 0; m < MOMENTS; m++)
        row_block(w, c, m, R[m]);
    lanes_take_back(w->plan->shape.k, w->base->in->n, R[0], R[1], kicks_of(w, c, 0), kicks_of(w, c, 1), w->without);
}

static void add_scaled(size_t n, double factor, const double *x, double *sums)
{
    for (size_t c = 0; c < n; c++)
        sums[c] += factor * x[c];
}

/* The sums of row VISITS of moment m of the cell that begins at node c. */
static double *visits_row(const walk *w, int c, int m)
{
    return w->sums + averages_used(&w->plan->at, MOMENTS * cell_at(w, c) + m) +
           (size_t)VISITS * (size_t)(w->plan->shape.k * w->plan->shape.k);
}

/* Adds the averages with one insertion. The inserted kick belongs to the cells beside its node; insertions at later
   nodes leave all visits of the cell that begins at the node in place. */
static int average(const walk *w, const insertion *at)
{
    const averages_layout *layout = &w->plan->at;
    int k = w->plan->shape.k;
    size_t n = w->base->in->n, kk = (size_t)(k * k);
    double product[4 * MATRIX_MAX * MATRIX_MAX], *g = w->s->g;
    if (last_visit_evaluate(w->base, w->plan, at->weight, at->r, w->s, w->observed))
        return -1;
    if (at->after)
        lanes_outer(k, k, n, w->later, kicks_of(w, at->node, 1), visits_row(w, at->node, 1));
    const double *mean = at->after ? kicks_of(w, at->node, 0) : g;
    lanes_insertion_products(k, n, at->weight, g, at->r, at->kick ? at->kick : g, mean, w->later, product);
    add_scaled(kk, at->weight, product, w->sums + layout->outer);
    add_scaled(kk, at->weight, product + kk, w->sums + layout->gr);
    if (at->after)
        add_scaled(kk, 1, product + 3 * kk, visits_row(w, at->node, 0));
    for (int m = 0; m < MOMENTS; m++) {
        if (at->after)
            add_scaled(kk, at->after->start[m], product + 2 * kk, visits_row(w, at->node, m));
        if (at->before)
            add_scaled(kk, at->before->end[m], product + 2 * kk, visits_row(w, at->node - 1, m));
    }
    return 0;
}

/* Inserts a visit at node c, which kicks by eta g, and adds the averages. */
static int insert(const walk *w, int c, double eta, const cell_weights *after, const cell_weights *before)
{
    double response[MATRIX_MAX * MATRIX_MAX];
    response_at(w, c, response);
    lanes_insert(w->plan->shape.k, w->base->in->n, eta, response, merged_block_gradient(w->block, c, w->wide),
                 w->without, w->kick, w->r);
    double weight = (after ? after->start[0] : 0) + (before ? before->end[0] : 0);
    return average(w, &(insertion){c, after, before, weight, w->r, w->kick});
}

/* Inserts visits from the node back to node `first`, then takes the path without a visit since that node. */
static int walk_back(const walk *w, int first)
{
    const time_grid *grid = w->plan->grid;
    const last_visit_law *law = w->plan->process->last_visit;
    cell_weights after, before;
    memcpy(w->without, w->base->r, sizeof(double) * (size_t)w->plan->shape.k * w->base->in->n);
    for (int c = w->node; c >= first; c--) {
        if (c < w->node)
            take_back(w, c);
        if (c > first)
            before = weights_of(law, grid->t[w->node] - grid->t[c], grid->h[c - 1]);
        const cell_weights *later = c < w->node ? &after : NULL, *earlier = c > first ? &before : NULL;
        /* where eta jumps, visits just before and just after the node kick differently */
        if (later && earlier && grid->corner[c]) {
            if (insert(w, c, grid->eta_start[c], later, NULL))
                return -1;
            later = NULL;
        }
        if (insert(w, c, c < w->node && !earlier ? grid->eta_start[c] : grid->eta_end[c - 1], later, earlier))
            return -1;
        after = before;
    }
    double none = law->none(grid->t[w->node] - grid->t[first]);
    return average(w, &(insertion){first, NULL, NULL, none, w->without, NULL});
}

int merged_last_visit(const merged_block *block, const path_block *base, const path_plan *plan,
                      const merged_kernels *kern, int i, path_workspace *s, double *sums, double *observed)
{
    int k = plan->shape.k, node = i + 1, cells = kern->cells.n;
    size_t n = base->in->n, width = (size_t)k * n, kk = (size_t)(k * k);
    int first = last_visit_first(plan->process->last_visit, plan->grid, node);
    walk w = {.block = block,
              .base = base,
              .plan = plan,
              .kern = kern,
              .node = node,
              .s = s,
              .without = s->inserted,
              .r = s->inserted + width,
              .kick = s->inserted + 2 * width,
              .later = s->inserted + 3 * width,
              .wide = s->inserted + 4 * width,
              .sums = sums,
              .observed = observed};
    memset(w.later, 0, sizeof(double) * width);
    lanes_fill(n, plan->grid->t[node], s->t);
    if (walk_back(&w, first))
        return -1;
    path_history_correlate(&block->kicks, &plan->at, MOMENTS * cell_at(&w, first), VISITS, w.later, s->row, sums);
    path_history_correlate(&block->innovations, &plan->at, MOMENTS * cells, INNOVATION, w.later, s->row, sums);
    for (int m = 0; m < MOMENTS; m++)
        lanes_outer(k, k, n, w.later, block->U + (size_t)m * width,
                    sums + averages_used(&plan->at, MOMENTS * cells + m) + INNOVATION * kk);
    path_block_average_start(base, plan, w.later, s, sums);
    return 0;
}
