/* The limit of many samples per dimension, n/d -> infinity at fixed tau = n/d times the number of passes. Every sample
   is visited once, so that nothing that a path did before matters, and (docs/theory.md, section 8)

     dm/dtau = - lambda m - E[eta g w*^T]
     dq/dtau = - 2 lambda q - E[eta (g w^T + w g^T)] + E[eta^2 g g^T]

   with (w, w*) Gaussian of covariance [[q, m], [m^T, rho]]. Response and two-time correlation: moments.c. With a
   penalty other than the ridge the moments do not close, and coordinates are sampled: coordinates.h.

   Where the problem is smooth enough, averages come from Gauss-Hermite quadrature. Orders are chosen at the start, then
   checked at states along a quick march and raised where needed, until they suffice along the whole of it. The solution
   is computed with the next higher orders, and again with the verified ones and ten times the tolerance: the difference
   bounds quadrature and integration errors of the former. The motion may be smooth where a loss or an observable is
   not, for example the share of wrong signs. Such averages show in a comparison of the two rules at the same states,
   and are sampled along the march.

   Where the expressions of the model multiply out to sums of products of functions of few variables, as those of
   committees with the square loss do, a rule has as many dimensions as a term has variables (solvers/online/factors.h),
   and any number of students and teachers is solved so. Only what is no such sum needs rules over all variables at
   once.

   Otherwise averages come from randomised quasi-Monte Carlo. The points of a replica stay the same along its march,
   which thereby solves a smooth differential equation, and standard errors come from independent replicas. Noise of the
   averages can also move all replicas to one side, as where it ends a plateau before its time; every replica is
   therefore marched with half of its points as well, and what that changes on average is part of the standard error. */
#include "solvers/online/online.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/common/output_times.h"
#include "solvers/online/factor_rule.h"
#include "solvers/online/march.h"
#include "solvers/online/moments.h"
#include "solvers/online/quadrature.h"

/* States along the curve at which rules are compared, and rounds of choosing orders. */
enum { STATES = 6, ROUNDS = 4 };

/* Accuracy of the rule and of the quick march. A tolerance above the first would let jumps pass for smooth. */
static const double RULE_TOLERANCE = 1e-6, QUICK_RTOL = 1e-6;

/* A loss or observable that changes by more than this part of its scale from one rule to the next is sampled. */
static const double OBSERVABLE_TOLERANCE = 1e-6;

/* Parts of the work. */
static const double QUICK_SHARE = 0.05, VALUE_SHARE = 0.5, CHECK_SHARE = 0.3;

/* In units of the moments at the start: states beyond this belong to dynamics that diverge and need not be averaged
   over accurately. */
static const double FAR_OUT = 1e3;

/* Tolerance of a sampled march, in units of the weight 1/N of one point. A gradient or Hessian with jumps or kinks
   makes averages jump by 1/N as points cross them, which the integrator need not, and should not, resolve. Smooth
   averages are integrated well below their sampling error. */
static const double SMOOTH_RTOL = 1e-2, ROUGH_RTOL = 1;

/* The integrator keeps the error of a step below a part of the tolerance, as errors add up. */
static double integration_tolerance(const online_plan *plan)
{
    return fmax(0.1 * plan->problem->numerics.tolerance, 1e-12);
}

typedef struct quadrature {
    sgdmft_context *ctx;
    const online_plan *plan;
    solve_progress *progress;
    int threads;
    online_orders orders;
    online_state states[STATES];
    size_t n_states;
} quadrature;

/* One march with averages by `law`; a quick one over sampled coordinates if there is a penalty. */
static sgdmft_status march(const quadrature *f, online_law *law, double rtol, int observe, double share,
                           online_result **out)
{
    solve_stage stage = {.progress = f->progress, .weight = share};
    online_accuracy accuracy = {.rtol = rtol, .response_rtol = rtol, .implicit = 1, .observe = observe};
    if (f->plan->penalty)
        return online_march_pilot(f->ctx, f->plan, law, &stage, out);
    return online_moments_solve(f->ctx, f->plan, law, &accuracy, &stage, out);
}

static void add_state(quadrature *f, double t, const double *m, const double *q)
{
    double sum = 0;
    for (int a = 0; a < f->plan->shape.k; a++)
        sum += q[a * (f->plan->shape.k + 1)];
    if (sum <= FAR_OUT * f->plan->moment_scale && !online_state_set(f->plan, t, m, q, &f->states[f->n_states]))
        f->n_states++;
}

