/* The recursion of discrete time: batches that are a fraction of the data, with a step of length h = b; and as h goes to
   0, momentum with sub-linear batches, and samples in an order that is kept. A sample of batch i is kicked by
   - eta g(r_i), which is in theta from node i + 1 on. The filter is that of the heavy ball,

     x_{i+1} = x_i + beta (x_i - x_{i-1}) - gain (lambda h x_i + h f_i),   x_{-1} = x_0,

   with gain = 1; momentum of the rate gamma has beta = exp(- gamma h) and gain = 1 - beta. With E_i the average given
   that a sample is in batch i, with R(t_i, t_j) the response of theta at node i to a kick that is in it from node j on,
   and with Q(t_i, t_j) = E_i[G_i J(t_i, t_j)],

     R_{i+1,j} follows from h f = delta eta h Q_ij,   R_jj = gain,  R_ij = 0 for i < j
     m_{i+1}   follows from h f = delta eta h E_i[g w*^T]
     E[dU_i dU_j^T] = eta h E_i[g kick_j^T],   E[dU_i dU_i^T] = eta^2 h E_i[g g^T]
     w_i = R_i0 w(0) + F_i w* - sqrt(delta) sum_{j<i} R_{i,j+1} dU_j
     r_i = w_i - sum_{j<i} R_{i,j+1} kick_j.

   All of row i + 1 follows from averages at node i, so that there are no passes. Column 0 is the response to theta(0),
   whose velocity is 0, and R_00 = 1: no kick is in theta from node 0 on. Where visits come at any time, as those of a
   Poisson process, a path is kicked by eta g(r_i) for each visit in the cell after node i; then E_i[g g^T] contains the
   factor (mean square)/(mean) of their number. */
#ifndef SGDMFT_KERNELS_RECURSION_H
#define SGDMFT_KERNELS_RECURSION_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

/* The filter with steps of length h: with a ridge, and with momentum of the rate gamma, or else beta; 0 for none. */
filter recursion_filter(double lambda, double gamma, double beta, double h);

/* Row i of L, and R, m, F and V at node i + 1, from the averages at node i and Q there. Returns the largest change of
   a row that has been made before, or NaN if a number is not finite. */
double recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now);

#endif
