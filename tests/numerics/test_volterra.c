/* The Volterra solver against equations with known solutions: order of the error, long grids, speed, threads. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "numerics/volterra.h"
#include "support/check.h"

/* k(t) = c exp(-a t), f(t) = exp(-b t): p' = (c - a) p + (a - b) f, p(0) = 1. */
typedef struct decay {
    double a, b, c;
} decay;

static double decay_exact(const decay *d, double t)
{
    double share = (d->a - d->b) / (d->a - d->b - d->c);
    return share * exp(-d->b * t) + (1 - share) * exp((d->c - d->a) * t);
}

static double *decay_solve(sgdmft_context *ctx, const decay *d, size_t steps, double horizon)
{
    double *source = memory_doubles(steps + 1), *kernel = memory_doubles(steps + 1 + VOLTERRA_BEFORE);
    double *p = memory_doubles(steps + 1), h = horizon / (double)steps;
    assert_true(source && kernel && p);
    for (size_t n = 0; n <= steps; n++)
        source[n] = exp(-d->b * h * (double)n);
    for (size_t n = 0; n <= steps + VOLTERRA_BEFORE; n++)
        kernel[n] = d->c * exp(-d->a * h * ((double)n - VOLTERRA_BEFORE));
    check_ok(ctx, volterra_solve(ctx, steps, h, source, kernel, p));
    free(source);
    free(kernel);
    return p;
}

static double decay_error(sgdmft_context *ctx, const decay *d, size_t steps, double horizon)
{
    double *p = decay_solve(ctx, d, steps, horizon), worst = 0;
    for (size_t n = 0; n <= steps; n++) {
        double want = decay_exact(d, horizon * (double)n / (double)steps);
        worst = fmax(worst, fabs(p[n] - want) / fabs(want));
    }
    free(p);
    return worst;
}

/* Weights of Gregory's rule: the first ones are known fractions for short rules; ours must integrate polynomials. */
static void test_gregory(void **state)
{
    double end[VOLTERRA_NODES];
    volterra_gregory(end);
    for (int n = VOLTERRA_NODES - 1; n < 40; n += 3)
        for (int degree = 0; degree < VOLTERRA_NODES; degree++) {
            double sum = 0, want = pow(n, degree + 1) / (degree + 1);
            for (int j = 0; j <= n; j++) {
                double weight = 1 + (j < VOLTERRA_NODES ? end[j] : 0) + (n - j < VOLTERRA_NODES ? end[n - j] : 0);
                sum += weight * pow(j, degree);
            }
            check_near(sum, want, 1e-13 * want, "degree %d over %d intervals", degree, n);
        }
}

/* The error falls by 2^11 when the step is halved, at early times as at late ones. */
static void test_order(void **state)
{
    static const decay cases[3] = {{3.1, 0.7, 1.9}, {1.9, 0.5, -0.8}, {0.4, 1.1, 1.3}};
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < 3; i++) {
        double before = 0;
        printf("  kernel %g exp(-%g t), source exp(-%g t), T = 6\n   steps      error   order\n", cases[i].c,
               cases[i].a, cases[i].b);
        for (size_t steps = 32; steps <= 128; steps *= 2) {
            double error = decay_error(ctx, &cases[i], steps, 6), order = log2(before / error);
            if (before > 0)
                printf("  %6zu  %9.2e   %5.2f\n", steps, error, order);
            else
                printf("  %6zu  %9.2e\n", steps, error);
            if (before > 0 && error > 1e-13) /* above rounding */
                check_between(order, VOLTERRA_NODES - 0.4, VOLTERRA_NODES + 2.5, "order at %zu steps, case %d", steps,
                              i);
            before = error;
        }
        check_between(decay_error(ctx, &cases[i], 640, 6), 0, 3e-13, "relative error at 640 steps, case %d", i);
    }
    sgdmft_context_free(ctx);
}

/* An equation whose terms oscillate: k = -w sin(wt) and f = 1 give p = (1 + cos(sqrt 2 w t)) / 2, by Laplace. */
static void test_oscillation(void **state)
{
    enum { STEPS = 777 };
    double source[STEPS + 1], kernel[STEPS + 1 + VOLTERRA_BEFORE], p[STEPS + 1], w = 1.37, h = 11.3 / STEPS;
    sgdmft_context *ctx = check_context(1);
    for (int n = 0; n <= STEPS; n++)
        source[n] = 1;
    for (int n = 0; n <= STEPS + VOLTERRA_BEFORE; n++)
        kernel[n] = -w * sin(w * h * (n - VOLTERRA_BEFORE));
    check_ok(ctx, volterra_solve(ctx, STEPS, h, source, kernel, p));
    for (int n = 0; n <= STEPS; n++)
        check_near(p[n], 0.5 * (1 + cos(sqrt(2) * w * h * n)), 1e-13, "p at node %d", n);
    sgdmft_context_free(ctx);
}

