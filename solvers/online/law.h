/* Averages over the law of a fresh sample: pre-activations (w, w*) Gaussian with covariance [[q, m], [m^T, rho]], label
   y = label(w*, eps). In terms of independent standard normal vectors z*, eps, z,

     w* = L z*,   w = A w* + B z,   L L^T = rho,   A = m rho^{-1},   B B^T = S = q - m rho^{-1} m^T

   with symmetric roots L and B, so that the points (z*, eps, z) and with them w* and y stay the same all along a
   trajectory, and averages are as smooth in q and m as the gradient is in w. */
#ifndef SGDMFT_SOLVERS_ONLINE_LAW_H
#define SGDMFT_SOLVERS_ONLINE_LAW_H

#include "numerics/gauss.h"
#include "solvers/online/setting.h"

typedef struct online_law online_law;

/* A point of the curve (m, q): A and B as above. */
typedef struct online_state {
    double t;
    double A[MATRIX_MAX * MATRIX_MAX]; /* [k][k*] */
    double S[MATRIX_MAX * MATRIX_MAX]; /* [k][k] */
    double B[MATRIX_MAX * MATRIX_MAX]; /* [k][k] */
    double lowest;                   /* smallest eigenvalue of S */
} online_state;

/* Averages with the gradient g and the Hessian G of the loss. */
typedef struct online_moments {
    double gz[MATRIX_MAX * MATRIX_MAX]; /* [k][k]  E[g z^T] */
    double gs[MATRIX_MAX * MATRIX_MAX]; /* [k][k*] E[g w*^T] */
    double gg[MATRIX_MAX * MATRIX_MAX]; /* [k][k]  E[g g^T] */
    double G[MATRIX_MAX * MATRIX_MAX];  /* [k][k]  E[G], 0 if not asked for */
} online_moments;

/* Takes over the points, also when it fails. `threads` share the work of one average; results do not depend on them. */
sgdmft_status online_law_new(sgdmft_context *ctx, const online_setting *s, gauss_points *points, int threads,
                             online_law **out);
void online_law_free(online_law *law);
size_t online_law_points(const online_law *law);
double online_law_bytes(model_shape shape, size_t points);

/* m[k][k*], q[k][k]. Returns 0, or -1 if they are not finite. */
int online_state_set(const online_setting *s, double t, const double *m, const double *q, online_state *out);

/* Return 0, or the code by which a plug-in asked to stop. */
int online_law_moments(online_law *law, const online_state *at, int with_hessian, online_moments *out);
/* (*out)[0] = average loss, (*out)[1 + i] that of observable i; owned by the law, valid until the next call. */
int online_law_observe(online_law *law, const online_state *at, const double **out);

#endif
