#include "paths/control_values.h"

#include <string.h>

#include "paths/events.h"
#include "paths/lanes.h"

/* D = tr(g~ u^T) - tr(G dr/du), see block.h, per lane into s->control. */
void control_values(const path_block *block, const path_plan *plan, const kernels *kern, const path_control *control,
                    path_workspace *s)
{
    const path_inputs *in = block->in;
    int k = plan->shape.k, slots = in->slots_before[control->node];
    size_t n = in->n, kk = (size_t)(k * k);
    double *D = s->control;
    memset(D, 0, sizeof(double) * n);
    memcpy(s->work, s->g, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, control->onto_own, s->own, s->work);
    lanes_combine(k, plan->shape.kstar, (size_t)plan->shape.kstar, n, control->onto_teacher, in->wstar, s->work);
    for (size_t a = 0; a < (size_t)k; a++)
        for (size_t p = 0; p < n; p++)
            D[p] += s->work[a * n + p] * s->own[a * n + p];
    plan->events->interpolate(block, plan, kern, control->covariance, control->node, s);
    for (size_t a = 0; a < (size_t)k; a++)
        for (size_t b = 0; b < (size_t)k; b++) {
            double here = control->covariance.row[(b * (size_t)k + a) * control->covariance.plane + control->node];
            const double *G = s->G + (a * (size_t)k + b) * n;
            for (size_t p = 0; p < n; p++)
                D[p] -= G[p] * here;
            for (size_t v = 0; v < (size_t)slots; v++) {
                const double *GK = s->GK + (v * kk + a * (size_t)k + b) * n;
                const double *c = s->rho + (v * kk + b * (size_t)k + a) * n;
                for (size_t p = 0; p < n; p++)
                    D[p] -= GK[p] * c[p];
            }
        }
}

static void scale_rows(size_t rows, size_t n, const double *D, double *x)
{
    for (size_t a = 0; a < rows; a++)
        for (size_t p = 0; p < n; p++)
            x[a * n + p] *= D[p];
}

/* All averages again, weighted by D; D and D^2 themselves at the end. Destroys g, G and GK. */
void control_averages(const path_block *block, const path_plan *plan, int node, path_workspace *s, double *sums)
{
    const path_inputs *in = block->in;
    int k = plan->shape.k;
    size_t n = in->n, kk = (size_t)(k * k);
    const averages_layout *at = &plan->at;
    double *D = s->control;
    for (size_t p = 0; p < n; p++) {
        sums[at->size] += D[p];
        sums[at->size + 1] += D[p] * D[p];
    }
    lanes_outer(k, k, n, s->g, s->own, sums + at->size + 2);
    memcpy(s->work, s->g, sizeof(double) * (size_t)k * n);
    scale_rows((size_t)k, n, D, s->g);
    scale_rows(kk, n, D, s->G);
    lanes_outer(k, k, n, s->g, s->work, sums + at->outer);
    path_block_average(block, plan, s, sums);
    scale_rows(kk * (size_t)in->slots_before[node], n, D, s->GK);
    path_block_add_events(block, plan, node, s, sums);
}
