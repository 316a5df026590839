/* Discretisation, second order in the step h_i = t_{i+1} - t_i. With Q(t_i, t_j) = E[G J] at the nodes,

     R_{i+1,j} = R_ij + h/2 (f_ij + f_{i+1,j}),   f = - lambda R - delta eta Q,   R_jj = 1
     Q_ij      = gamma_i R_ij + sum_{j <= c < i} (left_ic R_cj + right_ic R_{c+1,j})
     m_{i+1}   = m_i + h/2 (- lambda m - delta eta mu at both ends)

   where the sum over cells is the sum over visits against the linear interpolation of R(., t_j), so the first cell
   enters with half a hat only. Terms with R_{i+1,j} are solved for (a k x k system shared by all j).
   Innovations, one Gaussian vector dU_i per cell, with S_j the visit sums:

     E[dU_i dU_j^T] = h/2 (eta E[g S_j^T] at both ends of cell i),  j < i
     E[dU_i dU_i^T] = h/2 (eta^2 E[g g^T] at both ends) + h/2 (eta E[g_{i+1} S_i^T] + transpose)

   (the first term is absent for a drift). The factor is built row by row; the diagonal block is the root of the
   positive part of what remains, so L L^T is a covariance whatever the sampling noise.
   V_{i,j} = - sqrt(delta) sum_{c=j}^{i-1} (R_{i,c} + R_{i,c+1}) / 2 L_cj. */
#include "twotime/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "twotime/block.h"

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
    return kern->R && kern->Q && kern->m && kern->F && kern->L && kern->root_inverse && kern->V && kern->bridge &&
           kern->scratch && kern->rho_inverse;
}

sgdmft_status kernels_new(sgdmft_context *ctx, int k, int kstar, double delta, double lambda, int singular,
                          const time_grid *grid, const double *m0, const double *rho, kernels **out)
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
    double copy[BLOCK_MAX * BLOCK_MAX];
    memcpy(copy, rho, sizeof(double) * (size_t)(kstar * kstar));
    for (int a = 0; a < kstar; a++)
        kern->rho_inverse[a * kstar + a] = 1;
    if (block_solve(kstar, copy, (size_t)kstar, kern->rho_inverse)) {
        kernels_free(kern);
        return context_fail(ctx, SGDMFT_ERR_RANGE, "initial.rho: the matrix is singular; allowed: positive definite");
    }
    for (int i = 0; i <= kern->steps; i++)
        for (int a = 0; a < k; a++)
            kernels_R(kern, a * k + a, i)[i] = 1;
    *out = kern;
    return SGDMFT_OK;
}

void kernels_free(kernels *kern)
{
    if (!kern)
        return;
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
    free(kern);
}

static double *row_Q(const kernels *kern, int component, int i)
{
    return kern->Q + (size_t)component * kern->plane + (size_t)i * kern->stride;
}

static double *block_L(const kernels *kern, int i, int j)
{
    return kern->L + ((size_t)i * (size_t)kern->steps + (size_t)j) * (size_t)(kern->k * kern->k);
}

/* Q(t_i, t_i) = gamma: no visit lies between a kick and its own time. */
static void set_diagonal_Q(kernels *kern, int i, const estimates_layout *at, const double *estimates)
{
    for (int c = 0; c < kern->k * kern->k; c++)
        row_Q(kern, c, i)[i] = estimates[at->gamma + (size_t)c];
}

void kernels_start(kernels *kern, const estimates_layout *at, const double *first)
{
    set_diagonal_Q(kern, 0, at, first);
}

/* q[ab][j] += x[a][c] R[c][b](t_row, t_j) for j < n. */
static void add_product_row(const kernels *kern, const double *x, int row, size_t n, double *q, size_t q_stride)
{
    int k = kern->k;
    for (int a = 0; a < k; a++)
        for (int c = 0; c < k; c++) {
            double factor = x[a * k + c];
            for (int b = 0; b < k; b++) {
                const double *r = kernels_R(kern, c * k + b, row);
                double *target = q + (size_t)(a * k + b) * q_stride;
                for (size_t j = 0; j < n; j++)
                    target[j] += factor * r[j];
            }
        }
}

