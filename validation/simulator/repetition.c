#include "validation/simulator/repetition.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "validation/simulator/observe.h"
#include "validation/simulator/visits.h"

/* Growth that no stable run of a problem in natural units shows; as in the solver. */
static const double MOMENT_GROWTH = 1e8;

/* Shares of the work that the caller is shown. */
static const double DATA_SHARE = 0.2, RUN_SHARE = 0.6;

typedef struct sizes {
    size_t theta, teacher, projection, coef, row, order, square, slopes, snapshot, lanes, observed, start;
} sizes;

static sizes sizes_of(const simulator_setting *set)
{
    size_t k = (size_t)set->shape.k, kstar = (size_t)set->shape.kstar, theta = k * set->length;
    size_t columns = set->snapshots * k > kstar ? set->snapshots * k : kstar;
    const sample_process *process = set->problem->process;
    return (sizes){.theta = theta,
                   .teacher = kstar * set->length,
                   .projection = set->block * columns,
                   .coef = set->block * k,
                   .row = set->block,
                   .order = process->events == EVENTS_VISITS ? (set->batch > 1 ? set->n : VISIT_ORDER) : 1,
                   .square = process->diffuses ? set->n : 1,
                   .slopes = process->events == EVENTS_STEPS && !process->diffuses ? FLOW_VECTORS * theta : 1,
                   .snapshot = set->snapshots * theta,
                   .lanes = set->block * (size_t)(1 + 2 * set->shape.k + set->shape.kstar + set->shape.noises +
                                                  2 * set->shape.labels),
                   .observed = observe_lanes(set),
                   .start = start_room(set)};
}

static size_t training_room(const simulator_setting *set)
{
    return set->n > 0 ? set->n : set->block;
}

double repetition_bytes(const simulator_setting *set)
{
    sizes n = sizes_of(set);
    double floats = 2.0 * (double)n.theta + (double)n.teacher + (double)n.projection + (double)n.coef +
                    (double)n.slopes + (double)n.snapshot;
    double doubles = (double)n.lanes + (double)n.observed + (double)n.square + (double)n.start +
                     (double)set->problem->output.times * (double)set->columns.count;
    return 4.0 * floats + 8.0 * doubles + 4.0 * (double)n.order + samples_bytes(set, set->block) +
           samples_bytes(set, training_room(set));
}

static float *new_floats(size_t count)
{
    return memory_zeroed(count, sizeof(float));
}

static int allocate(repetition *rep)
{
    const simulator_setting *set = rep->set;
    sizes n = sizes_of(set);
    rep->theta = new_floats(n.theta);
    rep->moved = new_floats(n.theta);
    rep->teacher = new_floats(n.teacher);
    rep->projection = new_floats(n.projection);
    rep->coef = new_floats(n.coef);
    rep->slopes = new_floats(n.slopes);
    rep->snapshot = new_floats(n.snapshot);
    rep->seen = memory_zeroed(set->snapshots, sizeof *rep->seen);
    rep->row = memory_zeroed(n.row, sizeof *rep->row);
    rep->order = memory_zeroed(n.order, sizeof *rep->order);
    rep->square = memory_doubles(n.square);
    rep->lanes = memory_doubles(n.lanes);
    rep->observed = memory_doubles(n.observed);
    rep->start = memory_doubles(n.start);
    rep->schedule = memory_doubles(schedule_work(set->eta));
    rep->penalty = memory_doubles(set->penalty ? simulator_penalty_work(set->penalty, set->shape.k) : 1);
    rep->curves = memory_doubles((size_t)set->problem->output.times * set->columns.count);
    return rep->theta && rep->moved && rep->teacher && rep->projection && rep->coef && rep->slopes && rep->snapshot &&
           rep->seen && rep->row && rep->order && rep->square && rep->lanes && rep->observed && rep->start &&
           rep->schedule && rep->penalty && rep->curves;
}

