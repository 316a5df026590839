/* Discretisation, second order in the step h_i = t_{i+1} - t_i. The response R is advanced in response_pathwise.c or
   response_stein.c, the innovations dU in innovations.c. Here

     m_{i+1} = m_i + h/2 (- lambda m - delta eta mu at both ends)
     V_{i,j} = - sqrt(delta) sum_{c=j}^{i-1} (R_{i,c} + R_{i,c+1}) / 2 L_cj. */
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/matrix.h"
#include "kernels/kernels_parts.h"

/* A start whose spread given the teacher is below this part of its size says nothing about the response. */
static const double SMALLEST_SPREAD = 1e-3;

/* Eigenvalues of it below this part are rounding. */
static const double ROUNDING = 1e-10;

double kernels_bytes(int k, int kstar, int steps)
{
    double kk = (double)k * k, n = steps + 2.0;
    return 8.0 * (4 * kk * n * n + 2 * k * kstar * n + 6 * kk * n);
}

static int kernels_alloc(kernels *kern)
{
    size_t kk = (size_t)(kern->k * kern->k), n = (size_t)kern->steps;
    size_t overlap = (size_t)(kern->k * kern->kstar);
    kern->R = memory_doubles(kk * kern->plane);
    kern->Q = memory_doubles(kk * kern->plane);
    kern->m = memory_doubles((n + 1) * overlap);
    kern->F = memory_doubles((n + 1) * overlap);
    kern->L = memory_doubles(n * n * kk);
    kern->root_inverse = memory_doubles(n * kk);
    kern->V = memory_doubles((n + 1) * n * kk);
    kern->bridge = memory_doubles(n * kk);
    kern->scratch = memory_doubles(2 * (n + 2) * kk);
    kern->rho_inverse = memory_doubles((size_t)(kern->kstar * kern->kstar));
    kern->start_inverse = memory_doubles(kk);
    for (int end = 0; end < 2; end++)
        kern->stencils[end].at = memory_zeroed(n + 1, sizeof(smooth_stencil));
    return kern->R && kern->Q && kern->m && kern->F && kern->L && kern->root_inverse && kern->V && kern->bridge &&
           kern->scratch && kern->rho_inverse && kern->start_inverse && kern->stencils[0].at && kern->stencils[1].at;
}

/* P = q(0) - m(0) rho^{-1} m(0)^T and its pseudo-inverse. */
static void invert_start(kernels *kern, const double *q0, const double *m0)
{
    int k = kern->k, kstar = kern->kstar;
    double P[MATRIX_MAX * MATRIX_MAX], root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], largest = 0;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            P[a * k + b] = q0[a * k + b];
            for (int c = 0; c < kstar; c++)
                for (int d = 0; d < kstar; d++)
                    P[a * k + b] -= m0[a * kstar + c] * kern->rho_inverse[c * kstar + d] * m0[b * kstar + d];
        }
    for (int a = 0; a < k; a++)
        largest = fmax(largest, q0[a * k + a]);
    kern->start_spread = matrix_smallest_eigenvalue(k, P);
    if (!(kern->start_spread > SMALLEST_SPREAD * largest))
        kern->start_spread = 0;
    if (!matrix_psd_root_above(k, P, ROUNDING * largest, root, inverse))
        matrix_add_product(k, 1, inverse, inverse, kern->start_inverse);
}

sgdmft_status kernels_new(sgdmft_context *ctx, int k, int kstar, double delta, double lambda, int singular,
                          const time_grid *grid, const double *q0, const double *m0, const double *rho, kernels **out)
{
    kernels *kern = calloc(1, sizeof *kern);
    if (!kern)
        return context_out_of_memory(ctx, "the two-time kernels", sizeof *kern);
    kern->k = k;
    kern->kstar = kstar;
    kern->steps = grid->steps;
    kern->stride = (size_t)grid->steps + 2; /* one zero past the diagonal of the last row for interpolation */
    kern->plane = kern->stride * ((size_t)grid->steps + 1);
    kern->delta = delta;
    kern->lambda = lambda;
    kern->singular = singular;
    kern->grid = grid;
    if (!kernels_alloc(kern)) {
        kernels_free(kern);
        return context_out_of_memory(ctx, "the two-time kernels", kernels_bytes(k, kstar, grid->steps));
    }
    memcpy(kern->m, m0, sizeof(double) * (size_t)(k * kstar));
    double copy[MATRIX_MAX * MATRIX_MAX];
    memcpy(copy, rho, sizeof(double) * (size_t)(kstar * kstar));
    for (int a = 0; a < kstar; a++)
        kern->rho_inverse[a * kstar + a] = 1;
    if (matrix_solve(kstar, copy, (size_t)kstar, kern->rho_inverse)) {
        kernels_free(kern);
        return context_fail(ctx, SGDMFT_ERR_RANGE, "initial.rho: the matrix is singular; allowed: positive definite");
    }
    invert_start(kern, q0, m0);
    for (int i = 0; i <= kern->steps; i++)
        for (int a = 0; a < k; a++)
            kernels_R(kern, a * k + a, i)[i] = 1;
    *out = kern;
    return SGDMFT_OK;
}

