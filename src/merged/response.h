/* The response of a merged history by Stein's lemma. A kick changes the mean gradient as a shift of the field does, so
   with the moments U of all innovations, and u the part of w(0) that does not come from the teacher, of covariance P,

     E_A[g U^T] = - sqrt(delta) Q S,   E_A[g u^T] = Q(t, 0) P.

   Q(t, s) is continuous in s, and is sought as a function that is linear on every cell: Q_f = sum_j q_j T_jf with its
   values q_j at the ends of cells. The q that explain the correlations best, which have the covariance of independent
   samples, solve

     q (delta T S T^T + e_0 P e_0^T) = - sqrt(delta) E_A[g U^T] T^T + E_A[g u^T] e_0^T.

   There are half as many unknowns as moments. Where the gradient is smooth, the last value is known, Q(t, t) = E_A[G].
   For a process with epochs, Q(t, s) = E_A[G] R(t, s) is known for all s in the epoch of t.

   Then R and m move by (3) and (4) with the step rule: dR/dt = - lambda R - delta eta Q for the coefficients of every
   cell, for every mark, and for R(t_{i+1}, t_i); in the newest cell R(t_{i+1}, .) is the line from there to 1. */
#ifndef SGDMFT_MERGED_RESPONSE_H
#define SGDMFT_MERGED_RESPONSE_H

#include "merged/kernels.h"

void response_merged_start(merged_kernels *kern, const averages_layout *at, const double *first);

/* R, Q, m and F at node i + 1. The rows of S of the newest cell must be set. Returns the largest change relative to its
   scale, or NaN. */
double response_merged(merged_kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* Q once more at node i, from the averages just after it. */
void response_merged_renew(merged_kernels *kern, const averages_layout *at, const double *after);

#endif