sgdmft_status repetition_init(sgdmft_context *ctx, const simulator_setting *set, simulator_monitor *monitor,
                              repetition *rep)
{
    *rep = (repetition){.set = set, .monitor = monitor};
    if (!allocate(rep))
        return context_out_of_memory(ctx, "a repetition", repetition_bytes(set));
    sgdmft_status status = samples_init(ctx, set, set->block, &rep->fresh);
    if (!status)
        status = samples_init(ctx, set, training_room(set), &rep->train);
    if (!status)
        status = model_work_new(ctx, set->m, OBSERVE_LANES, &rep->model);
    rep->desk = (sample_desk){rep->model, rep->row, rep->projection, rep->lanes};
    return status;
}

void repetition_clear(repetition *rep)
{
    samples_clear(&rep->train);
    samples_clear(&rep->fresh);
    model_work_free(rep->model);
    free(rep->theta);
    free(rep->moved);
    free(rep->teacher);
    free(rep->projection);
    free(rep->coef);
    free(rep->slopes);
    free(rep->snapshot);
    free(rep->seen);
    free(rep->row);
    free(rep->order);
    free(rep->square);
    free(rep->lanes);
    free(rep->observed);
    free(rep->start);
    free(rep->schedule);
    free(rep->penalty);
    free(rep->curves);
    *rep = (repetition){.set = NULL};
}

double repetition_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int repetition_report(repetition *rep, double fraction, double t)
{
    simulator_monitor *monitor = rep->monitor;
    double done, more = fraction - rep->fraction;
    int stop;
    rep->fraction = fraction;
#pragma omp atomic capture
    done = monitor->done += more;
#pragma omp atomic read
    stop = monitor->stop;
    /* Only the first thread talks to the caller. */
    if (omp_get_thread_num() == 0 && context_progress(monitor->ctx, done / monitor->total, t)) {
        stop = 1;
#pragma omp atomic write
        monitor->stop = 1;
    }
    return stop;
}

static int draw_training(repetition *rep)
{
    const simulator_setting *set = rep->set;
    sample_source source = sample_source_of(set, rep->number, SIMULATOR_ENTRIES, SIMULATOR_NOISE, rep->teacher);
    for (size_t first = 0; first < set->n; first += set->block) {
        size_t count = set->n - first < set->block ? set->n - first : set->block;
        if (samples_draw(&source, &rep->desk, first, count, &rep->train)) {
            rep->status = SGDMFT_ERR_PLUGIN;
            return 1;
        }
        if (repetition_report(rep, DATA_SHARE * (double)first / (double)set->n, 0.0))
            return 1;
    }
    return 0;
}

int repetition_start(repetition *rep, uint32_t number)
{
    const simulator_setting *set = rep->set;
    rep->number = number;
    rep->status = SGDMFT_OK;
    rep->reached = (size_t)set->problem->output.times;
    rep->n_seen = rep->used = rep->drawn = 0;
    rep->sweeps = 0;
    rep->scale = 1;
    rep->visits = rep->data_seconds = rep->run_seconds = rep->observe_seconds = rep->fraction = 0;
    memset(rep->curves, 0, (size_t)set->problem->output.times * set->columns.count * sizeof *rep->curves);
    double begin = repetition_seconds();
    repetition_draw_start(rep);
    rep->source = sample_source_of(set, number, SIMULATOR_ENTRIES, SIMULATOR_NOISE, rep->teacher);
    for (size_t i = 0; set->batch > 1 && set->problem->process->events == EVENTS_VISITS && i < set->n; i++)
        rep->order[i] = (uint32_t)i;
    int stopped = draw_training(rep);
    if (!stopped && set->problem->process->diffuses)
        measure_rows(rep);
    rep->data_seconds = repetition_seconds() - begin;
    return stopped;
}

double eta_at(repetition *rep, double t)
{
    double eta;
    schedule_values(rep->set->eta, rep->schedule, 1, &t, &eta);
    return eta;
}

static double product(size_t d, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (double)a[j] * b[j];
    return sum / (double)d;
}

