#include "validation/simulator/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/common/output_times.h"

/* Bytes of the rows of a block, and of the thetas that are kept until their averages are taken. */
static const double BLOCK_BYTES = 262144.0, SNAPSHOT_BYTES = 67108864.0;

enum { BLOCK_MIN = 4, SNAPSHOTS_MIN = 8 };

random_key simulator_key(const simulator_plan *plan, uint32_t repetition, uint32_t purpose)
{
    return (random_key){.seed = plan->problem->numerics.seed, .replica = repetition, .purpose = purpose};
}

/* At least `low`, but at most `high`. */
static size_t clamp(double x, size_t low, size_t high)
{
    size_t whole = x < (double)low ? low : x > (double)high ? high : (size_t)x;
    return whole < high ? whole : high;
}

static sgdmft_status check_dimension(sgdmft_context *ctx, const sgdmft_problem *problem)
{
    int least = problem->model.students + problem->model.teachers;
    if (problem->simulate.d >= least)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                        "%s: simulate.d: value %d is too small to impose the second moments of %d students and %d "
                        "teachers; allowed: at least %d",
                        problem->source, problem->simulate.d, problem->model.students, problem->model.teachers, least);
}

static order_kind order_of_process(const sample_process *process)
{
    const visit_law *visits = process->visits;
    if (process->batch == BATCH_FULL || visits->kept)
        return ORDER_CYCLIC;
    return visits->epoch > 0 ? ORDER_RESHUFFLE : ORDER_REPLACEMENT;
}

/* Batches of kappa samples, a vanishing part of the data in the limit. */
static sgdmft_status plan_small_batches(sgdmft_context *ctx, simulator_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    double rate = problem->momentum.rate;
    plan->duration = (double)plan->batch / (double)plan->n;
    if (plan->batch > plan->n)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: simulate.batch: value %zu exceeds the number of samples, n = delta * d = %zu; a batch "
                            "contains no sample twice; allowed: 1 to %zu",
                            problem->source, plan->batch, plan->n, plan->n);
    if (!problem_has_momentum(problem))
        return SGDMFT_OK;
    plan->brake = plan->push = rate * plan->duration;
    if (plan->brake < 1)
        return SGDMFT_OK;
    return context_fail(
        ctx, SGDMFT_ERR_CONFLICT,
        "%s: momentum.rate: a step keeps 1 - rate * batch / n of the velocity, which is not above 0 for "
        "rate %g, batch %zu and n = delta * d = %zu; allowed: a rate below %g, or simulate.d above %g",
        problem->source, rate, plan->batch, plan->n, 1 / plan->duration, rate * (double)plan->batch / problem->delta);
}

/* Batches of a fraction b of the data. Where a sample is visited once in an epoch, they are cut from the epoch. Batches
   that are drawn anew have a fixed size, which in the limit is as good as samples that join independently. */
static sgdmft_status plan_fractions(sgdmft_context *ctx, simulator_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    double b = problem->batch_fraction, samples = b * (double)plan->n;
    plan->cuts = plan->order == ORDER_REPLACEMENT ? 0 : (size_t)round(1 / b);
    plan->batch = plan->cuts > 0 ? plan->n / plan->cuts : (size_t)round(samples);
    plan->duration = b;
    if (problem_has_momentum(problem))
        plan->brake = 1 - problem->momentum.beta;
    if (plan->batch < 1)
        return context_fail(
            ctx, SGDMFT_ERR_CONFLICT,
            "%s: simulate.d: a batch of batch_fraction * delta * d = %g samples would be empty; allowed: "
            "simulate.d: %g or more",
            problem->source, samples, ceil(1 / (b * problem->delta)));
    plan->batch += plan->cuts > 0 && plan->n % plan->cuts > 0; /* the largest batch */
    return SGDMFT_OK;
}

/* How samples are used: how many there are, in which order they are visited, how long a step takes, and what of it is
   left to the next one. */
static sgdmft_status plan_samples(sgdmft_context *ctx, simulator_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    const sample_process *process = problem->process;
    double n = round(problem->delta * problem->simulate.d);
    plan->batch = (size_t)problem->simulate.batch;
    plan->brake = plan->push = 1;
    if (process->events == EVENTS_FRESH) {
        plan->duration = (double)plan->batch / (double)plan->d;
        return SGDMFT_OK;
    }
    if (!(n >= 1 && n <= 4294967295.0))
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: simulate.d: delta * d = %g samples; allowed: 1 to 4294967295 samples", problem->source,
                            problem->delta * problem->simulate.d);
    plan->n = (size_t)n;
    if (process->events == EVENTS_STEPS)
        return SGDMFT_OK;
    plan->order = order_of_process(process);
    return problem_is_discrete(problem) ? plan_fractions(ctx, plan) : plan_small_batches(ctx, plan);
}

