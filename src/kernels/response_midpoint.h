/* R and m of the exact DMFT of the implicit midpoint rule. The rule for theta is, with the preactivations x theta in
   the middle of cell i,

     theta_{i+1} = theta_i - lambda h theta_mid - sum over samples of x S_i,   theta_mid = (theta_i + theta_{i+1}) / 2,
     S_i = eta h g(x theta_mid).

   In the limit, a path is again r = w - sum of responses to its kicks. With R between the middles of two cells written
   as Rb, and with A, the response of the middle of a cell to a kick there,

     r_i + A S_i = (w_i + w_{i+1})/2 - sum_{l<i} Rb_il S_l,   A = (R_{i+1,i} + 1)/4,     (src/process/midpoint.h)
     X_il = E[d S_i / d w_l],   D_i = d S_i / d (r_i + A S_i) = eta h G (1 + A eta h G)^{-1},

   and the kernels follow without an error of their own. With al = 1 + lambda h/2 + delta X_ii/2, and the mean of R(.,
   t_j) over cell l, Rb_lj = (R_lj + R_{l+1,j})/2,

     R_{i+1,j} = al^{-1} [(2 - al) R_ij - delta sum_{l<i} X_il Rb_lj],
     m_{i+1}  += al^{-1} [(1 - lambda h/2) m_i - delta E[S_i w*^T] - (1 + lambda h/2) m_{i+1}],

   where the second line is one step of an iteration: E[S_i w*^T] depends on m_{i+1} by about delta X_ii/2.

   So C is the correlation of a real dynamics at any step, with the stability of the rule: for a convex loss there is no
   step at which it diverges. The rule is symmetric, and its error has even powers of h only. */
#ifndef SGDMFT_KERNELS_RESPONSE_MIDPOINT_H
#define SGDMFT_KERNELS_RESPONSE_MIDPOINT_H

#include "kernels/response.h"

extern const response_estimator response_midpoint;

/* Replaces E[g w*^T] at node i + 1 by the part of the force on m that the own response of the cell does not explain,

     delta E[S_i w*^T] - p_i delta X_ii m_{i+1},

   with X_ii in `used` and m of the pass that gave the averages `next`. */
void response_midpoint_force(const kernels *kern, int i, const averages_layout *at, const double *used, double *next);

/* The same in a prediction of the averages at node i + 1, such that m_{i+1} = m_i. */
void response_midpoint_guess(const kernels *kern, int i, const averages_layout *at, double *next);

/* A [k][k] of cell i. */
void response_midpoint_own(const kernels *kern, int i, double *own);

#endif
