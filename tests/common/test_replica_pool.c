/* Replicas on threads: every one is solved once, progress adds up to 1, the first failure comes back, stops are seen.
   */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "solvers/common/replica_pool.h"
#include "support/check.h"

enum { REPLICAS = 7 };

typedef struct job {
    solve_progress *progress;
    int solved[REPLICAS];
    int threads; /* inside a replica */
    int own;     /* 1 if a replica had a context of its own */
    int failing; /* number of the replica that fails, or -1 */
    int stopped; /* replicas that were asked to stop */
    const sgdmft_context *ctx;
} job;

static sgdmft_status solve(sgdmft_context *ctx, void *user, int replica, int threads)
{
    job *j = user;
    solve_stage stage = {.progress = j->progress, .weight = 1.0 / REPLICAS};
#pragma omp atomic
    j->solved[replica]++;
#pragma omp critical
    j->threads = threads;
    if (ctx != j->ctx) {
#pragma omp atomic write
        j->own = 1;
    }
    if (replica == j->failing)
        return context_fail(ctx, SGDMFT_ERR_PLUGIN, "replica %d has failed", replica);
    for (int i = 1; i <= 4 && j->progress; i++)
        if (solve_stage_report(&stage, i / 4.0, 2.5)) {
#pragma omp atomic
            j->stopped++;
            return SGDMFT_OK;
        }
    return SGDMFT_OK;
}

static void check_run(int threads, int at_once, int inside)
{
    sgdmft_context *ctx = check_context(threads);
    solve_progress progress = {.ctx = ctx};
    job j = {.progress = &progress, .failing = -1, .ctx = ctx};
    replica_pool pool = replica_pool_of(threads, REPLICAS, &progress);
    assert_int_equal(pool.at_once, at_once);
    check_ok(ctx, replica_pool_run(ctx, &pool, solve, &j));
    for (int r = 0; r < REPLICAS; r++)
        assert_int_equal(j.solved[r], 1);
    assert_int_equal(j.threads, inside);
    assert_int_equal(j.own, at_once > 1);
    assert_int_equal(j.stopped, 0);
    check_near(progress.done, 1, 1e-14, "progress");
    sgdmft_context_free(ctx);
}

static void all_are_solved(void **state)
{
    check_run(1, 1, 1);
    check_run(3, 3, 1);
    check_run(REPLICAS, REPLICAS, 1);
    check_run(16, 1, 16); /* few replicas: one after the other, each on all threads */
}

static void failures_come_back(void **state)
{
    for (int threads = 1; threads <= 16; threads += 5) {
        sgdmft_context *ctx = check_context(threads);
        solve_progress progress = {.ctx = ctx};
        job j = {.progress = &progress, .failing = 2, .ctx = ctx};
        replica_pool pool = replica_pool_of(threads, REPLICAS, &progress);
        check_failure(ctx, replica_pool_run(ctx, &pool, solve, &j), SGDMFT_ERR_PLUGIN, "replica 2 has failed");
        assert_int_equal(solve_progress_stopped(&progress), 1);
        j = (job){.failing = 6, .ctx = ctx}; /* without progress */
        pool = replica_pool_of(threads, REPLICAS, NULL);
        check_failure(ctx, replica_pool_run(ctx, &pool, solve, &j), SGDMFT_ERR_PLUGIN, "replica 6 has failed");
        sgdmft_context_free(ctx);
    }
}

/* Asks to stop at the third call. */
static int stop_soon(void *user, double fraction, double t)
{
    int *calls = user;
    check_between(fraction, 0, 1, "fraction");
    check_near(t, 2.5, 0, "time");
    return ++*calls >= 3;
}

static void stops_are_seen(void **state)
{
    for (int threads = 1; threads <= 4; threads += 3) {
        sgdmft_context *ctx = check_context(threads);
        int calls = 0;
        sgdmft_context_set_progress(ctx, stop_soon, &calls);
        solve_progress progress = {.ctx = ctx};
        job j = {.progress = &progress, .failing = -1, .ctx = ctx};
        replica_pool pool = replica_pool_of(threads, REPLICAS, &progress);
        check_ok(ctx, replica_pool_run(ctx, &pool, solve, &j));
        if (threads == 1)
            assert_int_equal(j.stopped, REPLICAS);
        assert_int_equal(solve_progress_stopped(&progress), calls >= 3);
        sgdmft_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_solved), cmocka_unit_test(failures_come_back),
                                       cmocka_unit_test(stops_are_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
