/* The law of the data: how a fresh sample looks to the student and the teacher.

   A sample x has the field w = theta^T x in R^k, the signal s = theta*^T x in R^k* and the noise e of its label, which
   is independent of both. As d grows, their joint law depends on theta and theta* through second moments alone. Two
   kinds of moments must be kept apart, although they are equal for isotropic data:

     theta_moments   averages over the coordinates j of theta: C = E theta theta^T, m = E theta theta*^T,
                     rho = E theta* theta*^T
     field_moments   averages over the samples: C_w = E w w^T, m_w = E w s^T, rho_w, which plays the part of rho in the
                     regression of w on s

   A law of the data states

     1. the moments and the response of the field as functions of those of theta, linear and without a constant:
        (C, m, rho, R) -> (C_w, m_w, rho_w, R_w). R_w(t, t') is the mean effect on w^t of a unit kick along x at t';
        R_w(t, t) is how far a visit moves the preactivation of its own sample;
     2. the law of the signal s;
     3. the law of the field given the signal, which is Gaussian in every case:

            w = M s + root(S) z,   M = m_w rho_w^{-1},   S = C_w - m_w rho_w^{-1} m_w^T,   z standard normal.

   The law implemented is that of isotropic Gaussian data, which is also the limit of any data with independent entries
   of mean 0 and variance 1/d:

     C_w = C,   m_w = m,   rho_w = rho,   R_w = R,   R_w(t, t) = 1,   s = L z,   L L^T = rho,   L lower triangular.

   Other laws change functions of this file only: with a spectrum, point 1 becomes sums over modes of weight p_j e_j,
   and with a signal law, point 2 is any law at all.

   Matrices are row-major. No function but data_law_init fails or allocates, unless it says so. */
#ifndef SGDMFT_MODEL_DATA_LAW_H
#define SGDMFT_MODEL_DATA_LAW_H

#include <stddef.h>

#include "core/context.h"
#include "core/matrix.h"
#include "sgdmft/problem.h"

/* Second moments of the coordinates. C may also be a correlation of two times. */
typedef struct theta_moments {
    const double *C;   /* [k][k] */
    const double *m;   /* [k][k*] */
    const double *rho; /* [k*][k*] */
} theta_moments;

/* Second moments of field and signal. */
typedef struct field_moments {
    double C[MATRIX_MAX * MATRIX_MAX];   /* [k][k] */
    double m[MATRIX_MAX * MATRIX_MAX];   /* [k][k*] */
    double rho[MATRIX_MAX * MATRIX_MAX]; /* [k*][k*] */
} field_moments;

/* The law of the field given the signal, w = onto_signal s + root z. */
typedef struct field_regression {
    double onto_signal[MATRIX_MAX * MATRIX_MAX]; /* M [k][k*] */
    double rest[MATRIX_MAX * MATRIX_MAX];        /* S [k][k], exactly symmetric */
    double root[MATRIX_MAX * MATRIX_MAX];        /* [k][k] symmetric root of the positive part of S */
} field_regression;

/* Everything about the law that does not change with time. A plain value: it can be copied and needs no clearing. */
typedef struct data_law {
    int k, kstar;
    double signal_root[MATRIX_MAX * MATRIX_MAX];    /* L [k*][k*], zeros above the diagonal */
    double signal_inverse[MATRIX_MAX * MATRIX_MAX]; /* rho_w^{-1} [k*][k*] */

    /* The field at t = 0, w = start_onto_signal s + start_root z. This root is lower triangular, as the paths are drawn
       with it; it is singular where theta(0) is a function of theta*. */
    double start_onto_signal[MATRIX_MAX * MATRIX_MAX]; /* [k][k*] */
    double start_root[MATRIX_MAX * MATRIX_MAX];        /* [k][k] */
} data_law;

/* SGDMFT_ERR_RANGE if initial.rho is not positive definite, SGDMFT_ERR_MEMORY. */
sgdmft_status data_law_init(sgdmft_context *ctx, const sgdmft_problem *problem, data_law *out);

/* The moments of the field from those of theta. */
void data_law_field(const data_law *law, const theta_moments *theta, field_moments *out);

/* One block of the response of the field, R_w[k][k], from that of theta, R[k][k]; they may be the same array. */
void data_law_response(const data_law *law, const double *R, double *R_w);

/* Non-zero if R_w = R, so that whoever needs long rows of R_w may read those of R instead. */
int data_law_shares_response(const data_law *law);

/* Turns independent standard normal variables z[k*][n] into signals of n samples, in place. */
void data_law_signals(const data_law *law, size_t n, double *z);

/* out = x rho_w^{-1} for x[k][k*]: the coefficients by which a vector with E[v s^T] = x depends on s. */
void data_law_onto_signal(const data_law *law, const double *x, double *out);

/* The law of the field given the signal. Returns 0, or -1 if a moment is not finite. */
int data_law_regress(const data_law *law, const field_moments *field, field_regression *out);

/* The fields w[k][n] of n fresh samples with signals s[k*][n], from standard normal variables z[k][n]. w overlaps
   neither s nor z. */
void data_law_fresh_fields(const data_law *law, const field_regression *at, size_t n, const double *s, const double *z,
                           double *w);

#endif
