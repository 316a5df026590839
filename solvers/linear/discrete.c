/* The equations of docs/theory.md for batches that are a fraction of the data, where g is linear. For one sample let
   S_k = 1 if it is in batch k, and let

     g_k = v_k - sum_{l<k} K(k,l) eta_l S_l g_l,     v_k = w_k - z,     E v_k v_l = V(k,l),                    (1)

   where K(k,l) is the response of theta at node k to a kick in step l, which is in theta from node l + 1 on. Given S
   this is linear in v. What has to be averaged over S are products of at most two g_k, at steps in which the sample is
   visited. Let E_k be the average given S_k = 1, and

     D(k,l) = E_k dg_k/dv_l,     G(k,l) = E_k g_k v_l,     B(k,l) = E_k S_l g_k g_l  (l <= k).

   For every law of the batches there is a set past(k) of steps and a number pi such that, given S_k = 1, a step l < k
   that is not in past(k) did not visit the sample, one that is in it did with probability pi, and what happened before
   l is then independent of S_k:

     independent   past(k) = all l < k                                        pi = b   (b = 1: all of the data)
     reshuffle     past(k) = all l < k of earlier epochs                      pi = b
     cyclic        past(k) = the steps l < k of the same place in an epoch    pi = 1

   Hence (1) can be averaged term by term. With L(k,l) = K(k,l) eta_l for l in past(k), and 0 otherwise,

     D(k,l) = 1{k=l} - pi sum_j L(k,j) D(j,l),               G = D V,
     B(k,l) = pi (G(l,k) - sum_j L(k,j) B(j,l))              for l in past(k), and 0 for all other l < k,
     B(k,k) = G(k,k) - sum_j L(k,j) B(k,j),

   where B(j,l) = B(l,j), and where E_k S_j S_l g_j g_l = pi B(j,l) for j, l in past(k) was used. The innovations have
   the covariance E U_k U_l = eta_k eta_l b B(k,l). Averages over the samples as they are have all K in the place of L:

     P_k = E g_k^2 = V(k,k) - 2 b sum_{l<k} K(k,l) eta_l G(l,k) + b sum_{j,l<k} K(k,j) eta_j B(j,l) eta_l K(k,l).

   theta itself is A_k theta(0) + F_k theta* plus a sum of innovations. With R(k,l+1) = K(k,l), R(k,k) = 1, R(k,0) = A_k
   and f = F - 1, the columns of R and f obey the same filter,

     x_{k+1} = x_k + beta (x_k - x_{k-1}) - decay x_k - delta eta_k b sum_j D(k,j) x_j   (- decay for f),

   with x_{-1} = x_0 for A and f, and

     V(k,l) = A_k A_l q + (A_k f_l + f_k A_l) m + f_k f_l rho + noise + delta sum_ij K(k,i) eta_i b B(i,j) eta_j K(l,j),
     C(k,l) = V(k,l) - noise + (A_k + A_l) m + (f_k + f_l + 1) rho.

   Node k + 1 needs nothing but nodes up to k. All sums of a step are products of a matrix and a vector. Where past(k)
   is sparse, it is so with a constant stride, and the products skip what is not in it. */
#include "solvers/linear/discrete.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/arrays.h"
#include "core/memory.h"
#include "numerics/row_products.h"

/* Steps between two reports of progress. */
enum { REPORT_EVERY = 16 };

/* The steps first, first + step, ... */
typedef struct progression {
    size_t first, step, count;
} progression;

/* The arrays of a solve in progress. Those of the moments belong to the caller. */
typedef struct recursion {
    const discrete_system *system;
    discrete_moments *moments;
    double *D, *B; /* [stride][stride]; B in both triangles */
    double *kick;  /* [stride] K(k,l) eta_l at node k */
    double *g;     /* [stride] G(l,k) */
    double *seen;  /* [stride] sum_j L(k,j) B(j,l) */
    double *all;   /* [stride] the same with K eta in the place of L; then work space */
    double *some;  /* [stride] work space */
    double own;    /* the last sum of P_k, which is also a part of V(k,k) */
} recursion;

enum { MATRICES = 4, VECTORS = 7 };

double discrete_bytes(size_t steps)
{
    double n = (double)steps + 1;
    return 8 * (MATRICES * n * n + VECTORS * n);
}

