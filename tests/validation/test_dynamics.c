/* The dynamics of one repetition against dense computations in double precision on the same data, visits and noise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repetition_test.h"
#include "validation/simulator/visits.h"

/* loss (tanh r1 + r2/2 - y)^2/2 + r2^2/8, y = tanh s + 0.3 eps: two students, nonlinear, everything coupled */
#define TWO_STUDENTS                                                                                                   \
    "model: {students: 2, teachers: 1, label: 'tanh(s) + 0.3*eps', predict: 'tanh(r1) + r2/2',"                        \
    " loss: '(f - y)^2/2 + r2^2/8'}\n"                                                                                 \
    "initial: {q: [[1.1, 0.2], [0.2, 0.7]], m: [[0.3], [-0.4]], rho: 0.9}\n"

static void gradient(const double *r, double y, double *g)
{
    double tanh1 = tanh(r[0]), off = tanh1 + r[1] / 2 - y;
    g[0] = off * (1 - tanh1 * tanh1);
    g[1] = off / 2 + r[1] / 4;
}

/* A repetition, and theta as it should be. */
typedef struct replay {
    repetition_test x;
    double *theta, *change, *velocity; /* [2][d] */
    double keep, push;                 /* parts of the velocity and of the force that the next velocity has */
} replay;

/* Starts the repetition from nothing, with velocity 0. */
static void replay_start(replay *p)
{
    size_t d = p->x.plan.d;
    assert_int_equal(repetition_start(&p->x.rep, 2), 0);
    for (size_t a = 0; a < 2; a++)
        for (size_t j = 0; j < d; j++) {
            p->theta[a * d + j] = p->x.system->theta[a * p->x.plan.length + j];
            p->velocity[a * d + j] = 0;
        }
}

/* Without momentum until keep and push say otherwise. */
static void replay_init(replay *p, sgdmft_problem *problem)
{
    repetition_test_init(&p->x, problem);
    size_t d = p->x.plan.d;
    p->theta = calloc(2 * d, sizeof *p->theta);
    p->change = calloc(2 * d, sizeof *p->change);
    p->velocity = calloc(2 * d, sizeof *p->velocity);
    assert_true(p->theta && p->change && p->velocity);
    p->keep = 0;
    p->push = 1;
    replay_start(p);
}

static void replay_clear(replay *p)
{
    free(p->theta);
    free(p->change);
    free(p->velocity);
    repetition_test_clear(&p->x);
}

/* change -= weight x_i g_i^T at theta */
static void add_sample(replay *p, size_t i, double weight)
{
    size_t d = p->x.plan.d;
    const float *row = p->x.system->train.row + i * p->x.plan.length;
    double r[2] = {0, 0}, g[2];
    for (size_t a = 0; a < 2; a++)
        for (size_t j = 0; j < d; j++)
            r[a] += p->theta[a * d + j] * row[j];
    gradient(r, p->x.system->train.y[i], g);
    for (size_t a = 0; a < 2; a++)
        for (size_t j = 0; j < d; j++)
            p->change[a * d + j] -= weight * g[a] * row[j];
}

/* velocity <- keep velocity + push (change - shrink theta), theta <- theta + velocity, change <- 0 */
static void take_step(replay *p, double shrink)
{
    for (size_t j = 0; j < 2 * p->x.plan.d; j++) {
        p->velocity[j] = p->keep * p->velocity[j] + p->push * (p->change[j] - shrink * p->theta[j]);
        p->theta[j] += p->velocity[j];
        p->change[j] = 0;
    }
}

static void check_theta(const replay *p, double tolerance, const char *when)
{
    for (size_t a = 0; a < 2; a++)
        for (size_t j = 0; j < p->x.plan.d; j++)
            check_near(p->x.system->theta[a * p->x.plan.length + j], p->theta[a * p->x.plan.d + j], tolerance,
                       "%s: theta%zu at %zu", when, a + 1, j);
}

static simulator_stop at_step(const replay *p, uint64_t step)
{
    return (simulator_stop){.t = (double)step * p->x.plan.duration, .step = step, .weight = 1};
}

