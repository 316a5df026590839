#include "solvers/online/march.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/memory.h"

/* A mean square of theta this many times that of teacher and start counts as divergence. */
static const double MOMENT_GROWTH = 1e8;

static void want_stencils(const online_setting *s, online_trace *tr)
{
    double weights[4];
    int count;
    for (int i = 0; i < s->problem->output.times; i++) {
        int first = time_grid_stencil(tr->grid, online_setting_time(s, i), &count, weights);
        memset(tr->wanted + first, 1, (size_t)count);
    }
}

double online_trace_bytes(const online_setting *s, const time_grid *grid)
{
    double k = s->shape.k;
    return 8.0 * (grid->steps + 1) * ((double)s->columns.count + k * s->shape.kstar + 2 * k * k + 2);
}

sgdmft_status online_trace_new(sgdmft_context *ctx, const online_setting *s, const time_grid *grid, int observe,
                               online_trace **out)
{
    size_t nodes = (size_t)grid->steps + 1, kk = (size_t)(s->shape.k * s->shape.k);
    online_trace *tr = calloc(1, sizeof *tr);
    if (!tr)
        return context_out_of_memory(ctx, "a trajectory", sizeof *tr);
    tr->grid = grid;
    tr->columns = s->columns.count;
    tr->curve = memory_doubles(nodes * tr->columns);
    tr->wanted = memory_zeroed(nodes, 1);
    tr->m = memory_doubles(nodes * (size_t)(s->shape.k * s->shape.kstar));
    tr->q = memory_doubles(nodes * kk);
    tr->gamma = memory_doubles(nodes * kk);
    tr->residual = memory_doubles(nodes);
    if (!tr->curve || !tr->wanted || !tr->m || !tr->q || !tr->gamma || !tr->residual) {
        online_trace_free(tr);
        return context_out_of_memory(ctx, "a trajectory", online_trace_bytes(s, grid));
    }
    if (observe)
        want_stencils(s, tr);
    *out = tr;
    return SGDMFT_OK;
}

void online_trace_free(online_trace *trace)
{
    if (!trace)
        return;
    free(trace->curve);
    free(trace->wanted);
    free(trace->m);
    free(trace->q);
    free(trace->gamma);
    free(trace->residual);
    free(trace->message);
    free(trace);
}

static void stop(online_trace *tr, sgdmft_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void stop(online_trace *tr, sgdmft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_replace(&tr->message, format, args);
    va_end(args);
    tr->status = status;
}

typedef struct marcher {
    const online_setting *s;
    const online_laws *laws;
    online_coordinates *coordinates;
    online_trace *tr;
    double tolerance;
    online_rates now, next;                                    /* at both ends of the cell */
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX]; /* at the node being computed */
} marcher;

static void plugin_stop(const marcher *f, double t, int code)
{
    stop(f->tr, SGDMFT_ERR_PLUGIN, "model.plugin: the loss call-back asked to stop near tau = %.6g (code %d)", t, code);
}

static double trace_of(const marcher *f)
{
    double sum = 0;
    for (int a = 0; a < f->s->shape.k; a++)
        sum += f->q[a * (f->s->shape.k + 1)] / f->s->shape.k;
    return sum;
}

/* Makes the moments f->m, f->q those of the node and fills its row of the curves. */
static void record(marcher *f, int node)
{
    const online_setting *s = f->s;
    online_trace *tr = f->tr;
    int k = s->shape.k;
    size_t overlap = (size_t)(k * s->shape.kstar), kk = (size_t)(k * k), i = (size_t)node;
    double *row = tr->curve + i * tr->columns, *lower = row + s->columns.q, t = tr->grid->t[node];
    memcpy(tr->m + i * overlap, f->m, sizeof(double) * overlap);
    memcpy(tr->q + i * kk, f->q, sizeof(double) * kk);
    memcpy(tr->gamma + i * kk, f->next.gamma, sizeof(double) * kk);
    memcpy(row + s->columns.m, f->m, sizeof(double) * overlap);
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            *lower++ = f->q[a * k + b];
    int code = 0;
    if (tr->wanted[node])
        code = online_run_observe(s, f->laws->motion, t, f->m, f->q, row);
    if (tr->wanted[node] && f->laws->seen && !code)
        code = online_run_observe_some(s, f->laws->seen, t, f->m, f->q, f->laws->sampled, row);
    if (code)
        plugin_stop(f, t, code);
    else
        tr->nodes = node + 1;
}

static void begin(marcher *f)
{
    int code;
    online_coordinates_start(f->coordinates, f->m, f->q);
    int failed = online_rates_find(f->s, f->laws->motion, 0, f->m, f->q, &f->next, &code);
    int finite = !failed;
    for (int c = 0; c < MATRIX_MAX * MATRIX_MAX; c++)
        finite &= isfinite(f->next.gs[c]) && isfinite(f->next.gg[c]) && isfinite(f->next.gamma[c]);
    if (failed < 0)
        plugin_stop(f, 0, code);
    else if (!finite)
        stop(f->tr, SGDMFT_ERR_NON_FINITE,
             "an average of the gradient of the loss is not a finite number at tau = 0; hint: keep model.loss "
             "and its derivatives finite for all r and y");
    else
        record(f, 0);
}

