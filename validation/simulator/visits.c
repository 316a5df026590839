/* SGD and online dynamics. A step visits a batch of samples; all gradients are taken at the same theta:

       theta <- theta - eta sum_{i in batch} x_i g_i^T - duration grad penalty(theta),    t <- t + duration

   The duration is batch / n for training samples, which are visited in an order of their own (order.h), and batch / d
   for online dynamics, where every sample is new. It is the fraction itself where a batch is a fraction of the data.

   With momentum this change of theta is not made, but is a force on the velocity, which is 0 at the start:

       velocity <- velocity - brake velocity + push (change as above),    theta <- theta + velocity

   Batches that are a fraction of the data have push 1 and brake 1 - beta. Others have brake = push = gamma duration,
   and the velocity is that of the limit times the duration.

   A batch of one training sample needs r_i = theta^T x_i and then moves theta along x_i. The pass over theta that makes
   visit v therefore also forms r for visit v + 1, while the row of visit v + 2 is fetched from memory.

   The ridge is a factor, theta = scale * (stored vectors), which is multiplied into the stored vectors only when it
   becomes small, and at stops. Any other penalty would cost a pass over theta in every step. It acts in impulses that
   are at most IMPULSE_TIME apart, or in every step if steps are longer than that or are those of the limit. With
   momentum every step passes over theta anyway, and the scale remains 1. */
#include "validation/simulator/visits.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "validation/simulator/layout.h"

enum { CHUNK = 1024, LOOK_AHEAD = 2 }; /* visits that are prepared together, and visits that the last one looks ahead */

static const double SMALLEST_SCALE = 0.01;
static const double IMPULSE_TIME = 1e-3;

typedef struct visits {
    simulator_system *sys;
    order order;                         /* if there are training samples */
    uint32_t sample[CHUNK + LOOK_AHEAD]; /* numbers of the samples of the next visits */
    size_t used, available;              /* samples of the present block, if every sample is new */
    float *change;                       /* [k][length] of theta by a batch of several blocks, or the velocity */
    double scale;
    penalty_impulses impulses;
    double t[CHUNK], eta[CHUNK];
    float r[SIMULATOR_STUDENTS]; /* stored theta_a . x of the next visit */
} visits;

/* ---- penalty ---- */

/* Number of steps before window w. */
static uint64_t steps_before(const penalty_impulses *x, uint64_t w)
{
    return x->steps / x->windows * w + x->steps % x->windows * w / x->windows;
}

penalty_impulses penalty_impulses_of(double duration, double apart, uint64_t first, uint64_t last)
{
    penalty_impulses x = {.first = first, .steps = last - first, .duration = duration};
    double window = floor(apart / duration);
    x.windows = window > 1 ? (uint64_t)ceil((double)x.steps / window) : x.steps;
    x.at = x.windows > 0 ? first + steps_before(&x, 1) / 2 : last;
    return x;
}

static void apply_scale(visits *v)
{
    system_scale(v->sys, v->scale);
    v->scale = 1;
}

/* If an impulse is due, adds it times `push` to the target. It acts on the stored theta, as the scale is 1 without a
   ridge. */
static void add_impulse(visits *v, uint64_t step, double push, float *target)
{
    penalty_impulses *x = &v->impulses;
    if (!v->sys->plan->penalty || step != x->at || x->next >= x->windows)
        return;
    uint64_t begin = steps_before(x, x->next), end = steps_before(x, x->next + 1);
    system_add_penalty(v->sys, -push * (double)(end - begin) * x->duration, v->sys->theta, target);
    x->next++;
    if (x->next < x->windows)
        x->at = x->first + (end + steps_before(x, x->next + 1)) / 2;
}

/* The penalty of one step without momentum: a factor for the ridge, or an impulse. */
static void apply_penalty(visits *v, uint64_t step)
{
    const simulator_plan *plan = v->sys->plan;
    add_impulse(v, step, 1, v->sys->theta);
    v->scale *= 1 - plan->problem->lambda * plan->duration;
    if (v->scale < SMALLEST_SCALE)
        apply_scale(v);
}

/* What the ridge adds to the change of theta by a step, as a part of theta. */
static double shrink_of(const simulator_plan *plan)
{
    return plan->push * plan->problem->lambda * plan->duration;
}

/* ---- batches of one training sample ---- */

static const float *row_of(const visits *v, size_t i)
{
    return v->sys->train.row + v->sample[i] * v->sys->plan->length;
}