/* The order in which the repetition visits samples, from an object of its own. */
static order order_of_replay(const replay *p, uint32_t *list)
{
    const simulator_plan *plan = &p->x.plan;
    order x = order_of(plan->order, plan->n, plan->batch, plan->cuts, list);
    order_start(&x, simulator_key(plan, p->x.system->repetition, SIMULATOR_ORDER));
    return x;
}

/* Visits with replacement are uniform: the counts have the variance of independent choices. */
static void check_counts(size_t visits, size_t n, const size_t *count)
{
    double mean = (double)visits / (double)n, chi2 = 0;
    for (size_t i = 0; i < n; i++)
        chi2 += ((double)count[i] - mean) * ((double)count[i] - mean) / mean;
    check_z(chi2, (double)n - 1, sqrt(2 * (double)n), 4.9, "chi-squared of the numbers of visits");
}

/* One step at a time, and all of them together. `rate` is that of the momentum, 0 if there is none. */
static void run_visits(const char *constants, double lambda, double rate, double (*eta)(double t))
{
    enum { STEPS = 2600 }; /* more than two chunks of planned visits */
    sgdmft_context *ctx = check_context(1);
    replay p, q;
    for (int i = 0; i < 2; i++)
        replay_init(i ? &q : &p, test_problem(ctx,
                                              "delta: 1.9\nhorizon: 20\n%s" TWO_STUDENTS
                                              "numerics: {seed: 77}\nsimulate: {d: 101}\n",
                                              constants));
    sgdmft_context_free(ctx);
    size_t n = p.x.plan.n;
    order_kind kind = p.x.plan.order;
    if (rate > 0) {
        p.keep = 1 - rate / (double)n;
        p.push = rate / (double)n;
    }
    size_t *count = calloc(n, sizeof *count);
    uint32_t *list = calloc(2 * n, sizeof *list);
    assert_true(count && list);
    order visited = order_of_replay(&p, list);
    for (uint64_t step = 0; step < STEPS; step++) {
        simulator_stop from = at_step(&p, step), to = at_step(&p, step + 1);
        assert_int_equal(repetition_advance(&p.x.rep, &from, &to), 0);
        uint32_t i;
        order_samples(&visited, step, 1, &i);
        assert_true(i < n);
        count[i]++;
        add_sample(&p, i, eta(from.t));
        take_step(&p, lambda / (double)n);
    }
    check_theta(&p, 2e-4, "visit by visit");
    simulator_stop from = at_step(&q, 0), to = at_step(&q, STEPS);
    assert_int_equal(repetition_advance(&q.x.rep, &from, &to), 0);
    memcpy(q.theta, p.theta, 2 * p.x.plan.d * sizeof *p.theta);
    check_theta(&q, 2e-4, "all visits together");
    assert_true(q.x.system->visits == STEPS);
    if (kind == ORDER_REPLACEMENT)
        check_counts(STEPS, n, count);
    for (size_t i = 0; i < n && kind != ORDER_REPLACEMENT; i++)
        assert_true(count[i] == STEPS / n || count[i] == STEPS / n + 1);
    free(count);
    free(list);
    replay_clear(&p);
    replay_clear(&q);
}

static double eta_constant(double t)
{
    return 0.8;
}

static double eta_falling(double t)
{
    return 1.4 / (1 + 0.3 * t);
}

static void test_visits(void **state)
{
    run_visits("eta: 0.8\n", 0, 0, eta_constant);
    run_visits("eta: 0.8\nsampling: reshuffle\n", 0, 0, eta_constant);
    run_visits("eta: 0.8\nsampling: cyclic\n", 0, 0, eta_constant);
}

/* A ridge so strong that its factor is applied to theta many times. */
static void test_visits_ridge(void **state)
{
    run_visits("eta: '1.4/(1 + 0.3*t)'\nlambda: 3.5\n", 3.5, 0, eta_falling);
}

/* An expression for the ridge. It acts at each visit, since there are fewer than a thousand in a unit of time. */
static void test_visits_penalty(void **state)
{
    run_visits("eta: 0.8\npenalty: '0.6*(th1^2 + th2^2)'\n", 1.2, 0, eta_constant);
}

