/* Replicas by randomised quasi-Monte Carlo. The points of a replica stay the same all along its trajectory, which thereby
   is the solution of a smooth differential equation. The spread of the replicas gives standard errors. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths/draws.h"
#include "solvers/online_flow.h"
#include "solvers/online_outcome.h"

/* A gradient or Hessian with jumps or kinks makes averages over N points jump by 1/N as points cross: the integrator need
   not, and should not, follow that. Smooth fields are integrated well below their sampling error. */
static const double SMOOTH_RTOL = 1e-2, ROUGH_RTOL = 1;

/* Shared by the threads of one solve. */
typedef struct sampling {
    sgdmft_context *ctx;
    const online_setting *s;
    online_progress *progress;
    online_outcome *out;
    int inner_threads;
    double share; /* of the work, for each replica */
    sgdmft_status status;
    char *message;
} sampling;

typedef sgdmft_status (*replica_job)(sgdmft_context *ctx, sampling *f, size_t replica);

/* A thread has a context of its own: messages of different replicas do not mix. */
static void run_one(sampling *f, replica_job job, size_t replica)
{
    sgdmft_context *own = NULL;
    sgdmft_status status = sgdmft_context_new(&own);
    if (!status)
        status = job(own, f, replica);
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

static sgdmft_status run_all(sampling *f, replica_job job)
{
    int replicas = f->s->problem->numerics.replicas, threads = sgdmft_context_threads(f->ctx);
    int outer = threads > replicas ? 1 : threads; /* few replicas on many threads: share the points of each */
    f->inner_threads = threads > replicas ? threads : 1;
#pragma omp parallel for schedule(dynamic, 1) num_threads(outer) if (outer > 1)
    for (int r = 0; r < replicas; r++)
        run_one(f, job, (size_t)r);
    sgdmft_status status = SGDMFT_OK;
    if (f->status)
        status = context_fail(f->ctx, f->status, "%s", f->message ? f->message : "out of memory");
    free(f->message);
    return status;
}

static sgdmft_status make_law(sgdmft_context *ctx, const sampling *f, size_t replica, online_law **out)
{
    const sgdmft_problem *problem = f->s->problem;
    model_shape shape = f->s->shape;
    random_key key = {.seed = problem->numerics.seed, .replica = (uint32_t)replica, .purpose = DRAW_SOBOL};
    gauss_points points;
    sgdmft_status status =
        gauss_sobol_new(ctx, key, shape.kstar + shape.noises + shape.k, (size_t)problem->numerics.paths, &points);
    return status ? status : online_law_new(ctx, f->s, &points, f->inner_threads, out);
}

static sgdmft_status solve_replica(sgdmft_context *ctx, sampling *f, size_t replica)
{
    online_law *law = NULL;
    sgdmft_status status = make_law(ctx, f, replica, &law);
    if (!status) {
        double per_point = 1 / (double)online_law_points(law);
        online_stage stage = {.progress = f->progress, .weight = f->share};
        online_options options = {.observe = 1, .monitor = {online_progress_report, &stage}};
        options.response_rtol = fmax(online_rtol(f->s), ROUGH_RTOL * per_point);
        options.rtol = fmax(online_rtol(f->s), (f->s->shape.jumps ? ROUGH_RTOL : SMOOTH_RTOL) * per_point);
        status = online_integrate(ctx, f->s, law, &options, &f->out->run[replica]);
    }
    online_law_free(law);
    return status;
}

sgdmft_status online_by_sampling(sgdmft_context *ctx, const online_setting *s, online_progress *progress,
                                 online_outcome *out)
{
    size_t replicas = (size_t)s->problem->numerics.replicas;
    sampling f = {.ctx = ctx, .s = s, .progress = progress, .out = out};
    f.share = (1 - progress->done) / (double)replicas;
    out->run = calloc(replicas, sizeof *out->run);
    if (!out->run)
        return context_out_of_memory(ctx, "the replicas", (double)(sizeof *out->run * replicas));
    out->n_runs = replicas;
    out->points = (size_t)s->problem->numerics.paths;
    return run_all(&f, solve_replica);
}

static sgdmft_status observe_replica(sgdmft_context *ctx, sampling *f, size_t replica)
{
    const online_run *run = f->out->run[0];
    double m[BLOCK_MAX * BLOCK_MAX], q[BLOCK_MAX * BLOCK_MAX], *rows = memory_doubles(run->rows * run->columns);
    online_law *law = NULL;
    f->out->seen[replica] = rows;
    if (!rows)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)(run->rows * run->columns));
    sgdmft_status status = make_law(ctx, f, replica, &law);
    int code = 0;
    for (size_t i = 0; i < run->rows && !status && !code; i++) {
        online_run_state(f->s, run, i, m, q);
        code = online_run_observe(f->s, law, online_setting_time(f->s, (int)i), m, q, rows + i * run->columns);
    }
    online_law_free(law);
    return code ? context_fail(ctx, SGDMFT_ERR_PLUGIN, "%s: model.plugin: the loss call-back asked to stop (code %d)",
                               f->s->problem->source, code)
                : status;
}

sgdmft_status online_sample_observables(sgdmft_context *ctx, const online_setting *s, online_outcome *out)
{
    size_t replicas = (size_t)s->problem->numerics.replicas;
    sampling f = {.ctx = ctx, .s = s, .out = out};
    out->seen = calloc(replicas, sizeof *out->seen);
    if (!out->seen)
        return context_out_of_memory(ctx, "the replicas", (double)(sizeof *out->seen * replicas));
    out->n_seen = replicas;
    return run_all(&f, observe_replica);
}

void online_outcome_clear(online_outcome *o)
{
    for (size_t r = 0; o->run && r < o->n_runs; r++)
        online_run_free(o->run[r]);
    for (size_t r = 0; o->seen && r < o->n_seen; r++)
        free(o->seen[r]);
    free(o->run);
    free(o->seen);
    free(o->sampled);
    online_run_free(o->check);
    memset(o, 0, sizeof *o);
}
