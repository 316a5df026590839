/* A block of paths of the data-side process, carried from node to node in lockstep:

     r(t) = w(t) - sum_{events b before t} R(t, T_b) kick_b,   kick_b a function of the position r_b before it
     chain(a, c) = (d kick_a / d r_a) d r_a / d w(T_c)  for events c <= a of the same path

   so that d r(t) / d w(T_c) = - sum_b R(t, T_b) chain(b, c). What an event is and how it kicks depends on the process, see events.h.
   At an event, w is the chord between the nodes minus the scaled Brownian bridge of the cell; R is bilinear in its two times, and
   linear in t - s within one cell. The kicks of earlier cells are remembered as history.h says. At an event in cell i at place x

     r(T) = (1 - x) r(t_i) + x r'(t_{i+1}) - bridge - S - (R(t_{i+1}, t_i) - 1) (x S - B)

   where r' lacks the kicks of cell i, and S and B are sums over the earlier events of cell i.

   Two positions count at a node: r, of the path as it is, and the one that the path would have if it were visited now, which
   lacks the visits that cannot have happened then (process/process.h). Averages that close the equations are taken at the latter. */
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
    double *r;             /* [k][n] at the node being computed; before events, without the kicks of the newest cell */
    double *r_last;        /* [k][n] at the last accepted node */
    double *unvisited;     /* [k][n] at the node being computed, of a path that is visited now; NULL where that is r */
    int node;              /* being computed */
    double *newest_sum;    /* [k][n] S of the cell that ends at this node */
    double *newest_moment; /* [k][n] B of it */
    double *zero;          /* [k][n] */
    path_history history;
    path_chains *chains; /* for pathwise responses, otherwise NULL */
} path_block;

/* Work space of one thread, enough for any block of an ensemble. */
typedef struct path_workspace {
    model_work *model;
    double *g, *G, *t, *work; /* node values */
    double *GK;               /* [slots][k][k][n] */
    double *own, *control;    /* field without its teacher part [k][n]; control variable [n] */
    double *rho;              /* [slots][k][k][n] */
    double *visit;            /* gathered values at the visits of a group, or the stages of a kick */
    double *row;              /* [slots or nodes][k][k] */
    double *inserted;         /* [6][k][n], see last_visit.c */
} path_workspace;

struct path_events;

/* What averaging needs to know and does not change. */
typedef struct path_plan {
    const model *m;
    const sample_process *process;
    const struct path_events *events; /* how the events of this process are carried along */
    const time_grid *grid;
    model_shape shape;
    const data_law *law;
    const double *q0, *rho; /* initial second moments of theta */
    averages_layout at;
    int last_visit; /* 1: averages can be integrated over the last visit, see last_visit.h */
    int single; /* 1: rows of blocks in single precision, see rows.h; not without white noise, where innovations are nearly
                       singular */
} path_plan;

sgdmft_status path_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, path_block *out);
void path_block_clear(path_block *block);
double path_block_bytes(const path_plan *plan, size_t n, int slots);

sgdmft_status path_workspace_new(sgdmft_context *ctx, const path_plan *plan, size_t lanes, int slots,
                                 path_workspace **out);
void path_workspace_free(path_workspace *s);

/* Node 0. Adds to `sums` the sums over lanes of the averages of averages.h. This and the next two functions return 0, or non-zero
   if a plug-in asked to stop. */
int path_block_start(path_block *block, const path_plan *plan, path_workspace *s, double *sums);

/* From node `cell` to just before node `cell + 1` with the kernel rows of both; may be repeated with better rows. */
int path_block_advance(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s,
                       double *sums);

/* Makes the computed node the last accepted one. */
void path_block_accept(path_block *block, const path_plan *plan);

/* The averages just after the last accepted node `node`, at which an epoch begins. */
int path_block_renew(const path_block *block, const path_plan *plan, const kernels *kern, int node, path_workspace *s,
                     double *sums);

/* The position [k][n] at the computed node of a path that is visited just before it. */
static inline const double *path_block_unvisited(const path_block *block, const path_plan *plan)
{
    return block->unvisited ? block->unvisited : block->r;
}

/* Adds the averages that are linear in g and G at `position`, from s->g and s->G, without those of events. */
void path_block_average(const path_block *block, const path_plan *plan, const double *position, path_workspace *s,
                        double *sums);

/* The averages with w* and w(0) among them, from g[k][n]. */
void path_block_average_start(const path_block *block, const path_plan *plan, const double *g, path_workspace *s,
                              double *sums);

/* Adds the averages that belong to events before node `history`, from s->g and, for pathwise responses, s->GK. With history = node,
   these are all events, those of the newest cell among them. */
void path_block_average_events(const path_block *block, const path_plan *plan, int node, int history, path_workspace *s,
                               double *sums);

#endif
