/* Means and errors over replicas, step errors and extrapolation of curves whose errors are known. */
#include <math.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "solvers/common/growth.h"
#include "solvers/common/statistics.h"
#include "solvers/common/step_errors.h"
#include "support/check.h"
#include "support/plan.h"

static void means(void **state)
{
    static const double x[4] = {1, 2, 4, 9}, same[3] = {0.1, 0.1, 0.1 * (1 + 1e-16)};
    double mean, se;
    mean_and_error(4, x, &mean, &se);
    check_near(mean, 4, 1e-15, "mean");
    check_near(se, sqrt((9 + 4 + 0 + 25) / 12.0), 1e-15, "standard error");
    mean_and_error(1, x + 2, &mean, &se);
    assert_true(mean == 4 && se == 0);
    mean_and_error(3, same, &mean, &se);
    assert_true(se == 0);
}

/* X_h = 1 + 0.3 h^2 - 0.2 h^4 */
static double on_grid(double h)
{
    return 1 + 0.3 * h * h - 0.2 * h * h * h * h;
}

static void extrapolation(void **state)
{
    double h = 0.1, fine = on_grid(h), coarse = on_grid(2 * h), coarsest = on_grid(4 * h);
    check_near(step_error_of(fine, coarse), 0.3 * h * h, 2e-4, "step error");
    check_near(extrapolated(fine, coarse), 1, 1e-4, "extrapolated");
    grid_changes all = {0};
    grid_changes_add(&all, fine, coarse, coarsest);
    grid_changes_add(&all, fine, coarse, coarsest);
    double change = all.change / all.count, before = all.before / all.count;
    assert_int_equal(all.count, 2);
    double part = fourth_order_part(0, 1, &change, &before);
    check_near(part, 1.0 / 15, 1e-16, "fourth order");
    check_near(extrapolated(fine, coarse) - part * change, 1, 1e-14, "extrapolated twice");
    assert_true(fourth_order_part(0, 1, &before, &change) == 0);
    assert_true(fourth_order_part(1, 1, &change, &before) == 0);
    assert_true(step_error_part(0) == 0.2 && step_error_part(1) == 1);
}

/* The bar of a curve of one point whose error is 0.3 h^p, without noise. */
static double bar_of_order(double p, double *left)
{
    double x[3], h = 0.1, bar, zero = 0;
    for (int g = 0; g < 3; g++)
        x[g] = 1 + 0.3 * pow(h * (1 << g), p);
    double fine = x[1] - x[0], coarse = x[2] - x[1];
    grid_series series = {1, {&fine, 0}, {&coarse, 0}, {&zero, 0}};
    step_error_bars(&series, &bar);
    *left = fabs(extrapolated(x[0], x[1]) - 1);
    return bar;
}

/* Errors of first order are more than twice what extrapolation subtracts; those of second order leave nothing,
   where a twentieth of the change counts. */
static void order(void **state)
{
    double left, bar = bar_of_order(2, &left);
    check_near(bar, 0.05 * 0.3 * 3 * 0.01, 1e-14, "bar, order 2");
    bar = bar_of_order(1.8, &left);
    check_near(bar, left, 1e-13, "bar, order 1.8");
    assert_true(left > 1e-4);
    bar = bar_of_order(1, &left);
    check_near(bar, left, 1e-13, "bar, order 1");
    bar = bar_of_order(0.2, &left); /* beyond the range in which the ratio is believed */
    assert_true(bar > 0.5 * left);
}

/* Differences that are noise say nothing about the order, and their noise is taken off the remainder. */
static void noise_of_differences(void **state)
{
    double fine = 0.01, coarse = 0.008, remainder = 0.002, bar;
    grid_series series = {1, {&fine, 0.008}, {&coarse, 0.008}, {&remainder, 0.0016}};
    step_error_bars(&series, &bar);
    check_near(bar, 0.002 * 0.6, 1e-15, "bar without noise");
    series.fine.noise = series.coarse.noise = 0.001;
    step_error_bars(&series, &bar);
    assert_true(bar > 0.01);
}

