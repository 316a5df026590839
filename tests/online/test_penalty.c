/* Online dynamics with a penalty that is not a ridge: coordinates are sampled. A ridge written as a penalty has the
   solution of the differential equations; other penalties are compared with direct simulation of the finite system. */
#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "online_case.h"
#include "sgdmft/simulate.h"

#define SPARSE "initial: {teacher: \"if(u1 < 0.2, 2.2*z1, 0)\", student: \"0.3*z2 + 0.4*z1\"}\n"
#define EDGE "penalty: \"0.3*log(cosh(5*th1))\"\n"
#define TWO                                                                                                            \
    "horizon: 2\nmodel: {students: 2, label: tanh(s) + 0.2*eps, predict: tanh(r1) - 0.5*tanh(r2), loss: (f - "         \
    "y)^2/2}\ninitial: {q: [[1, 0.3], [0.3, 0.7]], m: [[0.2], [-0.1]]}\n"

/* Largest difference of two solutions of the same curve, relative to its scale. */
static double distance(const online_case *a, const online_case *b, const char *curve)
{
    double most = 0, scale = 0;
    for (size_t i = 0; i < a->solution->n_times; i++) {
        most = fmax(most, fabs(online_case_value(a, curve, i) - online_case_value(b, curve, i)));
        scale = fmax(scale, fabs(online_case_value(b, curve, i)));
    }
    return most / scale;
}

/* Moments of the random numbers are exact, and stay so with a linear penalty: there is no sampling error. The
   time-step error is of second order, and the extrapolation takes most of it away. eta jumps at 1.3. */
static void ridge_order(void **state)
{
    static const char *const curves[] = {"train_loss", "q11", "m11", "R11"};
    double error[4][4];
    const char *text =
        "eta: \"if(t < 1.3, 0.9, 0.5)\"\nhorizon: 4\nmodel: {label: tanh(s) + 0.3*eps, predict: tanh(r), "
        "loss: (f - y)^2/2}\ninitial: {q: 0.5, m: 0.1}\noutput: {times: 5}\n";
    char full[2000];
    snprintf(full, sizeof full, "%slambda: 0.4\n", text);
    online_case exact = online_case_solve(1, full);
    for (int level = 0; level < 4; level++) {
        snprintf(full, sizeof full,
                 "%spenalty: \"0.2*th1^2\"\nnumerics: {paths: 2000, replicas: 2, steps: %d, extrapolate: %s}\n", text,
                 level < 3 ? 32 << level : 128, level < 3 ? "false" : "true");
        online_case o = online_case_solve(1, full);
        for (int c = 0; c < 4; c++) {
            error[c][level] = distance(&o, &exact, curves[c]);
            for (size_t i = 0; i < 5; i++)
                assert_true(online_case_se(&o, curves[c], i) < 1e-8);
        }
        online_case_clear(&o);
    }
    printf("ridge as a penalty, largest error with 32, 64, 128 steps, and 128 extrapolated\n");
    for (int c = 0; c < 4; c++) {
        printf("%-10s %8.1e %8.1e %8.1e %8.1e\n", curves[c], error[c][0], error[c][1], error[c][2], error[c][3]);
        check_between(error[c][0] / error[c][1], 3.4, 4.8, "%s", curves[c]);
        check_between(error[c][1] / error[c][2], 3.4, 4.8, "%s", curves[c]);
        assert_true(error[c][3] < 0.1 * error[c][2]);
    }
    online_case_clear(&exact);
}

/* Two students: no matrix is transposed, in the two-time arrays either. */
static void ridge_of_two(void **state)
{
    online_case exact = online_case_solve(1, TWO "lambda: 0.6\nnumerics: {steps: 80}\n");
    online_case o = online_case_solve(2, TWO "penalty: \"0.3*th1^2 + 0.3*th2^2\"\n"
                                             "numerics: {paths: 4000, replicas: 2, steps: 80}\n");
    static const char *const curves[] = {"train_loss", "q11", "q21", "q22", "m11", "m21", "R11", "R22"};
    for (size_t c = 0; c < sizeof curves / sizeof *curves; c++)
        assert_true(distance(&o, &exact, curves[c]) < 2e-5);
    assert_int_equal(o.solution->n_grid, 81);
    for (size_t i = 0; i < 81; i += 8)
        for (size_t j = 0; j <= i; j += 8)
            for (int c = 0; c < 4; c++) {
                /* not extrapolated */
                check_near(online_case_C(&o, i, j, c / 2, c % 2), online_case_C(&exact, i, j, c / 2, c % 2), 1e-3, "C");
                check_near(online_case_R(&o, i, j, c / 2, c % 2), online_case_R(&exact, i, j, c / 2, c % 2), 1e-3, "R");
            }
    online_case_clear(&exact);
    online_case_clear(&o);
}