static void test_visits_momentum(void **state)
{
    run_visits("eta: 0.8\nmomentum: {rate: 2.0}\n", 0, 2, eta_constant);
    run_visits("eta: '1.4/(1 + 0.3*t)'\nlambda: 1.5\nmomentum: {rate: 0.5}\nsampling: reshuffle\n", 1.5, 0.5,
               eta_falling);
    run_visits("eta: 0.8\npenalty: '0.6*(th1^2 + th2^2)'\nmomentum: {rate: 20}\n", 1.2, 20, eta_constant);
}

/* What a step of a batch should be. */
typedef struct batch_case {
    const char *constants;
    double lambda;
    double keep, push; /* push 0: no momentum */
} batch_case;

static double batch_eta(double t)
{
    return 0.5 / (1 + t);
}

/* One step with the samples of the order: a share `duration` of them up to one, and none twice unless an epoch ends
   within the batch. */
static void replay_batch(replay *p, order *visited, uint64_t step, double duration, double lambda)
{
    size_t n = p->x.plan.n, size = (size_t)(order_first(visited, step + 1) - order_first(visited, step));
    char *seen = calloc(n, 1);
    uint32_t *sample = calloc(size, sizeof *sample);
    assert_true(seen && sample);
    assert_true(fabs((double)size - duration * (double)n) < 1);
    order_samples(visited, order_first(visited, step), size, sample);
    for (size_t i = 0; i < size; i++) {
        assert_true(sample[i] < n && (!seen[sample[i]] || p->x.plan.order == ORDER_RESHUFFLE));
        seen[sample[i]] = 1;
        add_sample(p, sample[i], batch_eta((double)step * duration));
    }
    take_step(p, lambda * duration);
    free(seen);
    free(sample);
}

/* Batches of simulate.batch samples if the fraction is 0. Twice in the same memory: the second run must not see the
   velocity of the first. */
static void run_batches(const batch_case *c, int batch, double fraction)
{
    enum { STEPS = 12 };
    sgdmft_context *ctx = check_context(1);
    replay p;
    replay_init(&p, test_problem(ctx,
                                 "delta: 5.2\nhorizon: 20\neta: '0.5/(1 + t)'\n%s" TWO_STUDENTS
                                 "numerics: {seed: 78}\nsimulate: {d: 101, batch: %d}\n",
                                 c->constants, batch));
    sgdmft_context_free(ctx);
    size_t n = p.x.plan.n;
    assert_int_equal(n, 525);
    assert_true(p.x.plan.block == 256);
    double duration = fraction > 0 ? fraction : batch / (double)n;
    if (c->push > 0) {
        p.keep = c->keep;
        p.push = c->push;
    }
    uint32_t *list = calloc(2 * n, sizeof *list);
    assert_non_null(list);
    for (int run = 0; run < 2; run++) {
        order visited = order_of_replay(&p, list);
        for (uint64_t step = 0; step < STEPS; step++) {
            simulator_stop from = at_step(&p, step), to = at_step(&p, step + 1);
            assert_int_equal(repetition_advance(&p.x.rep, &from, &to), 0);
            replay_batch(&p, &visited, step, duration, c->lambda);
            check_theta(&p, 5e-5 * (1 + fabs(c->lambda)), c->constants);
        }
        assert_true(p.x.system->visits == (double)order_first(&visited, STEPS));
        replay_start(&p);
    }
    free(list);
    replay_clear(&p);
}

/* Batches up to more than a block, and all samples. */
static void test_batches(void **state)
{
    static const int batches[] = {2, 7, 255, 256, 257, 300, 525};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        int batch = batches[i];
        double brake = 0.6 * batch / 525;
        const batch_case cases[] = {
            {.constants = "sampling: replacement\n"},
            {.constants = "sampling: reshuffle\n"},
            {.constants = "sampling: cyclic\n"},
            {.constants = "lambda: 0.9\n", .lambda = 0.9},
            {.constants = "penalty: '0.45*(th1^2 + th2^2)'\n", .lambda = 0.9},
            {.constants = "lambda: 0.9\nmomentum: {rate: 0.6}\n", .lambda = 0.9, .keep = 1 - brake, .push = brake},
            {.constants = "penalty: '0.45*(th1^2 + th2^2)'\nmomentum: {rate: 0.6}\n",
             .lambda = 0.9,
             .keep = 1 - brake,
             .push = brake},
        };
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++)
            run_batches(&cases[j], batch, 0);
    }
    run_batches(&(batch_case){.constants = "lambda: 2.5\n", .lambda = 2.5}, 300, 0); /* factor -0.43 */
}

