/* Gradient flow where steps are long against its fastest modes, so that an explicit scheme would need far more of them:
   the linear model against its exact solution, robust regression against the fixed point of its risk, and nonlinear
   models against simulations of finite systems. */
#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

#define SQUARE "predict: \"r\", loss: \"(f - y)^2/2\"}, "

static sgdmft_solution *solve(const char *body, const char *numerics, int times)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem =
        test_problem(ctx, "{dynamics: gradient-flow, %s numerics: {%s}, output: {times: %d}}", body, numerics, times);
    sgdmft_solution *s = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return s;
}

/* Sampled moments are exact, so there is no noise, and curves of few paths on the default grid are right to 2e-3 of
   their scale. */
static void test_linear(void **state)
{
    static const char *const bodies[] = {
        "delta: 5, horizon: 20, initial: {q: 0.0}, model: {label: \"s + 0.3*eps\", " SQUARE,
        "delta: 0.306, horizon: 11.8, lambda: 0.127, initial: {q: 1, m: 0.5}, model: {label: \"s\", " SQUARE,
        "delta: 8, horizon: 5, lambda: 4, eta: 2, initial: {q: 1, m: -0.5}, model: {label: \"s + eps\", " SQUARE,
        "delta: 2, horizon: 100, initial: {q: 1}, model: {label: \"s + eps\", " SQUARE,
    };
    for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++) {
        sgdmft_solution *exact = solve(bodies[b], "method: linear", 9);
        sgdmft_solution *s = solve(bodies[b], "paths: 1000, replicas: 2, grading: 2", 9);
        double worst = 0;
        for (size_t c = 0; c < s->n_curves; c++) {
            double scale = 0;
            for (size_t i = 0; i < s->n_times; i++)
                scale = fmax(scale, fabs(exact->curves[c].value[i]));
            for (size_t i = 0; i < s->n_times; i++)
                worst = fmax(worst, fabs(s->curves[c].value[i] - exact->curves[c].value[i]) / scale);
        }
        print_message("problem %zu: largest error %.1e\n", b, worst);
        check_between(worst, 0, 2e-3, "largest error of problem %zu", b);
        sgdmft_solution_free(s);
        sgdmft_solution_free(exact);
    }
}

/* A number that is known to within a standard error. */
typedef struct known {
    const char *curve;
    double value, se;
} known;

/* `most` bounds the standard errors relative to the values. */
static void check_known(const sgdmft_solution *s, size_t n, const known *want, double most)
{
    for (size_t i = 0; i < n; i++) {
        const sgdmft_curve *curve = sgdmft_solution_curve(s, want[i].curve);
        double value = curve->value[s->n_times - 1], se = hypot(curve->se[s->n_times - 1], want[i].se);
        print_message("%-10s %.5f (%.5f), known %.5f (%.5f)\n", curve->name, value, curve->se[s->n_times - 1],
                      want[i].value, want[i].se);
        check_z(value, want[i].value, se, 3.5, "%s", curve->name);
        check_between(se, 0, most * fabs(want[i].value), "standard error of %s", curve->name);
    }
}

/* Huber's loss with outliers: G jumps, so the averages of the response jump by 1 / paths, and residuals stall there.
   The flow has reached the minimum of the empirical risk, which is the fixed point of the equations of robust
   regression (El Karoui et al., PNAS 110 (2013), 14557, with a ridge). */
static void test_huber(void **state)
{
    static const known fixed_point[] = {{"m11", 0.51119, 0}, {"q11", 0.35004, 0}};
    sgdmft_solution *s = solve(
        "delta: 10, lambda: 3, horizon: 2, initial: {q: 0.0}, model: {label: \"if(eps2 < -0.524400512708041, "
        "sqrt(5)*eps1, s + eps1)\", predict: \"r\", loss: \"if(abs(f - y) < 1, (f - y)^2/2, abs(f - y) - 0.5)\"},",
        "paths: 8000, replicas: 4, seed: 21", 3);
    check_between(s->info.residual_max, 0, 2.0 / 8000, "largest residual");
    check_known(s, 2, fixed_point, 0.005);
    sgdmft_solution_free(s);
}

/* Known from simulations with d = 1000 to 4000, extrapolated in 1/d. */
static void test_long(void **state)
{
    static const known simulated[] = {{"test_loss", 0.1168, 0.0013}, {"q11", 1.696, 0.020}};
    sgdmft_solution *s = solve("delta: 2, horizon: 50, initial: {q: 1, m: 0.2}, model: {label: \"tanh(s) + 0.3*eps\", "
                               "predict: \"tanh(r)\", loss: \"(f - y)^2/2\"},",
                               "paths: 6000, replicas: 4, steps: 24, seed: 22", 3);
    check_known(s, 2, simulated, 0.02);
    for (size_t i = 0; i < sgdmft_solution_n_identities(s); i++) {
        const sgdmft_identity *identity = sgdmft_solution_identity(s, i);
        check_near(identity->defect / identity->scale, 0, 5e-3, "defect of %s", identity->name);
    }
    sgdmft_solution_free(s);
}

/* Phase retrieval: G < 0 where a path is between both signs, and g grows like r^3. Derivatives along paths grow like
   exp(c s^2 t) before they shrink, so that the response is noisy. Simulated: `sgdmft simulate` with its
   default sizes, seed 1. */
