/* Exact solution of the linear model, theory section 3: label s + sigma e, loss (r - y)^2/2, k = k* = 1, SGD. An
   independent route to what the solver computes: no paths, no two-time grids.

   Everything is an integral over the Marchenko-Pastur law mu of X^T X. The integral is a sum over Gauss-Chebyshev
   points, which take the square roots at both edges and converge geometrically, and an atom 1 - delta at 0. For each
   point x, with a = eta x + lambda and P = 2 train loss,

     E = exp(-int a),   f' = -a f + eta x,   Y' = -2 a Y + eta^2 P,     f(0) = Y(0) = 0

   and the Volterra equation for P(t) closes the Y: P(t) = source(t) + (1/delta) sum_x weight x^2 Y. Fourth-order
   Runge-Kutta in small steps. */
#ifndef SGDMFT_TESTS_SUPPORT_LINEAR_EXACT_H
#define SGDMFT_TESTS_SUPPORT_LINEAR_EXACT_H

/* eta(t) = eta / (1 + decay t), times after / eta from t = switch_at on if switch_at > 0. */
typedef struct linear_problem {
    double delta, lambda, q0, m0, rho, sigma;
    double eta, decay, switch_at, after;
} linear_problem;

typedef struct linear_exact linear_exact;

/* Tabulates [0, horizon] in steps of at most `step`. NULL if memory runs out. */
linear_exact *linear_exact_new(const linear_problem *p, double horizon, double step);
void linear_exact_free(linear_exact *e);

/* sum over the spectral law of x^power */
double linear_exact_moment(const linear_exact *e, int power);

double linear_exact_train(const linear_exact *e, double t);
double linear_exact_test(const linear_exact *e, double t);
double linear_exact_q(const linear_exact *e, double t);
double linear_exact_m(const linear_exact *e, double t);
double linear_exact_R(const linear_exact *e, double t, double s); /* s <= t */
double linear_exact_C(const linear_exact *e, double t, double s);

#endif
