/* Averages over the law of a fresh sample, and the coefficients of the equations of motion that they give.

   The fields (w, w*) of a sample that is seen once are Gaussian with covariance [[q, m], [m^T, rho]], and its label is
   y = label(w*, eps). In terms of independent standard normal vectors z*, eps, z,

     w* = L z*,   w = A w* + B z,   L L^T = rho,   A = m rho^{-1},   B B^T = S = q - m rho^{-1} m^T,

   where L and B are symmetric, so that rules keep the symmetries between directions. The points (z*, eps, z) stay the
   same along the whole curve (m, q), and with them w* and y, so that averages are as smooth in q and m as the gradient
   is in w.

   Gamma and Gamma*, the mean derivatives of g in w and w*, follow from Stein's identity E[g (w, w*)^T] = (Gamma,
   Gamma*) Cov(w, w*), which in these variables reads

     E[g z^T] = Gamma B,     E[g w*^T] = Gamma m + Gamma* rho.

   Where the expressions of the model are sums of products, averages are taken term by term instead, without points,
   and E[g w^T] and E[G] are averages of their own.

   The second equation gives Gamma* without a derivative of the label. Gamma is E[G] where g is continuous, and the
   first equation is then a check. Where g jumps in r, E[G] lacks the jumps and Gamma comes from the first equation. */
#ifndef SGDMFT_SOLVERS_ONLINE_LAW_H
#define SGDMFT_SOLVERS_ONLINE_LAW_H

#include "solvers/online/plan.h"
#include "solvers/online/points.h"

typedef struct online_law online_law;

/* A point of the curve (m, q). */
typedef struct online_state {
    double t;
    field_moments moments;  /* q, m, rho */
    field_regression field; /* A, S, B as onto_signal, rest, root; B is smooth in q and m down to S = 0 */
} online_state;

/* Averages with the gradient g and the Hessian G of the loss. */
typedef struct online_averages {
    double gz[MATRIX_MAX * MATRIX_MAX]; /* [k][k]  E[g z^T] */
    double gs[MATRIX_MAX * MATRIX_MAX]; /* [k][k*] E[g w*^T] */
    double gg[MATRIX_MAX * MATRIX_MAX]; /* [k][k]  E[g g^T] */
    double G[MATRIX_MAX * MATRIX_MAX];  /* [k][k]  E[G], 0 if not asked for */
} online_averages;

/* Coefficients of the equations of motion (solvers/online/moments.h, solvers/online/coordinates.h). */
typedef struct online_rates {
    double gs[MATRIX_MAX * MATRIX_MAX];         /* [k][k*] E[g w*^T] */
    double gw[MATRIX_MAX * MATRIX_MAX];         /* [k][k]  E[g w^T] */
    double gg[MATRIX_MAX * MATRIX_MAX];         /* [k][k]  E[g g^T] */
    double gamma[MATRIX_MAX * MATRIX_MAX];      /* [k][k]  Gamma */
    double gamma_star[MATRIX_MAX * MATRIX_MAX]; /* [k][k*] Gamma* */
} online_rates;

/* A law with the given points, which it takes over, also when it fails. `threads` share the work of one average;
   results do not depend on their number. */
sgdmft_status online_law_new(sgdmft_context *ctx, const online_plan *plan, online_points *points, int threads,
                             online_law **out);

/* A law without points: averages are sums of products (solvers/online/factor_rule.h), with `order` nodes in each
   direction. The factors of the plan must be usable. Averages of the loss and of observables that are no such sums are
   NaN. */
sgdmft_status online_law_of_factors(sgdmft_context *ctx, const online_plan *plan, int order, int threads,
                                    online_law **out);

/* A law with n randomised points of a replica; fewer points of the same replica are the first of more. */
sgdmft_status online_law_of_replica(sgdmft_context *ctx, const online_plan *plan, int replica, size_t n, int threads,
                                    online_law **out);
void online_law_free(online_law *law);
size_t online_law_points(const online_law *law);
double online_law_bytes(model_shape shape, size_t points);

/* In what follows m is [k][k*] and q [k][k]. Functions with averages return 0, or the non-zero code by which a plug-in
   asked to stop. */

/* Returns 0, or -1 if m or q is not finite. */
int online_state_set(const online_plan *plan, double t, const double *m, const double *q, online_state *out);

/* For a law with points. */
int online_law_averages(online_law *law, const online_state *at, int with_hessian, online_averages *out);

/* (*out)[0] = average loss, (*out)[1 + i] that of observable i; owned by the law, valid until the next call. */
int online_law_observe(online_law *law, const online_state *at, const double **out);

/* The same at (m, q), written to the columns of losses and observables of row[columns]: to all of them, or, unless
   NULL, to those marked in some[columns]. The row stays as it is if m or q is not finite. */
int online_law_fill_row(online_law *law, double t, const double *m, const double *q, const char *some, double *row);

/* Returns 0; 1 if m or q is not finite; -1, with the code in *plugin, if a plug-in asked to stop. */
int online_law_rates(online_law *law, double t, const double *m, const double *q, online_rates *out, int *plugin);

/* defect[k][k] = E[g z^T] B - E[G] S, zero by Stein's lemma, and scale[k][k], the size of the two terms; both 0 if g
   jumps. */
int online_law_stein_defect(online_law *law, double t, const double *m, const double *q, double *defect, double *scale);

/* Fails with SGDMFT_ERR_PLUGIN if `code` is not zero. */
sgdmft_status online_plugin_status(sgdmft_context *ctx, const online_plan *plan, int code);

#endif