/* Differences between neighbouring grids with the same coordinates. */
static void order(void **state)
{
    static const char *const curves[] = {"train_loss", "q11", "m11", "R11"};
    online_case o[4];
    for (int level = 0; level < 4; level++) {
        char text[1000];
        snprintf(text, sizeof text,
                 ONLINE_TANH SPARSE EDGE
                 "output: {times: 5}\nnumerics: {paths: 8000, replicas: 2, steps: %d, extrapolate: "
                 "false, seed: 5}\n",
                 20 << level);
        o[level] = online_case_solve(2, text);
    }
    printf("steep penalty, step error with 20, 40, 80, 160 steps\n");
    for (int c = 0; c < 4; c++) {
        double worst[4] = {0};
        for (int level = 0; level < 4; level++)
            for (size_t i = 0; i < 5; i++)
                worst[level] =
                    fmax(worst[level], fabs(sgdmft_solution_curve(o[level].solution, curves[c])->step_error[i]));
        printf("%-10s %8.1e %8.1e %8.1e %8.1e\n", curves[c], worst[0], worst[1], worst[2], worst[3]);
        assert_true(worst[3] < worst[1] / 9 + 2e-5); /* second order or better, but for the noise between grids */
    }
    for (int level = 0; level < 4; level++)
        online_case_clear(&o[level]);
}

/* The finite system with d = 1000; its bias is of order 1/d, below the standard errors. */
static void agrees_with_simulation(void **state)
{
    static const char *const cases[] = {
        ONLINE_TANH SPARSE EDGE, ONLINE_TANH SPARSE "penalty: \"0.3*abs(th1)\"\n",
        ONLINE_TANH SPARSE "penalty: \"th1^4\"\n",
        "eta: 0.7\n" TWO "penalty: \"0.2*th1^4 + 0.3*log(cosh(2*th2)) + 0.1*th1*th2\"\n",
        "eta: 0.5\nhorizon: 3\nmodel: {label: sign(s), predict: relu(r), loss: (f - y)^2/2}\n" EDGE};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2000];
        snprintf(text, sizeof text,
                 "%snumerics: {paths: 10000, replicas: 6, steps: 50, seed: 3}\noutput: {times: 5}\n"
                 "observables: {wrong: r1*s < 0}\nsimulate: {d: 1000, repetitions: %zu}\n",
                 cases[i], test_scaled(20, 10));
        online_case o = online_case_solve(2, text);
        sgdmft_solution *sim = NULL;
        check_ok(o.ctx, sgdmft_simulate(o.ctx, o.problem, NULL, &sim));
        for (size_t c = 0; c < sim->n_curves; c++) {
            const sgdmft_curve *want = &sim->curves[c], *got = sgdmft_solution_curve(o.solution, want->name);
            assert_non_null(got);
            for (size_t t = 1; t < sim->n_times; t++)
                check_z(got->value[t], want->value[t], hypot(got->se[t], want->se[t]), 4.5, "case %zu, %s, time %zu", i,
                        want->name, t);
        }
        sgdmft_solution_free(sim);
        online_case_clear(&o);
    }
}

