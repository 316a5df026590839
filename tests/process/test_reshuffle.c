/* Reshuffled SGD against results that do not know how it is solved: its first epoch is one-pass SGD, the two estimators
   of the response and the two orders of solving agree, the identities hold, and finite systems come close. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sgdmft/simulate.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

#define TANH                                                                                                           \
    "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, initial: {q: 1, m: 0.2}"
#define COMMITTEE                                                                                                      \
    "model: {students: 2, teachers: 2, label: \"erf(s1/sqrt(2)) + erf(s2/sqrt(2)) + 0.2*eps\", "                       \
    "predict: \"erf(r1/sqrt(2)) + erf(r2/sqrt(2))\", loss: \"(f - y)^2/2\"}, "                                         \
    "initial: {q: [[1, 0.1], [0.1, 1]], m: [[0.3, 0.1], [0, 0.2]]}"

static const char SHUFFLED[] = "dynamics: sgd, sampling: reshuffle, delta: 2";

static sgdmft_solution *solve(const char *dynamics, double horizon, const char *body, const char *numerics, int times)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem = test_problem(ctx, "{%s, horizon: %g, %s, numerics: {%s}, output: {times: %d}}", dynamics,
                                           horizon, body, numerics, times);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return s;
}

/* The curves that both solutions have, but for those whose name starts with `without`, within 4.5 standard errors at
   every time. */
static void check_agreement(const sgdmft_solution *a, const sgdmft_solution *b, const char *without)
{
    assert_int_equal(a->n_times, b->n_times);
    for (size_t c = 0; c < a->n_curves; c++) {
        const sgdmft_curve *x = &a->curves[c], *y = sgdmft_solution_curve(b, x->name);
        double worst = 0;
        if (!y || (without && strncmp(x->name, without, strlen(without)) == 0))
            continue;
        for (size_t i = 0; i < a->n_times; i++) {
            double se = hypot(x->se[i], y->se[i]);
            check_near(x->value[i], y->value[i], 4.5 * se + 1e-12, "%s at t = %g", x->name, a->times[i]);
            worst = fmax(worst, se > 0 ? fabs(x->value[i] - y->value[i]) / se : 0);
        }
        print_message("%-10s largest deviation %.2f standard errors\n", x->name, worst);
    }
}

static double last_value(const sgdmft_solution *s, const char *name, double *se)
{
    const sgdmft_curve *curve = sgdmft_solution_curve(s, name);
    assert_non_null(curve);
    *se = curve->se[s->n_times - 1];
    return curve->value[s->n_times - 1];
}

/* tau = delta t. The train loss is that of paths that have had their visit, which online SGD does not know. */
static void test_first_epoch(void **state)
{
    static const char *const body[] = {"eta: 1, " TANH, "eta: 1, lambda: 0.2, " TANH, "eta: \"1/(1 + t)\", " COMMITTEE};
    static const char *const fresh[] = {"eta: 1, " TANH, "eta: 1, lambda: 0.1, " TANH,
                                        "eta: \"1/(1 + t/2)\", " COMMITTEE};
    for (int i = 0; i < 3; i++) {
        char *numerics = NULL;
        assert_true(
            asprintf(&numerics, "paths: %zu, replicas: 12, steps: 24, seed: %d", test_scaled(6000, 1500), 41 + i) > 0);
        sgdmft_solution *epoch = solve(SHUFFLED, 1, body[i], numerics, 6);
        sgdmft_solution *online = solve("dynamics: online", 2, fresh[i], "seed: 1", 6);
        for (size_t t = 0; t < online->n_times; t++)
            online->times[t] /= 2;
        check_agreement(epoch, online, "train");
        sgdmft_solution_free(epoch);
        sgdmft_solution_free(online);
        free(numerics);
    }
}

