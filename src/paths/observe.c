/* Averages of the loss and of the user's observables over the training law (r, w*, eps) and the test law
   (w, w*, eps) at one node. */
#include <string.h>

#include "paths/block.h"
#include "paths/lanes.h"
#include "paths/last_visit.h"
#include "twotime/block.h"

typedef struct observing {
    const path_block *block;
    const path_setting *set;
    path_scratch *s;
    double *sums;
} observing;

/* Adds weight times the sums over lanes at a position to every second sum. */
static int add_averages(void *user, double weight, const double *position)
{
    const observing *to = user;
    const path_inputs *in = to->block->in;
    path_scratch *s = to->s;
    size_t n = in->n, count = (size_t)to->set->shape.observables;
    if (model_loss(to->set->m, s->model, n, s->t, position, in->y, s->work))
        return -1;
    if (count && model_observables(to->set->m, s->model, n, s->t, position, in->wstar, in->eps, in->y, s->work + n))
        return -1;
    for (size_t i = 0; i <= count; i++) {
        double sum = 0;
        lanes_sum(1, n, s->work + i * n, &sum);
        to->sums[2 * i] += weight * sum;
    }
    return 0;
}

/* w = m rho^{-1} w* + root(C - m rho^{-1} m^T) z0 */
static int test_position(const path_block *block, const path_setting *set, const double *C, const double *m,
                         const double *rho_inverse, double *w)
{
    int k = set->shape.k, kstar = set->shape.kstar;
    size_t n = block->in->n;
    double onto[BLOCK_MAX * BLOCK_MAX] = {0}, rest[BLOCK_MAX * BLOCK_MAX] = {0};
    double root[BLOCK_MAX * BLOCK_MAX], unused[BLOCK_MAX * BLOCK_MAX];
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
    if (block_psd_root(k, rest, root, unused))
        return -1;
    memset(w, 0, sizeof(double) * (size_t)k * n);
    for (int a = 0; a < k; a++) {
        double *to = w + (size_t)a * n;
        for (int b = 0; b < kstar; b++)
            for (size_t p = 0; p < n; p++)
                to[p] += onto[a * kstar + b] * block->in->wstar[(size_t)b * n + p];
        for (int b = 0; b < k; b++)
            for (size_t p = 0; p < n; p++)
                to[p] += root[a * k + b] * block->in->z0[(size_t)b * n + p];
    }
    return 0;
}

int path_block_observe(const path_block *block, const path_setting *set, const kernels *kern, int node, const double *C,
                       path_scratch *s, double *sums)
{
    const double *m = kern->m + (size_t)node * (size_t)(set->shape.k * set->shape.kstar);
    observing train = {block, set, s, sums}, test = {block, set, s, sums + 1};
    lanes_fill(block->in->n, set->grid->t[node], s->t);
    if (set->last_visit && node > 0 ? last_visit_positions(block, set, kern, node, s, add_averages, &train)
                                    : add_averages(&train, 1, block->r))
        return -1;
    if (test_position(block, set, C, m, kern->rho_inverse, s->g))
        return -1;
    return add_averages(&test, 1, s->g);
}
