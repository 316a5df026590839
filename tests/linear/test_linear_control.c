/* The exact method at its limits: problems at rest, divergence, refusals, cost, interruption, threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "linear_case.h"
#include "solvers/linear/linear.h"

/* Nothing moves when the student starts as the teacher, and nothing is divided by zero. */
static void test_at_rest(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = SOLVE(ctx, "delta: 1.5\nhorizon: 2\nmodel: {label: s, loss: (r - y)^2/2}\n"
                                    "initial: {q: 1, m: 1}\nnumerics: {method: linear}\noutput: {times: 3}\n");
    check_near(linear_case_value(s, "train_loss", 2), 0, 1e-15, "train loss");
    check_near(linear_case_value(s, "test_loss", 2), 0, 1e-15, "test loss");
    check_near(linear_case_value(s, "q11", 2), 1, 1e-14, "q");
    check_near(linear_case_value(s, "m11", 2), 1, 1e-14, "m");
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

/* Above eta = 2 the dynamics blow up, at the time at which the sampled solver says so; before, values are good. */
static void test_divergence(void **state)
{
    static const char text[] = "delta: 1.5\neta: %g\nhorizon: %g\nmodel: {label: s, loss: \"(r - y)^2/2\"}\n"
                               "numerics: {method: %s, steps: 100, paths: 400, replicas: 2}\noutput: {times: 31}\n";
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *s = NULL, *sampled = NULL;
    sgdmft_problem *problem = test_problem(ctx, text, 2.7, 7.0, "linear");
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_DIVERGED, "shorten horizon to below");
    assert_non_null(s);
    assert_int_equal(s->status, SGDMFT_ERR_DIVERGED);
    sgdmft_problem_free(problem);
    problem = test_problem(ctx, text, 2.7, 7.0, "march");
    check_failure(ctx, sgdmft_solve(ctx, problem, &sampled), SGDMFT_ERR_DIVERGED, "shorten horizon to below");
    sgdmft_problem_free(problem);
    check_near((double)s->n_times, (double)sampled->n_times, 2, "output times reached");
    assert_true(s->n_times > 3 && s->n_times < 31 && s->n_grid > 3 && s->n_grid < 101);
    ode_problem p = {.delta = 1.5, .eta = 2.7, .q = 1, .rho = 1, .visits = 1};
    ode_values want[31];
    ode_solve(&p, (int)s->n_times, s->times, -1, want);
    for (size_t k = 0; k < s->n_times; k++)
        linear_case_compare(s, k, &want[k], 1e-10, "diverging");
    for (size_t k = 0; k < s->n_grid; k++)
        assert_true(isfinite(s->C[k * s->n_grid + k]));
    sgdmft_solution_free(s);
    sgdmft_solution_free(sampled);
    s = SOLVE(ctx, text, 3.5, 0.2, "linear"); /* too short to blow up */
    assert_int_equal(s->n_times, 31);
    sgdmft_solution_free(s);
    problem = test_problem(ctx, text, 12.0, 50.0, "linear"); /* overflows long before the horizon */
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_DIVERGED, "diverge");
    assert_true(s->n_times == 1);
    sgdmft_solution_free(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_thread_counts(void **state)
{
    static const char text[] =
        "delta: 0.9\neta: 1.2\nhorizon: 7\n" PLAIN "numerics: {method: linear, steps: 150, grading: 1.5}\n";
    sgdmft_context *one = check_context(1), *more = check_context(5);
    sgdmft_solution *a = SOLVE(one, text), *b = SOLVE(more, text);
    assert_int_equal(a->n_grid, 151);
    assert_memory_equal(a->C, b->C, sizeof *a->C * 151 * 151);
    assert_memory_equal(a->R, b->R, sizeof *a->R * 151 * 151);
    for (size_t c = 0; c < a->n_curves; c++)
        assert_memory_equal(a->curves[c].value, b->curves[c].value, sizeof(double) * a->n_times);
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
    sgdmft_context_free(one);
    sgdmft_context_free(more);
}

/* Refusals name what is not linear, its place, and an alternative. */
static void test_refusals(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"model: {label: \"tanh(s)\", loss: \"(r - y)^2/2\"}\n", "t.yaml:1:17: model.label"},
        {"model: {label: \"tanh(s)\", loss: \"(r - y)^2/2\"}\n", "not affine in s"},
        {"model: {label: \"s + eps^3\", loss: \"(r - y)^2/2\"}\n", "not affine in its noise"},
        {"model: {label: \"s + if(s > 8, 1, 0)\", loss: \"(r - y)^2/2\"}\n", "not affine in s"},
        {"model: {label: \"s*(1 + eps)\", loss: \"(r - y)^2/2\"}\n", "mixes s and its noise"},
        {"model: {label: s, loss: \"softplus(-y*r)\"}\n", "gradient of the loss is not affine in r"},
        {"model: {label: s, predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}\n", "model.loss"},
        {"model: {label: s, loss: \"(r - y^3)^2/2\"}\n", "not affine in y"},
        {"model: {label: s, loss: \"(1 + y)*r^2/2 - r*y\"}\n", "depends on y or t"},
        {"model: {label: s, loss: \"(r - y)^2/2/(1 + t)\"}\n", "t"},
        {"model: {label: s, loss: \"(r - y + t)^2/2\"}\n", "depends on t"},
        {"model: {label: s, loss: \"(r - y)^2/2 + log1p(y^2)\"}\n", "without r is not quadratic in y"},
        {"model: {label: s, loss: \"(r - y)^2/2 + t\"}\n", "depends on t"},
        {"model: {label: s, loss: \"-(r - y)^2/2\"}\n", "not positive"},
        {"model: {label: s, loss: \"r*y\"}\n", "not positive"},
        {"model: {students: 2, label: s, loss: \"(r1 + r2 - y)^2/2\"}\n", "exactly one student"},
        {"model: {teachers: 2, label: s1 + s2, loss: \"(r - y)^2/2\"}\n", "exactly one teacher"},
        {"penalty: \"abs(th1)\"\n" PLAIN, "t.yaml:1:11: penalty"},
        {"eta: \"1/(1 + t)\"\n" PLAIN, "eta must not depend on t"},
        {"dynamics: gradient-flow\nlambda: 0.1\neta: \"1/(1 + t)\"\n" PLAIN, "when there is a ridge"},
        {"dynamics: online\n" PLAIN, "found online"},
        {"observables: {margin: \"y*r\"}\n" PLAIN, "remove the observables"},
        {"observables: {margin: \"y*r\"}\n" PLAIN, "numerics.method: march"},
    };
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const char *const sets[] = {"delta=1.5", "horizon=2", "numerics.method=linear"};
        sgdmft_problem *problem = NULL;
        sgdmft_solution *solution = NULL;
        sgdmft_cost cost;
        check_ok(ctx, sgdmft_problem_parse(ctx, "t.yaml", cases[i].text, sets, 3, &problem));
        check_failure(ctx, sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_UNSUPPORTED, cases[i].part);
        assert_null(solution);
        check_failure(ctx, sgdmft_estimate_cost(ctx, problem, &cost), SGDMFT_ERR_UNSUPPORTED, cases[i].part);
        assert_false(linear_applies(problem));
        sgdmft_problem_free(problem);
    }
    sgdmft_problem *problem = test_problem(ctx, "delta: 1.5\nhorizon: 1.0e9\n" PLAIN "numerics: {method: linear}\n");
    sgdmft_solution *solution = NULL;
    check_failure(ctx, sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_UNSUPPORTED, "shorten horizon");
    assert_true(linear_applies(problem));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