/* The part of Q(t_{i+1}, t_j), j <= i, that does not contain R(t_{i+1}, t_j). */
static void known_Q(const kernels *kern, int i, const estimates_layout *at, const double *next, double *q)
{
    size_t kk = (size_t)(kern->k * kern->k), stride = (size_t)i + 1;
    memset(q, 0, sizeof(double) * kk * stride);
    for (int c = 0; c <= i; c++) {
        add_product_row(kern, estimates_row(at, next, c, RESPONSE_LEFT), c, (size_t)c + 1, q, stride);
        if (c < i) /* row c + 1 reaches one node further, but a kick there feels only the next cell */
            add_product_row(kern, estimates_row(at, next, c, RESPONSE_RIGHT), c + 1, (size_t)c + 1, q, stride);
    }
}

/* Change of a number relative to a scale that does not vanish. */
static double relative_change(double before, double after, double scale)
{
    return fabs(after - before) / (scale > 1 ? scale : 1);
}

static double advance_R(kernels *kern, int i, const estimates_layout *at, const double *next)
{
    int k = kern->k, kk = k * k;
    size_t n = (size_t)i + 1;
    double half = 0.5 * kern->grid->h[i], start = kern->delta * kern->grid->eta_start[i];
    double end = kern->delta * kern->grid->eta_end[i];
    double *known = kern->scratch, *rhs = kern->scratch + (size_t)kk * n;
    known_Q(kern, i, at, next, known);
    for (int c = 0; c < kk; c++) {
        const double *r = kernels_R(kern, c, i), *q = row_Q(kern, c, i);
        for (size_t j = 0; j < n; j++)
            rhs[(size_t)c * n + j] =
                r[j] * (1 - half * kern->lambda) - half * start * q[j] - half * end * known[(size_t)c * n + j];
    }
    double own[BLOCK_MAX * BLOCK_MAX] = {0}, matrix[BLOCK_MAX * BLOCK_MAX];
    const double *right = estimates_row(at, next, i, RESPONSE_RIGHT);
    for (int c = 0; c < kk; c++) {
        own[c] = next[at->gamma + (size_t)c] + right[c];
        matrix[c] = half * end * own[c] + (c % (k + 1) == 0 ? 1 + half * kern->lambda : 0);
    }
    /* rhs[a][b][j]: k rows of k n right-hand sides */
    if (block_solve(k, matrix, (size_t)k * n, rhs))
        return NAN;
    double change = 0;
    for (int c = 0; c < kk; c++) {
        double *r = kernels_R(kern, c, i + 1);
        for (size_t j = 0; j < n; j++) {
            double value = rhs[(size_t)c * n + j];
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(r[j], value, fabs(value)));
            r[j] = value;
        }
    }
    add_product_row(kern, own, i + 1, n, known, n);
    for (int c = 0; c < kk; c++)
        memcpy(row_Q(kern, c, i + 1), known + (size_t)c * n, sizeof(double) * n);
    set_diagonal_Q(kern, i + 1, at, next);
    return change;
}

static double advance_m(kernels *kern, int i, const estimates_layout *at, const double *now, const double *next)
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
    double left[BLOCK_MAX * BLOCK_MAX];
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

/* Row i of the innovation covariance, blocks j <= i; also the bridge of the cell. */
static int innovation_row(kernels *kern, int i, const estimates_layout *at, const double *now, const double *next,
                          double *row)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double half = 0.5 * kern->grid->h[i], start = kern->grid->eta_start[i], end = kern->grid->eta_end[i];
    for (int j = 0; j < i; j++) {
        const double *a = estimates_row(at, now, j, VISITS), *b = estimates_row(at, next, j, VISITS);
        for (size_t c = 0; c < kk; c++)
            row[(size_t)j * kk + c] = half * (start * a[c] + end * b[c]);
    }
    const double *own = estimates_row(at, next, i, VISITS);
    double rate[BLOCK_MAX * BLOCK_MAX], unused[BLOCK_MAX * BLOCK_MAX];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double white = start * start * now[at->outer + c] + end * end * next[at->outer + c];
            rate[c] = kern->singular ? 0.5 * kern->delta * white : 0;
            row[(size_t)i * kk + c] =
                (kern->singular ? half * white : 0) + half * end * (own[c] + own[transposed]);
        }
    return block_psd_root(k, rate, kern->bridge + (size_t)i * kk, unused);
}