/* Batches that are a fraction of the data: all of it, a part that divides it or not, single samples. simulate.batch,
   which is more than there are samples, does not matter. */
static void test_fractions(void **state)
{
    static const double fractions[] = {1, 0.5, 0.25, 0.2, 1 / 3.0, 1 / 7.0, 1 / 525.0};
    static const char *const orders[] = {"replacement", "reshuffle", "cyclic"};
    static const batch_case dynamics[] = {
        {.constants = ""},
        {.constants = "lambda: 0.9\n", .lambda = 0.9},
        {.constants = "penalty: '0.45*(th1^2 + th2^2)'\n", .lambda = 0.9},
        {.constants = "momentum: {beta: 0.6}\n", .keep = 0.6, .push = 1},
        {.constants = "lambda: 0.9\nmomentum: {beta: 0.6}\n", .lambda = 0.9, .keep = 0.6, .push = 1},
        {.constants = "penalty: '0.45*(th1^2 + th2^2)'\nmomentum: {beta: 0.6}\n",
         .lambda = 0.9,
         .keep = 0.6,
         .push = 1},
    };
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++)
        for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
            for (size_t j = 0; j < sizeof dynamics / sizeof *dynamics; j++) {
                char constants[200];
                batch_case c = dynamics[j];
                snprintf(constants, sizeof constants, "batch_fraction: %.17g\nsampling: %s\n%s", fractions[i],
                         orders[o], c.constants);
                c.constants = constants;
                run_batches(&c, 1000, fractions[i]);
            }
    /* One sample of 525 in a time that is not 1/525. */
    run_batches(&(batch_case){.constants = "batch_fraction: 0.0025\nlambda: 0.9\n", .lambda = 0.9}, 1, 0.0025);
    /* The ridge leaves nothing of theta. */
    run_batches(&(batch_case){.constants = "batch_fraction: 0.5\nlambda: 2\n", .lambda = 2}, 1, 0.5);
}

/* What the keys of a problem make of 202 samples. */
static void test_ways(void **state)
{
    static const struct {
        const char *keys;
        order_kind order;
        size_t batch, cuts;
        double duration;
    } cases[] = {
        {"sampling: replacement", ORDER_REPLACEMENT, 7, 0, 7 / 202.0},
        {"sampling: reshuffle", ORDER_RESHUFFLE, 7, 0, 7 / 202.0},
        {"sampling: cyclic", ORDER_CYCLIC, 7, 0, 7 / 202.0},
        {"sampling: replacement, batch_fraction: 0.25", ORDER_REPLACEMENT, 51, 0, 0.25},
        {"sampling: replacement, batch_fraction: 0.3", ORDER_REPLACEMENT, 61, 0, 0.3},
        {"sampling: reshuffle, batch_fraction: 0.2", ORDER_RESHUFFLE, 41, 5, 0.2},
        {"sampling: cyclic, batch_fraction: 0.5", ORDER_CYCLIC, 101, 2, 0.5},
        {"sampling: replacement, batch_fraction: 1", ORDER_CYCLIC, 202, 1, 1},
        {"sampling: reshuffle, batch_fraction: 1", ORDER_CYCLIC, 202, 1, 1},
    };
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        repetition_test x;
        repetition_test_init(&x, test_problem(ctx,
                                              "{%s, delta: 2, horizon: 3, model: {label: s, loss: (r - y)^2/2},"
                                              " simulate: {d: 101, batch: 7}}",
                                              cases[i].keys));
        const simulator_plan *plan = &x.plan;
        assert_true(plan->order == cases[i].order && plan->batch == cases[i].batch && plan->cuts == cases[i].cuts);
        check_near(plan->duration, cases[i].duration, 1e-16, "%s: duration of a step", cases[i].keys);
        repetition_test_clear(&x);
    }
    sgdmft_context_free(ctx);
}

