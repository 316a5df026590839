/* The balance of variance. In a cell that is not short compared with the decay of R, the field varies more at its end
   than the mean of dU over the cell, one vector for each cell, can make it: by x^2 / 12 of what the cell contributes,
   with the x of fitting.h. Where visits keep theta in noise, this is the largest of all errors of the scheme. But how
   much C(t, t) grows over a cell is known from (9),

     dC(t,t)/dt = - 2 lambda C - delta (E_A[eta g r^T] + transpose) + delta E_A[eta^2 g g^T],

   whose right-hand side varies slowly. So the newest coefficient V_{i+1,i} is chosen such that C(t_{i+1}, t_{i+1}) is
   what the trapezoid rule makes of (9). In a stationary state the rule is exact, however long the steps are. */
#ifndef SGDMFT_KERNELS_BALANCE_H
#define SGDMFT_KERNELS_BALANCE_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

/* Changes V_{i+1,i} after the rest of row i + 1 of V, and R, F there, from the averages just after node i and just
   before node i + 1. The newest coefficient keeps a quarter of its variance at least. Non-zero if a number is not
   finite. */
int balance_newest(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

#endif
