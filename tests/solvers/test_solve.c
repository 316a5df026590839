/* The choice of a solver, the reasons of those that are not for a problem, and estimates before a solve. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "problem/problem.h"
#include "sgdmft/solve.h"
#include "solvers/dmft/dmft.h"
#include "solvers/linear/linear.h"
#include "solvers/online/online.h"
#include "support/check.h"
#include "support/plan.h"

#define LINEAR "model: {label: \"s + 0.1*eps\", loss: \"(r - y)^2/2\"}"
#define SMALL "numerics: {paths: 100, replicas: 2, steps: 8}, output: {times: 3}"

/* The solvers as they are linked, in the order of their indices. */
static const solver *const linked[] = {&linear_solver, &online_solver, &dmft_solver};

enum { LINEAR_SOLVER, ONLINE_SOLVER, DMFT_SOLVER, SOLVERS };

static void test_names(void **state)
{
    assert_int_equal(sgdmft_solver_count(), SOLVERS);
    for (size_t i = 0; i < SOLVERS; i++) {
        assert_string_equal(sgdmft_solver_name(i), linked[i]->name);
        assert_true(strlen(sgdmft_solver_name(i)) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(sgdmft_solver_name(i), sgdmft_solver_name(j));
    }
    assert_null(sgdmft_solver_name(SOLVERS));
    assert_null(sgdmft_solver_name((size_t)-1));
}

/* One problem for each row of the table of processes and each method, with the solvers that are for it. */
static const struct {
    const char *text;
    int is_for[SOLVERS];
} cases[] = {
    {"{delta: 1.5, horizon: 1, " LINEAR ", " SMALL "}", {0, 0, 1}},
    {"{delta: 1.5, horizon: 1, " LINEAR ", numerics: {paths: 100, replicas: 2, steps: 8, method: picard, passes: 300}, "
     "output: {times: 3}}",
     {0, 0, 1}},
    {"{dynamics: sme, delta: 1.5, horizon: 1, " LINEAR ", " SMALL "}", {0, 0, 1}},
    {"{dynamics: gradient-flow, delta: 1.5, horizon: 1, " LINEAR ", " SMALL "}", {0, 0, 1}},
    {"{dynamics: online, horizon: 1, " LINEAR ", output: {times: 3}}", {0, 1, 0}},
    {"{delta: 1.5, horizon: 1, " LINEAR ", numerics: {method: linear, steps: 8}, output: {times: 3}}", {1, 0, 1}},
    {"{dynamics: gradient-flow, delta: 1.5, horizon: 1, " LINEAR
     ", numerics: {method: linear, steps: 8}, output: {times: 3}}",
     {1, 0, 1}},
};

enum { CASES = sizeof cases / sizeof *cases };

/* A solver is for a problem, or says why not in a phrase: without capital letter and full stop, since it follows a
   name. */
static void test_capability(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (size_t c = 0; c < CASES; c++) {
        sgdmft_problem *problem = test_problem(ctx, "%s", cases[c].text);
        for (size_t i = 0; i < SOLVERS; i++) {
            const char *why = sgdmft_solver_cannot_solve(i, problem);
            if ((why == NULL) != cases[c].is_for[i])
                fail_msg("%s and %s: %s", sgdmft_solver_name(i), cases[c].text, why ? why : "can solve");
            if (!why)
                continue;
            assert_true(strlen(why) > 10 && why[0] >= 'a' && why[0] <= 'z' && why[strlen(why) - 1] != '.');
        }
        assert_non_null(sgdmft_solver_cannot_solve(SOLVERS, problem));
        assert_non_null(sgdmft_solver_cannot_solve((size_t)-1, problem));
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* Every row of the table of processes has a solver. */
static void test_every_process(void **state)
{
    sgdmft_context *ctx = check_context(1);
    const sample_process *process;
    for (size_t row = 0; (process = process_at(row)); row++) {
        sgdmft_problem *problem = test_problem(ctx, "{delta: 1.5, horizon: 1, " LINEAR "}");
        problem->process = process;
        size_t able = 0;
        for (size_t i = 0; i < sgdmft_solver_count(); i++)
            able += sgdmft_solver_cannot_solve(i, problem) == NULL;
        if (able == 0)
            fail_msg("no solver is for dynamics %s, row %zu", process->dynamics, row);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* The curves of the problem by this solver alone. */
static sgdmft_solution *solution_by(sgdmft_context *ctx, const solver *with, const sgdmft_problem *problem)
{
    void *plan = NULL;
    sgdmft_solution *solution = NULL;
    check_ok(ctx, with->prepare(ctx, problem, &plan));
    check_ok(ctx, with->run(ctx, plan, &solution));
    with->release(plan);
    return solution;
}

static int same_curves(const sgdmft_solution *a, const sgdmft_solution *b)
{
    int same = a->n_curves == b->n_curves && a->n_times == b->n_times;
    for (size_t c = 0; same && c < a->n_curves; c++)
        same = memcmp(a->curves[c].value, b->curves[c].value, sizeof(double) * a->n_times) == 0;
    return same;
}

/* The first solver that is for a problem solves it, and no other one gives these curves. */
static void test_first_one_solves(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (size_t c = 0; c < CASES; c++) {
        sgdmft_problem *problem = test_problem(ctx, "%s", cases[c].text);
        sgdmft_solution *solution = NULL;
        check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
        int first = 1;
        for (size_t i = 0; i < SOLVERS; i++) {
            if (!cases[c].is_for[i])
                continue;
            sgdmft_solution *alone = solution_by(ctx, linked[i], problem);
            if (same_curves(solution, alone) != first)
                fail_msg("%s: %s by %s", cases[c].text, first ? "not" : "also", sgdmft_solver_name(i));
            first = 0;
            sgdmft_solution_free(alone);
        }
        assert_int_equal(first, 0);
        sgdmft_solution_free(solution);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

static void refused(const char *text, sgdmft_status want, const char *part)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(ctx, "%s", text);
    sgdmft_solution *s = NULL;
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), want, part);
    assert_null(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_memory(void **state)
{
    refused("{delta: 1.5, horizon: 2, " LINEAR ", numerics: {paths: 1000000000}}", SGDMFT_ERR_MEMORY, "GiB");
    refused("{delta: 1.5, horizon: 2, " LINEAR ", numerics: {paths: 64, steps: 100000}}", SGDMFT_ERR_MEMORY,
            "numerics.steps");
}

/* The memory that the machine has to offer decides, unless it is not known. */
static void test_available(void **state)
{
    sgdmft_context *ctx = check_context(1);
    check_ok(ctx, sgdmft_check_memory(ctx, &(sgdmft_cost){.memory_bytes = 3e9, .available_bytes = 3e9}));
    check_ok(ctx, sgdmft_check_memory(ctx, &(sgdmft_cost){.memory_bytes = 3e9, .available_bytes = 0}));
    check_failure(ctx,
                  sgdmft_check_memory(ctx, &(sgdmft_cost){.memory_bytes = 5368709120, .available_bytes = 3758096384}),
                  SGDMFT_ERR_MEMORY, "need 5 GiB of memory, but 3.5 GiB are available");
    sgdmft_context_free(ctx);
}

/* Estimates come from the same checks and grow with what they estimate. */
static void test_cost(void **state)
{
    sgdmft_context *ctx = check_context(1);
    double before = 0;
    for (int steps = 20; steps <= 80; steps *= 2) {
        sgdmft_cost cost;
        sgdmft_problem *problem =
            test_problem(ctx, "{delta: 1.5, horizon: 2, " LINEAR ", numerics: {steps: %d}}", steps);
        check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &cost));
        assert_true(cost.memory_bytes > 0 && cost.wall_seconds > before && cost.cpu_seconds >= cost.wall_seconds);
        before = cost.wall_seconds;
        sgdmft_problem_free(problem);
    }
    sgdmft_problem *problem =
        test_problem(ctx, "{delta: 1.5, dynamics: gradient-flow, penalty: \"abs(th1)\", horizon: 2, " LINEAR "}");
    sgdmft_cost cost;
    check_failure(ctx, sgdmft_estimate_cost(ctx, problem, &cost), SGDMFT_ERR_KINK, "penalty");
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

/* The linear model is solved exactly where its numerics are open, and only there. */
static void test_chosen(void **state)
{
    static const char *const chosen_of[][2] = {
        {"", "exact linear"},
        {", numerics: {accuracy: 1e-3, seed: 2}", "exact linear"},
        {", numerics: {steps: 40}", "self-consistent"},
        {", numerics: {method: march}", "self-consistent"},
        {", numerics: {method: linear}", "exact linear"},
        {", observables: {a: 'r'}", "self-consistent"},
        {", dynamics: online", "online"},
    };
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof chosen_of / sizeof *chosen_of; i++) {
        sgdmft_problem *problem =
            test_problem(ctx, "{delta: 1.5, eta: 0.5, horizon: 2, " LINEAR "%s}", chosen_of[i][0]);
        const char *chosen = sgdmft_solver_chosen(ctx, problem);
        assert_non_null(chosen);
        assert_string_equal(chosen, chosen_of[i][1]);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* Without numbers, the estimate is that of a guess: a smaller accuracy costs more, and given numbers count. */
static void test_cost_of_guess(void **state)
{
    static const char *const numerics[] = {"accuracy: 1e-2", "accuracy: 2e-3", "accuracy: 2e-3, paths: 1000000"};
    sgdmft_context *ctx = check_context(1);
    double before = 0;
    for (size_t i = 0; i < sizeof numerics / sizeof *numerics; i++) {
        sgdmft_cost cost;
        sgdmft_problem *problem = test_problem(
            ctx, "{delta: 1.5, horizon: 2, model: {label: 'tanh(s)', loss: '(tanh(r) - y)^2/2'}, numerics: {%s}}",
            numerics[i]);
        check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &cost));
        assert_true(cost.cpu_seconds > 2 * before);
        before = cost.cpu_seconds;
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_capability),
        cmocka_unit_test(test_every_process), cmocka_unit_test(test_first_one_solves),
        cmocka_unit_test(test_memory),        cmocka_unit_test(test_available),
        cmocka_unit_test(test_cost),          cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_cost_of_guess),
    };
    return cmocka_run_group_tests_name("solvers", tests, NULL, NULL);
}
