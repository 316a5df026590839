#include "validation/simulator/setting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of rows that are worked on at a time, and of thetas that wait for their averages. */
static const double BLOCK_BYTES = 262144.0, SNAPSHOT_BYTES = 67108864.0;

enum { BLOCK_LEAST = 4, SNAPSHOTS_LEAST = 8 };

random_key simulator_key(const simulator_setting *set, uint32_t repetition, uint32_t purpose)
{
    return (random_key){.seed = set->problem->numerics.seed, .replica = repetition, .purpose = purpose};
}

double simulator_time(const sgdmft_problem *problem, size_t i)
{
    size_t last = (size_t)problem->output.times - 1;
    return i == last ? problem->horizon : problem->horizon * (double)i / (double)last;
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

/* Batches and samples; delta d may be any number. */
static sgdmft_status set_samples(sgdmft_context *ctx, simulator_setting *set)
{
    const sgdmft_problem *problem = set->problem;
    double n = problem->process->events == EVENTS_FRESH ? 0 : round(problem->delta * problem->simulate.d);
    set->batch = (size_t)problem->simulate.batch;
    if (problem->process->events == EVENTS_FRESH) {
        set->duration = (double)set->batch / (double)set->d;
        return SGDMFT_OK;
    }
    if (!(n >= 1 && n <= 4294967295.0))
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: simulate.d: delta * d = %g samples; allowed: 1 to 4294967295 samples", problem->source,
                            problem->delta * problem->simulate.d);
    set->n = (size_t)n;
    set->duration = (double)set->batch / n;
    if (problem->process->events == EVENTS_VISITS && set->batch > set->n)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: simulate.batch: value %zu exceeds the number of samples, n = delta * d = %zu; a batch "
                            "has no sample twice; allowed: 1 to %zu",
                            problem->source, set->batch, set->n, set->n);
    return SGDMFT_OK;
}

static int by_place(const void *a, const void *b)
{
    const simulator_stop *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->time < y->time ? -1 : x->time > y->time;
}

/* Steps of length set->duration; `slack` is half of what a single sample adds to the time. */
static void add_step_stops(simulator_setting *set, size_t time)
{
    double t = simulator_time(set->problem, time), place = t / set->duration, nearest = round(place);
    double slack = 0.5000001 / (double)set->batch;
    if (fabs(place - nearest) <= slack || fabs(place - nearest) <= 1e-9 * place) {
        set->stop[set->stops++] = (simulator_stop){nearest * set->duration, (uint64_t)nearest, time, 1.0};
        return;
    }
    double below = floor(place), part = place - below;
    set->stop[set->stops++] = (simulator_stop){below * set->duration, (uint64_t)below, time, 1.0 - part};
    set->stop[set->stops++] = (simulator_stop){(below + 1) * set->duration, (uint64_t)below + 1, time, part};
}

static sgdmft_status set_stops(sgdmft_context *ctx, simulator_setting *set)
{
    size_t times = (size_t)set->problem->output.times;
    int stepped = set->problem->process->events != EVENTS_STEPS;
    set->stop = calloc(2 * times, sizeof *set->stop);
    if (!set->stop)
        return context_out_of_memory(ctx, "the output times", 2.0 * (double)(times * sizeof *set->stop));
    for (size_t i = 0; i < times; i++)
        if (stepped)
            add_step_stops(set, i);
        else
            set->stop[set->stops++] = (simulator_stop){simulator_time(set->problem, i), 0, i, 1.0};
    qsort(set->stop, set->stops, sizeof *set->stop, by_place);
    return SGDMFT_OK;
}

static void set_sizes(simulator_setting *set)
{
    const sgdmft_problem *problem = set->problem;
    set->d = (size_t)problem->simulate.d;
    set->tests = set->d;
    set->length = (set->d + SIMULATOR_PAD - 1) / SIMULATOR_PAD * SIMULATOR_PAD;
    set->block = clamp(BLOCK_BYTES / (4.0 * (double)set->length), BLOCK_LEAST, SIMULATOR_BLOCK_MOST);
    set->columns = solution_columns_of(&(solution_shape){
        .k = problem->model.students, .kstar = problem->model.teachers, .n_observables = problem->observables.n});
}

sgdmft_status simulator_setting_init(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_setting *set)
{
    memset(set, 0, sizeof *set);
    set->problem = problem;
    set->kernels = simulator_loops_for(simd_best());
    set_sizes(set);
    sgdmft_status status = check_dimension(ctx, problem);
    if (!status)
        status = set_samples(ctx, set);
    if (!status)
        status = model_new(ctx, problem, &set->m);
    if (!status)
        status = initial_law_init(ctx, problem, &set->law);
    if (!status && problem_has_law(problem))
        status = coordinates_law_new(ctx, problem, &set->coordinates);
    if (!status)
        status = schedule_new(ctx, problem, &set->eta);
    if (!status)
        status = penalty_new(ctx, problem, &set->penalty);
    if (!status)
        status = set_stops(ctx, set);
    if (status) {
        simulator_setting_clear(set);
        return status;
    }
    set->shape = model_get_shape(set->m);
    double theta_bytes = 4.0 * (double)set->length * set->shape.k;
    set->snapshots = clamp(SNAPSHOT_BYTES / theta_bytes, SNAPSHOTS_LEAST, set->stops);
    return SGDMFT_OK;
}

void simulator_setting_clear(simulator_setting *set)
{
    model_free(set->m);
    coordinates_law_free(set->coordinates);
    schedule_free(set->eta);
    penalty_free(set->penalty);
    free(set->stop);
    memset(set, 0, sizeof *set);
}
