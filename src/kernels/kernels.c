#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/response_joint.h"
#include "kernels/start.h"

/* If the smallest variance of the start given the teacher is below this fraction of its size, averages with the start
   are too noisy to say anything about the response. */
static const double SMALLEST_VARIANCE = 1e-3;

/* Eigenvalues of P below this fraction are rounding. */
static const double ROUNDING = 1e-10;

size_t kernels_arrays(kernels *kern, array_row rows[KERNELS_ARRAYS_MOST])
{
    size_t kk = (size_t)(kern->k * kern->k), cells = (size_t)kern->steps, nodes = cells + 1;
    size_t overlap = (size_t)(kern->k * kern->kstar), plane = kk * kern->plane, n = 0;
    kernels_sampled *s = kern->sampled;
    rows[n++] = (array_row){&kern->R, plane, 1};
    rows[n++] = (array_row){&kern->Q, plane, 0};
    rows[n++] = (array_row){&kern->m, nodes * overlap, 1};
    rows[n++] = (array_row){&kern->F, nodes * overlap, 1};
    rows[n++] = (array_row){&kern->L, cells * cells * kk, s != NULL};
    rows[n++] = (array_row){&kern->root_inverse, cells * kk, 0};
    rows[n++] = (array_row){&kern->V, nodes * cells * kk, 1};
    rows[n++] = (array_row){&kern->bridge, cells * kk, 0};
    rows[n++] = (array_row){&kern->scratch, 2 * (nodes + 1) * kk, 0};
    rows[n++] = (array_row){&kern->fit, cells, 0};
    rows[n++] = (array_row){&kern->fit_end, cells, 0};
    rows[n++] = (array_row){&kern->q0, kk, 0};
    rows[n++] = (array_row){&kern->rho, (size_t)(kern->kstar * kern->kstar), 0};
    rows[n++] = (array_row){&kern->rho_inverse, (size_t)(kern->kstar * kern->kstar), 0};
    rows[n++] = (array_row){&kern->start_inverse, kk, 0};
    if (kern->midpoint)
        rows[n++] = (array_row){&kern->joint, response_joint_work(kern->k, kern->steps), 0};
    if (!s)
        return n;
    rows[n++] = (array_row){&s->onto_start, nodes * kk, 1};
    rows[n++] = (array_row){&s->V_inverse, cells * kk, 1};
    rows[n++] = (array_row){&s->kick, cells * cells * kk, 0};
    rows[n++] = (array_row){&s->kick_start, cells * kk, 0};
    rows[n++] = (array_row){&s->ridge, nodes * kk, 0};
    rows[n++] = (array_row){&s->P, plane, 0};
    rows[n++] = (array_row){&s->decay, 2 * nodes * kk, 0};
    return n;
}

/* Sets the shape of the arrays. The last row of R, too, has one zero beyond its diagonal, which interpolation reads. */
static void set_shape(kernels *kern, int k, int kstar, int steps)
{
    kern->k = k;
    kern->kstar = kstar;
    kern->steps = steps;
    kern->stride = (size_t)steps + 2;
    kern->plane = kern->stride * ((size_t)steps + 1);
}

double kernels_bytes(int k, int kstar, int steps, int sampled)
{
    kernels_sampled s;
    kernels kern = {.sampled = sampled ? &s : NULL};
    array_row rows[KERNELS_ARRAYS_MOST];
    set_shape(&kern, k, kstar, steps);
    return arrays_bytes(rows, kernels_arrays(&kern, rows));
}

/* The pseudo-inverse and the smallest eigenvalue of P = q(0) - m(0) rho^{-1} m(0)^T. */
static void invert_start(kernels *kern, const double *q0, const double *m0)
{
    int k = kern->k, kstar = kern->kstar;
    double P[MATRIX_MAX * MATRIX_MAX], root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], largest = 0;
    start_covariance(k, kstar, q0, m0, kern->rho_inverse, P);
    for (int a = 0; a < k; a++)
        largest = fmax(largest, q0[a * k + a]);
    kern->start_variance = matrix_smallest_eigenvalue(k, P);
    if (!(kern->start_variance > SMALLEST_VARIANCE * largest))
        kern->start_variance = 0;
    if (!matrix_psd_root_above(k, P, ROUNDING * largest, root, inverse))
        matrix_add_product(k, 1, inverse, inverse, kern->start_inverse);
}

