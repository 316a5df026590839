/* The stochastic modified equation, with one Brownian motion B_i per sample:

       d theta = - grad penalty(theta) dt - sum_i x_i eta g_i^T (dt + dB_i)

   Its generator is a sum over samples, so that a step can be a sweep over them, one after the other. Sample i alone
   moves r_i = theta^T x_i by dr = - eta |x_i|^2 g(r) (dt + dB_i), an equation with scalar noise, and theta along x_i
   accordingly. Sweeps go forward and backward in turn, each between two halves of the step of the penalty: this
   splitting is symmetric and of order 2. The step of a sample is the kick of the process (process/kick.h), a scheme of
   weak order 2. The error of the curves is thus of order step^2. With the scheme of Euler and Maruyama it would be of
   order step, and steps would have to be many times smaller. */
#include "validation/simulator/diffusion.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "validation/simulator/layout.h"

enum { NORMALS = 1024 }; /* drawn at a time */

typedef struct diffusion {
    double *square;    /* [n] |x_i|^2 */
    float *half;       /* [k][length] theta in the middle of a step of the penalty */
    double *kick_work; /* scratch memory of the kick of one sample */
    uint64_t sweeps;   /* made so far */
} diffusion;

/* A sweep over the samples. */
typedef struct sweep {
    simulator_system *sys;
    const diffusion *state;
    uint64_t number;
    int backward;
    double t, eta, h;
    double y[SIMULATOR_STUDENTS]; /* label of the sample */
    float r[SIMULATOR_STUDENTS];  /* theta_a . x of the next sample */
} sweep;

/* A kick_gradient for the sample whose label is w->y. */
static int gradient(void *user, const double *r, double *g, double *G)
{
    const sweep *w = user;
    return model_gradient(w->sys->plan->model, w->sys->work.model, 1, &w->t, r, w->y, g, G);
}

/* A kick_gradients for the same sample. */
static int gradients(void *user, size_t points, const double *r, double *g)
{
    enum { MOST = KICK_POINTS };
    const sweep *w = user;
    const simulator_plan *plan = w->sys->plan;
    size_t k = (size_t)plan->shape.k;
    double t[MOST], y[MOST * SIMULATOR_STUDENTS], at[MOST * SIMULATOR_STUDENTS] = {0}, out[MOST * SIMULATOR_STUDENTS];
    if (points < 1 || points > MOST)
        return -1;
    for (size_t p = 0; p < points; p++)
        t[p] = w->t;
    for (size_t c = 0; c < (size_t)plan->shape.labels; c++)
        for (size_t p = 0; p < points; p++)
            y[c * points + p] = w->y[c];
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < points; p++)
            at[a * points + p] = r[p * k + a];
    if (model_gradient(plan->model, w->sys->work.model, points, t, at, y, out, NULL))
        return -1;
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < points; p++)
            g[p * k + a] = out[a * points + p];
    return 0;
}

/* The step of sample i is theta_a <- theta_a - coef[a] x_i, such that r moves by the kick. */
static int sample_step(sweep *w, size_t i, double normal, float *coef)
{
    simulator_system *sys = w->sys;
    const simulator_plan *plan = sys->plan;
    double square = w->state->square[i], r[SIMULATOR_STUDENTS], kick[SIMULATOR_STUDENTS];
    for (int a = 0; a < plan->shape.k; a++)
        r[a] = w->r[a];
    for (int c = 0; c < plan->shape.labels; c++)
        w->y[c] = sys->train.y[(size_t)c * sys->train.room + i];
    kick_step step = {.k = (size_t)plan->shape.k,
                      .n = 1,
                      .eta = w->eta * square,
                      .h = w->h,
                      .noise = &normal,
                      .r = r,
                      .gradient = gradient,
                      .gradients = gradients,
                      .user = w};
    if (plan->problem->process->kick(&step, w->state->kick_work, kick, NULL)) {
        sys->status = SGDMFT_ERR_PLUGIN;
        return 1;
    }
    for (int a = 0; a < plan->shape.k; a++)
        coef[a] = (float)(kick[a] / square);
    return 0;
}

/* Number of the sample at place p of the sweep. The look-ahead also asks for places beyond the last one, where any
   sample will do. */
static size_t sample_at(const sweep *w, size_t p)
{
    size_t last = w->sys->plan->n - 1;
    p = p < last ? p : last;
    return w->backward ? last - p : p;
}

static const float *row_at(const sweep *w, size_t p)
{
    return w->sys->train.row + sample_at(w, p) * w->sys->plan->length;
}