/* Every sample is new: the same samples come from a source of their own. */
static void run_online(const char *constants, int batch, double lambda)
{
    sgdmft_context *ctx = check_context(1);
    replay p;
    replay_init(&p, test_problem(ctx,
                                 "dynamics: online\nhorizon: 20\neta: '0.8/(1 + t)'\n%s" TWO_STUDENTS
                                 "numerics: {seed: 80}\nsimulate: {d: 101, batch: %d}\n",
                                 constants, batch));
    sgdmft_context_free(ctx);
    simulator_system *sys = p.x.system;
    size_t block = p.x.plan.block, used = block, steps = 700 / (size_t)batch;
    sample_source source = sample_source_of(&p.x.plan, 2, SIMULATOR_ENTRIES, SIMULATOR_NOISE, sys->teacher);
    simulator_stop from = at_step(&p, 0), to = at_step(&p, steps);
    assert_int_equal(p.x.plan.n, 0);
    samples own = sys->train;
    check_ok(p.x.ctx, samples_init(p.x.ctx, &p.x.plan, block, &sys->train));
    for (uint64_t step = 0; step < steps; step++) {
        for (int b = 0; b < batch; b++) {
            if (used == block) {
                assert_int_equal(samples_draw(&source, &sys->work, 0, block, &sys->train), 0);
                used = 0;
            }
            add_sample(&p, used++, 0.8 / (1 + (double)step * batch / 101));
        }
        take_step(&p, lambda * batch / 101);
    }
    samples_clear(&sys->train);
    sys->train = own;
    assert_int_equal(repetition_advance(&p.x.rep, &from, &to), 0);
    check_theta(&p, 1e-4, "online");
    replay_clear(&p);
}

static void test_online(void **state)
{
    run_online("", 1, 0);
    run_online("lambda: 1.3\n", 1, 1.3);
    run_online("lambda: 1.3\n", 3, 1.3);
    run_online("lambda: 0.3\n", 300, 0.3); /* a batch over more than one block */
    run_online("penalty: '0.65*th1^2 + 0.65*th2^2'\n", 3, 1.3);
}

/* Platen's step of weak order 2 for dr = - size g(r) (dt + dB), then theta along the row as far as r moved. */
static void diffuse_sample(replay *p, size_t i, double eta, double h, double noise)
{
    size_t d = p->x.plan.d;
    const float *row = p->x.system->train.row + i * p->x.plan.length;
    double r[2] = {0, 0}, g[4][2], to[2], size = eta * sum_of_products(d, row, row), y = p->x.system->train.y[i];
    const double increment[3] = {noise, sqrt(h), -sqrt(h)};
    for (size_t a = 0; a < 2; a++)
        for (size_t j = 0; j < d; j++)
            r[a] += p->theta[a * d + j] * row[j];
    gradient(r, y, g[0]);
    for (int e = 0; e < 3; e++) {
        for (int a = 0; a < 2; a++)
            to[a] = r[a] - size * g[0][a] * (h + increment[e]);
        gradient(to, y, g[1 + e]);
    }
    for (size_t a = 0; a < 2; a++) {
        double step = (g[0][a] + g[1][a]) / 2 * h + (g[2][a] + g[3][a] + 2 * g[0][a]) / 4 * noise +
                      (g[2][a] - g[3][a]) / 4 * (noise * noise - h) / sqrt(h);
        for (size_t j = 0; j < d; j++)
            p->theta[a * d + j] -= eta * step * row[j];
    }
}

/* The penalty alone for a time h: exactly, or by the midpoint rule if it is an expression. */
static void relax_theta(replay *p, double lambda, double h, int expression)
{
    double factor = expression ? 1 - lambda * h + lambda * h * lambda * h / 2 : exp(-lambda * h);
    for (size_t j = 0; j < 2 * p->x.plan.d; j++)
        p->theta[j] *= factor;
}

