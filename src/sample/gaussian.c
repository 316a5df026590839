#include "sample/gaussian.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "paths/lanes.h"
#include "problem/problem.h"

void gaussian_root_clear(gaussian_root *root)
{
    free(root->root);
    *root = (gaussian_root){.n = 0};
}

/* root = V sqrt(max(D, 0)) V^T for eigenvalues D and eigenvectors V, which are overwritten. */
static void multiply_out(size_t n, const double *value, double *v, double *root)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            v[i * n + j] *= value[j] > 0 ? sqrt(sqrt(value[j])) : 0;
    int size = (int)n;
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, size, size, 1, v, size, 0, root, size);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            root[j * n + i] = root[i * n + j];
}

static double negative_part(size_t n, const double *value)
{
    double negative = 0, trace = 0;
    for (size_t i = 0; i < n; i++) {
        negative += value[i] < 0 ? -value[i] : 0;
        trace += value[i];
    }
    return trace > 0 ? negative / trace : 0;
}

sgdmft_status gaussian_root_new(sgdmft_context *ctx, size_t n, double *covariance, gaussian_root *out)
{
    double *value = malloc(n * sizeof *value);
    *out = (gaussian_root){.n = n, .root = malloc(n * n * sizeof *out->root)};
    lapack_int info = LAPACK_WORK_MEMORY_ERROR;
    if (value && out->root)
        info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, covariance, (lapack_int)n, value);
    sgdmft_status status = SGDMFT_OK;
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        status = context_out_of_memory(ctx, "the root of a covariance", 40.0 * (double)n * (double)n);
    else if (info != 0)
        status = context_fail(ctx, SGDMFT_ERR_NON_FINITE, "the eigenvalues of a covariance cannot be computed (%d)",
                              (int)info);
    if (!status) {
        out->negative = negative_part(n, value);
        multiply_out(n, value, covariance, out->root);
    }
    free(value);
    free(covariance);
    return status;
}

void gaussian_root_apply(const gaussian_root *root, size_t lanes, const double *z, double *x)
{
    memset(x, 0, root->n * lanes * sizeof *x);
    lanes_combine((int)root->n, (int)root->n, root->n, lanes, root->root, z, x);
}

sgdmft_status coordinates_onto_teacher(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t i,
                                       double *F)
{
    int k = x->k, kstar = x->kstar;
    const double *R = two_time_R(x, i, 0), *m = two_time_m(x, i), *m0 = problem->initial.m;
    double rho[MATRIX_MAX * MATRIX_MAX], right[MATRIX_MAX * MATRIX_MAX];
    memcpy(rho, problem->initial.rho, (size_t)(kstar * kstar) * sizeof *rho);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            double rest = m[a * kstar + b];
            for (int c = 0; c < k; c++)
                rest -= R[a * k + c] * m0[c * kstar + b];
            right[b * k + a] = rest;
        }
    if (matrix_solve(kstar, rho, (size_t)k, right))
        return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: initial.rho is singular", problem->source);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            F[a * kstar + b] = right[b * k + a];
    return SGDMFT_OK;
}

/* out[k][k] -= left[k][ca] middle[ca][cb] right[k][cb]^T */
static void subtract_sandwich(int k, int ca, const double *left, int cb, const double *middle, const double *right,
                              double *out)
{
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            double sum = 0;
            for (int i = 0; i < ca; i++)
                for (int j = 0; j < cb; j++)
                    sum += left[a * ca + i] * middle[i * cb + j] * right[b * cb + j];
            out[a * k + b] -= sum;
        }
}

void coordinates_rest(const sgdmft_problem *problem, const two_time *x, size_t i, const double *F_i, size_t j,
                      const double *F_j, double *K)
{
    int k = x->k, kstar = x->kstar;
    const double *R_i = two_time_R(x, i, 0), *R_j = two_time_R(x, j, 0), *m0 = problem->initial.m;
    double m0_transposed[MATRIX_MAX * MATRIX_MAX];
    if (i == 0 || j == 0) { /* theta(0) itself leaves nothing, whatever the rounding errors of C are */
        memset(K, 0, (size_t)(k * k) * sizeof *K);
        return;
    }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            m0_transposed[b * k + a] = m0[a * kstar + b];
    memcpy(K, two_time_C(x, i, j), (size_t)(k * k) * sizeof *K);
    subtract_sandwich(k, k, R_i, k, problem->initial.q, R_j, K);
    subtract_sandwich(k, k, R_i, kstar, m0, F_j, K);
    subtract_sandwich(k, kstar, F_i, k, m0_transposed, R_j, K);
    subtract_sandwich(k, kstar, F_i, kstar, problem->initial.rho, F_j, K);
}