/* Averages by quadrature, by quadrature but for an observable, and sampled. */
static void threads_do_not_matter(void **state)
{
    static const char *const text[] = {
        ONLINE_TANH SPARSE EDGE "numerics: {paths: 3000, replicas: 3, steps: 8}\n",
        ONLINE_TANH SPARSE EDGE "observables: {wrong: r*s < 0}\nnumerics: {paths: 3000, replicas: 3, steps: 8}\n",
        TWO "penalty: \"th1^4 + th2^4\"\nobservables: {wrong: r1*s < 0}\nnumerics: {paths: 3000, replicas: 3, steps: "
            "8}\n",
        "eta: 0.5\nhorizon: 2\nmodel: {label: sign(s), predict: relu(r), loss: (f - y)^2/2}\n" EDGE
        "numerics: {paths: 20000, replicas: 2, steps: 8}\n"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        check_online_threads(text[i]);
}

/* The derivative of a coordinate in an earlier one needs a curvature without delta functions. */
static void gradient_that_jumps(void **state)
{
    online_case o = online_case_solve(1, ONLINE_TANH SPARSE "penalty: \"0.2*abs(th1)\"\n"
                                                            "numerics: {paths: 1000, replicas: 2, steps: 8}\n");
    assert_null(sgdmft_solution_curve(o.solution, "R11"));
    for (size_t i = 0; i < 9; i++)
        for (size_t j = 0; j < 9; j++) {
            double R = online_case_R(&o, i, j, 0, 0);
            assert_true(j < i ? isnan(R) : R == (i == j));
            assert_true(isfinite(online_case_C(&o, i, j, 0, 0)));
        }
    online_case_clear(&o);
}

/* What was reached is kept, with the reason. */
static void stops(const char *text, sgdmft_status want, const char *part)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *s = NULL;
    sgdmft_status status = online_attempt(ctx, text, &s);
    check_failure(ctx, status, want, part);
    check_failure(ctx, status, want, "hint: ");
    assert_non_null(s);
    assert_int_equal(s->status, want);
    assert_int_equal(s->n_identities, 0);
    for (size_t c = 0; c < s->n_curves; c++)
        for (size_t i = 0; i < s->n_times; i++)
            assert_true(isfinite(s->curves[c].value[i]));
    for (size_t i = 0; i < s->n_grid * s->n_grid; i++)
        assert_true(isfinite(s->C[i]) && isfinite(s->R[i]));
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

#define SMALL "numerics: {paths: 1000, replicas: 2, steps: 20}\n"

static void early_ends(void **state)
{
    stops(ONLINE_TANH "penalty: \"-th1^4\"\n" SMALL, SGDMFT_ERR_DIVERGED, "the dynamics diverge: at tau = ");
    stops("eta: 3\nhorizon: 50\nmodel: {label: s, loss: (r - y)^2/2}\npenalty: \"0.1*th1^4/(1 + th1^2)^2\"\n"
          "numerics: {paths: 1000, replicas: 2, steps: 400}\n",
          SGDMFT_ERR_DIVERGED, "hint: lower eta");
    stops("horizon: 1\nmodel: {label: s, loss: (r - y)^2/2 + (0.5 - r)^1.5}\n" EDGE SMALL, SGDMFT_ERR_NON_FINITE,
          "not a finite number at tau = 0");
    stops(ONLINE_TANH EDGE "numerics: {paths: 1000, replicas: 2, steps: 20, passes: 1}\n", SGDMFT_ERR_NO_CONVERGENCE,
          "is not self-consistent: residual");
}

static void interruption(void **state)
{
    check_online_interruption(ONLINE_TANH EDGE SMALL, 7, 4, 1e-12);
}

/* Estimates grow with what they estimate; what cannot fit is refused. */
static void cost(void **state)
{
    sgdmft_context *ctx = check_context(2);
    double before = 0;
    for (int steps = 20; steps <= 80; steps *= 2) {
        sgdmft_problem *problem =
            test_problem(ctx, "dynamics: online\n" ONLINE_TANH EDGE "numerics: {paths: 5000, steps: %d}\n", steps);
        sgdmft_cost estimate;
        check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &estimate));
        check_between(estimate.memory_bytes, 1e6, 1e9, "memory");
        assert_true(estimate.cpu_seconds > before);
        before = estimate.cpu_seconds;
        sgdmft_problem_free(problem);
    }
    sgdmft_solution *s = NULL;
    check_failure(ctx, online_attempt(ctx, ONLINE_TANH EDGE "numerics: {paths: 1000000000}\n", &s), SGDMFT_ERR_MEMORY,
                  "GiB");
    assert_null(s);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ridge_order),
        cmocka_unit_test(ridge_of_two),
        cmocka_unit_test(order),
        cmocka_unit_test(agrees_with_simulation),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(gradient_that_jumps),
        cmocka_unit_test(early_ends),
        cmocka_unit_test(interruption),
        cmocka_unit_test(cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
