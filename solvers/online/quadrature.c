/* One trajectory by Gauss-Hermite quadrature.

   The orders are first chosen at the start, then checked at states along a quick trajectory, raised where needed, and so
   on until they suffice along the whole of it. The solution is then computed with the next higher orders, and again with
   the verified ones and ten times the tolerance: the difference bounds quadrature and integration errors of the former.

   The dynamics may be smooth where a loss or an observable is not (e.g. the share of wrong signs). Such averages are seen
   by comparing the two rules at the same states; they are sampled instead. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/online/flow.h"
#include "solvers/online/outcome.h"
#include "solvers/online/penalty.h"

/* States along the curve at which rules are compared, and rounds of choosing orders. */
enum { STATES = 6, ROUNDS = 4 };

/* Accuracy of the rule and of the quick trajectory; a tolerance above the first would let jumps pass for smooth. */
static const double RULE_TOLERANCE = 1e-6, QUICK_RTOL = 1e-6;

/* A loss or observable that changes by more than this part of its scale from one rule to the next is sampled. */
static const double OBSERVABLE_TOLERANCE = 1e-6;

/* Shares of the work. */
static const double QUICK_SHARE = 0.05, VALUE_SHARE = 0.5, CHECK_SHARE = 0.3;

/* A state this far out belongs to dynamics that diverge. */
static const double FAR_OUT = 1e3;

/* The integrator keeps the error of a step below a part of the tolerance, as errors add up. */
double online_rtol(const online_setting *s)
{
    return fmax(0.1 * s->problem->numerics.tolerance, 1e-12);
}

typedef struct quadrature {
    sgdmft_context *ctx;
    const online_setting *s;
    online_progress *progress;
    int threads;
    online_rule rule;
    online_state states[STATES];
    size_t n_states;
} quadrature;

static sgdmft_status trajectory(const quadrature *f, online_law *law, double rtol, int observe, double share,
                                online_run **out)
{
    online_stage stage = {.progress = f->progress, .weight = share};
    online_options options = {.rtol = rtol,
                              .response_rtol = rtol,
                              .implicit = 1,
                              .observe = observe,
                              .monitor = {online_progress_report, &stage}};
    if (f->s->pen)
        return online_penalty_pilot(f->ctx, f->s, law, &options.monitor, out);
    return online_integrate(f->ctx, f->s, law, &options, out);
}

static void add_state(quadrature *f, double t, const double *m, const double *q)
{
    double sum = 0;
    for (int a = 0; a < f->s->shape.k; a++)
        sum += q[a * (f->s->shape.k + 1)];
    if (sum <= FAR_OUT * f->s->moment_scale && !online_state_set(f->s, t, m, q, &f->states[f->n_states]))
        f->n_states++;
}

/* Evenly spread output times, both ends among them. */
static size_t row_of_state(size_t rows, size_t i)
{
    return rows > 1 ? i * (rows - 1) / (STATES - 1) : 0;
}

static void take_states(quadrature *f, const online_run *run)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    f->n_states = 0;
    for (size_t i = 0; i < STATES && run->rows > 0; i++) {
        size_t row = row_of_state(run->rows, i);
        online_run_state(f->s, run, row, m, q);
        add_state(f, online_setting_time(f->s, (int)row), m, q);
    }
}

static sgdmft_status refine(quadrature *f, online_rule_outcome *outcome)
{
    double tolerance = fmin(f->s->problem->numerics.tolerance, RULE_TOLERANCE);
    return online_rule_refine(f->ctx, f->s, f->states, f->n_states, fmax(tolerance, 1e-11), f->threads, &f->rule,
                              outcome);
}

static sgdmft_status explore(quadrature *f)
{
    online_law *law = NULL;
    online_run *run = NULL;
    sgdmft_status status = online_rule_law(f->ctx, f->s, &f->rule, f->threads, &law);
    if (!status)
        status = trajectory(f, law, fmax(online_rtol(f->s), QUICK_RTOL), 0, QUICK_SHARE, &run);
    if (!status)
        take_states(f, run);
    online_run_free(run);
    online_law_free(law);
    return status;
}

/* *found = 1 with a rule that is good along the whole trajectory. */
static sgdmft_status choose_rule(quadrature *f, int *found)
{
    online_rule_outcome outcome = RULE_REFINED;
    f->rule = online_rule_first();
    add_state(f, 0, f->s->problem->initial.m, f->s->problem->initial.q);
    sgdmft_status status = refine(f, &outcome);
    for (int round = 0; round < ROUNDS && !status && outcome != RULE_NOT_FOUND; round++) {
        status = explore(f);
        if (!status && !online_progress_stopped(f->progress))
            status = refine(f, &outcome);
        if (outcome == RULE_UNCHANGED || online_progress_stopped(f->progress))
            break;
    }
    *found = outcome != RULE_NOT_FOUND;
    return status;
}

static int is_average(const online_setting *s, size_t column)
{
    return column == s->columns.train_loss || column == s->columns.test_loss ||
           (column >= s->columns.observables && column < s->columns.response);
}

/* Marks the curves that `coarse` gets wrong at states of the run. Returns the code of a plug-in that asked to stop. */
static int compare_averages(const quadrature *f, online_law *coarse, const online_run *run, double *row, char *differs)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    int code = 0;
    for (size_t i = 0; i < STATES && run->rows > 0 && !code; i++) {
        size_t at = row_of_state(run->rows, i);
        online_run_state(f->s, run, at, m, q);
        code = online_run_observe(f->s, coarse, online_setting_time(f->s, (int)at), m, q, row);
        for (size_t c = 0; c < run->columns; c++) {
            double scale = 0, change = fabs(row[c] - run->curve[at * run->columns + c]);
            for (size_t j = 0; j < run->rows; j++)
                scale = fmax(scale, fabs(run->curve[j * run->columns + c]));
            if (is_average(f->s, c) && change > OBSERVABLE_TOLERANCE * scale)
                differs[c] = 1;
        }
    }
    return code;
}