static int sweep_samples(sweep *w)
{
    simulator_system *sys = w->sys;
    const simulator_plan *plan = sys->plan;
    random_key key = simulator_key(plan, sys->repetition, SIMULATOR_BROWNIAN);
    const float *row = row_at(w, 0);
    double normal[NORMALS];
    plan->loops->project(1, &row, plan->length, (size_t)plan->shape.k, sys->theta, w->r);
    for (size_t p = 0; p < plan->n; p++) {
        float coef[SIMULATOR_STUDENTS];
        size_t left = plan->n - p;
        if (p % NORMALS == 0)
            random_normals(key, w->number, p, left < NORMALS ? left : NORMALS, normal);
        if (sample_step(w, sample_at(w, p), normal[p % NORMALS], coef))
            return 1;
        plan->loops->visit(plan->shape.k, plan->length, row_at(w, p), coef, row_at(w, p + 1), row_at(w, p + 2),
                           sys->theta, w->r);
    }
    sys->visits += (double)plan->n;
    return 0;
}

/* The penalty alone for a time h: exactly for the ridge, otherwise by the midpoint rule. */
static void penalty_step(diffusion *state, simulator_system *sys, double h)
{
    const simulator_plan *plan = sys->plan;
    if (!plan->penalty) {
        system_scale(sys, exp(-plan->problem->lambda * h));
        return;
    }
    memcpy(state->half, sys->theta, (size_t)plan->shape.k * plan->length * sizeof *state->half);
    system_add_penalty(sys, -h / 2, sys->theta, state->half);
    system_add_penalty(sys, -h, state->half, sys->theta);
}

/* ---- the integrator ---- */

static size_t diffusion_layout(const simulator_plan *plan, char *base, diffusion *x)
{
    size_t used = 0;
    layout_take(base, &used, 1, sizeof *x);
    x->square = layout_take(base, &used, plan->n, sizeof *x->square);
    x->half = layout_take(base, &used, (size_t)plan->shape.k * plan->length, sizeof *x->half);
    x->kick_work = layout_take(base, &used, kick_work((size_t)plan->shape.k), sizeof *x->kick_work);
    return used;
}

static double diffusion_bytes(const simulator_plan *plan)
{
    diffusion counted;
    return (double)diffusion_layout(plan, NULL, &counted);
}

static void *diffusion_create(const simulator_plan *plan)
{
    diffusion counted, *x = memory_zeroed(diffusion_layout(plan, NULL, &counted), 1);
    if (x)
        diffusion_layout(plan, (char *)x, x);
    return x;
}

static int diffusion_start(void *state, simulator_system *sys)
{
    diffusion *x = state;
    const simulator_plan *plan = sys->plan;
    x->sweeps = 0;
    for (size_t i = 0; i < plan->n; i++) {
        const float *row = sys->train.row + i * plan->length;
        float square;
        plan->loops->project(1, &row, plan->length, 1, row, &square);
        x->square[i] = square;
    }
    return 0;
}

/* Sweeps in a time: as few as simulate.step allows. */
static double sweeps_in(const simulator_plan *plan, double time)
{
    return ceil(time / plan->problem->simulate.step * (1 - 1e-9));
}

static int diffusion_advance(void *state, simulator_system *sys, const simulator_stop *from, const simulator_stop *to)
{
    diffusion *x = state;
    double span = to->t - from->t, sweeps = sweeps_in(sys->plan, span), h = span / sweeps;
    for (uint64_t i = 0; i < (uint64_t)sweeps; i++) {
        double middle = from->t + ((double)i + 0.5) * h;
        sweep w = {.sys = sys, .state = x, .number = x->sweeps, .t = middle, .eta = system_eta(sys, middle), .h = h};
        w.backward = x->sweeps++ % 2 == 1;
        penalty_step(x, sys, h / 2);
        if (sweep_samples(&w))
            return 1;
        penalty_step(x, sys, h / 2);
        if (system_interrupted(sys, middle))
            return 1;
    }
    return 0;
}

static size_t diffusion_steps(const simulator_plan *plan)
{
    return (size_t)sweeps_in(plan, plan->problem->horizon);
}

static double diffusion_visits(const simulator_plan *plan)
{
    return (double)plan->n * plan->problem->horizon / plan->problem->simulate.step;
}

const integrator integrator_diffusion = {
    .bytes = diffusion_bytes,
    .create = diffusion_create,
    .start = diffusion_start,
    .advance = diffusion_advance,
    .steps = diffusion_steps,
    .visits = diffusion_visits,
};
