#include "paths/observe.h"

#include "paths/lanes.h"

int path_observe_add(const path_block *block, const path_plan *plan, double weight, const double *position,
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

/* The same, after computing the losses. */
static int observe_at(const path_block *block, const path_plan *plan, double weight, const double *position,
                      path_workspace *s, double *sums)
{
    if (model_loss(plan->m, s->model, block->in->n, s->t, position, block->in->y, s->work))
        return -1;
    return path_observe_add(block, plan, weight, position, s, sums);
}

int path_observe_train(const path_block *block, const path_plan *plan, int node, double weight, path_workspace *s,
                       double *sums)
{
    lanes_fill(block->in->n, plan->grid->t[node], s->t);
    return observe_at(block, plan, weight, block->r, s, sums);
}

int path_observe_test(const path_block *block, const path_plan *plan, int node, const field_regression *fresh,
                      path_workspace *s, double *sums)
{
    const path_inputs *in = block->in;
    lanes_fill(in->n, plan->grid->t[node], s->t);
    data_law_fresh_fields(plan->law, fresh, in->n, in->wstar, in->test, s->g);
    return observe_at(block, plan, 1, s->g, s, sums + 1);
}