/* Every length of the grid around the blocks and halvings of the convolution, against plain sums of the same rule. */
static void test_convolution(void **state)
{
    static const size_t lengths[] = {20, 21, 73, 74, 75, 137, 138, 139, 200, 266, 523, 1031};
    sgdmft_context *ctx = check_context(1);
    decay d = {1.3, 0.2, 0.9};
    double end[VOLTERRA_NODES];
    volterra_gregory(end);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t steps = lengths[i];
        double h = 4.0 / (double)steps, *p = decay_solve(ctx, &d, steps, 4);
        for (size_t n = VOLTERRA_NODES; n <= steps; n++) {
            double sum = exp(-d.b * h * (double)n);
            for (size_t j = 0; j <= n; j++) {
                double weight = 1 + (j < VOLTERRA_NODES ? end[j] : 0) + (n - j < VOLTERRA_NODES ? end[n - j] : 0);
                sum += h * weight * d.c * exp(-d.a * h * (double)(n - j)) * p[j];
            }
            check_near(p[n], sum, 2e-14 * fabs(sum), "node %zu of %zu", n, steps);
        }
        free(p);
    }
    sgdmft_context_free(ctx);
}

/* 10^5 steps: the digits survive, and it takes less than a second. */
static void test_long_grid(void **state)
{
    sgdmft_context *ctx = check_context(1);
    decay d = {3.1, 0.02, 2.9};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    double *p = decay_solve(ctx, &d, 100000, 50);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec), worst = 0;
    for (int n = 0; n <= 100000; n++)
        worst = fmax(worst, fabs(p[n] / decay_exact(&d, 50.0 * n / 100000) - 1));
    free(p);
    printf("  100000 steps: %.3f s, largest relative error %.1e\n", seconds, worst);
    check_between(worst, 0, 1e-12, "relative error");
    check_between(seconds, 0, 1 / test_scale(), "seconds for 100000 steps");
    sgdmft_context_free(ctx);
}

/* Growth: the same relative accuracy when p grows by 15 orders of magnitude. */
static void test_growth(void **state)
{
    sgdmft_context *ctx = check_context(1);
    decay d = {2.1, 0.3, 5.6};
    check_between(decay_error(ctx, &d, 4000, 10), 0, 1e-11, "relative error of a growing solution");
    sgdmft_context_free(ctx);
}

static void test_interpolation(void **state)
{
    enum { STEPS = 40 };
    double values[STEPS + 1];
    for (int n = 0; n <= STEPS; n++)
        values[n] = pow(n / 40.0, 9) - 3 * pow(n / 40.0, 4) + 0.7;
    for (double place = 0; place <= STEPS; place += 0.37)
        check_near(volterra_value(STEPS, values, place), pow(place / 40, 9) - 3 * pow(place / 40, 4) + 0.7, 1e-14,
                   "at %g steps", place);
    check_near(volterra_value(STEPS, values, STEPS), values[STEPS], 0, "at the end");
    check_near(volterra_value(STEPS, values, 17), values[17], 0, "at a node");
}

/* Solves on several threads at once: plans are made under a lock, the digits are the same. */
static void test_threads(void **state)
{
    enum { SOLVES = 24, STEPS = 3000 };
    decay d = {1.7, 0.4, 1.1};
    sgdmft_context *ctx = check_context(1);
    double *want = decay_solve(ctx, &d, STEPS, 7);
    int different = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(4) reduction(+ : different)
    for (int i = 0; i < SOLVES; i++) {
        sgdmft_context *own = NULL;
        size_t steps = i % 3 ? STEPS / (size_t)(i % 3 + 1) : STEPS;
        if (sgdmft_context_new(&own) != SGDMFT_OK)
            abort();
        double *p = decay_solve(own, &d, steps, 7);
        if (steps == STEPS)
            different += memcmp(p, want, sizeof *p * (STEPS + 1)) != 0;
        free(p);
        sgdmft_context_free(own);
    }
    assert_int_equal(different, 0);
    free(want);
    sgdmft_context_free(ctx);
}

static void test_refusals(void **state)
{
    double source[32] = {0}, kernel[64] = {0}, p[32];
    sgdmft_context *ctx = check_context(1);
    check_failure(ctx, volterra_solve(ctx, 19, 0.1, source, kernel, p), SGDMFT_ERR_ARGUMENT, "19 steps");
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gregory),       cmocka_unit_test(test_order),     cmocka_unit_test(test_oscillation),
        cmocka_unit_test(test_convolution),   cmocka_unit_test(test_long_grid), cmocka_unit_test(test_growth),
        cmocka_unit_test(test_interpolation), cmocka_unit_test(test_threads),   cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("volterra", tests, NULL, NULL);
}
