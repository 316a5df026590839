/* A block of coordinates in lockstep. */
#ifndef SGDMFT_COORDINATES_BLOCK_H
#define SGDMFT_COORDINATES_BLOCK_H

#include "paths/inputs.h"
#include "model/penalty.h"

typedef struct coordinate_block {
    int k;
    const path_inputs *in;                    /* not owned: theta*, u, xi */
    double *theta, *X, *slope;                /* [k][n] at the last accepted node: theta, X, penalty' */
    double *theta_next, *X_next, *slope_next; /* at the node being computed */
    double *base;                             /* [k][n] theta_next without the terms at the new node */
    double *curvature; /* [k][k][n] penalty'' at the new node */
    double *known;                            /* [k][n] X_next without the newest zeta */
    double *zeta;                             /* [steps][k][n] */
    double
        *past; /* [steps + 1][k][n] theta at all nodes so far, where X is an answer to theta itself; otherwise NULL */
} coordinate_block;

sgdmft_status coordinate_block_new(sgdmft_context *ctx, int k, const path_inputs *in, int keeps_past,
                                  coordinate_block *out);
void coordinate_block_clear(coordinate_block *block);

/* Coefficients of a step from node i to node i + 1, the same for all coordinates. */
typedef struct coordinate_step {
    int i, k, kstar;
    double half;             /* h/2 */
    double now, then;        /* delta eta at both ends of the cell */
    double *noise;           /* [k][(i+1) k]: dU = sum of noise_j xi_j */
    double noise_scale;      /* - sqrt(delta) */
    double *teacher, *start; /* [k][k*], [k][k]: X on theta* and u */
    double *memory_kernel;          /* [k][(i+1) k]: X on zeta, E[g xi_j^T] at node i + 1, or on theta at nodes 0 .. i */
    double *own;             /* [k][k]: X on theta_next, if on theta at all */
    double *M, *N, *V;       /* [k][k*], [k][k], [k][i k]: theta_next on theta*, u, zeta before i */
    double *inverse;         /* [k][k] pseudo-inverse of V_{i+1,i} */
} coordinate_step;

/* base and known. */
void coordinate_block_prepare(coordinate_block *block, const coordinate_step *step);
/* theta_next and its slope from base and X_next. */
void coordinate_block_move(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work);
/* zeta_i from theta_next and M, N, V, inverse; then X_next. */
void coordinate_block_remember(coordinate_block *block, const coordinate_step *step);
/* X at the last accepted node, i + 1, from the coefficients of the step that ends there. */
void coordinate_block_recall(coordinate_block *block, const coordinate_step *step);
/* The new node `node` becomes the last accepted one, and the first guess of theta, slope and X at the node after it. */
void coordinate_block_accept(coordinate_block *block, int node);
/* theta at the last accepted node, which is `node`, goes into `past`. */
void coordinate_block_keep(coordinate_block *block, int node);

#endif
