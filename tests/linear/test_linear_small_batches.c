/* The exact method for small batches in epochs and with momentum (solvers/linear/small_batches.c): against closed forms
   of one pass, differential equations, simulations, and itself on other steps. Errors are held against their bars. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "linear_case.h"
#include "problem/problem.h"

/* The bars: standard errors that a deviation may have, and rounding. */
static const double BARS = 2, ROUNDING = 1e-12;

static void check_bar(const sgdmft_solution *s, const char *name, size_t i, double want)
{
    const sgdmft_curve *curve = sgdmft_solution_curve(s, name);
    check_near(curve->value[i], want, BARS * curve->se[i] + ROUNDING, "%s at t = %g with standard error %g", name,
               s->times[i], curve->se[i]);
}

/* Two-time arrays in the first epoch: R(t,s) = exp(-delta eta (t-s)), C(t,s) = m(s) + (q(s) - m(s)) R(t,s). */
static void check_two_time(const sgdmft_solution *s, double rate)
{
    size_t n = s->n_grid;
    for (size_t i = 0; i < n && s->t[i] <= 1; i++)
        for (size_t j = 0; j <= i; j++) {
            double R = exp(-rate * (s->t[i] - s->t[j])), q = s->C[j * n + j];
            check_near(s->R[i * n + j], R, 1e-7, "R(%g, %g)", s->t[i], s->t[j]);
            check_near(s->C[i * n + j], s->m[j] + (q - s->m[j]) * R, 1e-6, "C(%g, %g)", s->t[i], s->t[j]);
        }
}

/* The first epoch is one-pass SGD with tau = delta t. Without ridge, and with E0 = 2 + noise,

     m = 1 - exp(-delta eta t),     2 test = rest + (E0 - rest) exp(-delta eta (2 - eta) t),
     rest = 2 noise / (2 - eta). */
