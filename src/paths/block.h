/* A block of paths of the data-side process, carried from node to node in lockstep:

     r(t) = w(t) - sum_{events b before t} R(t, T_b) kick_b,   kick_b a function of the position r_b before it
     chain(a, c) = (d kick_a / d r_a) d r_a / d w(T_c)  for events c <= a of the same path

   so that d r(t) / d w(T_c) = - sum_b R(t, T_b) chain(b, c). What an event is and how it kicks depends on the driver, see
   driver.h. At an event, w is the chord between the nodes minus the scaled Brownian bridge of the cell; R is bilinear
   in its two times, and linear in t - s within one cell.

   R being bilinear, the memory of a path is a few numbers per node and not per pair of events. With S_c the sum of the
   kicks of cell c and B_c that of place * kick, at a node and at an event in cell i at place x

     sum_b R(t_i, T_b) kick_b = sum_{j < i} R(t_i, t_j) S_j + (R(t_i, t_{j+1}) - R(t_i, t_j)) B_j
                              = sum_{j <= i} R(t_i, t_j) K_j,   K_j = S_j - B_j + B_{j-1}
     r(T) = (1 - x) r(t_i) + x r'(t_{i+1}) - bridge - S - (R(t_{i+1}, t_i) - 1) (x S - B)

   where r' lacks the kicks of cell i, and S and B are sums over the earlier events of cell i. */
#ifndef SGDMFT_PATHS_BLOCK_H
#define SGDMFT_PATHS_BLOCK_H

#include <stddef.h>

#include "core/context.h"
#include "paths/inputs.h"
#include "paths/lanes.h"
#include "paths/rows.h"
#include "model/initial.h"
#include "model/model.h"
#include "kernels/averages.h"
#include "kernels/kernels.h"

/* Single events, for pathwise responses: of visits (lanes with fewer than slots have visits of zero effect at the end), or
   of one event per cell. */
typedef struct path_chains {
    double *chain; /* [slots (slots + 1) / 2][k][k][n] */
    double *kick;  /* [slots][k][n] */
    int *cell;     /* [slots][n] */
    double *place; /* [slots][n] */

    double *slope;   /* [steps][k][k][n] d kick_b / d r_b */
    double *between; /* [steps][k][steps][k]: - R(T_a, T_b)_lc at [b][c][a][l], b < a */
} path_chains;

typedef struct path_block {
    const path_inputs *in; /* not owned */
    double *w;             /* [k][n] field at the node being computed */
    double *r;             /* [k][n] at the node being computed; for the driver, without the kicks of the newest cell */
    double *r_last;        /* [k][n] at the last accepted node */
    int node;              /* being computed */
    double *newest_sum;    /* [k][n] S of the cell that ends at this node */
    double *newest_moment; /* [k][n] B of it */
    path_rows xi;          /* of the cells: normals of the innovations */
    path_rows sum;         /* of the cells before the newest: S_c */
    path_rows hat;         /* of the nodes before this one: K_j, the last without the kicks of the newest cell */
    path_rows moment;      /* of the cells: B_c, where the last visit is integrated out; otherwise empty */
    path_rows gradient;    /* of the nodes: g, likewise */
    path_chains *chains;   /* for pathwise responses, otherwise NULL */
} path_block;

/* Scratch of one thread, enough for any block of an ensemble. */
typedef struct path_workspace {
    model_work *model;
    double *g, *G, *t, *work; /* node values */
    double *GK;               /* [slots][k][k][n] */
    double *own, *control;    /* field without its teacher part [k][n]; control variable [n] */
    double *rho;              /* [slots][k][k][n] */
    double *visit;            /* gathered values at the visits of a group, or the stages of a kick */
    double *row;              /* [slots or steps][k][k] */
    double *inserted;         /* [6][k][n], see last_visit.c */
} path_workspace;

