/* The response from Gaussian integration by parts (Stein's lemma). It needs no derivatives along paths, so it is also
   right where the gradient jumps and G has delta functions that no path sees.

   The innovation of cell c, dU_c = sum_{j<=c} L_cj xi_j, shifts the field at later times t by - sqrt(delta) R(t, s)
   dU_c, averaged over s in the cell. With Qm_ic the mean over s in cell c of Q(t_i, s) = E_A[G(t_i) J(t_i, s)],
   therefore,

     E_A[g(t_i) xi_j^T] = - sqrt(delta) sum_{j <= c < i} Qm_ic L_cj          -> Qm, from the last cell backwards
     E_A[g(t_i) (w(0) - A w*)^T] = Q(t_i, 0) P,    A = m(0) rho^{-1},  P = q(0) - m(0) rho^{-1} m(0)^T
     R_{i+1,j} = R_ij + h/2 (f_ij + f_{i+1,j}),  f = - lambda R - delta eta Q,  R_jj = 1

   Qm has independent noise in each cell, of variance 1 / (paths delta E|dU_c|^2), while Q is smooth in s. So a local
   polynomial through the cells around t_j gives Q(t_i, t_j), at the ends as well. Unless the gradient jumps, Q(t_i,
   t_i) = E_A[G] is known in addition.

   If a path that is visited at t_i cannot have been visited since node h = history(i), then no visit lies between a
   kick at s > t_h and t_i, and Q(t_i, s) = E_A[G] R(t_i, s) exactly. These s need no correlations, and Q at the end t_h
   of the others is known. */
#ifndef SGDMFT_KERNELS_RESPONSE_STEIN_H
#define SGDMFT_KERNELS_RESPONSE_STEIN_H

#include "kernels/response.h"

extern const response_estimator response_stein;

/* mean[c], the mean effect of a kick in cell c on a quantity X that depends on the innovations, for c < known, from
   rows[c] = E[X xi_c^T], c < cells, which are `stride` doubles apart. mean[c] is given for known <= c < cells. */
void response_cell_means(const kernels *kern, int known, int cells, const double *rows, size_t stride, double *mean);

/* Entries 0 .. cells of row `node` of `planes`, which are laid out like Q, by local polynomials through the means over
   the first `cells` cells and, unless it is NULL, the value end[k][k] at t_cells. */
void response_smooth_row(kernels *kern, int node, int cells, const double *mean, const double *end, double *planes);

#endif