static void test_first_epoch(void **state)
{
    static const char *const sampling[2] = {"reshuffle", "cyclic"};
    double delta = 1.5, eta = 0.8, noise = 0.01;
    sgdmft_context *ctx = check_context(1);
    for (int c = 0; c < 2; c++) {
        sgdmft_solution *s =
            SOLVE(ctx, "delta: 1.5\neta: 0.8\nsampling: %s\nhorizon: 1.7\n" PLAIN "output: {times: 18}\n", sampling[c]);
        double rate = delta * eta * (2 - eta), rest = 2 * noise / (2 - eta);
        for (size_t i = 0; i < s->n_times && s->times[i] <= 1.0000001; i++) {
            double t = s->times[i];
            check_bar(s, "m11", i, -expm1(-delta * eta * t));
            check_bar(s, "R11", i, exp(-delta * eta * t));
            check_bar(s, "test_loss", i, (rest + (2 + noise - rest) * exp(-rate * t)) / 2);
        }
        check_two_time(s, delta * eta);
        assert_true(s->info.se_max < 1e-4 && s->info.se_max > 0 && s->info.extrapolated);
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* Simulations of finite systems, d = 2000 (theory, section 5). */
static void test_simulated(void **state)
{
    static const char *const sampling[2] = {"reshuffle", "cyclic"};
    static const double test_loss[2][2] = {{.228, .107}, {.231, .100}};
    sgdmft_context *ctx = check_context(1);
    for (int c = 0; c < 2; c++) {
        sgdmft_problem *problem = test_problem(
            ctx, "delta: 1.5\neta: 1\nsampling: %s\nhorizon: 2\n" PLAIN "output: {times: 3}\n", sampling[c]);
        assert_string_equal(sgdmft_solver_chosen(ctx, problem), "exact linear");
        sgdmft_solution *s = linear_case_solve(ctx, problem);
        for (size_t i = 1; i < 3; i++)
            check_near(linear_case_value(s, "test_loss", i) / test_loss[c][i - 1], 1, 0.03, "test loss, %s, t = %g",
                       sampling[c], s->times[i]);
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* Other steps, another horizon, other output times: the differences stay within the bars. */
static void test_bars(void **state)
{
    static const char *const keys[4] = {"sampling: reshuffle\n", "sampling: cyclic\nlambda: 0.3\n",
                                        "sampling: cyclic\nmomentum: {rate: 3}\n",
                                        "sampling: reshuffle\neta: \"0.8/(1+t)\"\nmomentum: {rate: 1}\n"};
    static const char *const names[5] = {"train_loss", "test_loss", "q11", "m11", "R11"};
    sgdmft_context *ctx = check_context(1);
    for (int c = 0; c < 4; c++) {
        sgdmft_solution *s = SOLVE(
            ctx, "delta: 0.8\nhorizon: 2.1\n%s" PLAIN "numerics: {method: linear, steps: 20}\noutput: {times: 22}\n",
            keys[c]);
        sgdmft_solution *other = SOLVE(
            ctx, "delta: 0.8\nhorizon: 3\n%s" PLAIN "numerics: {method: linear, steps: 50}\noutput: {times: 31}\n",
            keys[c]);
        for (size_t i = 0; i < s->n_times; i++)
            for (int n = 0; n < 5; n++) {
                const sgdmft_curve *a = sgdmft_solution_curve(s, names[n]), *b = sgdmft_solution_curve(other, names[n]);
                check_near(a->value[i], b->value[i], BARS * hypot(a->se[i], b->se[i]) + ROUNDING,
                           "%s at t = %g, case %d", names[n], s->times[i], c);
            }
        sgdmft_solution_free(s);
        sgdmft_solution_free(other);
    }
    sgdmft_context_free(ctx);
}

/* ---- momentum with independent visits: differential equations for every eigenvalue x of X^T X ----

   Let theta' = v, v' = -gamma v - gamma a theta + gamma eta (x theta* + xi) + white noise of variance
   gamma^2 eta^2 x P, with a = eta x + lambda and E xi^2 = x noise, and let M = E theta theta*, B = E theta xi,
   Q = E theta^2, W = E theta v. */

typedef enum moment { M, M_V, B, B_V, Q, W, V_V, ODE_MOMENTS } moment;

typedef struct momentum_problem {
    double delta, eta, lambda, gamma, noise;
    ode_spectrum mu;
} momentum_problem;

static double risk(const momentum_problem *p, double (*y)[ODE_MOMENTS])
{
    double sum = p->noise;
    for (int i = 0; i < p->mu.n; i++)
        sum += p->mu.weight[i] / p->delta * (p->mu.x[i] * (y[i][Q] - 2 * y[i][M] + 1) - 2 * y[i][B]);
    return sum;
}

static void derivative(const momentum_problem *p, double (*y)[ODE_MOMENTS], double (*dy)[ODE_MOMENTS])
{
    double P = risk(p, y), gamma = p->gamma, eta = p->eta;
    for (int i = 0; i < p->mu.n; i++) {
        double x = p->mu.x[i], a = eta * x + p->lambda, *d = dy[i];
        const double *at = y[i];
        d[M] = at[M_V];
        d[M_V] = -gamma * (at[M_V] + a * at[M] - eta * x);
        d[B] = at[B_V];
        d[B_V] = -gamma * (at[B_V] + a * at[B] - eta * x * p->noise);
        d[Q] = 2 * at[W];
        d[W] = at[V_V] - gamma * (at[W] + a * at[Q] - eta * (x * at[M] + at[B]));
        d[V_V] = -2 * gamma * (at[V_V] + a * at[W] - eta * (x * at[M_V] + at[B_V])) + gamma * gamma * eta * eta * x * P;
    }
}

/* One step of the classical Runge-Kutta method. */
static void runge_kutta(const momentum_problem *p, double h, double (*y)[ODE_MOMENTS])
{
    static double k[4][ODE_POINTS][ODE_MOMENTS], at[ODE_POINTS][ODE_MOMENTS];
    static const double place[4] = {0, 0.5, 0.5, 1};
    for (int stage = 0; stage < 4; stage++) {
        for (int i = 0; i < p->mu.n; i++)
            for (int c = 0; c < ODE_MOMENTS; c++)
                at[i][c] = y[i][c] + (stage > 0 ? place[stage] * h * k[stage - 1][i][c] : 0);
        derivative(p, at, k[stage]);
    }
    for (int i = 0; i < p->mu.n; i++)
        for (int c = 0; c < ODE_MOMENTS; c++)
            y[i][c] += h / 6 * (k[0][i][c] + 2 * k[1][i][c] + 2 * k[2][i][c] + k[3][i][c]);
}

static void test_momentum(void **state)
{
    static const double cases[3][4] = {{1.5, 1, 0, 2}, {0.6, 0.7, 0.3, 5}, {3, 0.5, 0.1, 0.5}};
    static double y[ODE_POINTS][ODE_MOMENTS];
    enum { TIMES = 5, EVERY = 400 };
    sgdmft_context *ctx = check_context(1);
    for (int c = 0; c < 3; c++) {
        momentum_problem p = {cases[c][0], cases[c][1], cases[c][2], cases[c][3], 0.01, ode_spectrum_of(cases[c][0])};
        sgdmft_solution *s = SOLVE(
            ctx, "delta: %g\neta: %g\nlambda: %g\nmomentum: {rate: %g}\nhorizon: 2\n" PLAIN "output: {times: %d}\n",
            p.delta, p.eta, p.lambda, p.gamma, TIMES);
        memset(y, 0, sizeof y);
        for (int i = 0; i < p.mu.n; i++)
            y[i][Q] = 1;
        for (size_t t = 0; t < TIMES; t++) {
            double q = 0, m = 0;
            for (int i = 0; i < p.mu.n; i++) {
                q += p.mu.weight[i] * y[i][Q];
                m += p.mu.weight[i] * y[i][M];
            }
            check_bar(s, "train_loss", t, risk(&p, y) / 2);
            check_bar(s, "test_loss", t, (q - 2 * m + 1 + p.noise) / 2);
            check_bar(s, "q11", t, q);
            check_bar(s, "m11", t, m);
            for (int step = 0; step < EVERY; step++)
                runge_kutta(&p, 2.0 / (TIMES - 1) / EVERY, y);
        }
        for (size_t i = 1; i < s->n_grid; i++)
            check_near(s->R[i * s->n_grid + i], 0, 1e-9, "a force moves theta after some time only, t = %g", s->t[i]);
        assert_true(s->info.se_max < 1e-4);
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* As gamma grows, plain SGD comes back. */
static void test_fast_momentum(void **state)
{
    static const char text[] = "delta: 1.5\neta: 0.7\nhorizon: 1\n%s" PLAIN "output: {times: 3}\n";
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *plain = SOLVE(ctx, text, ""), *slow = SOLVE(ctx, text, "momentum: {rate: 40}\n"),
                    *fast = SOLVE(ctx, text, "momentum: {rate: 80}\n");
    double want = linear_case_value(plain, "test_loss", 2), near = linear_case_value(fast, "test_loss", 2) - want;
    check_near((linear_case_value(slow, "test_loss", 2) - want) / near, 2, 0.2,
               "deviations, which are of order 1/gamma");
    sgdmft_solution_free(plain);
    sgdmft_solution_free(slow);
    sgdmft_solution_free(fast);
    sgdmft_context_free(ctx);
}

/* ---- limits of the method ---- */

static void test_refusals(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    sgdmft_problem *problem =
        test_problem(ctx, "delta: 1.5\nsampling: reshuffle\nhorizon: 2\neta: \"if(t < 1, 1, 0.5)\"\n" PLAIN
                          "numerics: {method: linear}\n");
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_UNSUPPORTED, "eta must not jump");
    sgdmft_problem_free(problem);
    problem =
        test_problem(ctx, "delta: 1.5\nsampling: reshuffle\nhorizon: 1000\n" PLAIN "numerics: {method: linear}\n");
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_UNSUPPORTED, "steps, at most");
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_divergence(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    sgdmft_problem *problem =
        test_problem(ctx, "delta: 1.5\nsampling: reshuffle\nhorizon: 9\neta: 5\n" PLAIN "output: {times: 91}\n");
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_DIVERGED, "lower eta");
    assert_true(s->n_times > 3 && s->n_times < 91 && s->n_grid > 3);
    for (size_t i = 0; i < s->n_times; i++)
        assert_true(isfinite(linear_case_value(s, "train_loss", i)));
    sgdmft_solution_free(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static int stop_soon(void *user, double fraction, double t)
{
    (void)fraction;
    (void)t;
    return ++*(int *)user > 12;
}

static void test_interruption(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    int calls = 0;
    sgdmft_problem *problem = test_problem(ctx, "delta: 1.5\nsampling: reshuffle\nhorizon: 3\n" PLAIN);
    sgdmft_context_set_progress(ctx, stop_soon, &calls);
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_INTERRUPTED, "interrupted");
    assert_true(s->n_times > 0 && s->n_grid > 0);
    sgdmft_solution_free(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_epoch), cmocka_unit_test(test_simulated),     cmocka_unit_test(test_bars),
        cmocka_unit_test(test_momentum),    cmocka_unit_test(test_fast_momentum), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_divergence),  cmocka_unit_test(test_interruption),
    };
    return cmocka_run_group_tests_name("linear small batches", tests, NULL, NULL);
}
