/* The two-time kernels of one replica on a grid.

   R(t_i, t_j), j <= i, is stored in k*k planes, component (a, b) of row i at R[((a k + b) (N+1) + i) stride + j]: rows
   are contiguous in j and zero for j > i. Q is stored in the same way, Q(t_i, t_j) = E_A[G(t_i) J(t_i, t_j)], so that
   (4) reads dR/dt = - lambda R - delta eta Q. L is the block lower triangular factor of the covariance (6) of the
   innovations, E[dU_i dU_j^T] = sum_l L_il L_jl^T over cells, with symmetric positive semi-definite diagonal blocks. By
   (5), with independent standard normal vectors xi_j, one per cell,

     w(t_i) = R(t_i, 0) w(0) + F_i w* + sum_{j<i} V_ij xi_j,

   and the same holds for theta; where theta is sampled, onto_start_i takes the place of R(t_i, 0).

   innovations.h computes L, response.h R and Q, filter.h m, F and V; rows.h puts these together. */
#ifndef SGDMFT_KERNELS_KERNELS_H
#define SGDMFT_KERNELS_KERNELS_H

#include <math.h>
#include <stddef.h>

#include "core/arrays.h"
#include "core/context.h"
#include "kernels/grid.h"
#include "kernels/smooth.h"

/* The parameters of the filter: a ridge (filter.h), and in discrete time momentum (recursion.h). */
typedef struct filter {
    double lambda;
    double beta; /* the part of the velocity that a step keeps */
    double gain; /* the part of the force of a step that becomes velocity */
} filter;

/* The arrays that take the place of the filter where a penalty other than a ridge makes theta a nonlinear process (11),
   which is sampled (src/coordinates). V is then a Cholesky factor of the covariance of theta(t_i), i > 0, given theta*
   and theta(0). */
typedef struct kernels_sampled {
    double *onto_start; /* [N+1][k][k] coefficient of theta(0) - A theta* in theta(t_i), in the place of R(t_i, 0) */
    double *V_inverse;  /* [N][k][k] pseudo-inverses of V_{i+1,i} */
    double *kick;       /* [N][N][k][k], block (j, c): R(., s) averaged over cell c is sum_j V_{., j} kick_jc */
    double *kick_start; /* [N][k][k] R(., 0) = onto_start + sum_j V_{., j} kick_start_j */
    double *ridge;      /* [N+1][k][k] the ridge nearest to the penalty: penalty' = ridge theta + rest */
    double *P;          /* as Q: mean of rest'(theta(t_i)) d theta(t_i) / d kick(t_j) */
    double *decay;      /* [N+1][2][k][k] E[penalty'(theta(t_i)) theta(t_i)^T] and E[penalty'(theta(t_i)) theta(0)^T] */
    int begun;          /* number of rows of R that have at least a first guess */
} kernels_sampled;

/* Everything that kernels are made from. The arrays are copied. */
typedef struct kernels_plan {
    int k, kstar;
    double delta;
    filter filter;
    int white_noise;     /* 1 if the process jumps or diffuses, so that dU has white noise; 0 for a smooth process */
    int smooth_gradient; /* 1 if averages of G are complete; 0 if the gradient jumps: no path sees a delta function */
    int fitted;   /* 1: the step rule is fitted to the decay of R, and C(t, t) is balanced (fitting.h, balance.h) */
    int discrete; /* 1: time is discrete, and the equations are those of recursion.h */
    int midpoint; /* 1: the equations are those of response_midpoint, with kicks at the places of grid->event */
    const time_grid *grid;       /* not owned */
    const double *q0, *m0, *rho; /* [k][k], [k][k*], [k*][k*] second moments of theta(0) and theta* */
} kernels_plan;

typedef struct kernels {
    int k, kstar, steps;
    size_t stride, plane; /* distances in memory between rows and between planes of R */
    double delta;
    filter filter;
    int white_noise, smooth_gradient, fitted, discrete, midpoint;
    const time_grid *grid; /* not owned */
    double *q0, *rho;      /* [k][k], [k*][k*] */
    double *rho_inverse;   /* [k*][k*] */
    double *start_inverse; /* [k][k] pseudo-inverse of P = q(0) - m(0) rho^{-1} m(0)^T, Cov(theta(0) | theta*) */
    double start_variance; /* smallest eigenvalue of P; 0 if P cannot be inverted */

    double *R, *Q;
    double *joint;         /* scratch memory of response_joint.h; NULL for other responses */
    double *m, *F;         /* [N+1][k][k*] */
    double *L;             /* [N][N][k][k], block (i, j), j <= i */
    double *root_inverse;  /* [N][k][k] pseudo-inverses of the diagonal blocks of L */
    double *V;             /* [N+1][k][N k]: V_ij at row a, columns j k + b, so that a row multiplies all xi at once */
    double *bridge;        /* [N][k][k] root of delta eta^2 E_A[g g^T], the rate of the white noise of w in the cell */
    double *fit, *fit_end; /* [N] x and omega(x) of fitting.h for each cell; if the rule is not fitted, 0 and 1/2, or in
                              discrete time 0 and 1 */
    kernels_sampled *sampled; /* NULL for a ridge */
    smooth_rows stencils[2];  /* without and with a known value at the end */
    double *scratch;          /* room for two rows of blocks */
} kernels;

