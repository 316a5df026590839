/* Every allocation of the public samplers fails once: they report it, leak nothing and work the next time. The linker
   sends the library's allocations through tests/support/failing_memory.h. */
#include "sgdmft/sgdmft.h"
#include "support/check.h"
#include "support/failing_memory.h"
#include "support/plan.h"

WRAP(int, posix_memalign, (void **out, size_t alignment, size_t size), (out, alignment, size), 12)

/* A sampler, a block of paths, and histograms. */
static sgdmft_status sample_all(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_solution *solution)
{
    static const double times[] = {0, 0.6, 1};
    sgdmft_sampler *sampler = NULL;
    sgdmft_paths *paths = NULL;
    sgdmft_status status = sgdmft_sampler_new(ctx, problem, solution, SGDMFT_SAMPLE_BOTH, times, 3, &sampler);
    if (!status)
        status = sgdmft_paths_new(ctx, sampler, &paths);
    if (!status)
        status = sgdmft_paths_draw(ctx, paths, 1, 0);
    sgdmft_paths_free(paths);
    sgdmft_sampler_free(sampler);
    return status ? status : sgdmft_sample_histograms(ctx, problem, solution, times, 3, 4);
}

static void test_sampler(void **state)
{
    static const char *const cases[] = {
        "dynamics: sgd",
        "dynamics: sme",
        "dynamics: sgd, initial: {teacher: \"if(u < 0.5, z, 0)\", student: \"0.3*z2\"}",
        "dynamics: gradient-flow, penalty: \"0.1*log(cosh(2*th1))\"",
        "dynamics: sgd, penalty: \"0.1*log(cosh(2*th1))\"",
    };
    sgdmft_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sgdmft_problem *problem = test_problem(ctx,
                                               "{%s, delta: 1.5, horizon: 1, model: {label: s, loss: \"(r - y)^2/2\"}, "
                                               "numerics: {paths: 100, replicas: 2, steps: 4, passes: 200}, "
                                               "output: {times: 2}}",
                                               cases[i]);
        sgdmft_solution *solution = NULL;
        check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
        long n = 0;
        for (failed = 1; failed; n++) {
            failed = 0;
            countdown = n;
            sgdmft_status status = sample_all(ctx, problem, solution);
            countdown = -1;
            /* a text for a message may be what could not be had */
            if (failed && status != SGDMFT_OK && status != SGDMFT_ERR_MEMORY)
                fail_msg("%s: allocation %ld fails, but the status is %d: %s", cases[i], n, (int)status,
                         sgdmft_context_message(ctx));
            if (!failed)
                check_ok(ctx, status);
        }
        print_message("%s: %ld allocations\n", cases[i], n - 1);
        assert_true(n > 40);
        sgdmft_solution_free(solution);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
