/* Elementary Gaussian averages. For x ~ N(0, C) and D = diag(2 rate) over the variables G of an exponential,

     E[exp(- sum_G rate x^2) h(x)] = det(1 + D C_GG)^{-1/2} E'[h(x)],   x ~ N(0, C') under E',
     C' = C - C_{.G} (D^{-1} + C_GG)^{-1} C_{G.}

   and for centred Gaussian x, y of covariance C'

     E' erf(a x) erf(b y) = (2/pi) arcsin(2 a b C'_xy / sqrt((1 + 2 a^2 C'_xx) (1 + 2 b^2 C'_yy)))
     E' x erf(b y)        = (2/sqrt(pi)) b C'_xy / sqrt(1 + 2 b^2 C'_yy).

   Averages of committees of erf units (Saad & Solla 1995) are sums of these. */
#ifndef SGDMFT_SOLVERS_ONLINE_TILTED_H
#define SGDMFT_SOLVERS_ONLINE_TILTED_H

#include "solvers/online/factors.h"

/* Adds the terms of the group to out[target], given the covariance cov[n][n] of all variables, n <= FACTOR_VARIABLES.
   NaN if the covariance is not positive semi-definite by far. */
void tilted_add(const closed_group *group, int n, const double *cov, double *out);

#endif
