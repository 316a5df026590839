/* Responses in discrete time by Stein's lemma. With mean_c = Q(t_i, t_{c+1}), the effect on g_i of a kick in step c,

     E_i[g xi_c^T] = - sqrt(delta) sum_{c <= d < i} mean_d L_dc

   without any error of the step. Where the gradient is smooth, kicks since the sample's last possible visit are known:
   Q(t_i, t_j) = E_i[G] R(t_i, t_j). */
#ifndef SGDMFT_KERNELS_RESPONSE_RECURSION_H
#define SGDMFT_KERNELS_RESPONSE_RECURSION_H

#include "kernels/response.h"

extern const response_estimator response_recursion;

#endif
