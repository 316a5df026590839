/* Responses of coordinates whose field has no white noise (gradient flow), from derivatives along each path. With
   D_ij = d theta(t_i) / d kick(t_j), the response is the mean R_ij = E D_ij, and the trapezoid rule of block.h gives

     D_{i+1,j} = D_ij - h/2 (F_ij + F_{i+1,j}),   D_jj = 1,
     F_ij      = penalty''(theta(t_i)) D_ij + delta eta_i Y_ij.

   Y_ij is the change of the mean gradient X_i. X_i is linear in the path of theta,

     X_i  = drift_teacher_i theta* + gamma_i theta_i + sum_{c<i} (left_ic theta_c + right_ic theta_{c+1}),
     Y_ij = gamma_i D_ij + sum_{j<=c<i} (left_ic D_cj + right_ic D_{c+1,j}),

   and in discrete time, with D_{i+1,i+1} = gain and the filter of kernels/recursion.h,

     D_{i+1,j} = D_ij + beta (D_ij - D_{i-1,j}) - gain h F_ij.

   Here gamma_i = E[G], left and right as in kernels/response_pathwise.c, and drift_teacher such that
   E[X theta*^T] = E[g w*^T]. */
#ifndef SGDMFT_COORDINATES_FLOW_H
#define SGDMFT_COORDINATES_FLOW_H

#include "coordinates/block.h"

typedef struct flow_block {
    int k;
    double *D;                          /* [(N+1)(N+2)/2][k][k][n], D_ij at number i (i + 1) / 2 + j */
    double *Y, *Y_next;                 /* [N+1][k][k][n] at the last accepted node, and at the new one */
    double *curvature, *curvature_next; /* [k][k][n] penalty'' there */
    double *one, *solve, *work;         /* [k][k][n] */
} flow_block;

/* On failure, too, *out is to be cleared. */
sgdmft_status flow_block_new(sgdmft_context *ctx, int k, int steps, size_t n, flow_block *out);
void flow_block_clear(flow_block *flow);
double flow_block_bytes(int k, int steps, double paths);

/* The averages over samples at the new node that a step needs besides coordinate_step, as blocks that multiply D_cj. */
typedef struct flow_step {
    double *row;   /* [cell + 1][k][k] left_c + right_{c-1} */
    double *half;  /* [cell + 1][k][k] right_{j-1}, 0 for j = 0: a kick at t_j does not act on the cell before it */
    double *gamma; /* [k][k] */
} flow_step;

/* Node 0, with gamma there. */
void flow_block_start(flow_block *flow, const coordinate_block *block, const double *gamma, const penalty *pen,
                      double *work);

/* D at the end of the step, from theta_next of the block; adds the sums over coordinates of D_{cell+1,j}, j <= cell, to
   sums[cell + 1][k][k]. */
void flow_block_advance(flow_block *flow, const coordinate_block *block, const coordinate_step *step,
                        const flow_step *rows, const penalty *pen, double *work, double *sums);
void flow_block_accept(flow_block *flow);

/* In discrete time: D at the end of the step from D and Y before it, adding sums as above; and then Y there. */
void flow_block_step(flow_block *flow, const coordinate_block *block, const coordinate_step *step, const penalty *pen,
                     double *work, double *sums);
void flow_block_close(flow_block *flow, const coordinate_block *block, const coordinate_step *step,
                      const flow_step *rows);

#endif
