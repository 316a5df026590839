/* The spectral law: moments, closed forms, an independent quadrature, edges. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_sf_bessel.h>

#include "core/memory.h"
#include "linear/linear_ode.h"
#include "numerics/spectral_law.h"
#include "support/check.h"

static const double deltas[] = {0.1, 0.37, 0.999, 1, 1.001, 1.5, 10, 100};
enum { DELTAS = sizeof deltas / sizeof deltas[0] };

static spectral_law law_of(sgdmft_context *ctx, double delta, double decay, double fall)
{
    spectral_law law;
    check_ok(ctx, spectral_law_init(ctx, delta, decay, fall, &law));
    return law;
}

static double moment(const spectral_law *law, int power)
{
    double sum = 0;
    for (size_t i = 0; i < law->n; i++)
        sum += law->weight[i] * pow(law->x[i], power);
    return sum;
}

/* int x^power exp(-c x) dmu */
static double decayed(const spectral_law *law, int power, double c)
{
    double sum = 0;
    for (size_t i = 0; i < law->n; i++)
        sum += law->weight[i] * pow(law->x[i], power) * exp(-c * law->x[i]);
    return sum;
}

static void test_moments(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < DELTAS; i++) {
        double d = deltas[i], second = d + d * d, third = d + 3 * d * d + d * d * d;
        spectral_law law = law_of(ctx, d, 3, 0);
        check_near(moment(&law, 0), 1, 1e-14, "mass, delta = %g", d);
        check_near(moment(&law, 1), d, 1e-14 * d, "first moment, delta = %g", d);
        check_near(moment(&law, 2), second, 2e-14 * second, "second moment, delta = %g", d);
        check_near(moment(&law, 3), third, 3e-14 * third, "third moment, delta = %g", d);
        for (size_t p = 0; p < law.n; p++)
            assert_true(law.weight[p] >= 0 && (p == 0 ? law.x[p] == 0 : law.x[p] > law.low && law.x[p] < law.high));
        spectral_law_clear(&law);
    }
    sgdmft_context_free(ctx);
}

/* delta = 1: int exp(-c x) dmu = exp(-2c) (I_0(2c) + I_1(2c)), up to exponents at which only x ~ 1e-6 counts. */
static void test_bessel(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (double c = 0.003; c < 2e6; c *= 7.3) {
        double want = gsl_sf_bessel_I0_scaled(2 * c) + gsl_sf_bessel_I1_scaled(2 * c);
        spectral_law law = law_of(ctx, 1, c, 0);
        check_near(decayed(&law, 0, c) / want, 1, 3e-13, "transform at %g with %zu points", c, law.n);
        spectral_law_clear(&law);
    }
    sgdmft_context_free(ctx);
}

/* Another quadrature: Gauss-Legendre on panels that shrink towards the lower edge. Digits relative to exp(-c low). */
static void test_other_quadrature(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < DELTAS; i++) {
        ode_spectrum other = ode_spectrum_of(deltas[i]);
        for (double c = 0.02; c < 400; c *= 3.7) {
            double low = (1 - sqrt(deltas[i])) * (1 - sqrt(deltas[i]));
            spectral_law law = law_of(ctx, deltas[i], c, fmin(600, c * low));
            for (int power = 0; power < 3; power++) {
                double want = 0;
                for (int p = 0; p < other.n; p++)
                    want += other.weight[p] * pow(other.x[p], power) * exp(-c * other.x[p]);
                check_near(decayed(&law, power, c), want, 2e-13 * fabs(want) + 1e-250, "k_%d, delta = %g, exponent %g",
                           power, deltas[i], c);
            }
            spectral_law_clear(&law);
        }
    }
    sgdmft_context_free(ctx);
}

/* Without the atom: for delta < 1 the continuous part alone keeps its digits while it falls by exp(-fall). */
static void test_fall(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < 2; i++) {
        double d = deltas[i], c = 60 / ((1 - sqrt(d)) * (1 - sqrt(d)));
        spectral_law law = law_of(ctx, d, c, 60);
        ode_spectrum other = ode_spectrum_of(d);
        double got = 0, want = 0;
        for (size_t p = 1; p < law.n; p++)
            got += law.weight[p] * exp(-c * law.x[p]);
        for (int p = 0; p < other.n; p++)
            want += other.x[p] > 0 ? other.weight[p] * exp(-c * other.x[p]) : 0;
        assert_true(want < exp(-60));
        check_near(got / want, 1, 2e-12, "continuous part at exponent %g, delta = %g", c, d);
        assert_true(law.excess < 1e-12 * want);
        check_near(law.weight[0], 1 - d, 1e-15, "atom, delta = %g", d);
        spectral_law_clear(&law);
    }
    sgdmft_context_free(ctx);
}

/* Sums of exponentials, at negative times too, on any number of threads. */
static void test_sums(void **state)
{
    enum { POINTS = 37, COUNT = 1003, FIRST = -9 };
    double rate[POINTS], weight[POINTS], one[COUNT], three[COUNT], h = 0.013;
    for (int i = 0; i < POINTS; i++) {
        rate[i] = 0.31 * i * i;
        weight[i] = cos(1.7 * i);
    }
    sgdmft_context *ctx = check_context(1), *more = check_context(3);
    check_ok(ctx, exponential_sums(ctx, POINTS, rate, weight, h, FIRST, COUNT, one));
    check_ok(more, exponential_sums(more, POINTS, rate, weight, h, FIRST, COUNT, three));
    for (int j = 0; j < COUNT; j++) {
        double want = 0, size = 0;
        for (int i = 0; i < POINTS; i++) {
            want += weight[i] * exp(-rate[i] * h * (FIRST + j));
            size += fabs(weight[i] * exp(-rate[i] * h * (FIRST + j)));
        }
        check_near(one[j], want, 1e-13 * size, "sum %d", j);
        assert_true(one[j] == three[j]);
    }
    sgdmft_context_free(ctx);
    sgdmft_context_free(more);
}

static void test_refusal(void **state)
{
    sgdmft_context *ctx = check_context(1);
    spectral_law law;
    check_failure(ctx, spectral_law_init(ctx, 2, 1e14, 0, &law), SGDMFT_ERR_UNSUPPORTED, "shorten horizon");
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments), cmocka_unit_test(test_bessel), cmocka_unit_test(test_other_quadrature),
        cmocka_unit_test(test_fall),    cmocka_unit_test(test_sums),   cmocka_unit_test(test_refusal),
    };
    return cmocka_run_group_tests_name("spectral_law", tests, NULL, NULL);
}