/* Output time of state i: evenly spaced among the rows reached, both ends included. */
static size_t row_of_state(size_t rows, size_t i)
{
    return rows > 1 ? i * (rows - 1) / (STATES - 1) : 0;
}

static void take_states(quadrature *f, const online_result *result)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    f->n_states = 0;
    for (size_t i = 0; i < STATES && result->rows > 0; i++) {
        size_t row = row_of_state(result->rows, i);
        online_result_moments(f->plan, result, row, m, q);
        add_state(f, output_time(f->plan->problem, row), m, q);
    }
}

static sgdmft_status refine(quadrature *f, online_refinement *refinement)
{
    double tolerance = fmin(f->plan->problem->numerics.tolerance, RULE_TOLERANCE);
    return online_orders_refine(f->ctx, f->plan, f->states, f->n_states, fmax(tolerance, 1e-11), f->threads, &f->orders,
                                refinement);
}

/* The states of a quick march. */
static sgdmft_status explore(quadrature *f)
{
    online_law *law = NULL;
    online_result *result = NULL;
    sgdmft_status status = online_law_of_orders(f->ctx, f->plan, &f->orders, f->threads, &law);
    if (!status)
        status = march(f, law, fmax(integration_tolerance(f->plan), QUICK_RTOL), 0, QUICK_SHARE, &result);
    if (!status)
        take_states(f, result);
    online_result_free(result);
    online_law_free(law);
    return status;
}

/* *found = 1 with orders that are high enough along the whole march. */
static sgdmft_status choose_orders(quadrature *f, int by_factors, int *found)
{
    online_refinement refinement = ORDERS_RAISED;
    f->orders = online_orders_first(by_factors);
    f->n_states = 0;
    add_state(f, 0, f->plan->problem->initial.m, f->plan->problem->initial.q);
    sgdmft_status status = refine(f, &refinement);
    for (int round = 0; round < ROUNDS && !status && refinement != ORDERS_NOT_FOUND; round++) {
        status = explore(f);
        if (!status && !solve_progress_stopped(f->progress))
            status = refine(f, &refinement);
        if (refinement == ORDERS_KEPT || solve_progress_stopped(f->progress))
            break;
    }
    *found = refinement != ORDERS_NOT_FOUND;
    return status;
}

static int is_average(const online_plan *plan, size_t column)
{
    return column == plan->columns.train_loss || column == plan->columns.test_loss ||
           (column >= plan->columns.observables && column < plan->columns.response);
}

/* Marks the curves of the result that `coarse` gets wrong at the states. Returns the code of a plug-in that asked to
   stop. row[columns] is work space. */
static int compare_averages(const quadrature *f, online_law *coarse, const online_result *result, double *row,
                            char *differs)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    int code = 0;
    for (size_t i = 0; i < STATES && result->rows > 0 && !code; i++) {
        size_t at = row_of_state(result->rows, i);
        online_result_moments(f->plan, result, at, m, q);
        code = online_law_fill_row(coarse, output_time(f->plan->problem, at), m, q, NULL, row);
        for (size_t c = 0; c < result->columns; c++) {
            double scale = 0, change = fabs(row[c] - result->curves[at * result->columns + c]);
            for (size_t j = 0; j < result->rows; j++)
                scale = fmax(scale, fabs(result->curves[j * result->columns + c]));
            if (is_average(f->plan, c) && !(change <= OBSERVABLE_TOLERANCE * scale))
                differs[c] = 1;
        }
    }
    return code;
}

/* Sets all->sampled, and leaves it NULL if the rule gets no curve wrong. */
static sgdmft_status find_sampled(const quadrature *f, online_law *coarse, online_results *all)
{
    const online_result *result = all->result[0];
    double *row = memory_doubles(result->columns);
    all->sampled = memory_zeroed(result->columns, 1);
    if (!row || !all->sampled) {
        free(row);
        return context_out_of_memory(f->ctx, "the curves", 8.0 * (double)result->columns);
    }
    int code = compare_averages(f, coarse, result, row, all->sampled);
    free(row);
    if (code || !memchr(all->sampled, 1, result->columns)) {
        free(all->sampled);
        all->sampled = NULL;
    }
    return online_plugin_status(f->ctx, f->plan, code);
}

