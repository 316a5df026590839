#include "kernels/start.h"

#include <string.h>

#include "core/matrix.h"

void start_covariance(int k, int kstar, const double *q0, const double *m0, const double *rho_inverse, double *P)
{
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            P[a * k + b] = q0[a * k + b];
            for (int c = 0; c < kstar; c++)
                for (int d = 0; d < kstar; d++)
                    P[a * k + b] -= m0[a * kstar + c] * rho_inverse[c * kstar + d] * m0[b * kstar + d];
        }
}

void start_correlation(int k, int kstar, const double *m0, const double *rho_inverse, const double *mu,
                       const double *gw0, double *out)
{
    double A[MATRIX_MAX * MATRIX_MAX] = {0};
    matrix_accumulate(k, kstar, kstar, 1, m0, rho_inverse, A);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            out[a * k + b] = gw0[a * k + b];
            for (int c = 0; c < kstar; c++)
                out[a * k + b] -= mu[a * kstar + c] * A[b * kstar + c];
        }
}

void start_teacher(int k, int kstar, const double *m, const double *R0, const double *m0, const double *rho_inverse,
                   double *F)
{
    size_t width = (size_t)(k * kstar);
    double left[MATRIX_MAX * MATRIX_MAX];
    memcpy(left, m, sizeof *left * width);
    matrix_accumulate(k, k, kstar, -1, R0, m0, left);
    memset(F, 0, sizeof *F * width);
    matrix_accumulate(k, kstar, kstar, 1, left, rho_inverse, F);
}

void start_add_correlation(const start_moments *of, const double *R_t, const double *F_t, const double *R_s,
                           const double *F_s, double *out)
{
    int k = of->k, kstar = of->kstar;
    double left[MATRIX_MAX * MATRIX_MAX] = {0};
    /* (R_t q0 + F_t m0^T) R_s^T */
    matrix_add_product(k, 1, R_t, of->q0, left);
    matrix_accumulate_t(k, kstar, k, 1, F_t, of->m0, left);
    matrix_add_product_t(k, 1, left, R_s, out);
    /* (R_t m0 + F_t rho) F_s^T */
    memset(left, 0, sizeof left);
    matrix_accumulate(k, k, kstar, 1, R_t, of->m0, left);
    matrix_accumulate(k, kstar, kstar, 1, F_t, of->rho, left);
    matrix_accumulate_t(k, kstar, k, 1, left, F_s, out);
}
