/* The kernels of one replica with a merged history: rows at the current node instead of two-time arrays.

   The past is a list of cells (cells.h). What happened in a cell is known by its moments (moments.h): of the kicks of a
   path, K_f, and of its innovations, U_f. A feature f = (cell c, moment a, component b) has the index
   (2 c + a) k + b, and a row over the features has k lines. With R_f and Q_f the coefficients of R(t_i, .) and
   Q(t_i, .), equations (1), (5) and (7) read

     r(t_i)      = R_0 w(0) + F w* - sum_f R_f (K_f + sqrt(delta) U_f),
     C(t_i, t_i) = R_0 q0 R_0^T + R_0 m0 F^T + F m0^T R_0^T + F rho F^T + delta R S R^T,   S = E[U U^T].

   A step from t_i to t_{i+1} adds a cell, the newest, whose features come last. Rows at t_{i+1} are made from averages
   by innovations.h (U and S of the newest cell) and response.h (R, Q, m and F). When the step is accepted, old cells
   are merged, and with them all rows, S and the covariance of the kicks. */
#ifndef SGDMFT_MERGED_KERNELS_H
#define SGDMFT_MERGED_KERNELS_H

#include "core/context.h"
#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "merged/cells.h"
#include "merged/moments.h"

/* What is followed in t for one earlier time s: a row and a column of the two-time functions. */
typedef struct kernel_mark {
    double s;
    double *all;             /* owns the others */
    double *R, *Q;           /* [k][k] R(t_i, s) and Q(t_i, s) */
    double *R_next, *Q_next; /* the same at t_{i+1} */
    double *start, *teacher; /* [k][k], [k][k*] coefficients of theta(0) - theta*-part and theta* in theta(s) */
    double *onto;            /* [k][features] E[theta(s) U_f^T] */
} kernel_mark;

typedef struct merged_kernels {
    int k, kstar;
    double delta;
    filter filter;
    int smooth_gradient; /* as in kernels_plan */
    const time_grid *grid;
    cell_list cells; /* accepted ones; the newest cell of a step has the index cells.n */
    int features;    /* room for: 2 k (cells.most + 1) */

    double *q0, *m0, *rho, *rho_inverse;
    double *P;             /* [k][k] covariance of theta(0) given theta* */
    double start_variance; /* smallest eigenvalue of P */

    double *R, *Q, *R_next, *Q_next; /* [k][features] rows at t_i and t_{i+1} */
    double *m, *F, *m_next, *F_next; /* [k][k*] */
    double *end, *end_next;          /* [k][k] Q(t, t) */
    double *within;                  /* [k][k] R(t_{i+1}, t_i) of the step */
    double *S, *gram;                /* [features][features] E[U U^T] and E[K K^T] */

    /* The innovation of the newest cell, U_new = b U_old + root xi with 2 k normals xi. */
    double *mixture;        /* [features][features] Cholesky factor of the covariance that predicts, packed rows */
    double *y_now, *y_next; /* [k][features] E_A[g K^T] mixture^{-1} at both ends of the cell */
    double *b;              /* [2 k][features] */
    double *root;           /* [2 k][2 k] lower triangular */
    double *bridge;         /* [k][k] root of the rate of the white noise of w in the cell */
    int prepared;           /* 1: mixture and y_now are those of this step */

    int n_marks, most_marks;
    kernel_mark *mark; /* mark 0 is s = 0, whose R is R_0 */

    double *scratch; /* [4 features^2 or so] */
    double *fit;     /* room for the response: normal matrix, right-hand sides */
} merged_kernels;

typedef struct merged_kernels_plan {
    kernels_plan base;
    cell_rule rule;
    int marks; /* times s > 0 that will be followed, at most */
} merged_kernels_plan;

/* Kernels at t = 0. *out is owned by the caller. */
sgdmft_status merged_kernels_new(sgdmft_context *ctx, const merged_kernels_plan *plan, merged_kernels **out);
void merged_kernels_free(merged_kernels *kern);

/* Bytes of kernels with at most `cells` cells. */
double merged_kernels_bytes(int k, int kstar, int cells, int marks);

/* The number of features of the accepted cells. */
static inline int merged_features(const merged_kernels *kern)
{
    return MOMENTS * kern->k * kern->cells.n;
}

/* Features of a cell. */
static inline int cell_features(const merged_kernels *kern)
{
    return MOMENTS * kern->k;
}

/* The block [k][k] of a row over the features that begins at feature f. */
static inline void merged_row_block(const merged_kernels *kern, const double *row, int f, double *block)
{
    for (int a = 0; a < kern->k; a++)
        for (int b = 0; b < kern->k; b++)
            block[a * kern->k + b] = row[(size_t)a * (size_t)kern->features + (size_t)(f + b)];
}

/* A path that is visited just before t_{i+1} lacks the kicks of the cells from this one on: the first cell of the epoch
   that contains this time, or one past the newest cell where visits are independent of each other. */
int merged_visited_before(const merged_kernels *kern, int i);

/* Rows at t = 0 from the averages there. */
void merged_kernels_start(merged_kernels *kern, const averages_layout *at, const double *first);

/* All rows at node i + 1 from the averages just after node i (`now`) and just before node i + 1 (`next`). Returns the
   largest change relative to its scale, or NaN. */
double merged_kernels_advance(merged_kernels *kern, int i, const averages_layout *at, const double *now,
                              const double *next);

/* The prediction of the averages at node i + 1 from those at node i (`now`) and i - 1 (`before`): linear in t, or
   constant where an epoch begins. */
void merged_kernels_predict(const merged_kernels *kern, int i, const averages_layout *at, const double *before,
                            const double *now, double *next);

/* C at t_{i+1}, of a step that is being solved (`next` = 1), or at t_i. */
void merged_correlation(const merged_kernels *kern, int next, double *C);

/* Makes node i + 1 the last accepted one. gram_new[2 k][features] is E[K_new K^T] over all features with the newest. */
void merged_kernels_accept(merged_kernels *kern, int i, const double *gram_new);

/* Merges cell c with the one after it: rows, S and gram. The cells themselves are merged by the caller. */
void merged_kernels_merge(merged_kernels *kern, int c, const moment_map *map);

/* Begins to follow the two-time functions at s = t_i, the last accepted node. */
void merged_kernels_mark(merged_kernels *kern, double s);

/* C(t_{i+1}, 0) of a step that is being solved (`next` = 1), or C(t_i, 0). */
void merged_correlation_start(const merged_kernels *kern, int next, double *C);

/* C(t_i, s) of a mark. */
void merged_mark_correlation(const merged_kernels *kern, int mark, double *C);

/* Merges the pair of groups `c`, `c + 1` (cells) in an array with rows of stride `stride`: `width` numbers for each
   moment, n_cells cells before the merge. moment = 1: as moments, 0: as coefficients of a function. */
void merged_row_merge(double *row, int width, int n_cells, int c, const moment_map *map, int moment);

#endif
