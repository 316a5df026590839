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

static sgdmft_status times_init(sgdmft_context *ctx, linear_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    size_t steps = (size_t)problem->numerics.steps;
    sgdmft_status status = times_allocate(ctx, &plan->output, output_times_count(problem));
    if (!status)
        status = times_allocate(ctx, &plan->grid, steps + 1);
    if (status)
        return status;
    for (size_t i = 0; i < plan->output.n; i++)
        plan->output.t[i] = output_time(problem, i);
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

sgdmft_status linear_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_plan *plan)
{
    *plan = (linear_plan){.problem = problem};
    sgdmft_status status = linear_model_init(ctx, problem, &plan->model);
    if (!status)
        status = times_init(ctx, plan);
    if (!status && plan->model.scheduled)
        status = schedule_times(ctx, plan);
    if (!status && plan->model.visits)
        status = linear_risk_check(ctx, &plan->model, problem->horizon, plan->grid.n - 1);
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

void linear_plan_cost(const linear_plan *plan, int threads, sgdmft_cost *out)
{
    double horizon = linear_plan_horizon(plan), points = linear_modes_points(&plan->model, horizon);
    double nodes = (double)plan->grid.n, times = (double)plan->output.n;
    double steps = 0;
    if (plan->model.visits) /* the first grid is typically halved once or twice */
        steps = 4 * linear_risk_steps(&plan->model, horizon, plan->grid.n - 1);
    double curve = 72 * steps, two_time = 56 * nodes * points + 16 * nodes * nodes, output = 48 * times * points;
    out->memory_bytes = curve + two_time + output;
    out->available_bytes = memory_available();
    double volterra = PER_NODE * steps * log2(steps + 1);
    double spectrum = PER_TERM * points * (2 * nodes * nodes + 6 * steps) + 12 * PER_EXP * points * (nodes + 2 * times);
    out->cpu_seconds = 1e-9 * (volterra + spectrum);
    out->wall_seconds = 1e-9 * (volterra + spectrum / threads);
}