static sgdmft_status solve(quadrature *f, online_results *all)
{
    online_law *fine = NULL, *coarse = NULL;
    online_orders next = online_orders_next(&f->orders);
    double rtol = integration_tolerance(f->plan);
    all->result = calloc(1, sizeof *all->result);
    all->count = 1;
    sgdmft_status status =
        all->result ? SGDMFT_OK : context_out_of_memory(f->ctx, "the result of a march", sizeof *all->result);
    if (!status)
        status = online_law_of_orders(f->ctx, f->plan, &next, f->threads, &fine);
    if (!status)
        status = march(f, fine, rtol, 1, VALUE_SHARE, &all->result[0]);
    if (!status) {
        all->points = online_law_points(fine);
        status = online_law_of_orders(f->ctx, f->plan, &f->orders, f->threads, &coarse);
    }
    online_law_free(fine);
    if (!status && !solve_progress_stopped(f->progress))
        status = march(f, coarse, 10 * rtol, 1, CHECK_SHARE, &all->check);
    if (!status)
        status = find_sampled(f, coarse, all);
    online_law_free(coarse);
    return status;
}

/* Fills in losses and observables of a pilot at the states. */
static sgdmft_status observe_pilot(const quadrature *f, online_law *law, online_result *pilot)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    int code = 0;
    for (size_t i = 0; i < STATES && pilot->rows > 0 && !code; i++) {
        size_t row = row_of_state(pilot->rows, i);
        online_result_moments(f->plan, pilot, row, m, q);
        code = online_law_fill_row(law, output_time(f->plan->problem, row), m, q, NULL,
                                   pilot->curves + row * pilot->columns);
    }
    return online_plugin_status(f->ctx, f->plan, code);
}

/* Marks the curves that the orders get wrong along a pilot. */
static sgdmft_status find_rough(const quadrature *f, const online_orders *next, char *rough)
{
    online_law *fine = NULL, *coarse = NULL;
    online_result *pilot = NULL;
    double *row = memory_doubles(f->plan->columns.count);
    sgdmft_status status =
        row ? SGDMFT_OK : context_out_of_memory(f->ctx, "the curves", 8.0 * (double)f->plan->columns.count);
    if (!status)
        status = online_law_of_orders(f->ctx, f->plan, next, f->threads, &fine);
    if (!status)
        status = online_law_of_orders(f->ctx, f->plan, &f->orders, f->threads, &coarse);
    if (!status)
        status = march(f, fine, 0, 0, QUICK_SHARE, &pilot);
    if (!status)
        status = observe_pilot(f, fine, pilot);
    if (!status)
        status = online_plugin_status(f->ctx, f->plan, compare_averages(f, coarse, pilot, row, rough));
    online_result_free(pilot);
    online_law_free(fine);
    online_law_free(coarse);
    free(row);
    return status;
}

/* With a penalty: sampled coordinates, all replicas with the same rule. */
static sgdmft_status solve_penalty(quadrature *f, online_results *all)
{
    online_orders next = online_orders_next(&f->orders);
    size_t columns = f->plan->columns.count;
    char *rough = memory_zeroed(columns, 1);
    sgdmft_status status =
        rough ? find_rough(f, &next, rough) : context_out_of_memory(f->ctx, "the curves", (double)columns);
    if (!status)
        status =
            online_march_replicas(f->ctx, f->plan, &next, memchr(rough, 1, columns) ? rough : NULL, f->progress, all);
    free(rough);
    return status;
}

/* *found = 0, and nothing in *all, if no rule is accurate enough, as for labels with jumps. */
static sgdmft_status solve_by_quadrature(sgdmft_context *ctx, const online_plan *plan, solve_progress *progress,
                                         int *found, online_results *all)
{
    quadrature f = {.ctx = ctx, .plan = plan, .progress = progress, .threads = sgdmft_context_threads(ctx)};
    *found = 0;
    if (plan->shape.jumps || plan->problem->numerics.averages == AVERAGES_SAMPLED)
        return SGDMFT_OK;
    sgdmft_status status = SGDMFT_OK;
    if (online_factors_help(plan))
        status = choose_orders(&f, 1, found);
    if (!status && !*found && !solve_progress_stopped(progress))
        status = choose_orders(&f, 0, found);
    if (!status && *found)
        status = plan->penalty ? solve_penalty(&f, all) : solve(&f, all);
    return status;
}

/* Shared by all replicas. */
typedef struct sampling {
    const online_plan *plan;
    solve_progress *progress;
    online_results *all;
    double share; /* of each replica in the work of the solve */
} sampling;