/* The cost is that of the arrays, within a factor, and no more than what is there is asked for. */
static void test_cost(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_cost cost;
    sgdmft_problem *problem =
        test_problem(ctx, "delta: 1.5\nhorizon: 2\n" PLAIN "numerics: {method: linear, steps: 2000}\n");
    check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &cost));
    check_between(cost.memory_bytes, 16 * 2001.0 * 2001.0, 40 * 2001.0 * 2001.0, "bytes for 2000 steps");
    assert_true(cost.cpu_seconds > 0 && cost.wall_seconds > 0);
    sgdmft_problem_free(problem);
    problem = test_problem(ctx, "delta: 1.5\nhorizon: 1000\n" PLAIN "numerics: {method: linear, steps: 100000}\n");
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &cost));
    if (cost.memory_bytes > cost.available_bytes)
        check_failure(ctx, sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_MEMORY, "numerics.steps");
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static int stop_soon(void *user, double fraction, double t)
{
    return fraction > 0.2;
}

static int stop_at_once(void *user, double fraction, double t)
{
    return 1;
}

static void test_interrupt(void **state)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_context_set_progress(ctx, stop_soon, NULL);
    sgdmft_problem *problem =
        test_problem(ctx, "delta: 1.5\nhorizon: 2\n" PLAIN "numerics: {method: linear, steps: 500}\n");
    sgdmft_solution *s = NULL;
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_INTERRUPTED, "interrupted at t");
    assert_true(s->n_grid > 100 && s->n_grid < 400 && s->n_times > 10 && s->n_times < 45);
    sgdmft_solution *first = NULL;
    sgdmft_context_set_progress(ctx, stop_at_once, NULL);
    check_failure(ctx, sgdmft_solve(ctx, problem, &first), SGDMFT_ERR_INTERRUPTED, "interrupted at t = 0");
    assert_true(first->n_grid == 1 && first->n_times == 1 && first->t[0] == 0 && first->R[0] == 1);
    check_near(first->C[0], 1, 1e-15, "C(0, 0)");
    sgdmft_solution_free(first);
    sgdmft_context_set_progress(ctx, NULL, NULL);
    sgdmft_solution *whole = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &whole));
    size_t last = s->n_grid - 1;
    for (size_t j = 0; j <= last; j++) {
        assert_true(s->C[last * s->n_grid + j] == whole->C[last * whole->n_grid + j]);
        assert_true(s->C[j * s->n_grid + last] == whole->C[j * whole->n_grid + last]);
    }
    assert_true(s->times[s->n_times - 1] <= s->t[last]);
    sgdmft_solution_free(s);
    sgdmft_solution_free(whole);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_rest),  cmocka_unit_test(test_divergence), cmocka_unit_test(test_thread_counts),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_cost),       cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests_name("linear control", tests, NULL, NULL);
}