static void sampled_free(kernels_sampled *s)
{
    if (!s)
        return;
    free(s->onto_start);
    free(s->V_inverse);
    free(s->kick);
    free(s->P);
    free(s->ridge);
    free(s->kick_start);
    free(s->decay);
    free(s);
}

sgdmft_status kernels_set_sampled(sgdmft_context *ctx, kernels *kern)
{
    size_t kk = (size_t)(kern->k * kern->k), n = (size_t)kern->steps;
    kernels_sampled *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "the two-time kernels", sizeof *s);
    kern->sampled = s;
    s->onto_start = memory_doubles((n + 1) * kk);
    s->V_inverse = memory_doubles(n * kk);
    s->kick = memory_doubles(n * n * kk);
    s->kick_start = memory_doubles(n * kk);
    s->ridge = memory_doubles((n + 1) * kk);
    s->P = memory_doubles(kk * kern->plane);
    s->decay = memory_doubles(2 * (n + 1) * kk);
    if (!s->onto_start || !s->V_inverse || !s->kick || !s->kick_start || !s->ridge || !s->P || !s->decay)
        return context_out_of_memory(ctx, "the two-time kernels", 16.0 * (double)(n * n * kk));
    for (int a = 0; a < kern->k; a++)
        s->onto_start[a * kern->k + a] = 1;
    return SGDMFT_OK;
}

void kernels_free(kernels *kern)
{
    if (!kern)
        return;
    sampled_free(kern->sampled);
    free(kern->R);
    free(kern->Q);
    free(kern->m);
    free(kern->F);
    free(kern->L);
    free(kern->root_inverse);
    free(kern->V);
    free(kern->bridge);
    free(kern->scratch);
    free(kern->rho_inverse);
    free(kern->start_inverse);
    free(kern->stencils[0].at);
    free(kern->stencils[1].at);
    free(kern);
}

static double advance_m(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int k = kern->k, kstar = kern->kstar;
    double half = 0.5 * kern->grid->h[i], start = kern->delta * kern->grid->eta_start[i];
    double end = kern->delta * kern->grid->eta_end[i], change = 0;
    const double *before = kern->m + (size_t)i * (size_t)(k * kstar);
    double *after = kern->m + (size_t)(i + 1) * (size_t)(k * kstar);
    double *F = kern->F + (size_t)(i + 1) * (size_t)(k * kstar);
    for (int c = 0; c < k * kstar; c++) {
        double value = (before[c] * (1 - half * kern->lambda) -
                        half * (start * now[at->mu + (size_t)c] + end * next[at->mu + (size_t)c])) /
                       (1 + half * kern->lambda);
        if (!isfinite(value))
            return NAN;
        change = fmax(change, relative_change(after[c], value, fabs(value)));
        after[c] = value;
    }
    /* F = (m - R(., 0) m(0)) rho^{-1} */
    double left[MATRIX_MAX * MATRIX_MAX];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            left[a * kstar + b] = after[a * kstar + b];
            for (int c = 0; c < k; c++)
                left[a * kstar + b] -= kernels_R(kern, a * k + c, i + 1)[0] * kern->m[c * kstar + b];
        }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            F[a * kstar + b] = 0;
            for (int c = 0; c < kstar; c++)
                F[a * kstar + b] += left[a * kstar + c] * kern->rho_inverse[c * kstar + b];
        }
    return change;
}

