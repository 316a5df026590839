/* The control variable of a node (paths/block.h) in use: its covariance row, the regression of g from the node before,
   and the correction of all averages by their regression on it. */
#ifndef SGDMFT_SOLVERS_DMFT_CONTROL_H
#define SGDMFT_SOLVERS_DMFT_CONTROL_H

#include "paths/block.h"

typedef struct control_state {
    double *covariance;                    /* [k k][N + 2] */
    double onto_own[64], onto_teacher[64]; /* minus the coefficients of g on u and w*, from the last accepted node */
    double gu[64], mu[64], own[64];        /* E[g u^T], E[g w*^T], E[u u^T] at the node being computed */
} control_state;

sgdmft_status control_init(sgdmft_context *ctx, const kernels *kern, control_state *out);
void control_clear(control_state *c);

/* For node `node`, whose kernel rows are given. The result points into `c`. */
path_control control_prepare(control_state *c, const kernels *kern, const double *b0, int node);

/* Doubles of the weighted sums: at->size, D, D^2, E[g u^T]. */
size_t control_size(const averages_layout *at);

/* Sums over one half of the paths: plain (at->size) and weighted (control_size). */
typedef struct control_half {
    double paths;
    const double *plain, *weighted;
} control_half;

/* For node `node`, estimates -= cov(estimates, D) / var(D) * mean(D), where each half of the paths is corrected with
   the regression of the other half: the correction then has mean zero. */
void control_apply(control_state *c, const averages_layout *at, int node, const control_half half[2],
                   double *averages);

/* No node before: g enters the control variable as it is. */
void control_restart(control_state *c);

/* The node is final: its regression serves the next one. */
void control_accept(control_state *c, const kernels *kern);

#endif
