#include "solvers/dmft/control.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/matrix.h"

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

path_control control_prepare(control_state *c, const kernels *kern, const double *b0, int node)
{
    kernels_own_covariance(kern, b0, node, c->covariance);
    for (int x = 0; x < kern->k * kern->k; x++)
        c->own[x] = c->covariance[(size_t)x * kern->stride + (size_t)node];
    return (path_control){.covariance = {c->covariance, kern->stride},
                          .node = node,
                          .onto_own = c->onto_own,
                          .onto_teacher = c->onto_teacher};
}

size_t control_size(const averages_layout *at)
{
    return at->size + 2 + (size_t)(at->k * at->k);
}

/* var(D) of one half, and the sum of D over it less what the regression removed from g in the mean: with matched
   moments that is tr(onto_own E[u u^T]) per path. */
typedef struct half_defect {
    double mean, variance, sum;
} half_defect;

static half_defect defect_of(const control_state *c, const averages_layout *at, const control_half *half)
{
    double back = 0, mean = half->weighted[at->size] / half->paths;
    for (int a = 0; a < at->k; a++)
        for (int b = 0; b < at->k; b++)
            back += c->onto_own[a * at->k + b] * c->own[b * at->k + a];
    return (half_defect){.mean = mean,
                         .variance = half->weighted[at->size + 1] / half->paths - mean * mean,
                         .sum = half->paths * (mean - back)};
}

static double slope(const control_half *half, const half_defect *defect, size_t x)
{
    return (half->weighted[x] / half->paths - defect->mean * half->plain[x] / half->paths) / defect->variance;
}

void control_apply(control_state *c, const averages_layout *at, int node, const control_half half[2],
                   double *averages)
{
    double paths = half[0].paths + half[1].paths;
    for (int x = 0; x < at->k * at->k; x++)
        c->gu[x] = (half[0].weighted[at->size + 2 + (size_t)x] + half[1].weighted[at->size + 2 + (size_t)x]) / paths;
    memcpy(c->mu, averages + at->mu, sizeof(double) * (size_t)(at->k * at->kstar));
    half_defect first = defect_of(c, at, &half[0]), second = defect_of(c, at, &half[1]);
    if (!(first.variance > 0) || !(second.variance > 0))
        return;
    for (size_t x = 0; x < averages_used(at, node); x++)
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
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            for (int d = 0; d < kstar; d++)
                c->onto_teacher[a * kstar + b] -= c->mu[a * kstar + d] * kern->rho_inverse[d * kstar + b];
}