static sgdmft_status allocate(sgdmft_context *ctx, kernels *kern)
{
    array_row rows[KERNELS_ARRAYS_MOST];
    size_t n = kernels_arrays(kern, rows);
    int failed = arrays_allocate(rows, n);
    for (int end = 0; end < 2; end++)
        failed |= smooth_rows_new(kern->steps, &kern->stencils[end]);
    return failed ? context_out_of_memory(ctx, "the two-time kernels", arrays_bytes(rows, n)) : SGDMFT_OK;
}

sgdmft_status kernels_new(sgdmft_context *ctx, const kernels_plan *plan, kernels **out)
{
    kernels *kern = calloc(1, sizeof *kern);
    if (!kern)
        return context_out_of_memory(ctx, "the two-time kernels", sizeof *kern);
    set_shape(kern, plan->k, plan->kstar, plan->grid->steps);
    kern->delta = plan->delta;
    kern->filter = plan->filter;
    kern->white_noise = plan->white_noise;
    kern->smooth_gradient = plan->smooth_gradient;
    kern->fitted = plan->fitted;
    kern->discrete = plan->discrete;
    kern->midpoint = plan->midpoint;
    kern->grid = plan->grid;
    sgdmft_status status = allocate(ctx, kern);
    if (!status && matrix_inverse(plan->kstar, plan->rho, kern->rho_inverse))
        status = context_fail(ctx, SGDMFT_ERR_RANGE, "initial.rho: the matrix is singular; allowed: positive definite");
    if (status) {
        kernels_free(kern);
        return status;
    }
    memcpy(kern->q0, plan->q0, sizeof(double) * (size_t)(plan->k * plan->k));
    memcpy(kern->rho, plan->rho, sizeof(double) * (size_t)(plan->kstar * plan->kstar));
    for (int c = 0; c < kern->steps; c++)
        kern->fit_end[c] = plan->discrete ? 1 : plan->midpoint ? 1 - plan->grid->event[c] : 0.5;
    memcpy(kern->m, plan->m0, sizeof(double) * (size_t)(plan->k * plan->kstar));
    invert_start(kern, plan->q0, plan->m0);
    for (int i = 0; i <= kern->steps; i++)
        for (int a = 0; a < kern->k; a++)
            kernels_R(kern, a * kern->k + a, i)[i] = plan->discrete && i > 0 ? plan->filter.gain : 1;
    *out = kern;
    return SGDMFT_OK;
}

sgdmft_status kernels_set_sampled(sgdmft_context *ctx, kernels *kern)
{
    array_row rows[KERNELS_ARRAYS_MOST];
    size_t others = kernels_arrays(kern, rows);
    kern->sampled = calloc(1, sizeof *kern->sampled);
    if (!kern->sampled)
        return context_out_of_memory(ctx, "the two-time kernels", sizeof *kern->sampled);
    size_t n = kernels_arrays(kern, rows) - others;
    if (arrays_allocate(rows + others, n))
        return context_out_of_memory(ctx, "the two-time kernels", arrays_bytes(rows + others, n));
    for (int a = 0; a < kern->k; a++)
        kern->sampled->onto_start[a * kern->k + a] = 1;
    return SGDMFT_OK;
}

void kernels_free(kernels *kern)
{
    array_row rows[KERNELS_ARRAYS_MOST];
    if (!kern)
        return;
    arrays_free(rows, kernels_arrays(kern, rows));
    for (int end = 0; end < 2; end++)
        smooth_rows_clear(&kern->stencils[end]);
    free(kern->sampled);
    free(kern);
}