static sgdmft_status allocate(sgdmft_context *ctx, const two_time *x, size_t n, int with_start, gaussian_process *out,
                              double **covariance)
{
    size_t k = (size_t)x->k, kstar = (size_t)x->kstar, size = n * k;
    *out = (gaussian_process){.k = x->k, .kstar = x->kstar, .n = n};
    out->onto_teacher = memory_doubles(n * k * kstar);
    out->onto_start = with_start ? memory_doubles(n * k * k) : NULL;
    *covariance = malloc(size * size * sizeof **covariance);
    if (out->onto_teacher && (out->onto_start || !with_start) && *covariance)
        return SGDMFT_OK;
    free(*covariance);
    *covariance = NULL;
    return context_out_of_memory(ctx, "the covariance of a process", 8.0 * (double)size * (double)size);
}

/* Block (i, j) of a covariance of n times k components. */
static void put_block(size_t n, size_t k, size_t i, size_t j, const double *block, double *covariance)
{
    for (size_t a = 0; a < k; a++)
        memcpy(covariance + (i * k + a) * n * k + j * k, block + a * k, k * sizeof *block);
}

sgdmft_status gaussian_process_of_coordinates(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                              size_t n, const size_t *node, gaussian_process *out)
{
    size_t k = (size_t)x->k, width = k * (size_t)x->kstar;
    double *covariance, K[MATRIX_MAX * MATRIX_MAX];
    sgdmft_status status = allocate(ctx, x, n, 1, out, &covariance);
    for (size_t i = 0; i < n && !status; i++) {
        memcpy(out->onto_start + i * k * k, two_time_R(x, node[i], 0), k * k * sizeof(double));
        status = coordinates_onto_teacher(ctx, problem, x, node[i], out->onto_teacher + i * width);
    }
    if (status) {
        free(covariance);
        return status;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            coordinates_rest(problem, x, node[i], out->onto_teacher + i * width, node[j], out->onto_teacher + j * width,
                             K);
            put_block(n, k, i, j, K, covariance);
        }
    return gaussian_root_new(ctx, n * k, covariance, &out->rest);
}

void field_moments_between(const sgdmft_problem *problem, const data_law *law, const two_time *x, size_t i, size_t j,
                           field_moments *out)
{
    data_law_field(law, &(theta_moments){two_time_C(x, i, j), two_time_m(x, j), problem->initial.rho}, out);
}

sgdmft_status gaussian_process_of_field(sgdmft_context *ctx, const sgdmft_problem *problem, const data_law *law,
                                        const two_time *x, gaussian_process *out)
{
    int kstar = x->kstar;
    size_t k = (size_t)x->k, n = x->n, width = k * (size_t)kstar;
    field_moments field;
    double *covariance;
    sgdmft_status status = allocate(ctx, x, n, 0, out, &covariance);
    if (status)
        return status;
    for (size_t i = 0; i < n; i++) {
        field_moments_between(problem, law, x, i, i, &field);
        data_law_onto_signal(law, field.m, out->onto_teacher + i * width);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double explained[MATRIX_MAX * MATRIX_MAX] = {0};
            field_moments_between(problem, law, x, i, j, &field);
            matrix_accumulate_t(x->k, kstar, x->k, 1, out->onto_teacher + i * width, field.m, explained);
            for (size_t c = 0; c < k * k; c++)
                field.C[c] -= explained[c];
            put_block(n, k, i, j, field.C, covariance);
        }
    return gaussian_root_new(ctx, n * k, covariance, &out->rest);
}

void gaussian_process_clear(gaussian_process *process)
{
    free(process->onto_start);
    free(process->onto_teacher);
    gaussian_root_clear(&process->rest);
    process->onto_start = process->onto_teacher = NULL;
}

void gaussian_process_draw(const gaussian_process *process, size_t lanes, const double *z, const double *start,
                           const double *teacher, double *x)
{
    int k = process->k, kstar = process->kstar;
    gaussian_root_apply(&process->rest, lanes, z, x);
    for (size_t i = 0; i < process->n; i++) {
        double *at = x + i * (size_t)k * lanes;
        if (process->onto_start)
            lanes_combine(k, k, (size_t)k, lanes, process->onto_start + i * (size_t)(k * k), start, at);
        lanes_combine(k, kstar, (size_t)kstar, lanes, process->onto_teacher + i * (size_t)(k * kstar), teacher, at);
    }
}
