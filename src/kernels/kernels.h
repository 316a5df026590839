/* The two-time kernels of one replica and the discrete equations that advance them by one row.

   R(t_i, t_j), j <= i, is stored in k*k planes, component (a, b) of row i at R[((a k + b) (N+1) + i) stride + j]:
   rows are contiguous in j and zero for j > i. Q, stored alike, is E[G(t_i) J(t_i, t_j)], so that
   dR/dt = - lambda R - delta eta Q.
   L is the block lower triangular factor of the innovation covariance, E[dU_i dU_j^T] = sum_l L_il L_jl^T over cells,
   with symmetric positive semi-definite diagonal blocks. Field: w(t_i) = R(t_i, 0) w(0) + F_i w* + sum_{j<i} V_ij xi_j
   with independent standard normal vectors xi_j, one per cell (with sampled theta, onto_start_i for R(t_i, 0)). */
#ifndef SGDMFT_KERNELS_KERNELS_H
#define SGDMFT_KERNELS_KERNELS_H

#include <stddef.h>

#include "core/context.h"
#include "kernels/averages.h"
#include "kernels/grid.h"
#include "kernels/smooth.h"

/* What takes the place of the filter R when a penalty other than a ridge makes theta a nonlinear process, which is sampled
   (src/coordinates). V is then a Cholesky factor of the covariance of theta(t_i), i > 0, given theta* and theta(0). */
typedef struct kernels_sampled {
    double *onto_start; /* [N+1][k][k] regression of theta(t_i) on theta(0) - A theta*, in the place of R(t_i, 0) */
    double *V_inverse;  /* [N][k][k] pseudo-inverses of V_{i+1,i} */
    double *kick;       /* [N][N][k][k], block (j, c): R(., s) averaged over cell c is sum_j V_{., j} kick_jc */
    double *kick_start; /* [N][k][k] R(., 0) = onto_start + sum_j V_{., j} kick_start_j */
    double *ridge;      /* [N+1][k][k] the ridge nearest to the penalty: penalty' = ridge theta + rest */
    double *P;          /* as Q: mean of rest'(theta(t_i)) d theta(t_i) / d kick(t_j) */
    double *decay;      /* [N+1][2][k][k] E[penalty'(theta(t_i)) theta(t_i)^T] and E[penalty'(theta(t_i)) theta(0)^T] */
    int begun;          /* rows of R that hold a guess */
} kernels_sampled;

/* Stencils of smooth.h at the nodes in use, for a number of cells. */
typedef struct stencil_row {
    smooth_stencil *at; /* [N+1] */
    int cells;
} stencil_row;

typedef struct kernels {
    int k, kstar, steps;
    size_t stride, plane; /* R row length in memory; distance between planes */
    double delta, lambda;
    int singular;          /* 1 if the driver jumps or diffuses, so that dU has white noise; 0 for a drift */
    const time_grid *grid; /* not owned */
    double *rho_inverse;   /* [k*][k*] */
    double *start_inverse; /* [k][k] pseudo-inverse of P, the covariance of theta(0) given the teacher */
    double start_spread;   /* its smallest eigenvalue; 0 if it cannot be inverted */

    double *R, *Q;
    double *m, *F;            /* [N+1][k][k*] */
    double *L;                /* [N][N][k][k], block (i, j), j <= i */
    double *root_inverse;     /* [N][k][k] pseudo-inverses of the diagonal blocks of L */
    double *V;                /* [N+1][k][N k]: V_ij at row a, columns j k + b, so that a row meets all xi at once */
    double *bridge;           /* [N][k][k] root of the white-noise rate of w in the cell */
    kernels_sampled *sampled; /* NULL for a ridge */
    int smooth;               /* 1 if averages of G are complete: the gradient does not jump */
    stencil_row stencils[2];  /* without and with a known end */
    double *scratch;          /* one row of blocks and its changes */
} kernels;

double kernels_bytes(int k, int kstar, int steps);

/* q0[k][k], m0[k][k*], rho[k*][k*] are the initial second moments. */
sgdmft_status kernels_new(sgdmft_context *ctx, int k, int kstar, double delta, double lambda, int singular,
                          const time_grid *grid, const double *q0, const double *m0, const double *rho, kernels **out);
void kernels_free(kernels *kern);

/* Prepares for sampled theta; on failure, too, kern is still to be freed. */
sgdmft_status kernels_set_sampled(sgdmft_context *ctx, kernels *kern);

/* Component (a, b) of R(t_i, .). */
static inline double *kernels_R(const kernels *kern, int component, int i)
{
    return kern->R + (size_t)component * kern->plane + (size_t)i * kern->stride;
}

/* Component (a, b) of the regression of w(t_i) on w(0) - A w*, A = m(0) rho^{-1}. */
static inline double kernels_onto_start(const kernels *kern, int component, int i)
{
    return kern->sampled ? kern->sampled->onto_start[i * kern->k * kern->k + component]
                         : kernels_R(kern, component, i)[0];
}

/* Row a of V(t_i, .): columns j k + b. */
static inline double *kernels_V(const kernels *kern, int i, int a)
{
    return kern->V + ((size_t)i * (size_t)kern->k + (size_t)a) * (size_t)kern->steps * (size_t)kern->k;
}

/* Completes node 0 from its estimates. */
void kernels_start(kernels *kern, const averages_layout *at, const double *first);

/* Advances to node i + 1 from the estimates at nodes i (`now`) and i + 1 (`next`, from the last pass or predicted):
   R, Q, m, F, L row i, V row i + 1 and the bridge of cell i. Rows up to i must be final. Returns the largest change
   of the new row relative to its scale (the residual of the pass), or NaN when something is not finite. */
double kernels_advance(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* The covariance E[w(t_j) w(t_i)^T], j <= i, without what both owe to the teacher: component (a, b) at
   out[(a k + b) stride + j]. b0[k][k] is the root of the initial covariance given the teacher. */
void kernels_own_covariance(const kernels *kern, const double *b0, int i, double *out);

/* C(t_i, t_j) as a k x k block. q0 and m0 as given at the start. */
void kernels_correlation(const kernels *kern, const double *q0, const double *rho, int i, int j, double *out);

#endif
