#include "paths/control.h"

#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "paths/events.h"
#include "paths/lanes.h"

sgdmft_status control_init(sgdmft_context *ctx, const kernels *kern, control_state *c)
{
    memset(c, 0, sizeof *c);
    c->covariance = memory_doubles((size_t)(kern->k * kern->k) * kern->stride);
    return c->covariance ? SGDMFT_OK : context_out_of_memory(ctx, "the control variables", 8.0 * (double)kern->stride);
}

void control_clear(control_state *c)
{
    free(c->covariance);
    memset(c, 0, sizeof *c);
}

void control_prepare(control_state *c, const kernels *kern, const double *b0, int node)
{
    kernels_own_covariance(kern, b0, node, c->covariance);
    c->node = node;
    for (int x = 0; x < kern->k * kern->k; x++)
        c->own[x] = c->covariance[(size_t)x * kern->stride + (size_t)node];
}

size_t control_size(const averages_layout *at)
{
    return at->size + 2 + (size_t)(at->k * at->k);
}

/* s->control = D = tr(g~ u^T) - tr(G dr/du) in every lane. */
static void make_values(const control_state *c, const path_block *block, const path_plan *plan, const kernels *kern,
                        path_workspace *s)
{
    const path_inputs *in = block->in;
    int k = plan->shape.k, history = plan->grid->history[c->node], slots = in->slots_before[history];
    size_t n = in->n, kk = (size_t)(k * k);
    double *D = s->control;
    memset(D, 0, sizeof(double) * n);
    memcpy(s->work, s->g, sizeof(double) * (size_t)k * n);
    lanes_combine(k, k, (size_t)k, n, c->onto_own, s->own, s->work);
    lanes_combine(k, plan->shape.kstar, (size_t)plan->shape.kstar, n, c->onto_teacher, in->wstar, s->work);
    for (size_t a = 0; a < (size_t)k; a++)
        for (size_t p = 0; p < n; p++)
            D[p] += s->work[a * n + p] * s->own[a * n + p];
    plan->events->interpolate(block, plan, kern, (response_row){c->covariance, kern->stride}, history, s);
    for (size_t a = 0; a < (size_t)k; a++)
        for (size_t b = 0; b < (size_t)k; b++) {
            double here = c->covariance[(b * (size_t)k + a) * kern->stride + (size_t)c->node];
            const double *G = s->G + (a * (size_t)k + b) * n;
            for (size_t p = 0; p < n; p++)
                D[p] -= G[p] * here;
            for (size_t v = 0; v < (size_t)slots; v++) {
                const double *GK = s->GK + (v * kk + a * (size_t)k + b) * n;
                const double *row = s->rho + (v * kk + b * (size_t)k + a) * n;
                for (size_t p = 0; p < n; p++)
                    D[p] -= GK[p] * row[p];
            }
        }
}

/* Multiplies rows x[rows][n] by D[n]. */
static void scale_rows(size_t rows, size_t n, const double *D, double *x)
{
    for (size_t a = 0; a < rows; a++)
        for (size_t p = 0; p < n; p++)
            x[a * n + p] *= D[p];
}

void control_sums(const control_state *c, const path_block *block, const path_plan *plan, const kernels *kern,
                  path_workspace *s, double *sums)
{
    const path_inputs *in = block->in;
    int k = plan->shape.k;
    size_t n = in->n, kk = (size_t)(k * k);
    const averages_layout *at = &plan->at;
    double *D = s->control;
    make_values(c, block, plan, kern, s);
    for (size_t p = 0; p < n; p++) {
        sums[at->size] += D[p];
        sums[at->size + 1] += D[p] * D[p];
    }
    lanes_outer(k, k, n, s->g, s->own, sums + at->size + 2);
    memcpy(s->work, s->g, sizeof(double) * (size_t)k * n);
    scale_rows((size_t)k, n, D, s->g);
    scale_rows(kk, n, D, s->G);
    lanes_outer(k, k, n, s->g, s->work, sums + at->outer);
    path_block_average(block, plan, path_block_unvisited(block, plan), s, sums);
    scale_rows(kk * (size_t)in->slots_before[plan->grid->history[c->node]], n, D, s->GK);
    path_block_average_events(block, plan, c->node, plan->grid->history[c->node], s, sums);
}

/* Mean and variance of D over one half of the paths, and the sum over that half of D minus tr(onto_own E[u u^T]): with
   matched moments, g~ in the place of g shifts the mean of D by exactly that. */
typedef struct half_defect {
    double mean, variance, sum;
} half_defect;

static half_defect defect_of(const control_state *c, const averages_layout *at, const control_half *half)
{
    double shift = 0, mean = half->weighted[at->size] / half->paths;
    for (int a = 0; a < at->k; a++)
        for (int b = 0; b < at->k; b++)
            shift += c->onto_own[a * at->k + b] * c->own[b * at->k + a];
    return (half_defect){.mean = mean,
                         .variance = half->weighted[at->size + 1] / half->paths - mean * mean,
                         .sum = half->paths * (mean - shift)};
}

/* The coefficient of D in the regression of average x on it. */
static double slope(const control_half *half, const half_defect *defect, size_t x)
{
    return (half->weighted[x] / half->paths - defect->mean * half->plain[x] / half->paths) / defect->variance;
}

void control_apply(control_state *c, const averages_layout *at, const control_half half[2], double *averages)
{
    double paths = half[0].paths + half[1].paths;
    for (int x = 0; x < at->k * at->k; x++)
        c->gu[x] = (half[0].weighted[at->size + 2 + (size_t)x] + half[1].weighted[at->size + 2 + (size_t)x]) / paths;
    memcpy(c->mu, averages + at->mu, sizeof(double) * (size_t)(at->k * at->kstar));
    half_defect first = defect_of(c, at, &half[0]), second = defect_of(c, at, &half[1]);
    if (!(first.variance > 0) || !(second.variance > 0))
        return;
    for (size_t x = 0; x < averages_used(at, c->node); x++)
        averages[x] -= (slope(&half[1], &second, x) * first.sum + slope(&half[0], &first, x) * second.sum) / paths;
}

void control_restart(control_state *c)
{
    memset(c->gu, 0, sizeof c->gu);
    memset(c->mu, 0, sizeof c->mu);
    memset(c->own, 0, sizeof c->own);
}

void control_accept(control_state *c, const kernels *kern)
{
    int k = kern->k, kstar = kern->kstar;
    double root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], full[MATRIX_MAX * MATRIX_MAX] = {0};
    memset(c->onto_own, 0, sizeof c->onto_own);
    memset(c->onto_teacher, 0, sizeof c->onto_teacher);
    if (matrix_psd_root(k, c->own, root, inverse))
        return;
    matrix_add_product(k, 1, inverse, inverse, full);
    matrix_add_product(k, -1, c->gu, full, c->onto_own);
    matrix_accumulate(k, kstar, kstar, -1, c->mu, kern->rho_inverse, c->onto_teacher);
}
