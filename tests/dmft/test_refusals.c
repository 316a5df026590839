/* Solves that stop early or are refused: the status, the message, and the part of the solution that is kept. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "kernels/response_midpoint.h"
#include "kernels/response_pathwise.h"
#include "kernels/response_stein.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

#define LINEAR "model: {label: \"s + 0.1*eps\", loss: \"(r - y)^2/2\"}"

static sgdmft_status solve(sgdmft_context *ctx, const char *text, sgdmft_solution **out)
{
    sgdmft_problem *problem = test_problem(ctx, "%s", text);
    sgdmft_status status = sgdmft_solve(ctx, problem, out);
    sgdmft_problem_free(problem);
    return status;
}

/* Rows that were computed are kept: whole and finite, with the status and the message of the context. */
static void check_partial(const sgdmft_context *ctx, const sgdmft_solution *s, sgdmft_status status, double horizon)
{
    assert_non_null(s);
    assert_int_equal(s->status, status);
    assert_string_equal(s->message, sgdmft_context_message(ctx));
    assert_true(s->n_times >= 1 && s->n_grid >= 1);
    assert_true(s->times[s->n_times - 1] < horizon);
    assert_true(s->times[s->n_times - 1] <= s->t[s->n_grid - 1]);
    assert_int_equal(s->n_identities, 0); /* they are those of the horizon */
    for (size_t c = 0; c < s->n_curves; c++)
        for (size_t i = 0; i < s->n_times; i++)
            assert_true(isfinite(s->curves[c].value[i]) && isfinite(s->curves[c].se[i]));
    for (size_t i = 0; i < s->n_grid * s->n_grid; i++)
        assert_true(isfinite(s->C[i]) && isfinite(s->R[i]));
    for (size_t i = 0; i < s->n_grid; i++) {
        assert_true(isfinite(s->m[i]));
        assert_true(s->R[i * s->n_grid + i] == 1);
    }
}

static void stops(const char *text, sgdmft_status want, const char *part, double horizon)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    check_failure(ctx, solve(ctx, text, &s), want, part);
    check_failure(ctx, want, want, "t = ");
    check_failure(ctx, want, want, "hint");
    check_partial(ctx, s, want, horizon);
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