/* What averaging needs to know and does not change. */
typedef struct path_plan {
    const model *m;
    const sample_process *process;
    const struct path_events *events; /* how the events of this process are carried along */
    const time_grid *grid;
    model_shape shape;
    const initial_law *law;
    const double *q0, *rho; /* initial second moments */
    averages_layout at;
    int last_visit; /* 1: averages can be integrated over the last visit, see last_visit.h */
    int single; /* 1: rows of blocks in single precision, see rows.h; not for a drift, whose innovations are nearly singular */
} path_plan;

sgdmft_status path_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, path_block *out);
void path_block_clear(path_block *block);
double path_block_bytes(const path_plan *plan, size_t n, int slots);

sgdmft_status path_workspace_new(sgdmft_context *ctx, const path_plan *plan, size_t lanes, int slots,
                               path_workspace **out);
void path_workspace_free(path_workspace *scratch);

/* Node 0. Adds to `sums` the sums over lanes of what estimates.h defines. Both functions return 0, or non-zero if a
   plug-in asked to stop. */
int path_block_start(path_block *block, const path_plan *plan, path_workspace *scratch, double *sums);

/* From node `cell` to node `cell + 1` with the kernel rows of both; may be repeated with better rows. */
int path_block_advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *scratch,
                       double *sums);

/* The control variable of a node. With u the part of the field w(t_i) that does not come from the teacher, Gaussian
   integration by parts (Stein's lemma) says that D = tr(g u^T) - tr(G dr(t_i)/du) has mean zero, where
   dr/du = c(t_i) + sum_b K_b c(T_b), c(t) = E[w(t) u^T] without the teacher part. Averages that vary with D become more
   accurate by subtracting their regression on it. As the empirical moments of u and w* are matched, g may be
   replaced by its residual g~ = g + onto_own u + onto_teacher w* + const in the first term: same mean, less noise. */
typedef struct path_control {
    response_row covariance; /* c(t_j), component (a, b), in the layout of a kernel row */
    int node;
    const double *onto_own, *onto_teacher; /* [k][k], [k][k*] minus the regression coefficients of g */
} path_control;

/* As path_block_advance, for pathwise responses; also adds to `weighted` the sums weighted by D, then D and D^2 (at.size + 2 numbers). */
int path_block_advance_controlled(path_block *block, const path_plan *plan, const kernels *kern, int cell,
                                  const path_control *control, path_workspace *scratch, double *sums, double *weighted);

/* Adds the averages over lanes that are linear in g and G, from s->g and s->G, without those of events. */
void path_block_average(const path_block *block, const path_plan *plan, path_workspace *s, double *sums);

/* Of these, those with w* and w(0), from g[k][n]. */
void path_block_average_start(const path_block *block, const path_plan *plan, const double *g, path_workspace *s,
                              double *sums);

/* Adds the averages that belong to events, from s->g and, for pathwise responses, s->GK. */
void path_block_add_events(const path_block *block, const path_plan *plan, int node, path_workspace *s, double *sums);

/* Adds x y_c^T summed over lanes to row `kind` of the first `cells` cells, x[k][n]. */
void path_block_add_rows(const path_plan *plan, int cells, int kind, const double *x, const path_rows *y,
                         path_workspace *s, double *sums);

/* Makes the computed node the last accepted one. */
void path_block_accept(path_block *block, const path_plan *plan);

/* Sums of the observables at the computed node: train loss, test loss, then train and test of every user observable,
   sums[2 + 2 observables]. Each function adds those of one kind. The test law is (w, w*) with covariance C = C(t,t) and
   overlap m(t), sampled with the test normals, which are few and quasi-random. */
int path_block_observe_train(const path_block *block, const path_plan *plan, int node, double weight,
                             path_workspace *scratch, double *sums);
int path_block_observe_test(const path_block *block, const path_plan *plan, int node, const double *C,
                            const double *m, const double *rho_inverse, path_workspace *scratch, double *sums);

/* Adds weight times the train observables at position r[k][n] with the losses in scratch->work and the time in scratch->t. */
int path_block_add_observed(const path_block *block, const path_plan *plan, double weight, const double *r,
                            path_workspace *scratch, double *sums);

#endif
