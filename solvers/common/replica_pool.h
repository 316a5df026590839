/* Independent replicas on the threads of this process, with what they share: progress, the request to stop, and the
   first failure. */
#ifndef SGDMFT_SOLVERS_COMMON_REPLICA_POOL_H
#define SGDMFT_SOLVERS_COMMON_REPLICA_POOL_H

#include "core/context.h"

/* Seconds of the monotonic clock. */
double clock_seconds(void);

/* How far a solve is. Shared by all its threads; set ctx, the rest may be zero. */
typedef struct solve_progress {
    sgdmft_context *ctx; /* whose call-back is shown the progress, and with whose ranks a request to stop is shared */
    double done;         /* fraction of the whole solve */
    double deadline;     /* seconds of the monotonic clock at which the solve is to stop; 0: none */
    int stop_requested;  /* by the caller, by another rank, or by a failure that makes the rest pointless */
} solve_progress;

/* Adds `more` to the fraction that is done, at time t of the problem. Any thread may call it; only thread 0 asks the
   caller and looks at other ranks. Returns 1 if the solve is to stop, 0 otherwise. */
int solve_progress_report(solve_progress *progress, double more, double t);

void solve_progress_stop(solve_progress *progress);
int solve_progress_stopped(solve_progress *progress);

/* A piece of the work of a solve, for which fractions are counted from 0 to 1. Set the first two, the rest is zero. */
typedef struct solve_stage {
    solve_progress *progress;
    double weight;   /* of this piece, as a fraction of the whole solve */
    double reported; /* fraction of the piece */
} solve_stage;

/* `user` is a solve_stage of which `fraction` is done. Otherwise as solve_progress_report. */
int solve_stage_report(void *user, double fraction, double t);

/* How replicas share the threads of a context. */
typedef struct replica_pool {
    int replicas;             /* numbered from 0 */
    int at_once;              /* replicas that are solved at the same time, each on a thread of its own */
    int threads;              /* for the work inside one replica: 1, or all of them if at_once is 1 */
    solve_progress *progress; /* a failure stops it; NULL if the work reports none */
} replica_pool;

/* Few replicas on many threads: then the threads share the work of one replica after the other. */
replica_pool replica_pool_of(int threads, int replicas, solve_progress *progress);

/* One replica, on `threads` threads. */
typedef sgdmft_status (*replica_job)(sgdmft_context *ctx, void *user, int replica, int threads);

/* Does the job for every replica, also after a request to stop, of which the job takes notice by itself. Replicas that
   run at the same time have contexts of their own, so that their messages do not mix. Returns the first failure, with
   its message in ctx. */
sgdmft_status replica_pool_run(sgdmft_context *ctx, const replica_pool *pool, replica_job job, void *user);

#endif