/* L_ij = (E[dU_i dU_j^T] - sum_{l<j} L_il L_jl^T) L_jj^{-T}; L_ii the root of what remains. */
static double factor_row(kernels *kern, int i, const double *row)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double change = 0, rest[BLOCK_MAX * BLOCK_MAX], value[BLOCK_MAX * BLOCK_MAX];
    double *factor = block_L(kern, i, 0);
    double before = factor[(size_t)i * kk];
    for (int j = 0; j <= i; j++) {
        memcpy(rest, row + (size_t)j * kk, sizeof(double) * kk);
        const double *other = block_L(kern, j, 0);
        if (k == 1) {
            double sum = 0;
            for (int l = 0; l < j; l++)
                sum += factor[l] * other[l];
            rest[0] -= sum;
        } else {
            for (int l = 0; l < j; l++)
                block_add_product_t(k, -1, factor + (size_t)l * kk, other + (size_t)l * kk, rest);
        }
        if (j == i)
            break;
        memset(value, 0, sizeof value);
        block_add_product_t(k, 1, rest, kern->root_inverse + (size_t)j * kk, value);
        memcpy(factor + (size_t)j * kk, value, sizeof(double) * kk);
    }
    if (block_psd_root(k, rest, value, kern->root_inverse + (size_t)i * kk))
        return NAN;
    for (size_t c = 0; c < kk; c++)
        if (!isfinite(value[c]))
            return NAN;
    memcpy(factor + (size_t)i * kk, value, sizeof(double) * kk);
    change = fmax(change, relative_change(before, value[0], fabs(value[0])));
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
        double mean[BLOCK_MAX * BLOCK_MAX];
        for (size_t x = 0; x < kk; x++) {
            const double *r = kernels_R(kern, (int)x, i + 1);
            mean[x] = 0.5 * (r[c] + r[c + 1]);
        }
        const double *factor = block_L(kern, c, 0);
        if (k == 1) {
            for (int j = 0; j <= c; j++)
                fresh[j] += scale * mean[0] * factor[j];
        } else {
            for (int j = 0; j <= c; j++)
                block_add_product(k, scale, mean, factor + (size_t)j * kk, fresh + (size_t)j * kk);
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

double kernels_advance(kernels *kern, int i, const estimates_layout *at, const double *now, const double *next)
{
    double response = advance_R(kern, i, at, next);
    double overlap = advance_m(kern, i, at, now, next);
    double *row = kern->scratch;
    if (innovation_row(kern, i, at, now, next, row))
        return NAN;
    double innovation = factor_row(kern, i, row);
    double field = field_row(kern, i);
    if (isnan(response) || isnan(overlap) || isnan(innovation) || isnan(field))
        return NAN;
    return fmax(fmax(response, overlap), fmax(innovation, field));
}

void kernels_correlation(const kernels *kern, const double *q0, const double *rho, int i, int j, double *out)
{
    int k = kern->k, kstar = kern->kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * kstar);
    double Ri[BLOCK_MAX * BLOCK_MAX], Rj[BLOCK_MAX * BLOCK_MAX], left[BLOCK_MAX * BLOCK_MAX];
    const double *Fi = kern->F + (size_t)i * overlap, *Fj = kern->F + (size_t)j * overlap, *m0 = kern->m;
    for (int c = 0; c < (int)kk; c++) {
        Ri[c] = kernels_R(kern, c, i)[0];
        Rj[c] = kernels_R(kern, c, j)[0];
    }
    memset(out, 0, sizeof(double) * kk);
    /* (Ri q0 + Fi m0^T) Rj^T */
    memset(left, 0, sizeof left);
    block_add_product(k, 1, Ri, q0, left);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            for (int c = 0; c < kstar; c++)
                left[a * k + b] += Fi[a * kstar + c] * m0[b * kstar + c];
    block_add_product_t(k, 1, left, Rj, out);
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
    double here[BLOCK_MAX * BLOCK_MAX] = {0}, there[BLOCK_MAX * BLOCK_MAX], Ri[BLOCK_MAX * BLOCK_MAX];
    for (int c = 0; c < k * k; c++)
        Ri[c] = kernels_R(kern, c, i)[0];
    block_add_product(k, 1, Ri, b0, here);
    for (int j = 0; j <= i; j++) {
        double Rj[BLOCK_MAX * BLOCK_MAX], sum[BLOCK_MAX * BLOCK_MAX] = {0};
        memset(there, 0, sizeof there);
        for (int c = 0; c < k * k; c++)
            Rj[c] = kernels_R(kern, c, j)[0];
        block_add_product(k, 1, Rj, b0, there);
        block_add_product_t(k, 1, there, here, sum);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++) {
                const double *x = kernels_V(kern, j, a), *y = kernels_V(kern, i, b);
                for (int l = 0; l < k * j; l++)
                    sum[a * k + b] += x[l] * y[l];
                out[(size_t)(a * k + b) * kern->stride + (size_t)j] = sum[a * k + b];
            }
    }
}
