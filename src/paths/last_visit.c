#include "paths/last_visit.h"

#include <math.h>
#include <string.h>

#include "paths/lanes.h"
#include "twotime/block.h"

/* How far back the last visit is looked for: in time, where visits are of rate 1, and in nodes. */
static const double WINDOW = 3;
enum { NODES_MOST = 16 };

/* A visit inserted at a node, or none. The weights are those of the hats to the left and to the right of the node. */
typedef struct insertion {
    int node;
    double after, before; /* shares of the cells that begin and that end at the node */
    double none;          /* without a visit */
    const double *r;      /* [k][n] */
    const double *kick;   /* [k][n] of the inserted visit */
} insertion;

typedef int (*insertion_use)(void *user, const insertion *at);

typedef struct walk {
    const path_block *block;
    const path_setting *set;
    const kernels *kern;
    int node;
    double *base, *r, *kick; /* [k][n] */
    insertion_use use;
    void *user;
} walk;

static int first_node(const time_grid *grid, int node)
{
    int first = node;
    while (first > 0 && node - first < NODES_MOST && grid->t[node] - grid->t[first - 1] <= WINDOW)
        first--;
    return first;
}

/* Integral of exp(-(t_node - tau)) over cell c, and its part that falls to the node at the end of the cell. */
static void cell_weights(const time_grid *grid, int node, int c, double *all, double *end)
{
    double h = grid->h[c], late = exp(-(grid->t[node] - grid->t[c + 1]));
    *all = -late * expm1(-h);
    *end = late * (h + expm1(-h)) / h;
}

/* base += what the visits of cell c took away at the node */
static void take_back(const walk *w, int c)
{
    int k = w->set->shape.k;
    size_t n = w->block->in->n, first = (size_t)c * (size_t)k * n;
    double of_sum[BLOCK_MAX * BLOCK_MAX], of_moment[BLOCK_MAX * BLOCK_MAX];
    for (int x = 0; x < k * k; x++) {
        const double *R = kernels_R(w->kern, x, w->node);
        of_sum[x] = R[c];
        of_moment[x] = R[c + 1] - R[c];
    }
    lanes_combine(k, k, (size_t)k, n, of_sum, w->block->sum + first, w->base);
    lanes_combine(k, k, (size_t)k, n, of_moment, w->block->moment + first, w->base);
}

static int insert(const walk *w, int c, double eta, double after, double before)
{
    int k = w->set->shape.k;
    size_t n = w->block->in->n, width = (size_t)k * n;
    const double *g = w->block->gradient + (size_t)c * width;
    double minus[BLOCK_MAX * BLOCK_MAX];
    for (int x = 0; x < k * k; x++)
        minus[x] = -kernels_R(w->kern, x, w->node)[c];
    for (size_t p = 0; p < width; p++)
        w->kick[p] = eta * g[p];
    memcpy(w->r, w->base, sizeof(double) * width);
    lanes_combine(k, k, (size_t)k, n, minus, w->kick, w->r);
    return w->use(w->user, &(insertion){.node = c, .after = after, .before = before, .r = w->r, .kick = w->kick});
}

/* Insertions from the node back to node `first`, then the path without a visit since. */
static int walk_back(const walk *w, int first)
{
    const time_grid *grid = w->set->grid;
    double after = 0, all, end;
    memcpy(w->base, w->block->r, sizeof(double) * (size_t)w->set->shape.k * w->block->in->n);
    for (int c = w->node; c >= first; c--) {
        double before = 0, next_after = 0;
        if (c < w->node)
            take_back(w, c);
        if (c > first) {
            cell_weights(grid, w->node, c - 1, &all, &end);
            before = end;
            next_after = all - end;
        }
        int apart = c < w->node && c > 0 && grid->corner[c];
        if (apart && insert(w, c, grid->eta_start[c], after, 0))
            return -1;
        if (insert(w, c, c > first ? grid->eta_end[c - 1] : grid->eta_start[c], apart ? 0 : after, before))
            return -1;
        after = next_after;
    }
    double none = exp(-(grid->t[w->node] - grid->t[first]));
    return w->use(w->user, &(insertion){.node = first, .none = none, .r = w->base});
}

