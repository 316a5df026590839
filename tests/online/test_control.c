/* What surrounds the integration: threads, seeds, interruption, divergence, refusals, cost, plug-ins that stop. */
#include <math.h>

#include "columns/solution.h"
#include "online_case.h"

#define ROUGH                                                                                                          \
    "eta: 0.9\nhorizon: 4\nmodel: {students: 2, label: sign(s), predict: relu(r1) - relu(r2), loss: (f - y)^2/2}\n"    \
    "observables: {size: r1^2}\n"
#define SMALL "numerics: {paths: 1000, replicas: 5, steps: 8}\noutput: {times: 5}\n"

static void threads_do_not_matter(void **state)
{
    static const char *const text[] = {
        ONLINE_TANH SMALL, ROUGH SMALL,
        /* enough points for several threads to share */
        "eta: 0.9\nhorizon: 0.4\nmodel: {students: 2, teachers: 2, label: tanh(s1) - s2, predict: tanh(r1) + r2, "
        "loss: (f - y)^2/2}\nobservables: {wrong: \"r1 < s1\"}\n" SMALL};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        check_online_threads(text[i]);
}

static void the_seed_matters_to_sampling_only(void **state)
{
    online_case a = online_case_solve(1, ROUGH "numerics: {paths: 1000, replicas: 5, seed: 1}\n");
    online_case b = online_case_solve(1, ROUGH "numerics: {paths: 1000, replicas: 5, seed: 2}\n");
    double se = hypot(online_case_se(&a, "q11", 50), online_case_se(&b, "q11", 50));
    assert_true(online_case_value(&a, "q11", 50) != online_case_value(&b, "q11", 50));
    check_z(online_case_value(&a, "q11", 50), online_case_value(&b, "q11", 50), se, 8, "two seeds");
    online_case_clear(&a);
    online_case_clear(&b);
    a = online_case_solve(1, ONLINE_TANH "numerics: {seed: 1}\n");
    b = online_case_solve(1, ONLINE_TANH "numerics: {seed: 2}\n");
    check_online_same(a.solution, b.solution);
    online_case_clear(&a);
    online_case_clear(&b);
}

static void interruption(void **state)
{
    check_online_interruption(ONLINE_TANH SMALL, 17, 4, 0);
    check_online_interruption(ROUGH SMALL, 17, 4, 0);
}

/* eta = 3 is beyond the limit of stability of the linear model, q grows like exp(3 tau); a quartic loss blows up. */
static void divergence(void **state)
{
    static const char *const text[] = {"eta: 3\nhorizon: 50\nmodel: {label: s, loss: (r - y)^2/2}\n",
                                       "eta: 1\nhorizon: 50\nmodel: {label: s, loss: (r^2 - y^2)^2/4}\n",
                                       "eta: 3\nhorizon: 50\nmodel: {label: sign(s), loss: (r - y)^2/2 + "
                                       "abs(r)}\nnumerics: {paths: 500, replicas: 3}\n"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        sgdmft_context *ctx = check_context(2);
        sgdmft_solution *solution = NULL;
        sgdmft_status status = online_attempt(ctx, text[i], &solution);
        check_failure(ctx, status, SGDMFT_ERR_DIVERGED, "tau = ");
        check_failure(ctx, status, SGDMFT_ERR_DIVERGED, "hint: lower eta");
        assert_true(solution->status == SGDMFT_ERR_DIVERGED && solution->n_times >= 1 && solution->n_times < 51);
        for (size_t c = 0; c < solution->n_curves; c++)
            for (size_t t = 0; t < solution->n_times; t++)
                assert_true(isfinite(solution->curves[c].value[t]));
        sgdmft_solution_free(solution);
        sgdmft_context_free(ctx);
    }
}

static void gradients_that_are_not_finite(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *solution = NULL;
    check_failure(
        ctx, online_attempt(ctx, "horizon: 1\nmodel: {label: s, loss: (r - y)^2/2 + (0.5 - r)^1.5}\n" SMALL, &solution),
        SGDMFT_ERR_NON_FINITE, "not a finite number at tau = 0");
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

/* The loss of a step that jumps makes sense here, where the self-consistent solver must refuse it; a pole does not. */
static void refusals(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *solution = NULL;
    check_failure(ctx, online_attempt(ctx, "horizon: 1\nmodel: {label: s, loss: log(abs(r - y))}\n", &solution),
                  SGDMFT_ERR_KINK, "has a pole in r");
    assert_null(solution);
    sgdmft_context_free(ctx);
}

static void cost(void **state)
{
    static const char *const text[] = {ONLINE_TANH SMALL, ROUGH SMALL};
    for (size_t i = 0; i < 2; i++) {
        sgdmft_context *ctx = check_context(2);
        sgdmft_problem *problem = test_problem(ctx, "dynamics: online\n%s", text[i]);
        sgdmft_cost estimate;
        check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &estimate));
        check_between(estimate.memory_bytes, 1e4, 1e9, "memory");
        check_between(estimate.cpu_seconds, 1e-4, 1e3, "time");
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
}

/* A loss that depends on time: l = (r - y)^2/2 cos^2(t) slows and speeds the linear model like a schedule. */
static void loss_with_time(void **state)
{
    online_case o = online_case_solve(1, "eta: 0.5\nhorizon: 4\nmodel: {label: s, loss: cos(t)^2*(r - "
                                         "y)^2/2}\ninitial: {q: 1, m: 0}\noutput: {times: 9}\n");
    for (size_t i = 0; i < 9; i++) {
        double t = o.solution->times[i], clock = 0.5 * (t / 2 + sin(2 * t) / 4);
        check_near(online_case_value(&o, "m11", i), 1 - exp(-clock), 1e-8, "m, time %zu", i);
        check_near(online_case_value(&o, "R11", i), exp(-clock), 1e-8, "R, time %zu", i);
    }
    online_case_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(the_seed_matters_to_sampling_only),
        cmocka_unit_test(interruption),
        cmocka_unit_test(divergence),
        cmocka_unit_test(gradients_that_are_not_finite),
        cmocka_unit_test(refusals),
        cmocka_unit_test(cost),
        cmocka_unit_test(loss_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
