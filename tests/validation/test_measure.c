/* The statistics of validations, on artificial curves and numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "support/check.h"
#include "validation/claims/measure.h"

enum { TIMES = 5 };

/* train_loss, test_loss, q11, m11 with value (c + 1) + t and the same standard error everywhere. */
static sgdmft_solution *curves(double unit, double shift, double se)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    check_ok(ctx, solution_new(ctx, &(solution_shape){.k = 1, .kstar = 1, .n_times = TIMES}, &s));
    sgdmft_context_free(ctx);
    for (int i = 0; i < TIMES; i++) {
        s->times[i] = 0.5 * i / unit;
        for (size_t c = 0; c < s->n_curves; c++) {
            s->curves[c].value[i] = (double)c + 1 + 0.5 * i + shift;
            s->curves[c].se[i] = se;
        }
    }
    return s;
}

static gap gap_of(sgdmft_solution *a, sgdmft_solution *b, const gap_options *o)
{
    gap g;
    assert_int_equal(gap_between(a, b, o, &g), 0);
    return g;
}

static void test_gap(void **state)
{
    sgdmft_solution *a = curves(1, 0, 0.003), *b = curves(1, 0, 0.004);
    gap g = gap_of(a, b, NULL);
    assert_int_equal(g.columns, 4);
    assert_int_equal(g.times, TIMES);
    check_near(g.z, 0, 0, "equal curves");
    check_near(g.distance, 0, 0, "equal curves");
    a->curves[2].value[3] += 0.02;
    g = gap_of(a, b, NULL);
    check_near(g.z, 4, 1e-10, "0.02 with errors 0.003 and 0.004");
    assert_string_equal(g.column, "q11");
    check_near(g.t, 1.5, 0, "worst time");
    check_near(g.largest, 0.02 / 5, 1e-12, "relative to the largest q");
    /* 16 pairs with scales 3, 4, 5, 6 */
    double inverse = (1. / 9 + 1. / 16 + 1. / 25 + 1. / 36) / 4;
    check_near(g.resolution, 0.005 * sqrt(inverse), 1e-12, "resolution");
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

/* Student's t with 15 degrees of freedom exceeds 4.073 in size once in 1000 cases, a Gaussian 3.2905 (tables). */
static void test_student(void **state)
{
    check_near(gaussian_equivalent(4.0728, 15), 3.2905, 1e-4, "15 degrees of freedom");
    check_near(gaussian_equivalent(4, INFINITY), 4, 0, "known errors");
    check_near(gaussian_equivalent(4, 1e7), 4, 1e-4, "many");
    check_near(gaussian_equivalent(0, 15), 0, 1e-12, "zero");
    assert_true(gaussian_equivalent(1e30, 15) > 15 && gaussian_equivalent(INFINITY, 15) > 15);
    sgdmft_solution *a = curves(1, 4.0728 * 0.01, 0.01), *b = curves(1, 0, 0);
    a->info.replicas = 16;
    b->info.replicas = 2; /* exact: it does not count */
    check_near(gap_of(a, b, NULL).z, 3.2905, 1e-4, "16 replicas");
    b->info.replicas = 16;
    for (size_t c = 0; c < b->n_curves; c++)
        for (int i = 0; i < TIMES; i++)
            b->curves[c].se[i] = 0.01;
    check_near(gap_of(a, b, NULL).z, gaussian_equivalent(4.0728 / sqrt(2), 30), 1e-9, "Welch, equal variances");
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

static void test_gap_times(void **state)
{
    sgdmft_solution *a = curves(2, 0.01, 0.01), *b = curves(1, 0, 0);
    gap g = gap_of(a, b, &(gap_options){.time_a = 2});
    assert_int_equal(g.times, TIMES);
    check_near(g.z, 1, 1e-9, "shift");
    g = gap_of(a, b, NULL); /* t = 0, 0.25, ... against 0, 0.5, ... */
    assert_int_equal(g.times, 3);
    a->times[0] = a->times[2] = a->times[4] = 17;
    assert_int_equal(gap_between(a, b, NULL, &g), 1);
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

/* Exact values must agree to single precision; NaN disagrees, with and without errors. */
static void test_gap_exact(void **state)
{
    sgdmft_solution *a = curves(1, 0, 0), *b = curves(1, 0, 0);
    a->curves[0].value[1] += 1e-7;
    check_near(gap_of(a, b, NULL).z, 0, 0, "within single precision");
    a->curves[0].value[1] += 1e-4;
    assert_true(isinf(gap_of(a, b, NULL).z));
    a->curves[0].value[1] = NAN;
    gap g = gap_of(a, b, NULL);
    assert_true(isinf(g.z) && isnan(g.distance) && isinf(g.largest));
    a->curves[0].se[1] = 0.1;
    assert_true(isinf(gap_of(a, b, NULL).z));
    assert_true(isinf(gap_of(a, b, &(gap_options){.allowance = 0.1}).z));
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

static void test_gap_allowances(void **state)
{
    sgdmft_solution *a = curves(1, 0.05, 0.01), *b = curves(1, 0, 0);
    gap plain = gap_of(a, b, NULL), g = gap_of(a, b, &(gap_options){.allowance = 0.01});
    check_near(g.z, 4, 1e-9, "0.05 against one per cent of 1 at t = 0");
    assert_true(g.resolution > plain.resolution);
    check_near(gap_of(a, b, &(gap_options){.allowance = 0.06}).z, 0, 0, "all of it allowed");
    check_near(plain.z, 5, 1e-9, "nothing allowed");
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

static void test_gap_extrapolation(void **state)
{
    sgdmft_solution *limit = curves(1, 0, 0), *fine = curves(1, 0.1, 0.03), *coarse = curves(1, 0.4, 0.03);
    gap g = gap_of(fine, limit, &(gap_options){.coarse = coarse, .weight = 1.0 / 3});
    check_near(g.z, 0, 1e-10, "the line through 0.1 and 0.4 at four times the parameter ends in 0");
    g = gap_of(fine, limit, &(gap_options){.coarse = coarse, .weight = 1});
    check_near(g.z, 0.2 / (0.03 * sqrt(5)), 1e-9, "errors of 2 x 0.1 - 0.4");
    sgdmft_solution_free(limit);
    sgdmft_solution_free(fine);
    sgdmft_solution_free(coarse);
}

static void test_distance(void **state)
{
    sgdmft_solution *a = curves(1, 0.3, 0), *b = curves(1, 0, 0);
    double inverse = (1. / 9 + 1. / 16 + 1. / 25 + 1. / 36) / 4;
    gap g = gap_of(a, b, NULL);
    check_near(g.distance, 0.3 * sqrt(inverse), 1e-12, "distance");
    check_near(g.distance_se, 0, 0, "exact");
    for (size_t c = 0; c < a->n_curves; c++)
        for (int i = 0; i < TIMES; i++)
            a->curves[c].se[i] = 0.1;
    g = gap_of(a, b, NULL);
    check_near(g.distance, sqrt(0.09 - 0.01) * sqrt(inverse), 1e-12, "without the noise");
    check_near(g.distance_se, 0.1 * sqrt(inverse), 1e-12, "errors that go together");
    sgdmft_solution_free(a);
    sgdmft_solution_free(b);
}

static void test_spread(void **state)
{
    sgdmft_solution *a = curves(1, 0, 0.01);
    double inverse = (1. / 9 + 1. / 16 + 1. / 25 + 1. / 36) / 4, error;
    a->info.replicas = 51;
    double spread = spread_of(a, &error);
    check_near(spread, 0.01 * sqrt(51 * inverse), 1e-12, "spread");
    check_near(error, spread / 10, 1e-12, "its error");
    sgdmft_solution_free(a);
}

static void test_power_law(void **state)
{
    static const double x[] = {1, 2, 4, 8}, none[4] = {0};
    double y[4], se[4];
    for (int i = 0; i < 4; i++) {
        y[i] = 3 * pow(x[i], -0.7);
        se[i] = 0.1 * y[i];
    }
    power_law p = power_law_fit(4, x, y, none);
    check_near(p.slope, -0.7, 1e-12, "exact points");
    check_near(p.se, 0, 1e-7, "no scatter");
    p = power_law_fit(4, x, y, se);
    check_near(p.slope, -0.7, 1e-12, "exact points with errors");
    check_near(p.se, 0.1 / (log(2) * sqrt(5)), 1e-12, "errors of the logarithm");
    se[3] = 0.6 * y[3]; /* lost in the noise */
    y[3] *= 5;
    se[3] *= 5;
    p = power_law_fit(4, x, y, se);
    assert_int_equal(p.points, 3);
    check_near(p.slope, -0.7, 1e-12, "without the last point");
    assert_true(isnan(power_law_fit(1, x, y, se).slope));
    assert_true(isnan(power_law_fit(2, x, y, none).slope));
    y[0] = NAN;
    assert_int_equal(power_law_fit(4, x, y, se).points, 2);
}

static void test_eigenvalue(void **state)
{
    static const double C[] = {2, 1, 0, 1, 2, 0, 0, 0, -0.5};
    check_near(smallest_eigenvalue(3, C), -0.5, 1e-14, "eigenvalues 1, 3, -0.5");
    check_near(smallest_eigenvalue(1, C), 2, 0, "a number");
    assert_true(isnan(smallest_eigenvalue(0, C)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_student),
        cmocka_unit_test(test_gap_times),
        cmocka_unit_test(test_gap_exact),
        cmocka_unit_test(test_gap_allowances),
        cmocka_unit_test(test_gap_extrapolation),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_power_law),
        cmocka_unit_test(test_eigenvalue),
    };
    return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
