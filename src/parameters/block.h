/* A block of coordinates in lockstep. */
#ifndef SGDMFT_PARAMETER_BLOCK_H
#define SGDMFT_PARAMETER_BLOCK_H

#include "paths/inputs.h"
#include "problem/penalty.h"

typedef struct parameter_block {
    int k;
    const path_inputs *in;                    /* not owned: theta*, u, xi */
    double *theta, *X, *slope;                /* [k][n] at the last accepted node: theta, X, penalty' */
    double *theta_next, *X_next, *slope_next; /* at the node being computed */
    double *base;                             /* [k][n] theta_next without the terms at the new node */
    double *known;                            /* [k][n] X_next without the newest zeta */
    double *zeta;                             /* [steps][k][n] */
} parameter_block;

sgdmft_status parameter_block_new(sgdmft_context *ctx, int k, const path_inputs *in, parameter_block *out);
void parameter_block_clear(parameter_block *block);

/* Coefficients of a step from node i to node i + 1, the same for all coordinates. */
typedef struct parameter_step {
    int i, k, kstar;
    double half;             /* h/2 */
    double now, then;        /* delta eta at both ends of the cell */
    double *noise;           /* [k][(i+1) k]: dU = sum of noise_j xi_j */
    double noise_scale;      /* - sqrt(delta) */
    double *teacher, *start; /* [k][k*], [k][k]: X on theta* and u */
    double *answer;          /* [k][(i+1) k]: X on zeta, E[g xi_j^T] at node i + 1 */
    double *M, *N, *V;       /* [k][k*], [k][k], [k][i k]: theta_next on theta*, u, zeta before i */
    double *inverse;         /* [k][k] pseudo-inverse of V_{i+1,i} */
} parameter_step;

/* base and known. */
void parameter_block_prepare(parameter_block *block, const parameter_step *step);
/* theta_next and its slope from base and X_next. */
void parameter_block_move(parameter_block *block, const parameter_step *step, const penalty *pen, double *work);
/* zeta_i from theta_next and M, N, V, inverse; then X_next. */
void parameter_block_answer(parameter_block *block, const parameter_step *step);
/* The new node becomes the last accepted one, and the first guess of slope and X at the node after it. */
void parameter_block_accept(parameter_block *block);

#endif
