/* SME and gradient flow on the linear model against its exact solution; the two estimators of the response of SGD
   against each other; processes against one another in the limit of small steps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

static sgdmft_solution *solve(const char *body, const char *numerics, int times)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem = test_problem(ctx, "{%s, numerics: {%s}, output: {times: %d}}", body, numerics, times);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return s;
}

/* Curves of two solutions within 4.5 standard errors of their difference and a bias of 2 / paths. Gradient flow on the
   linear model has no randomness at all; `left` is the error that remains there. */
static void check_curves(const sgdmft_solution *a, const sgdmft_solution *b, double left)
{
    assert_int_equal(a->n_curves, b->n_curves);
    assert_int_equal(a->n_times, b->n_times);
    for (size_t c = 0; c < a->n_curves; c++) {
        const sgdmft_curve *x = &a->curves[c], *y = &b->curves[c];
        double worst = 0;
        assert_string_equal(x->name, y->name);
        for (size_t i = 0; i < a->n_times; i++) {
            double se = hypot(x->se[i], y->se[i]);
            double bias = 2 * fabs(x->value[i]) / (double)a->info.paths;
            if (se > 0)
                worst = fmax(worst, fabs(x->value[i] - y->value[i]) / se);
            check_near(x->value[i], y->value[i], 4.5 * se + bias * (se > 0 || i > 0) + left, "%s at t = %g", x->name,
                       a->times[i]);
        }
        if (x->se[a->n_times - 1] > 1e-8)
            print_message("%-10s largest deviation %.2f sigma\n", x->name, worst);
    }
}

/* C(t, s), R(t, s) and m on the grid, which is not extrapolated: within `tolerance`. */
static void check_arrays(const sgdmft_solution *a, const sgdmft_solution *b, double tolerance)
{
    double worst[3] = {0};
    assert_int_equal(a->n_grid, b->n_grid);
    for (size_t i = 0; i < a->n_grid; i++) {
        check_near(a->t[i], b->t[i], 1e-12, "node %zu", i);
        worst[2] = fmax(worst[2], fabs(a->m[i] - b->m[i]));
        for (size_t j = 0; j < a->n_grid; j++) {
            size_t x = i * a->n_grid + j;
            worst[0] = fmax(worst[0], fabs(a->C[x] - b->C[x]));
            worst[1] = fmax(worst[1], fabs(a->R[x] - b->R[x]));
        }
    }
    print_message("largest differences of C %.1e, R %.1e, m %.1e\n", worst[0], worst[1], worst[2]);
    check_near(worst[0], 0, tolerance, "C");
    check_near(worst[1], 0, tolerance, "R");
    check_near(worst[2], 0, tolerance, "m");
}

#define LINEAR "model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}"

/* Against numerics.method: linear. */
static void check_exact(const char *body, const char *numerics, double left, double arrays)
{
    char *exact = NULL;
    assert_true(asprintf(&exact, "%s, method: linear", numerics) > 0);
    sgdmft_solution *a = solve(body, numerics, 9), *b = solve(body, exact, 9);
    check_curves(a, b, left);
    check_arrays(a, b, arrays);
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
    free(exact);
}

/* The sampled normals have exact moments, so that 100 paths are as good as any number, for every delta and start. */
static void test_flow(void **state)
{
    check_exact(
        "dynamics: gradient-flow, delta: 1.5, lambda: 0.15, horizon: 2, initial: {q: 1, m: 0.25, rho: 1.2}, " LINEAR,
        "paths: 200, replicas: 2, steps: 60", 2e-5, 1e-3);
    check_exact("dynamics: gradient-flow, delta: 0.6, horizon: 3, initial: {q: 0.0, m: 0.0}, " LINEAR,
                "paths: 200, replicas: 2, steps: 60", 1e-4, 2e-3);
    check_exact(
        "dynamics: gradient-flow, delta: 1.8, eta: \"1.6/(1 + 0.5*t)\", horizon: 3, initial: {q: 1, m: 0.2}, " LINEAR,
        "paths: 200, replicas: 2, steps: 60, grading: 1.4", 1e-4, 2e-3);
}

static void check_noisy(const char *body, const char *numerics, double arrays)
{
    char *all = NULL;
    assert_true(asprintf(&all, "paths: %zu, replicas: 16, %s", test_scaled(4000, 2500), numerics) > 0);
    check_exact(body, all, 1e-9, arrays / sqrt(test_scale()));
    free(all);
}

static void test_sme(void **state)
{
    check_noisy(
        "dynamics: sme, delta: 1.5, eta: 1.1, lambda: 0.15, horizon: 2, initial: {q: 1, m: 0.25, rho: 1.2}, " LINEAR,
        "steps: 60, seed: 81", 0.03);
    check_noisy("dynamics: sme, delta: 0.6, eta: 0.8, horizon: 2, initial: {q: 0, m: 0}, " LINEAR,
                "steps: 60, seed: 82", 0.03);
}

#define TANH_MODEL                                                                                                     \
    "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, initial: {q: 1, m: 0.2}"
