/* Principal directions of the field against eigenvectors from LAPACK; turning them into innovations keeps their law. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "kernel_case.h"
#include "twotime/principal.h"

enum { K = 2, STEPS = 12, SIZE = K * STEPS, LEADING = 4 };

/* A smooth field with some noise: as a response that decays, of innovations that shrink. */
static kernel_case field_case(void)
{
    kernel_case c = kernel_case_new(
        (kernel_plan){.k = K, .kstar = 1, .steps = STEPS, .delta = 2, .horizon = 3, .grading = 1.5, .eta = "1"});
    double noise[SIZE];
    for (int i = 1; i <= STEPS; i++)
        for (int a = 0; a < K; a++) {
            random_normals((random_key){6, 0, 91}, (uint64_t)(K * i + a), 0, SIZE, noise);
            for (int j = 0; j < K * i; j++) {
                double age = c.grid->t[i] - c.grid->t[j / K], root = sqrt(c.grid->h[j / K]);
                kernels_V(c.kern, i, a)[j] = root * ((j % K == a ? 1.0 : 0.3) * exp(-age) + 0.02 * noise[j]);
            }
        }
    return c;
}

/* sum over nodes of (time around the node) V_i^T V_i */
static void gram(const kernel_case *c, double out[SIZE * SIZE])
{
    memset(out, 0, sizeof(double) * SIZE * SIZE);
    for (int i = 1; i <= STEPS; i++)
        for (int a = 0; a < K; a++) {
            const double *V = kernels_V(c->kern, i, a);
            double around = (c->grid->h[i - 1] + (i < STEPS ? c->grid->h[i] : 0)) / 2;
            for (int j = 0; j < K * i; j++)
                for (int l = 0; l < K * i; l++)
                    out[j * SIZE + l] += around * V[j] * V[l];
        }
}

static void test_eigenvectors(void **state)
{
    kernel_case c = field_case();
    principal_axes *axes = NULL;
    double A[SIZE * SIZE], value[SIZE];
    check_ok(c.ctx, principal_axes_new(c.ctx, c.kern, &axes));
    assert_int_equal(axes->size, SIZE);
    gram(&c, A);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', SIZE, A, SIZE, value), 0);
    double along = 0, caught = 0, most = 0;
    for (int j = 0; j < SIZE; j++)
        along += A[j * SIZE + SIZE - 1] * axes->Q[j * SIZE];
    check_near(fabs(along), 1, 1e-10, "cosine of the first direction");
    gram(&c, A);
    for (int r = 0; r < LEADING; r++) {
        most += value[SIZE - 1 - r];
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                caught += axes->Q[i * SIZE + r] * A[i * SIZE + j] * axes->Q[j * SIZE + r];
    }
    check_near(caught / most, 1, 1e-12, "what the first directions catch");
    principal_axes_free(axes);
    kernel_case_clear(&c);
}

/* On a grid with cells of twice the number: the map of standard normals is orthogonal, and sums of pairs are Q z. */
static void test_apply(void **state)
{
    enum { ALL = 2 * SIZE };
    kernel_case c = field_case();
    schedule *eta;
    time_grid *fine;
    principal_axes *axes = NULL;
    double *x = memory_doubles(ALL * ALL), *work = memory_doubles(ALL * ALL);
    check_ok(c.ctx, schedule_of(c.ctx, "1", 3, &eta));
    check_ok(c.ctx, time_grid_new(c.ctx, 2 * STEPS, 3, 1.5, eta, &fine));
    check_ok(c.ctx, principal_axes_new(c.ctx, c.kern, &axes));
    for (int i = 0; i < ALL; i++)
        x[i * ALL + i] = 1; /* lane i is unit vector i */
    principal_axes_apply(axes, fine, K, ALL, work, x);
    for (int i = 0; i < ALL; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int p = 0; p < ALL; p++)
                sum += x[i * ALL + p] * x[j * ALL + p];
            check_near(sum, i == j, 1e-13, "innovations %d and %d", i, j);
        }
    for (int j = 0; j < STEPS; j++)
        for (int a = 0; a < K; a++)
            for (int p = 0; p < SIZE; p++) {
                double h1 = fine->h[2 * j], h2 = fine->h[2 * j + 1];
                double first = x[(2 * j * K + a) * ALL + p], second = x[((2 * j + 1) * K + a) * ALL + p];
                check_near((sqrt(h1) * first + sqrt(h2) * second) / sqrt(h1 + h2), axes->Q[(j * K + a) * SIZE + p],
                           1e-14, "cell %d, component %d, coordinate %d", j, a, p);
            }
    free(x);
    free(work);
    principal_axes_free(axes);
    time_grid_free(fine);
    schedule_free(eta);
    kernel_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_eigenvectors), cmocka_unit_test(test_apply)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
