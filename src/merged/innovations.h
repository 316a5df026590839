/* The innovation of the newest cell of a merged history. By (6), with U_f and K_f the moments of innovations and kicks
   of older cells,

     E[dU(t) U_f^T] = eta E_A[g(t) K_f^T] dt,

   so the part of dU(t) that older innovations predict is eta y(t) U, y(t) = E_A[g(t) K^T] M^{-1}. With y linear over
   the cell, of width h, the moments of the newest cell are

     U_new = b U_old + root xi,   b_0 = h/2 (eta_i y_i + eta_{i+1} y_{i+1}),
                                  b_1 = h / (2 sqrt 3) (eta_{i+1} y_{i+1} - eta_i y_i),

   with 2 k normals xi, and `root root^T` is what is missing in b S b^T to the covariance

     (a, b): h times the mean over the cell of phi_a phi_b eta^2 E_A[g g^T], linear in t,
     plus (0, 0): h/2 eta_{i+1} (E_A[g_{i+1} K_new^T] + transpose).

   M = S would be exact. But S comes from averages of products at different times, and what noise does to its smallest
   eigenvalues, which are of the order of a tenth of the others at late times, the inverse amplifies until the march
   breaks down. The covariance E[K K^T] of the kicks, whose law it is, has no small eigenvalues by mistake. So a part of
   it is mixed in, M = (1 - STIFFNESS) E[K K^T] + STIFFNESS S, which moves both towards each other. S itself stays the
   exact covariance of the U that were drawn: E[U_new U_old^T] = b S. */
#ifndef SGDMFT_MERGED_INNOVATIONS_H
#define SGDMFT_MERGED_INNOVATIONS_H

#include "merged/kernels.h"

/* Sets b, root, bridge and the rows of S of the newest cell. Returns the largest change relative to its scale, or
   NaN. */
double innovations_merged(merged_kernels *kern, int i, const averages_layout *at, const double *now,
                          const double *next);

/* The factor of M and y at node i, which do not change during the passes of a step. Non-zero if M is not positive
   definite. */
int innovations_prepare(merged_kernels *kern, const averages_layout *at, const double *now);

#endif
