/* A step is made self-consistent by passes: averages over fresh samples at its end from the moments of theta there,
   then these moments again from the coefficients P, Q, S that the averages give (coordinates.h).

   A replica draws its coordinates once and is solved on the grid of the problem and on every second node of it. The
   rule is of second order, X_h = X + c h^2, so that the two give the step error of X_h and its extrapolation
   (solvers/common/statistics.h). */
#include "solvers/online/march.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "coordinates/draw.h"
#include "core/memory.h"
#include "paths/coarsen.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"
#include "solvers/online/coordinates.h"

/* Coordinates of a pilot. */
enum { PILOT_PATHS = 2000 };

/* Work of the coarse grid, relative to that of both. */
static const double COARSE_SHARE = 1.0 / 3;

/* The laws of a fresh sample. */
typedef struct sample_laws {
    online_law *motion;   /* for the coefficients, and for curves that are not `sampled` */
    online_law *observed; /* for losses and observables that are `sampled`; NULL if none is */
    const char *sampled;  /* [columns] */
} sample_laws;

/* The result of a march over one grid, at nodes 0 .. nodes - 1. */
typedef struct grid_result {
    const time_grid *grid;
    size_t columns;
    int nodes;
    double *curves;   /* [N + 1][columns] */
    char *wanted;     /* [N + 1] nodes at which losses and observables are averaged */
    double *m, *q;    /* [N + 1][k][k*], [N + 1][k][k] */
    double *gamma;    /* [N + 1][k][k] Gamma */
    double *residual; /* [N + 1] change of the moments in the last pass of the step that ends at the node */
    double *C, *R;    /* two-time averages as in online_coordinates_pairs, or NULL */
    size_t steps, passes, passes_max;
    double stein[MATRIX_MAX * MATRIX_MAX], stein_scale[MATRIX_MAX * MATRIX_MAX]; /* at the horizon */
    sgdmft_status status;                                                        /* why it stopped early */
    char *message;
} grid_result;

static double grid_result_bytes(const online_plan *plan, const time_grid *grid)
{
    double k = plan->shape.k;
    return 8.0 * (grid->steps + 1) * ((double)plan->columns.count + k * plan->shape.kstar + 2 * k * k + 2);
}

/* To be cleared on failure, too. */
static sgdmft_status grid_result_init(sgdmft_context *ctx, const online_plan *plan, const time_grid *grid, int observe,
                                      grid_result *out)
{
    size_t nodes = (size_t)grid->steps + 1, kk = (size_t)(plan->shape.k * plan->shape.k);
    *out = (grid_result){.grid = grid, .columns = plan->columns.count};
    out->curves = memory_doubles(nodes * out->columns);
    out->wanted = memory_zeroed(nodes, 1);
    out->m = memory_doubles(nodes * (size_t)(plan->shape.k * plan->shape.kstar));
    out->q = memory_doubles(nodes * kk);
    out->gamma = memory_doubles(nodes * kk);
    out->residual = memory_doubles(nodes);
    if (!out->curves || !out->wanted || !out->m || !out->q || !out->gamma || !out->residual)
        return context_out_of_memory(ctx, "the result of a march", grid_result_bytes(plan, grid));
    if (observe)
        output_times_mark(plan->problem, grid, out->wanted);
    return SGDMFT_OK;
}

static void grid_result_clear(grid_result *result)
{
    free(result->curves);
    free(result->wanted);
    free(result->m);
    free(result->q);
    free(result->gamma);
    free(result->residual);
    free(result->C);
    free(result->R);
    free(result->message);
    memset(result, 0, sizeof *result);
}

static void stop(grid_result *result, sgdmft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void stop(grid_result *result, sgdmft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_replace(&result->message, format, args);
    va_end(args);
    result->status = status;
}

/* A march in progress. */
typedef struct marcher {
    const online_plan *plan;
    const sample_laws *laws;
    online_coordinates *coordinates;
    grid_result *result;
    double tolerance;
    online_rates now, next;                                        /* at both ends of the cell */
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX]; /* at the node being computed */
} marcher;

static void plugin_stop(const marcher *f, double t, int code)
{
    stop(f->result, SGDMFT_ERR_PLUGIN, "model: the loss call-back asked to stop near tau = %.6g (code %d)", t, code);
}

static double mean_square_of(const marcher *f)
{
    double sum = 0;
    for (int a = 0; a < f->plan->shape.k; a++)
        sum += f->q[a * (f->plan->shape.k + 1)] / f->plan->shape.k;
    return sum;
}

