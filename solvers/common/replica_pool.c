#include "solvers/common/replica_pool.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/ranks.h"

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int solve_progress_stopped(solve_progress *progress)
{
    int stop;
#pragma omp atomic read
    stop = progress->stop_requested;
    return stop;
}

void solve_progress_stop(solve_progress *progress)
{
#pragma omp atomic write
    progress->stop_requested = 1;
}

int solve_progress_report(solve_progress *progress, double more, double t)
{
    double done;
#pragma omp atomic capture
    done = progress->done += more;
    if (context_stop_now(progress->ctx))
        solve_progress_stop(progress);
    if (omp_get_thread_num() == 0) {
        rank_group *ranks = progress->ctx->ranks;
        int others = ranks_raised(ranks);
        int late = progress->deadline > 0 && clock_seconds() >= progress->deadline;
        int stop = solve_progress_stopped(progress) | late | (context_progress(progress->ctx, done, t) != 0);
        if (stop && !others)
            ranks_raise(ranks);
        if (stop || others)
            solve_progress_stop(progress);
    }
    return solve_progress_stopped(progress);
}

int solve_stage_report(void *user, double fraction, double t)
{
    solve_stage *stage = user;
    double more = stage->weight * (fraction - stage->reported);
    stage->reported = fraction;
    return solve_progress_report(stage->progress, more, t);
}

replica_pool replica_pool_of(int threads, int replicas, solve_progress *progress)
{
    int inside = threads > replicas;
    return (replica_pool){
        .replicas = replicas, .at_once = inside ? 1 : threads, .threads = inside ? threads : 1, .progress = progress};
}

/* Shared by the threads of one pool. */
typedef struct pool_state {
    sgdmft_context *ctx;
    const replica_pool *pool;
    replica_job job;
    void *user;
    sgdmft_status status; /* the first failure */
    char *message;
    int ended; /* replicas */
} pool_state;

static void keep_failure(pool_state *state, sgdmft_context *ctx, sgdmft_status status)
{
#pragma omp critical(sgdmft_replica_failure)
    if (!state->status) {
        state->status = status;
        state->message = ctx ? strdup(sgdmft_context_message(ctx)) : NULL;
    }
    if (state->pool->progress)
        solve_progress_stop(state->pool->progress);
}

static void run_replica(pool_state *state, int replica)
{
    int alone = state->pool->at_once == 1;
    sgdmft_context *ctx = alone ? state->ctx : NULL;
    sgdmft_status status = alone ? SGDMFT_OK : sgdmft_context_new(&ctx);
    if (!status && !alone)
        context_work_for(ctx, state->ctx);
    if (!status)
        status = state->job(ctx, state->user, replica, state->pool->threads);
    if (status)
        keep_failure(state, ctx, status);
    if (!alone)
        sgdmft_context_free(ctx);
}

/* Only this thread, the first, asks the caller, and it does so until the last replica has ended. */
static void wait_for_others(pool_state *state)
{
    const struct timespec moment = {0, 20000000};
    int ended;
    for (;;) {
#pragma omp atomic read
        ended = state->ended;
        if (ended == state->pool->replicas)
            return;
        if (state->pool->progress)
            solve_progress_report(state->pool->progress, 0, state->ctx->watch->t);
        nanosleep(&moment, NULL);
    }
}

sgdmft_status replica_pool_run(sgdmft_context *ctx, const replica_pool *pool, replica_job job, void *user)
{
    pool_state state = {.ctx = ctx, .pool = pool, .job = job, .user = user};
#pragma omp parallel num_threads(pool->at_once) if (pool->at_once > 1)
    {
#pragma omp for schedule(dynamic, 1) nowait
        for (int i = 0; i < pool->replicas; i++) {
            run_replica(&state, i);
#pragma omp atomic
            state.ended++;
        }
        if (omp_get_thread_num() == 0)
            wait_for_others(&state);
    }
    sgdmft_status status = SGDMFT_OK;
    if (state.status)
        status = context_fail(ctx, state.status, "%s", state.message ? state.message : "out of memory");
    free(state.message);
    return status;
}
