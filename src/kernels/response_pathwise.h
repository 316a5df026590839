/* The response from derivatives along paths, by the kernel form (10) of (4). At the nodes

     R_{i+1,j} = R_ij + h/2 (f_ij + f_{i+1,j}),   f = - lambda R - delta eta Q,   R_jj = 1
     Q_ij      = gamma_i R_ij + sum_{j <= c < i} (left_ic R_cj + right_ic R_{c+1,j})

   where the sum over cells is the sum over events, multiplied by the linear interpolation of R(., t_j). A kick at t_j
   does not act on the cell before it, so of the first cell only the half of a hat function counts. Terms with R_{i+1,j}
   are solved for, in a k x k system that all j share. */
#ifndef SGDMFT_KERNELS_RESPONSE_PATHWISE_H
#define SGDMFT_KERNELS_RESPONSE_PATHWISE_H

#include "kernels/response.h"

extern const response_estimator response_pathwise;

#endif
