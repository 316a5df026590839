#include "solvers/linear/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "problem/problem.h"
#include "solvers/linear/clock.h"
#include "solvers/linear/modes.h"
#include "model/schedule.h"

static sgdmft_status times_init(sgdmft_context *ctx, time_points *p, size_t intervals, double horizon, double grading)
{
    p->n = intervals + 1;
    p->t = memory_doubles(p->n);
    p->s = memory_doubles(p->n);
    if (!p->t || !p->s)
        return context_out_of_memory(ctx, "the times", 16.0 * (double)p->n);
    for (size_t i = 0; i <= intervals; i++)
        p->t[i] = i == intervals ? horizon : horizon * pow((double)i / (double)intervals, grading);
    memcpy(p->s, p->t, p->n * sizeof *p->s);
    return SGDMFT_OK;
}

static sgdmft_status run_clock(sgdmft_context *ctx, linear_setup *setup)
{
    schedule *eta = NULL;
    sgdmft_status status = schedule_new(ctx, setup->problem, &eta);
    if (!status)
        status = linear_clock(ctx, eta, setup->output.n, setup->output.t, setup->output.s);
    if (!status)
        status = linear_clock(ctx, eta, setup->grid.n, setup->grid.t, setup->grid.s);
    schedule_free(eta);
    return status;
}

sgdmft_status linear_setup_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_setup *setup)
{
    *setup = (linear_setup){.problem = problem};
    size_t outputs = (size_t)problem->output.times - 1, steps = (size_t)problem->numerics.steps;
    sgdmft_status status = linear_model_init(ctx, problem, &setup->model);
    if (!status)
        status = times_init(ctx, &setup->output, outputs, problem->horizon, 1);
    if (!status)
        status = times_init(ctx, &setup->grid, steps, problem->horizon, problem->numerics.grading);
    if (!status && setup->model.scheduled)
        status = run_clock(ctx, setup);
    if (!status && setup->model.visits)
        status = linear_risk_check(ctx, &setup->model, problem->horizon, steps);
    if (status)
        linear_setup_clear(setup);
    return status;
}

void linear_setup_clear(linear_setup *setup)
{
    free(setup->output.t);
    free(setup->output.s);
    free(setup->grid.t);
    free(setup->grid.s);
    memset(setup, 0, sizeof *setup);
}

double linear_setup_horizon(const linear_setup *setup)
{
    double output = setup->output.s[setup->output.n - 1], grid = setup->grid.s[setup->grid.n - 1];
    return fmax(output, grid);
}

/* Nanoseconds on one 2.3 GHz core, good to a factor of about two elsewhere. */
static const double PER_TERM = 0.6; /* a multiply-add of a sum over the spectrum */
static const double PER_EXP = 16;
static const double PER_NODE = 12; /* a node of the Volterra equation, times the logarithm of their number */

void linear_cost(const linear_setup *setup, int threads, sgdmft_cost *out)
{
    double horizon = linear_setup_horizon(setup), points = linear_modes_points(&setup->model, horizon);
    double nodes = (double)setup->grid.n, times = (double)setup->output.n;
    double steps = 0;
    if (setup->model.visits) /* typically the first grid has to be halved once or twice */
        steps = 4 * linear_risk_steps(&setup->model, horizon, setup->grid.n - 1);
    double curve = 72 * steps, two_time = 56 * nodes * points + 16 * nodes * nodes, output = 48 * times * points;
    out->memory_bytes = curve + two_time + output;
    out->available_bytes = memory_available();
    double volterra = PER_NODE * steps * log2(steps + 1);
    double spectrum = PER_TERM * points * (2 * nodes * nodes + 6 * steps) + 12 * PER_EXP * points * (nodes + 2 * times);
    out->cpu_seconds = 1e-9 * (volterra + spectrum);
    out->wall_seconds = 1e-9 * (volterra + spectrum / threads);
}