/* Adds q and m of the current theta to the curves; returns 0 if theta has diverged. */
static int add_moments(repetition *rep, const simulator_stop *stop)
{
    const simulator_setting *set = rep->set;
    size_t k = (size_t)set->shape.k, kstar = (size_t)set->shape.kstar, d = set->d, length = set->length;
    double *row = rep->curves + stop->time * set->columns.count, size = 0, scale = 0;
    for (size_t a = 0; a < k; a++) {
        const float *theta = rep->theta + a * length;
        for (size_t b = 0; b <= a; b++) {
            double q = product(d, theta, rep->theta + b * length);
            row[set->columns.q + a * (a + 1) / 2 + b] += stop->weight * q;
            size += b == a ? q : 0;
        }
        for (size_t b = 0; b < kstar; b++)
            row[set->columns.m + a * kstar + b] += stop->weight * product(d, theta, rep->teacher + b * length);
        scale += set->problem->initial.q[a * k + a];
    }
    for (size_t b = 0; b < kstar; b++)
        scale += set->problem->initial.rho[b * kstar + b];
    return size <= MOMENT_GROWTH * scale;
}

static void lower_reached(repetition *rep, size_t time)
{
    if (time < rep->reached)
        rep->reached = time;
}

/* Keeps theta for its averages. */
static int take_snapshot(repetition *rep, const simulator_stop *stop)
{
    size_t count = (size_t)rep->set->shape.k * rep->set->length;
    if (!add_moments(rep, stop)) {
        rep->status = rep->status ? rep->status : SGDMFT_ERR_DIVERGED;
        lower_reached(rep, stop->time);
        return 1;
    }
    if (rep->n_seen == rep->set->snapshots && repetition_observe(rep))
        return 1;
    memcpy(rep->snapshot + rep->n_seen * count, rep->theta, count * sizeof *rep->theta);
    rep->seen[rep->n_seen++] = *stop;
    return 0;
}

/* Non-zero if another repetition has not come this far, so that nobody needs the rest. Trouble at the very time where
   the other one stopped is still met, so that messages do not depend on who was first. */
static int is_not_needed(const repetition *rep, size_t time)
{
    size_t reached;
#pragma omp atomic read
    reached = rep->monitor->reached;
    return time > reached;
}

static int advance(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    const sample_process *process = rep->set->problem->process;
    if (process->events == EVENTS_STEPS)
        return process->diffuses ? advance_diffusion(rep, from, to) : advance_flow(rep, from, to);
    if (process->events == EVENTS_FRESH || rep->set->batch > 1)
        return advance_batches(rep, from, to);
    return advance_visits(rep, from, to);
}

int repetition_run(repetition *rep)
{
    const simulator_setting *set = rep->set;
    const simulator_stop start = {.t = 0}, *from = &start;
    for (size_t i = 0; i < set->stops; i++) {
        const simulator_stop *to = &set->stop[i];
        double t = to->t < set->problem->horizon ? to->t : set->problem->horizon;
        int stopped = is_not_needed(rep, to->time) ||
                      repetition_report(rep, DATA_SHARE + RUN_SHARE * t / set->problem->horizon, t) ||
                      (to->t > from->t && advance(rep, from, to));
        if (stopped)
            lower_reached(rep, to->time);
        if (stopped || take_snapshot(rep, to))
            return 1;
        from = to;
    }
    return 0;
}

void repetition_do(repetition *rep, uint32_t number)
{
    double begin = repetition_seconds();
    if (repetition_start(rep, number))
        rep->reached = 0;
    else
        repetition_run(rep);
    if (rep->status != SGDMFT_ERR_PLUGIN)
        repetition_observe(rep); /* what was seen, also if the rest is missing */
    rep->run_seconds = repetition_seconds() - begin - rep->data_seconds - rep->observe_seconds;
    double left = 1.0 - rep->fraction;
    rep->fraction = 1.0;
#pragma omp atomic update
    rep->monitor->done += left;
}
