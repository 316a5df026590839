/* Gradient flow,

       d theta/dt = - grad penalty(theta) - eta sum_i x_i g_i^T,

   by the Runge-Kutta formulas of orders 5 and 4 of Dormand and Prince (1980). Their difference estimates the error of a
   step, which is kept below TOLERANCE times the size of theta and theta* (root mean square): well above rounding in
   single precision, and well below the sampling noise of the curves. A derivative costs one pass over the data, so
   steps are as long as the tolerance permits, and theta is interpolated at output times. */
#include "validation/simulator/flow.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "validation/simulator/layout.h"

static const double TOLERANCE = 1e-5;
static const double SAFETY = 0.9, SHRINK = 0.2, GROW = 4.0; /* of the step from one attempt to the next */
static const double SHORTEST_STEP = 1e-9; /* of the horizon; a shorter step means that theta blows up */

/* Passes over the data per unit of time on an ordinary problem, for the estimate of cost. */
static const double USUAL_PASSES = 60;

enum { STAGES = 7 };

typedef struct flow {
    simulator_system *sys;
    float *slope[STAGES]; /* [k][length] derivatives at the stages of the last step */
    float *begin, *end;   /* [k][length] theta where the last step begins and ends */
    double from, to;      /* the last step */
    double step;          /* length to try next */
} flow;

static const double node[STAGES] = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
static const double weight[STAGES][STAGES - 1] = {
    {0},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
};
/* Of the order 5 formula (the last row above) minus the order 4 one. */
static const double defect[STAGES] = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                      -17253.0 / 339200, 22.0 / 525, -1.0 / 40};

static size_t size_of(const flow *f)
{
    return (size_t)f->sys->plan->shape.k * f->sys->plan->length;
}

/* target -= sum over the training samples of eta x_i g_i^T at theta */
static int subtract_gradients(simulator_system *sys, double t, const float *theta, float *target)
{
    const simulator_plan *plan = sys->plan;
    double eta = system_eta(sys, t);
    for (size_t first = 0; first < plan->n; first += plan->block) {
        size_t count = plan->n - first < plan->block ? plan->n - first : plan->block;
        for (size_t i = 0; i < count; i++)
            sys->work.row[i] = sys->train.row + (first + i) * plan->length;
        if (system_gradients(sys, count, t, eta, 1.0, theta, sys->train.y + first, sys->train.room, NULL))
            return 1;
        plan->loops->accumulate(count, sys->work.row, plan->length, plan->shape.k, sys->coef, target);
    }
    sys->visits += (double)plan->n;
    return system_interrupted(sys, t);
}

static int derivative(flow *f, double t, const float *theta, float *out)
{
    const simulator_plan *plan = f->sys->plan;
    float lambda = plan->penalty ? 0.0f : (float)plan->problem->lambda;
    for (size_t j = 0; j < size_of(f); j++)
        out[j] = -lambda * theta[j];
    if (plan->penalty)
        system_add_penalty(f->sys, -1, theta, out);
    return subtract_gradients(f->sys, t, theta, out);
}

/* to = begin + h sum of weights times slopes */
static void combine(const flow *f, double h, const double *weights, int stages, float *to)
{
    memcpy(to, f->begin, size_of(f) * sizeof *to);
    for (int i = 0; i < stages; i++) {
        const float *along = f->slope[i];
        float factor = (float)(h * weights[i]);
        for (size_t j = 0; j < size_of(f); j++)
            to[j] += factor * along[j];
    }
}

/* Estimated error of a step of length h, in units of what is allowed. */
static double error_of(const flow *f, double h)
{
    const simulator_plan *plan = f->sys->plan;
    const sgdmft_problem *problem = plan->problem;
    double sum = 0, scale = 0;
    for (size_t j = 0; j < size_of(f); j++) {
        double e = 0;
        for (int i = 0; i < STAGES; i++)
            e += defect[i] * f->slope[i][j];
        sum += e * e;
    }
    for (int a = 0; a < plan->shape.k; a++)
        scale += problem->initial.q[a * plan->shape.k + a] / plan->shape.k;
    for (int b = 0; b < plan->shape.kstar; b++)
        scale += problem->initial.rho[b * plan->shape.kstar + b] / plan->shape.kstar;
    return h * sqrt(sum / ((double)plan->shape.k * (double)plan->d * scale)) / TOLERANCE;
}

/* A step of length h; the slope of the first stage is known. Sets *error. */
static int try_step(flow *f, double h, double *error)
{
    for (int i = 1; i < STAGES; i++) {
        combine(f, h, weight[i], i, f->end);
        if (derivative(f, f->from + node[i] * h, f->end, f->slope[i]))
            return 1;
    }
    *error = error_of(f, h);
    return 0;
}