static void set_drive(int k, const online_rates *rates, double eta, online_drive *out)
{
    double unused[MATRIX_MAX * MATRIX_MAX];
    out->eta = eta;
    memcpy(out->gamma, rates->gamma, sizeof out->gamma);
    memcpy(out->gamma_star, rates->gamma_star, sizeof out->gamma_star);
    if (matrix_psd_root(k, rates->gg, out->root, unused))
        memset(out->root, 0, sizeof out->root);
}

/* (P, Q, S) of cell i from the averages at both its ends; non-zero if there is none. */
static int set_map(const marcher *f, int i, double *map)
{
    const time_grid *grid = f->tr->grid;
    int k = f->s->shape.k, ks = f->s->shape.kstar, n = 2 * k + ks;
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

/* f->m and f->q from the moments of what the map applies to; returns their change relative to their size. */
static double set_moments(marcher *f, const double *map, const double *joint)
{
    int k = f->s->shape.k, ks = f->s->shape.kstar, n = 2 * k + ks;
    double half[MATRIX_MAX * ONLINE_JOINT_MAX] = {0}, change = 0, size = f->s->moment_scale;
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
    stop(f->tr, SGDMFT_ERR_DIVERGED,
         "the dynamics diverge: at tau = %.6g the mean square of theta is %.3g (limit %.3g); hint: lower eta, or "
         "shorten "
         "horizon to below %.6g; if the penalty is steep, raise numerics.steps",
         t, trace_of(f), MOMENT_GROWTH * f->s->moment_scale, t);
}

/* One pass: moments at the end of cell i, and the averages that they give. Returns the change of the moments, NaN if
   there are none; stops if a plug-in asks to. */
static double pass(marcher *f, int i, const double *joint, double *map)
{
    double t = f->tr->grid->t[i + 1];
    int code, failed = set_map(f, i, map);
    double residual = failed ? NAN : set_moments(f, map, joint);
    if (isnan(residual) || !(trace_of(f) <= MOMENT_GROWTH * f->s->moment_scale)) {
        diverged(f, t);
        return NAN;
    }
    failed = online_rates_find(f->s, f->laws->motion, t, f->m, f->q, &f->next, &code);
    if (failed < 0)
        plugin_stop(f, t, code);
    else if (failed)
        diverged(f, t);
    return residual;
}

static void step(marcher *f, int i)
{
    online_trace *tr = f->tr;
    double joint[ONLINE_JOINT_MAX * ONLINE_JOINT_MAX], map[MATRIX_MAX * ONLINE_JOINT_MAX], residual;
    online_drive drive;
    size_t passes = 0, most = (size_t)f->s->problem->numerics.passes_max;
    f->now = f->next;
    set_drive(f->s->shape.k, &f->now, tr->grid->eta_start[i], &drive);
    online_coordinates_prepare(f->coordinates, i, &drive, joint);
    do {
        passes++;
        residual = pass(f, i, joint, map);
    } while (!tr->status && residual > f->tolerance && passes < most);
    tr->steps++;
    tr->passes += passes;
    tr->passes_max = passes > tr->passes_max ? passes : tr->passes_max;
    if (tr->status)
        return;
    if (residual > f->tolerance) {
        stop(tr, SGDMFT_ERR_NO_CONVERGENCE,
             "the step to tau = %.6g is not self-consistent: residual %.3g after %zu passes, allowed %.3g; hint: raise "
             "numerics.steps or numerics.passes",
             tr->grid->t[i + 1], residual, passes, f->tolerance);
        return;
    }
    tr->residual[i + 1] = residual;
    online_coordinates_move(f->coordinates, i, map);
    record(f, i + 1);
}

/* Where the gradient jumps, averages over a sample jump when one point changes sides, so passes cannot agree better. */
static double tolerance_of(const online_setting *s)
{
    double tolerance = s->problem->numerics.tolerance, one_point = 2.0 / (double)s->problem->numerics.paths;
    return s->shape.jumps ? fmax(tolerance, one_point) : tolerance;
}

void online_march(const online_setting *s, const online_laws *laws, online_coordinates *coordinates,
                  const online_monitor *monitor, online_trace *trace)
{
    marcher f = {.s = s, .laws = laws, .coordinates = coordinates, .tr = trace, .tolerance = tolerance_of(s)};
    int steps = trace->grid->steps, code;
    begin(&f);
    for (int i = 0; i < steps && !trace->status; i++) {
        step(&f, i);
        double t = trace->grid->t[i + 1];
        if (!trace->status && monitor->report(monitor->user, (i + 1.0) / steps, t))
            stop(trace, SGDMFT_ERR_INTERRUPTED, "interrupted at tau = %.6g", t);
    }
    if (trace->status)
        return;
    if (online_rates_stein(s, laws->motion, s->problem->horizon, f.m, f.q, trace->stein, trace->stein_scale, &code))
        plugin_stop(&f, s->problem->horizon, code);
}
