/* The normal quantile against 40-digit values, GSL, and its inverse in the C library. */
#include "support.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <stdlib.h>

#include "core/random.h"

#define CLAIM 1e-15 /* the relative error that random.h promises */

enum { N = 20000 };

/* Magnitudes over all of (0, 1/2), with both joins of the approximation visited often. */
static void lower_probabilities(double p[N])
{
    const random_key key = {.seed = 77, .replica = 0, .purpose = 1};
    random_uniforms(key, 0, 0, N, p);
    for (int j = 0; j < N; j++) {
        double x = p[j];
        if (j % 4 == 0)
            p[j] = 0.5 * x;
        else if (j % 4 == 1)
            p[j] = pow(10.0, -300.0 * x);
        else if (j % 4 == 2)
            p[j] = 0x1p-9 * (1.0 + 1e-3 * (x - 0.5));
        else
            p[j] = exp(-30.25) * (1.0 + 1e-3 * (x - 0.5));
    }
}

/* Solved to 40 digits. */
static void known_values(void **state)
{
    static const struct {
        double u, z;
    } known[] = {
        {1e-300, -37.047096299361199237},         {0x1p-1074, -38.467405617144346251},
        {0x1p-1022, -37.519379347144499821},      {1e-100, -21.273453560965324294},
        {1e-20, -9.2623400897984075796},          {0x1p-53, -8.2095361516013868556},
        {1e-12, -7.0344838253011319326},          {2.3e-5, -4.0750725692491868665},
        {0.00195, -2.8861388963409519845},        {0.00197, -2.8829259894969997354},
        {0.0271, -1.9252347223068327971},         {0.1, -1.2815515655446004353},
        {0.31, -0.49585034734745333286},          {0.4999, -0.00025066283008800749239},
        {0.499999999, -2.5066283428845326712e-9},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double z = normal_quantile(known[i].u);
        if (!(fabs(z / known[i].z - 1.0) <= CLAIM))
            fail_msg("quantile of %g is %.17g, not %.17g", known[i].u, z, known[i].z);
    }
}

static void agrees_with_gsl(void **state)
{
    static double p[N];
    lower_probabilities(p);
    for (int j = 0; j < N; j++) {
        double z = normal_quantile(p[j]), theirs = gsl_cdf_ugaussian_Pinv(p[j]);
        if (!(fabs(z / theirs - 1.0) <= 4e-15)) /* theirs is the less accurate one */
            fail_msg("quantile of %.17g is %.17g, and %.17g by GSL", p[j], z, theirs);
    }
}

/* A relative error e of z changes the probability by the factor 1 - (z^2 + 1) e at most, z < 0. */
static void round_trip_through_erfc(void **state)
{
    static double p[N];
    lower_probabilities(p);
    for (int j = 0; j < N; j++) {
        double z = normal_quantile(p[j]), back = 0.5 * erfc(-z * sqrt(0.5));
        if (!(fabs(back / p[j] - 1.0) <= 1.5 * CLAIM * (z * z + 1.0)))
            fail_msg("quantile of %.17g is %.17g, whose probability is %.17g", p[j], z, back);
    }
}

static void is_odd(void **state)
{
    const random_key key = {.seed = 31, .replica = 1, .purpose = 0};
    static double u[N];
    random_uniforms(key, 3, 0, N, u);
    for (int j = 0; j < N; j++) {
        if (j % 2) /* the far ends too: few significant digits */
            u[j] = ceil(exp(-36.0 * u[j]) * 0x1p53) * 0x1p-53;
        assert_true(1.0 - (1.0 - u[j]) == u[j]);
        assert_true(normal_quantile(1.0 - u[j]) == -normal_quantile(u[j]));
    }
    assert_true(normal_quantile(1.0 - 0x1p-53) == -normal_quantile(0x1p-53));
    assert_true(normal_quantile(0.5) == 0.0);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void increases(void **state)
{
    static double u[2 * N];
    lower_probabilities(u);
    for (int j = 0; j < N; j++)
        u[N + j] = 1.0 - fmax(u[j], 0x1p-53);
    qsort(u, 2 * N, sizeof *u, compare_doubles);
    for (int j = 1; j < 2 * N; j++) {
        double before = normal_quantile(u[j - 1]), after = normal_quantile(u[j]);
        assert_true(after - before >= -CLAIM * fabs(before));
    }
    /* the same from one double to the next across both joins and one half */
    const double joins[] = {0x1p-9, 0x1.4cp-44, 0.5, 1.0 - 0x1p-9};
    for (int i = 0; i < 4; i++) {
        double x = joins[i];
        for (int k = 0; k < 2000; k++)
            x = nextafter(x, 0.0);
        for (int k = 0; k < 4000; k++, x = nextafter(x, 1.0)) {
            double before = normal_quantile(x), after = normal_quantile(nextafter(x, 1.0));
            assert_true(after - before >= -CLAIM * fabs(before));
        }
    }
}

static void limits(void **state)
{
    assert_true(normal_quantile(0.0) == -INFINITY);
    assert_true(normal_quantile(-0.0) == -INFINITY);
    assert_true(normal_quantile(1.0) == INFINITY);
    const double outside[] = {-DBL_MIN, -0.25, 1.0 + DBL_EPSILON, 7.5, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_true(isnan(normal_quantile(outside[i])));
}

static void blocks_equal_single_values(void **state)
{
    enum { LENGTH = 700 };
    static double u[N], z[LENGTH], single[LENGTH];
    lower_probabilities(u);
    for (int j = 0; j < N; j += 3)
        u[j] = 1.0 - u[j];
    u[5] = 0.0;
    u[21] = 1.0;
    u[300] = 1.5;
    u[301] = NAN;
    for (size_t j = 0; j < LENGTH; j++)
        single[j] = normal_quantile(u[j]);
    assert_true(isnan(single[300]) && isnan(single[301]));
    for (size_t n = 0; n <= LENGTH; n++) {
        for (size_t j = 0; j < LENGTH; j++)
            z[j] = u[j];
        normal_quantiles(n, z, z); /* in place */
        for (size_t j = 0; j < LENGTH; j++) {
            double expected = j < n ? single[j] : u[j];
            assert_true(isnan(expected) ? isnan(z[j]) : z[j] == expected);
        }
    }
    for (size_t offset = 0; offset < 9; offset++) { /* unaligned, and to another place */
        memset(z, 0, sizeof z);
        normal_quantiles(100, u + offset, z + 3);
        check_same_bytes("unaligned block", 100, z + 3, single + offset);
        assert_true(z[2] == 0.0 && z[103] == 0.0);
    }
}

/* Only rational operations and square roots are used: the same bits everywhere. */
static void values_are_fixed_for_ever(void **state)
{
    const random_key key = {.seed = 2024, .replica = 0, .purpose = 0};
    static double z[N];
    random_uniforms(key, 0, 0, N, z);
    for (int j = 0; j < N; j += 2) /* a product of uniforms reaches the tails */
        z[j] = z[j] * z[j] * z[j] * z[j] * z[j] * z[j] * z[j] * z[j];
    normal_quantiles(N, z, z);
    assert_int_equal(fingerprint(N, z), 0xfd13efdc36389a29u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(agrees_with_gsl),
        cmocka_unit_test(round_trip_through_erfc),
        cmocka_unit_test(is_odd),
        cmocka_unit_test(increases),
        cmocka_unit_test(limits),
        cmocka_unit_test(blocks_equal_single_values),
        cmocka_unit_test(values_are_fixed_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
