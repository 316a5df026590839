/* The control variable of a node, for pathwise responses. With u the part of the field w(t_i) that does not come from the teacher,
   Gaussian integration by parts (Stein's lemma) says that

     D = tr(g u^T) - tr(G dr(t_i)/du),   dr/du = c(t_i) + sum_b K_b c(T_b),   c(t) = E[w(t) u^T] without the teacher part,

   has mean zero. Averages that vary with D become more accurate by subtracting their regression on it. As the empirical moments of u
   and w* are matched, g may be replaced by its residual g~ = g + onto_own u + onto_teacher w* + const in the first term, which has
   the same mean and less noise. */
#ifndef SGDMFT_PATHS_CONTROL_H
#define SGDMFT_PATHS_CONTROL_H

#include "paths/block.h"

typedef struct control_state {
    double *covariance;                           /* [k k][N + 2] c(t_j), in the layout of a kernel row */
    int node;                                     /* being computed */
    double onto_own[MATRIX_MAX * MATRIX_MAX];     /* [k][k], [k][k*]: minus the coefficients of g on u and w*, from */
    double onto_teacher[MATRIX_MAX * MATRIX_MAX]; /* the last accepted node */
    double gu[MATRIX_MAX * MATRIX_MAX];           /* E[g u^T], E[g w*^T], E[u u^T] at the node being computed */
    double mu[MATRIX_MAX * MATRIX_MAX], own[MATRIX_MAX * MATRIX_MAX];
} control_state;

sgdmft_status control_init(sgdmft_context *ctx, const kernels *kern, control_state *out);
void control_clear(control_state *c);

/* For node `node`, whose kernel rows are given. b0[k][k] is the root of the initial covariance given the teacher. */
void control_prepare(control_state *c, const kernels *kern, const double *b0, int node);

/* Doubles of the weighted sums: at->size, D, D^2, E[g u^T]. */
size_t control_size(const averages_layout *at);

/* After path_block_advance to the node: adds all averages weighted by D, then D and D^2, then E[g u^T]. Uses up g, G and GK of the
   workspace. */
void control_sums(const control_state *c, const path_block *block, const path_plan *plan, const kernels *kern,
                  path_workspace *s, double *sums);

/* Sums over one half of the paths: plain (at->size) and weighted (control_size). */
typedef struct control_half {
    double paths;
    const double *plain, *weighted;
} control_half;

/* At the node, averages -= cov(averages, D) / var(D) * mean(D), where each half of the paths is corrected with the regression of the
   other half: the correction then has mean zero. */
void control_apply(control_state *c, const averages_layout *at, const control_half half[2], double *averages);

/* No node before: g enters the control variable as it is. */
void control_restart(control_state *c);

/* The node is final: its regression serves the next one. */
void control_accept(control_state *c, const kernels *kern);

#endif
