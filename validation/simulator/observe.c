/* Averages over samples need the products of all rows with theta. A pass over the rows at each of 50 output times would
   take more time than the dynamics. So the thetas of many stops are kept, and one pass forms the products of all rows
   with all of them, at the speed of a matrix product. Fresh samples are drawn block by block for this pass. */
#include "validation/simulator/observe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/common/growth.h"
#include "solvers/common/output_times.h"
#include "validation/simulator/layout.h"

static size_t components_of(const simulator_plan *plan)
{
    const model_shape *shape = &plan->shape;
    return (size_t)(2 + shape->k + shape->labels + shape->kstar + shape->noises + shape->observables);
}

static size_t observer_layout(const simulator_plan *plan, char *base, observer *o)
{
    size_t theta = (size_t)plan->shape.k * plan->length, times = output_times_count(plan->problem), used = 0;
    o->curves = layout_take(base, &used, times * plan->columns.count, sizeof *o->curves);
    o->snapshot = layout_take(base, &used, plan->snapshots * theta, sizeof *o->snapshot);
    o->stop = layout_take(base, &used, plan->snapshots, sizeof *o->stop);
    o->lanes = layout_take(base, &used, components_of(plan) * WORKSPACE_LANES, sizeof *o->lanes);
    return used;
}

double observer_bytes(const simulator_plan *plan)
{
    observer o;
    return (double)observer_layout(plan, NULL, &o) + samples_bytes(plan, plan->block);
}

sgdmft_status observer_init(sgdmft_context *ctx, const simulator_plan *plan, observer *out)
{
    *out = (observer){.plan = plan, .memory = memory_zeroed(observer_layout(plan, NULL, out), 1)};
    if (!out->memory)
        return context_out_of_memory(ctx, "the curves of a repetition", observer_bytes(plan));
    observer_layout(plan, out->memory, out);
    return samples_init(ctx, plan, plan->block, &out->fresh);
}

void observer_clear(observer *o)
{
    samples_clear(&o->fresh);
    free(o->memory);
    *o = (observer){.plan = NULL};
}

void observer_start(observer *o)
{
    size_t times = output_times_count(o->plan->problem);
    memset(o->curves, 0, times * o->plan->columns.count * sizeof *o->curves);
    o->reached = times;
    o->waiting = 0;
    o->seconds = 0;
}

void observer_lower(observer *o, size_t time)
{
    if (time < o->reached)
        o->reached = time;
}

/* ---- second moments ---- */

static double mean_product(size_t d, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (double)a[j] * b[j];
    return sum / (double)d;
}

/* Sum of the mean squares of students and teachers at the start. */
static double moment_scale(const simulator_plan *plan)
{
    size_t k = (size_t)plan->shape.k, kstar = (size_t)plan->shape.kstar;
    double scale = 0;
    for (size_t a = 0; a < k; a++)
        scale += plan->problem->initial.q[a * k + a];
    for (size_t b = 0; b < kstar; b++)
        scale += plan->problem->initial.rho[b * kstar + b];
    return scale;
}

/* Adds q and m of theta to the curves. Returns 0 if theta has diverged. */
static int add_moments(observer *o, const simulator_system *sys, const simulator_stop *stop)
{
    const simulator_plan *plan = o->plan;
    size_t k = (size_t)plan->shape.k, kstar = (size_t)plan->shape.kstar, d = plan->d, length = plan->length;
    double *row = o->curves + stop->time * plan->columns.count, trace = 0;
    for (size_t a = 0; a < k; a++) {
        const float *theta = sys->theta + a * length;
        for (size_t b = 0; b <= a; b++) {
            double q = mean_product(d, theta, sys->theta + b * length);
            row[plan->columns.q + a * (a + 1) / 2 + b] += stop->weight * q;
            trace += b == a ? q : 0;
        }
        for (size_t b = 0; b < kstar; b++)
            row[plan->columns.m + a * kstar + b] += stop->weight * mean_product(d, theta, sys->teacher + b * length);
    }
    return trace <= growth_limits_of(moment_scale(plan)).moment;
}

