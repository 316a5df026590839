/* A replica draws its coordinates once and is solved on the grid of the problem and on every second node: of second
   order, so

     X_h = X + c h^2:   step error of X_h = (X_2h - X_h) / 3,   extrapolated X = X_h + (X_h - X_2h) / 3. */
#include "solvers/online/penalty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "coordinates/draw.h"
#include "solvers/online/march.h"
#include "solvers/online/replicas.h"

/* Coordinates of a pilot. */
enum { PILOT_PATHS = 2000 };

/* Work of the coarse grid, relative to that of both. */
static const double COARSE_SHARE = 1.0 / 3;

/* A march, and the two-time averages if they are wanted. */
typedef struct level {
    online_trace *trace;
    double *C, *R;
} level;

static void level_clear(level *l)
{
    online_trace_free(l->trace);
    free(l->C);
    free(l->R);
    *l = (level){NULL, NULL, NULL};
}

static sgdmft_status add_pairs(sgdmft_context *ctx, const online_setting *s, online_coordinates *coordinates, level *l)
{
    size_t kk = (size_t)(s->shape.k * s->shape.k), nodes = (size_t)l->trace->nodes, size = nodes * (nodes + 1) / 2 * kk;
    l->C = memory_doubles(size);
    l->R = memory_doubles(size);
    if (!l->C || !l->R)
        return context_out_of_memory(ctx, "the two-time averages", 16.0 * (double)size);
    sgdmft_status status = online_coordinates_pairs(ctx, coordinates, l->trace->nodes, l->trace->gamma, l->C, l->R);
    if (status || s->columns.response == s->columns.count)
        return status;
    for (size_t i = 0; i < nodes; i++)
        memcpy(l->trace->curve + i * l->trace->columns + s->columns.response, l->R + i * (i + 1) / 2 * kk,
               sizeof(double) * kk);
    return SGDMFT_OK;
}

static sgdmft_status solve_level(sgdmft_context *ctx, const online_setting *s, const online_laws *laws,
                                 const path_ensemble *in, const time_grid *grid, int full, int threads,
                                 const online_monitor *monitor, level *out)
{
    online_coordinates *coordinates = NULL;
    sgdmft_status status = online_trace_new(ctx, s, grid, full, &out->trace);
    if (!status)
        status = online_coordinates_new(ctx, s, in, grid, threads, &coordinates);
    if (!status)
        online_march(s, laws, coordinates, monitor, out->trace);
    if (!status && full)
        status = add_pairs(ctx, s, coordinates, out);
    online_coordinates_free(coordinates);
    return status;
}

/* The curves of a trace at time t into row[columns]; -1 if it did not get there. */
static int interpolate(const online_trace *tr, double t, double *row)
{
    double weights[4];
    int count, first = time_grid_stencil(tr->grid, t, &count, weights);
    if (first + count > tr->nodes)
        return -1;
    for (size_t c = 0; c < tr->columns; c++) {
        row[c] = 0;
        for (int i = 0; i < count; i++)
            row[c] += weights[i] * tr->curve[(size_t)(first + i) * tr->columns + c];
    }
    return 0;
}

/* Output times that both levels reached. `coarse` may be `fine`. */
static void fill_curves(const online_setting *s, const online_trace *fine, const online_trace *coarse, online_run *run)
{
    for (int i = 0; i < s->problem->output.times; i++) {
        double t = online_setting_time(s, i), *value = run->curve + (size_t)i * run->columns;
        double *step = run->step + (size_t)i * run->columns;
        if (interpolate(fine, t, value) || interpolate(coarse, t, step))
            return;
        for (size_t c = 0; c < run->columns; c++) {
            step[c] = (step[c] - value[c]) / 3;
            value[c] -= s->problem->numerics.extrapolate ? step[c] : 0;
        }
        run->rows = (size_t)i + 1;
    }
}

static void fill_run(const online_setting *s, level *fine, const online_trace *coarse, online_run *run)
{
    const online_trace *tr = fine->trace, *why = coarse->status ? coarse : tr;
    size_t nodes = (size_t)tr->nodes, kk = (size_t)(s->shape.k * s->shape.k);
    fill_curves(s, tr, coarse, run);
    run->nodes = nodes;
    run->t = nodes > 0 ? tr->grid->t[nodes - 1] : 0;
    memcpy(run->m, tr->m, sizeof(double) * nodes * (size_t)(s->shape.k * s->shape.kstar));
    memcpy(run->residual, tr->residual, sizeof(double) * nodes);
    memcpy(run->stein, tr->stein, sizeof(double) * kk);
    memcpy(run->stein_scale, tr->stein_scale, sizeof(double) * kk);
    run->pair_C = fine->C;
    run->pair_R = fine->R;
    fine->C = fine->R = NULL;
    run->steps = tr->steps;
    run->evaluations = tr->passes;
    run->passes_max = tr->passes_max;
    if (why->status)
        online_run_stop(run, why->status, "%s", why->message ? why->message : "");
}

static sgdmft_status new_run(sgdmft_context *ctx, const online_setting *s, online_run **out)
{
    size_t rows = (size_t)s->problem->output.times;
    sgdmft_status status = online_run_new(ctx, s, out);
    if (status)
        return status;
    (*out)->step = memory_doubles(rows * (*out)->columns);
    (*out)->residual = memory_doubles((size_t)s->grid->steps + 1);
    if ((*out)->step && (*out)->residual)
        return SGDMFT_OK;
    online_run_free(*out);
    *out = NULL;
    return context_out_of_memory(ctx, "a trajectory", online_run_bytes(s));
}