/* Above eta = 2 the linear model grows without bound (theory section 3). The solution before is kept and grows. */
static void test_diverges_slowly(void **state)
{
    stops("{delta: 1.5, eta: 2.5, horizon: 5, " LINEAR ", numerics: {paths: 1000, replicas: 2, seed: 31}}",
          SGDMFT_ERR_DIVERGED, "diverge", 5);
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    solve(ctx, "{delta: 1.5, eta: 2.5, horizon: 5, " LINEAR ", numerics: {paths: 1000, replicas: 2, seed: 31}}", &s);
    const sgdmft_curve *train = sgdmft_solution_curve(s, "train_loss");
    assert_true(s->n_times > 20);
    assert_true(train->value[s->n_times - 1] > 1000 * train->value[0]);
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

static void test_diverges_at_once(void **state)
{
    stops("{delta: 1.5, eta: 4, horizon: 5, model: {label: \"s^2\", loss: \"(r - y)^2 + cos(r)\"}, "
          "numerics: {paths: 1000, replicas: 2, steps: 400, seed: 32}}",
          SGDMFT_ERR_DIVERGED, "diverge", 5);
}

/* A loss that is not a number for some samples never counts as a solution. */
static void test_loss_not_finite(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    sgdmft_status status =
        solve(ctx,
              "{delta: 1.5, horizon: 1, model: {label: \"s\", loss: \"(r - y)^2/2 + 0.001*(3 - r)^1.5\"}, "
              "numerics: {paths: 5000, replicas: 2, seed: 33}}",
              &s);
    assert_true(status == SGDMFT_ERR_DIVERGED || status == SGDMFT_ERR_NON_FINITE);
    assert_non_null(strstr(sgdmft_context_message(ctx), "not finite"));
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

static void test_label_not_finite(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    check_failure(ctx,
                  solve(ctx,
                        "{delta: 1.5, horizon: 1, model: {label: \"sqrt(s)\", loss: \"(r - y)^2/2\"}, "
                        "numerics: {paths: 500, replicas: 2}}",
                        &s),
                  SGDMFT_ERR_NON_FINITE, "model.label");
    assert_null(s);
    sgdmft_context_free(ctx);
}

static void test_tolerance_not_reached(void **state)
{
    stops("{delta: 1.5, eta: 1, horizon: 5, " LINEAR ", numerics: {paths: 500, replicas: 2, passes: 1, seed: 34}}",
          SGDMFT_ERR_NO_CONVERGENCE, "numerics.passes", 5);
}

static void test_picard_not_converged(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    check_failure(ctx,
                  solve(ctx,
                        "{delta: 1.5, horizon: 5, " LINEAR ", "
                        "numerics: {paths: 500, replicas: 2, passes: 3, method: picard}}",
                        &s),
                  SGDMFT_ERR_NO_CONVERGENCE, "march");
    assert_non_null(s); /* no time is reached before all are, so nothing is kept */
    assert_int_equal(s->status, SGDMFT_ERR_NO_CONVERGENCE);
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

static void refused(const char *text, sgdmft_status want, const char *part)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    check_failure(ctx, solve(ctx, text, &s), want, part);
    assert_null(s);
    sgdmft_context_free(ctx);
}

static void test_unsupported(void **state)
{
    refused("{delta: 1.5, dynamics: gradient-flow, penalty: \"abs(th1)\", horizon: 2, " LINEAR "}", SGDMFT_ERR_KINK,
            "penalty");
}

/* Estimators of the response that a process or a loss rules out. */
static void test_response(void **state)
{
    refused("{delta: 1.5, dynamics: sme, horizon: 2, " LINEAR ", numerics: {method: march, response: pathwise}}",
            SGDMFT_ERR_CONFLICT, "allowed: auto, stein");
    refused("{delta: 1.5, dynamics: gradient-flow, horizon: 2, " LINEAR ", numerics: {method: march, response: stein}}",
            SGDMFT_ERR_CONFLICT, "allowed: auto, pathwise");
    refused("{delta: 1.5, horizon: 2, model: {label: s, loss: \"abs(r - y)\"}, numerics: {response: pathwise}}",
            SGDMFT_ERR_KINK, "abs");
    refused("{delta: 1.5, dynamics: gradient-flow, horizon: 2, model: {label: s, loss: \"abs(r - y)\"}}",
            SGDMFT_ERR_KINK, "abs");
    refused("{delta: 1.5, horizon: 2, penalty: \"0.1*th1^4\", " LINEAR ", numerics: {response: pathwise}}",
            SGDMFT_ERR_CONFLICT, "penalty (line 1); allowed: auto, stein");
    refused("{delta: 1.5, horizon: 2, penalty: \"0.1*th1^4\", " LINEAR ", numerics: {method: picard}}",
            SGDMFT_ERR_CONFLICT, "penalty (line 1); allowed: march");
}

/* The choice of `auto`: derivatives along paths where there is no white noise, or where few paths would leave a bias.
   */
static void test_auto_response(void **state)
{
    static const struct {
        const char *text;
        const response_estimator *want;
    } cases[] = {
        {"{delta: 2, horizon: 2, " LINEAR "}", &response_stein},
        {"{delta: 2, dynamics: sme, horizon: 2, " LINEAR ", numerics: {paths: 2000}}", &response_stein},
        {"{delta: 2, dynamics: gradient-flow, horizon: 2, " LINEAR "}", &response_midpoint},
        {"{delta: 2, dynamics: gradient-flow, penalty: \"0.1*th1^4\", horizon: 2, " LINEAR "}", &response_pathwise},
        {"{delta: 2, horizon: 20, " LINEAR ", numerics: {paths: 6399, history: full}}", &response_pathwise},
        {"{delta: 2, horizon: 20, " LINEAR ", numerics: {paths: 6400, history: full}}", &response_stein},
        /* a merged history has fewer normals */
        {"{delta: 2, horizon: 20, " LINEAR ", numerics: {paths: 6399}}", &response_stein},
        {"{delta: 2, horizon: 20, " LINEAR ", numerics: {paths: 64}}", &response_pathwise},
        {"{delta: 2, horizon: 21, " LINEAR ", numerics: {paths: 6399, history: full}}", &response_stein},
        {"{delta: 2, horizon: 21, " LINEAR ", numerics: {paths: 1599, history: full}}", &response_pathwise},
        {"{delta: 2, horizon: 2, " LINEAR ", numerics: {paths: 6399, response: stein}}", &response_stein},
        {"{delta: 2, horizon: 2, model: {label: s, loss: \"abs(r - y)\"}, numerics: {paths: 6399}}", &response_stein},
        {"{delta: 2, horizon: 2, model: {students: 2, label: s, loss: \"(r1 + r2 - y)^2/2\"}, initial: {q: [[1, 0], "
         "[0, 1]], m: "
         "[[0], [0]]}}",
         &response_pathwise},
        /* no noise in some direction at t = 0: a saddle, equal students; but a common shift of softmax does not matter
           */
        {"{delta: 2, horizon: 40, model: {label: \"s^2/(1 + s^2)\", predict: \"r^2/(1 + r^2)\", loss: "
         "\"(f - y)^2/2\"}, initial: {q: 0}}",
         &response_pathwise},
        {"{delta: 2, horizon: 2, model: {students: 2, label: s, predict: \"tanh(r1) + tanh(r2)\", loss: "
         "\"(f - y)^2/2\"}, initial: {q: [[1, 1], [1, 1]], m: [[0.2], [0.2]]}, numerics: {paths: 60000}}",
         &response_pathwise},
        {"{delta: 2, horizon: 2, model: {students: 2, label: sign(s), loss: \"log(exp(r1) + exp(r2)) - if(y > 0, r1, "
         "r2)\"}, initial: {q: [[1, 0], [0, 1]], m: [[0], [0]]}, numerics: {paths: 60000}}",
         &response_stein},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sgdmft_context *ctx = check_context(1);
        test_plan t;
        test_plan_init(&t, test_problem(ctx, "%s", cases[i].text));
        if (t.plan.on_grid[GRID_FINE].at.response != cases[i].want)
            fail_msg("case %zu: %s", i, cases[i].text);
        test_plan_clear(&t);
        sgdmft_context_free(ctx);
    }
}

/* Coordinates whose moments are singular cannot be made exact: as many different ones as numerics.paths. */
static void test_singular_coordinates(void **state)
{
    refused("{delta: 1.5, horizon: 1, penalty: \"0.1*th1^4\", initial: {teacher: \"if(u < 0.0001, 100, 0)\", "
            "student: z2}, " LINEAR ", numerics: {paths: 64, replicas: 2, steps: 8}}",
            SGDMFT_ERR_RANGE, "raise numerics.paths");
}

/* A penalty whose derivative jumps has no self-consistent steps for any process. */
static void test_penalty_that_jumps(void **state)
{
    refused("{delta: 1.5, penalty: \"0.3*abs(th1)\", horizon: 2, " LINEAR "}", SGDMFT_ERR_KINK, "sqrt(th1^2");
    refused("{delta: 1.5, dynamics: sme, penalty: \"0.3*abs(th1)\", horizon: 2, " LINEAR "}", SGDMFT_ERR_KINK,
            "sqrt(th1^2");
}

/* The calls of the progress call-back so far. */
typedef struct watch {
    double stop_at, fraction, time;
    int calls;
} watch;

static int look(void *user, double fraction, double t)
{
    watch *w = user;
    assert_true(fraction >= w->fraction && fraction <= 1 + 1e-12);
    assert_true(t >= 0 && t <= 2);
    w->fraction = fraction;
    w->time = t;
    w->calls++;
    return fraction > w->stop_at;
}

static sgdmft_status watched(int threads, double stop_at, const char *more, watch *w, sgdmft_solution **out)
{
    sgdmft_context *ctx = check_context(threads);
    *w = (watch){.stop_at = stop_at};
    sgdmft_context_set_progress(ctx, look, w);
    char *text = NULL;
    assert_true(asprintf(&text,
                         "{delta: 1.5, horizon: 2, " LINEAR ", numerics: {paths: 600, replicas: 2, steps: 40, "
                         "seed: 35%s}, output: {times: 21}}",
                         more) > 0);
    sgdmft_status status = solve(ctx, text, out);
    if (status == SGDMFT_ERR_INTERRUPTED)
        check_failure(ctx, status, SGDMFT_ERR_INTERRUPTED, "interrupted");
    free(text);
    sgdmft_context_free(ctx);
    return status;
}

/* A curve before a part of fourth order was subtracted from it, half of the step error that is left. Curves are treated
   so as a whole, or not at all. */
static double second_order(const sgdmft_curve *curve, int refined, size_t i)
{
    return curve->value[i] + (refined ? 0.5 * curve->step_error[i] : 0);
}

static int same_before(const sgdmft_curve *part, int refined, const sgdmft_curve *whole, int whole_refined, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double a = second_order(part, refined, i), b = second_order(whole, whole_refined, i);
        if (!(fabs(a - b) <= 1e-13))
            return 0;
    }
    return 1;
}

static int same_curve(const sgdmft_curve *part, const sgdmft_curve *whole, size_t n)
{
    for (int both = 0; both < 4; both++)
        if (same_before(part, both & 1, whole, both >> 1, n))
            return 1;
    return 0;
}

/* An interrupt keeps the times that all replicas reached, with the values of an undisturbed solve, but for the part of
   fourth order, which depends on the whole curve. */
static void check_interrupt(int threads, double stop_at)
{
    watch w, undisturbed;
    sgdmft_solution *part = NULL, *whole = NULL;
    assert_int_equal(watched(threads, stop_at, "", &w, &part), SGDMFT_ERR_INTERRUPTED);
    assert_int_equal(watched(threads, 2, "", &undisturbed, &whole), SGDMFT_OK);
    assert_true(undisturbed.calls > w.calls);
    assert_non_null(part);
    assert_int_equal(part->status, SGDMFT_ERR_INTERRUPTED);
    assert_true(part->n_times >= 1 && part->n_times < whole->n_times);
    assert_true(part->n_grid >= 1 && part->n_grid < whole->n_grid);
    for (size_t c = 0; c < whole->n_curves; c++)
        if (!same_curve(&part->curves[c], &whole->curves[c], part->n_times))
            fail_msg("%s is another curve than without an interrupt", whole->curves[c].name);
    for (size_t i = 0; i < part->n_grid; i++) {
        assert_memory_equal(part->C + i * part->n_grid, whole->C + i * whole->n_grid, sizeof(double) * part->n_grid);
        assert_memory_equal(part->R + i * part->n_grid, whole->R + i * whole->n_grid, sizeof(double) * part->n_grid);
    }
    sgdmft_solution_free(part);
    sgdmft_solution_free(whole);
}

static void test_interrupt(void **state)
{
    check_interrupt(1, 0);
    check_interrupt(1, 0.8);
    check_interrupt(5, 0.2);
    check_interrupt(5, 0.9);
}

/* Two complete replicas are worth more than all of them at their beginning. */
static void test_interrupt_late(void **state)
{
    sgdmft_context *ctx = check_context(1);
    watch w = {.stop_at = 0.7};
    sgdmft_solution *s = NULL;
    sgdmft_context_set_progress(ctx, look, &w);
    assert_int_equal(solve(ctx,
                           "{delta: 1.5, horizon: 2, " LINEAR ", numerics: {paths: 600, replicas: 4, steps: 40, "
                           "seed: 36}, output: {times: 21}}",
                           &s),
                     SGDMFT_ERR_INTERRUPTED);
    check_failure(ctx, SGDMFT_ERR_INTERRUPTED, SGDMFT_ERR_INTERRUPTED, "2 of 4 replicas");
    assert_non_null(s);
    assert_int_equal(s->n_times, 21);
    assert_int_equal(s->info.replicas, 2);
    assert_true(sgdmft_solution_curve(s, "q11")->se[20] > 0);
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

static void test_interrupt_picard(void **state)
{
    watch w;
    sgdmft_solution *s = NULL;
    assert_int_equal(watched(1, -1, ", method: picard", &w, &s), SGDMFT_ERR_INTERRUPTED);
    assert_true(w.calls >= 1 && w.calls <= 6); /* at most once for every replica and grid */
    assert_non_null(s);
    assert_int_equal(s->status, SGDMFT_ERR_INTERRUPTED);
    sgdmft_solution_free(s);
}

/* Progress ends at 1. */
static void test_progress(void **state)
{
    watch w;
    sgdmft_solution *s = NULL;
    assert_int_equal(watched(1, 2, "", &w, &s), SGDMFT_OK);
    check_near(w.fraction, 1, 1e-12, "last fraction");
    check_near(w.time, 2, 1e-12, "last time");
    assert_true(w.calls >= 2 * 2 * (40 + 20)); /* after every pass and every cell */
    sgdmft_solution_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diverges_slowly),
        cmocka_unit_test(test_diverges_at_once),
        cmocka_unit_test(test_loss_not_finite),
        cmocka_unit_test(test_label_not_finite),
        cmocka_unit_test(test_tolerance_not_reached),
        cmocka_unit_test(test_picard_not_converged),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_penalty_that_jumps),
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_auto_response),
        cmocka_unit_test(test_singular_coordinates),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_interrupt_late),
        cmocka_unit_test(test_interrupt_picard),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
