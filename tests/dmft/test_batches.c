/* Batches that are a fraction of the data, orders that are kept, and momentum: on the linear model against its exact
   solution, which shares no code with paths; the two estimators of the response against each other; published curves;
   and the same bytes on any number of threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

static sgdmft_solution *solve_with(int threads, const char *body, const char *numerics, int times)
{
    sgdmft_context *ctx = check_context(threads);
    sgdmft_problem *problem = test_problem(ctx, "{%s, numerics: {%s}, output: {times: %d}}", body, numerics, times);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    assert_int_equal(s->status, SGDMFT_OK);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return s;
}

static sgdmft_solution *solve(const char *body, const char *numerics, int times)
{
    return solve_with(2, body, numerics, times);
}

/* All curves within 4.5 standard errors of their difference and a bias of 2 / paths; `left` is what is allowed where
   neither has noise. */
static void check_curves(const sgdmft_solution *a, const sgdmft_solution *b, double left, const char *what)
{
    double worst = 0;
    assert_int_equal(a->n_curves, b->n_curves);
    assert_int_equal(a->n_times, b->n_times);
    for (size_t c = 0; c < a->n_curves; c++) {
        const sgdmft_curve *x = &a->curves[c], *y = &b->curves[c];
        assert_string_equal(x->name, y->name);
        for (size_t i = 0; i < a->n_times; i++) {
            double se = hypot(x->se[i], y->se[i]);
            check_near(a->times[i], b->times[i], 1e-12, "%s: time %zu", what, i);
            double bias = se > left ? 2 * fabs(x->value[i]) / (double)a->info.paths : 0;
            check_near(x->value[i], y->value[i], 4.5 * se + bias + left, "%s: %s at t = %g", what, x->name,
                       a->times[i]);
            worst = fmax(worst, se > left ? fabs(x->value[i] - y->value[i]) / se : 0);
        }
    }
    print_message("%-60s largest deviation %.2f standard errors\n", what, worst);
}

#define TANH "model: {label: 'tanh(s) + 0.3*eps', loss: '(tanh(r) - y)^2/2'}"
#define LINEAR "model: {label: 's + 0.3*eps', loss: '(r - y)^2/2'}, initial: {q: 1, m: 0.25, rho: 1.2}"

static void check_exact(const char *how, const char *numerics, double left)
{
    char *body = NULL;
    assert_true(asprintf(&body, "%s, " LINEAR, how) > 0);
    sgdmft_solution *a = solve(body, numerics, 7), *b = solve(body, "method: linear", 7);
    check_curves(a, b, left, how);
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
    free(body);
}

/* Where every sample is in every batch nothing is random but Gaussians, whose second moments are matched: 200 paths have
   the exact curves, up to the independent part of the innovations (kernels/innovations.c). */
static void test_full_batch(void **state)
{
    static const char *const numerics = "paths: 200, replicas: 2";
    check_exact("batch_fraction: 1, delta: 3, eta: 0.1, lambda: 0.05, horizon: 20", numerics, 1e-8);
    check_exact("batch_fraction: 1, delta: 0.6, eta: 0.5, horizon: 12", numerics, 1e-8);
    check_exact("batch_fraction: 1, delta: 2, eta: 0.2, lambda: 0.1, momentum: {beta: 0.7}, horizon: 15", numerics,
                1e-8);
    check_exact("batch_fraction: 1, sampling: cyclic, delta: 2, eta: '0.4/(1 + 0.2*t)', horizon: 9", numerics, 1e-8);
}

static void test_fractions(void **state)
{
    static const char *const how[] = {
        "batch_fraction: 0.2, delta: 2, eta: 0.8, lambda: 0.1, horizon: 3",
        "batch_fraction: 0.3, delta: 1.5, eta: 0.7, momentum: {beta: 0.4}, horizon: 3",
        "batch_fraction: 0.25, sampling: reshuffle, delta: 2, eta: 0.8, lambda: 0.1, horizon: 3",
        "batch_fraction: 0.2, sampling: reshuffle, delta: 0.7, eta: '1/(1 + t)', momentum: {beta: 0.5}, horizon: 3",
        "batch_fraction: 0.25, sampling: cyclic, delta: 2, eta: 0.8, horizon: 4",
        "batch_fraction: 0.5, sampling: cyclic, delta: 1.5, eta: 0.4, lambda: 0.2, momentum: {beta: 0.6}, horizon: 5"};
    size_t paths = test_scaled(8192, 2048);
    for (size_t i = 0; i < sizeof how / sizeof *how; i++)
        for (int stein = 0; stein < 2; stein++) {
            char *numerics = NULL;
            assert_true(asprintf(&numerics, "paths: %zu, replicas: 16, seed: %zu, response: %s", paths, 300 + i,
                                 stein ? "stein" : "pathwise") > 0);
            check_exact(how[i], numerics, 1e-7); /* rows are in single precision */
            free(numerics);
        }
}

