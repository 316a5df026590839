/* The linear model a third time, by neither of the routes of the library and of support/linear_exact: ordinary
   differential equations for the second moments of every mode, integrated by GSL, on a spectrum from Gauss-Legendre
   panels.

   For an eigenvalue x of X^T X let M = E theta theta*, B = E theta xi (xi = the noise along the mode, variance x noise)
   and Q = E theta^2 along it. With a = eta x + lambda,

     M' = -a M + eta x rho,   B' = -a B + eta x noise,   Q' = -2 a Q + 2 eta x M + 2 eta B + [visits] eta^2 x P,
     P = (1/delta) int (x (Q - 2 M + rho) - 2 B) dmu + noise. */
#ifndef SGDMFT_TESTS_LINEAR_LINEAR_ODE_H
#define SGDMFT_TESTS_LINEAR_LINEAR_ODE_H

enum { ODE_POINTS = 600 };

typedef struct ode_spectrum {
    int n;
    double x[ODE_POINTS], weight[ODE_POINTS];
} ode_spectrum;

ode_spectrum ode_spectrum_of(double delta);

typedef struct ode_problem {
    double delta, eta, lambda, q, m, rho, noise;
    int visits;
} ode_problem;

/* What the curves of one time need. */
typedef struct ode_values {
    double train, test, q, m, R; /* train and test: half of the mean squared error */
    double C;                    /* C(t, s) for the s of ode_solve */
} ode_values;

/* Fills out[count] at ascending times t[count]. C(t, s) is with s = t[earlier], for t >= s; 0 before. */
void ode_solve(const ode_problem *p, int count, const double *t, int earlier, ode_values *out);

#endif