double discrete_operations(size_t steps)
{
    double n = (double)steps;
    return n * n * n;
}

static progression past_of(const discrete_system *system, size_t k)
{
    if (system->epoch == 0)
        return (progression){0, 1, k};
    if (system->kept)
        return (progression){k % system->epoch, system->epoch, k / system->epoch};
    return (progression){0, 1, k - k % system->epoch};
}

/* pi of the head of this file. */
static double visited_before(const discrete_system *system)
{
    return system->kept ? 1 : system->b;
}

static void gather(const double *from, progression at, double *to)
{
    for (size_t i = 0; i < at.count; i++)
        to[i] = from[at.first + i * at.step];
}

/* out[columns] += s sum_i factor[i] row_i, over the rows of a matrix at the steps of a progression. Lower triangles end
   with the diagonal. */
static void add_rows(const recursion *x, double s, const double *matrix, int lower, progression at,
                     const double *factor, size_t columns, double *out)
{
    size_t stride = x->moments->stride;
    row_matrix rows = {matrix + at.first * stride, at.step * stride, at.first + 1, lower ? at.step : 0};
    rows_add(rows, at.count, columns, s, factor, out);
}

/* Row k of D, G(., k) and P_k. */
static void average_residuals(recursion *x, size_t k)
{
    discrete_moments *out = x->moments;
    progression past = past_of(x->system, k);
    double *D = x->D + k * out->stride, risk = out->V[k * out->stride + k] + x->own;
    gather(x->kick, past, x->some);
    add_rows(x, -visited_before(x->system), x->D, 1, past, x->some, k, D);
    D[k] = 1;
    rows_lower_product((row_matrix){.value = x->D, .stride = out->stride}, k + 1, out->V + k * out->stride, x->g);
    for (size_t l = 0; l < k; l++)
        risk -= 2 * x->system->b * x->kick[l] * x->g[l];
    out->P[k] = risk;
}

/* Row and column k of B. */
static void correlate_residuals(recursion *x, size_t k)
{
    size_t stride = x->moments->stride;
    progression past = past_of(x->system, k);
    double *B = x->B + k * stride, pi = visited_before(x->system), square = x->g[k];
    for (size_t i = 0; i < past.count; i++) {
        size_t l = past.first + i * past.step;
        B[l] = x->B[l * stride + k] = pi * (x->g[l] - x->seen[l]);
        square -= x->kick[l] * B[l];
    }
    B[k] = square;
}

/* Row k + 1 of R, and f there. */
static void advance_response(recursion *x, size_t k)
{
    const discrete_system *system = x->system;
    discrete_moments *out = x->moments;
    size_t stride = out->stride, before = k > 0 ? k - 1 : 0;
    progression past = past_of(system, k);
    const double *now = out->R + k * stride, *earlier = out->R + before * stride;
    double *next = out->R + (k + 1) * stride, force = out->f[k], keep = 1 - system->decay;
    double pull = system->model->delta * system->eta[k] * system->b;
    gather(x->D + k * stride, past, x->some);
    for (size_t i = 0; i < past.count; i++)
        force += x->some[i] * out->f[past.first + i * past.step];
    for (size_t c = 0; c <= k; c++)
        next[c] = (keep - pull) * now[c] + system->beta * (now[c] - earlier[c]);
    add_rows(x, -pull, out->R, 1, past, x->some, k + 1, next);
    next[k + 1] = 1;
    out->f[k + 1] = keep * out->f[k] + system->beta * (out->f[k] - out->f[before]) - system->decay - pull * force;
}

/* Sums of B with the kicks of past(k), which are those of L, and with all earlier ones. */
static void sum_forces(recursion *x, size_t k)
{
    progression past = past_of(x->system, k), later = {past.count, 1, k - past.count}, every = {0, 1, k};
    memset(x->seen, 0, k * sizeof(double));
    gather(x->kick, past, x->some);
    add_rows(x, 1, x->B, 0, past, x->some, k, x->seen);
    if (past.step == 1) {
        memcpy(x->all, x->seen, k * sizeof(double));
        add_rows(x, 1, x->B, 0, later, x->kick + later.first, k, x->all);
    } else {
        memset(x->all, 0, k * sizeof(double));
        add_rows(x, 1, x->B, 0, every, x->kick, k, x->all);
    }
}