/* eta g of visit number i of the chunk. */
static int visit_gradient(visits *v, size_t i, double *g)
{
    simulator_system *sys = v->sys;
    const model_shape *shape = &sys->plan->shape;
    double r[SIMULATOR_STUDENTS], y[SIMULATOR_STUDENTS];
    for (int a = 0; a < shape->k; a++)
        r[a] = v->scale * v->r[a];
    for (int c = 0; c < shape->labels; c++)
        y[c] = sys->train.y[(size_t)c * sys->train.room + v->sample[i]];
    if (model_gradient(sys->plan->model, sys->work.model, 1, &v->t[i], r, y, g, NULL)) {
        sys->status = SGDMFT_ERR_PLUGIN;
        return 1;
    }
    for (int a = 0; a < shape->k; a++)
        g[a] *= v->eta[i];
    return 0;
}

/* Moves theta by visit number i of the chunk, which is of this step, with eta g given. The velocity takes an impulse
   before it is braked, hence the division. */
static void make_visit(visits *v, size_t i, uint64_t step, const double *g)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    int k = plan->shape.k;
    float coef[SIMULATOR_STUDENTS];
    if (problem_has_momentum(plan->problem))
        add_impulse(v, step, plan->push / (1 - plan->brake), v->change);
    else
        apply_penalty(v, step);
    for (int a = 0; a < k; a++)
        coef[a] = (float)(plan->push * g[a] / v->scale);
    if (problem_has_momentum(plan->problem))
        plan->loops->coast(k, plan->length, row_of(v, i), coef, (float)plan->brake, (float)shrink_of(plan),
                           row_of(v, i + 1), row_of(v, i + 2), v->change, sys->theta, v->r);
    else
        plan->loops->visit(k, plan->length, row_of(v, i), coef, row_of(v, i + 1), row_of(v, i + 2), sys->theta, v->r);
}

static int make_visits(visits *v, uint64_t first, size_t count)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    order_samples(&v->order, first, count + LOOK_AHEAD, v->sample);
    for (size_t i = 0; i < count; i++)
        v->t[i] = (double)(first + i) * plan->duration;
    schedule_values(plan->eta, sys->eta_work, count, v->t, v->eta);
    for (size_t i = 0; i < count; i++) {
        double g[SIMULATOR_STUDENTS];
        if (visit_gradient(v, i, g))
            return 1;
        make_visit(v, i, first + i, g);
    }
    sys->visits += (double)count;
    return system_interrupted(sys, (double)first * plan->duration);
}

static int advance_singly(visits *v, uint64_t from, uint64_t to)
{
    const simulator_plan *plan = v->sys->plan;
    order_samples(&v->order, from, 1, v->sample);
    const float *row = row_of(v, 0);
    plan->loops->project(1, &row, plan->length, (size_t)plan->shape.k, v->sys->theta, v->r);
    for (uint64_t first = from; first < to; first += CHUNK)
        if (make_visits(v, first, to - first < CHUNK ? (size_t)(to - first) : CHUNK))
            return 1;
    return 0;
}

/* ---- batches of several samples, and new samples ---- */

/* A step on its way: its first visit, if there are training samples, and how many of its samples are done. */
typedef struct batch {
    uint64_t first;
    size_t size, done;
    double t, eta;
} batch;

static batch batch_of(visits *v, uint64_t step)
{
    const simulator_plan *plan = v->sys->plan;
    double t = (double)step * plan->duration;
    batch b = {.size = plan->batch, .t = t, .eta = system_eta(v->sys, t)};
    if (plan->n == 0)
        return b;
    b.first = order_first(&v->order, step);
    b.size = (size_t)(order_first(&v->order, step + 1) - b.first);
    return b;
}

/* Puts rows of the next samples of a batch and their gradients times eta push into the workspace. Sets *count to their
   number. */
static int next_gradients(visits *v, const batch *b, size_t *count)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    size_t wanted = b->size - b->done;
    int fresh = plan->n == 0;
    if (fresh && v->used == v->available) {
        if (system_draw_block(sys))
            return 1;
        v->used = 0;
        v->available = plan->block;
    }
    size_t most = fresh ? v->available - v->used : plan->block;
    *count = wanted < most ? wanted : most;
    if (!fresh)
        order_samples(&v->order, b->first + b->done, *count, v->sample);
    for (size_t i = 0; i < *count; i++)
        sys->work.row[i] = sys->train.row + (fresh ? v->used + i : v->sample[i]) * plan->length;
    const double *y = sys->train.y + (fresh ? v->used : 0);
    v->used += fresh ? *count : 0;
    return system_gradients(sys, *count, b->t, plan->push * b->eta, v->scale, sys->theta, y, sys->train.room,
                            fresh ? NULL : v->sample);
}

/* The whole batch, whose gradients are in the workspace, moves the stored theta at once: by 1 / scale times the change
   of theta, with the scale that the ridge of this step leaves. */
