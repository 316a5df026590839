#include "solvers/linear/plan.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "model/schedule.h"
#include "problem/problem.h"
#include "solvers/common/output_times.h"
#include "solvers/linear/discrete.h"
#include "solvers/linear/modes.h"

/* Accuracy of int eta, and the intervals into which GSL's doubly adaptive quadrature may divide it: enough to follow
   jumps of eta, by halving, down to rounding. */
static const double ACCURACY = 1e-13;
enum { INTERVALS = 1000 };

/* An estimated error of int eta above this, relative to the whole integral, is a failure. */
static const double LARGEST_ERROR = 1e-8;

static sgdmft_status times_allocate(sgdmft_context *ctx, time_points *p, size_t n)
{
    *p = (time_points){.n = n, .t = memory_doubles(n), .s = memory_doubles(n)};
    return p->t && p->s ? SGDMFT_OK : context_out_of_memory(ctx, "the times", 16.0 * (double)n);
}

/* Output times, and room for the nodes. */
static sgdmft_status times_init(sgdmft_context *ctx, linear_plan *plan, size_t nodes)
{
    sgdmft_status status = times_allocate(ctx, &plan->output, output_times_count(plan->problem));
    if (!status)
        status = times_allocate(ctx, &plan->grid, nodes);
    for (size_t i = 0; i < plan->output.n && !status; i++)
        plan->output.t[i] = output_time(plan->problem, i);
    return status;
}

/* The nodes of ROUTE_SPECTRUM, which may be anywhere. */
static sgdmft_status spectrum_times(sgdmft_context *ctx, linear_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    size_t steps = (size_t)problem->numerics.steps;
    sgdmft_status status = times_init(ctx, plan, steps + 1);
    if (status)
        return status;
    for (size_t i = 0; i <= steps; i++)
        plan->grid.t[i] = i == steps ? problem->horizon
                                     : problem->horizon * pow((double)i / (double)steps, problem->numerics.grading);
    memcpy(plan->output.s, plan->output.t, plan->output.n * sizeof(double));
    memcpy(plan->grid.s, plan->grid.t, plan->grid.n * sizeof(double));
    return SGDMFT_OK;
}

typedef struct step_integral {
    const schedule *eta;
    double *work;
    gsl_integration_cquad_workspace *intervals;
    double scale; /* size of the whole integral */
    double error; /* the sum of estimated errors, infinite if eta is somewhere */
} step_integral;

static double eta_at(double t, void *user)
{
    step_integral *c = user;
    double eta;
    schedule_values(c->eta, c->work, 1, &t, &eta);
    if (!isfinite(eta)) /* GSL would leave the point out */
        c->error = INFINITY;
    return eta;
}

static double integral(step_integral *c, double from, double to)
{
    gsl_function f = {eta_at, c};
    double value = 0, error = 0;
    size_t evaluations;
    if (to > from && gsl_integration_cquad(&f, from, to, ACCURACY * c->scale, ACCURACY, c->intervals, &value, &error,
                                           &evaluations) == GSL_EDIVERGE)
        error = INFINITY;
    c->error += error;
    return value;
}

static void set_times(step_integral *c, time_points *p)
{
    double sum = 0, from = 0;
    for (size_t i = 0; i < p->n; i++) {
        sum += integral(c, from, p->t[i]);
        p->s[i] = sum;
        from = p->t[i];
    }
}

/* The time of the modes: s = int_0^t eta. */
static sgdmft_status schedule_times(sgdmft_context *ctx, linear_plan *plan)
{
    schedule *eta = NULL;
    sgdmft_status status = schedule_new(ctx, plan->problem, &eta);
    if (status)
        return status;
    step_integral c = {.eta = eta,
                       .work = memory_doubles(schedule_work(eta)),
                       .intervals = gsl_integration_cquad_workspace_alloc(INTERVALS)};
    if (c.work && c.intervals) {
        c.scale = integral(&c, 0, plan->problem->horizon);
        if (isfinite(c.error))
            c.error = 0; /* this integral only sets the scale */
        set_times(&c, &plan->output);
        set_times(&c, &plan->grid);
        double error = isfinite(c.error) ? c.error / c.scale : INFINITY;
        if (error > LARGEST_ERROR)
            status = origin_fail(ctx, SGDMFT_ERR_NON_FINITE, &plan->problem->eta.where,
                                 "the integral of \"%s\" from t = 0 to %g is found with an estimated relative error of "
                                 "%.1g; allowed: %g; hint: is eta integrable there?",
                                 plan->problem->eta.text, plan->problem->horizon, error, LARGEST_ERROR);
    } else {
        status = context_out_of_memory(ctx, "the schedule eta(t)", 8.0 * (double)schedule_work(eta));
    }
    gsl_integration_cquad_workspace_free(c.intervals);
    free(c.work);
    schedule_free(eta);
    return status;
}

