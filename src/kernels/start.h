/* What is known of theta(0) and the teacher: theta(t) = R0 theta(0) + F theta* + noise, with R0 = R(t, 0) and the
   second moments q0, m0, rho of theta(0) and theta*. A = m0 rho^{-1} is the regression of theta(0) on theta*. */
#ifndef SGDMFT_KERNELS_START_H
#define SGDMFT_KERNELS_START_H

/* P = q0 - m0 rho^{-1} m0^T [k][k], Cov(theta(0) | theta*). */
void start_covariance(int k, int kstar, const double *q0, const double *m0, const double *rho_inverse, double *P);

/* E_A[g (w(0) - A w*)^T] [k][k] from mu = E_A[g w*^T] and gw0 = E_A[g w(0)^T]. */
void start_correlation(int k, int kstar, const double *m0, const double *rho_inverse, const double *mu,
                       const double *gw0, double *out);

/* F = (m - R0 m0) rho^{-1} [k][k*]. */
void start_teacher(int k, int kstar, const double *m, const double *R0, const double *m0, const double *rho_inverse,
                   double *F);

/* Second moments of theta(0) and theta*, [k][k], [k][k*], [k*][k*]. */
typedef struct start_moments {
    int k, kstar;
    const double *q0, *m0, *rho;
} start_moments;

/* Adds to out[k][k] the part of E[theta(t) theta(s)^T] that comes from theta(0) and theta*, by (7), from the
   coefficients at both times. */
void start_add_correlation(const start_moments *of, const double *R_t, const double *F_t, const double *R_s,
                           const double *F_s, double *out);

#endif