int observer_take(observer *o, simulator_system *sys, const simulator_stop *stop)
{
    size_t size = (size_t)o->plan->shape.k * o->plan->length;
    if (!add_moments(o, sys, stop)) {
        sys->status = sys->status ? sys->status : SGDMFT_ERR_DIVERGED;
        observer_lower(o, stop->time);
        return 1;
    }
    if (o->waiting == o->plan->snapshots && observer_finish(o, sys))
        return 1;
    memcpy(o->snapshot + o->waiting * size, sys->theta, size * sizeof *sys->theta);
    o->stop[o->waiting++] = *stop;
    return 0;
}

/* ---- averages over samples ---- */

/* Input and output of the model for pairs of a sample and a snapshot, in the layout of model.h. */
typedef struct model_lanes {
    double *t, *r, *y, *s, *eps, *loss, *observables;
} model_lanes;

static model_lanes lanes_of(const observer *o)
{
    const model_shape *shape = &o->plan->shape;
    model_lanes l = {.t = o->lanes};
    l.r = l.t + WORKSPACE_LANES;
    l.y = l.r + (size_t)shape->k * WORKSPACE_LANES;
    l.s = l.y + (size_t)shape->labels * WORKSPACE_LANES;
    l.eps = l.s + (size_t)shape->kstar * WORKSPACE_LANES;
    l.loss = l.eps + (size_t)shape->noises * WORKSPACE_LANES;
    l.observables = l.loss + WORKSPACE_LANES;
    return l;
}

/* The components of `count` samples from number `first` on, once for every snapshot. */
static void repeat(size_t components, size_t first, size_t count, size_t snapshots, const double *from, size_t room,
                   double *to)
{
    for (size_t c = 0; c < components; c++)
        for (size_t s = 0; s < snapshots; s++)
            for (size_t i = 0; i < count; i++)
                *to++ = from[c * room + first + i];
}

/* Lane s * count + i is sample first + i with snapshot from + s. */
static void fill_lanes(const observer *o, const simulator_system *sys, const samples *x, size_t first, size_t count,
                       size_t from, size_t snapshots, const model_lanes *l)
{
    const model_shape *shape = &o->plan->shape;
    size_t k = (size_t)shape->k, columns = o->waiting * k;
    for (size_t s = 0; s < snapshots; s++)
        for (size_t i = 0; i < count; i++)
            l->t[s * count + i] = o->stop[from + s].t;
    for (size_t a = 0; a < k; a++)
        for (size_t s = 0; s < snapshots; s++)
            for (size_t i = 0; i < count; i++)
                l->r[(a * snapshots + s) * count + i] = sys->work.projection[i * columns + (from + s) * k + a];
    repeat((size_t)shape->labels, first, count, snapshots, x->y, x->room, l->y);
    if (shape->observables == 0)
        return;
    repeat((size_t)shape->kstar, first, count, snapshots, x->s, x->room, l->s);
    repeat((size_t)shape->noises, first, count, snapshots, x->eps, x->room, l->eps);
}

/* Adds the sum over the lanes of each snapshot, times `weight` and the weight of its stop, to a column. */
static void add_sums(observer *o, size_t from, size_t snapshots, size_t count, double weight, const double *values,
                     size_t column)
{
    for (size_t s = 0; s < snapshots; s++) {
        const simulator_stop *stop = &o->stop[from + s];
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += values[s * count + i];
        o->curves[stop->time * o->plan->columns.count + column] += weight * stop->weight * sum;
    }
}

