/* The numbers that coordinates are drawn from have exactly the second moments of the problem, whatever the law. */
#include "coordinates/draw.h"
#include "model/initial.h"
#include "support/check.h"
#include "support/plan.h"

/* Mean over all coordinates of the product of two rows, counted from wstar on. */
static double product(const path_ensemble *e, size_t a, size_t b)
{
    double sum = 0;
    for (size_t block = 0; block < e->n_blocks; block++) {
        const path_inputs *in = &e->block[block];
        for (size_t p = 0; p < in->n; p++)
            sum += in->wstar[a * in->n + p] * in->wstar[b * in->n + p];
    }
    return sum / (double)e->paths;
}

static void check_moments(const char *initial)
{
    enum { K = 2 };
    test_plan t;
    sgdmft_context *ctx = check_context(1);
    test_plan_init(&t, test_problem(ctx,
                                    "delta: 1.5\nhorizon: 1\npenalty: '0.1*log(cosh(th1)) + 0.1*th2^2'\n"
                                    "model: {students: 2, teachers: 2, label: 's1 + s2', loss: '(r1 + r2 - y)^2/2'}\n"
                                    "initial: {%s}\nnumerics: {paths: 3000, steps: 8}\n",
                                    initial));
    path_source source = coordinate_source(&t.plan.source);
    path_ensemble *e = NULL;
    check_ok(ctx, coordinates_draw(ctx, &source, t.plan.grid[GRID_FINE], 3, &e));
    assert_int_equal(e->paths, 3000);
    const double *B = t.plan.start.b;
    for (size_t a = 0; a < K; a++)
        for (size_t b = 0; b < K; b++) {
            double residual = B[a * K] * B[b * K] + B[a * K + 1] * B[b * K + 1];
            check_near(product(e, a, b), t.problem->initial.rho[a * K + b], 1e-12, "theta* %zu %zu", a, b);
            check_near(product(e, K + a, K + b), residual, 1e-12, "u %zu %zu", a, b);
            check_near(product(e, a, K + b), 0, 1e-12, "theta* u %zu %zu", a, b);
        }
    path_ensemble_free(e);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

static void test_moments(void **state)
{
    check_moments("q: [[1.1, 0.2], [0.2, 0.8]], m: [[0.3, 0.1], [0, 0.2]], rho: [[1, 0.3], [0.3, 0.9]]");
    check_moments("teacher: ['if(u < 0.3, z1, 0)', 'sign(z2)'], student: ['0.5*z3', '0.2*ths1 + 0.4*z4']");
}

/* Coordinates of which not one differs from 0 cannot be given second moments. */
static void test_singular(void **state)
{
    test_plan t;
    sgdmft_context *ctx = check_context(1);
    test_plan_init(&t, test_problem(ctx, "delta: 1.5\nhorizon: 1\npenalty: 'log(cosh(th1))'\n"
                                         "model: {label: s, loss: '(r - y)^2/2'}\n"
                                         "initial: {teacher: 'if(u < 0.008, 11*z, 0)', student: z2}\n"
                                         "numerics: {paths: 64, replicas: 2, steps: 8}\n"));
    path_source source = coordinate_source(&t.plan.source);
    int refused = 0;
    for (uint32_t replica = 0; replica < 10; replica++) {
        path_ensemble *e = NULL;
        sgdmft_status status = coordinates_draw(ctx, &source, t.plan.grid[GRID_FINE], replica, &e);
        if (status) {
            refused++;
            check_failure(ctx, status, SGDMFT_ERR_RANGE, "second moments of 64 sampled coordinates are singular");
            assert_null(e);
        }
        path_ensemble_free(e);
    }
    check_between(refused, 1, 9, "replicas that are refused");
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_singular),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
