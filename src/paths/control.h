/* The control variable of a node, for pathwise responses. With u the part of the field w(t_i) that does not come from
   the teacher, Gaussian integration by parts (Stein's lemma) says that

     D = tr(g u^T) - tr(G dr(t_i)/du),   dr/du = c(t_i) + sum_b K_b c(T_b),   c(t) = E[u(t) u(t_i)^T],

   has mean zero. An average that is correlated with D becomes more accurate when its regression on D is subtracted. The
   empirical moments of u and w* are matched, so g may be replaced in the first term by its residual

     g~ = g + onto_own u + onto_teacher w* + const,

   which leaves the mean as it is and reduces the noise. */
#ifndef SGDMFT_PATHS_CONTROL_H
#define SGDMFT_PATHS_CONTROL_H

#include "paths/block.h"

typedef struct control_state {
    double *covariance; /* [k k][N + 2] c(t_j), in the layout of a kernel row */
    int node;           /* the node being computed */

    /* Minus the coefficients [k][k], [k][k*] of the regression of g on u and w*, from the last accepted node. */
    double onto_own[MATRIX_MAX * MATRIX_MAX], onto_teacher[MATRIX_MAX * MATRIX_MAX];

    /* E[g u^T], E[g w*^T] and E[u u^T] at the node being computed. */
    double gu[MATRIX_MAX * MATRIX_MAX], mu[MATRIX_MAX * MATRIX_MAX], own[MATRIX_MAX * MATRIX_MAX];
} control_state;

sgdmft_status control_init(sgdmft_context *ctx, const kernels *kern, control_state *out);
void control_clear(control_state *c);

/* Computes the covariances c for node `node`, whose kernel rows are given. b0[k][k] is the root of the initial
   covariance of the field given the teacher. */
void control_prepare(control_state *c, const kernels *kern, const double *b0, int node);

/* Doubles of the weighted sums: at->size, then D, D^2 and E[g u^T]. */
size_t control_size(const averages_layout *at);

/* After path_block_advance to the node: adds all averages weighted by D, then D and D^2, then E[g u^T]. Overwrites g, G
   and GK of the workspace. */
void control_sums(const control_state *c, const path_block *block, const path_plan *plan, const kernels *kern,
                  path_workspace *s, double *sums);

/* Sums over one half of the paths: plain (at->size) and weighted (control_size). */
typedef struct control_half {
    double paths;
    const double *plain, *weighted;
} control_half;

/* averages -= cov(averages, D) / var(D) * mean(D) at the node. Each half of the paths is corrected with the regression
   of the other half, so that the correction has mean zero. */
void control_apply(control_state *c, const averages_layout *at, const control_half half[2], double *averages);

/* Starts at a node that has no predecessor: g enters the control variable of the next one as it is. */
void control_restart(control_state *c);

/* The node is final: its regression serves the next node. */
void control_accept(control_state *c, const kernels *kern);

#endif
