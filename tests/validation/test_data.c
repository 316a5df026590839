/* The data of a simulation: entries of X, preactivations and labels, exact initial moments, seeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "repetition_test.h"

/* Two students, two teachers, everything correlated; d is not a multiple of the padding. */
static sgdmft_problem *correlated(sgdmft_context *ctx, const char *entries, int seed)
{
    return test_problem(ctx,
                        "delta: 1.7\nhorizon: 1\n"
                        "model: {students: 2, teachers: 2, label: ['tanh(s1) + 0.3*eps2', 's1*s2 - eps1'],"
                        " loss: '(r1*r2 - y1)^2/2 + (r1 - y2)^2/2'}\n"
                        "initial: {q: [[1.3, 0.4], [0.4, 0.9]], m: [[0.3, -0.2], [0.1, 0.25]],"
                        " rho: [[1.2, 0.5], [0.5, 0.8]]}\n"
                        "numerics: {seed: %d}\n"
                        "simulate: {d: 347, entries: %s}\n",
                        seed, entries);
}

static repetition_test *start(const char *entries, int seed, uint32_t number)
{
    sgdmft_context *ctx = check_context(1);
    repetition_test *x = calloc(1, sizeof *x);
    assert_non_null(x);
    repetition_test_init(x, correlated(ctx, entries, seed));
    sgdmft_context_free(ctx);
    assert_int_equal(repetition_start(&x->rep, number), 0);
    return x;
}

static void finish(repetition_test *x)
{
    repetition_test_clear(x);
    free(x);
}

/* Rounding of theta to single precision is all that is left. */
static void test_exact_moments(void **state)
{
    repetition_test *x = start("gaussian", 11, 3);
    size_t d = x->plan.d, length = x->plan.length;
    const float *theta = x->system->theta, *teacher = x->system->teacher;
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 2; b++) {
            size_t at = a * 2 + b;
            check_near(sum_of_products(d, theta + a * length, theta + b * length) / (double)d,
                       x->problem->initial.q[at], 2e-7, "q%zu%zu", a + 1, b + 1);
            check_near(sum_of_products(d, theta + a * length, teacher + b * length) / (double)d,
                       x->problem->initial.m[at], 2e-7, "m%zu%zu", a + 1, b + 1);
            check_near(sum_of_products(d, teacher + a * length, teacher + b * length) / (double)d,
                       x->problem->initial.rho[at], 2e-7, "rho%zu%zu", a + 1, b + 1);
        }
    for (size_t j = d; j < length; j++)
        assert_true(theta[j] == 0 && theta[length + j] == 0 && teacher[j] == 0 && teacher[length + j] == 0);
    finish(x);
}

/* A start that is a function of the teacher, and the smallest dimension there can be. */
static void test_singular_start(void **state)
{
    static const char *const starts[] = {"{q: 0, m: 0}", "{q: 0.25, m: 0.5}"};
    for (int i = 0; i < 2; i++)
        for (int d = 2; d <= 200; d += 99) {
            sgdmft_context *ctx = check_context(1);
            repetition_test x;
            repetition_test_init(&x, test_problem(ctx,
                                                  "delta: 2\nhorizon: 1\nmodel: {label: s, loss: '(r - y)^2/2'}\n"
                                                  "initial: %s\nsimulate: {d: %d}\n",
                                                  starts[i], d));
            sgdmft_context_free(ctx);
            assert_int_equal(repetition_start(&x.rep, 0), 0);
            check_near(sum_of_products(x.plan.d, x.system->theta, x.system->theta) / d, *x.problem->initial.q, 1e-7,
                       "q");
            check_near(sum_of_products(x.plan.d, x.system->theta, x.system->teacher) / d, *x.problem->initial.m, 1e-7,
                       "m");
            check_near(sum_of_products(x.plan.d, x.system->teacher, x.system->teacher) / d, 1, 1e-6, "rho");
            repetition_test_clear(&x);
        }
}

