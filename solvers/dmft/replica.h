/* One replica on one grid: its kernels, its paths in lockstep, and the averages that join them. March and picard are
   two orders of calling these functions. */
#ifndef SGDMFT_SOLVERS_DMFT_REPLICA_H
#define SGDMFT_SOLVERS_DMFT_REPLICA_H

#include <stddef.h>

#include "coordinates/ensemble.h"
#include "paths/block.h"
#include "paths/control.h"
#include "solvers/common/growth.h"
#include "solvers/dmft/grid_solution.h"

/* Called after every cell with the work done (in cells weighted by their history); non-zero asks to stop. */
typedef struct replica_monitor {
    int (*report)(void *user, double work, double t);
    void *user;
} replica_monitor;

typedef struct replica {
    const path_plan *plan;
    const time_grid *grid;
    kernels *kern; /* owned by `out` */
    grid_solution *out;
    coordinate_ensemble *coordinates; /* if the penalty is not a ridge; not owned */
    const path_share *share;          /* which blocks are this process's */
    size_t n_blocks, paths;
    path_block *block;          /* empty where another rank has the block */
    int threads;                /* threads inside this replica */
    path_workspace **workspace; /* [threads] */
    share_room room;
    double *sums;   /* one for each part of this process: plain sums (at.size), then sums weighted by the control
                               variable (control_size) or integrated over the last visit, with their observables; or
                               observables */
    double *halves; /* [2]: the same for the even and the odd parts */
    double *observed_correction; /* of the observables at the node: integrated over the last visit, less plain ones */
    double half_paths[2];
    control_state control;
    double tolerance;
    int passes_max;
    growth_limits limits; /* beyond which the dynamics count as diverging */
    replica_monitor monitor;
    const int *stop_requested; /* set when this rank is to stop */
    int *group_stopping;       /* set when any rank of the group stops */
} replica;

sgdmft_status replica_new(sgdmft_context *ctx, const path_plan *plan, const path_ensemble *paths, grid_solution *out,
                          const time_grid *grid, const path_share *share, replica **rep);
void replica_free(replica *rep);

/* The ranks of a group do everything below together, and each gets the same answers. */

/* The failure of any rank of the group. */
sgdmft_status replica_agree(sgdmft_context *ctx, const replica *rep, sgdmft_status status);

/* Means over paths at node 0, and at node cell + 1, into `estimates`. Non-zero if a plug-in asked to stop. If the last
   visit can be integrated out (plan->last_visit), `correction` not NULL is what has to be added to `estimates` for
   that; observables are then corrected by the last one that was taken. */
int replica_start(replica *rep, double *averages);
int replica_advance(replica *rep, int cell, double *averages, double *correction);
void replica_accept(replica *rep);

/* Means over paths just after the accepted node `node`, at which an epoch begins. Non-zero if a plug-in asked to stop.
   */
int replica_renew(replica *rep, int node, double *averages);

/* Kernel rows from the averages: of node 0; of node i + 1, with the residual of the pass, or NaN; and the end of a
   node. */
void replica_rows_start(replica *rep, const double *first);
double replica_rows(replica *rep, int i, const double *now, const double *next);
void replica_rows_accept(replica *rep);

/* The rows of an accepted node anew, from the averages just after it. */
void replica_rows_renew(replica *rep, int node, const double *after);

/* Averages of the observables at the node last computed, if they are wanted there. */
int replica_observe(replica *rep, int node);

/* 1, with status and message in the trajectory, if node `node` shows that the dynamics diverge. */
int replica_diverged(replica *rep, int node, const double *averages);
/* Sets the scales that define divergence from node 0. */
void replica_set_scales(replica *rep, const double *first);
void replica_stop(replica *rep, sgdmft_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds the cell's share to the integrals of the identities, and turns them into defects at the last node. */
void replica_identity_cell(replica *rep, int cell, const double *now, const double *next);
void replica_identity_finish(replica *rep, int node);

#endif
