#include "model/initial.h"

#include <string.h>

#include "problem/problem.h"

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

sgdmft_status initial_law_init(sgdmft_context *ctx, const sgdmft_problem *problem, initial_law *out)
{
    int k = problem->model.students, ks = problem->model.teachers;
    double s[MATRIX_MAX * MATRIX_MAX];
    *out = (initial_law){.k = k, .kstar = ks};
    if (matrix_cholesky(ks, problem->initial.rho, out->chol_rho))
        return context_fail(ctx, SGDMFT_ERR_RANGE,
                            "%s: initial.rho: the matrix has no Cholesky factor; allowed: symmetric "
                            "and positive definite",
                            problem->source);
    memcpy(out->a, problem->initial.m, sizeof(double) * (size_t)(k * ks));
    matrix_cholesky_divide(ks, out->chol_rho, k, out->a);
    residual_moments(problem, out, s);
    if (matrix_psd_cholesky(k, s, out->b))
        return context_fail(ctx, SGDMFT_ERR_RANGE,
                            "%s: initial: q - m rho^-1 m^T is not finite; "
                            "allowed: finite initial.q and initial.m",
                            problem->source);
    return SGDMFT_OK;
}