#define TANH "delta: 2, eta: 1, horizon: 2, " TANH_MODEL

/* Two estimators of the response of SGD; different seeds make them independent. */
static void test_stein(void **state)
{
    char *numerics[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        assert_true(asprintf(&numerics[i], "response: %s, paths: %zu, replicas: 16, steps: 60, seed: %d",
                             i ? "stein" : "pathwise", test_scaled(4000, 500), 83 + i) > 0);
    sgdmft_solution *paths = solve(TANH, numerics[0], 9), *stein = solve(TANH, numerics[1], 9);
    check_curves(paths, stein, 0);
    check_arrays(paths, stein, 0.04 / sqrt(test_scale()));
    sgdmft_solution_free(paths);
    sgdmft_solution_free(stein);
    free(numerics[0]);
    free(numerics[1]);
}

/* At eta = 1 the three dynamics of a nonlinear model differ (theory, section 3), far beyond their errors; at a small
   step, at the same eta t, SGD and SME come close to gradient flow. */
static void test_limits(void **state)
{
    static const char *const dynamics[3] = {"sgd", "sme", "gradient-flow"};
    const char *rest = "delta: 2, model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, "
                       "initial: {q: 1, m: 0.2}";
    double q[2][3];
    for (int small = 0; small < 2; small++)
        for (int d = 0; d < 3; d++) {
            char *body = NULL, *numerics = NULL;
            assert_true(asprintf(&body, "dynamics: %s, eta: %s, horizon: %s, %s", dynamics[d], small ? "0.1" : "1",
                                 small ? "15" : "1.5", rest) > 0);
            assert_true(asprintf(&numerics, "paths: 2000, replicas: 8, steps: 40, seed: %d", 85 + d) > 0);
            sgdmft_solution *s = solve(body, numerics, 3);
            q[small][d] = sgdmft_solution_curve(s, "q11")->value[2];
            print_message("eta = %s, %-13s q = %.4f (%.4f)\n", small ? "0.1" : "1", dynamics[d], q[small][d],
                          sgdmft_solution_curve(s, "q11")->se[2]);
            sgdmft_solution_free(s);
            free(body);
            free(numerics);
        }
    check_between(q[0][0] - q[0][2], 0.1, 1, "SGD over gradient flow at eta = 1");
    check_between(q[0][0] - q[0][1], 0.007, 0.2, "SGD over SME at eta = 1");
    for (int d = 0; d < 2; d++)
        check_near((q[1][d] - q[1][2]) / (q[0][d] - q[0][2]), 0.1, 0.05,
                   "%s, difference to gradient flow over that at ten times the step", dynamics[d]);
}

/* Where eta = 0, nothing correlates with the field. Paths stand still there, so that curves are those without the
   pause, and a kick during the pause is one at its end. */
static void test_pause(void **state)
{
    const char *numerics = "response: stein, paths: 8000, replicas: 6, steps: 48, seed: 91, grading: 1";
    sgdmft_solution *s = solve("eta: \"if(t < 1, 0, 1)\", delta: 2, horizon: 3, " TANH_MODEL, numerics, 4);
    sgdmft_solution *whole = solve(TANH, numerics, 3);
    for (size_t c = 0; c < s->n_curves; c++) {
        const sgdmft_curve *a = &s->curves[c], *b = &whole->curves[c];
        check_z(a->value[3], b->value[2], hypot(a->se[3], b->se[2]), 3.5, "%s", a->name);
    }
    size_t last = s->n_grid - 1;
    const double *R = s->R + last * s->n_grid;
    for (size_t j = 0; j < last / 3; j++)
        check_near(R[j], R[last / 3], 0.02, "R(T, %g)", s->t[j]);
    check_between(R[last / 3], 0.2, 0.6, "R(T, 1)");
    sgdmft_solution_free(s);
    sgdmft_solution_free(whole);
}

/* At a saddle of the loss the gradient is zero and theta stays there, but R grows. Visits of the linearised dynamics
   multiply by 1 + 2 eta y x x^T, so that the mean over their times is R(t) = E tr exp(t M) / d with M = 2 eta sum_i y_i
   x_i x_i^T: 10.44 (0.09) at t = 5, from random matrices with d = 500 to 2000. */
static void test_saddle(void **state)
{
    sgdmft_solution *s = solve("eta: 0.2, delta: 2, horizon: 5, model: {label: \"s^2/(1 + s^2)\", predict: "
                               "\"r^2/(1 + r^2)\", loss: \"(f - y)^2/2\"}, initial: {q: 0}",
                               "paths: 8000, replicas: 4, steps: 32, seed: 92", 2);
    const sgdmft_curve *R = sgdmft_solution_curve(s, "R11");
    print_message("R11(5) = %.3f (%.3f)\n", R->value[1], R->se[1]);
    check_z(R->value[1], 10.44, hypot(R->se[1], 0.09), 3, "R11(5)");
    sgdmft_solution_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause), cmocka_unit_test(test_saddle), cmocka_unit_test(test_flow),
        cmocka_unit_test(test_sme),   cmocka_unit_test(test_stein),  cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
