/* Merged histories: against the full history at short horizons, and at long ones against the exact linear model and a
   simulation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/exact_curves.h"
#include "support/plan.h"

#define TANH "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, initial: {m: 0.2}, "

static sgdmft_solution *solve(int threads, const char *body, const char *numerics, int times)
{
    sgdmft_context *ctx = check_context(threads);
    sgdmft_problem *problem = test_problem(ctx, "{%s numerics: {%s}, output: {times: %d}}", body, numerics, times);
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return solution;
}

/* Every curve at every time, within 4 joint standard errors. */
static void check_as_full(const char *body)
{
    char numerics[2][200];
    sgdmft_solution *s[2];
    for (int merged = 0; merged < 2; merged++) {
        snprintf(numerics[merged], sizeof numerics[merged],
                 "history: %s, response: stein, paths: %zu, replicas: 12, steps: 32, seed: %d, tolerance: 1.0e-5",
                 merged ? "merged" : "full", test_scaled(8192, 4096), 31 + merged);
        s[merged] = solve(1, body, numerics[merged], 7);
    }
    assert_int_equal(s[0]->n_curves, s[1]->n_curves);
    for (size_t c = 0; c < s[0]->n_curves; c++)
        for (size_t i = 1; i < s[0]->n_times; i++) {
            const sgdmft_curve *a = &s[0]->curves[c], *b = &s[1]->curves[c];
            check_z(b->value[i], a->value[i], hypot(a->se[i], b->se[i]), 4, "%s at t = %g: %s", a->name, s[0]->times[i],
                    body);
        }
    for (int merged = 0; merged < 2; merged++)
        sgdmft_solution_free(s[merged]);
}

static void test_one_student(void **state)
{
    check_as_full("delta: 2, horizon: 4, " TANH);
    check_as_full("delta: 2, lambda: 0.1, eta: \"if(t < 2, 1, 0.4)\", horizon: 4, " TANH);
}

static void test_two_students(void **state)
{
    check_as_full("delta: 1.8, horizon: 4, model: {students: 2, teachers: 2, label: \"tanh(s1) + 0.5*s2 + 0.2*eps\", "
                  "predict: \"tanh(r1) + 0.5*r2\", loss: \"(f - y)^2/2\"}, initial: {q: [[1, 0.1], [0.1, 0.8]], m: "
                  "[[0.3, 0.1], [0, 0.2]]}, observables: {margin: \"y*r1\"}, ");
}

static void test_jumps(void **state)
{
    check_as_full("delta: 2, horizon: 3, model: {label: \"relu(s) + 0.2*eps\", predict: \"relu(r)\", loss: "
                  "\"(f - y)^2/2\"}, initial: {m: 0.2}, ");
}

static void test_processes(void **state)
{
    check_as_full("delta: 2, sampling: reshuffle, horizon: 4, " TANH);
    check_as_full("delta: 2, dynamics: sme, horizon: 3, " TANH);
}

/* The linear model from t = 0 to 60, with the two-time functions. The accuracy is a hundredth: so far may they be off,
   of scales that are at most 1.1. */
static void test_linear(void **state)
{
    const linear_problem p = {.delta = 1.5, .q0 = 1, .rho = 1, .sigma = 0.1, .eta = 1};
    linear_exact *e = linear_exact_new(&p, 60, 0.01);
    sgdmft_solution *s = solve(1,
                               "delta: 1.5, horizon: 60, model: {label: \"s + 0.1*eps\", loss: \"(r - y)^2/2\"}, "
                               "initial: {q: 1, m: 0},",
                               "method: march, history: merged, accuracy: 1.0e-2, seed: 5", 13);
    double worst_C = 0, worst_R = 0;
    assert_int_equal(s->status, SGDMFT_OK);
    for (size_t i = 1; i < s->n_times; i++)
        for (size_t c = 0; c < s->n_curves; c++) {
            const sgdmft_curve *curve = &s->curves[c];
            double exact = exact_curve(e, curve->name, s->times[i]);
            double scale = strcmp(curve->name, "m11") == 0 || strcmp(curve->name, "R11") == 0 ? 1 : exact;
            check_near(curve->value[i], exact, 0.02 * scale, "%s at t = %g", curve->name, s->times[i]);
        }
    for (size_t i = 0; i < s->n_grid; i++)
        for (size_t j = 0; j <= i; j++) {
            worst_C = fmax(worst_C, fabs(s->C[i * s->n_grid + j] - linear_exact_C(e, s->t[i], s->t[j])));
            worst_R = fmax(worst_R, fabs(s->R[i * s->n_grid + j] - linear_exact_R(e, s->t[i], s->t[j])));
        }
    print_message("largest deviations of C %.4f and R %.4f\n", worst_C, worst_R);
    check_between(worst_C, 0, 0.02, "deviation of C");
    check_between(worst_R, 0, 0.03, "deviation of R");
    sgdmft_solution_free(s);
    linear_exact_free(e);
}

