/* Order of SME, of gradient flow, and of SGD with the response by Stein's lemma in the time step, for the linear model
   against its exact solution (numerics.method: linear) and for a nonlinear one. The tables are printed. */
#include <math.h>

#include "columns/solution.h"
#include "order_table.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/epoch_process.h"

#define LINEAR                                                                                                         \
    "delta: 1.5, lambda: 0.15, horizon: 2, model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}, "                   \
    "initial: {q: 1, m: 0.25, rho: 1.2}"
#define TANH                                                                                                           \
    "delta: 2, horizon: 2, model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, "       \
    "initial: {q: 1, m: 0.2, rho: 1}"

/* The exact values of the quantities that are compared between grids. */
static void exact_values(const char *dynamics, double exact[QUANTITIES])
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(
        ctx, "{%s, " LINEAR ", numerics: {grading: 1, method: linear, steps: 4}, output: {times: 3}}", dynamics);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    assert_int_equal(s->n_grid, 5);
    exact[QUANTITY_TRAIN] = sgdmft_solution_curve(s, "train_loss")->value[2];
    exact[QUANTITY_TEST] = sgdmft_solution_curve(s, "test_loss")->value[2];
    exact[QUANTITY_Q] = s->C[24];
    exact[QUANTITY_M] = s->m[4];
    exact[QUANTITY_R] = s->R[20];
    exact[QUANTITY_C_HALF] = s->C[22];
    exact[QUANTITY_R_HALF] = s->R[22];
    sgdmft_solution_free(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

/* `process` NULL: that of the dynamics. */
static void collect_with(const sample_process *process, const char *dynamics, const char *rest, const char *numerics,
                         size_t paths, uint32_t replicas, table_row rows[QUANTITIES])
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    sgdmft_problem *problem = test_problem(ctx, "{%s, %s, numerics: {grading: 1, paths: %zu, tolerance: 1.0e-10, %s}}",
                                           dynamics, rest, test_scaled(paths, 600), numerics);
    if (process)
        problem->process = process;
    test_plan_init(&t, problem);
    print_message("%s, %s\n", dynamics, numerics);
    order_collect(&t, replicas, rows);
    order_print(&t, rows);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

static void collect(const char *dynamics, const char *rest, const char *numerics, size_t paths, uint32_t replicas,
                    table_row rows[QUANTITIES])
{
    collect_with(NULL, dynamics, rest, numerics, paths, replicas, rows);
}

/* No noise at all: sampled normals are matched, and nothing else is random. */
static void test_flow_linear(void **state)
{
    table_row rows[QUANTITIES] = {0};
    double exact[QUANTITIES];
    const char *dynamics = "dynamics: gradient-flow";
    collect(dynamics, LINEAR, "steps: 80, seed: 73", 1000, 2, rows);
    exact_values(dynamics, exact);
    for (int x = 0; x < QUANTITIES; x++)
        order_check_errors(&rows[x], exact[x], quantity_names[x]);
}

static sgdmft_solution *solve_flow(sgdmft_context *ctx, const char *numerics)
{
    sgdmft_problem *problem = test_problem(
        ctx, "{dynamics: gradient-flow, " LINEAR ", numerics: {replicas: 2, paths: 4000, %s}, output: {times: 6}}",
        numerics);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    sgdmft_problem_free(problem);
    return s;
}

/* Graded grids, extrapolated: the error that is left is of fourth order, or of sixth where the part of fourth order was
   taken away, and is within the standard errors, as there is next to no noise. */
static void test_flow_graded(void **state)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *exact = solve_flow(ctx, "method: linear"), *solution[2];
    solution[0] = solve_flow(ctx, "grading: 1.5, steps: 40");
    solution[1] = solve_flow(ctx, "grading: 1.5, steps: 80");
    double worst[2] = {0, 0};
    for (size_t c = 0; c < exact->n_curves; c++)
        for (size_t g = 0; g < 2; g++) {
            const sgdmft_curve *curve = &solution[g]->curves[c];
            assert_string_equal(curve->name, exact->curves[c].name);
            for (size_t i = 1; i < exact->n_times; i++) {
                double error = fabs(curve->value[i] - exact->curves[c].value[i]);
                check_near(error, 0, 2 * curve->se[i] + 1e-6, "%s at t = %g, grid %zu", curve->name, exact->times[i],
                           g);
                check_between(curve->se[i], 0, 3e-4, "standard error of %s", curve->name);
                worst[g] = fmax(worst[g], error);
            }
        }
    print_message("largest error left with 40 and 80 graded steps: %.2e, %.2e\n", worst[0], worst[1]);
    check_between(worst[0] / worst[1], 14, 80, "ratio of the largest errors");
    for (size_t g = 0; g < 2; g++)
        sgdmft_solution_free(solution[g]);
    sgdmft_solution_free(exact);
    sgdmft_context_free(ctx);
}