static void test_not_convex(void **state)
{
    static const known simulated[] = {{"train_loss", 0.0896, 0.0027}, {"q11", 1.1495, 0.0113}, {"m11", 0.632, 0.0167}};
    sgdmft_solution *s = solve("delta: 3, horizon: 5, initial: {q: 1, m: 0.2}, model: {label: \"s^2\", "
                               "loss: \"(r^2 - y)^2/4\"},",
                               "paths: 8000, replicas: 8, steps: 40, seed: 23", 3);
    check_known(s, 3, simulated, 0.15);
    sgdmft_solution_free(s);
}

/* Two students: curves of few long steps are those of many short ones. */
static void test_two_students(void **state)
{
    const char *body = "delta: 4, lambda: 0.05, horizon: 10, initial: {q: [[1, 0.2], [0.2, 0.8]], m: [[0.3], [-0.1]]}, "
                       "model: {students: 2, label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r1) + 0.5*r2\", "
                       "loss: \"(f - y)^2/2\"},";
    sgdmft_solution *few = solve(body, "paths: 4000, replicas: 4, steps: 16, seed: 24", 4);
    sgdmft_solution *many = solve(body, "paths: 4000, replicas: 4, steps: 48, seed: 25", 4);
    for (size_t c = 0; c < few->n_curves; c++)
        for (size_t i = 1; i < few->n_times; i++) {
            const sgdmft_curve *x = &few->curves[c], *y = &many->curves[c];
            check_z(x->value[i], y->value[i], hypot(x->se[i], y->se[i]), 4, "%s at t = %g", x->name, few->times[i]);
            check_between(y->se[i], 0, 0.02, "standard error of %s", y->name);
        }
    sgdmft_solution_free(few);
    sgdmft_solution_free(many);
}

/* Long horizons: the linear model, with the numbers that the solver chooses, against the exact solution, whose curves
   have no noise, and separable data against a grid of twice the cells. */
static void check_curves(const sgdmft_solution *s, const sgdmft_solution *other, double most, const char *name)
{
    double worst = 0;
    for (size_t c = 0; c < 4; c++) /* losses, q and m */
        for (size_t i = 1; i < s->n_times; i++) {
            const sgdmft_curve *a = &s->curves[c], *b = &other->curves[c];
            double se = hypot(a->se[i], b->se[i]), scale = fmax(fabs(b->value[i]), 1e-3);
            check_between(a->se[i], 0, most * scale, "%s: standard error of %s", name, a->name);
            worst = fmax(worst, fabs(a->value[i] - b->value[i]) / (se + 1e-6 * scale));
        }
    print_message("%s, T = %g: largest z %.2f\n", name, s->times[s->n_times - 1], worst);
    check_between(worst, 0, 4, "%s: largest z", name);
}

static void test_horizons(void **state)
{
    static const double horizons[] = {1000, 10000};
    /* slow builds take the longest one alone */
    for (size_t x = test_scale() < 1; x < 2; x++) {
        char linear[160], separable[160];
        snprintf(linear, sizeof linear,
                 "delta: 1.5, horizon: %g, initial: {q: 1}, model: {label: \"s + 0.1*eps\", " SQUARE, horizons[x]);
        snprintf(separable, sizeof separable,
                 "delta: 1.5, horizon: %g, initial: {q: 1}, model: {label: \"sign(s)\", predict: \"r\", loss: "
                 "\"log(1 + exp(-y*f))\"}, ",
                 horizons[x]);
        sgdmft_solution *exact = solve(linear, "method: linear", 9);
        sgdmft_solution *s = solve(linear, "method: march, accuracy: 1e-2", 9);
        assert_int_equal(s->status, SGDMFT_OK);
        check_curves(s, exact, 1e-2, "linear model");
        sgdmft_solution_free(s);
        sgdmft_solution_free(exact);
        s = solve(separable, "seed: 3, paths: 2048, replicas: 4, steps: 64, grading: 6, tolerance: 1e-4", 9);
        sgdmft_solution *finer =
            solve(separable, "seed: 4, paths: 2048, replicas: 4, steps: 128, grading: 6, tolerance: 1e-4", 9);
        check_curves(s, finer, 0.1, "separable data");
        sgdmft_solution_free(s);
        sgdmft_solution_free(finer);
    }
}

/* The grading follows from the horizon unless it is given, and is in the problem of the solution. */
static void test_grading(void **state)
{
    static const char *const numerics[] = {"accuracy: 2e-2, method: march",
                                           "accuracy: 2e-2, method: march, grading: 3"};
    for (int given = 0; given < 2; given++) {
        sgdmft_solution *s = solve(
            "delta: 2, lambda: 0.1, horizon: 1000, initial: {q: 1}, model: {label: \"s\", " SQUARE, numerics[given], 5);
        double grading = log(s->t[s->n_grid - 1] / s->t[(s->n_grid - 1) / 2]) / log(2);
        check_between(grading, given ? 2.999 : 5, given ? 3.001 : 8, "grading");
        sgdmft_solution_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),     cmocka_unit_test(test_huber),        cmocka_unit_test(test_long),
        cmocka_unit_test(test_not_convex), cmocka_unit_test(test_two_students), cmocka_unit_test(test_horizons),
        cmocka_unit_test(test_grading),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