/* s = X theta* and y = label(s, eps), for every sample. */
static void test_labels(void **state)
{
    repetition_test *x = start("gaussian", 12, 0);
    const samples *train = &x->system->train;
    assert_int_equal(x->plan.n, 590); /* 589.9 */
    assert_int_equal(train->room, 590);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < x->plan.n; i++) {
        const float *row = train->row + i * x->plan.length;
        double s[2], eps[2] = {train->eps[i], train->eps[train->room + i]};
        for (size_t b = 0; b < 2; b++) {
            s[b] = sum_of_products(x->plan.d, row, x->system->teacher + b * x->plan.length);
            check_near(train->s[b * train->room + i], s[b], 5e-6, "s%zu of sample %zu", b + 1, i);
            sum += eps[b];
            squares += eps[b] * eps[b];
        }
        check_near(train->y[i], tanh(s[0]) + 0.3 * eps[1], 5e-6, "y1 of sample %zu", i);
        check_near(train->y[train->room + i], s[0] * s[1] - eps[0], 1e-5, "y2 of sample %zu", i);
    }
    for (size_t i = 0; i < x->plan.n; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(train->eps[i] != train->eps[j]); /* drawn in blocks: none is drawn twice */
    double count = 2.0 * (double)x->plan.n;
    check_z(sum / count, 0, 1 / sqrt(count), 4.9, "mean of eps");
    check_z(squares / count, 1, sqrt(2 / count), 4.9, "variance of eps");
    finish(x);
}

/* Variance 1/d and the fourth moment of each law; padding zero. */
static void test_entries(void **state)
{
    static const struct {
        const char *name;
        double fourth, eighth;
    } laws[] = {{"gaussian", 3, 105}, {"rademacher", 1, 1}, {"uniform", 1.8, 9}};
    for (size_t p = 0; p < 3; p++) {
        repetition_test *x = start(laws[p].name, 13, 1);
        double squares = 0, fourths = 0, d = (double)x->plan.d, count = (double)(x->plan.n * x->plan.d);
        for (size_t i = 0; i < x->plan.n; i++) {
            const float *row = x->system->train.row + i * x->plan.length;
            for (size_t j = 0; j < x->plan.d; j++) {
                double square = d * row[j] * row[j];
                squares += square;
                fourths += square * square;
            }
            for (size_t j = x->plan.d; j < x->plan.length; j++)
                assert_true(row[j] == 0);
        }
        check_near(squares / count, 1, 4.9 * sqrt((laws[p].fourth - 1) / count) + 1e-6, "%s: variance", laws[p].name);
        check_near(fourths / count, laws[p].fourth,
                   4.9 * sqrt((laws[p].eighth - laws[p].fourth * laws[p].fourth) / count) + 1e-6, "%s: fourth moment",
                   laws[p].name);
        finish(x);
    }
}

/* Rows are uncorrelated: |X^T X u|^2 for a fixed u has the mean that independent rows give it. */
static void test_spectrum(void **state)
{
    repetition_test *x = start("gaussian", 14, 2);
    size_t n = x->plan.n, d = x->plan.d;
    double *back = calloc(d, sizeof *back), square = 0;
    assert_non_null(back);
    for (size_t i = 0; i < n; i++) {
        const float *row = x->system->train.row + i * x->plan.length;
        double r = sum_of_products(d, row, x->system->theta);
        for (size_t j = 0; j < d; j++)
            back[j] += r * row[j];
    }
    for (size_t j = 0; j < d; j++)
        square += back[j] * back[j];
    free(back);
    /* u^T (X^T X)^2 u / |u|^2 concentrates at delta^2 + delta, with fluctuations of the order 1/sqrt d */
    double delta = (double)n / (double)d;
    check_near(square / (double)d / 1.3, delta * delta + delta, 6 * sqrt(2 / (double)d) * (delta + delta * delta),
               "second moment of the spectrum");
    finish(x);
}

static uint64_t print_of(const float *x, size_t n)
{
    uint64_t print = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        print = (print ^ bits) * 0x100000001b3u;
    }
    return print;
}

/* All random numbers are a function of the seed and the number of the repetition, and depend on both. */
static void test_seeds(void **state)
{
    repetition_test *a = start("gaussian", 15, 4);
    size_t rows = a->plan.n * a->plan.length;
    uint64_t data = print_of(a->system->train.row, rows), theta = print_of(a->system->theta, a->plan.length);
    double noise = a->system->train.eps[17];
    assert_int_equal(repetition_start(&a->rep, 5), 0);
    assert_true(data != print_of(a->system->train.row, rows) && theta != print_of(a->system->theta, a->plan.length));
    assert_true(noise != a->system->train.eps[17]);
    assert_int_equal(repetition_start(&a->rep, 4), 0); /* in memory that was used by another one */
    assert_true(data == print_of(a->system->train.row, rows) && theta == print_of(a->system->theta, a->plan.length));
    assert_true(noise == a->system->train.eps[17]);
    finish(a);
    repetition_test *b = start("gaussian", 16, 4);
    assert_true(data != print_of(b->system->train.row, rows) && theta != print_of(b->system->theta, b->plan.length));
    finish(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_moments), cmocka_unit_test(test_singular_start), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_entries),       cmocka_unit_test(test_spectrum),       cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests_name("simulator data", tests, NULL, NULL);
}
