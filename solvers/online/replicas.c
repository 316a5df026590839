#include "solvers/online/replicas.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "paths/draws.h"

/* Shared by the threads. */
typedef struct crew {
    online_progress *progress;
    online_replica_job job;
    void *user;
    int inner_threads;
    sgdmft_status status;
    char *message;
} crew;

/* A thread has a context of its own: messages of different replicas do not mix. */
static void run_one(crew *f, size_t replica)
{
    sgdmft_context *own = NULL;
    sgdmft_status status = sgdmft_context_new(&own);
    if (!status)
        status = f->job(own, f->user, replica, f->inner_threads);
    if (status) {
#pragma omp critical(sgdmft_online_failure)
        if (!f->status) {
            f->status = status;
            f->message = own ? strdup(sgdmft_context_message(own)) : NULL;
        }
        if (f->progress)
            online_progress_stop(f->progress);
    }
    sgdmft_context_free(own);
}

sgdmft_status online_replicas(sgdmft_context *ctx, const online_setting *s, online_progress *progress,
                              online_replica_job job, void *user)
{
    int replicas = s->problem->numerics.replicas, threads = sgdmft_context_threads(ctx);
    int outer = threads > replicas ? 1 : threads; /* few replicas on many threads: share the points of each */
    crew f = {.progress = progress, .job = job, .user = user, .inner_threads = threads > replicas ? threads : 1};
#pragma omp parallel for schedule(dynamic, 1) num_threads(outer) if (outer > 1)
    for (int r = 0; r < replicas; r++)
        run_one(&f, (size_t)r);
    sgdmft_status status = SGDMFT_OK;
    if (f.status)
        status = context_fail(ctx, f.status, "%s", f.message ? f.message : "out of memory");
    free(f.message);
    return status;
}

sgdmft_status online_replica_law(sgdmft_context *ctx, const online_setting *s, size_t replica, int threads,
                                 online_law **out)
{
    const sgdmft_problem *problem = s->problem;
    model_shape shape = s->shape;
    random_key key = {.seed = problem->numerics.seed, .replica = (uint32_t)replica, .purpose = DRAW_SOBOL};
    gauss_points points;
    sgdmft_status status =
        gauss_sobol_new(ctx, key, shape.kstar + shape.noises + shape.k, (size_t)problem->numerics.paths, &points);
    return status ? status : online_law_new(ctx, s, &points, threads, out);
}