static void test_flow_tanh(void **state)
{
    table_row rows[QUANTITIES] = {0};
    collect("dynamics: gradient-flow", TANH, "steps: 32, seed: 74", 20000, 12, rows);
    for (int x = 0; x < QUANTITIES; x++)
        order_check_against_finest(&rows[x], quantity_names[x]);
    order_check(rows, test_scale() < 1 ? 0 : 3);
}

/* The response by Stein's lemma. */
static void check_stein(const char *dynamics, const char *numerics, size_t paths, uint32_t replicas, int resolved)
{
    table_row rows[QUANTITIES] = {0};
    double exact[QUANTITIES];
    collect(dynamics, LINEAR, numerics, paths, replicas, rows);
    exact_values(dynamics, exact);
    for (int x = 0; x < QUANTITIES; x++)
        order_check_extrapolated(&rows[x], exact[x], quantity_names[x]);
    order_check_falls(rows, test_scale() < 1 ? 0 : resolved);
}

static void test_sme_linear(void **state)
{
    check_stein("dynamics: sme, eta: 1.1", "steps: 40, seed: 75", 8000, 10, 3);
}

static void test_sgd_linear(void **state)
{
    check_stein("dynamics: sgd, eta: 1.1", "response: stein, steps: 24, seed: 77", 10000, 8, 3);
}

static void test_sme_tanh(void **state)
{
    table_row rows[QUANTITIES] = {0};
    collect("dynamics: sme, eta: 1", TANH, "steps: 32, seed: 77", 10000, 14, rows);
    for (int x = 0; x < QUANTITIES; x++)
        order_check_against_finest(&rows[x], quantity_names[x]);
    order_check_falls(rows, test_scale() < 1 ? 0 : 2);
}

/* The second epoch begins at a node of all grids, and averages jump there. */
static void collect_epochs(const char *body, const char *numerics, table_row rows[QUANTITIES])
{
    collect_with(&epoch_process, "dynamics: sgd, eta: 1.1", body, numerics, 6000, 10, rows);
    for (int x = 0; x < QUANTITIES; x++)
        order_check_against_finest(&rows[x], quantity_names[x]);
}

static void test_epochs_linear(void **state)
{
    table_row pathwise[QUANTITIES] = {0}, stein[QUANTITIES] = {0};
    collect_epochs(LINEAR, "response: pathwise, steps: 64, seed: 78", pathwise);
    order_check(pathwise, test_scale() < 1 ? 0 : 6);
    collect_epochs(LINEAR, "response: stein, steps: 64, seed: 79", stein);
    order_check(stein, test_scale() < 1 ? 0 : 3);
}

static void test_epochs_tanh(void **state)
{
    table_row pathwise[QUANTITIES] = {0}, stein[QUANTITIES] = {0};
    collect_epochs(TANH, "response: pathwise, steps: 32, seed: 80", pathwise);
    order_check_falls(pathwise, test_scale() < 1 ? 0 : 2);
    collect_epochs(TANH, "response: stein, steps: 32, seed: 81", stein);
    order_check_falls(stein, test_scale() < 1 ? 0 : 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_linear),   cmocka_unit_test(test_flow_graded), cmocka_unit_test(test_flow_tanh),
        cmocka_unit_test(test_sme_linear),    cmocka_unit_test(test_sgd_linear),  cmocka_unit_test(test_sme_tanh),
        cmocka_unit_test(test_epochs_linear), cmocka_unit_test(test_epochs_tanh),
    };
    return cmocka_run_group_tests_name("order of the processes", tests, NULL, NULL);
}