static double field_row(kernels *kern, int i)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k), used = (size_t)(i + 1) * kk;
    double scale = -sqrt(kern->delta);
    double *fresh = kern->scratch;
    memset(fresh, 0, sizeof(double) * used);
    for (int c = 0; c <= i; c++) {
        double mean[MATRIX_MAX * MATRIX_MAX];
        for (size_t x = 0; x < kk; x++) {
            const double *r = kernels_R(kern, (int)x, i + 1);
            mean[x] = 0.5 * (r[c] + r[c + 1]);
        }
        const double *factor = kernels_L(kern, c, 0);
        if (k == 1) {
            for (int j = 0; j <= c; j++)
                fresh[j] += scale * mean[0] * factor[j];
        } else {
            for (int j = 0; j <= c; j++)
                matrix_add_product(k, scale, mean, factor + (size_t)j * kk, fresh + (size_t)j * kk);
        }
    }
    double change = 0;
    for (int a = 0; a < k; a++) {
        double *target = kernels_V(kern, i + 1, a);
        for (int j = 0; j <= i; j++)
            for (int b = 0; b < k; b++) {
                double value = fresh[(size_t)j * kk + (size_t)(a * k + b)];
                if (!isfinite(value))
                    return NAN;
                change = fmax(change, relative_change(target[j * k + b], value, fabs(value)));
                target[j * k + b] = value;
            }
    }
    return change;
}

double kernels_advance(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    double innovation = kernels_factor_row(kern, i, at, now, next);
    double response = at->response == RESPONSE_STEIN ? kernels_response_stein(kern, i, at, next)
                                                     : kernels_response_pathwise(kern, i, at, next);
    double overlap = advance_m(kern, i, at, now, next);
    double field = field_row(kern, i);
    if (isnan(response) || isnan(overlap) || isnan(innovation) || isnan(field))
        return NAN;
    return fmax(fmax(response, overlap), fmax(innovation, field));
}

void kernels_correlation(const kernels *kern, const double *q0, const double *rho, int i, int j, double *out)
{
    int k = kern->k, kstar = kern->kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * kstar);
    double Ri[MATRIX_MAX * MATRIX_MAX], Rj[MATRIX_MAX * MATRIX_MAX], left[MATRIX_MAX * MATRIX_MAX];
    const double *Fi = kern->F + (size_t)i * overlap, *Fj = kern->F + (size_t)j * overlap, *m0 = kern->m;
    for (int c = 0; c < (int)kk; c++) {
        Ri[c] = kernels_onto_start(kern, c, i);
        Rj[c] = kernels_onto_start(kern, c, j);
    }
    memset(out, 0, sizeof(double) * kk);
    /* (Ri q0 + Fi m0^T) Rj^T */
    memset(left, 0, sizeof left);
    matrix_add_product(k, 1, Ri, q0, left);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            for (int c = 0; c < kstar; c++)
                left[a * k + b] += Fi[a * kstar + c] * m0[b * kstar + c];
    matrix_add_product_t(k, 1, left, Rj, out);
    /* (Ri m0 + Fi rho) Fj^T */
    for (int a = 0; a < k; a++)
        for (int c = 0; c < kstar; c++) {
            double sum = 0;
            for (int l = 0; l < k; l++)
                sum += Ri[a * k + l] * m0[l * kstar + c];
            for (int l = 0; l < kstar; l++)
                sum += Fi[a * kstar + l] * rho[l * kstar + c];
            for (int b = 0; b < k; b++)
                out[a * k + b] += sum * Fj[b * kstar + c];
        }
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
    double here[MATRIX_MAX * MATRIX_MAX] = {0}, there[MATRIX_MAX * MATRIX_MAX], Ri[MATRIX_MAX * MATRIX_MAX];
    for (int c = 0; c < k * k; c++)
        Ri[c] = kernels_R(kern, c, i)[0];
    matrix_add_product(k, 1, Ri, b0, here);
    for (int j = 0; j <= i; j++) {
        double Rj[MATRIX_MAX * MATRIX_MAX], sum[MATRIX_MAX * MATRIX_MAX] = {0};
        memset(there, 0, sizeof there);
        for (int c = 0; c < k * k; c++)
            Rj[c] = kernels_R(kern, c, j)[0];
        matrix_add_product(k, 1, Rj, b0, there);
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