/* Makes the moments f->m, f->q those of the node and fills its row of the curves. */
static void record(marcher *f, int node)
{
    const online_plan *plan = f->plan;
    grid_result *result = f->result;
    int k = plan->shape.k;
    size_t overlap = (size_t)(k * plan->shape.kstar), kk = (size_t)(k * k), i = (size_t)node;
    double *row = result->curves + i * result->columns, *lower = row + plan->columns.q, t = result->grid->t[node];
    memcpy(result->m + i * overlap, f->m, sizeof(double) * overlap);
    memcpy(result->q + i * kk, f->q, sizeof(double) * kk);
    memcpy(result->gamma + i * kk, f->next.gamma, sizeof(double) * kk);
    memcpy(row + plan->columns.m, f->m, sizeof(double) * overlap);
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            *lower++ = f->q[a * k + b];
    int code = 0;
    if (result->wanted[node])
        code = online_law_fill_row(f->laws->motion, t, f->m, f->q, NULL, row);
    if (result->wanted[node] && f->laws->observed && !code)
        code = online_law_fill_row(f->laws->observed, t, f->m, f->q, f->laws->sampled, row);
    if (code)
        plugin_stop(f, t, code);
    else
        result->nodes = node + 1;
}

static void begin(marcher *f)
{
    int code;
    online_coordinates_start(f->coordinates, f->m, f->q);
    int failed = online_law_rates(f->laws->motion, 0, f->m, f->q, &f->next, &code);
    int finite = !failed;
    for (int c = 0; c < MATRIX_MAX * MATRIX_MAX; c++)
        finite &= isfinite(f->next.gs[c]) && isfinite(f->next.gg[c]) && isfinite(f->next.gamma[c]);
    if (failed < 0)
        plugin_stop(f, 0, code);
    else if (!finite)
        stop(f->result, SGDMFT_ERR_NON_FINITE,
             "an average of the gradient of the loss is not a finite number at tau = 0; hint: keep model.loss "
             "and its derivatives finite for all r and y");
    else
        record(f, 0);
}

static void set_coefficients(int k, const online_rates *rates, double eta, online_coefficients *out)
{
    double unused[MATRIX_MAX * MATRIX_MAX];
    out->eta = eta;
    memcpy(out->gamma, rates->gamma, sizeof out->gamma);
    memcpy(out->gamma_star, rates->gamma_star, sizeof out->gamma_star);
    if (matrix_psd_root(k, rates->gg, out->root, unused))
        memset(out->root, 0, sizeof out->root);
}

/* map[k][2k + k*] = (P, Q, S) of cell i from the averages at both its ends. Non-zero if an average is not finite or the
   system for the end of the cell is singular. */
static int set_map(const marcher *f, int i, double *map)
{
    const time_grid *grid = f->result->grid;
    int k = f->plan->shape.k, ks = f->plan->shape.kstar, n = 2 * k + ks;
    double h = grid->h[i], first = grid->eta_start[i], last = grid->eta_end[i];
    double left[MATRIX_MAX * MATRIX_MAX], noise[MATRIX_MAX * MATRIX_MAX], root[MATRIX_MAX * MATRIX_MAX];
    double unused[MATRIX_MAX * MATRIX_MAX];
    for (int c = 0; c < k * k; c++) {
        left[c] = (c % (k + 1) == 0) + 0.5 * h * last * f->next.gamma[c];
        noise[c] = 0.5 * h * (first * first * f->now.gg[c] + last * last * f->next.gg[c]);
        if (!isfinite(left[c]) || !isfinite(noise[c]))
            return -1;
    }
    if (matrix_psd_root(k, noise, root, unused))
        return -1;
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < k; b++) {
            map[a * n + b] = a == b;
            map[a * n + k + ks + b] = root[a * k + b];
        }
        for (int b = 0; b < ks; b++)
            map[a * n + k + b] = -0.5 * h * last * f->next.gamma_star[a * ks + b];
    }
    return matrix_solve(k, left, (size_t)n, map);
}

/* Computes f->m and f->q from joint, the second moments of (base, theta*, xi). Returns their change relative to the
   largest moment, NaN if one is not finite. */
static double set_moments(marcher *f, const double *map, const double *joint)
{
    int k = f->plan->shape.k, ks = f->plan->shape.kstar, n = 2 * k + ks;
    double half[MATRIX_MAX * ONLINE_JOINT_MAX] = {0}, change = 0, size = f->plan->moment_scale;
    for (int a = 0; a < k; a++)
        for (int c = 0; c < n; c++)
            for (int b = 0; b < n; b++)
                half[a * n + b] += map[a * n + c] * joint[c * n + b];
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < ks; b++) {
            double value = half[a * n + k + b];
            change = fmax(change, fabs(value - f->m[a * ks + b]));
            f->m[a * ks + b] = value;
            if (!isfinite(value))
                return NAN;
        }
        for (int b = 0; b < k; b++) {
            double value = 0;
            for (int c = 0; c < n; c++)
                value += half[a * n + c] * map[b * n + c];
            change = fmax(change, fabs(value - f->q[a * k + b]));
            size = fmax(size, fabs(value));
            f->q[a * k + b] = value;
            if (!isfinite(value))
                return NAN;
        }
    }
    return change / size;
}

