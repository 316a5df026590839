/* SGD and online dynamics. A step visits a batch of samples; all gradients are taken at the same theta:

       theta <- theta - eta sum_{i in batch} x_i g_i^T - duration grad penalty(theta),    t <- t + duration

   The duration is batch / n for training samples, which are visited in an order of their own (order.h), and batch / d
   for online dynamics, where every sample is new.

   A batch of one training sample needs r_i = theta^T x_i and then moves theta along x_i. The pass over theta that makes
   visit v therefore also forms r for visit v + 1, while the row of visit v + 2 is fetched from memory.

   The ridge is a factor, theta = scale * (stored vectors), which is multiplied into the stored vectors only when it
   becomes small, and at stops. Any other penalty would cost a pass over theta in every step. It acts in impulses that
   are at most IMPULSE_TIME apart, or in every step if steps are longer than that. */
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
    float *change;                       /* [k][length] change of theta by a batch of several blocks */
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

penalty_impulses penalty_impulses_of(double duration, uint64_t first, uint64_t last)
{
    penalty_impulses x = {.first = first, .steps = last - first, .duration = duration};
    double window = floor(IMPULSE_TIME / duration);
    x.windows = window > 1 ? (uint64_t)ceil((double)x.steps / window) : x.steps;
    x.at = x.windows > 0 ? first + steps_before(&x, 1) / 2 : last;
    return x;
}

static void apply_scale(visits *v)
{
    system_scale(v->sys, v->scale);
    v->scale = 1;
}

/* The penalty of one step: a factor for the ridge, otherwise an impulse if one is due. Impulses act on the stored
   theta, as its scale is 1 without a ridge. */
static void apply_penalty(visits *v, uint64_t step)
{
    const simulator_plan *plan = v->sys->plan;
    penalty_impulses *x = &v->impulses;
    if (!plan->penalty) {
        v->scale *= 1 - plan->problem->lambda * plan->duration;
        if (v->scale < SMALLEST_SCALE)
            apply_scale(v);
    } else if (step == x->at && x->next < x->windows) {
        uint64_t begin = steps_before(x, x->next), end = steps_before(x, x->next + 1);
        system_add_penalty(v->sys, -(double)(end - begin) * x->duration, v->sys->theta, v->sys->theta);
        x->next++;
        if (x->next < x->windows)
            x->at = x->first + (end + steps_before(x, x->next + 1)) / 2;
    }
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
        float coef[SIMULATOR_STUDENTS];
        if (visit_gradient(v, i, g))
            return 1;
        apply_penalty(v, first + i);
        for (int a = 0; a < plan->shape.k; a++)
            coef[a] = (float)(g[a] / v->scale);
        plan->loops->visit(plan->shape.k, plan->length, row_of(v, i), coef, row_of(v, i + 1), row_of(v, i + 2),
                           sys->theta, v->r);
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

/* Puts rows of the next samples of a batch, of which `done` are done, and their gradients times eta into the workspace.
   Sets *count to their number. */
static int next_gradients(visits *v, uint64_t step, size_t done, double t, double eta, size_t *count)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    size_t wanted = plan->batch - done;
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
        order_samples(&v->order, step * plan->batch + done, *count, v->sample);
    for (size_t i = 0; i < *count; i++)
        sys->work.row[i] = sys->train.row + (fresh ? v->used + i : v->sample[i]) * plan->length;
    const double *y = sys->train.y + (fresh ? v->used : 0);
    v->used += fresh ? *count : 0;
    return system_gradients(sys, *count, t, eta, v->scale, sys->theta, y, sys->train.room, fresh ? NULL : v->sample);
}

/* The stored theta moves by 1 / scale times the change of theta, with the scale that the ridge of this step leaves. */
static int make_step(visits *v, uint64_t step)
{
    simulator_system *sys = v->sys;
    const simulator_plan *plan = sys->plan;
    double t = (double)step * plan->duration, eta = system_eta(sys, t);
    size_t count, done = 0, k = (size_t)plan->shape.k, size = k * plan->length;
    if (next_gradients(v, step, 0, t, eta, &count))
        return 1;
    if (count == plan->batch) {
        apply_penalty(v, step);
        for (size_t i = 0; i < count * k; i++)
            sys->coef[i] = (float)(sys->coef[i] / v->scale);
        plan->loops->accumulate(count, sys->work.row, plan->length, plan->shape.k, sys->coef, sys->theta);
        return 0;
    }
    memset(v->change, 0, size * sizeof *v->change);
    for (;;) {
        plan->loops->accumulate(count, sys->work.row, plan->length, plan->shape.k, sys->coef, v->change);
        done += count;
        if (done == plan->batch)
            break;
        if (next_gradients(v, step, done, t, eta, &count))
            return 1;
    }
    apply_penalty(v, step);
    for (size_t j = 0; j < size; j++)
        sys->theta[j] += (float)(v->change[j] / v->scale);
    return 0;
}

static int advance_in_batches(visits *v, uint64_t from, uint64_t to)
{
    enum { STEPS_BETWEEN_REPORTS = 64 };
    const simulator_plan *plan = v->sys->plan;
    for (uint64_t step = from; step < to; step++) {
        if (make_step(v, step))
            return 1;
        v->sys->visits += (double)plan->batch;
        if (step % STEPS_BETWEEN_REPORTS == 0 && system_interrupted(v->sys, (double)step * plan->duration))
            return 1;
    }
    return 0;
}

/* ---- the integrator ---- */

static size_t visits_layout(const simulator_plan *plan, char *base, visits *v)
{
    size_t change = plan->batch > 1 ? (size_t)plan->shape.k * plan->length : 0, used = 0;
    size_t list = plan->n > 0 ? order_list_length(plan->order, plan->n, plan->batch) : 0;
    layout_take(base, &used, 1, sizeof *v);
    v->change = layout_take(base, &used, change, sizeof *v->change);
    v->order = order_of(plan->order, plan->n, plan->batch, layout_take(base, &used, list, sizeof *v->order.list));
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
    if (sys->plan->n > 0)
        order_start(&v->order, simulator_key(sys->plan, sys->repetition, SIMULATOR_ORDER));
    return 0;
}

static int visits_advance(void *state, simulator_system *sys, const simulator_stop *from, const simulator_stop *to)
{
    visits *v = state;
    v->scale = 1;
    v->impulses = penalty_impulses_of(sys->plan->duration, from->step, to->step);
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
    return plan->problem->horizon * (double)(plan->n > 0 ? plan->n : plan->d);
}

const integrator integrator_visits = {
    .bytes = visits_bytes,
    .create = visits_create,
    .start = visits_start,
    .advance = visits_advance,
    .steps = visits_steps,
    .visits = visits_expected,
};
