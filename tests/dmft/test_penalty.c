/* General penalties, with sampled coordinates: a ridge written as a penalty is the ridge; a nonlinear penalty, for
   which the law of the coordinates matters, is what simulations of the finite system give. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "simulated.h"
#include "support/check.h"
#include "support/plan.h"

static sgdmft_solution *solve(const char *dynamics, const char *decay, const char *body, size_t paths,
                              const char *numerics)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem =
        test_problem(ctx, "{dynamics: %s, %s, %s, numerics: {paths: %zu, %s}, output: {times: 5}}", dynamics, decay,
                     body, test_scaled(paths, 500), numerics);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return s;
}

/* Curves within 4.5 standard errors of their difference, a share of the time-step errors that were removed, and a bias
   of 3 / paths; the two-time arrays, which are not extrapolated, within `arrays`. */
static void check_ridge(const char *dynamics, const char *lambda, const char *penalised, const char *body, size_t paths,
                        double arrays)
{
    sgdmft_solution *a = solve(dynamics, lambda, body, paths, "response: stein, replicas: 10, steps: 30, seed: 101");
    sgdmft_solution *b = solve(dynamics, penalised, body, paths, "replicas: 10, steps: 30, seed: 102");
    double worst[2] = {0};
    for (size_t c = 0; c < a->n_curves; c++) {
        const sgdmft_curve *x = &a->curves[c], *y = &b->curves[c];
        double largest = 0;
        for (size_t i = 0; i < a->n_times; i++) {
            double se = hypot(x->se[i], y->se[i]);
            largest = fmax(largest, se > 1e-8 ? fabs(x->value[i] - y->value[i]) / se : 0);
            check_near(x->value[i], y->value[i], 4.5 * se + 3 * fabs(x->value[i]) / (double)a->info.paths + 1e-9,
                       "%s, %s at t = %g", dynamics, x->name, a->times[i]);
        }
        print_message("%-10s largest deviation %.2f sigma\n", x->name, largest);
    }
    size_t entries = a->n_grid * a->n_grid * (size_t)(a->k * a->k);
    for (size_t i = 0; i < entries; i++) {
        worst[0] = fmax(worst[0], fabs(a->C[i] - b->C[i]));
        worst[1] = fmax(worst[1], fabs(a->R[i] - b->R[i]));
    }
    print_message("%s: largest differences of C %.1e, R %.1e\n", dynamics, worst[0], worst[1]);
    check_near(worst[0], 0, arrays / sqrt(test_scale()), "%s, C", dynamics);
    check_near(worst[1], 0, arrays / sqrt(test_scale()), "%s, R", dynamics);
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

#define ONE                                                                                                            \
    "delta: 1.8, eta: 1, horizon: 2, model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", "                     \
    "loss: \"(f - y)^2/2\"}, initial: {q: 1, m: 0.2}"
#define TWO                                                                                                            \
    "delta: 1.8, eta: 0.8, horizon: 1.5, model: {students: 2, teachers: 2, label: \"tanh(s1) + 0.5*s2 + 0.2*eps\", "   \
    "predict: \"tanh(r1) + 0.5*r2\", loss: \"(f - y)^2/2\"}, "                                                         \
    "initial: {q: [[1, 0.1], [0.1, 0.8]], m: [[0.3, 0.1], [0, 0.2]]}"

static void test_ridge(void **state)
{
    check_ridge("sgd", "lambda: 0.3", "penalty: \"0.15*th1^2\"", ONE, 2000, 0.05);
    check_ridge("sme", "lambda: 0.3", "penalty: \"0.15*th1^2\"", ONE, 2000, 0.05);
}

static void test_ridge_of_two(void **state)
{
    check_ridge("sgd", "lambda: 0.3", "penalty: \"0.15*(th1^2 + th2^2)\"", TWO, 4000, 0.08);
    check_ridge("sme", "lambda: 0.3", "penalty: \"0.15*(th1^2 + th2^2)\"", TWO, 4000, 0.08);
}

#define SPARSE "initial: {teacher: \"if(u < 0.1, z/sqrt(0.1), 0)\", student: \"0.5*z2\"}"

/* Sparse coordinates under a penalty that is convex, and far from a ridge on their scale. */
static void test_sparse(void **state)
{
    check_simulated("delta: 2, eta: 0.8, horizon: 2, penalty: \"0.3*log(cosh(5*th1))\", "
                    "model: {label: \"s + 0.2*eps\", loss: \"(r - y)^2/2\"}, " SPARSE,
                    2500, "replicas: 10, steps: 30, seed: 103");
    check_simulated("dynamics: sme, delta: 2, eta: 0.8, horizon: 1.5, penalty: \"0.3*log(cosh(5*th1))\", "
                    "model: {label: \"tanh(s) + 0.2*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, " SPARSE,
                    2500, "replicas: 10, steps: 30, seed: 104");
}

/* A penalty that ties two students together, and one with a minimum away from zero. */
static void test_coupled(void **state)
{
    check_simulated(
        "delta: 2, eta: 0.8, horizon: 1.5, penalty: \"0.05*(th1^2 - 1)^2 + 0.1*(th1 - th2)^2 + 0.1*cosh(th2)\", "
        "model: {students: 2, teachers: 1, label: \"tanh(s) + 0.2*eps\", predict: \"tanh(r1) + 0.4*r2\", "
        "loss: \"(f - y)^2/2\"}, initial: {q: [[1, 0.1], [0.1, 0.8]], m: [[0.3], [0.1]]}",
        2500, "replicas: 10, steps: 30, seed: 105");
}

/* The law matters: the penalty of test_sparse gives another m on a Gaussian teacher of the same moments. */
static void test_law_matters(void **state)
{
    static const char *const start[2] = {SPARSE, "initial: {q: 0.25, m: 0}"};
    double m[2];
    for (int i = 0; i < 2; i++) {
        char *body = NULL;
        assert_true(asprintf(&body,
                             "delta: 2, eta: 0.8, horizon: 2, model: {label: \"s + 0.2*eps\", "
                             "loss: \"(r - y)^2/2\"}, %s",
                             start[i]) > 0);
        sgdmft_solution *s =
            solve("sgd", "penalty: \"0.3*log(cosh(5*th1))\"", body, 2000, "replicas: 4, steps: 30, seed: 106");
        m[i] = sgdmft_solution_curve(s, "m11")->value[4];
        sgdmft_solution_free(s);
        free(body);
    }
    check_between(m[0] - m[1], 0.05, 0.5, "m of a sparse teacher over that of a Gaussian one");
}

/* In discrete time, and in the limits of smaller batches, coordinates have steps of their own. */
static void test_discrete(void **state)
{
    check_ridge("sgd, batch_fraction: 0.25, sampling: reshuffle, momentum: {beta: 0.4}", "lambda: 0.3",
                "penalty: \"0.15*th1^2\"", ONE, 4000, 0.05);
    check_ridge("sgd, batch_fraction: 0.5", "lambda: 0.3", "penalty: \"0.15*(th1^2 + th2^2)\"", TWO, 4000, 0.08);
    check_simulated("batch_fraction: 0.2, sampling: cyclic, delta: 2, eta: 0.6, horizon: 2, "
                    "penalty: \"0.1*log(cosh(5*th1))\", model: {label: \"tanh(s) + 0.2*eps\", predict: \"tanh(r)\", "
                    "loss: \"(f - y)^2/2\"}, " SPARSE,
                    5000, "replicas: 10, seed: 107");
    check_simulated(
        "batch_fraction: 1, momentum: {beta: 0.5}, delta: 2, eta: 0.2, horizon: 8, "
        "penalty: \"0.05*log(cosh(5*th1))\", model: {label: \"s + 0.2*eps\", loss: \"(r - y)^2/2\"}, " SPARSE,
        2500, "replicas: 10, seed: 108");
    check_simulated("momentum: {rate: 2}, delta: 2, eta: 0.8, horizon: 2, penalty: \"0.1*log(cosh(5*th1))\", "
                    "model: {label: \"s + 0.2*eps\", loss: \"(r - y)^2/2\"}, " SPARSE,
                    2500, "replicas: 10, steps: 32, seed: 109");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ridge),   cmocka_unit_test(test_ridge_of_two), cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_coupled), cmocka_unit_test(test_law_matters),  cmocka_unit_test(test_discrete),
    };
    return cmocka_run_group_tests_name("penalty", tests, NULL, NULL);
}
