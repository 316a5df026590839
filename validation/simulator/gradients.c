/* Gradients of blocks of samples, and of all of them. */
#include "validation/simulator/repetition.h"

int block_gradients(repetition *rep, size_t count, double t, double factor, const float *theta, const double *y,
                    size_t stride, const uint32_t *which)
{
    const simulator_setting *set = rep->set;
    size_t k = (size_t)set->shape.k, labels = (size_t)set->shape.labels;
    double *at = rep->lanes, *r = at + count, *label = r + k * count, *g = label + labels * count;
    set->kernels->project(count, rep->row, set->length, k, theta, rep->projection);
    for (size_t i = 0; i < count; i++)
        at[i] = t;
    for (size_t a = 0; a < k; a++)
        for (size_t i = 0; i < count; i++)
            r[a * count + i] = rep->scale * rep->projection[i * k + a];
    for (size_t c = 0; c < labels; c++)
        for (size_t i = 0; i < count; i++)
            label[c * count + i] = y[c * stride + (which ? which[i] : i)];
    if (model_gradient(set->m, rep->model, count, at, r, label, g, NULL)) {
        rep->status = SGDMFT_ERR_PLUGIN;
        return 1;
    }
    for (size_t a = 0; a < k; a++)
        for (size_t i = 0; i < count; i++)
            rep->coef[i * k + a] = (float)(factor * g[a * count + i]);
    return 0;
}

int subtract_gradients(repetition *rep, double t, double eta, const float *theta, float *target)
{
    const simulator_setting *set = rep->set;
    for (size_t first = 0; first < set->n; first += set->block) {
        size_t count = set->n - first < set->block ? set->n - first : set->block;
        for (size_t i = 0; i < count; i++)
            rep->row[i] = rep->train.row + (first + i) * set->length;
        if (block_gradients(rep, count, t, eta, theta, rep->train.y + first, rep->train.room, NULL))
            return 1;
        set->kernels->accumulate(count, rep->row, set->length, set->shape.k, rep->coef, target);
    }
    rep->visits += (double)set->n;
    return repetition_report(rep, rep->fraction, t);
}