void kernels_between(const kernels *kern, int cell, double x, int other, double z, double *R)
{
    int kk = kern->k * kern->k;
    for (int c = 0; c < kk; c++) {
        const double *low = kernels_R(kern, c, cell), *high = kernels_R(kern, c, cell + 1);
        if (other == cell) {
            double one = c % (kern->k + 1) == 0;
            R[c] = one + (x - z) * (high[cell] - one);
        } else {
            double before = low[other] + z * (low[other + 1] - low[other]);
            double after = high[other] + z * (high[other + 1] - high[other]);
            R[c] = before + x * (after - before);
        }
    }
}

void kernels_correlation(const kernels *kern, const double *q0, const double *rho, int i, int j, double *out)
{
    int k = kern->k, kstar = kern->kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * kstar);
    double Ri[MATRIX_MAX * MATRIX_MAX], Rj[MATRIX_MAX * MATRIX_MAX];
    const double *Fi = kern->F + (size_t)i * overlap, *Fj = kern->F + (size_t)j * overlap;
    for (int c = 0; c < (int)kk; c++) {
        Ri[c] = kernels_onto_start(kern, c, i);
        Rj[c] = kernels_onto_start(kern, c, j);
    }
    memset(out, 0, sizeof(double) * kk);
    start_add_correlation(&(start_moments){k, kstar, q0, kern->m, rho}, Ri, Fi, Rj, Fj, out);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            const double *x = kernels_V(kern, i, a), *y = kernels_V(kern, j, b);
            for (int l = 0; l < k * (i < j ? i : j); l++)
                out[a * k + b] += x[l] * y[l];
        }
}

void kernels_own_covariance(const kernels *kern, const double *b0, int i, double *out)
{
    int k = kern->k;
    double here[MATRIX_MAX * MATRIX_MAX] = {0}, there[MATRIX_MAX * MATRIX_MAX], R[MATRIX_MAX * MATRIX_MAX];
    kernels_block(kern, i, 0, R);
    matrix_add_product(k, 1, R, b0, here);
    for (int j = 0; j <= i; j++) {
        double sum[MATRIX_MAX * MATRIX_MAX] = {0};
        memset(there, 0, sizeof there);
        kernels_block(kern, j, 0, R);
        matrix_add_product(k, 1, R, b0, there);
        matrix_add_product_t(k, 1, there, here, sum);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++) {
                const double *x = kernels_V(kern, j, a), *y = kernels_V(kern, i, b);
                for (int l = 0; l < k * j; l++)
                    sum[a * k + b] += x[l] * y[l];
                out[(size_t)(a * k + b) * kern->stride + (size_t)j] = sum[a * k + b];
            }
    }
}

void kernels_decay(const kernels *kern, int i, int single, const double *C, double *out)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    const double *decayed = kern->sampled ? kern->sampled->decay + (2 * (size_t)i + (size_t)single) * kk : NULL;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            int c = a * k + b;
            if (decayed)
                out[c] = single ? decayed[c] : decayed[c] + decayed[b * k + a];
            else
                out[c] = (single ? 1 : 2) * kern->filter.lambda * C[c];
        }
}

void kernels_from_start(const kernels *kern, const double *mu, const double *gw0, double *q)
{
    int k = kern->k;
    double own[MATRIX_MAX * MATRIX_MAX];
    start_correlation(k, kern->kstar, kern->m, kern->rho_inverse, mu, gw0, own);
    memset(q, 0, sizeof *q * (size_t)(k * k));
    matrix_add_product(k, 1, own, kern->start_inverse, q);
}

double kernels_solve_R(kernels *kern, int row, int j, double *matrix, double *value)
{
    double change = 0;
    if (matrix_solve(kern->k, matrix, (size_t)kern->k, value))
        return NAN;
    for (int x = 0; x < kern->k * kern->k; x++) {
        double *r = kernels_R(kern, x, row) + j;
        if (!isfinite(value[x]))
            return NAN;
        change = fmax(change, relative_change(*r, value[x], fabs(value[x])));
        *r = value[x];
    }
    return change;
}