static walk walk_of(const path_block *block, const path_setting *set, const kernels *kern, int node, path_scratch *s)
{
    size_t width = (size_t)set->shape.k * block->in->n;
    return (walk){.block = block,
                  .set = set,
                  .kern = kern,
                  .node = node,
                  .base = s->inserted,
                  .r = s->inserted + width,
                  .kick = s->inserted + 2 * width};
}

typedef struct positions {
    last_visit_use use;
    void *user;
} positions;

static int use_position(void *user, const insertion *at)
{
    const positions *to = user;
    return to->use(to->user, at->after + at->before + at->none, at->r);
}

int last_visit_positions(const path_block *block, const path_setting *set, const kernels *kern, int node,
                         path_scratch *s, last_visit_use use, void *user)
{
    positions to = {use, user};
    walk w = walk_of(block, set, kern, node, s);
    w.use = use_position;
    w.user = &to;
    return walk_back(&w, first_node(set->grid, node));
}

typedef struct averaging {
    const path_block *block;
    const path_setting *set;
    path_scratch *s;
    double *later; /* [k][n] g of the insertions so far, times their weights */
    double *sums;
} averaging;

/* sums[a][b] += weight sum_p x[a][p] y[b][p] */
static void add_outer(int k, size_t n, double weight, const double *x, const double *y, double *sums)
{
    double product[BLOCK_MAX * BLOCK_MAX] = {0};
    lanes_outer(k, k, n, x, y, product);
    for (int c = 0; c < k * k; c++)
        sums[c] += weight * product[c];
}

static double *visits_row(const averaging *a, int cell)
{
    return a->sums + estimates_used(&a->set->at, cell) + (size_t)VISITS * (size_t)(a->set->shape.k * a->set->shape.k);
}

static int use_average(void *user, const insertion *at)
{
    averaging *a = user;
    const path_inputs *in = a->block->in;
    path_scratch *s = a->s;
    const estimates_layout *layout = &a->set->at;
    int k = a->set->shape.k;
    size_t n = in->n, width = (size_t)k * n;
    double weight = at->after + at->before + at->none;
    if (model_gradient(a->set->m, s->model, n, s->t, at->r, in->y, s->g, s->G))
        return -1;
    for (int c = 0; c < k * k; c++) {
        double sum = 0;
        for (size_t p = 0; p < n; p++)
            sum += s->G[(size_t)c * n + p];
        a->sums[layout->gamma + (size_t)c] += weight * sum;
    }
    add_outer(k, n, weight, s->g, s->g, a->sums + layout->outer);
    add_outer(k, n, weight, s->g, at->r, a->sums + layout->gr);
    if (at->after > 0)
        add_outer(k, n, 1, a->later, a->block->sum + (size_t)at->node * width, visits_row(a, at->node));
    if (at->kick) {
        double product[BLOCK_MAX * BLOCK_MAX] = {0};
        lanes_outer(k, k, n, s->g, at->kick, product);
        for (int c = 0; c < k * k && at->after > 0; c++)
            visits_row(a, at->node)[c] += at->after * product[c];
        for (int c = 0; c < k * k && at->before > 0; c++)
            visits_row(a, at->node - 1)[c] += at->before * product[c];
    }
    for (size_t p = 0; p < width; p++)
        a->later[p] += weight * s->g[p];
    return 0;
}

int last_visit_averages(const path_block *block, const path_setting *set, const kernels *kern, int node,
                        path_scratch *s, double *sums)
{
    size_t width = (size_t)set->shape.k * block->in->n;
    int first = first_node(set->grid, node);
    averaging a = {block, set, s, s->inserted + 3 * width, sums};
    walk w = walk_of(block, set, kern, node, s);
    w.use = use_average;
    w.user = &a;
    memset(a.later, 0, sizeof(double) * width);
    lanes_fill(block->in->n, set->grid->t[node], s->t);
    if (walk_back(&w, first))
        return -1;
    path_block_add_rows(block, set, first, VISITS, a.later, block->sum, s, sums);
    path_block_add_rows(block, set, node, INNOVATION, a.later, block->in->xi, s, sums);
    path_block_average_start(block, set, a.later, s, sums);
    return 0;
}
