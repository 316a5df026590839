/* The response with a penalty other than a ridge, where theta is the nonlinear process (11),

     d theta = - penalty'(theta) dt - delta eta X dt - sqrt(delta) dU,
     dR/dt(t, s) = - E[penalty''(theta(t)) d theta(t) / d kick(s)] - delta eta Q(t, s),

   with the mean gradient X of coordinates/block.h. With penalty' = ridge theta + rest, where the ridge depends on time,
   the first term of dR/dt is - ridge R - P. Stein's lemma gives P as it gives Q in response_stein.h, from
   E[rest(theta(t_i)) xi_j^T] with the normals xi_j that drive theta. Q is the effect on the gradient of a shift of its
   field by R(., s). The gradient is correlated with the normals of the field, whose columns V_{., j} are other shifts,
   so R(., s) is expanded in them:

     R(t_i, s) averaged over s in cell c = sum_{c <= j < i} V_ij kick_jc
     Qm_ic = sum_{c <= j < i} E_A[g(t_i) xi_j^T] kick_jc

   and R(., 0) is expanded in onto_start, the regression on the start, and these columns. */
#ifndef SGDMFT_KERNELS_RESPONSE_SAMPLED_H
#define SGDMFT_KERNELS_RESPONSE_SAMPLED_H

#include "kernels/response.h"

/* As response_estimator.advance, given V and F of node i + 1 and rests[c] = E[rest(theta(t_{i+1})) xi_c^T], c <= i. */
double response_sampled_advance(kernels *kern, int i, const averages_layout *at, const double *next,
                                const double *rests);

/* As response_estimator.renew, for i > 0. */
void response_sampled_renew(kernels *kern, int i, const averages_layout *at, const double *after);

#endif