static sgdmft_status march_points(sgdmft_context *ctx, const sampling *f, int replica, size_t points, double share,
                                  int threads, online_result **out)
{
    online_law *law = NULL;
    sgdmft_status status = online_law_of_replica(ctx, f->plan, replica, points, threads, &law);
    if (!status) {
        double weight = 1 / (double)online_law_points(law), tolerance = integration_tolerance(f->plan);
        solve_stage stage = {.progress = f->progress, .weight = share};
        online_accuracy accuracy = {.rtol = fmax(tolerance, (f->plan->shape.jumps ? ROUGH_RTOL : SMOOTH_RTOL) * weight),
                                    .response_rtol = fmax(tolerance, ROUGH_RTOL * weight),
                                    .observe = 1};
        status = online_moments_solve(ctx, f->plan, law, &accuracy, &stage, out);
    }
    online_law_free(law);
    return status;
}

/* All points, then half of them: the difference shows what sampling noise does to the mean (online_results). */
static sgdmft_status march_replica(sgdmft_context *ctx, void *user, int replica, int threads)
{
    const sampling *f = user;
    size_t points = (size_t)f->plan->problem->numerics.paths;
    sgdmft_status status = march_points(ctx, f, replica, points, 2 * f->share / 3, threads, &f->all->result[replica]);
    if (!status && points > 1 && !solve_progress_stopped(f->progress))
        status = march_points(ctx, f, replica, points / 2, f->share / 3, threads, &f->all->half[replica]);
    return status;
}

sgdmft_status online_solve_by_sampling(sgdmft_context *ctx, const online_plan *plan, solve_progress *progress,
                                       online_results *all)
{
    int replicas = plan->problem->numerics.replicas;
    if (plan->penalty)
        return online_march_replicas(ctx, plan, NULL, NULL, progress, all);
    sampling f = {.plan = plan, .progress = progress, .all = all, .share = (1 - progress->done) / replicas};
    replica_pool pool = replica_pool_of(sgdmft_context_threads(ctx), replicas, progress);
    all->result = calloc((size_t)replicas, sizeof *all->result);
    all->half = calloc((size_t)replicas, sizeof *all->half);
    if (!all->result || !all->half)
        return context_out_of_memory(ctx, "the replicas", 2.0 * (double)replicas * sizeof *all->result);
    all->count = (size_t)replicas;
    all->points = (size_t)plan->problem->numerics.paths;
    return replica_pool_run(ctx, &pool, march_replica, &f);
}

static sgdmft_status observe_replica(sgdmft_context *ctx, void *user, int replica, int threads)
{
    const sampling *f = user;
    const online_result *result = f->all->result[0];
    size_t size = result->rows * result->columns;
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX], *rows = memory_doubles(size);
    online_law *law = NULL;
    f->all->observed[replica] = rows;
    if (!rows)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)size);
    sgdmft_status status =
        online_law_of_replica(ctx, f->plan, replica, (size_t)f->plan->problem->numerics.paths, threads, &law);
    int code = 0;
    for (size_t i = 0; i < result->rows && !status && !code; i++) {
        online_result_moments(f->plan, result, i, m, q);
        code = online_law_fill_row(law, output_time(f->plan->problem, i), m, q, NULL, rows + i * result->columns);
    }
    online_law_free(law);
    return status ? status : online_plugin_status(ctx, f->plan, code);
}

/* Samples losses and observables along the march by quadrature, with the points of each replica. */
static sgdmft_status sample_observables(sgdmft_context *ctx, const online_plan *plan, online_results *all)
{
    int replicas = plan->problem->numerics.replicas;
    sampling f = {.plan = plan, .all = all};
    replica_pool pool = replica_pool_of(sgdmft_context_threads(ctx), replicas, NULL);
    all->observed = calloc((size_t)replicas, sizeof *all->observed);
    if (!all->observed)
        return context_out_of_memory(ctx, "the replicas", (double)replicas * sizeof *all->observed);
    all->n_observed = (size_t)replicas;
    return replica_pool_run(ctx, &pool, observe_replica, &f);
}

static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **plan)
{
    online_plan *made = NULL;
    sgdmft_status status = online_plan_new(ctx, problem, &made);
    *plan = made;
    return status;
}

static void release(void *plan)
{
    online_plan_free(plan);
}

/* 1 if a rule over all variables at once may do, with ten nodes for each. */
static int is_small(model_shape shape)
{
    return pow(10, shape.k + shape.kstar) * pow(3, shape.noises) < ONLINE_RULE_POINTS;
}

/* How many losses and observables are no sums of products, and are sampled along an exact march. */
static int count_unfit(const online_factors *factors)
{
    int n = 0;
    for (int i = 0; i <= factors->shape.observables; i++)
        n += !factors->seen_fits[i];
    return n;
}