/* The table of all arrays of the kernels, including those of kernels_sampled. Returns the number of its rows. */
enum { KERNELS_ARRAYS_MOST = 24 };
size_t kernels_arrays(kernels *kern, array_row rows[KERNELS_ARRAYS_MOST]);

/* Bytes of these arrays. */
double kernels_bytes(int k, int kstar, int steps, int sampled);

/* Kernels at t = 0: R(t_i, t_i) = 1, m(0) and P are set, everything else is zero. *out is owned by the caller
   (kernels_free). SGDMFT_ERR_RANGE if rho is singular. */
sgdmft_status kernels_new(sgdmft_context *ctx, const kernels_plan *plan, kernels **out);
void kernels_free(kernels *kern);

/* Adds the arrays for sampled theta. The caller frees kern, on failure too. */
sgdmft_status kernels_set_sampled(sgdmft_context *ctx, kernels *kern);

/* Component (a, b) of R(t_i, .). */
static inline double *kernels_R(const kernels *kern, int component, int i)
{
    return kern->R + (size_t)component * kern->plane + (size_t)i * kern->stride;
}

/* Component (a, b) of Q(t_i, .). */
static inline double *kernels_Q(const kernels *kern, int component, int i)
{
    return kern->Q + (size_t)component * kern->plane + (size_t)i * kern->stride;
}

/* R(t_i, t_j) as a block [k][k]. */
static inline void kernels_block(const kernels *kern, int i, int j, double *R)
{
    for (int c = 0; c < kern->k * kern->k; c++)
        R[c] = kernels_R(kern, c, i)[j];
}

/* L_ij, a block [k][k]. */
static inline double *kernels_L(const kernels *kern, int i, int j)
{
    return kern->L + ((size_t)i * (size_t)kern->steps + (size_t)j) * (size_t)(kern->k * kern->k);
}

/* m(t_i) [k][k*]. */
static inline double *kernels_m(const kernels *kern, int i)
{
    return kern->m + (size_t)i * (size_t)(kern->k * kern->kstar);
}

/* Component (a, b) of the coefficient of w(0) - A w* in w(t_i), A = m(0) rho^{-1}. */
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

/* R(T_a, T_b) as a block, for event a at place x of `cell` and event b at place z of cell `other` <= `cell`: bilinear
   between nodes, and linear in t - s within one cell. */
void kernels_between(const kernels *kern, int cell, double x, int other, double z, double *R);

/* The covariance of w(t_j), j <= i, and w(t_i) given the teacher: component (a, b) at out[(a k + b) stride + j].
   b0[k][k] is the root of the initial covariance given the teacher. */
void kernels_own_covariance(const kernels *kern, const double *b0, int i, double *out);

/* C(t_i, t_j) by (7), as a block; q0 and rho are those of the plan. */
void kernels_correlation(const kernels *kern, const double *q0, const double *rho, int i, int j, double *out);

/* The decay terms of the identities (8) and (9), [k][k]: the part of - dC(t_i, t_i)/dt (`single` 0) or - dC(t_i, 0)/dt
   (`single` 1) that comes from the penalty. C is C(t_i, t_i) or C(t_i, 0). */
void kernels_decay(const kernels *kern, int i, int single, const double *C, double *out);

/* q = E_A[g (w(0) - A w*)^T] P^+, the mean effect on g of a kick at t = 0, by Stein's lemma for the start. The averages
   are mu = E_A[g w*^T] and gw0 = E_A[g w(0)^T]. */
void kernels_from_start(const kernels *kern, const double *mu, const double *gw0, double *q);

/* Sets R(t_row, t_j) to the solution X of matrix X = value; both blocks are destroyed. Returns the largest change
   relative to its scale, or NaN if there is no finite solution. */
double kernels_solve_R(kernels *kern, int row, int j, double *matrix, double *value);

/* The change of a number relative to its scale, where scales below 1 count as 1. */
static inline double relative_change(double before, double after, double scale)
{
    return fabs(after - before) / (scale > 1 ? scale : 1);
}

/* The larger of two changes; NaN if one of them is. */
static inline double larger_change(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

#endif
