/* Coordinates whose field has no white noise (gradient flow): answer and response from pathwise derivatives. With
   D_ij = d theta(t_i) / d kick(t_j), the answer of the mean gradient to a path is linear, so

     D_{i+1,j} = D_ij - h/2 (pull_ij + pull_{i+1,j}),   D_jj = 1,   R_ij = E D_ij
     X_i       = R_* theta* + gamma_i theta_i + sum_{c < i} (left_ic theta_c + right_ic theta_{c+1}),
                 R_* so that E[X theta*^T] = E[g w*^T]
     pull_ij   = penalty''(theta(t_i)) D_ij + delta eta (gamma_i D_ij + sum_{j <= c < i} (left_ic D_cj + right_ic D_{c+1,j}))

   with gamma, left, right as in twotime/response_pathwise.c. */
#ifndef SGDMFT_COORDINATES_FLOW_H
#define SGDMFT_COORDINATES_FLOW_H

#include "coordinates/block.h"
#include "kernels/kernels.h"

typedef struct flow_block {
    double *D;                    /* [(N+1)(N+2)/2][k][k][n], D_ij at block i (i + 1) / 2 + j */
    double *memory_kernel, *memory_kernel_next; /* [N+1][k][k][n] the bracket of pull at the last accepted and at the new node */
    double *curvature, *curvature_next; /* [k][k][n] penalty'' there */
    double *one, *solve, *work;         /* [k][k][n] */
} flow_block;

sgdmft_status flow_block_new(sgdmft_context *ctx, int k, int steps, size_t n, flow_block *out);
void flow_block_clear(flow_block *flow);
double flow_block_bytes(int k, int steps, double paths);

/* What a step knows besides coordinate_step: averages over samples at the new node, as rows for D_cj. */
typedef struct flow_step {
    double *row;   /* [i + 1][k][k] left_c + right_{c-1} */
    double *half;  /* [i + 1][k][k] right_{j-1}, which a kick at t_j does not feel; 0 for j = 0 */
    double *gamma; /* [k][k] E[G] */
    double *own;   /* [k][k] E[G] + right_i, on D_{i+1,j} */
} flow_step;

/* Node 0, with gamma there. */
void flow_block_start(flow_block *flow, const coordinate_block *block, const double *gamma, const penalty *pen,
                      double *work);

/* D at node i + 1 from theta there; adds the sums over lanes of D_{i+1,j}, j <= i, to sums[i + 1][k][k]. */
void flow_block_advance(flow_block *flow, const coordinate_block *block, const coordinate_step *step,
                        const flow_step *rows, const penalty *pen, double *work, double *sums);
void flow_block_accept(flow_block *flow);

#endif
