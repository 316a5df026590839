/* The exact method (numerics.method: linear) against numbers found elsewhere, closed forms, two other codes for the
   same model, and the sampled solver. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/memory.h"
#include "linear_case.h"
#include "numerics/spectral_law.h"
#include "numerics/volterra.h"
#include "support/linear_exact.h"

/* Theory, section 3. */
static void test_anchors(void **state)
{
    static const int at[4] = {0, 1, 2, 4};
    static const double train[4] = {1.0050, .3772, .1888, .0700}, test[4] = {1.0050, .5478, .3515, .1856};
    static const double m[4] = {0, .4477, .6246, .7727}, q[4] = {1, .9809, .9422, .9066};
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s =
        SOLVE(ctx, "delta: 1.5\nhorizon: 2\n" PLAIN "numerics: {grading: 1, method: linear}\noutput: {times: 5}\n");
    for (int i = 0; i < 4; i++) {
        size_t k = (size_t)at[i];
        check_near(linear_case_value(s, "train_loss", k), train[i], 5.1e-5, "train loss at t = %g", s->times[k]);
        check_near(linear_case_value(s, "test_loss", k), test[i], 5.1e-5, "test loss at t = %g", s->times[k]);
        check_near(linear_case_value(s, "m11", k), m[i], 5.1e-5, "m at t = %g", s->times[k]);
        check_near(linear_case_value(s, "q11", k), q[i], 5.1e-5, "q at t = %g", s->times[k]);
    }
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

/* Paquette, Lee, Pedregosa & Paquette, Theorem 3: no noise, no ridge. */
static double closed_form(double delta, double eta, double distance, double t)
{
    double c = 1 / delta, gamma = eta * delta, x0 = (1 + c) * (1 - eta / 2) / 2, sum = 0;
    double omega = (1 - eta / 2) * (1 - eta / 2) * (8 / gamma - (1 + c) * (1 + c)) / 4;
    ode_spectrum spectrum = ode_spectrum_of(delta);
    for (int i = 0; i < spectrum.n; i++) {
        double x = spectrum.x[i] / delta;
        sum += spectrum.weight[i] * x * exp(-2 * gamma * x * t) / ((x - x0) * (x - x0) + omega);
    }
    return distance / gamma * (1 - eta / 2) * sum;
}

static void test_closed_form(void **state)
{
    static const double cases[5][2] = {{1.5, 1}, {0.6, 0.31}, {3.7, 0.83}, {1, 0.7}, {12, 0.11}};
    static const double anchors[4] = {.5, .1860492, .0920323, .0329356};
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < 5; i++) {
        double delta = cases[i][0], eta = cases[i][1];
        sgdmft_solution *s = SOLVE(ctx,
                                   "delta: %.17g\neta: %.17g\nhorizon: 6\nmodel: {label: s, loss: (r - y)^2/2}\n"
                                   "initial: {q: 0.5, m: 0.3, rho: 1.1}\n"
                                   "numerics: {grading: 1, method: linear}\noutput: {times: 13}\n",
                                   delta, eta);
        for (size_t k = 0; k < s->n_times; k++) {
            double want = closed_form(delta, eta, 1, s->times[k]);
            check_near(linear_case_value(s, "train_loss", k) / want, 1, 2e-12, "train loss at t = %g, delta = %g",
                       s->times[k], delta);
        }
        for (int k = 0; i == 0 && k < 4; k++)
            check_near(linear_case_value(s, "train_loss", k == 3 ? 4 : (size_t)k), anchors[k], 5.1e-8, "anchor %d", k);
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* The train loss at the nodes of one grid, by the Volterra equation alone: its error against the closed form. */
static double grid_error(sgdmft_context *ctx, const spectral_law *law, double eta, double delta, double horizon,
                         size_t steps)
{
    double h = horizon / (double)steps, worst = 0;
    double *rate = memory_doubles(3 * law->n), *kick = rate + law->n, *start = kick + law->n;
    double *source = memory_doubles(steps + 1), *kernel = memory_doubles(steps + 1 + VOLTERRA_BEFORE);
    double *P = memory_doubles(steps + 1);
    for (size_t i = 0; i < law->n; i++) {
        rate[i] = 2 * eta * law->x[i];
        kick[i] = eta * eta / delta * law->weight[i] * law->x[i] * law->x[i];
        start[i] = law->weight[i] * law->x[i] / delta;
    }
    check_ok(ctx, exponential_sums(ctx, law->n, rate, kick, h, -VOLTERRA_BEFORE, steps + 1 + VOLTERRA_BEFORE, kernel));
    check_ok(ctx, exponential_sums(ctx, law->n, rate, start, h, 0, steps + 1, source));
    check_ok(ctx, volterra_solve(ctx, steps, h, source, kernel, P));
    for (size_t n = 0; n <= steps; n += steps / 16)
        worst = fmax(worst, fabs(P[n] / 2 / closed_form(delta, eta, 1, h * (double)n) - 1));
    free(rate);
    free(source);
    free(kernel);
    free(P);
    return worst;
}

/* What halving the step gains for the equation that is solved. */
static void test_order(void **state)
{
    static const double cases[3][3] = {{1.5, 1, 4}, {10, 0.7, 1}, {0.4, 1.6, 8}};
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < 3; i++) {
        double delta = cases[i][0], eta = cases[i][1], horizon = cases[i][2], before = 0;
        double fastest = 2 * eta * (1 + sqrt(delta)) * (1 + sqrt(delta));
        spectral_law law;
        check_ok(ctx, spectral_law_init(ctx, delta, 2 * eta * horizon, 100, &law));
        printf("  delta = %g, eta = %g, T = %g\n   steps  h*rate      error   order\n", delta, eta, horizon);
        for (size_t steps = 64; steps <= 512; steps *= 2) {
            double error = grid_error(ctx, &law, eta, delta, horizon, steps), order = log2(before / error);
            printf("  %6zu  %6.3f  %9.2e", steps, horizon / (double)steps * fastest, error);
            if (before > 0)
                printf("   %5.2f", order);
            putchar('\n');
            if (before > 0 && error > 1e-12)
                check_between(order, VOLTERRA_NODES - 2, VOLTERRA_NODES + 4, "order at %zu steps, delta = %g", steps,
                              delta);
            before = error;
        }
        check_between(before, 0, 1e-12, "error at 512 steps, delta = %g", delta);
        spectral_law_clear(&law);
    }
    sgdmft_context_free(ctx);
}

/* Ten digits against ordinary differential equations for the modes, at both sides of delta = 1 and far from it. The
   output times are not nodes of the grid, except for every tenth. */
static void test_modes(void **state)
{
    static const struct {
        double delta, eta, lambda, horizon;
        const char *dynamics;
        double grading;
    } cases[] = {
        {0.1, 0.9, 0, 5, "sgd", 1},
        {0.1, 1.2, 0.31, 5, "sme", 1.7},
        {0.7, 1.3, 0, 4, "sgd", 1},
        {0.999, 1.1, 0, 4, "sgd", 1},
        {1, 0.8, 0, 4, "sgd", 2},
        {1.001, 1.1, 0, 4, "sgd", 1},
        {1.5, 1, 0.23, 3, "sgd", 1},
        {10, 0.7, 0.17, 2, "sgd", 1.3},
        {10, 1.9, 0, 2, "sme", 1},
        {100, 0.6, 0, 0.4, "sgd", 1},
        {0.1, 0.9, 0, 5, "gradient-flow", 1},
        {1, 1, 0, 4, "gradient-flow", 1.4},
        {1.001, 0.7, 0.29, 4, "gradient-flow", 1},
        {100, 1, 0.4, 0.4, "gradient-flow", 1},
    };
    enum { STEPS = 30, TIMES = 31, EARLIER = 9 };
    sgdmft_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char what[64];
        ode_values want[TIMES];
        double grid[TIMES];
        ode_problem p = {.delta = cases[i].delta,
                         .eta = cases[i].eta,
                         .lambda = cases[i].lambda,
                         .q = 0.9,
                         .m = -0.35,
                         .rho = 1.3,
                         .noise = 0.16,
                         .visits = strcmp(cases[i].dynamics, "gradient-flow") != 0};
        snprintf(what, sizeof what, "%s, delta = %g", cases[i].dynamics, p.delta);
        sgdmft_solution *s =
            SOLVE(ctx,
                  "dynamics: %s\ndelta: %.17g\neta: %.17g\nlambda: %.17g\nhorizon: %.17g\n"
                  "model: {label: \"s + 0.4*eps\", loss: \"(r - y)^2/2\"}\n"
                  "initial: {q: 0.9, m: -0.35, rho: 1.3}\n"
                  "numerics: {method: linear, steps: %d, grading: %g}\noutput: {times: %d}\n",
                  cases[i].dynamics, p.delta, p.eta, p.lambda, cases[i].horizon, STEPS, cases[i].grading, TIMES);
        ode_solve(&p, TIMES, s->times, TIMES, want);
        for (size_t k = 0; k < TIMES; k++)
            linear_case_compare(s, k, &want[k], 1e-10, what);
        assert_int_equal(s->n_grid, STEPS + 1);
        for (int k = 0; k <= STEPS; k++)
            grid[k] = cases[i].horizon * pow((double)k / STEPS, cases[i].grading);
        ode_solve(&p, TIMES, grid, EARLIER, want);
        for (size_t k = EARLIER; k < TIMES; k++) {
            check_near(s->C[k * TIMES + EARLIER], want[k].C, 1e-10, "C(%g, %g), %s", grid[k], grid[EARLIER], what);
            check_near(s->C[EARLIER * TIMES + k], want[k].C, 1e-10, "C(%g, %g), %s", grid[EARLIER], grid[k], what);
            check_near(s->C[k * TIMES + k], want[k].q, 1e-10, "C(%g, %g), %s", grid[k], grid[k], what);
            check_near(s->R[k * TIMES], want[k].R, 1e-10, "R(%g, 0), %s", grid[k], what);
            check_near(s->m[k], want[k].m, 1e-10, "m(%g), %s", grid[k], what);
            assert_true(s->R[k * TIMES + k] == 1 && s->R[(k - 1) * TIMES + k] == 0);
        }
        check_between(s->info.residual_max, 0, 1e-11, "residual, %s", what);
        check_between(s->info.step_error_max, 0, 1e-11, "step error, %s", what);
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* The two-time arrays against the Runge-Kutta code of the tests. */
static void test_two_time(void **state)
{
    enum { STEPS = 24, NODES = STEPS + 1 };
    linear_problem p = {.eta = 1.1, .delta = 0.8, .lambda = 0.15, .q0 = 1.2, .m0 = 0.4, .rho = 0.9, .sigma = 0.3};
    sgdmft_context *ctx = check_context(1);
    linear_exact *e = linear_exact_new(&p, 3.2, 2e-3);
    sgdmft_solution *s = SOLVE(ctx,
                               "delta: 0.8\neta: 1.1\nlambda: 0.15\nhorizon: 3.2\n"
                               "model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}\n"
                               "initial: {q: 1.2, m: 0.4, rho: 0.9}\n"
                               "numerics: {grading: 1, method: linear, steps: %d}\n",
                               STEPS);
    for (size_t i = 0; i < NODES; i += 3)
        for (size_t j = 0; j <= i; j += 2) {
            check_near(s->C[i * NODES + j], linear_exact_C(e, s->t[i], s->t[j]), 1e-9, "C(%g, %g)", s->t[i], s->t[j]);
            check_near(s->R[i * NODES + j], linear_exact_R(e, s->t[i], s->t[j]), 1e-9, "R(%g, %g)", s->t[i], s->t[j]);
        }
    sgdmft_solution_free(s);
    linear_exact_free(e);
    sgdmft_context_free(ctx);
}

/* The digits do not depend on how far apart the nodes and output times are. */
static void test_far_nodes(void **state)
{
    static const char text[] = "delta: 9\neta: 0.8\nlambda: 0.05\nhorizon: 3\n" PLAIN
                               "numerics: {grading: 1, method: linear, steps: %d}\noutput: {times: %d}\n";
    enum { STEPS = 240, FAR = 4 };
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *near = SOLVE(ctx, text, STEPS, STEPS + 1), *far = SOLVE(ctx, text, FAR, FAR + 1);
    for (size_t i = 0; i <= FAR; i++) {
        size_t at = i * STEPS / FAR;
        check_near(linear_case_value(far, "test_loss", i), linear_case_value(near, "test_loss", at), 1e-13,
                   "test loss at t = %g", far->times[i]);
        for (size_t j = 0; j <= FAR; j++)
            check_near(far->C[i * (FAR + 1) + j], near->C[at * (STEPS + 1) + j * STEPS / FAR], 1e-13, "C(%g, %g)",
                       far->t[i], far->t[j]);
        check_between(far->residual[i], 0, 1e-12, "residual at t = %g", far->t[i]);
    }
    sgdmft_solution_free(near);
    sgdmft_solution_free(far);
    sgdmft_context_free(ctx);
}

/* However the same model is written: scaled loss, scaled students, constants, several noises, several labels. */
static void test_writings(void **state)
{
    static const struct {
        const char *model;
        double eta, factor, constant; /* eta of the file; losses are factor * plain + constant */
    } cases[] = {
        {"label: \"0.8*s + 0.5*eps\"\n  loss: \"(r - y)^2/2\"", 1.1, 1, 0},
        {"label: \"0.8*s + 0.3*eps1 - 0.4*eps2\"\n  predict: \"r\"\n  loss: \"(f - y)^2\"", 0.55, 2, 0},
        {"label: \"2*(0.8*s + 0.3*eps3) - 0.8\"\n  loss: \"0.7*(r - y/2)^2 + 1.3\"", 1.1 / 1.4, 1.4, 1.3},
        {"label: [\"0.8*s\", \"0.5*eps\"]\n  loss: \"r^2/2 - r*(y1 + y2) + 1.5\"", 1.1, 1,
         1.5 - 0.5 * (0.64 * 1.3 + 0.25)},
        {"label: [\"0.4*s + 1\", \"0.5*eps - 0.4*s + 1\"]\n  predict: \"-3*r + 2\"\n  loss: \"(f + 3*(y1 - y2) - "
         "2)^2/18 + y2^2\"",
         1.1, 1, 1 + 0.25 + 0.16 * 1.3},
    };
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *plain = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sgdmft_solution *s = SOLVE(ctx,
                                   "delta: 1.7\neta: %.17g\nlambda: 0.12\nhorizon: 2.5\nmodel:\n  %s\n"
                                   "initial: {q: 0.8, m: 0.25, rho: 1.3}\n"
                                   "numerics: {grading: 1, method: linear, steps: 20}\noutput: {times: 11}\n",
                                   cases[i].eta, cases[i].model);
        if (!plain)
            plain = s;
        for (size_t k = 0; k < s->n_times; k++) {
            double train = cases[i].factor * linear_case_value(plain, "train_loss", k) + cases[i].constant;
            double test = cases[i].factor * linear_case_value(plain, "test_loss", k) + cases[i].constant;
            check_near(linear_case_value(s, "train_loss", k), train, 1e-12, "train loss, writing %zu, t = %g", i,
                       s->times[k]);
            check_near(linear_case_value(s, "test_loss", k), test, 1e-12, "test loss, writing %zu, t = %g", i,
                       s->times[k]);
            check_near(linear_case_value(s, "q11", k), linear_case_value(plain, "q11", k), 1e-12,
                       "q, writing %zu, t = %g", i, s->times[k]);
            check_near(linear_case_value(s, "m11", k), linear_case_value(plain, "m11", k), 1e-12,
                       "m, writing %zu, t = %g", i, s->times[k]);
        }
        if (s != plain)
            sgdmft_solution_free(s);
    }
    sgdmft_solution_free(plain);
    sgdmft_context_free(ctx);
}

/* The teacher only labels: a label of pure noise leaves m to decay with the response. */
static void test_pure_noise(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = SOLVE(ctx, "delta: 1.4\nhorizon: 3\nmodel: {label: \"0.6*eps - 0.3\", loss: \"(r - y)^2/2\"}\n"
                                    "initial: {m: 0.7}\nnumerics: {grading: 1, method: linear}\n");
    for (size_t k = 0; k < s->n_times; k += 7)
        check_near(linear_case_value(s, "m11", k), 0.7 * linear_case_value(s, "R11", k), 1e-14, "m at t = %g",
                   s->times[k]);
    check_near(linear_case_value(s, "train_loss", 0), 0.5 * (1 + 0.36 + 0.09), 1e-14, "train loss at the start");
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

/* The sampled solver on the same problem, written with scales and a constant. */
static void test_sampled(void **state)
{
    static const char text[] =
        "delta: 1.6\neta: 0.5\nlambda: 0.1\nhorizon: 2\n"
        "model: {label: \"0.9*s + 0.3*eps + 0.2\", predict: \"1.2*r\", loss: \"0.8*(f - y)^2\"}\n"
        "initial: {q: 0.8, m: 0.2, rho: 1.2}\n"
        "numerics: {grading: 1, method: %s, paths: 4000, replicas: 8, steps: 40, seed: 77}\n"
        "output: {times: 6}\n";
    static const char *const names[] = {"train_loss", "test_loss", "q11", "m11", "R11"};
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *exact = SOLVE(ctx, text, "linear"), *sampled = SOLVE(ctx, text, "march");
    for (size_t c = 0; c < sizeof names / sizeof names[0]; c++)
        for (size_t k = 1; k < exact->n_times; k++) {
            const sgdmft_curve *curve = sgdmft_solution_curve(sampled, names[c]);
            double error = hypot(curve->se[k], curve->step_error[k]);
            check_z(curve->value[k], linear_case_value(exact, names[c], k), error, 4, "%s at t = %g", names[c],
                    exact->times[k]);
            check_between(error, 0, 0.02, "error bar of %s at t = %g", names[c], exact->times[k]);
            assert_true(sgdmft_solution_curve(exact, names[c])->se[k] == 0);
        }
    sgdmft_solution_free(exact);
    sgdmft_solution_free(sampled);
    sgdmft_context_free(ctx);
}

/* SGD and SME have the same curves; with small steps at fixed eta t, those of the gradient flow, to first order. */
static void test_small_steps(void **state)
{
    static const char text[] =
        "dynamics: %s\ndelta: 1.3\neta: %.17g\nlambda: %.17g\nhorizon: %.17g\n" PLAIN
        "initial: {q: 0.7, m: 0.1}\nnumerics: {grading: 1, method: linear, steps: 16}\noutput: {times: 5}\n";
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *flow = SOLVE(ctx, text, "gradient-flow", 1.0, 0.2, 2.0);
    double before = 0;
    for (double eta = 0.1; eta > 1e-4; eta /= 10) {
        sgdmft_solution *sgd = SOLVE(ctx, text, "sgd", eta, 0.2 * eta, 2 / eta);
        sgdmft_solution *sme = SOLVE(ctx, text, "sme", eta, 0.2 * eta, 2 / eta);
        double difference = linear_case_value(sgd, "train_loss", 4) / linear_case_value(flow, "train_loss", 4) - 1;
        check_near(linear_case_value(sgd, "m11", 3), linear_case_value(flow, "m11", 3), 1e-12, "m at eta = %g", eta);
        assert_true(linear_case_value(sgd, "test_loss", 4) == linear_case_value(sme, "test_loss", 4));
        if (before > 0)
            check_near(before / difference, 10, eta > 5e-3 ? 1.0 : 0.1, "ratio of differences at eta = %g", eta);
        before = difference;
        sgdmft_solution_free(sgd);
        sgdmft_solution_free(sme);
    }
    sgdmft_solution_free(flow);
    sgdmft_context_free(ctx);
}

/* An eta with a pole that cannot be integrated gives an error that names it, not a curve. */
static void test_poles(void **state)
{
    static const char *const poles[] = {"1/abs(t - 1.2345)", "1/(t - 1.2345)^2", "1/abs(t - 1.77777777)^0.9"};
    static const char text[] = "dynamics: gradient-flow\ndelta: 1.3\neta: \"%s\"\nhorizon: 3\n" PLAIN
                               "numerics: {method: linear, steps: 30}\noutput: {times: 32}\n";
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof poles / sizeof poles[0]; i++) {
        sgdmft_problem *problem = test_problem(ctx, text, poles[i]);
        sgdmft_solution *solution = NULL;
        check_failure(ctx, sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_NON_FINITE, poles[i]);
        assert_null(solution);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* A gradient flow with a schedule passes through the same states at the time int eta, also across jumps of eta. */
static void test_schedule(void **state)
{
    static const char text[] = "dynamics: gradient-flow\ndelta: 1.3\neta: \"%s\"\nhorizon: 3\n" PLAIN
                               "numerics: {grading: 1, method: linear, steps: 30}\noutput: {times: 31}\n";
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *smooth = SOLVE(ctx, text, "1/(1 + t)"), *jump = SOLVE(ctx, text, "if(t < 1.23, 2, 0.5)");
    linear_problem p = {.eta = 1, .delta = 1.3, .q0 = 1, .rho = 1, .sigma = 0.1};
    for (size_t k = 1; k < smooth->n_times; k++) {
        double t = smooth->times[k], s = log1p(t), two = t < 1.23 ? 2 * t : 2.46 + 0.5 * (t - 1.23), R = 0, S = 0;
        ode_spectrum spectrum = ode_spectrum_of(p.delta);
        for (int i = 0; i < spectrum.n; i++) {
            R += spectrum.weight[i] * exp(-s * spectrum.x[i]);
            S += spectrum.weight[i] * exp(-two * spectrum.x[i]);
        }
        check_near(linear_case_value(smooth, "R11", k), R, 1e-12, "R, smooth eta, t = %g", t);
        check_near(linear_case_value(jump, "R11", k), S, 1e-12, "R, eta with a jump, t = %g", t);
        check_near(linear_case_value(jump, "m11", k), 1 - S, 1e-12, "m, eta with a jump, t = %g", t);
        check_near(jump->R[k * jump->n_grid], S, 1e-12, "R on the grid, eta with a jump, t = %g", t);
    }
    sgdmft_solution_free(smooth);
    sgdmft_solution_free(jump);
    sgdmft_context_free(ctx);
}

/* Late times: sizes far below the start keep their digits, where nothing keeps the train loss from falling. */
static void test_late(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = SOLVE(ctx, "delta: 6\neta: 0.3\nhorizon: 60\nmodel: {label: s, loss: (r - y)^2/2}\n"
                                    "numerics: {grading: 1, method: linear}\noutput: {times: 7}\n");
    for (size_t k = 1; k < s->n_times; k++) {
        double want = closed_form(6, 0.3, 2, s->times[k]);
        check_near(linear_case_value(s, "train_loss", k) / want, 1, 1e-10, "train loss %g at t = %g", want,
                   s->times[k]);
    }
    assert_true(linear_case_value(s, "train_loss", 6) < 1e-33);
    sgdmft_solution_free(s);
    /* more dimensions than samples: noisy labels are fitted exactly in the end */
    s = SOLVE(ctx, "delta: 0.1\neta: 0.9\nhorizon: 60\n" PLAIN
                   "numerics: {grading: 1, method: linear}\noutput: {times: 61}\n");
    double rate = log(linear_case_value(s, "train_loss", 50) / linear_case_value(s, "train_loss", 60)) / 10;
    check_between(rate, 0.3, 2 * 0.9 * (1 - sqrt(0.1)) * (1 - sqrt(0.1)) + 0.2, "late decay rate of the train loss");
    assert_true(linear_case_value(s, "train_loss", 60) < 1e-15);
    for (size_t k = 0; k < s->n_grid; k++)
        check_between(s->residual[k], 0, 1e-10, "residual at t = %g", s->t[k]);
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anchors),   cmocka_unit_test(test_closed_form), cmocka_unit_test(test_order),
        cmocka_unit_test(test_modes),     cmocka_unit_test(test_two_time),    cmocka_unit_test(test_writings),
        cmocka_unit_test(test_sampled),   cmocka_unit_test(test_small_steps), cmocka_unit_test(test_pure_noise),
        cmocka_unit_test(test_schedule),  cmocka_unit_test(test_poles),       cmocka_unit_test(test_late),
        cmocka_unit_test(test_far_nodes),
    };
    return cmocka_run_group_tests_name("linear solver", tests, NULL, NULL);
}