static void describe_factors(const online_factors *f, char *out, size_t size)
{
    int unfit = count_unfit(f), n = f->motion.n_general == 0
                                        ? snprintf(out, size, "exact, in closed form")
                                        : snprintf(out, size, "exact, by rules over at most %d of %d variables",
                                                   f->motion.most_variables, f->n_variables);
    if (unfit && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "; those of %d of the loss and the observables are sampled along the curve",
                 unfit);
}

static void describe_averages(const online_plan *plan, char *out, size_t size)
{
    if (plan->problem->numerics.averages == AVERAGES_SAMPLED)
        snprintf(out, size, "sampled, as numerics.averages says");
    else if (plan->shape.jumps)
        snprintf(out, size, "sampled, because the gradient of the loss jumps");
    else if (online_factors_help(plan))
        describe_factors(plan->factors, out, size);
    else if (is_small(plan->shape))
        snprintf(out, size, "exact, by a rule over all %d variables, if label and loss are smooth; otherwise sampled",
                 plan->shape.k + plan->shape.kstar + plan->shape.noises);
    else
        snprintf(out, size, "sampled, because %s",
                 plan->factors->usable ? "its terms have all variables, which are too many" : plan->factors->why);
}

/* The same as a cost: seconds of one evaluation. */
static double factor_seconds(const factor_set *set)
{
    static const double PER_CLOSED = 1.4e-9, PER_GENERAL = 5e-11;
    static const int ORDER = 40;
    return (set->n_general ? PER_GENERAL : PER_CLOSED) * factor_rule_work(set, ORDER);
}

/* Rates are those of one 2.3 GHz core, in seconds; the number of steps depends on the problem and is a guess. */
static void cost(const void *prepared, int threads, int ranks, sgdmft_cost *out)
{
    (void)ranks;
    static const double PER_POINT = 15e-9, STEPS = 400, STEPS_PER_TIME = 5, PER_ENTRY = 3e-8;
    const online_plan *plan = prepared;
    model_shape shape = plan->shape;
    double replicas = plan->problem->numerics.replicas, nodes = plan->grid->steps + 1.0, kk = shape.k * shape.k;
    int at_once = threads > replicas ? 1 : threads;
    double by_quadrature =
        shape.jumps ? 0 : fmin(pow(20, shape.k + shape.kstar) * pow(3, shape.noises), ONLINE_RULE_POINTS);
    double sampled = (double)plan->problem->numerics.paths * replicas;
    double points = fmax(by_quadrature, sampled);
    out->memory_bytes = fmax(2 * online_law_bytes(shape, (size_t)by_quadrature),
                             online_law_bytes(shape, (size_t)plan->problem->numerics.paths) * at_once) +
                        (replicas + 1) * online_result_bytes(plan) + 16 * nodes * nodes * kk;
    out->available_bytes = memory_available();
    out->cpu_seconds = PER_POINT * (shape.k + shape.kstar) * points * (STEPS + STEPS_PER_TIME * plan->problem->horizon);
    if (online_factors_help(plan) && plan->problem->numerics.averages == AVERAGES_AUTO)
        out->cpu_seconds = factor_seconds(&plan->factors->motion) * (STEPS + STEPS_PER_TIME * plan->problem->horizon) +
                           PER_ENTRY * nodes * nodes * kk;
    out->wall_seconds = out->cpu_seconds / threads;
    describe_averages(plan, out->averages, sizeof out->averages);
    if (plan->penalty)
        online_march_cost(plan, points, threads, out);
}

static sgdmft_status run(sgdmft_context *ctx, const void *plan, sgdmft_solution **out)
{
    solve_progress progress = {.ctx = ctx};
    online_results all = {.points = 0};
    int found = 0;
    sgdmft_status status = solve_by_quadrature(ctx, plan, &progress, &found, &all);
    if (!status && !found)
        status = online_solve_by_sampling(ctx, plan, &progress, &all);
    if (!status && all.sampled)
        status = sample_observables(ctx, plan, &all);
    if (!status)
        status = online_solution(ctx, plan, &all, out);
    online_results_clear(&all);
    return status;
}

static const char *cannot_solve(const sgdmft_problem *problem)
{
    return problem->process->events == EVENTS_FRESH ? NULL : "samples are visited again";
}

const solver online_solver = {
    .name = "online", .cannot_solve = cannot_solve, .prepare = prepare, .release = release, .cost = cost, .run = run};
