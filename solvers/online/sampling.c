/* Replicas by randomised quasi-Monte Carlo. The points of a replica stay the same all along its trajectory, which thereby
   is the solution of a smooth differential equation. The spread of the replicas gives standard errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/online/flow.h"
#include "solvers/online/penalty.h"
#include "solvers/online/replicas.h"

/* A gradient or Hessian with jumps or kinks makes averages over N points jump by 1/N as points cross: the integrator need
   not, and should not, follow that. Smooth fields are integrated well below their sampling error. */
static const double SMOOTH_RTOL = 1e-2, ROUGH_RTOL = 1;

/* Shared by the threads of one solve. */
typedef struct sampling {
    const online_setting *s;
    online_progress *progress;
    online_outcome *out;
    double share; /* of the work, for each replica */
} sampling;

static sgdmft_status solve_replica(sgdmft_context *ctx, void *user, size_t replica, int threads)
{
    sampling *f = user;
    online_law *law = NULL;
    sgdmft_status status = online_replica_law(ctx, f->s, replica, threads, &law);
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
    sampling f = {.s = s, .progress = progress, .out = out};
    if (s->pen)
        return online_penalty_replicas(ctx, s, NULL, NULL, progress, out);
    f.share = (1 - progress->done) / (double)replicas;
    out->run = calloc(replicas, sizeof *out->run);
    if (!out->run)
        return context_out_of_memory(ctx, "the replicas", (double)(sizeof *out->run * replicas));
    out->n_runs = replicas;
    out->points = (size_t)s->problem->numerics.paths;
    return online_replicas(ctx, s, progress, solve_replica, &f);
}

static sgdmft_status observe_replica(sgdmft_context *ctx, void *user, size_t replica, int threads)
{
    sampling *f = user;
    const online_run *run = f->out->run[0];
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX], *rows = memory_doubles(run->rows * run->columns);
    online_law *law = NULL;
    f->out->seen[replica] = rows;
    if (!rows)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)(run->rows * run->columns));
    sgdmft_status status = online_replica_law(ctx, f->s, replica, threads, &law);
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
    sampling f = {.s = s, .out = out};
    out->seen = calloc(replicas, sizeof *out->seen);
    if (!out->seen)
        return context_out_of_memory(ctx, "the replicas", (double)(sizeof *out->seen * replicas));
    out->n_seen = replicas;
    return online_replicas(ctx, s, NULL, observe_replica, &f);
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
