/* The Gaussian law of the coordinates (theta0, theta*) at t = 0, in the form in which it is sampled:

       theta* = L z*,    theta0 = A theta* + B z,    z*, z independent standard normal vectors,

   with rho = L L^T, A = m rho^{-1}, B B^T = q - m rho^{-1} m^T. The pre-activations (w0, w*) have the same law. */
#ifndef SGDMFT_MODEL_INITIAL_H
#define SGDMFT_MODEL_INITIAL_H

#include "core/context.h"
#include "sgdmft/problem.h"

typedef struct initial_law {
    int k, kstar;
    double *chol_rho; /* L [k*][k*], lower triangular (zeros above), positive diagonal */
    double *a;        /* A [k][k*] */
    double *b;        /* B [k][k], lower triangular (zeros above), diagonal >= 0; singular where theta0 is a function
                         of theta* (theta0 = 0 among others) */
} initial_law;

/* Fills *out, which initial_law_free empties again, on failure too. */
sgdmft_status initial_law_init(sgdmft_context *ctx, const sgdmft_problem *problem, initial_law *out);
void initial_law_free(initial_law *law);

#endif
