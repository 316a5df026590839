/* Stein's lemma, theory section 2: identities for d/dt C(t,t) and d/dt C(t,0), which the equations that are solved do
   not contain. Also with a ridge, a schedule with a jump, and in detail where students and teachers are two. */
#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/plan.h"

/* `process` NULL: that of the problem. |z| < 4 for every identity, beyond a bias of order 1 / paths; and a standard
   error that is small beside the terms. The response by Stein's lemma is made so that the identity for d/dt C(t,0)
   holds; with it the field of SGD is made so that the one for d/dt C(t,t) holds: then `exact` of them have no
   defect. */
static void check_process(const sample_process *process, const char *body, const char *numerics, int count, int exact)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem = test_problem(ctx, "{%s, numerics: {replicas: 16, paths: %zu, %s}, output: {times: 5}}",
                                           body, test_scaled(5000, 400), numerics);
    sgdmft_solution *s = NULL;
    if (process)
        problem->process = process;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    assert_int_equal(s->n_identities, count);
    int without = 0;
    for (size_t i = 0; i < s->n_identities; i++) {
        const sgdmft_identity *x = &s->identities[i];
        print_message("%-14s t = %g: defect % .2e, standard error %.1e, terms %.2g\n", x->name, x->t, x->defect, x->se,
                      x->scale);
        check_near(x->defect, 0, 4 * x->se + 3 * x->scale / (double)s->info.paths, "%s", x->name);
        without += fabs(x->defect) < 1e-8 && x->se < 1e-8;
        check_between(x->se, 0, 0.01 * x->scale / sqrt(test_scale()), "standard error of %s", x->name);
        assert_true(x->t == problem->horizon);
    }
    assert_int_equal(without, exact);
    sgdmft_solution_free(s);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void check_with(const char *body, const char *numerics, int count, int exact)
{
    check_process(NULL, body, numerics, count, exact);
}

/* With pathwise responses nothing holds by construction. */
static void check_identities(const char *body, const char *numerics, int count)
{
    char text[200];
    snprintf(text, sizeof text, "response: pathwise, %s", numerics);
    check_with(body, text, count, 0);
}

#define TANH "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, initial: {m: 0.2}"

static void test_tanh(void **state)
{
    check_identities("delta: 2, eta: 1, horizon: 3, " TANH, "steps: 60, seed: 21", 2);
}

static void test_stein(void **state)
{
    check_with("delta: 2, eta: 1, horizon: 3, " TANH, "response: stein, steps: 60, seed: 21", 2, 2);
}

static void test_tanh_large_step(void **state)
{
    check_identities("delta: 2, eta: 2, horizon: 3, " TANH, "steps: 90, seed: 22", 2);
}

static void test_ridge_and_schedule(void **state)
{
    check_identities("delta: 1.4, eta: \"if(t < 1, 1, 0.3)\", lambda: 0.3, horizon: 2, " TANH, "steps: 60, seed: 23",
                     2);
}

static void test_overparametrised(void **state)
{
    check_identities("delta: 0.6, eta: 1, horizon: 3, " TANH, "steps: 60, seed: 24", 2);
}

static void test_erf_committee(void **state)
{
    check_identities("delta: 2, eta: 1, horizon: 2, model: {students: 2, teachers: 2, "
                     "label: \"erf(s1/sqrt(2)) + erf(s2/sqrt(2)) + 0.2*eps\", "
                     "predict: \"erf(r1/sqrt(2)) + erf(r2/sqrt(2))\", loss: \"(f - y)^2/2\"}, "
                     "initial: {q: [[1.0, 0.1], [0.1, 1.0]], m: [[0.3, 0.1], [0.0, 0.2]]}",
                     "steps: 40, seed: 25", 7);
}

/* Gradient flow has no term E[eta^2 g g^T]; SME has it, and its own law of r. */
static void test_processes(void **state)
{
    check_with("dynamics: sme, delta: 2, eta: 1, horizon: 2, " TANH, "steps: 40, seed: 26", 2, 1);
    check_identities("dynamics: gradient-flow, delta: 2, horizon: 2, " TANH, "steps: 40, seed: 27", 2);
    check_with("dynamics: sme, delta: 1.4, eta: 0.8, lambda: 0.3, horizon: 2, " TANH, "steps: 40, seed: 28", 2, 1);
}

/* By Stein's lemma, where the gradient jumps. */
static void test_kinks(void **state)
{
    check_with("delta: 2, eta: 1, horizon: 2, model: {label: \"relu(s) + 0.2*eps\", predict: \"relu(r)\", "
               "loss: \"(f - y)^2/2\"}, initial: {m: 0.2}",
               "steps: 40, seed: 29", 2, 2);
}

/* With sampled coordinates the decay is E[penalty' theta^T]. */
static void test_penalty(void **state)
{
    check_with("delta: 2, eta: 0.8, horizon: 2, penalty: \"0.3*log(cosh(2*th1))\", " TANH, "steps: 40, seed: 30", 2, 1);
}

/* Where visits depend on each other: of a path that is visited at t. */
static void test_epochs(void **state)
{
    check_process(&epoch_process, "delta: 2, eta: 1, horizon: 2.6, " TANH, "response: pathwise, steps: 60, seed: 31", 2,
                  0);
    check_process(&epoch_process, "delta: 1.4, eta: 0.8, lambda: 0.3, horizon: 2.6, " TANH,
                  "response: stein, steps: 60, seed: 32", 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tanh),
        cmocka_unit_test(test_stein),
        cmocka_unit_test(test_tanh_large_step),
        cmocka_unit_test(test_ridge_and_schedule),
        cmocka_unit_test(test_overparametrised),
        cmocka_unit_test(test_erf_committee),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_kinks),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_epochs),
    };
    return cmocka_run_group_tests_name("identities", tests, NULL, NULL);
}