/* Row k of V, once row k of R is known. */
static void advance_covariance(recursion *x, size_t k)
{
    const discrete_system *system = x->system;
    const linear_model *p = system->model;
    discrete_moments *out = x->moments;
    size_t stride = out->stride;
    const double *R = out->R, *f = out->f;
    double *V = out->V + k * stride, A = R[k * stride], *force = x->all, *noise = x->some;
    for (size_t l = 0; l < k; l++)
        x->kick[l] = R[k * stride + l + 1] * system->eta[l];
    sum_forces(x, k);
    x->own = 0;
    for (size_t l = 0; l < k; l++) {
        x->own += system->b * force[l] * x->kick[l];
        force[l] *= p->delta * system->b * system->eta[l];
    }
    if (k > 0)
        rows_lower_product((row_matrix){.value = R + stride + 1, .stride = stride}, k, force, noise + 1);
    noise[0] = 0;
    for (size_t l = 0; l <= k; l++) {
        double start = R[l * stride];
        V[l] = A * start * p->q + (A * f[l] + f[k] * start) * p->m + f[k] * f[l] * p->rho + p->noise + noise[l];
    }
}

static sgdmft_status allocate(sgdmft_context *ctx, recursion *x)
{
    discrete_moments *out = x->moments;
    size_t n = out->stride;
    array_row rows[] = {{&out->R, n * n, 1}, {&out->V, n * n, 1}, {&out->f, n, 1},  {&out->P, n, 1},
                        {&x->D, n * n, 0},   {&x->B, n * n, 0},   {&x->kick, n, 0}, {&x->g, n, 0},
                        {&x->seen, n, 0},    {&x->all, n, 0},     {&x->some, n, 0}};
    if (!arrays_allocate(rows, sizeof rows / sizeof *rows))
        return SGDMFT_OK;
    arrays_free(rows, sizeof rows / sizeof *rows);
    return context_out_of_memory(ctx, "the moments of all steps", discrete_bytes(x->system->steps));
}

/* Makes node after node until the last one, divergence, or a request of the caller to stop. */
static void march(sgdmft_context *ctx, recursion *x)
{
    const discrete_system *system = x->system;
    discrete_moments *out = x->moments;
    out->R[0] = 1;
    out->f[0] = -1;
    for (size_t k = 0; k <= system->steps; k++) {
        double done = (double)k / (double)system->steps;
        advance_covariance(x, k);
        average_residuals(x, k);
        if (!(out->P[k] <= system->limit)) {
            out->end = DISCRETE_DIVERGED;
            out->largest = out->P[k];
            return;
        }
        out->nodes = k + 1;
        if (k == system->steps)
            return;
        if (k % REPORT_EVERY == 0 && context_progress(ctx, done * done * done, (double)k * system->b)) {
            out->end = DISCRETE_INTERRUPTED;
            return;
        }
        correlate_residuals(x, k);
        advance_response(x, k);
    }
}

sgdmft_status discrete_solve(sgdmft_context *ctx, const discrete_system *system, discrete_moments *out)
{
    recursion x = {.system = system, .moments = out};
    *out = (discrete_moments){.stride = system->steps + 1};
    sgdmft_status status = allocate(ctx, &x);
    if (!status)
        march(ctx, &x);
    free(x.D);
    free(x.B);
    free(x.kick);
    free(x.g);
    free(x.seen);
    free(x.all);
    free(x.some);
    return status;
}

void discrete_moments_clear(discrete_moments *moments)
{
    free(moments->R);
    free(moments->V);
    free(moments->f);
    free(moments->P);
    memset(moments, 0, sizeof *moments);
}

double discrete_correlation(const linear_model *model, const discrete_moments *moments, size_t i, size_t j)
{
    const double *f = moments->f;
    double start = moments->R[i * moments->stride] + moments->R[j * moments->stride];
    return moments->V[i * moments->stride + j] - model->noise + start * model->m + (f[i] + f[j] + 1) * model->rho;
}

double discrete_overlap(const linear_model *model, const discrete_moments *moments, size_t i)
{
    return moments->R[i * moments->stride] * model->m + (moments->f[i] + 1) * model->rho;
}
