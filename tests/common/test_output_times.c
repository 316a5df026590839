/* Output times, and curves on a grid read off at them. */
#include <math.h>

#include "core/memory.h"
#include "problem/problem.h"
#include "solvers/common/output_times.h"
#include "support/check.h"
#include "support/plan.h"

enum { STEPS = 20, TIMES = 6, COLUMNS = 2 };

typedef struct fixture {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    schedule *eta;
    time_grid *grid;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.ctx = check_context(1);
    f.problem = test_problem(
        f.ctx, "{delta: 1, horizon: 0.7, model: {label: s, loss: (r - y)^2/2}, output: {times: %d}}", TIMES);
    check_ok(f.ctx, schedule_new(f.ctx, f.problem, &f.eta));
    check_ok(f.ctx, time_grid_new(f.ctx, STEPS, f.problem->horizon, 2, f.eta, 0, &f.grid));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    time_grid_free(f->grid);
    schedule_free(f->eta);
    sgdmft_problem_free(f->problem);
    sgdmft_context_free(f->ctx);
    return 0;
}

static void times_are_even(void **state)
{
    const fixture *f = *state;
    assert_true(output_time(f->problem, 0) == 0 && output_time(f->problem, TIMES - 1) == 0.7);
    for (size_t i = 0; i < TIMES; i++)
        check_near(output_time(f->problem, i), 0.14 * (double)i, 2e-16, "output time %zu", i);
}

/* Discrete dynamics: the horizon is not at a step, so that the last output time is before it. */
static void times_are_steps(void **state)
{
    static const struct {
        int times, count;
        double horizon;
        int step[9]; /* number of output time i */
    } cases[] = {{2, 2, 2.1, {0, 8}},
                 {4, 4, 2.1, {0, 3, 5, 8}},
                 {6, 6, 2.1, {0, 2, 3, 5, 6, 8}}, /* 1.6, 3.2, 4.8, 6.4 */
                 {9, 9, 2.1, {0, 1, 2, 3, 4, 5, 6, 7, 8}},
                 {10, 9, 2.1, {0, 1, 2, 3, 4, 5, 6, 7, 8}},
                 {100001, 9, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8}},
                 {51, 2, 0.3, {0, 1}}};
    const fixture *f = *state;
    for (size_t p = 0; p < sizeof cases / sizeof *cases; p++) {
        sgdmft_problem *problem = test_problem(f->ctx,
                                               "{delta: 1, batch_fraction: 0.25, horizon: %g, output: {times: %d}, "
                                               "model: {label: s, loss: (r - y)^2/2}}",
                                               cases[p].horizon, cases[p].times);
        assert_int_equal(output_times_count(problem), cases[p].count);
        for (int i = 0; i < cases[p].count; i++)
            check_near(output_time(problem, (size_t)i), 0.25 * cases[p].step[i], 0, "output time %d of case %zu", i, p);
        sgdmft_problem_free(problem);
    }
}

/* Many steps that are many times a fraction without an exact value: output times ascend, and none is beyond the end. */
static void times_are_distinct(void **state)
{
    const fixture *f = *state;
    for (int times = 2; times < 1010; times += 7) {
        sgdmft_problem *problem = test_problem(f->ctx,
                                               "{delta: 1, batch_fraction: 0.1, horizon: 100, output: {times: %d}, "
                                               "model: {label: s, loss: (r - y)^2/2}}",
                                               times);
        size_t count = output_times_count(problem);
        assert_int_equal(count, times < 1001 ? times : 1001);
        for (size_t i = 1; i < count; i++)
            assert_true(output_time(problem, i) > output_time(problem, i - 1) + 0.05);
        check_near(output_time(problem, count - 1), 100, 1e-12, "the last of %d output times", times);
        sgdmft_problem_free(problem);
    }
}

/* Cubics are interpolated exactly, from the nodes that are marked alone, and as far as they go. */
static void curves_are_interpolated(void **state)
{
    const fixture *f = *state;
    char wanted[STEPS + 1] = {0};
    double values[(STEPS + 1) * COLUMNS];
    output_times_mark(f->problem, f->grid, wanted);
    for (int i = 0; i <= STEPS; i++) {
        double t = f->grid->t[i];
        values[i * COLUMNS] = wanted[i] ? t : NAN;
        values[i * COLUMNS + 1] = wanted[i] ? 1 - t + 2 * t * t * t : NAN;
    }
    for (size_t i = 0; i < TIMES; i++) {
        double t = output_time(f->problem, i);
        check_near(value_at_time(f->grid, t, values, COLUMNS, 0), t, 1e-15, "first column at %g", t);
        check_near(value_at_time(f->grid, t, values, COLUMNS, 1), 1 - t + 2 * t * t * t, 1e-15, "second column at %g",
                   t);
    }
}

static void times_reached(void **state)
{
    const fixture *f = *state;
    assert_int_equal(output_times_reached(f->problem, f->grid, 0), 0);
    assert_int_equal(output_times_reached(f->problem, f->grid, 1), 1);
    assert_int_equal(output_times_reached(f->problem, f->grid, STEPS + 1), TIMES);
    size_t before = 1;
    for (int nodes = 2; nodes <= STEPS + 1; nodes++) {
        size_t reached = output_times_reached(f->problem, f->grid, nodes);
        assert_true(reached >= before && reached <= before + 1);
        assert_true(output_time(f->problem, reached - 1) <= f->grid->t[nodes - 1]);
        before = reached;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_even), cmocka_unit_test(times_are_steps),
                                       cmocka_unit_test(times_are_distinct), cmocka_unit_test(curves_are_interpolated),
                                       cmocka_unit_test(times_reached)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
