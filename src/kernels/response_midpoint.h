/* R and m of the exact DMFT of an implicit rule, which is the midpoint rule for p = 1/2. The rule for theta is, with
   the preactivations x theta at the event of cell i, at the place p = p_i (time_grid.event),

     theta_{i+1} = theta_i - lambda h theta_p - sum over samples of x S_i,   theta_p = (1 - p) theta_i + p theta_{i+1},
     S_i = eta h g(x theta_p).

   In the limit, a path is again r = w - sum of responses to its kicks. With R between the events of two cells written
   as Rb, and with A, the response of the position at an event to a kick there,

     r_i + A S_i = (1 - p) w_i + p w_{i+1} - sum_{l<i} Rb_il S_l,   A = p (p R_{i+1,i} + 1 - p),
     X_il = E[d S_i / d w_l],   D_i = d S_i / d (r_i + A S_i) = eta h G (1 + A eta h G)^{-1},

   (src/process/midpoint.h), and the kernels follow without an error of their own. A kick in cell l acts like a kick
   p_l at its beginning and 1 - p_l at its end. With al = 1 + p (lambda h + delta X_ii), and R(., t_j) at the event of
   cell l, Rb_lj = (1 - p_l) R_lj + p_l R_{l+1,j},

     R_{i+1,j} = al^{-1} [(1 - (1 - p) (al - 1)/p) R_ij - delta sum_{l<i} X_il Rb_lj],
     m_{i+1}   = al^{-1} [(1 - (1 - p) lambda h) m_i - (delta E[S_i w*^T] - p delta X_ii m_{i+1})],

   where the last bracket is the force in the pass before, minus the part of it by which the cell responds to m_{i+1}
   itself (response_midpoint_force).

   So C is the correlation of a real dynamics at any step, with the stability of the rule: for a convex loss there is no
   step at which it diverges. With p = 1/2 the rule is symmetric, and its error has even powers of h only. */
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