sgdmft_status online_penalty_pilot(sgdmft_context *ctx, const online_setting *s, online_law *law,
                                   const online_monitor *monitor, online_run **out)
{
    sgdmft_problem problem = *s->problem; /* borrows everything */
    path_source source = s->source;
    path_ensemble *in = NULL;
    level pilot = {NULL, NULL, NULL};
    online_laws laws = {.motion = law};
    source.problem = &problem;
    problem.numerics.paths = problem.numerics.paths < PILOT_PATHS ? problem.numerics.paths : PILOT_PATHS;
    sgdmft_status status = coordinates_draw(ctx, &source, s->coarse, 0, &in);
    if (!status)
        status = solve_level(ctx, s, &laws, in, s->coarse, 0, 1, monitor, &pilot);
    if (!status)
        status = new_run(ctx, s, out);
    if (!status)
        fill_run(s, &pilot, pilot.trace, *out);
    level_clear(&pilot);
    path_ensemble_free(in);
    return status;
}

/* Shared by the threads of one solve. */
typedef struct crew {
    const online_setting *s;
    const online_rule *rule;
    const char *sampled;
    online_progress *progress;
    online_outcome *out;
    double share; /* of the work, for each replica */
} crew;

static sgdmft_status make_laws(sgdmft_context *ctx, const crew *f, size_t replica, int threads, online_laws *out)
{
    *out = (online_laws){.sampled = f->sampled};
    if (!f->rule)
        return online_replica_law(ctx, f->s, replica, threads, &out->motion);
    sgdmft_status status = online_rule_law(ctx, f->s, f->rule, threads, &out->motion);
    return status || !f->sampled ? status : online_replica_law(ctx, f->s, replica, threads, &out->seen);
}

/* Both grids with the same coordinates, the coarse one first. */
static sgdmft_status solve_pair(sgdmft_context *ctx, const crew *f, size_t replica, int threads,
                                const online_laws *laws, level *fine, level *coarse)
{
    const online_setting *s = f->s;
    path_ensemble *in = NULL, *wide = NULL;
    online_stage stage[2] = {{.progress = f->progress, .weight = COARSE_SHARE * f->share},
                             {.progress = f->progress, .weight = (1 - COARSE_SHARE) * f->share}};
    online_monitor monitor[2] = {{online_progress_report, &stage[0]}, {online_progress_report, &stage[1]}};
    sgdmft_status status = coordinates_draw(ctx, &s->source, s->grid, (uint32_t)replica, &in);
    if (!status)
        status = path_ensemble_coarsen(ctx, in, &s->source, s->grid, s->coarse, &wide);
    if (!status)
        status = solve_level(ctx, s, laws, wide, s->coarse, 1, threads, &monitor[0], coarse);
    path_ensemble_free(wide);
    if (!status)
        status = solve_level(ctx, s, laws, in, s->grid, 1, threads, &monitor[1], fine);
    path_ensemble_free(in);
    return status;
}

static sgdmft_status solve_replica(sgdmft_context *ctx, void *user, size_t replica, int threads)
{
    crew *f = user;
    online_laws laws;
    level fine = {NULL, NULL, NULL}, coarse = {NULL, NULL, NULL};
    sgdmft_status status = make_laws(ctx, f, replica, threads, &laws);
    if (!status)
        status = solve_pair(ctx, f, replica, threads, &laws, &fine, &coarse);
    if (!status)
        status = new_run(ctx, f->s, &f->out->run[replica]);
    if (!status)
        fill_run(f->s, &fine, coarse.trace, f->out->run[replica]);
    level_clear(&fine);
    level_clear(&coarse);
    online_law_free(laws.motion);
    online_law_free(laws.seen);
    return status;
}

sgdmft_status online_penalty_replicas(sgdmft_context *ctx, const online_setting *s, const online_rule *rule,
                                      const char *sampled, online_progress *progress, online_outcome *out)
{
    size_t count = (size_t)s->problem->numerics.replicas;
    crew f = {.s = s, .rule = rule, .sampled = sampled, .progress = progress, .out = out};
    f.share = (1 - progress->done) / (double)count;
    out->run = calloc(count, sizeof *out->run);
    if (!out->run)
        return context_out_of_memory(ctx, "the replicas", (double)(sizeof *out->run * count));
    out->n_runs = count;
    out->points = (size_t)s->problem->numerics.paths;
    return online_replicas(ctx, s, progress, solve_replica, &f);
}

/* What the rates measured on one 2.3 GHz core suggest. */
void online_penalty_cost(const online_setting *s, double points, int threads, sgdmft_cost *out)
{
    static const double PER_POINT = 15e-9, PER_COORDINATE = 30e-9, PER_PAIR = 1e-9, PASSES = 5, GRIDS = 1.5, PARTS = 8;
    double replicas = s->problem->numerics.replicas, paths = (double)s->problem->numerics.paths;
    double k = s->shape.k, steps = s->grid->steps, pairs = steps * steps / 2 * k * k;
    int at_once = threads > replicas ? 1 : threads;
    out->memory_bytes += at_once * (online_coordinates_bytes(s->shape, s->grid->steps, 1.5 * paths) +
                                    online_law_bytes(s->shape, (size_t)points) + 16 * PARTS * pairs) +
                         replicas * 16 * pairs;
    out->cpu_seconds = GRIDS * replicas * steps *
                       (PASSES * PER_POINT * (k + s->shape.kstar) * points +
                        paths * (k * PER_COORDINATE + k * k * k * steps / 2 * PER_PAIR));
    out->wall_seconds = out->cpu_seconds / threads;
}
