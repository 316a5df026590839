/* What surrounds the integration: threads, seeds, interruption, divergence, refusals, cost, plug-ins that stop. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "online_case.h"

#define SMOOTH "eta: 0.9\nhorizon: 4\nmodel: {label: tanh(s) + 0.3*eps, predict: tanh(r), loss: (f - y)^2/2}\n"
#define ROUGH                                                                                                          \
    "eta: 0.9\nhorizon: 4\nmodel: {students: 2, label: sign(s), predict: relu(r1) - relu(r2), loss: (f - y)^2/2}\n"    \
    "observables: {size: r1^2}\n"
#define SMALL "numerics: {paths: 1000, replicas: 5, steps: 8}\noutput: {times: 5}\n"

static void check_same(const sgdmft_solution *a, const sgdmft_solution *b)
{
    size_t kk = (size_t)(a->k * a->k);
    assert_true(a->n_times == b->n_times && a->n_curves == b->n_curves && a->n_grid == b->n_grid);
    for (size_t c = 0; c < a->n_curves; c++) {
        size_t bytes = a->n_times * sizeof(double);
        assert_memory_equal(a->curves[c].value, b->curves[c].value, bytes);
        assert_memory_equal(a->curves[c].se, b->curves[c].se, bytes);
        assert_memory_equal(a->curves[c].step_error, b->curves[c].step_error, bytes);
    }
    assert_memory_equal(a->C, b->C, a->n_grid * a->n_grid * kk * sizeof(double));
    assert_memory_equal(a->R, b->R, a->n_grid * a->n_grid * kk * sizeof(double));
}

static void threads_do_not_matter(void **state)
{
    static const char *const text[] = {
        SMOOTH SMALL, ROUGH SMALL,
        /* enough points for several threads to share */
        "eta: 0.9\nhorizon: 0.4\nmodel: {students: 2, teachers: 2, label: tanh(s1) - s2, predict: tanh(r1) + r2, "
        "loss: (f - y)^2/2}\nobservables: {wrong: \"r1 < s1\"}\n" SMALL};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        online_case one = online_case_solve(1, text[i]), two = online_case_solve(2, text[i]);
        online_case seven = online_case_solve(7, text[i]);
        check_same(one.solution, two.solution);
        check_same(one.solution, seven.solution);
        online_case_clear(&one);
        online_case_clear(&two);
        online_case_clear(&seven);
    }
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
    a = online_case_solve(1, SMOOTH "numerics: {seed: 1}\n");
    b = online_case_solve(1, SMOOTH "numerics: {seed: 2}\n");
    check_same(a.solution, b.solution);
    online_case_clear(&a);
    online_case_clear(&b);
}

/* Solves and returns the status with whatever solution there is. */
static sgdmft_status attempt(sgdmft_context *ctx, const char *text, sgdmft_solution **out)
{
    sgdmft_problem *problem = test_problem(ctx, "dynamics: online\n%s", text);
    sgdmft_status status = sgdmft_solve(ctx, problem, out);
    sgdmft_problem_free(problem);
    return status;
}

typedef struct watcher {
    int calls, stop_at;
    double last, largest_t;
} watcher;

static int watch(void *user, double fraction, double t)
{
    watcher *w = user;
    assert_true(fraction >= w->last - 1e-12 && fraction <= 1 + 1e-9 && t >= 0 && t <= 4);
    w->last = fraction;
    w->largest_t = fmax(w->largest_t, t);
    return ++w->calls == w->stop_at;
}

/* Stops at every call in turn: what was reached is kept, with the reason. */
static void interruption(void **state)
{
    static const char *const text[] = {SMOOTH SMALL, ROUGH SMALL};
    for (size_t i = 0; i < 2; i++) {
        sgdmft_context *ctx = check_context(1);
        sgdmft_solution *solution = NULL;
        watcher w = {.stop_at = -1};
        sgdmft_context_set_progress(ctx, watch, &w);
        check_ok(ctx, attempt(ctx, text[i], &solution));
        int calls = w.calls, partial = 0;
        assert_true(calls > 50 && w.largest_t == 4 && w.last > 0.8);
        sgdmft_solution_free(solution);
        for (int at = 1; at < calls; at += 17) {
            w = (watcher){.stop_at = at};
            check_failure(ctx, attempt(ctx, text[i], &solution), SGDMFT_ERR_INTERRUPTED, "interrupted at tau = ");
            assert_true(solution->status == SGDMFT_ERR_INTERRUPTED && solution->n_times >= 1 && solution->n_grid >= 1);
            assert_true(sgdmft_solution_curve(solution, "q11")->value[0] == 1);
            partial += solution->n_times < 5;
            sgdmft_solution_free(solution);
        }
        assert_true(partial > 0);
        sgdmft_context_free(ctx);
    }
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
        sgdmft_status status = attempt(ctx, text[i], &solution);
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
    check_failure(ctx, attempt(ctx, "horizon: 1\nmodel: {label: s, loss: exp(exp(3*r^2)) - y*r}\n" SMALL, &solution),
                  SGDMFT_ERR_NON_FINITE, "not a finite number at tau = 0");
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

/* The loss of a step that jumps makes sense here, where the self-consistent solver must refuse it; a pole does not. */
static void refusals(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *solution = NULL;
    check_failure(ctx, attempt(ctx, "horizon: 1\nmodel: {label: s, loss: log(abs(r - y))}\n", &solution),
                  SGDMFT_ERR_KINK, "has a pole in r");
    assert_null(solution);
    check_failure(ctx, attempt(ctx, "horizon: 1\npenalty: abs(th1)\nmodel: {label: s, loss: (r - y)^2}\n", &solution),
                  SGDMFT_ERR_UNSUPPORTED, "penalty");
    assert_null(solution);
    sgdmft_context_free(ctx);
}

static void cost(void **state)
{
    static const char *const text[] = {SMOOTH SMALL, ROUGH SMALL};
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
