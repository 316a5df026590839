/* One replica on one grid: its kernels, its paths in lockstep, and the averages that join them. Marching (march.h) and
   Picard's iteration (picard.h) are two orders of calling these functions. */
#ifndef SGDMFT_SOLVERS_DMFT_REPLICA_H
#define SGDMFT_SOLVERS_DMFT_REPLICA_H

#include <stddef.h>

#include "coordinates/ensemble.h"
#include "paths/block.h"
#include "paths/control.h"
#include "solvers/common/growth.h"
#include "solvers/dmft/grid_solution.h"
#include "solvers/dmft/merged.h"

/* `report` is called after every cell with the work done since the last call, in cells weighted by the length of their
   history; it returns non-zero to ask the replica to stop. */
typedef struct replica_monitor {
    int (*report)(void *user, double work, double t);
    void *user;
} replica_monitor;

typedef struct replica {
    sgdmft_context *ctx;
    const path_plan *plan;
    const time_grid *grid;
    kernels *kern;          /* owned by `out`; NULL if the history is merged */
    merged_replica *merged; /* kernels and paths with a merged history, otherwise NULL; owned */
    double delta, lambda;
    int white_noise;
    grid_solution *out;
    coordinate_ensemble *coordinates; /* NULL for a ridge; not owned */
    const path_share *share;          /* which blocks this rank has */
    size_t n_blocks, paths;
    path_block *block;          /* [n_blocks], empty where another rank has the block */
    int threads;                /* threads inside this replica */
    path_workspace **workspace; /* [threads] */
    share_room room;

    /* For each part of this rank, either sums of observables, or plain sums (at.size) and after them those weighted by
       the control variable (control_size) or those integrated over the last visit, with their observables. */
    double *sums;
    double *halves;              /* [2] the same summed over the even and over the odd parts */
    double *observed_correction; /* observables at the node: integrated over the last visit minus plain */
    double half_paths[2];        /* paths in the even and in the odd parts */
    control_state control;
    double tolerance;
    int passes_max;
    growth_limits limits; /* beyond these the dynamics count as diverging */
    replica_monitor monitor;
    const int *stop_requested; /* set when this rank is to stop; may be NULL */
    int *group_stopping;       /* set when any rank of the group stops; may be NULL */
} replica;

/* The arguments of replica_new; everything must outlive the replica. */
typedef struct replica_source {
    const path_plan *plan;
    const path_ensemble *paths;
    grid_solution *out;
    const time_grid *grid;
    const path_share *share;
    const merged_source *merged; /* NULL: the history is kept as it is */
} replica_source;

/* On success *rep is owned by the caller (replica_free). */
sgdmft_status replica_new(sgdmft_context *ctx, const replica_source *source, replica **rep);
void replica_free(replica *rep); /* NULL is allowed */

/* All functions below that read averages or kernels are collective calls: every rank of the share makes them, and each
   gets the same numbers. */

/* The number of averages at a node: the last accepted one, or the one after it. */
size_t replica_averages(const replica *rep, int node);

/* Before the passes of the step from node i, with the averages there. Non-zero if the caller asked to stop. */
int replica_begin_step(replica *rep, int i, const double *now);

/* The work of the step from node i, in cells of history. */
double replica_step_work(const replica *rep, int i);

/* C(t_node, t_node), or C(t_node, 0) if `start`; of the last accepted node, or of the step that is being solved. */
void replica_correlation(const replica *rep, int node, int start, double *C);

/* One thing that is done with a block; `sums` are those of its part. Non-zero if it failed. */
typedef int (*replica_block_work)(replica *rep, const void *user, size_t b, int thread, double *sums);

/* Does it with all blocks of this rank, part by part, and adds up the sums of all parts, which begin at zero: those of
   even and of odd parts in rep->halves[2][width]. The blocks of a part depend neither on the threads nor on the ranks.
   Non-zero if a block failed or a call-back asked to stop, on any rank. With width = 0 nothing is joined, and as ranks
   would then not agree, no call-back is asked. */
int replica_for_blocks(replica *rep, size_t width, replica_block_work work, const void *user);

/* The failure of any rank of the share. */
sgdmft_status replica_agree(sgdmft_context *ctx, const replica *rep, sgdmft_status status);

/* Means over paths into `averages`: at node 0, and at node cell + 1. Non-zero if a call-back asked to stop, or if the
   caller did and the paths were left where they are; the monitor tells. Where
   averages are integrated over the last visit (plan->last_visit), `correction` becomes, unless it is NULL, the
   difference to be added to `averages` for that; observables are corrected by the difference that was last taken. */
int replica_start(replica *rep, double *averages);
int replica_advance(replica *rep, int cell, double *averages, double *correction);

/* Makes the computed node the last accepted one. `before` and `now` are the averages at the node before it and at the
   node itself; a merged history merges their rows as well. NULL is allowed where it is not merged. Non-zero if the
   caller asked to stop, and the node is not accepted. */
int replica_accept(replica *rep, double *before, double *now);

/* Records what curves are made from at a node, before it is accepted. */
void replica_record(replica *rep, int node);

/* Means over paths just after the accepted node `node`, at which an epoch begins. Non-zero if a call-back asked to
   stop. */
int replica_renew(replica *rep, int node, double *averages);

/* Kernel rows from the averages: of node 0; of node i + 1, returning the residual of the pass or NaN; and the end of
   the passes of a node. */
void replica_rows_start(replica *rep, const double *first);
double replica_rows(replica *rep, int i, const double *now, const double *next);
void replica_rows_accept(replica *rep);

/* Updates the rows of an accepted node from the averages just after it. */
void replica_rows_renew(replica *rep, int node, const double *after);

/* Averages of the observables at the node last computed, if they are wanted there. Non-zero if a call-back asked to
   stop. */
int replica_observe(replica *rep, int node);

/* 1 if node `node` shows that the dynamics diverge; rep->out then says so. */
int replica_diverged(replica *rep, int node, const double *averages);

/* Sets the limits that define divergence, from the averages at node 0. */
void replica_set_scales(replica *rep, const double *first);

/* Ends the solve: stores status and message in rep->out. */
void replica_stop(replica *rep, sgdmft_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
