/* Every allocation of the exact method and of the sampled solver fails once: the solve says "out of memory", leaks
   nothing and works the next time. The linker sends the library's allocations through tests/support/failing_memory.h.
   */
#include "problem/problem.h"
#include "sgdmft/sgdmft.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/failing_memory.h"
#include "support/plan.h"

WRAP(int, posix_memalign, (void **out, size_t alignment, size_t size), (out, alignment, size), 12)

/* Solves with the first, the second, ... allocation failing until none is left to fail. Returns how many there were. */
static long fail_each(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_status whole)
{
    for (long n = 0;; n++) {
        sgdmft_solution *solution = NULL;
        failed = 0;
        countdown = n;
        sgdmft_status status = sgdmft_solve(ctx, problem, &solution);
        countdown = -1;
        if (!failed) {
            assert_int_equal(status, whole);
            assert_non_null(solution);
            sgdmft_solution_free(solution);
            return n;
        }
        /* the allocation that failed may have been that of the context's message */
        if (status != SGDMFT_ERR_MEMORY && !(status == whole && solution))
            fail_msg("allocation %ld fails, but the status is %d: %s", n, (int)status, sgdmft_context_message(ctx));
        if (status == SGDMFT_ERR_MEMORY)
            assert_null(solution);
        sgdmft_solution_free(solution);
    }
}

static void test_exact(void **state)
{
    static const char text[] = "dynamics: %s\ndelta: 1.5\neta: \"%s\"\nhorizon: 6\n"
                               "model: {label: [s, \"0.1*eps\"], loss: \"(r - y1 - y2)^2/2\"}\n"
                               "numerics: {method: linear, steps: 20}\noutput: {times: 5}\n";
    static const struct {
        const char *dynamics, *eta;
        sgdmft_status whole;
    } cases[] = {
        {"sgd", "1.1", SGDMFT_OK}, {"sgd", "2.9", SGDMFT_ERR_DIVERGED}, {"gradient-flow", "1/(1 + t)", SGDMFT_OK}};
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sgdmft_problem *problem = test_problem(ctx, text, cases[i].dynamics, cases[i].eta);
        assert_true(fail_each(ctx, problem, cases[i].whole) > 50);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* Processes, estimators of the response, sampled coordinates with a Gaussian law and with one of their own. */
static void test_sampled(void **state)
{
    static const char *const cases[] = {
        "dynamics: sgd",
        "dynamics: sme",
        "dynamics: gradient-flow",
        "dynamics: sgd, penalty: \"0.1*log(cosh(2*th1))\"",
        "dynamics: sme, penalty: \"0.1*log(cosh(2*th1))\", initial: {teacher: \"if(u < 0.5, z, 0)\", student: "
        "\"0.3*z2\"}",
    };
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sgdmft_problem *problem = test_problem(ctx,
                                               "{%s, delta: 1.5, horizon: 1, model: {label: s, loss: \"(r - y)^2/2\"}, "
                                               "numerics: {paths: 64, replicas: 2, steps: 4, passes: 200}, "
                                               "output: {times: 2}}",
                                               cases[i]);
        long count = fail_each(ctx, problem, SGDMFT_OK);
        print_message("%s: %ld allocations\n", cases[i], count);
        assert_true(count > 50);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* Two limits of averages where an epoch begins, by both methods. */
static void test_epochs(void **state)
{
    static const char *const numerics[] = {"method: march, response: stein", "method: march, response: pathwise",
                                           "method: picard, response: pathwise"};
    sgdmft_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof numerics / sizeof *numerics; i++) {
        sgdmft_problem *problem = test_problem(ctx,
                                               "{delta: 1.5, horizon: 1.4, model: {label: s, loss: \"(r - y)^2/2\"}, "
                                               "numerics: {paths: 64, replicas: 2, steps: 8, passes: 200, %s}, "
                                               "output: {times: 2}}",
                                               numerics[i]);
        problem->process = &epoch_process;
        long count = fail_each(ctx, problem, SGDMFT_OK);
        print_message("epochs, %s: %ld allocations\n", numerics[i], count);
        assert_true(count > 50);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact), cmocka_unit_test(test_sampled),
                                       cmocka_unit_test(test_epochs)};
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
