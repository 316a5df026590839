/* A block of paths of the process (1), carried from node to node in lockstep:

     r(t) = w(t) - sum_{events b before t} R(t, T_b) kick_b,   kick_b a function of the position r_b just before it,

   and for pathwise responses the derivatives of the kicks with respect to the field at earlier events of the same path,

     chain(a, c) = d kick_a / d w(T_c),   K_c(t) = d r(t) / d w(T_c) = - sum_{b >= c} R(t, T_b) chain(b, c),

   by which the solution of (2) is J(t, s) = R(t, s) + sum_c K_c(t) R(T_c, s). What the events are and how they kick
   depends on the process, see events.h.

   R is interpolated bilinearly in its two times, and linearly in t - s within one cell, or as kernels/fitting.h says
   for visits where the step rule is fitted. Kicks of earlier cells are recalled as in history.h. Within a cell, w is
   the chord between its values at the nodes minus a Brownian bridge, scaled by the root of the white-noise rate. At an
   event in cell i at place x, 0 <= x <= 1,

     r(T) = (1 - x) r(t_i) + x r'(t_{i+1}) - root bridge - S - (R(t_{i+1}, t_i) - 1) (x S - B),

   where r' lacks the kicks of cell i, and S and B are the sum and the moment of the kicks of the earlier events in the
   cell.

   Two positions count at a node: r, that of the path as it is, and the position that the path would have if it were
   visited now, which lacks the visits that cannot have happened in that case (process/process.h). The averages that
   close the equations are taken at the latter. */
#ifndef SGDMFT_PATHS_BLOCK_H
#define SGDMFT_PATHS_BLOCK_H

#include <stddef.h>

#include "core/context.h"
#include "kernels/kernels.h"
#include "kernels/response.h"
#include "model/data_law.h"
#include "model/model.h"
#include "paths/history.h"
#include "paths/inputs.h"
#include "paths/lanes.h"

/* Derivatives at single events, for pathwise responses. */
typedef struct path_chains {
    /* Of visits, slot by slot. A lane with fewer visits than slots has zeros in the others. Batches have cells
       alone. */
    double *chain; /* [slots (slots + 1) / 2][k][k][n] chain(a, c) at a (a + 1) / 2 + c */
    double *kick;  /* [slots][k][n] */
    int *cell;     /* [slots][n] */
    double *place; /* [slots][n] */

    /* Of steps, cell by cell. */
    double *slope;   /* [steps or slots][k][k][n] D_b = d kick_b / d r_b */
    double *between; /* [steps][k][steps][k] - R(T_a, T_b)_lc at [b][c][a][l], b < a */
} path_chains;

typedef struct path_block {
    const path_inputs *in; /* not owned */
    double *w;             /* [k][n] field at the node being computed */
    double *r;             /* [k][n] position there; until the events are done, without the kicks of the newest cell */
    double *r_last;        /* [k][n] position at the last accepted node */
    double *unvisited;     /* [k][n] position of a path that is visited just now; NULL where that is r */
    int node;              /* the node being computed */
    int observed;          /* 1: the position there is wanted, even if nothing happens to the block */
    double *newest_sum;    /* [k][n] S of the newest cell, the one that ends at this node */
    double *newest_moment; /* [k][n] B of that cell */
    double *coming;        /* [k][n] kicks of the step from this node, for batches (batch_events.h); otherwise NULL */
    double *zero;          /* [k][n] zeros */
    path_history history;
    path_chains *chains; /* for pathwise responses, otherwise NULL */

    /* For kicks in the middle of a cell (midpoint_events.h), otherwise NULL. */
    double *middle;  /* [k][n] the position there in the last pass */
    double *earlier; /* [k][n] that in the cell before */
    int begun;       /* the node for which this is set */
} path_block;

/* Scratch memory of one thread, enough for any block of an ensemble. Functions of this room call it `s`. */
typedef struct path_workspace {
    model_work *model;
    double *g, *G, *t, *work; /* gradient [k][n], Hessian [k][k][n] and time [n] at a node; losses and products */
    double *GK;               /* [slots][k][k][n] G K_b = dg/dw(T_b) for every event b */
    double *own, *control;    /* the field without its teacher part, or the position in the middle of a cell when half
                                 of its kick is done [k][n]; the control variable [n] */
    double *rho;              /* [slots][k][k][n] a kernel row at every event */
    double *visit;            /* values at the visits of a group, or at the stages of a kick */
    double *row;              /* [slots or nodes][k][k] coefficients of a row */
    double *inserted;         /* [6][k][n] for last_visit.c */
    size_t *entry;            /* [n] for batch_events.c */
} path_workspace;