sgdmft_status linear_plan_eta(sgdmft_context *ctx, const linear_plan *plan, size_t n, const double *t, double *eta)
{
    double *work = memory_doubles(schedule_work(plan->eta));
    if (!work)
        return context_out_of_memory(ctx, "the schedule eta(t)", 8.0 * (double)schedule_work(plan->eta));
    for (size_t i = 0; i < n; i++) {
        double inside = fmin(fmax(t[i], 0), plan->problem->horizon);
        schedule_values(plan->eta, work, 1, &inside, &eta[i]);
    }
    free(work);
    return SGDMFT_OK;
}

static sgdmft_status too_many_steps(sgdmft_context *ctx, double steps, int most, const char *hint)
{
    return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED,
                        "numerics.method: linear would make %.6g steps, at most %d are possible, as time grows with "
                        "their third power; hint: %s",
                        steps, most, hint);
}

static sgdmft_status batch_times(sgdmft_context *ctx, linear_plan *plan)
{
    double steps = (double)problem_discrete_steps(plan->problem), b = plan->problem->batch_fraction;
    if (steps > DISCRETE_STEPS_MOST)
        return too_many_steps(ctx, steps, DISCRETE_STEPS_MOST, "shorten horizon, or raise batch_fraction");
    plan->steps = (size_t)steps;
    plan->per_unit = 1 / b;
    sgdmft_status status = times_init(ctx, plan, plan->steps + 1);
    for (size_t i = 0; i < plan->grid.n && !status; i++)
        plan->grid.t[i] = b * (double)i;
    return status;
}

/* Points at which the largest eta is looked for, steps in an epoch at least, and the number of whole numbers of them
   among which one is looked for that divides the horizon as well. */
enum { ETA_POINTS = 257, FEWEST = 4, CANDIDATES = 32 };

/* Levels of small batches that are wanted at least: their steps are doubled twice. */
enum { FACTOR = 4 };

/* The largest rate of theta, which the steps have to resolve. */
static sgdmft_status fastest_rate(sgdmft_context *ctx, const linear_plan *plan, double *rate)
{
    double t[ETA_POINTS], eta[ETA_POINTS], largest = 0, root = 1 + sqrt(plan->model.delta);
    for (int i = 0; i < ETA_POINTS; i++)
        t[i] = plan->problem->horizon * i / (ETA_POINTS - 1);
    sgdmft_status status = linear_plan_eta(ctx, plan, ETA_POINTS, t, eta);
    for (int i = 0; i < ETA_POINTS && !status; i++)
        largest = fmax(largest, eta[i]);
    *rate = fmax(plan->model.curvature * largest * root * root + plan->model.lambda, plan->problem->momentum.rate);
    return status;
}

/* A whole number of steps per unit of time, from `least` on. */
static double whole_steps(double least, double horizon)
{
    for (double p = ceil(least); p < ceil(least) + CANDIDATES; p++)
        if (fabs(p * horizon - round(p * horizon)) < 1e-9 * p * horizon)
            return p;
    return ceil(least);
}

/* Where eta jumps, the error of a step is no power series in its length. */
static sgdmft_status refuse_jumps(sgdmft_context *ctx, const linear_plan *plan)
{
    eta_jump *jumps = NULL;
    size_t count = 0;
    sgdmft_status status = schedule_jumps(ctx, plan->eta, plan->problem->horizon, &jumps, &count);
    if (!status && count > 0)
        status = origin_fail(ctx, SGDMFT_ERR_UNSUPPORTED, &plan->problem->eta.where,
                             "numerics.method: linear cannot solve this: with small batches in epochs or with momentum "
                             "eta must not jump, as it does at t = %g; numerics.method: march solves any model",
                             jumps[0].after);
    free(jumps);
    return status;
}

/* Steps until the horizon, or a few more where an epoch would end so early that its nodes are too few to interpolate
   between. */
static double steps_until(double horizon, double per_unit, int epochs)
{
    double steps = ceil(per_unit * horizon * (1 - 1e-12)), begun = (ceil(horizon) - 1) * per_unit;
    return epochs ? fmax(steps, begun + fmin(per_unit, SMALL_BATCHES_POINTS - 1)) : steps;
}