static void run_diffusion(const char *constants, double lambda, int expression)
{
    sgdmft_context *ctx = check_context(1);
    replay p;
    replay_init(&p, test_problem(ctx,
                                 "dynamics: sme\ndelta: 12.3\nhorizon: 1.1\neta: '0.9/(1 + t)'\n%s" TWO_STUDENTS
                                 "numerics: {seed: 81}\nsimulate: {d: 101, step: 0.06}\n",
                                 constants));
    sgdmft_context_free(ctx);
    size_t n = p.x.plan.n, sweep = 0;
    double *z = calloc(n, sizeof *z), t[] = {0, 0.05, 0.3, 1.1}, sum = 0, squares = 0;
    assert_non_null(z);
    assert_true(n > 1024); /* more than a chunk of normals */
    for (int piece = 0; piece < 3; piece++) {
        simulator_stop from = {.t = t[piece]}, to = {.t = t[piece + 1]};
        double steps = ceil((to.t - from.t) / 0.06), h = (to.t - from.t) / steps;
        for (int i = 0; i < (int)steps; i++, sweep++) {
            random_normals(simulator_key(&p.x.plan, 2, SIMULATOR_BROWNIAN), sweep, 0, n, z);
            relax_theta(&p, lambda, h / 2, expression);
            for (size_t l = 0; l < n; l++) {
                size_t sample = sweep % 2 ? n - 1 - l : l;
                diffuse_sample(&p, sample, 0.9 / (1 + from.t + (i + 0.5) * h), h, sqrt(h) * z[l]);
                sum += z[l];
                squares += z[l] * z[l];
            }
            relax_theta(&p, lambda, h / 2, expression);
        }
        assert_int_equal(repetition_advance(&p.x.rep, &from, &to), 0);
        check_theta(&p, 2e-4, "diffusion");
    }
    double count = (double)(n * sweep);
    check_z(sum / count, 0, 1 / sqrt(count), 4.9, "mean of the Brownian increments");
    check_z(squares / count, 1, sqrt(2 / count), 4.9, "variance of the Brownian increments");
    free(z);
    replay_clear(&p);
}

static void test_diffusion(void **state)
{
    run_diffusion("", 0, 0);
    run_diffusion("lambda: 0.7\n", 0.7, 0);
    run_diffusion("penalty: '0.35*(th1^2 + th2^2)'\n", 0.7, 1);
}

/* theta' of gradient flow into p->change, which starts from 0. */
static void flow_slope(replay *p, double eta, double lambda)
{
    memset(p->change, 0, 2 * p->x.plan.d * sizeof *p->change);
    for (size_t i = 0; i < p->x.plan.n; i++)
        add_sample(p, i, eta);
    for (size_t j = 0; j < 2 * p->x.plan.d; j++)
        p->change[j] -= lambda * p->theta[j];
}

static double flow_eta(double t)
{
    return 1 / (1 + t);
}

/* The classical formula of order 4 in small steps. */
static void flow_exactly(replay *p, double from, double to, double lambda)
{
    static const double node[4] = {0, 0.5, 0.5, 1}, weight[4] = {1. / 6, 1. / 3, 1. / 3, 1. / 6};
    size_t size = 2 * p->x.plan.d;
    double *start = calloc(size, sizeof *start), *end = calloc(size, sizeof *end);
    assert_true(start && end);
    int steps = (int)ceil((to - from) / 0.02);
    double h = (to - from) / steps;
    for (int step = 0; step < steps; step++) {
        double t = from + step * h;
        memcpy(start, p->theta, size * sizeof *start);
        memcpy(end, p->theta, size * sizeof *end);
        for (int stage = 0; stage < 4; stage++) {
            if (stage > 0)
                for (size_t j = 0; j < size; j++)
                    p->theta[j] = start[j] + node[stage] * h * p->change[j];
            flow_slope(p, flow_eta(t + node[stage] * h), lambda);
            for (size_t j = 0; j < size; j++)
                end[j] += weight[stage] * h * p->change[j];
        }
        memcpy(p->theta, end, size * sizeof *end);
    }
    free(start);
    free(end);
}