struct path_events;

/* Everything that paths and their averages need to know and that does not change during a solve. */
typedef struct path_plan {
    const model *m;
    const sample_process *process;
    const struct path_events *events; /* how the events of this process are carried out */
    const time_grid *grid;
    model_shape shape;
    const data_law *law;
    const double *q0, *rho; /* second moments of theta(0) and theta* */
    averages_layout at;
    int last_visit; /* 1: averages can be integrated over the last visit (last_visit.h) */

    /* 1: rows of blocks in single precision (rows.h). Not without white noise, where the covariance of the innovations
       is nearly singular. */
    int single;
} path_plan;

sgdmft_status path_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, path_block *out);
void path_block_clear(path_block *block);
double path_block_bytes(const path_plan *plan, size_t n, int slots);

sgdmft_status path_workspace_new(sgdmft_context *ctx, const path_plan *plan, size_t lanes, int slots,
                                 path_workspace **out);
void path_workspace_free(path_workspace *s);

/* Starts at node 0 and adds to `sums` the sums over lanes of the averages of averages.h. This and the next functions
   that return an int return 0, or non-zero if a call-back asked to stop. */
int path_block_start(path_block *block, const path_plan *plan, const kernels *kern, path_workspace *s, double *sums);

/* Advances from node `cell` to just before node `cell + 1` with the kernel rows of both, and adds the averages there.
   May be repeated with better rows. */
int path_block_advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s,
                       double *sums);

/* w(0) = A w* + B z0 of all lanes, w[k][n]. */
void path_block_start_field(const path_block *block, const path_plan *plan, double *w);

/* The coefficients of (5) for the field, w(t) = onto_teacher w* + onto_start z0 + noise: with w(0) as above, F at t,
   and R the coefficient of w(0) there,

     onto_teacher[k][k*] = R A + F,   onto_start[k][k] = R B. */
void path_block_coefficients(const path_plan *plan, const double *R, const double *F, double *onto_teacher,
                             double *onto_start);

/* The position at the computed node becomes that at the last accepted one. */
static inline void path_block_keep_position(path_block *block)
{
    double *keep = block->r;
    block->r = block->r_last;
    block->r_last = keep;
}

/* Makes the computed node the last accepted one. */
void path_block_accept(path_block *block, const path_plan *plan);

/* Adds the averages just after the last accepted node `node`, at which an epoch begins. */
int path_block_renew(const path_block *block, const path_plan *plan, const kernels *kern, int node, path_workspace *s,
                     double *sums);

/* What a kick of a whole block needs to ask for gradients, at the time in s->t. */
typedef struct block_gradient {
    const path_plan *plan;
    const path_inputs *in;
    path_workspace *s;
} block_gradient;

/* g[k][n] and, unless it is NULL, G[k][k][n] of all lanes at r[k][n]; `user` is a block_gradient. Non-zero if a
   call-back asked to stop. */
int path_block_gradient(void *user, const double *r, double *g, double *G);

/* The position [k][n] at the computed node of a path that is visited just before it. */
static inline const double *path_block_unvisited(const path_block *block, const path_plan *plan)
{
    return block->unvisited ? block->unvisited : block->r;
}

/* Adds the averages that are linear in g and G at `position` and involve no events, from s->g and s->G. */
void path_block_average(const path_block *block, const path_plan *plan, const double *position, path_workspace *s,
                        double *sums);

/* Adds the averages of g w*^T and g w(0)^T, from g[k][n]. */
void path_block_average_start(const path_block *block, const path_plan *plan, const double *g, path_workspace *s,
                              double *sums);

/* Adds the averages that involve events before node `history`, from s->g and, for pathwise responses, s->GK. With
   history = node, these are all events, including those of the newest cell. */
void path_block_average_events(const path_block *block, const path_plan *plan, int node, int history, path_workspace *s,
                               double *sums);

#endif