/* The spectrum of X^T X ends at (1 + sqrt delta)^2. */
static double first_step(simulator_system *sys)
{
    double edge = 1 + sqrt(sys->plan->problem->delta);
    return 0.5 / (system_eta(sys, 0) * edge * edge + sys->plan->problem->lambda + 1);
}

static double step_factor(double error)
{
    double factor = isfinite(error) ? SAFETY * pow(error + 1e-12, -0.2) : 0;
    return factor < SHRINK ? SHRINK : factor > GROW ? GROW : factor;
}

/* Makes the step that begins at f->to. Its first slope is the last one of the step before. */
static int next_step(flow *f)
{
    size_t bytes = size_of(f) * sizeof *f->begin;
    double horizon = f->sys->plan->problem->horizon, left = horizon - f->to, error;
    memcpy(f->begin, f->end, bytes);
    memcpy(f->slope[0], f->slope[STAGES - 1], bytes);
    f->from = f->to;
    for (;;) {
        double h = f->step < left ? f->step : left;
        if (try_step(f, h, &error))
            return 1;
        f->step = h * step_factor(error);
        if (error <= 1) {
            f->to = h < left ? f->from + h : horizon;
            return 0;
        }
        if (f->step < SHORTEST_STEP * horizon) {
            f->sys->status = SGDMFT_ERR_DIVERGED;
            return 1;
        }
    }
}

/* theta at time t in the last step, to order 4 (Hairer, Norsett, Wanner: Solving Ordinary Differential Equations I,
   II.6). */
static void interpolate(flow *f, double t)
{
    static const double bend[STAGES] = {-12715105075.0 / 11282082432,  0,
                                        87487479700.0 / 32700410799,   -10690763975.0 / 1880347072,
                                        701980252875.0 / 199316789632, -1453857185.0 / 822651844,
                                        69997945.0 / 29380423};
    double h = f->to - f->from, x = h > 0 ? (t - f->from) / h : 1, weights[STAGES];
    for (int i = 0; i < STAGES; i++) {
        double chord = i < STAGES - 1 ? weight[STAGES - 1][i] : 0;
        double first = (i == 0) - chord, last = chord - (i == STAGES - 1) - first;
        weights[i] = x * (chord + (1 - x) * (first + x * (last + (1 - x) * bend[i])));
    }
    combine(f, h, weights, STAGES, f->sys->theta);
}

/* ---- the integrator ---- */

static size_t flow_layout(const simulator_plan *plan, char *base, flow *f)
{
    size_t size = (size_t)plan->shape.k * plan->length, used = 0;
    layout_take(base, &used, 1, sizeof *f);
    for (int i = 0; i < STAGES; i++)
        f->slope[i] = layout_take(base, &used, size, sizeof *f->slope[i]);
    f->begin = layout_take(base, &used, size, sizeof *f->begin);
    f->end = layout_take(base, &used, size, sizeof *f->end);
    return used;
}

static double flow_bytes(const simulator_plan *plan)
{
    flow counted;
    return (double)flow_layout(plan, NULL, &counted);
}

static void *flow_create(const simulator_plan *plan)
{
    flow counted, *f = memory_zeroed(flow_layout(plan, NULL, &counted), 1);
    if (f)
        flow_layout(plan, (char *)f, f);
    return f;
}

/* As if a step had just ended at t = 0. */
static int flow_start(void *state, simulator_system *sys)
{
    flow *f = state;
    f->sys = sys;
    memcpy(f->end, sys->theta, size_of(f) * sizeof *f->end);
    f->from = f->to = 0;
    f->step = first_step(sys);
    return derivative(f, 0, sys->theta, f->slope[STAGES - 1]);
}

static int flow_advance(void *state, simulator_system *sys, const simulator_stop *from, const simulator_stop *to)
{
    flow *f = state;
    while (f->to < to->t)
        if (next_step(f))
            return 1;
    interpolate(f, to->t);
    return 0;
}

/* The number of steps depends on their errors. */
static size_t flow_steps(const simulator_plan *plan)
{
    return 0;
}

static double flow_visits(const simulator_plan *plan)
{
    return (double)plan->n * plan->problem->horizon * USUAL_PASSES;
}

const integrator integrator_flow = {
    .bytes = flow_bytes,
    .create = flow_create,
    .start = flow_start,
    .advance = flow_advance,
    .steps = flow_steps,
    .visits = flow_visits,
};
