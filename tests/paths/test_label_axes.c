/* The axes of a label: orthogonal, along the mean gradient of the label, and left alone where there is none. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/random.h"
#include "paths/label_axes.h"
#include "support/check.h"
#include "support/plan.h"

/* The plan of a problem whose model starts with these keys; the loss has one student. */
static test_plan *with_label(const char *keys)
{
    test_plan *t = calloc(1, sizeof *t);
    assert_non_null(t);
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem =
        test_problem(ctx, "{delta: 2, horizon: 1, model: {%s}, numerics: {paths: 200, steps: 4}}", keys);
    sgdmft_context_free(ctx);
    test_plan_init(t, problem);
    return t;
}

static label_axes axes_of(const test_plan *t)
{
    label_axes axes;
    check_ok(t->ctx, label_axes_find(t->ctx, t->plan.m, &t->plan.law, &axes));
    return axes;
}

static void clear(test_plan *t)
{
    test_plan_clear(t);
    free(t);
}

static void check_orthogonal(const label_axes *axes)
{
    for (int i = 0; i < axes->dims; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int l = 0; l < axes->dims; l++)
                sum += axes->rotation[l * axes->dims + i] * axes->rotation[l * axes->dims + j];
            check_near(sum, i == j, 1e-14, "axes %d and %d", i, j);
        }
}

/* Axis i is +- want / |want|. */
static void check_axis(const label_axes *axes, int i, const double *want, double tolerance)
{
    double length = 0, along = 0;
    for (int j = 0; j < axes->dims; j++) {
        length += want[j] * want[j];
        along += want[j] * axes->rotation[j * axes->dims + i];
    }
    check_near(fabs(along) / sqrt(length), 1, 0.5 * tolerance * tolerance, "cosine of axis %d", i);
}

static void check_identity(const label_axes *axes, int dims)
{
    assert_int_equal(axes->dims, dims);
    for (int i = 0; i < dims * dims; i++)
        check_near(axes->rotation[i], i % (dims + 1) == 0, 0, "entry %d", i);
}

static void test_noise_inside(void **state)
{
    test_plan *t = with_label("label: \"sign(s + 0.2*eps)\", loss: \"softplus(-y*r)\"");
    label_axes axes = axes_of(t);
    assert_int_equal(axes.dims, 2);
    check_orthogonal(&axes);
    check_axis(&axes, 0, (double[]){1, 0.2}, 3e-3);
    clear(t);
}

/* In z*, of which the fields are w* = L z* with L L^T = rho; eps1 does not matter. */
static void test_two_teachers(void **state)
{
    static const char *const keys = "students: 1, teachers: 2, label: \"tanh(s1 + 0.5*s2 - 0.6*eps2)\", loss: \"(r - "
                                    "y)^2/2\"}, initial: {rho: [[1.4, 0.5], [0.5, 0.9]]";
    test_plan *t = with_label(keys);
    label_axes axes = axes_of(t);
    const double *L = t->plan.law.signal_root;
    assert_int_equal(axes.dims, 4);
    check_orthogonal(&axes);
    check_axis(&axes, 0, (double[]){L[0] + 0.5 * L[2], 0.5 * L[3], 0, -0.6}, 3e-3);
    clear(t);
}

/* The second axis is the part of the second gradient that is orthogonal to the first. */
static void test_two_labels(void **state)
{
    test_plan *t = with_label(
        "teachers: 2, label: [\"sign(s1 + s2)\", \"sign(s1 + eps)\"], loss: \"(r - y1)^2/2 + (r - y2)^2/2\"");
    label_axes axes = axes_of(t);
    check_orthogonal(&axes);
    check_axis(&axes, 0, (double[]){1, 1, 0}, 3e-3);
    check_axis(&axes, 1, (double[]){0.5, -0.5, 1}, 5e-3);
    clear(t);
}

static void test_left_alone(void **state)
{
    /* even in everything: no direction */
    test_plan *t = with_label("label: \"abs(s)*(1 + 0.1*eps^2)\", loss: \"(r - y)^2/2\"");
    label_axes axes = axes_of(t);
    check_identity(&axes, 2);
    clear(t);
    /* along an axis already, and a constant */
    t = with_label("label: \"sign(s)*(1 + 0.1*eps^2)\", loss: \"(r - y)^2/2\"");
    axes = axes_of(t);
    check_identity(&axes, 2);
    clear(t);
    t = with_label("label: \"2 + sign(s^2 + eps^2)\", loss: \"(r - y)^2/2\"");
    axes = axes_of(t);
    check_identity(&axes, 2);
    clear(t);
    t = with_label("label: \"sign(s)\", loss: \"(r - y)^2/2\"");
    axes = axes_of(t);
    assert_int_equal(axes.dims, 0);
    clear(t);
}

/* The first normal decides about the label. */
static void test_apply(void **state)
{
    enum { N = 500 };
    test_plan *t = with_label("label: \"sign(s + 0.7*eps)\", loss: \"softplus(-y*r)\"");
    label_axes axes = axes_of(t);
    double x[2][N], z[2][N];
    int wrong = 0;
    for (int j = 0; j < 2; j++) {
        random_normals((random_key){5, 0, 90}, (uint64_t)j, 0, N, x[j]);
        for (int p = 0; p < N; p++)
            z[j][p] = x[j][p];
    }
    label_axes_apply(&axes, 1, N, z[0], z[1]);
    for (int p = 0; p < N; p++) {
        check_near(hypot(z[0][p], z[1][p]), hypot(x[0][p], x[1][p]), 1e-13, "length at lane %d", p);
        check_near((z[0][p] + 0.7 * z[1][p]) / sqrt(1.49), x[0][p], 3e-3 * hypot(x[0][p], x[1][p]), "lane %d", p);
        wrong += (z[0][p] + 0.7 * z[1][p] > 0) != (x[0][p] > 0);
    }
    check_between(wrong, 0, 2, "labels that the first normal does not decide");
    clear(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_inside), cmocka_unit_test(test_two_teachers), cmocka_unit_test(test_two_labels),
        cmocka_unit_test(test_left_alone),   cmocka_unit_test(test_apply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
