#include "model/initial.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "problem/problem.h"

enum { LARGEST = 8 }; /* students and teachers, see the table of options */

static sgdmft_status lapack_failed(sgdmft_context *ctx, lapack_int info, const char *what)
{
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return context_out_of_memory(ctx, what, 0);
    return context_fail(ctx, SGDMFT_ERR_RANGE,
                        "initial: %s cannot be computed (LAPACK info %d); check initial.q, "
                        "initial.m and initial.rho",
                        what, (int)info);
}

static void clear_above_diagonal(double *a, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            a[i * n + j] = 0;
}

static sgdmft_status factor_rho(sgdmft_context *ctx, const sgdmft_problem *problem, initial_law *law)
{
    int n = law->kstar;
    memcpy(law->chol_rho, problem->initial.rho, (size_t)(n * n) * sizeof *law->chol_rho);
    lapack_int info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', n, law->chol_rho, n);
    if (info != 0)
        return lapack_failed(ctx, info, "the Cholesky factor of rho");
    clear_above_diagonal(law->chol_rho, n);
    return SGDMFT_OK;
}

/* Solves rho A^T = m^T. */
static sgdmft_status regress(sgdmft_context *ctx, const sgdmft_problem *problem, initial_law *law)
{
    int k = law->k, ks = law->kstar;
    double transposed[LARGEST * LARGEST];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < ks; j++)
            transposed[j * k + i] = problem->initial.m[i * ks + j];
    lapack_int info = LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', ks, k, law->chol_rho, ks, transposed, k);
    if (info != 0)
        return lapack_failed(ctx, info, "m rho^-1");
    for (int i = 0; i < k; i++)
        for (int j = 0; j < ks; j++)
            law->a[i * ks + j] = transposed[j * k + i];
    return SGDMFT_OK;
}

/* S = q - m rho^{-1} m^T, made exactly symmetric. */
static void residual_moments(const sgdmft_problem *problem, const initial_law *law, double *s)
{
    int k = law->k, ks = law->kstar;
    for (int i = 0; i < k; i++)
        for (int j = 0; j <= i; j++) {
            double explained = 0;
            for (int l = 0; l < ks; l++)
                explained += (law->a[i * ks + l] * problem->initial.m[j * ks + l] +
                              law->a[j * ks + l] * problem->initial.m[i * ks + l]) /
                             2;
            s[i * k + j] = s[j * k + i] = problem->initial.q[i * k + j] - explained;
        }
}

/* Lower triangular B with B B^T = S for S positive semi-definite up to rounding: S = V D V^T = (V sqrt D)(V sqrt D)^T,
   and the triangle comes from rotating the columns of V sqrt D. A plain Cholesky factorisation would divide by pivots
   that are rounding errors when S is singular. */
static sgdmft_status factor_semidefinite(sgdmft_context *ctx, int k, double *s, double *b)
{
    double d[LARGEST], reflectors[LARGEST];
    lapack_int info = LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', k, s, k, d);
    if (info != 0)
        return lapack_failed(ctx, info, "the spectrum of q - m rho^-1 m^T");
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            b[i * k + j] = d[j] > 0 ? s[i * k + j] * sqrt(d[j]) : 0;
    info = LAPACKE_dgelqf(LAPACK_ROW_MAJOR, k, k, b, k, reflectors);
    if (info != 0)
        return lapack_failed(ctx, info, "the factor of q - m rho^-1 m^T");
    clear_above_diagonal(b, k);
    for (int j = 0; j < k; j++)
        for (int i = j, flip = b[j * k + j] < 0; flip && i < k; i++)
            b[i * k + j] = -b[i * k + j];
    return SGDMFT_OK;
}

sgdmft_status initial_law_init(sgdmft_context *ctx, const sgdmft_problem *problem, initial_law *out)
{
    int k = problem->model.students, ks = problem->model.teachers;
    double s[LARGEST * LARGEST];
    *out = (initial_law){.k = k, .kstar = ks};
    out->chol_rho = calloc((size_t)(ks * ks), sizeof *out->chol_rho);
    out->a = calloc((size_t)(k * ks), sizeof *out->a);
    out->b = calloc((size_t)(k * k), sizeof *out->b);
    sgdmft_status status = SGDMFT_OK;
    if (!out->chol_rho || !out->a || !out->b)
        status = context_out_of_memory(ctx, "the initial law", (double)(k * k + k * ks + ks * ks) * sizeof(double));
    if (status == SGDMFT_OK)
        status = factor_rho(ctx, problem, out);
    if (status == SGDMFT_OK)
        status = regress(ctx, problem, out);
    if (status == SGDMFT_OK) {
        residual_moments(problem, out, s);
        status = factor_semidefinite(ctx, k, s, out->b);
    }
    if (status != SGDMFT_OK)
        initial_law_free(out);
    return status;
}

void initial_law_free(initial_law *law)
{
    free(law->chol_rho);
    free(law->a);
    free(law->b);
    *law = (initial_law){.k = 0};
}