static void joint_bars(void **state)
{
    const double scale[6] = {1, 2, 10, 10, 1, 0};
    double bar[6] = {0.1, -0.2, 0.01, -0.02, 0, 0};
    step_errors_join(3, 2, 2, scale, bar);
    const double want[6] = {0.1, -0.2, 0.3, -0.3, 0.03, 0};
    for (int i = 0; i < 6; i++)
        check_near(bar[i], want[i], 1e-15, "bar %d", i);
}

/* Few replicas have wider intervals than the normal law; the widest time counts as all those near it. */
static void pooled_noise(void **state)
{
    const double times[4] = {0, 4, 4.5, 10}, scale[4] = {1, 1, 2, 1};
    double noise[4] = {0, 0.3, 0.8, 0.1}, pooled[4];
    double factor = noise_widening(8);
    check_between((int)(1000 * factor), 1100, 1160, "widening of 8 replicas, in thousandths");
    assert_true(noise_widening(2) > 2 && noise_widening(1000) < 1.002 && noise_widening(1) == 1);
    noise_pool(4, times, 10, 8, scale, pooled, noise);
    check_near(noise[0], 0, 0, "exact");
    check_near(noise[1], factor * sqrt(0.125), 1e-14, "pooled");
    check_near(noise[2], factor * 2 * sqrt(0.125), 1e-14, "pooled");
    check_near(noise[3], factor * 0.1, 1e-14, "alone");
}

/* Errors reach a fifth of the horizon far, except to and from the start. */
static void nearby_step_errors(void **state)
{
    static const double times[6] = {0, 1, 2, 3, 4, 10}, step[6] = {0, 0, -0.3, 0, 0, 0.4};
    const double want[6] = {0.5, sqrt(0.34), sqrt(0.34), sqrt(0.34), sqrt(0.34), sqrt(0.41)};
    double se[6] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    add_step_errors(6, times, 10, step, se);
    for (int i = 0; i < 6; i++)
        check_near(se[i], want[i], 1e-15, "time %d", i);
}

static void worst_errors(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    solution_shape shape = {.k = 1, .kstar = 1, .n_times = 3};
    check_ok(ctx, solution_new(ctx, &shape, &s));
    s->curves[0].value[1] = s->curves[0].value[2] = -4; /* train loss */
    s->curves[0].se[2] = 0.2;
    s->curves[1].value[0] = 10; /* test loss */
    s->curves[1].se[0] = 0.3;
    s->curves[1].step_error[0] = -0.6;
    s->curves[3].se[0] = 7; /* m11, of a student that is zero: no scale */
    sgdmft_problem problem = {.initial.rho = (double[]){1}};
    check_ok(ctx, set_worst_errors(ctx, &problem, s));
    check_near(s->info.se_max, 0.05, 1e-16, "standard error");
    check_near(s->info.step_error_max, 0.06, 1e-16, "step error");
    s->curves[1].se[1] = 0.06; /* a test loss of zero counts as a hundredth of its largest value */
    check_ok(ctx, set_worst_errors(ctx, &problem, s));
    check_near(s->info.se_max, 0.6, 1e-15, "standard error of a small value");
    s->curves[2].value[1] = 9; /* q11 */
    s->curves[3].se[0] = 3;    /* q11 counts as 0.09 there */
    problem.initial.rho[0] = 2;
    check_ok(ctx, set_worst_errors(ctx, &problem, s));
    check_near(s->info.se_max, 10 / sqrt(2), 1e-13, "standard error where q is small");
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

static void tolerances_and_limits(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(ctx, "{delta: 1, horizon: 1, model: {label: s, loss: (r - y)^2/2}, "
                                                "numerics: {tolerance: 1.0e-6, paths: 1000}}");
    assert_true(attainable_tolerance(problem, 0) == 1e-6);
    check_near(attainable_tolerance(problem, 1), 2e-3, 1e-18, "where the gradient jumps");
    growth_limits limits = growth_limits_of(2);
    assert_true(limits.step == 2e4 && limits.moment == 2e8);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means),
        cmocka_unit_test(extrapolation),
        cmocka_unit_test(order),
        cmocka_unit_test(noise_of_differences),
        cmocka_unit_test(joint_bars),
        cmocka_unit_test(pooled_noise),
        cmocka_unit_test(nearby_step_errors),
        cmocka_unit_test(worst_errors),
        cmocka_unit_test(tolerances_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
