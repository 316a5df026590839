/* Losses whose gradient jumps, which the response by Stein's lemma takes, against small simulations of the finite
   system. */
#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "simulated.h"
#include "support/check.h"
#include "support/plan.h"

static void check_kink(const char *body)
{
    check_simulated(body, 4000, "replicas: 12, steps: 40, seed: 91");
}

static void test_relu(void **state)
{
    check_kink("delta: 2, eta: 1, horizon: 2, model: {label: \"relu(s) + 0.2*eps\", predict: \"relu(r)\", "
               "loss: \"(f - y)^2/2\"}, initial: {q: 1, m: 0.2}");
}

static void test_hinge(void **state)
{
    check_kink("delta: 2, eta: 0.5, lambda: 0.1, horizon: 2, model: {label: \"sign(s + 0.3*eps)\", "
               "loss: \"relu(1 - y*r)\"}, initial: {q: 0.5, m: 0.1}, observables: {error: \"y*r < 0\"}");
}

static void test_absolute(void **state)
{
    check_kink("delta: 3, eta: 0.4, horizon: 2, model: {label: \"s + 0.3*eps\", loss: \"abs(r - y)\"}, "
               "initial: {q: 0.6, m: 0}");
}

/* Two students, each with a kink. */
static void test_two_students(void **state)
{
    check_kink("delta: 2, eta: 0.8, horizon: 1.5, model: {students: 2, teachers: 1, label: \"relu(s) + 0.2*eps\", "
               "predict: \"relu(r1) - relu(r2)\", loss: \"(f - y)^2/2\"}, "
               "initial: {q: [[1, 0.1], [0.1, 0.6]], m: [[0.3], [-0.1]]}");
}

/* Passes end at the resolution of the sample, which bounds the residual. */
static void test_tolerance(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(ctx, "{delta: 2, horizon: 1, model: {label: s, loss: \"abs(r - y)\"}, "
                                                "numerics: {paths: 1000, replicas: 2, steps: 10, tolerance: 1.0e-9}}");
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    check_between(s->info.residual_max, 0, 2.0 / 1000, "residual");
    sgdmft_solution_free(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu),         cmocka_unit_test(test_hinge),     cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_two_students), cmocka_unit_test(test_tolerance),
    };
    return cmocka_run_group_tests_name("kinks", tests, NULL, NULL);
}