/* Limits of smaller and smaller batches, with the error of the extrapolation in the bars. */
static void test_small_batches(void **state)
{
    static const char *const how[] = {
        "sampling: cyclic, delta: 1.5, eta: 0.8, lambda: 0.1, horizon: 2.3",
        "momentum: {rate: 2}, delta: 1.5, eta: 0.8, horizon: 2",
        "sampling: reshuffle, momentum: {rate: 3}, delta: 1.5, eta: 0.8, lambda: 0.1, horizon: 2.5",
        "sampling: cyclic, momentum: {rate: 2}, delta: 2, eta: 0.7, horizon: 2"};
    char *numerics = NULL;
    assert_true(asprintf(&numerics, "paths: %zu, replicas: 8, steps: 48, seed: 321", test_scaled(8192, 4096)) > 0);
    for (size_t i = 0; i < sizeof how / sizeof *how; i++)
        check_exact(how[i], numerics, 1e-7);
    free(numerics);
}

/* The estimators of the response, with paths of their own: two students, and a gradient that jumps has only one. */
static void test_estimators(void **state)
{
    static const char *const how[] = {"batch_fraction: 0.25, sampling: reshuffle, momentum: {beta: 0.3}",
                                      "batch_fraction: 0.25", "batch_fraction: 1"};
    static const char *const rest =
        "delta: 2, eta: 0.5, lambda: 0.05, horizon: 4, model: {students: 2, teachers: 2, label: 'erf(s1) + erf(s2) + "
        "0.2*eps', predict: 'erf(r1) + erf(r2)', loss: '(f - y)^2/2'}, initial: {q: [[1, 0.1], [0.1, 1]], m: [[0.3, "
        "0.1], [0, 0.2]]}";
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        char *body = NULL, *numerics[2] = {NULL, NULL};
        assert_true(asprintf(&body, "%s, %s", how[i], rest) > 0);
        for (int stein = 0; stein < 2; stein++)
            assert_true(asprintf(&numerics[stein], "paths: %zu, replicas: 16, seed: %d, response: %s",
                                 test_scaled(8192, 2048), 330 + stein, stein ? "stein" : "pathwise") > 0);
        sgdmft_solution *paths = solve(body, numerics[0], 5), *stein = solve(body, numerics[1], 5);
        check_curves(paths, stein, 1e-7, how[i]);
        sgdmft_solution_free(paths);
        sgdmft_solution_free(stein);
        free(body);
        free(numerics[0]);
        free(numerics[1]);
    }
}

/* Full-batch gradient descent of a pair of relu units, whose gradient jumps. The published numbers are means of finite
   systems (github.com/IdePHICS/benefit-reusing-batch), with standard errors of 0.0009 (m), 0.0006 (test loss), and, as
   they scatter, 0.0009 for q, too. */
