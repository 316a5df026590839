/* Progress of an online solve, shared by the threads that work on it. */
#ifndef SGDMFT_SOLVERS_ONLINE_PROGRESS_H
#define SGDMFT_SOLVERS_ONLINE_PROGRESS_H

#include "core/context.h"

typedef struct online_progress {
    sgdmft_context *ctx;
    double done; /* part of the whole solve */
    int stop;    /* the caller asked to stop, or the rest is pointless */
} online_progress;

/* A piece of the work, e.g. a trajectory. */
typedef struct online_stage {
    online_progress *progress;
    double weight; /* part of the whole solve */
    double last;   /* part of the piece that was reported */
} online_stage;

/* For online_monitor: `user` is a stage. Any thread may call it; only the first talks to the caller. */
int online_progress_report(void *user, double fraction, double t);

int online_progress_stopped(online_progress *progress);
void online_progress_stop(online_progress *progress);

#endif
