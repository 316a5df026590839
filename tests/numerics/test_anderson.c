/* Anderson acceleration: a linear map is solved in as many steps as it has directions, a nonlinear one faster than by
   plain iteration, and nothing breaks at a fixed point or far from one. */
#include <math.h>
#include <string.h>

#include "numerics/anderson.h"
#include "support/check.h"

enum { SIZE = 6 };

static anderson start(sgdmft_context *ctx, size_t capacity, size_t size)
{
    anderson a;
    check_ok(ctx, anderson_init(ctx, capacity, 2, &a));
    anderson_restart(&a, size);
    return a;
}

/* f(x) = x* + B (x - x*) with B of rank two: two differences are all there is to know. */
static void linear_map(const double *x, double *f)
{
    static const double fixed[SIZE] = {0.3, -1.7, 2.2, 0.05, -0.6, 1.1};
    static const double u[SIZE] = {0.9, 0.1, -0.4, 0.3, 0.7, -0.2}, v[SIZE] = {-0.3, 0.8, 0.5, -0.1, 0.2, 0.6};
    double along_u = 0, along_v = 0;
    for (int i = 0; i < SIZE; i++) {
        along_u += (x[i] - fixed[i]) * (u[i] + 0.2 * v[i]);
        along_v += (x[i] - fixed[i]) * (v[i] - 0.3 * u[i]);
    }
    for (int i = 0; i < SIZE; i++)
        f[i] = fixed[i] + 0.45 * along_u * u[i] - 0.38 * along_v * v[i];
}

static double distance(const double *x, const double *f)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++)
        sum += (x[i] - f[i]) * (x[i] - f[i]);
    return sqrt(sum);
}

static void test_linear(void **state)
{
    sgdmft_context *ctx = check_context(1);
    anderson a = start(ctx, 10, SIZE);
    double x[SIZE] = {2, 1, -3, 0.4, 0.9, -1}, f[SIZE], plain[SIZE], image[SIZE];
    memcpy(plain, x, sizeof x);
    for (int pass = 0; pass < 4; pass++) {
        linear_map(x, f);
        anderson_next(&a, x, f);
        memcpy(x, f, sizeof x);
        linear_map(plain, image);
        memcpy(plain, image, sizeof plain);
    }
    linear_map(x, f);
    linear_map(plain, image);
    check_between(distance(x, f), 0, 1e-12, "residual after 4 passes");
    check_between(distance(plain, image), 1e-3, 10, "residual of plain iteration: the test is one");
    anderson_clear(&a);
    sgdmft_context_free(ctx);
}

/* x_i = cos(x_i + x_{i+1} / 3): passes to 1e-10 */
static int passes_needed(anderson *a)
{
    double x[SIZE] = {0}, f[SIZE];
    for (int pass = 1; pass < 200; pass++) {
        for (int i = 0; i < SIZE; i++)
            f[i] = 0.8 * cos(x[i] + x[(i + 1) % SIZE] / 3 + 0.1 * i);
        if (distance(x, f) < 1e-10)
            return pass;
        if (a)
            anderson_next(a, x, f);
        memcpy(x, f, sizeof x);
    }
    return 200;
}

static void test_nonlinear(void **state)
{
    sgdmft_context *ctx = check_context(1);
    anderson a = start(ctx, SIZE, SIZE);
    int accelerated = passes_needed(&a), plain = passes_needed(NULL);
    print_message("%d passes, %d without acceleration\n", accelerated, plain);
    assert_true(accelerated < plain);
    anderson_clear(&a);
    sgdmft_context_free(ctx);
}

/* A restart forgets: the first pass after it is plain. */
static void test_restart(void **state)
{
    sgdmft_context *ctx = check_context(1);
    anderson a = start(ctx, SIZE, SIZE);
    double x[SIZE] = {1, 2, 3, 4, 5, 6}, f[SIZE], image[SIZE];
    for (int pass = 0; pass < 3; pass++) {
        linear_map(x, f);
        anderson_next(&a, x, f);
        memcpy(x, f, sizeof x);
    }
    anderson_restart(&a, SIZE);
    x[0] += 1;
    linear_map(x, f);
    memcpy(image, f, sizeof f);
    anderson_next(&a, x, f);
    assert_memory_equal(image, f, sizeof f);
    anderson_clear(&a);
    sgdmft_context_free(ctx);
}

/* At a fixed point all differences vanish; a NaN must not hang or be hidden. */
static void test_degenerate(void **state)
{
    sgdmft_context *ctx = check_context(1);
    anderson a = start(ctx, SIZE, SIZE);
    double x[SIZE] = {0.3, -1.7, 2.2, 0.05, -0.6, 1.1}, f[SIZE];
    for (int pass = 0; pass < 5; pass++) {
        linear_map(x, f);
        anderson_next(&a, x, f);
        check_between(distance(x, f), 0, 1e-14, "step at the fixed point");
        memcpy(x, f, sizeof x);
    }
    linear_map(x, f);
    f[2] = NAN;
    anderson_next(&a, x, f);
    assert_true(isnan(f[2]));
    anderson_clear(&a);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_nonlinear),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_degenerate),
    };
    return cmocka_run_group_tests_name("anderson", tests, NULL, NULL);
}
