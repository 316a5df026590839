/* The response of the cells from two kinds of averages. Derivatives along paths give X_il = E[x_l], x_l = d S_i / d
   w_l, directly. Where the loss is not convex, paths come near thresholds, at which they jump from one minimum of
   their own to another; their derivatives are then huge on few paths, and a mean over paths is far from E. Stein's
   lemma knows the same X from averages without such tails: with the coefficients M_lj of the standard normals xi_j of
   the field in the middle of cell l (those of its start among them),

     E[S_i xi_j] = sum_{l <= i} X_il M_lj.

   This alone would be ill-conditioned, as fields at neighbouring times are nearly equal. Both have errors of the order
   of 1/sqrt(paths). So X is moved by the D that makes

     sum_l D_l^2 / Var(x_l) + sum_j (E[S_i xi_j] - sum_l (X_il + D_l) M_lj)^2 / Var(S_i)

   smallest. Where derivatives have no tails, D is of the order of the noise of X or smaller. */
#ifndef SGDMFT_KERNELS_RESPONSE_JOINT_H
#define SGDMFT_KERNELS_RESPONSE_JOINT_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

/* Doubles of scratch memory, kern->joint. */
size_t response_joint_work(int k, int steps);

/* Replaces RESPONSE_CELL of the averages at node i + 1. The kernels are those with which paths were moved. */
void response_joint(kernels *kern, int i, const averages_layout *at, double *averages);

#endif