static sgdmft_status small_batch_times(sgdmft_context *ctx, linear_plan *plan)
{
    double horizon = plan->problem->horizon, rate = 0;
    sgdmft_status status = refuse_jumps(ctx, plan);
    if (!status)
        status = fastest_rate(ctx, plan, &rate);
    if (status)
        return status;
    double least = fmax(fmax(FEWEST, rate), plan->problem->numerics.steps / horizon);
    int epochs = !process_is_independent(plan->problem->process);
    plan->per_unit = epochs ? whole_steps(least, horizon) : ceil(least * horizon) / horizon;
    double steps = steps_until(horizon, plan->per_unit, epochs);
    if (steps * FACTOR > SMALL_BATCHES_STEPS_MOST)
        return too_many_steps(ctx, steps * FACTOR, SMALL_BATCHES_STEPS_MOST,
                              "shorten horizon, or lower numerics.steps, eta, delta or momentum.rate");
    plan->steps = (size_t)steps;
    status = times_init(ctx, plan, (size_t)floor(plan->per_unit * horizon * (1 + 1e-12)) + 1);
    for (size_t i = 0; i < plan->grid.n && !status; i++)
        plan->grid.t[i] = fmin((double)i / plan->per_unit, horizon);
    return status;
}

static sgdmft_status spectrum_plan(sgdmft_context *ctx, linear_plan *plan)
{
    sgdmft_status status = spectrum_times(ctx, plan);
    if (!status && plan->model.scheduled)
        status = schedule_times(ctx, plan);
    if (!status && plan->model.visits)
        status = linear_risk_check(ctx, &plan->model, plan->problem->horizon, plan->grid.n - 1);
    return status;
}

static sgdmft_status steps_plan(sgdmft_context *ctx, linear_plan *plan)
{
    sgdmft_status status = schedule_new(ctx, plan->problem, &plan->eta);
    if (status)
        return status;
    return plan->model.route == ROUTE_BATCHES ? batch_times(ctx, plan) : small_batch_times(ctx, plan);
}

sgdmft_status linear_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_plan *plan)
{
    *plan = (linear_plan){.problem = problem};
    sgdmft_status status = linear_model_init(ctx, problem, &plan->model);
    if (!status)
        status = plan->model.route == ROUTE_SPECTRUM ? spectrum_plan(ctx, plan) : steps_plan(ctx, plan);
    if (status)
        linear_plan_clear(plan);
    return status;
}

void linear_plan_clear(linear_plan *plan)
{
    free(plan->output.t);
    free(plan->output.s);
    free(plan->grid.t);
    free(plan->grid.s);
    schedule_free(plan->eta);
    memset(plan, 0, sizeof *plan);
}

double linear_plan_horizon(const linear_plan *plan)
{
    return fmax(plan->output.s[plan->output.n - 1], plan->grid.s[plan->grid.n - 1]);
}

/* Nanoseconds on one 2.3 GHz core, good to a factor of about two elsewhere. */
static const double PER_TERM = 0.6; /* a multiply-add of a sum over the spectrum */
static const double PER_EXP = 16;
static const double PER_NODE = 12; /* a node of the Volterra equation, times the logarithm of their number */

static const double PER_PRODUCT = 0.35; /* a multiply-add of a product of a matrix and a vector, in one thread */

static void spectrum_cost(const linear_plan *plan, int threads, sgdmft_cost *out)
{
    double horizon = linear_plan_horizon(plan), points = linear_modes_points(&plan->model, horizon);
    double nodes = (double)plan->grid.n, times = (double)plan->output.n;
    double steps = 0;
    if (plan->model.visits) /* the first grid is typically halved once or twice */
        steps = 4 * linear_risk_steps(&plan->model, horizon, plan->grid.n - 1);
    double curve = 72 * steps, two_time = 56 * nodes * points + 16 * nodes * nodes, output = 48 * times * points;
    out->memory_bytes = curve + two_time + output;
    double volterra = PER_NODE * steps * log2(steps + 1);
    double spectrum = PER_TERM * points * (2 * nodes * nodes + 6 * steps) + 12 * PER_EXP * points * (nodes + 2 * times);
    out->cpu_seconds = 1e-9 * (volterra + spectrum);
    out->wall_seconds = 1e-9 * (volterra + spectrum / threads);
}

/* Small batches are typically solved with four times the fewest steps, or up to so many steps that it takes about a
   second. */
static void steps_cost(const linear_plan *plan, sgdmft_cost *out)
{
    double nodes = (double)plan->grid.n, steps = (double)plan->steps;
    if (plan->model.route == ROUTE_SMALL_BATCHES)
        steps = fmax(FACTOR * steps, SMALL_BATCHES_STEPS_CHEAP);
    out->memory_bytes = discrete_bytes((size_t)steps) + 24 * nodes * nodes;
    out->cpu_seconds = out->wall_seconds = 1e-9 * PER_PRODUCT * discrete_operations((size_t)steps);
}

void linear_plan_cost(const linear_plan *plan, int threads, sgdmft_cost *out)
{
    if (plan->model.route == ROUTE_SPECTRUM)
        spectrum_cost(plan, threads, out);
    else
        steps_cost(plan, out);
    out->available_bytes = memory_available();
}
