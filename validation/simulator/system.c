#include "validation/simulator/system.h"

#include <stdlib.h>
#include <time.h>

#include "core/memory.h"
#include "validation/simulator/layout.h"

/* Share of the progress of a repetition that drawing its data counts for. */
static const double DATA_SHARE = 0.2;

enum { PENALTY_BLOCK = 512 }; /* coordinates of which the penalty is evaluated together */

static size_t training_room(const simulator_plan *plan)
{
    return plan->n > 0 ? plan->n : plan->block;
}

static size_t system_layout(const simulator_plan *plan, char *base, simulator_system *sys)
{
    size_t k = (size_t)plan->shape.k, kstar = (size_t)plan->shape.kstar, used = 0;
    size_t penalty_doubles = plan->penalty ? penalty_work(plan->penalty) + 2 * k * PENALTY_BLOCK : 0;
    sys->theta = layout_take(base, &used, k * plan->length, sizeof *sys->theta);
    sys->teacher = layout_take(base, &used, kstar * plan->length, sizeof *sys->teacher);
    sys->coef = layout_take(base, &used, plan->block * k, sizeof *sys->coef);
    sys->start_work = layout_take(base, &used, start_work(plan), sizeof *sys->start_work);
    sys->eta_work = layout_take(base, &used, schedule_work(plan->eta), sizeof *sys->eta_work);
    sys->penalty_work = layout_take(base, &used, penalty_doubles, sizeof *sys->penalty_work);
    return used;
}

double system_bytes(const simulator_plan *plan)
{
    simulator_system sys;
    return (double)system_layout(plan, NULL, &sys) + samples_bytes(plan, training_room(plan)) +
           block_workspace_bytes(plan);
}

sgdmft_status system_init(sgdmft_context *ctx, const simulator_plan *plan, simulator_system *out)
{
    *out = (simulator_system){.plan = plan, .memory = memory_zeroed(system_layout(plan, NULL, out), 1)};
    if (!out->memory)
        return context_out_of_memory(ctx, "the vectors of a system", system_bytes(plan));
    system_layout(plan, out->memory, out);
    sgdmft_status status = block_workspace_init(ctx, plan, &out->work);
    return status ? status : samples_init(ctx, plan, training_room(plan), &out->train);
}

void system_clear(simulator_system *sys)
{
    samples_clear(&sys->train);
    block_workspace_clear(&sys->work);
    free(sys->memory);
    *sys = (simulator_system){.plan = NULL};
}

double system_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int system_interrupted(simulator_system *sys, double t)
{
    return solve_stage_report(&sys->stage, sys->stage.reported, t);
}

/* The next `count` samples to the places from `first` on. */
static int draw(simulator_system *sys, size_t first, size_t count)
{
    if (!samples_draw(&sys->source, &sys->work, first, count, &sys->train))
        return 0;
    sys->status = SGDMFT_ERR_PLUGIN;
    return 1;
}

int system_draw_block(simulator_system *sys)
{
    double begin = system_seconds();
    int failed = draw(sys, 0, sys->plan->block);
    sys->data_seconds += system_seconds() - begin;
    return failed;
}

static int draw_training(simulator_system *sys)
{
    const simulator_plan *plan = sys->plan;
    for (size_t first = 0; first < plan->n; first += plan->block) {
        size_t count = plan->n - first < plan->block ? plan->n - first : plan->block;
        if (draw(sys, first, count) ||
            solve_stage_report(&sys->stage, DATA_SHARE * (double)first / (double)plan->n, 0.0))
            return 1;
    }
    return 0;
}

int system_start(simulator_system *sys, uint32_t repetition, solve_progress *progress)
{
    const simulator_plan *plan = sys->plan;
    double begin = system_seconds();
    sys->repetition = repetition;
    sys->stage = (solve_stage){.progress = progress, .weight = 1.0 / plan->problem->simulate.repetitions};
    sys->status = SGDMFT_OK;
    sys->visits = 0;
    start_draw(plan, repetition, sys->start_work, sys->theta, sys->teacher);
    sys->source = sample_source_of(plan, repetition, SIMULATOR_ENTRIES, SIMULATOR_NOISE, sys->teacher);
    int stopped = draw_training(sys);
    sys->data_seconds = system_seconds() - begin;
    return stopped;
}

double system_eta(simulator_system *sys, double t)
{
    double eta;
    schedule_values(sys->plan->eta, sys->eta_work, 1, &t, &eta);
    return eta;
}

int system_gradients(simulator_system *sys, size_t count, double t, double factor, double scale, const float *theta,
                     const double *y, size_t stride, const uint32_t *which)
{
    const simulator_plan *plan = sys->plan;
    const block_workspace *work = &sys->work;
    size_t k = (size_t)plan->shape.k, labels = (size_t)plan->shape.labels;
    double *times = work->lanes, *r = times + count, *label = r + k * count, *g = label + labels * count;
    plan->loops->project(count, work->row, plan->length, k, theta, work->projection);
    for (size_t i = 0; i < count; i++)
        times[i] = t;
    for (size_t a = 0; a < k; a++)
        for (size_t i = 0; i < count; i++)
            r[a * count + i] = scale * work->projection[i * k + a];
    for (size_t c = 0; c < labels; c++)
        for (size_t i = 0; i < count; i++)
            label[c * count + i] = y[c * stride + (which ? which[i] : i)];
    if (model_gradient(plan->model, work->model, count, times, r, label, g, NULL)) {
        sys->status = SGDMFT_ERR_PLUGIN;
        return 1;
    }
    for (size_t a = 0; a < k; a++)
        for (size_t i = 0; i < count; i++)
            sys->coef[i * k + a] = (float)(factor * g[a * count + i]);
    return 0;
}

void system_scale(simulator_system *sys, double scale)
{
    size_t size = (size_t)sys->plan->shape.k * sys->plan->length;
    for (size_t j = 0; scale != 1 && j < size; j++)
        sys->theta[j] = (float)(scale * sys->theta[j]);
}

void system_add_penalty(simulator_system *sys, double factor, const float *theta, float *target)
{
    const simulator_plan *plan = sys->plan;
    size_t k = (size_t)plan->shape.k, length = plan->length;
    double *th = sys->penalty_work, *slope = th + k * PENALTY_BLOCK, *scratch = slope + k * PENALTY_BLOCK;
    for (size_t from = 0; from < plan->d; from += PENALTY_BLOCK) {
        size_t n = plan->d - from < PENALTY_BLOCK ? plan->d - from : PENALTY_BLOCK;
        for (size_t a = 0; a < k; a++)
            for (size_t j = 0; j < n; j++)
                th[a * PENALTY_BLOCK + j] = theta[a * length + from + j];
        penalty_gradient(plan->penalty, scratch, n, PENALTY_BLOCK, th, slope);
        for (size_t a = 0; a < k; a++)
            for (size_t j = 0; j < n; j++)
                target[a * length + from + j] += (float)(factor * slope[a * PENALTY_BLOCK + j]);
    }
}
