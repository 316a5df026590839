#include "single_path.h"

#include "support/check.h"

/* R(t, s) component c: bilinear between nodes, linear in t - s in the diagonal cell. */
static double response(const kernels *kern, int c, double t, double s)
{
    const time_grid *grid = kern->grid;
    int i = time_grid_cell(grid, t), j = time_grid_cell(grid, s);
    double x = (t - grid->t[i]) / grid->h[i], z = (s - grid->t[j]) / grid->h[j], one = c % (K + 1) == 0;
    if (i == j)
        return one + (x - z) * (kernels_R(kern, c, i + 1)[i] - one);
    double low = (1 - z) * kernels_R(kern, c, i)[j] + z * kernels_R(kern, c, i)[j + 1];
    double high = (1 - z) * kernels_R(kern, c, i + 1)[j] + z * kernels_R(kern, c, i + 1)[j + 1];
    return (1 - x) * low + x * high;
}

void single_path_kicked(const path_case *c, const visits_by_path *v, size_t p, const single_path *path, int cell,
                        int node, double r[K])
{
    for (int b = 0; b < v->visits[p] && v->cell[(size_t)b * v->in->n + p] < cell; b++) {
        size_t at = (size_t)b * v->in->n + p;
        for (int x = 0; x < K * K; x++) {
            const double *R = kernels_R(c->kern, x, node) + v->cell[at];
            r[x / K] -= (R[0] + v->place[at] * (R[1] - R[0])) * path->kick[b][x % K];
        }
    }
}

single_path single_path_of(const path_case *c, const visits_by_path *v, size_t p)
{
    single_path path = {0};
    const path_inputs *in = v->in;
    const time_grid *grid = c->kern->grid;
    assert_true(v->visits[p] < VISITS_MOST);
    for (int a = 0; a < v->visits[p]; a++) {
        size_t at = (size_t)a * in->n + p;
        double T = v->time[at], low[K], high[K], position[K], g[K], G[K * K];
        int cell = time_grid_cell(grid, T);
        path_case_field(c, in, p, cell, low);
        path_case_field(c, in, p, cell + 1, high);
        double x = (T - grid->t[cell]) / grid->h[cell];
        for (int b = 0; b < K; b++) {
            position[b] = (1 - x) * low[b] + x * high[b];
            for (int l = 0; l < K; l++)
                position[b] -=
                    any_bridge_root[b * K + l] * in->visit_bridge[v->bridge[((size_t)a * K + (size_t)l) * in->n + p]];
            for (int d = 0; d < a; d++)
                for (int l = 0; l < K; l++)
                    position[b] -= response(c->kern, b * K + l, T, v->time[(size_t)d * in->n + p]) * path.kick[d][l];
        }
        path_case_gradient(c, T, position, in->y[p], g, G);
        for (int b = 0; b < K; b++)
            path.kick[a][b] = c->eta->eta(T) * g[b];
    }
    for (int i = 0; i <= STEPS; i++) {
        path_case_field(c, in, p, i, path.r[i]);
        single_path_kicked(c, v, p, &path, i, i, path.r[i]);
    }
    return path;
}