static sgdmft_status plugin_status(const quadrature *f, int code)
{
    return code
               ? context_fail(f->ctx, SGDMFT_ERR_PLUGIN, "%s: model.plugin: the loss call-back asked to stop (code %d)",
                              f->s->problem->source, code)
               : SGDMFT_OK;
}

static sgdmft_status find_sampled(const quadrature *f, online_law *coarse, online_outcome *out)
{
    const online_run *run = out->run[0];
    double *row = memory_doubles(run->columns);
    out->sampled = memory_zeroed(run->columns, 1);
    if (!row || !out->sampled) {
        free(row);
        return context_out_of_memory(f->ctx, "the curves", 8.0 * (double)run->columns);
    }
    int code = compare_averages(f, coarse, run, row, out->sampled);
    free(row);
    if (code)
        return plugin_status(f, code);
    if (memchr(out->sampled, 1, run->columns))
        return online_sample_observables(f->ctx, f->s, out);
    free(out->sampled);
    out->sampled = NULL;
    return SGDMFT_OK;
}

static sgdmft_status solve(quadrature *f, online_outcome *out)
{
    online_law *fine = NULL, *coarse = NULL;
    online_rule raised = online_rule_raised(&f->rule);
    double rtol = online_rtol(f->s);
    out->run = calloc(1, sizeof *out->run);
    out->n_runs = 1;
    sgdmft_status status =
        out->run ? SGDMFT_OK : context_out_of_memory(f->ctx, "a trajectory", (double)sizeof *out->run);
    if (!status)
        status = online_rule_law(f->ctx, f->s, &raised, f->threads, &fine);
    if (!status)
        status = trajectory(f, fine, rtol, 1, VALUE_SHARE, &out->run[0]);
    if (!status) {
        out->points = online_law_points(fine);
        status = online_rule_law(f->ctx, f->s, &f->rule, f->threads, &coarse);
    }
    online_law_free(fine);
    if (!status && !online_progress_stopped(f->progress))
        status = trajectory(f, coarse, 10 * rtol, 1, CHECK_SHARE, &out->check);
    if (!status)
        status = find_sampled(f, coarse, out);
    online_law_free(coarse);
    return status;
}

/* Losses and observables of a pilot at the states where rules are compared, by the raised rule. */
static sgdmft_status observe_pilot(const quadrature *f, online_law *law, online_run *pilot)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    int code = 0;
    for (size_t i = 0; i < STATES && pilot->rows > 0 && !code; i++) {
        size_t row = row_of_state(pilot->rows, i);
        online_run_state(f->s, pilot, row, m, q);
        code = online_run_observe(f->s, law, online_setting_time(f->s, (int)row), m, q,
                                  pilot->curve + row * pilot->columns);
    }
    return plugin_status(f, code);
}

/* Marks the curves that the rule gets wrong along a pilot. */
static sgdmft_status find_rough(const quadrature *f, const online_rule *raised, char *rough)
{
    online_law *fine = NULL, *coarse = NULL;
    online_run *pilot = NULL;
    double *row = memory_doubles(f->s->columns.count);
    sgdmft_status status =
        row ? SGDMFT_OK : context_out_of_memory(f->ctx, "the curves", 8.0 * (double)f->s->columns.count);
    if (!status)
        status = online_rule_law(f->ctx, f->s, raised, f->threads, &fine);
    if (!status)
        status = online_rule_law(f->ctx, f->s, &f->rule, f->threads, &coarse);
    if (!status)
        status = trajectory(f, fine, 0, 0, QUICK_SHARE, &pilot);
    if (!status)
        status = observe_pilot(f, fine, pilot);
    if (!status)
        status = plugin_status(f, compare_averages(f, coarse, pilot, row, rough));
    online_run_free(pilot);
    online_law_free(fine);
    online_law_free(coarse);
    free(row);
    return status;
}

/* The same with sampled coordinates: one trajectory for each replica, all with the raised rule. */
static sgdmft_status solve_sampled(quadrature *f, online_outcome *out)
{
    online_rule raised = online_rule_raised(&f->rule);
    size_t columns = f->s->columns.count;
    char *rough = memory_zeroed(columns, 1);
    sgdmft_status status =
        rough ? find_rough(f, &raised, rough) : context_out_of_memory(f->ctx, "the curves", (double)columns);
    if (!status)
        status =
            online_penalty_replicas(f->ctx, f->s, &raised, memchr(rough, 1, columns) ? rough : NULL, f->progress, out);
    free(rough);
    return status;
}

sgdmft_status online_by_quadrature(sgdmft_context *ctx, const online_setting *s, online_progress *progress, int *found,
                                   online_outcome *out)
{
    quadrature f = {.ctx = ctx, .s = s, .progress = progress, .threads = sgdmft_context_threads(ctx)};
    *found = 0;
    if (s->shape.jumps) /* quadrature would not converge */
        return SGDMFT_OK;
    sgdmft_status status = choose_rule(&f, found);
    if (!status && *found)
        status = s->pen ? solve_sampled(&f, out) : solve(&f, out);
    return status;
}
