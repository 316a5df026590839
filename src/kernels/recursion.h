/* The recursion of discrete time: batches that are a fraction of the data, with a step of length h = b. A sample of batch
   i is kicked by - eta g(r_i), which is in theta from node i + 1 on. With E_i the average given that a sample is in batch
   i, with R(t_i, t_j) the response of theta at node i to a kick that is in it from node j on, and with Q(t_i, t_j) =
   E_i[G_i J(t_i, t_j)],

     R_{i+1,j} = (1 - lambda h) R_ij + beta (R_ij - R_{i-1,j}) - delta eta h Q_ij,   R_jj = 1,  R_ij = 0 for i < j
     m_{i+1}   = (1 - lambda h) m_i + beta (m_i - m_{i-1}) - delta eta h E_i[g w*^T]
     E[dU_i dU_j^T] = eta h E_i[g kick_j^T],   E[dU_i dU_i^T] = eta^2 h E_i[g g^T]
     w_i = R_i0 w(0) + F_i w* - sqrt(delta) sum_{j<i} R_{i,j+1} dU_j
     r_i = w_i - sum_{j<i} R_{i,j+1} kick_j.

   All of row i + 1 follows from averages at node i, so that there are no passes and no error of the step. Column 0 is the
   response to theta(0), whose velocity is 0; no kick is in theta from node 0 on. */
#ifndef SGDMFT_KERNELS_RECURSION_H
#define SGDMFT_KERNELS_RECURSION_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

/* Row i of L, and R, m, F and V at node i + 1, from the averages at node i and Q there. Returns the largest change of
   a row that has been made before, or NaN if a number is not finite. */
double recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now);

#endif