/* Jumps of the averages at epochs 1 and 2, and an epoch that the horizon cuts short. */
static void test_responses(void **state)
{
    char *numerics[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        assert_true(asprintf(&numerics[i], "response: %s, paths: %zu, replicas: 16, steps: 48, seed: %d",
                             i ? "stein" : "pathwise", test_scaled(5000, 800), 51 + i) > 0);
    sgdmft_solution *paths = solve(SHUFFLED, 2.6, "eta: 1.2, lambda: 0.1, " TANH, numerics[0], 14);
    sgdmft_solution *stein = solve(SHUFFLED, 2.6, "eta: 1.2, lambda: 0.1, " TANH, numerics[1], 14);
    check_agreement(paths, stein, NULL);
    for (size_t i = 0; i < stein->n_identities; i++) {
        const sgdmft_identity *identity = &stein->identities[i];
        check_near(identity->defect, 0, 4.5 * identity->se + 1e-4 * identity->scale, "%s", identity->name);
    }
    sgdmft_solution_free(paths);
    sgdmft_solution_free(stein);
    free(numerics[0]);
    free(numerics[1]);
}

/* With the same random numbers both orders of solving have the same fixed point. */
static void test_picard(void **state)
{
    static const char *const ridge[] = {"", ", lambda: 0.3"};
    for (int i = 0; i < 2; i++) {
        char *body = NULL;
        assert_true(asprintf(&body, "eta: 1%s, " TANH, ridge[i]) > 0);
        sgdmft_solution *march =
            solve(SHUFFLED, 2, body, "paths: 1500, replicas: 2, steps: 16, tolerance: 1.0e-11, seed: 7", 5);
        sgdmft_solution *picard =
            solve(SHUFFLED, 2, body,
                  "paths: 1500, replicas: 2, steps: 16, tolerance: 1.0e-11, seed: 7, method: picard, passes: 200", 5);
        for (size_t c = 0; c < march->n_curves; c++)
            for (size_t t = 0; t < march->n_times; t++)
                check_near(march->curves[c].value[t], picard->curves[c].value[t], 1e-8, "%s", march->curves[c].name);
        sgdmft_solution_free(march);
        sgdmft_solution_free(picard);
        free(body);
    }
}

/* Linear model, delta = 1.5, eta = 1, noise 0.1, after one epoch: twice the test loss is 2 s + (P - 2 s) exp(-delta),
   with P its value at the start and s = 0.01. */
static void test_linear(void **state)
{
    char *numerics = NULL;
    double se, exact = 0.5 * (0.02 + 1.99 * exp(-1.5));
    assert_true(asprintf(&numerics, "paths: %zu, replicas: 12, steps: 16, seed: 61", test_scaled(4000, 1000)) > 0);
    sgdmft_solution *s =
        solve("dynamics: sgd, sampling: reshuffle, delta: 1.5", 1,
              "eta: 1, model: {label: \"s + 0.1*eps\", loss: \"(r - y)^2/2\"}, initial: {q: 1, m: 0}", numerics, 2);
    double value = last_value(s, "test_loss", &se);
    check_near(value, exact, 4.5 * se + 1e-12, "test loss after one epoch");
    sgdmft_solution_free(s);
    free(numerics);
}

/* Three epochs of a classification against finite systems, whose own error is of order batch / n. */
static void test_simulation(void **state)
{
    static const char text[] =
        "{dynamics: sgd, sampling: reshuffle, delta: 3, eta: 1.5, lambda: 0.1, horizon: 3, "
        "model: {label: \"sign(s + 0.2*eps)\", loss: \"log(1 + exp(-y*r))\"}, initial: {q: 1, m: 0.2}, "
        "numerics: {paths: %zu, replicas: 8, steps: 48, seed: 71}, output: {times: 7}, "
        "simulate: {d: 400, repetitions: %zu, batch: %d}}";
    for (int batch = 1; batch <= 20; batch += 19) {
        sgdmft_context *ctx = check_context(2);
        sgdmft_problem *problem = test_problem(ctx, text, test_scaled(5000, 1000), test_scaled(60, 10), batch);
        sgdmft_solution *limit = NULL, *finite = NULL;
        check_ok(ctx, sgdmft_solve(ctx, problem, &limit));
        check_ok(ctx, sgdmft_simulate(ctx, problem, NULL, &finite));
        for (size_t c = 0; c < finite->n_curves; c++) {
            const sgdmft_curve *x = &finite->curves[c], *y = sgdmft_solution_curve(limit, x->name);
            double worst = 0, scale = 0;
            for (size_t i = 0; i < finite->n_times; i++)
                scale = fmax(scale, fabs(y->value[i]));
            for (size_t i = 0; i < finite->n_times; i++) {
                double se = hypot(x->se[i], y->se[i]);
                check_near(x->value[i], y->value[i], 4.5 * se + 0.6 * batch / 1200.0 * scale + 1e-6,
                           "%s at t = %g, batch %d", x->name, finite->times[i], batch);
                worst = fmax(worst, se > 0 ? fabs(x->value[i] - y->value[i]) / se : 0);
            }
            print_message("batch %2d, %-10s largest deviation %.2f standard errors\n", batch, x->name, worst);
        }
        sgdmft_solution_free(limit);
        sgdmft_solution_free(finite);
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_epoch), cmocka_unit_test(test_responses),  cmocka_unit_test(test_picard),
        cmocka_unit_test(test_linear),      cmocka_unit_test(test_simulation),
    };
    return cmocka_run_group_tests_name("reshuffle", tests, NULL, NULL);
}
