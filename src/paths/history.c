#include "paths/history.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* The number of rows of `nodes`: one for each node, and one more for each node > 0 at which an epoch begins. */
static int node_rows(const time_grid *grid)
{
    int rows = grid->steps + 1;
    for (int j = 1; j <= grid->steps; j++)
        rows += grid->renewal[j];
    return rows;
}

int path_history_new(const history_plan *plan, double *xi, path_history *out)
{
    const time_grid *grid = plan->grid;
    int k = plan->k, steps = grid->steps, single = plan->single, more = 0;
    *out = (path_history){.row = memory_zeroed((size_t)steps + 1, sizeof *out->row)};
    if (!out->row)
        return -1;
    for (int j = 1; j <= steps; j++)
        out->row[j] = j + (more += grid->renewal[j]);
    if (rows_from(k, plan->n, steps, single, xi, &out->normals) || rows_new(k, plan->n, steps, single, &out->kicks) ||
        rows_new(k, plan->n, node_rows(grid), single, &out->nodes))
        return -1;
    if (!plan->last_visit)
        return 0;
    return rows_new(k, plan->n, steps, single, &out->moments) ||
           rows_new(k, plan->n, steps + 1, single, &out->gradients);
}

void path_history_clear(path_history *h)
{
    rows_clear(&h->normals);
    rows_clear(&h->kicks);
    rows_clear(&h->nodes);
    rows_clear(&h->moments);
    rows_clear(&h->gradients);
    free(h->row);
    h->row = NULL;
}

double path_history_bytes(const history_plan *plan)
{
    double steps = plan->grid->steps, rows = steps + node_rows(plan->grid);
    if (plan->single)
        rows += steps; /* the copies of the normals: in double precision those of the inputs are used */
    if (plan->last_visit)
        rows += 2 * steps + 1;
    return (plan->single ? sizeof(float) : sizeof(double)) * rows * plan->k * (double)plan->n;
}

void path_history_start(const path_history *h, const double *zero)
{
    rows_set(&h->nodes, 0, zero);
}

void path_history_field(const path_history *h, const kernels *kern, int node, double *own)
{
    rows_combine(&h->normals, node, (size_t)(kern->k * kern->steps), kernels_V(kern, node, 0), own);
}

/* The coefficients - R(t_node, t_j) of rows from .. to - 1 of `nodes`, each belonging to a node j:
   out[k][(to - from) k]. */
static void coefficients(const path_history *h, const kernels *kern, int node, int from, int to, double *out)
{
    int k = kern->k, columns = to - from;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            const double *R = kernels_R(kern, a * k + b, node);
            for (int j = 0, row = 0; row < to; j++)
                /* the rows of node j */
                for (; row <= h->row[j] && row < to; row++)
                    if (row >= from)
                        out[(a * columns + row - from) * k + b] = -R[j];
        }
}

void path_history_recall(const path_history *h, const kernels *kern, int node, int first, int last, double *row,
                         double *r)
{
    int from = h->row[first], to = last < node ? h->row[last] : h->row[node - 1] + 1;
    coefficients(h, kern, node, from, to, row);
    rows_combine_part(&h->nodes, from, to - from, (size_t)(kern->k * (to - from)), row, r);
}

void path_history_correlate(const path_rows *y, const averages_layout *at, int cells, int kind, const double *x,
                            double *row, double *sums)
{
    int k = at->k;
    memset(row, 0, sizeof *row * (size_t)(k * k * cells));
    rows_outer(y, cells, x, row);
    for (int c = 0; c < cells; c++) {
        double *out = sums + averages_used(at, c) + (size_t)kind * (size_t)(k * k);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++)
                out[a * k + b] += row[(a * cells + c) * k + b];
    }
}

void path_history_close_cell(const path_history *h, const time_grid *grid, int cell, const double *S, const double *B,
                             const double *zero)
{
    rows_set(&h->kicks, cell, S);
    if (h->moments.n)
        rows_set(&h->moments, cell, B);
    rows_close_cell(&h->nodes, h->row[cell], S, B);
    if (grid->renewal[cell + 1])
        rows_set(&h->nodes, h->row[cell + 1], zero);
}