static int compare_stops(const void *a, const void *b)
{
    const simulator_stop *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->time < y->time ? -1 : x->time > y->time;
}

static void add_stop(simulator_plan *plan, double step, size_t time, double weight)
{
    plan->stop[plan->stops++] = (simulator_stop){step * plan->duration, (uint64_t)step, time, weight};
}

/* The stops of an output time if there are steps. A step counts as being at the output time if it is at most half a
   visit away (and a little more, for rounding). */
static void add_step_stops(simulator_plan *plan, size_t time)
{
    double place = output_time(plan->problem, time) / plan->duration, nearest = round(place);
    double half_visit = 0.5000001 / (double)plan->batch;
    if (fabs(place - nearest) <= half_visit || fabs(place - nearest) <= 1e-9 * place) {
        add_stop(plan, nearest, time, 1.0);
        return;
    }
    double before = floor(place);
    add_stop(plan, before, time, 1.0 - (place - before));
    add_stop(plan, before + 1, time, place - before);
}

static sgdmft_status plan_stops(sgdmft_context *ctx, simulator_plan *plan)
{
    size_t times = output_times_count(plan->problem);
    plan->stop = calloc(2 * times, sizeof *plan->stop);
    if (!plan->stop)
        return context_out_of_memory(ctx, "the output times", 2.0 * (double)(times * sizeof *plan->stop));
    for (size_t i = 0; i < times; i++)
        if (plan->duration > 0)
            add_step_stops(plan, i);
        else
            plan->stop[plan->stops++] = (simulator_stop){output_time(plan->problem, i), 0, i, 1.0};
    qsort(plan->stop, plan->stops, sizeof *plan->stop, compare_stops);
    return SGDMFT_OK;
}

static void plan_sizes(simulator_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    plan->d = (size_t)problem->simulate.d;
    plan->tests = plan->d;
    plan->length = (plan->d + SIMULATOR_PAD - 1) / SIMULATOR_PAD * SIMULATOR_PAD;
    plan->block = clamp(BLOCK_BYTES / (4.0 * (double)plan->length), BLOCK_MIN, SIMULATOR_BLOCK_MAX);
    plan->columns = solution_columns_of(&(solution_shape){
        .k = problem->model.students, .kstar = problem->model.teachers, .n_observables = problem->observables.n});
}

static sgdmft_status plan_model(sgdmft_context *ctx, simulator_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    sgdmft_status status = model_new(ctx, problem, &plan->model);
    if (!status)
        status = initial_law_init(ctx, problem, &plan->law);
    if (!status && coordinates_law_is_given(problem))
        status = coordinates_law_new(ctx, problem, &plan->coordinates);
    if (!status)
        status = schedule_new(ctx, problem, &plan->eta);
    if (!status)
        status = penalty_new(ctx, problem, &plan->penalty);
    if (!status)
        plan->shape = model_get_shape(plan->model);
    return status;
}

sgdmft_status simulator_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->problem = problem;
    plan->instructions = simd_best();
    plan->loops = simulator_loops_for(plan->instructions);
    plan_sizes(plan);
    sgdmft_status status = check_dimension(ctx, problem);
    if (!status)
        status = plan_samples(ctx, plan);
    if (!status)
        status = plan_model(ctx, plan);
    if (!status)
        status = plan_stops(ctx, plan);
    if (status) {
        simulator_plan_clear(plan);
        return status;
    }
    double theta_bytes = 4.0 * (double)plan->length * plan->shape.k;
    plan->snapshots = clamp(SNAPSHOT_BYTES / theta_bytes, SNAPSHOTS_MIN, plan->stops);
    return SGDMFT_OK;
}

void simulator_plan_clear(simulator_plan *plan)
{
    model_free(plan->model);
    coordinates_law_free(plan->coordinates);
    schedule_free(plan->eta);
    penalty_free(plan->penalty);
    free(plan->stop);
    memset(plan, 0, sizeof *plan);
}
