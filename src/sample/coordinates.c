#include "sample/coordinates.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"
#include "problem/problem.h"
#include "core/origin.h"
#include "sample/draws.h"
#include "core/matrix.h"

sgdmft_status coordinates_check(sgdmft_context *ctx, const sgdmft_problem *problem)
{
    if (!problem->penalty.text)
        return SGDMFT_OK;
    return origin_fail(
        ctx, SGDMFT_ERR_UNSUPPORTED, &problem->penalty.where,
        "with this penalty coordinates follow a nonlinear process, which cannot be drawn from C, R and "
        "m alone; needed: the ridge, key lambda, or the group /coordinates of a solve with this penalty");
}

sgdmft_status coordinates_onto_teacher(sgdmft_context *ctx, const two_time *x, const sgdmft_problem *problem, size_t i,
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

void coordinates_remainder(const two_time *x, const sgdmft_problem *problem, size_t i, const double *Fi, size_t j,
                           const double *Fj, double *K)
{
    int k = x->k, kstar = x->kstar;
    const double *Ri = two_time_R(x, i, 0), *Rj = two_time_R(x, j, 0), *m0 = problem->initial.m;
    double m0_transposed[MATRIX_MAX * MATRIX_MAX];
    if (i == 0 || j == 0) { /* theta0 itself, without the rounding of C */
        memset(K, 0, (size_t)(k * k) * sizeof *K);
        return;
    }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            m0_transposed[b * k + a] = m0[a * kstar + b];
    memcpy(K, two_time_C(x, i, j), (size_t)(k * k) * sizeof *K);
    subtract_sandwich(k, k, Ri, k, problem->initial.q, Rj, K);
    subtract_sandwich(k, k, Ri, kstar, m0, Fj, K);
    subtract_sandwich(k, kstar, Fi, k, m0_transposed, Rj, K);
    subtract_sandwich(k, kstar, Fi, kstar, problem->initial.rho, Fj, K);
}

static sgdmft_status set_rest(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, const size_t *node,
                              coordinate_process *process)
{
    size_t k = (size_t)x->k, width = k * (size_t)x->kstar, n = process->n, size = n * k;
    double *K = malloc(size * size * sizeof *K), one[MATRIX_MAX * MATRIX_MAX];
    if (!K)
        return context_out_of_memory(ctx, "the covariance of the coordinates", 8.0 * (double)size * (double)size);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            coordinates_remainder(x, problem, node[i], process->onto_teacher + i * width, node[j],
                                  process->onto_teacher + j * width, one);
            for (size_t a = 0; a < k; a++)
                memcpy(K + (i * k + a) * size + j * k, one + a * k, k * sizeof *K);
        }
    return gaussian_root_new(ctx, size, K, &process->rest);
}

static sgdmft_status fill(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, const size_t *node,
                          coordinate_process *process)
{
    size_t k = (size_t)x->k, kstar = (size_t)x->kstar, n = process->n;
    process->onto_start = memory_doubles(n * k * k);
    process->onto_teacher = memory_doubles(n * k * kstar);
    if (!process->onto_start || !process->onto_teacher)
        return context_out_of_memory(ctx, "the process of the coordinates", 8.0 * (double)(n * k * (k + kstar)));
    sgdmft_status status = coordinates_law_new(ctx, problem, &process->law);
    for (size_t i = 0; i < n && !status; i++) {
        memcpy(process->onto_start + i * k * k, two_time_R(x, node[i], 0), k * k * sizeof(double));
        status = coordinates_onto_teacher(ctx, x, problem, node[i], process->onto_teacher + i * k * kstar);
    }
    if (!status)
        status = set_rest(ctx, problem, x, node, process);
    if (status)
        return status;
    size_t dims = (size_t)coordinates_law_dims(process->law), longest = n * k > dims ? n * k : dims;
    process->work = (dims + k + n * k) * SAMPLE_LANES + longest + coordinates_law_work(process->law);
    return SGDMFT_OK;
}

static sgdmft_status fill_nonlinear(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                    const size_t *node, coordinate_process *process)
{
    sgdmft_status status = coordinates_law_new(ctx, problem, &process->law);
    if (!status)
        status = nonlinear_process_new(ctx, problem, x, process->n, node, &process->nonlinear);
    if (!status)
        process->work = nonlinear_process_work(process->nonlinear, process->law);
    return status;
}

sgdmft_status coordinate_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                     const size_t *node, coordinate_process **out)
{
    *out = NULL;
    int nonlinear = problem->penalty.text && x->coordinates;
    sgdmft_status status = nonlinear ? SGDMFT_OK : coordinates_check(ctx, problem);
    if (!status)
        status = two_time_check(ctx, x, problem);
    if (status)
        return status;
    coordinate_process *process = calloc(1, sizeof *process);
    if (!process)
        return context_out_of_memory(ctx, "the process of the coordinates", sizeof *process);
    process->k = x->k;
    process->kstar = x->kstar;
    process->n = n;
    status = (nonlinear ? fill_nonlinear : fill)(ctx, problem, x, node, process);
    if (status)
        coordinate_process_free(process);
    else
        *out = process;
    return status;
}

void coordinate_process_free(coordinate_process *process)
{
    if (!process)
        return;
    free(process->onto_start);
    free(process->onto_teacher);
    gaussian_root_clear(&process->rest);
    nonlinear_process_free(process->nonlinear);
    coordinates_law_free(process->law);
    free(process);
}

sgdmft_status coordinate_process_draw(const coordinate_process *process, uint64_t seed, uint64_t block, double *work,
                                      double *theta, double *thetastar)
{
    if (process->nonlinear)
        return nonlinear_process_draw(process->nonlinear, process->law, seed, block, work, theta, thetastar);
    int k = process->k, kstar = process->kstar;
    size_t dims = (size_t)coordinates_law_dims(process->law), size = process->n * (size_t)k;
    double *u = work, *theta0 = u + dims * SAMPLE_LANES, *z = theta0 + (size_t)k * SAMPLE_LANES;
    double *row = z + size * SAMPLE_LANES, *scratch = row + (size > dims ? size : dims);
    sample_draw(random_uniforms, seed, SAMPLE_LAW, block, dims, row, u);
    coordinates_law_map(process->law, scratch, SAMPLE_LANES, u, theta0, thetastar);
    sample_draw(random_normals, seed, SAMPLE_COORDINATES, block, size, row, z);
    gaussian_root_apply(&process->rest, SAMPLE_LANES, z, theta);
    for (size_t i = 0; i < process->n; i++) {
        double *at = theta + i * (size_t)k * SAMPLE_LANES;
        lanes_combine(k, k, (size_t)k, SAMPLE_LANES, process->onto_start + i * (size_t)(k * k), theta0, at);
        lanes_combine(k, kstar, (size_t)kstar, SAMPLE_LANES, process->onto_teacher + i * (size_t)(k * kstar), thetastar,
                      at);
    }
    return SGDMFT_OK;
}
