/* The innovations dU: one Gaussian vector for each cell. With S_j the sum of the kicks eta g of cell j, a process with
   white noise has by (6) and the step rule in the later of the two times

     E[dU_i dU_j^T] = h/2 (eta E_A[g S_j^T] at both ends of cell i),  j < i
     E[dU_i dU_i^T] = h/2 (eta^2 E_A[g g^T] at both ends) + h/2 (eta E_A[g_{i+1} S_i^T] + transpose).

   A smooth process has dU_i = S_i itself, E[dU_i dU_j^T] = E[S_i S_j^T]. As smooth paths make this matrix nearly
   singular, it matters that it is positive semi-definite, which it is as a matrix of averages over the same paths.

   The factor L is computed row by row. Its diagonal block is the root of the positive part of the remainder, so L L^T
   is a covariance whatever the sampling noise. */
#ifndef SGDMFT_KERNELS_INNOVATIONS_H
#define SGDMFT_KERNELS_INNOVATIONS_H

#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "kernels/step_rule.h"

/* Row i of L and the bridge of cell i, from averages just after node i (`now`) and just before node i + 1 (`next`).
   Returns the largest change relative to its scale, or NaN. */
double innovations_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

#endif