static void diverged(const marcher *f, double t)
{
    stop(f->result, SGDMFT_ERR_DIVERGED,
         "the dynamics diverge: at tau = %.6g the mean square of theta is %.3g (limit %.3g); hint: lower eta, or "
         "shorten horizon to below %.6g; if the penalty is steep, raise numerics.steps",
         t, mean_square_of(f), f->plan->moment_limit, t);
}

/* One pass: the moments at the end of cell i, and the averages that they give. Returns the change of the moments, NaN
   if the dynamics diverge. Sets the status of the result if the march is to end. */
static double pass(marcher *f, int i, const double *joint, double *map)
{
    double t = f->result->grid->t[i + 1];
    int code, failed = set_map(f, i, map);
    double residual = failed ? NAN : set_moments(f, map, joint);
    if (isnan(residual) || !(mean_square_of(f) <= f->plan->moment_limit)) {
        diverged(f, t);
        return NAN;
    }
    failed = online_law_rates(f->laws->motion, t, f->m, f->q, &f->next, &code);
    if (failed < 0)
        plugin_stop(f, t, code);
    else if (failed)
        diverged(f, t);
    return residual;
}

static void step(marcher *f, int i)
{
    grid_result *result = f->result;
    double joint[ONLINE_JOINT_MAX * ONLINE_JOINT_MAX], map[MATRIX_MAX * ONLINE_JOINT_MAX], residual;
    online_coefficients start;
    size_t passes = 0, most = (size_t)f->plan->problem->numerics.passes_max;
    f->now = f->next;
    set_coefficients(f->plan->shape.k, &f->now, result->grid->eta_start[i], &start);
    online_coordinates_prepare(f->coordinates, i, &start, joint);
    do {
        passes++;
        residual = pass(f, i, joint, map);
    } while (!result->status && residual > f->tolerance && passes < most);
    result->steps++;
    result->passes += passes;
    result->passes_max = passes > result->passes_max ? passes : result->passes_max;
    if (result->status)
        return;
    if (residual > f->tolerance) {
        stop(result, SGDMFT_ERR_NO_CONVERGENCE,
             "the step to tau = %.6g is not self-consistent: residual %.3g after %zu passes, allowed %.3g; hint: raise "
             "numerics.steps or numerics.passes",
             result->grid->t[i + 1], residual, passes, f->tolerance);
        return;
    }
    result->residual[i + 1] = residual;
    online_coordinates_move(f->coordinates, i, map);
    record(f, i + 1);
}

/* From node 0 to the end of the grid of the result, which is that of the coordinates, or until there is a reason to
   stop. */
static void march(const online_plan *plan, const sample_laws *laws, online_coordinates *coordinates, solve_stage *stage,
                  grid_result *result)
{
    marcher f = {.plan = plan,
                 .laws = laws,
                 .coordinates = coordinates,
                 .result = result,
                 .tolerance = attainable_tolerance(plan->problem, plan->shape.jumps)};
    int steps = result->grid->steps;
    begin(&f);
    for (int i = 0; i < steps && !result->status; i++) {
        step(&f, i);
        double t = result->grid->t[i + 1];
        if (!result->status && solve_stage_report(stage, (i + 1.0) / steps, t))
            stop(result, SGDMFT_ERR_INTERRUPTED, "interrupted at tau = %.6g", t);
    }
    if (result->status)
        return;
    double T = plan->problem->horizon;
    int code = online_law_stein_defect(laws->motion, T, f.m, f.q, result->stein, result->stein_scale);
    if (code)
        plugin_stop(&f, T, code);
}

/* Two-time averages, and with them the curves of R(t, 0), unless the gradient of the penalty jumps. */
static sgdmft_status add_pairs(sgdmft_context *ctx, const online_plan *plan, online_coordinates *coordinates,
                               grid_result *result)
{
    size_t kk = (size_t)(plan->shape.k * plan->shape.k), nodes = (size_t)result->nodes,
           size = nodes * (nodes + 1) / 2 * kk;
    result->C = memory_doubles(size);
    result->R = memory_doubles(size);
    if (!result->C || !result->R)
        return context_out_of_memory(ctx, "the two-time averages", 16.0 * (double)size);
    sgdmft_status status =
        online_coordinates_pairs(ctx, coordinates, result->nodes, result->gamma, result->C, result->R);
    if (status || plan->columns.response == plan->columns.count)
        return status;
    for (size_t i = 0; i < nodes; i++)
        memcpy(result->curves + i * result->columns + plan->columns.response, result->R + i * (i + 1) / 2 * kk,
               sizeof(double) * kk);
    return SGDMFT_OK;
}

