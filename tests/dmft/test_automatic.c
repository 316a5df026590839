/* Solves to an accuracy: against the exact solution of the linear model, solved again from the problem that they
   report, and where the accuracy is out of reach. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/exact_curves.h"
#include "support/plan.h"

enum { TIMES = 13 };

/* The linear model by paths; %s: more numerics. */
#define LINEAR                                                                                                         \
    "{delta: 2, eta: 0.8, horizon: 3, model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}, "                        \
    "initial: {q: 1, m: 0.2}, numerics: {method: march, seed: 5, %s}, output: {times: 13}}"

static const linear_problem EXACT = {.delta = 2, .eta = 0.8, .q0 = 1, .m0 = 0.2, .rho = 1, .sigma = 0.3};

static sgdmft_solution *solved(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_status want, const char *part)
{
    sgdmft_solution *solution = NULL;
    sgdmft_status status = sgdmft_solve(ctx, problem, &solution);
    if (want)
        check_failure(ctx, status, want, part);
    else
        check_ok(ctx, status);
    assert_non_null(solution);
    assert_int_equal(solution->status, want);
    sgdmft_problem_free(problem);
    return solution;
}

/* All curves but the response end within the accuracy, and error bars cover the exact solution. */
static void test_exact(void **state)
{
    static const double accuracies[] = {2e-2, 5e-3};
    const double rho = 1;
    linear_exact *exact = linear_exact_new(&EXACT, 3, 1e-3);
    assert_non_null(exact);
    for (size_t a = 0; a < sizeof accuracies / sizeof *accuracies; a++) {
        sgdmft_context *ctx = check_context(2);
        char numerics[40];
        snprintf(numerics, sizeof numerics, "accuracy: %g", accuracies[a]);
        sgdmft_solution *s = solved(ctx, test_problem(ctx, LINEAR, numerics), SGDMFT_OK, NULL);
        assert_int_equal(s->n_times, TIMES);
        assert_true(s->info.replicas >= 8);
        double worst = 0, largest = 0, scale[TIMES];
        for (size_t c = 0; c < s->n_curves; c++) {
            const sgdmft_curve *curve = &s->curves[c];
            solution_natural_scale(s, &rho, c, scale);
            for (size_t i = 0; i < TIMES; i++) {
                double error = fabs(curve->value[i] - exact_curve(exact, curve->name, s->times[i])), se = curve->se[i];
                check_near(error, 0, 3.5 * se + 1e-9, "%s at t = %g", curve->name, s->times[i]);
                worst = se > 0 ? fmax(worst, error / se) : worst;
                if (strcmp(curve->name, "R11") == 0)
                    continue;
                check_between(se / scale[i], 0, accuracies[a], "standard error of %s at t = %g", curve->name,
                              s->times[i]);
                largest = fmax(largest, se / scale[i]);
            }
        }
        print_message("accuracy %g: %zu steps, %zu x %zu paths, largest standard error %.2g, largest z %.2f\n",
                      accuracies[a], s->info.steps, s->info.replicas, s->info.paths, largest, worst);
        assert_true(s->info.accuracy == accuracies[a]);
        check_near(s->info.accuracy_reached, largest, 1e-12, "accuracy that was reached");
        assert_true(largest > accuracies[a] / 8); /* not by far more work than is needed */
        sgdmft_solution_free(s);
        sgdmft_context_free(ctx);
    }
    linear_exact_free(exact);
}

static void same_bytes(const sgdmft_solution *a, const sgdmft_solution *b)
{
    assert_int_equal(a->n_times, b->n_times);
    assert_int_equal(a->n_curves, b->n_curves);
    assert_int_equal(a->n_grid, b->n_grid);
    for (size_t c = 0; c < a->n_curves; c++) {
        assert_memory_equal(a->curves[c].value, b->curves[c].value, sizeof(double) * a->n_times);
        assert_memory_equal(a->curves[c].se, b->curves[c].se, sizeof(double) * a->n_times);
        assert_memory_equal(a->curves[c].step_error, b->curves[c].step_error, sizeof(double) * a->n_times);
    }
    assert_memory_equal(a->C, b->C, sizeof(double) * a->n_grid * a->n_grid);
    assert_memory_equal(a->R, b->R, sizeof(double) * a->n_grid * a->n_grid);
    assert_string_equal(a->problem, b->problem);
}

