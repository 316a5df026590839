/* One time step of sampled coordinates, for a block of them in lockstep.

   With a penalty other than the ridge, a coordinate theta in R^k of the students is a nonlinear process,

     d theta = - penalty'(theta) dt - delta eta X dt - sqrt(delta) dU,

   with the innovations dU and the mean gradient X_t = E[g^t | the field follows theta], which is linear in the path of
   theta and in theta*. On a grid, with u = theta(0) - A theta*, A = m(0) rho^{-1}, and independent standard normal
   vectors xi_j, one per cell,

     dU_i       = sum_{j<=i} L_ij xi_j,
     theta(t_i) = onto_teacher_i theta* + onto_start_i u + sum_{j<i} V_ij zeta_j,
     X_i        = drift_teacher_i theta* + drift_start_i u + sum_{j<i} memory_kernel_ij zeta_j.

   The second line is the regression of theta(t_i) on theta* and the earlier path. It defines zeta_{i-1}, the residual
   of the regression scaled to unit variance. Since the zeta of a coordinate are uncorrelated, each coefficient of X is
   an average of its own. If the field has no white noise (gradient flow), the residuals of a step are too small for
   that, and X is written in the path itself,

     X_i        = drift_teacher_i theta* + sum_{j<=i} memory_kernel_ij theta(t_j).

   Time steps follow the trapezoid rule,

     theta_{i+1} + h/2 (penalty'(theta_{i+1}) + delta eta_{i+1} X_{i+1})
       = theta_i - h/2 (penalty'(theta_i) + delta eta_i X_i) - sqrt(delta) dU_i,

   in discrete time (kernels/recursion.h) those of the heavy ball, explicitly from X_i,

     theta_{i+1} = theta_i + beta (theta_i - theta_{i-1}) - gain (h penalty'(theta_i) + h delta eta_i X_i
                   + sqrt(delta) dU_i).

   The trapezoid rule is an equation for theta_{i+1} that is solved in rounds: coordinate_block_move takes a step of
   Newton's method at fixed X_{i+1}, coordinate_block_update_drift finds X_{i+1} for the new theta_{i+1}. The solver
   changes the coefficients between rounds, the sampler knows them beforehand.

   Arrays of a block of n coordinates have the coordinate as their fastest index. */
#ifndef SGDMFT_COORDINATES_BLOCK_H
#define SGDMFT_COORDINATES_BLOCK_H

#include "model/penalty.h"
#include "paths/inputs.h"

/* The coefficients of a step from node `cell` to the next one, the same for all coordinates. A row [k][cells k] has the
   block of cell j in the columns j k .. j k + k - 1. At node 0, drift_teacher and drift_start alone are used. */
typedef struct coordinate_step {
    int k, kstar, cell;
    double half_h;               /* h/2 */
    double rate_start, rate_end; /* delta eta at both ends of the cell */
    double noise_scale;          /* - sqrt(delta) */
    double beta, gain;           /* in discrete time */
    double *L;                   /* row of cells 0 .. cell */
    double *drift_teacher;       /* [k][k*] at the end of the step, as everything below */
    double *drift_start;         /* [k][k] */
    double *memory_kernel;       /* row of cells 0 .. cell: X on zeta, or on theta at nodes 0 .. cell */
    double *memory_end;          /* [k][k] X on theta at node cell + 1, where it depends on theta itself */
    double *onto_teacher;        /* [k][k*] */
    double *onto_start;          /* [k][k] */
    double *V;                   /* row of cells 0 .. cell - 1 */
    double *V_inverse;           /* [k][k] pseudo-inverse of V_{cell+1,cell} */
} coordinate_step;

/* Zeroed, for steps up to cell `cells` - 1. On failure, too, *out is to be cleared. */
sgdmft_status coordinate_step_new(sgdmft_context *ctx, int k, int kstar, int cells, coordinate_step *out);
void coordinate_step_clear(coordinate_step *step);

/* The cell, of width h and with eta at its ends. */
void coordinate_step_set_cell(coordinate_step *step, int cell, double h, double delta, double eta_start,
                              double eta_end);

/* A row [k][cells k] from blocks [k][k] that are `stride` doubles apart, and back. */
void coordinate_row_from_blocks(int k, int cells, const double *blocks, size_t stride, double *row);
void coordinate_row_to_blocks(int k, int cells, const double *row, size_t stride, double *blocks);

typedef struct coordinate_block {
    int k;
    const path_inputs *in; /* not owned: theta*, u (in->z0), xi */
    /* [k][n] at the last accepted node, and at the node being computed: */
    double *theta, *X, *slope; /* slope: penalty' */
    double *theta_next, *X_next, *slope_next;
    /* [k][n] the parts of theta_next and X_next that do not change with the rounds: */
    double *theta_known, *X_known;
    double *curvature; /* [k][k][n] penalty'' at the new node */
    double *zeta;      /* [steps][k][n] */
    double *past;      /* [steps + 1][k][n] theta at the accepted nodes, if X depends on theta itself; otherwise NULL */
} coordinate_block;

/* On failure, too, *out is to be cleared. */
sgdmft_status coordinate_block_new(sgdmft_context *ctx, int k, const path_inputs *in, int keeps_past,
                                   coordinate_block *out);
void coordinate_block_clear(coordinate_block *block);
double coordinate_block_bytes(int k, int steps, int keeps_past, double paths);

/* Node 0, with theta(0) in block->theta and the coefficients of X in `step`. `work` is that of the penalty. */
void coordinate_block_start(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work);

/* theta_known and X_known of a step. */
void coordinate_block_prepare(coordinate_block *block, const coordinate_step *step);

/* theta_next and its slope, given X_next. */
void coordinate_block_move(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work);

/* theta_next and its slope in discrete time, from theta and X at the last two nodes. Once for each node. */
void coordinate_block_step(coordinate_block *block, const coordinate_step *step, const penalty *pen, double *work);

/* The zeta of the cell, given theta_next. */
void coordinate_block_find_zeta(coordinate_block *block, const coordinate_step *step);

/* X_next from theta_next and the past, where X depends on theta itself. */
void coordinate_block_close(coordinate_block *block, const coordinate_step *step);

/* The zeta of the cell, and X_next, given theta_next. */
void coordinate_block_update_drift(coordinate_block *block, const coordinate_step *step);

/* X at the last accepted node once more, from the coefficients of the step that ends there: they change where an epoch
   begins, although the path does not. Only for X on zeta. */
void coordinate_block_renew(coordinate_block *block, const coordinate_step *step);

/* The new node, number `node`, becomes the last accepted one, and a first guess of the node after it. */
void coordinate_block_accept(coordinate_block *block, int node);

#endif
