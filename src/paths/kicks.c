#include "paths/kicks.h"

#include <math.h>
#include <string.h>

#include "paths/lanes.h"

int kick_drift(const path_plan *plan, const kick_cell *cell, path_workspace *s, double *kick, double *D)
{
    size_t k = (size_t)plan->shape.k, n = cell->n, width = k * n, square = k * width;
    double *middle = s->visit, *g = middle + width, *G = g + width, *bent = G + square, step = cell->eta * cell->h;
    lanes_fill(n, cell->t, s->t);
    if (model_gradient(plan->m, s->model, n, s->t, cell->r, cell->y, g, D ? G : NULL))
        return -1;
    for (size_t p = 0; p < width; p++)
        middle[p] = cell->r[p] - 0.5 * step * g[p];
    if (model_gradient(plan->m, s->model, n, s->t, middle, cell->y, kick, D ? bent : NULL))
        return -1;
    for (size_t p = 0; p < width; p++)
        kick[p] *= step;
    if (!D)
        return 0;
    /* D = step G(middle) (1 - step/2 G(r)) */
    for (size_t p = 0; p < square; p++) {
        bent[p] *= step;
        G[p] *= -0.5 * step;
    }
    lanes_multiply_each((int)k, n, 1, bent, G, D);
    for (size_t p = 0; p < square; p++)
        D[p] += bent[p];
    return 0;
}

/* g at r - eta g0 (h + change[p]) */
static int shifted(const path_plan *plan, const kick_cell *cell, path_workspace *s, const double *g0,
                   const double *change, double *position, double *g)
{
    size_t k = (size_t)plan->shape.k, n = cell->n;
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            position[a * n + p] = cell->r[a * n + p] - cell->eta * g0[a * n + p] * (cell->h + change[p]);
    return model_gradient(plan->m, s->model, n, s->t, position, cell->y, g, NULL);
}

int kick_brownian(const path_plan *plan, const kick_cell *cell, path_workspace *s, double *kick, double *D)
{
    size_t k = (size_t)plan->shape.k, n = cell->n, width = k * n;
    double *g0 = s->visit, *at_end = g0 + width, *above = at_end + width, *below = above + width;
    double *position = below + width, *change = position + width, h = cell->h, root = sqrt(h);
    lanes_fill(n, cell->t, s->t);
    if (model_gradient(plan->m, s->model, n, s->t, cell->r, cell->y, g0, NULL))
        return -1;
    for (size_t p = 0; p < n; p++)
        change[p] = root * cell->noise[p];
    if (shifted(plan, cell, s, g0, change, position, at_end))
        return -1;
    lanes_fill(n, root, change);
    if (shifted(plan, cell, s, g0, change, position, above))
        return -1;
    lanes_fill(n, -root, change);
    if (shifted(plan, cell, s, g0, change, position, below))
        return -1;
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++) {
            size_t x = a * n + p;
            double dB = root * cell->noise[p];
            kick[x] = cell->eta * (0.5 * h * (at_end[x] + g0[x]) + 0.25 * dB * (above[x] + below[x] + 2 * g0[x]) +
                                   0.25 * (dB * dB - h) / root * (above[x] - below[x]));
        }
    return 0;
}