/* Output times close together and far apart: both are interpolated or span several steps. */
static void run_flow(const char *constants, double lambda)
{
    static const double t[] = {0, 0.05, 0.07, 0.3, 0.31, 2, 2.3};
    sgdmft_context *ctx = check_context(1);
    replay p;
    replay_init(&p, test_problem(ctx,
                                 "dynamics: gradient-flow\ndelta: 1.4\nhorizon: 2.3\neta: '1/(1 + t)'\n%s" TWO_STUDENTS
                                 "numerics: {seed: 82}\nsimulate: {d: 75}\n",
                                 constants));
    sgdmft_context_free(ctx);
    for (size_t i = 0; i + 1 < sizeof t / sizeof *t; i++) {
        simulator_stop from = {.t = t[i]}, to = {.t = t[i + 1]};
        flow_exactly(&p, t[i], t[i + 1], lambda);
        assert_int_equal(repetition_advance(&p.x.rep, &from, &to), 0);
        check_theta(&p, 1e-4, "flow"); /* the tolerance is 1e-5 a step in root mean square */
    }
    check_between(p.x.system->visits / (double)p.x.plan.n, 14, 120, "passes over the data");
    replay_clear(&p);
}

static void test_flow(void **state)
{
    run_flow("", 0);
    run_flow("lambda: 0.8\n", 0.8);
    run_flow("penalty: '0.4*(th1^2 + th2^2)'\n", 0.8);
}

/* Impulses of a penalty: their weights sum to the time, and they are distributed over it. */
static void test_impulses(void **state)
{
    static const uint64_t steps[] = {1, 2, 69, 70, 71, 6999, 7000, 12345};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        penalty_impulses x = penalty_impulses_of(1.0 / 70000, 1e-3, 1000, 1000 + steps[i]);
        assert_true(x.windows >= 1 && x.windows == (steps[i] + 69) / 70);
        assert_true(x.at >= 1000 && x.at < 1000 + steps[i]);
    }
    sgdmft_context *ctx = check_context(1);
    repetition_test x;
    repetition_test_init(
        &x, test_problem(ctx, "delta: 3\nhorizon: 2\neta: 1e-12\npenalty: '-3*th1'\n" /* theta grows by 3 t */
                              "model: {label: s, loss: '(r - y)^2/2'}\n"
                              "numerics: {seed: 83}\nsimulate: {d: 1100}\n"));
    sgdmft_context_free(ctx);
    assert_int_equal(repetition_start(&x.rep, 0), 0);
    assert_int_equal(x.plan.n, 3300);
    float before = x.system->theta[1099];
    simulator_stop from = {.step = 0}, to = {.step = 1717, .t = 1717 / 3300.0};
    assert_int_equal(repetition_advance(&x.rep, &from, &to), 0);
    check_near(x.system->theta[1099] - before, 3 * 1717 / 3300.0, 1e-5, "drift by the penalty");
    repetition_test_clear(&x);
}

/* Steps of the limit: the penalty acts in every one of them, however short they are. */
static void test_every_step(void **state)
{
    enum { STEPS = 1717 };
    sgdmft_context *ctx = check_context(1);
    repetition_test x;
    repetition_test_init(&x, test_problem(ctx,
                                          "delta: 3\nhorizon: 2\neta: 1e-12\nbatch_fraction: 3e-4\npenalty: 'th1^2/2'\n"
                                          "model: {label: s, loss: '(r - y)^2/2'}\n"
                                          "numerics: {seed: 84}\nsimulate: {d: 1100}\n"));
    sgdmft_context_free(ctx);
    assert_int_equal(repetition_start(&x.rep, 0), 0);
    double want = x.system->theta[1099] * pow(1 - 3e-4, STEPS);
    simulator_stop from = {.step = 0}, to = {.step = STEPS, .t = STEPS * 3e-4};
    assert_int_equal(repetition_advance(&x.rep, &from, &to), 0);
    check_near(x.system->theta[1099], want, 2e-5 * fabs(want), "theta with a penalty in every step");
    repetition_test_clear(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visits),         cmocka_unit_test(test_visits_ridge),
        cmocka_unit_test(test_visits_penalty), cmocka_unit_test(test_visits_momentum),
        cmocka_unit_test(test_fractions),      cmocka_unit_test(test_every_step),
        cmocka_unit_test(test_ways),           cmocka_unit_test(test_batches),
        cmocka_unit_test(test_online),         cmocka_unit_test(test_diffusion),
        cmocka_unit_test(test_flow),           cmocka_unit_test(test_impulses),
    };
    return cmocka_run_group_tests_name("simulator dynamics", tests, NULL, NULL);
}