/* The problem that is reported has all numbers, and leads to the same solution at any number of threads. */
static void test_again(void **state)
{
    static const char *const numerics[] = {"accuracy: 0.02", "accuracy: 0.02, steps: 24", "replicas: 9",
                                           "accuracy: 0.03, response: pathwise, tolerance: 1.0e-5"};
    for (size_t n = 0; n < sizeof numerics / sizeof *numerics; n++) {
        sgdmft_context *ctx = check_context(1), *two = check_context(2);
        sgdmft_solution *first = solved(ctx, test_problem(ctx, LINEAR, numerics[n]), SGDMFT_OK, NULL);
        sgdmft_solution *same = solved(two, test_problem(two, LINEAR, numerics[n]), SGDMFT_OK, NULL);
        assert_null(strstr(first->problem, "chosen by the solver"));
        same_bytes(first, same);
        sgdmft_solution_free(same);
        for (int threads = 1; threads <= 2; threads++) {
            sgdmft_problem *again = NULL;
            sgdmft_context *with = threads == 1 ? ctx : two;
            check_ok(with, sgdmft_problem_parse(with, "again", first->problem, NULL, 0, &again));
            assert_false(problem_leaves(again, PIN_STEPS));
            same = solved(with, again, SGDMFT_OK, NULL);
            same_bytes(first, same);
            sgdmft_solution_free(same);
        }
        sgdmft_solution_free(first);
        sgdmft_context_free(ctx);
        sgdmft_context_free(two);
    }
}

/* The accuracy is missed: the status says so and what was solved is kept, with its errors. */
static void misses(const char *numerics, const char *part)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = solved(ctx, test_problem(ctx, LINEAR, numerics), SGDMFT_ERR_ACCURACY, part);
    check_failure(ctx, SGDMFT_ERR_ACCURACY, SGDMFT_ERR_ACCURACY, "hint: more numerics.");
    assert_string_equal(s->message, sgdmft_context_message(ctx));
    assert_true(s->n_times > 0 && s->n_curves == 5);
    for (size_t c = 0; c < s->n_curves; c++)
        for (size_t i = 0; i < s->n_times; i++)
            assert_true(isfinite(s->curves[c].value[i]) && isfinite(s->curves[c].se[i]));
    assert_true(s->n_times < TIMES || s->info.accuracy_reached > s->info.accuracy);
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

static void test_pins_that_rule_it_out(void **state)
{
    misses("accuracy: 1.0e-3, paths: 500, replicas: 4", "asked was 0.001; it is noise; hint: more numerics.paths");
    misses("accuracy: 1.0e-3, steps: 8", "error of the time step; hint: more numerics.steps");
    misses("accuracy: 1.0e-3, paths: 400, replicas: 2, steps: 16", "asked was 0.001");
}

/* Given numbers that nobody asked an accuracy of give no more than a warning. */
static void count_warnings(void *user, sgdmft_log_level level, const char *message)
{
    *(int *)user += level == SGDMFT_LOG_WARNING && strstr(message, "accuracy not reached");
}

static void test_unasked(void **state)
{
    sgdmft_context *ctx = check_context(1);
    int warnings = 0;
    sgdmft_context_set_logger(ctx, count_warnings, &warnings);
    sgdmft_solution_free(solved(ctx, test_problem(ctx, LINEAR, "paths: 300, replicas: 4"), SGDMFT_OK, NULL));
    assert_int_equal(warnings, 1);
    sgdmft_solution_free(solved(ctx, test_problem(ctx, LINEAR, "paths: 300, replicas: 4, steps: 32"), SGDMFT_OK, NULL));
    assert_int_equal(warnings, 1);
    sgdmft_context_free(ctx);
}

/* The time limit ends a solve that would take hours. What it reached depends on the machine. */
static void test_time_limit(void **state)
{
    misses("accuracy: 1.0e-6, time_limit: 2", "numerics.time_limit is over");
    misses("accuracy: 1.0e-6, time_limit: 0.001", "numerics.time_limit is over: the curves end at t = ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),   cmocka_unit_test(test_again),      cmocka_unit_test(test_pins_that_rule_it_out),
        cmocka_unit_test(test_unasked), cmocka_unit_test(test_time_limit),
    };
    return cmocka_run_group_tests_name("automatic", tests, NULL, NULL);
}