/* With losses, observables and two-time averages if `full`. */
static sgdmft_status solve_grid(sgdmft_context *ctx, const online_plan *plan, const sample_laws *laws,
                                const path_ensemble *in, const time_grid *grid, int full, int threads,
                                solve_stage *stage, grid_result *out)
{
    online_coordinates *coordinates = NULL;
    sgdmft_status status = grid_result_init(ctx, plan, grid, full, out);
    if (!status)
        status = online_coordinates_new(ctx, plan, in, grid, threads, &coordinates);
    if (!status)
        march(plan, laws, coordinates, stage, out);
    if (!status && full)
        status = add_pairs(ctx, plan, coordinates, out);
    online_coordinates_free(coordinates);
    return status;
}

/* Output times that both grids reached. `coarse` may be `fine`. */
static void fill_curves(const online_plan *plan, const grid_result *fine, const grid_result *coarse,
                        online_result *result)
{
    size_t columns = result->columns, reached = output_times_reached(plan->problem, fine->grid, fine->nodes);
    size_t coarse_reached = output_times_reached(plan->problem, coarse->grid, coarse->nodes);
    result->rows = reached < coarse_reached ? reached : coarse_reached;
    for (size_t i = 0; i < result->rows; i++)
        for (size_t c = 0; c < columns; c++) {
            double t = output_time(plan->problem, i);
            double x = value_at_time(fine->grid, t, fine->curves, columns, c);
            double y = value_at_time(coarse->grid, t, coarse->curves, columns, c);
            result->step_error[i * columns + c] = step_error_of(x, y);
            result->curves[i * columns + c] = plan->problem->numerics.extrapolate ? extrapolated(x, y) : x;
        }
}

/* Moves the two-time arrays of the fine grid. */
static void fill_result(const online_plan *plan, grid_result *fine, const grid_result *coarse, online_result *result)
{
    const grid_result *why = coarse->status ? coarse : fine;
    size_t nodes = (size_t)fine->nodes, kk = (size_t)(plan->shape.k * plan->shape.k);
    fill_curves(plan, fine, coarse, result);
    result->nodes = nodes;
    result->t = nodes > 0 ? fine->grid->t[nodes - 1] : 0;
    memcpy(result->m, fine->m, sizeof(double) * nodes * (size_t)(plan->shape.k * plan->shape.kstar));
    memcpy(result->residual, fine->residual, sizeof(double) * nodes);
    memcpy(result->stein, fine->stein, sizeof(double) * kk);
    memcpy(result->stein_scale, fine->stein_scale, sizeof(double) * kk);
    result->pair_C = fine->C;
    result->pair_R = fine->R;
    fine->C = fine->R = NULL;
    result->steps = fine->steps;
    result->passes = fine->passes;
    result->passes_max = fine->passes_max;
    if (why->status)
        online_result_stop(result, why->status, "%s", why->message ? why->message : "");
}

sgdmft_status online_march_pilot(sgdmft_context *ctx, const online_plan *plan, online_law *law, solve_stage *stage,
                                 online_result **out)
{
    sgdmft_problem problem = *plan->problem; /* borrows everything */
    path_source source = plan->source;
    path_ensemble *in = NULL;
    grid_result pilot = {.grid = NULL};
    sample_laws laws = {.motion = law};
    source.problem = &problem;
    problem.numerics.paths = problem.numerics.paths < PILOT_PATHS ? problem.numerics.paths : PILOT_PATHS;
    sgdmft_status status = coordinates_draw(ctx, &source, plan->coarse, 0, &in);
    if (!status)
        status = solve_grid(ctx, plan, &laws, in, plan->coarse, 0, 1, stage, &pilot);
    if (!status)
        status = online_result_new(ctx, plan, out);
    if (!status)
        fill_result(plan, &pilot, &pilot, *out);
    grid_result_clear(&pilot);
    path_ensemble_free(in);
    return status;
}

/* Shared by all replicas. */
typedef struct replica_work {
    const online_plan *plan;
    const online_orders *orders;
    const char *sampled;
    solve_progress *progress;
    online_results *all;
    double share; /* of each replica in the work of the solve */
} replica_work;