/* Averages over 100 simulations with d = 500 and their standard errors (tanh model, delta = 2, eta = 1). */
static void test_simulated(void **state)
{
    static const struct {
        double t, value[4], se[4];
    } simulated[] = {
        {20, {0.026865, 0.105733, 1.449384, 1.061024}, {0.000195, 0.000814, 0.007915, 0.003257}},
        {60, {0.024891, 0.124426, 1.916909, 1.187677}, {0.000187, 0.001133, 0.014677, 0.004809}},
        {100, {0.024394, 0.135659, 2.177024, 1.244628}, {0.000184, 0.001342, 0.019864, 0.005650}},
    };
    sgdmft_solution *s = solve(1, "delta: 2, horizon: 100, " TANH, "accuracy: 2.0e-2, seed: 3", 6);
    assert_int_equal(s->status, SGDMFT_OK);
    assert_true(s->n_grid <= 257);
    for (size_t x = 0; x < sizeof simulated / sizeof *simulated; x++)
        for (size_t c = 0; c < 4; c++) {
            const sgdmft_curve *curve = &s->curves[c];
            size_t i = (size_t)lround(simulated[x].t / 20);
            check_near(s->times[i], simulated[x].t, 1e-9, "output time");
            check_z(curve->value[i], simulated[x].value[c], hypot(curve->se[i], simulated[x].se[c]), 4, "%s at t = %g",
                    curve->name, s->times[i]);
        }
    sgdmft_solution_free(s);
}

/* Nothing depends on the number of threads. */
static void test_threads(void **state)
{
    sgdmft_solution *s[2];
    for (int x = 0; x < 2; x++)
        s[x] = solve(1 + x, "delta: 2, horizon: 15, " TANH, "paths: 2048, replicas: 3, steps: 40", 5);
    for (size_t c = 0; c < s[0]->n_curves; c++)
        assert_memory_equal(s[0]->curves[c].value, s[1]->curves[c].value, sizeof(double) * s[0]->n_times);
    assert_memory_equal(s[0]->C, s[1]->C, sizeof(double) * s[0]->n_grid * s[0]->n_grid);
    assert_memory_equal(s[0]->R, s[1]->R, sizeof(double) * s[0]->n_grid * s[0]->n_grid);
    for (int x = 0; x < 2; x++)
        sgdmft_solution_free(s[x]);
}

/* Time grows like the horizon, and the memory of a path hardly at all. Steps are as many as keep their length. */
static void test_growth(void **state)
{
    sgdmft_cost cost[2];
    for (int x = 0; x < 2; x++) {
        sgdmft_context *ctx = check_context(1);
        sgdmft_problem *problem =
            test_problem(ctx, "{delta: 2, horizon: %d, " TANH "numerics: {paths: 4096, replicas: 2, steps: %d}}",
                         x ? 1000 : 50, x ? 2000 : 100);
        check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &cost[x]));
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
    check_between(cost[1].path_bytes / cost[0].path_bytes, 1, 2, "growth of the memory of a path");
    check_between(log(cost[1].cpu_seconds / cost[0].cpu_seconds) / log(20), 1, 1.2, "exponent of the time");
}

static void check_refused(const char *body, const char *numerics, const char *part)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(
        ctx, "{delta: 2, horizon: 1, %s numerics: {paths: 256, replicas: 2, steps: 8, %s}}", body, numerics);
    sgdmft_solution *solution = NULL;
    check_failure(ctx, sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_CONFLICT, part);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_refusals(void **state)
{
    check_refused("dynamics: gradient-flow, " TANH, "history: merged", "gradient-flow");
    check_refused("penalty: \"0.1*th1^4\", " TANH, "history: merged", "penalty");
    check_refused(TANH, "history: merged, method: picard", "picard");
    check_refused(TANH, "history: merged, response: pathwise", "pathwise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_student), cmocka_unit_test(test_two_students), cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_processes),   cmocka_unit_test(test_linear),       cmocka_unit_test(test_simulated),
        cmocka_unit_test(test_threads),     cmocka_unit_test(test_growth),       cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("merged", tests, NULL, NULL);
}