static void move_at_once(visits *v, uint64_t step, size_t count)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    apply_penalty(v, step);
    for (size_t i = 0; i < count * (size_t)plan->shape.k; i++)
        sys->coef[i] = (float)(sys->coef[i] / v->scale);
    plan->loops->accumulate(count, sys->work.row, plan->length, plan->shape.k, sys->coef, sys->theta);
}

/* Moves theta by a change that is collected block by block, beginning with the `count` gradients in the workspace.
   Without momentum the brake is 1 and nothing remains of the change before. */
static int move_by_change(visits *v, uint64_t step, batch *b, size_t count)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    size_t size = (size_t)plan->shape.k * plan->length;
    float brake = (float)plan->brake, shrink = (float)shrink_of(plan);
    apply_scale(v);
    for (size_t j = 0; j < size; j++)
        v->change[j] -= brake * v->change[j] + shrink * sys->theta[j];
    add_impulse(v, step, plan->push, v->change);
    for (;;) {
        plan->loops->accumulate(count, sys->work.row, plan->length, plan->shape.k, sys->coef, v->change);
        b->done += count;
        if (b->done == b->size)
            break;
        if (next_gradients(v, b, &count))
            return 1;
    }
    for (size_t j = 0; j < size; j++)
        sys->theta[j] += v->change[j];
    return 0;
}

static int make_step(visits *v, uint64_t step)
{
    batch b = batch_of(v, step);
    size_t count;
    if (next_gradients(v, &b, &count))
        return 1;
    v->sys->visits += (double)b.size;
    if (problem_has_momentum(v->sys->plan->problem) || count < b.size)
        return move_by_change(v, step, &b, count);
    move_at_once(v, step, count);
    return 0;
}

static int advance_in_batches(visits *v, uint64_t from, uint64_t to)
{
    enum { STEPS_BETWEEN_REPORTS = 64 };
    const simulator_plan *plan = v->sys->plan;
    for (uint64_t step = from; step < to; step++) {
        if (make_step(v, step))
            return 1;
        if (step % STEPS_BETWEEN_REPORTS == 0 && system_interrupted(v->sys, (double)step * plan->duration))
            return 1;
    }
    return 0;
}

/* ---- the integrator ---- */

static size_t change_size(const simulator_plan *plan)
{
    return plan->batch > 1 || problem_has_momentum(plan->problem) ? (size_t)plan->shape.k * plan->length : 0;
}

static size_t visits_layout(const simulator_plan *plan, char *base, visits *v)
{
    size_t used = 0;
    size_t list = plan->n > 0 ? order_list_length(plan->order, plan->n, plan->batch) : 0;
    layout_take(base, &used, 1, sizeof *v);
    v->change = layout_take(base, &used, change_size(plan), sizeof *v->change);
    v->order =
        order_of(plan->order, plan->n, plan->batch, plan->cuts, layout_take(base, &used, list, sizeof *v->order.list));
    return used;
}

static double visits_bytes(const simulator_plan *plan)
{
    visits counted;
    return (double)visits_layout(plan, NULL, &counted);
}

static void *visits_create(const simulator_plan *plan)
{
    visits counted, *v = memory_zeroed(visits_layout(plan, NULL, &counted), 1);
    if (v)
        visits_layout(plan, (char *)v, v);
    return v;
}

static int visits_start(void *state, simulator_system *sys)
{
    visits *v = state;
    v->sys = sys;
    v->used = v->available = 0;
    memset(v->change, 0, change_size(sys->plan) * sizeof *v->change);
    if (sys->plan->n > 0)
        order_start(&v->order, simulator_key(sys->plan, sys->repetition, SIMULATOR_ORDER));
    return 0;
}

static int visits_advance(void *state, simulator_system *sys, const simulator_stop *from, const simulator_stop *to)
{
    visits *v = state;
    v->scale = 1;
    double apart = problem_is_discrete(sys->plan->problem) ? 0 : IMPULSE_TIME;
    v->impulses = penalty_impulses_of(sys->plan->duration, apart, from->step, to->step);
    int singly = sys->plan->n > 0 && sys->plan->batch == 1;
    int stopped = singly ? advance_singly(v, from->step, to->step) : advance_in_batches(v, from->step, to->step);
    if (!stopped)
        apply_scale(v);
    return stopped;
}

static size_t visits_steps(const simulator_plan *plan)
{
    return (size_t)plan->stop[plan->stops - 1].step;
}

static double visits_expected(const simulator_plan *plan)
{
    return plan->stop[plan->stops - 1].t * (double)(plan->n > 0 ? plan->n : plan->d);
}

const integrator integrator_visits = {
    .bytes = visits_bytes,
    .create = visits_create,
    .start = visits_start,
    .advance = visits_advance,
    .steps = visits_steps,
    .visits = visits_expected,
};