/* Adds `count` samples of a set of size 1 / weight to its averages; `test` is 1 for fresh samples, otherwise 0. */
static int add_block(observer *o, simulator_system *sys, const samples *x, size_t first, size_t count, double weight,
                     size_t test)
{
    const simulator_plan *plan = o->plan;
    const block_workspace *work = &sys->work;
    model_lanes l = lanes_of(o);
    size_t at_once = WORKSPACE_LANES / count;
    for (size_t i = 0; i < count; i++)
        work->row[i] = x->row + (first + i) * plan->length;
    plan->loops->project(count, work->row, plan->length, o->waiting * (size_t)plan->shape.k, o->snapshot,
                         work->projection);
    for (size_t from = 0; from < o->waiting; from += at_once) {
        size_t snapshots = o->waiting - from < at_once ? o->waiting - from : at_once, n = snapshots * count;
        fill_lanes(o, sys, x, first, count, from, snapshots, &l);
        if (model_loss(plan->model, work->model, n, l.t, l.r, l.y, l.loss) ||
            model_observables(plan->model, work->model, n, l.t, l.r, l.s, l.eps, l.y, l.observables)) {
            sys->status = SGDMFT_ERR_PLUGIN;
            return 1;
        }
        add_sums(o, from, snapshots, count, weight, l.loss, test ? plan->columns.test_loss : plan->columns.train_loss);
        for (size_t i = 0; i < (size_t)plan->shape.observables; i++)
            add_sums(o, from, snapshots, count, weight, l.observables + i * n,
                     plan->columns.observables + 2 * i + test);
    }
    return 0;
}

static int add_training(observer *o, simulator_system *sys)
{
    const simulator_plan *plan = o->plan;
    for (size_t first = 0; first < plan->n; first += plan->block) {
        size_t count = plan->n - first < plan->block ? plan->n - first : plan->block;
        if (add_block(o, sys, &sys->train, first, count, 1 / (double)plan->n, 0))
            return 1;
    }
    return 0;
}

/* All snapshots of a repetition see the same fresh samples, in however many passes their averages are taken. */
static int add_tests(observer *o, simulator_system *sys)
{
    const simulator_plan *plan = o->plan;
    sample_source source =
        sample_source_of(plan, sys->repetition, SIMULATOR_TEST_ENTRIES, SIMULATOR_TEST_NOISE, sys->teacher);
    for (size_t first = 0; first < plan->tests; first += plan->block) {
        size_t count = plan->tests - first < plan->block ? plan->tests - first : plan->block;
        if (samples_draw(&source, &sys->work, 0, count, &o->fresh)) {
            sys->status = SGDMFT_ERR_PLUGIN;
            return 1;
        }
        if (add_block(o, sys, &o->fresh, 0, count, 1 / (double)plan->tests, 1))
            return 1;
    }
    return 0;
}

/* If every sample is used once only, the next training samples are fresh samples. */
static void copy_tests(observer *o)
{
    const solution_columns *column = &o->plan->columns;
    for (size_t s = 0; s < o->waiting; s++) {
        double *row = o->curves + o->stop[s].time * column->count;
        row[column->train_loss] = row[column->test_loss];
        for (size_t i = 0; i < (size_t)o->plan->shape.observables; i++)
            row[column->observables + 2 * i] = row[column->observables + 2 * i + 1];
    }
}

/* A loss may overflow, or theta leave its domain, before theta has grown much. */
static void check_losses(observer *o, simulator_system *sys)
{
    const solution_columns *column = &o->plan->columns;
    for (size_t s = 0; s < o->waiting; s++) {
        size_t time = o->stop[s].time;
        const double *row = o->curves + time * column->count;
        if (time >= o->reached || (isfinite(row[column->train_loss]) && isfinite(row[column->test_loss])))
            continue;
        o->reached = time;
        sys->status = SGDMFT_ERR_NON_FINITE;
    }
}

int observer_finish(observer *o, simulator_system *sys)
{
    double begin = system_seconds();
    int failed = o->waiting > 0 && (add_training(o, sys) || add_tests(o, sys));
    if (!failed && o->plan->n == 0)
        copy_tests(o);
    if (!failed)
        check_losses(o, sys);
    o->waiting = 0;
    o->seconds += system_seconds() - begin;
    return failed;
}
