#include "model/data_law.h"

#include <string.h>

#include "model/initial.h"
#include "problem/problem.h"

sgdmft_status data_law_init(sgdmft_context *ctx, const sgdmft_problem *problem, data_law *out)
{
    initial_law theta;
    sgdmft_status status = initial_law_init(ctx, problem, &theta);
    if (status)
        return status;
    int k = theta.k, kstar = theta.kstar;
    *out = (data_law){.k = k, .kstar = kstar};
    memcpy(out->signal_root, theta.chol_rho, sizeof(double) * (size_t)(kstar * kstar));
    memcpy(out->start_onto_signal, theta.a, sizeof(double) * (size_t)(k * kstar));
    memcpy(out->start_root, theta.b, sizeof(double) * (size_t)(k * k));
    if (matrix_inverse(kstar, problem->initial.rho, out->signal_inverse))
        return context_fail(ctx, SGDMFT_ERR_RANGE,
                            "%s: initial.rho: the matrix is singular; allowed: positive definite", problem->source);
    return SGDMFT_OK;
}

void data_law_field(const data_law *law, const theta_moments *theta, field_moments *out)
{
    size_t k = (size_t)law->k, kstar = (size_t)law->kstar;
    memcpy(out->C, theta->C, sizeof(double) * k * k);
    memcpy(out->m, theta->m, sizeof(double) * k * kstar);
    memcpy(out->rho, theta->rho, sizeof(double) * kstar * kstar);
}

void data_law_response(const data_law *law, const double *R, double *R_w)
{
    memmove(R_w, R, sizeof(double) * (size_t)(law->k * law->k));
}

int data_law_shares_response(const data_law *law)
{
    return 1;
}

void data_law_signals(const data_law *law, size_t n, double *z)
{
    for (int a = law->kstar - 1; a >= 0; a--) {
        const double *row = law->signal_root + a * law->kstar;
        for (size_t p = 0; p < n; p++) {
            double sum = 0;
            for (int b = 0; b <= a; b++)
                sum += row[b] * z[(size_t)b * n + p];
            z[(size_t)a * n + p] = sum;
        }
    }
}

void data_law_onto_signal(const data_law *law, const double *x, double *out)
{
    memset(out, 0, sizeof(double) * (size_t)(law->k * law->kstar));
    matrix_accumulate(law->k, law->kstar, law->kstar, 1, x, law->signal_inverse, out);
}

int data_law_regress(const data_law *law, const field_moments *field, field_regression *out)
{
    int k = law->k, kstar = law->kstar;
    double explained[MATRIX_MAX * MATRIX_MAX] = {0};
    data_law_onto_signal(law, field->m, out->onto_signal);
    matrix_accumulate_t(k, kstar, k, 1, out->onto_signal, field->m, explained);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            double mean = 0.5 * (explained[a * k + b] + explained[b * k + a]);
            out->rest[a * k + b] = 0.5 * (field->C[a * k + b] + field->C[b * k + a]) - mean;
        }
    return matrix_psd_root(k, out->rest, out->root, NULL);
}

/* Adds coefficients x to w for x[columns][n], one row of w after the other. */
static void add_rows(int rows, int columns, const double *coefficients, size_t n, const double *x, double *w)
{
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < columns; b++)
            for (size_t p = 0; p < n; p++)
                w[(size_t)a * n + p] += coefficients[a * columns + b] * x[(size_t)b * n + p];
}

void data_law_fresh_fields(const data_law *law, const field_regression *at, size_t n, const double *s, const double *z,
                           double *w)
{
    memset(w, 0, sizeof(double) * (size_t)law->k * n);
    add_rows(law->k, law->kstar, at->onto_signal, n, s, w);
    add_rows(law->k, law->k, at->root, n, z, w);
}
