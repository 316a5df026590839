/* Averages of the loss and of the user's observables over the training law (r, w*, eps) and the test law
   (w, w*, eps) at one node. */
#include <string.h>

#include "paths/block.h"
#include "paths/lanes.h"
#include "core/matrix.h"

int path_block_add_observed(const path_block *block, const path_plan *plan, double weight, const double *position,
                            path_workspace *s, double *sums)
{
    const path_inputs *in = block->in;
    size_t n = in->n, count = (size_t)plan->shape.observables;
    if (count && model_observables(plan->m, s->model, n, s->t, position, in->wstar, in->eps, in->y, s->work + n))
        return -1;
    for (size_t i = 0; i <= count; i++) {
        double sum = 0;
        lanes_sum(1, n, s->work + i * n, &sum);
        sums[2 * i] += weight * sum;
    }
    return 0;
}

/* The same with the loss. */
static int observe_at(const path_block *block, const path_plan *plan, double weight, const double *position,
                      path_workspace *s, double *sums)
{
    if (model_loss(plan->m, s->model, block->in->n, s->t, position, block->in->y, s->work))
        return -1;
    return path_block_add_observed(block, plan, weight, position, s, sums);
}

/* w = m rho^{-1} w* + root(C - m rho^{-1} m^T) z */
static int test_position(const path_block *block, const path_plan *plan, const double *C, const double *m,
                         const double *rho_inverse, double *w)
{
    int k = plan->shape.k, kstar = plan->shape.kstar;
    size_t n = block->in->n;
    double onto[MATRIX_MAX * MATRIX_MAX] = {0}, rest[MATRIX_MAX * MATRIX_MAX] = {0};
    double root[MATRIX_MAX * MATRIX_MAX], unused[MATRIX_MAX * MATRIX_MAX];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            for (int c = 0; c < kstar; c++)
                onto[a * kstar + b] += m[a * kstar + c] * rho_inverse[c * kstar + b];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            rest[a * k + b] = C[a * k + b];
            for (int c = 0; c < kstar; c++)
                rest[a * k + b] -= onto[a * kstar + c] * m[b * kstar + c];
        }
    if (matrix_psd_root(k, rest, root, unused))
        return -1;
    memset(w, 0, sizeof(double) * (size_t)k * n);
    for (int a = 0; a < k; a++) {
        double *to = w + (size_t)a * n;
        for (int b = 0; b < kstar; b++)
            for (size_t p = 0; p < n; p++)
                to[p] += onto[a * kstar + b] * block->in->wstar[(size_t)b * n + p];
        for (int b = 0; b < k; b++)
            for (size_t p = 0; p < n; p++)
                to[p] += root[a * k + b] * block->in->test[(size_t)b * n + p];
    }
    return 0;
}

int path_block_observe_train(const path_block *block, const path_plan *plan, int node, double weight, path_workspace *s,
                             double *sums)
{
    lanes_fill(block->in->n, plan->grid->t[node], s->t);
    return observe_at(block, plan, weight, block->r, s, sums);
}

int path_block_observe_test(const path_block *block, const path_plan *plan, int node, const double *C,
                            const double *m, const double *rho_inverse, path_workspace *s, double *sums)
{
    lanes_fill(block->in->n, plan->grid->t[node], s->t);
    if (test_position(block, plan, C, m, rho_inverse, s->g))
        return -1;
    return observe_at(block, plan, 1, s->g, s, sums + 1);
}
