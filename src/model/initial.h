/* The Gaussian law of the coordinates (theta0, theta*) at t = 0, in the form in which it is sampled:

       theta* = L z*,    theta0 = A theta* + B z,    z*, z independent standard normal vectors,

   with rho = L L^T, A = m rho^{-1}, B B^T = q - m rho^{-1} m^T. */
#ifndef SGDMFT_MODEL_INITIAL_H
#define SGDMFT_MODEL_INITIAL_H

#include "core/context.h"
#include "core/matrix.h"
#include "sgdmft/problem.h"

/* A plain value: it can be copied and needs no clearing. */
typedef struct initial_law {
    int k, kstar;
    double chol_rho[MATRIX_MAX * MATRIX_MAX]; /* L [k*][k*], lower triangular (zeros above), positive diagonal */
    double a[MATRIX_MAX * MATRIX_MAX];        /* A [k][k*] */
    double b[MATRIX_MAX * MATRIX_MAX];        /* B [k][k], lower triangular (zeros above), diagonal >= 0; singular where
                                                 theta0 is a function of theta* (theta0 = 0 among others) */
} initial_law;

/* SGDMFT_ERR_RANGE if the moments of the problem are not those of a law. */
sgdmft_status initial_law_init(sgdmft_context *ctx, const sgdmft_problem *problem, initial_law *out);

#endif