static void test_relu_pair(void **state)
{
    enum { STEPS = 6 };
    static const struct {
        const char *name;
        double value[STEPS + 1], se;
    } published[] = {{"m11", {0, .0757, .1238, .1562, .1800, .1989, .2147}, .0009},
                     {"m12", {0, -.0626, -.1018, -.1276, -.1461, -.1604, -.1722}, .0009},
                     {"q11", {1, .8550, .8058, .7917, .7929, .8017, .8146}, .0009},
                     {"test_loss", {.4917, .4202, .3859, .3683, .3587, .3534, .3504}, .0006}};
    char *numerics = NULL;
    assert_true(asprintf(&numerics, "paths: %zu, replicas: 8", test_scaled(16384, 8192)) > 0);
    sgdmft_solution *s = solve("batch_fraction: 1, delta: 3, eta: 0.2, horizon: 6, model: {students: 2, teachers: 2, "
                               "label: 'tanh(s1 + s2^3 - 3*s2)', predict: '(relu(r1) - relu(r2))/sqrt(2)', "
                               "loss: '(f - y)^2/2'}",
                               numerics, STEPS + 1);
    free(numerics);
    for (size_t c = 0; c < sizeof published / sizeof *published; c++) {
        const sgdmft_curve *x = sgdmft_solution_curve(s, published[c].name);
        for (size_t i = 0; i <= STEPS; i++)
            check_z(x->value[i], published[c].value[i], hypot(x->se[i], published[c].se), 4, "%s at step %zu",
                    published[c].name, i);
    }
    sgdmft_solution_free(s);
}

/* Steps are at multiples of b, and output times are the nearest of them, each once. */
static void test_times(void **state)
{
    sgdmft_solution *s =
        solve("batch_fraction: 0.2, delta: 2, eta: 0.5, horizon: 1.3, " LINEAR, "paths: 64, replicas: 2", 4);
    static const double want[] = {0, 0.4, 0.8, 1.2};
    for (size_t i = 0; i < 4; i++)
        check_near(s->times[i], want[i], 1e-12, "time %zu", i);
    assert_int_equal(s->n_grid, 7);
    sgdmft_solution_free(s);
    s = solve("batch_fraction: 0.5, delta: 2, eta: 0.5, horizon: 1, " LINEAR, "paths: 64, replicas: 2", 50);
    assert_int_equal(s->n_times, 3);
    sgdmft_solution_free(s);
}

static void test_threads(void **state)
{
    static const char *const how[] = {"sampling: cyclic", "momentum: {rate: 2}",
                                      "batch_fraction: 0.25, sampling: reshuffle", "batch_fraction: 1"};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        char *body = NULL;
        assert_true(asprintf(&body,
                             "%s, delta: 2, eta: 0.5, horizon: 3, model: {label: 'tanh(s) + 0.3*eps', loss: "
                             "'(tanh(r) - y)^2/2'}",
                             how[i]) > 0);
        sgdmft_solution *one = solve_with(1, body, "paths: 1500, replicas: 2, steps: 24", 4);
        sgdmft_solution *three = solve_with(3, body, "paths: 1500, replicas: 2, steps: 24", 4);
        for (size_t c = 0; c < one->n_curves; c++) {
            assert_memory_equal(one->curves[c].value, three->curves[c].value, sizeof(double) * one->n_times);
            assert_memory_equal(one->curves[c].se, three->curves[c].se, sizeof(double) * one->n_times);
        }
        sgdmft_solution_free(one);
        sgdmft_solution_free(three);
        free(body);
    }
}

/* What is not solved says so, and what is unstable diverges with its status. */
static void test_refusals(void **state)
{
    static const struct {
        const char *text, *part;
    } list[] = {
        {"{batch_fraction: 0.5, delta: 2, horizon: 3, penalty: '0.1*log(cosh(th1))', model: {label: s, loss: 'abs(r - "
         "y)'}}",
         "simulate"},
        {"{batch_fraction: 0.5, delta: 2, horizon: 3, " TANH ", numerics: {method: picard}}", "march"},
        {"{momentum: {rate: 1}, delta: 2, horizon: 3, " TANH ", numerics: {method: picard}}", "momentum"},
        {"{sampling: cyclic, delta: 2, horizon: 30, " TANH ", numerics: {history: merged}}", "cyclic"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        sgdmft_context *ctx = check_context(1);
        sgdmft_problem *problem = test_problem(ctx, "%s", list[i].text);
        sgdmft_solution *s = NULL;
        sgdmft_status status = sgdmft_solve(ctx, problem, &s);
        assert_true(status == SGDMFT_ERR_CONFLICT || status == SGDMFT_ERR_KINK);
        assert_non_null(strstr(sgdmft_context_message(ctx), list[i].part));
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_batch), cmocka_unit_test(test_fractions), cmocka_unit_test(test_small_batches),
        cmocka_unit_test(test_estimators), cmocka_unit_test(test_relu_pair), cmocka_unit_test(test_times),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