static sgdmft_status make_laws(sgdmft_context *ctx, const replica_work *work, int replica, int threads,
                               sample_laws *out)
{
    size_t n = (size_t)work->plan->problem->numerics.paths;
    *out = (sample_laws){.sampled = work->sampled};
    if (!work->orders)
        return online_law_of_replica(ctx, work->plan, replica, n, threads, &out->motion);
    sgdmft_status status = online_law_of_orders(ctx, work->plan, work->orders, threads, &out->motion);
    return status || !work->sampled ? status
                                    : online_law_of_replica(ctx, work->plan, replica, n, threads, &out->observed);
}

/* Both grids with the same coordinates, the coarse one first. */
static sgdmft_status solve_grids(sgdmft_context *ctx, const replica_work *work, int replica, int threads,
                                 const sample_laws *laws, grid_result *fine, grid_result *coarse)
{
    const online_plan *plan = work->plan;
    path_ensemble *in = NULL, *in_coarse = NULL;
    solve_stage first = {.progress = work->progress, .weight = COARSE_SHARE * work->share};
    solve_stage second = {.progress = work->progress, .weight = (1 - COARSE_SHARE) * work->share};
    sgdmft_status status = coordinates_draw(ctx, &plan->source, plan->grid, (uint32_t)replica, &in);
    if (!status)
        status = path_ensemble_coarsen(ctx, in, &plan->source, plan->grid, plan->coarse, &in_coarse);
    if (!status)
        status = solve_grid(ctx, plan, laws, in_coarse, plan->coarse, 1, threads, &first, coarse);
    path_ensemble_free(in_coarse);
    if (!status)
        status = solve_grid(ctx, plan, laws, in, plan->grid, 1, threads, &second, fine);
    path_ensemble_free(in);
    return status;
}

static sgdmft_status solve_replica(sgdmft_context *ctx, void *user, int replica, int threads)
{
    const replica_work *work = user;
    sample_laws laws;
    grid_result fine = {.grid = NULL}, coarse = {.grid = NULL};
    sgdmft_status status = make_laws(ctx, work, replica, threads, &laws);
    if (!status)
        status = solve_grids(ctx, work, replica, threads, &laws, &fine, &coarse);
    if (!status)
        status = online_result_new(ctx, work->plan, &work->all->result[replica]);
    if (!status)
        fill_result(work->plan, &fine, &coarse, work->all->result[replica]);
    grid_result_clear(&fine);
    grid_result_clear(&coarse);
    online_law_free(laws.motion);
    online_law_free(laws.observed);
    return status;
}

sgdmft_status online_march_replicas(sgdmft_context *ctx, const online_plan *plan, const online_orders *orders,
                                    const char *sampled, solve_progress *progress, online_results *all)
{
    int replicas = plan->problem->numerics.replicas;
    replica_work work = {.plan = plan, .orders = orders, .sampled = sampled, .progress = progress, .all = all};
    replica_pool pool = replica_pool_of(sgdmft_context_threads(ctx), replicas, progress);
    work.share = (1 - progress->done) / replicas;
    all->result = calloc((size_t)replicas, sizeof *all->result);
    if (!all->result)
        return context_out_of_memory(ctx, "the replicas", (double)replicas * sizeof *all->result);
    all->count = (size_t)replicas;
    all->points = (size_t)plan->problem->numerics.paths;
    return replica_pool_run(ctx, &pool, solve_replica, &work);
}

/* Rates are those of one 2.3 GHz core, in seconds. */
void online_march_cost(const online_plan *plan, double points, int threads, sgdmft_cost *out)
{
    static const double PER_POINT = 15e-9, PER_COORDINATE = 30e-9, PER_PAIR = 1e-9, PASSES = 5, GRIDS = 1.5, PARTS = 8;
    double replicas = plan->problem->numerics.replicas, paths = (double)plan->problem->numerics.paths;
    double k = plan->shape.k, steps = plan->grid->steps, pairs = steps * steps / 2 * k * k;
    int at_once = threads > replicas ? 1 : threads;
    out->memory_bytes += at_once * (online_coordinates_bytes(plan->shape, plan->grid->steps, 1.5 * paths) +
                                    online_law_bytes(plan->shape, (size_t)points) + 16 * PARTS * pairs) +
                         replicas * 16 * pairs;
    out->cpu_seconds = GRIDS * replicas * steps *
                       (PASSES * PER_POINT * (k + plan->shape.kstar) * points +
                        paths * (k * PER_COORDINATE + k * k * k * steps / 2 * PER_PAIR));
    out->wall_seconds = out->cpu_seconds / threads;
}
