/* Principal directions of the field against eigenvectors from LAPACK; turning them into innovations keeps their law. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "kernel_case.h"
#include "kernels/principal.h"

enum { K = 2, STEPS = 12, CELLS = K * STEPS, SIZE = K + CELLS, LEADING = 4 };

/* w(0) = B z0 */
static const double B[K * K] = {1, 0, 0.3, 0.8};

/* A smooth field with some noise: a response that decays, to the start and to innovations. */
static kernel_case field_case(void)
{
    kernel_case c = kernel_case_new(
        (kernel_case_plan){.k = K, .kstar = 1, .steps = STEPS, .delta = 2, .horizon = 3, .grading = 1.5, .eta = "1"});
    double noise[CELLS];
    for (int i = 0; i <= STEPS; i++)
        for (int a = 0; a < K; a++) {
            for (int b = 0; b < K; b++)
                kernels_R(c.kern, a * K + b, i)[0] = (a == b ? 1.0 : 0.2 * c.grid->t[i]) * exp(-c.grid->t[i]);
            random_normals((random_key){6, 0, 91}, (uint64_t)(K * i + a), 0, CELLS, noise);
            for (int j = 0; j < K * i; j++) {
                double age = c.grid->t[i] - c.grid->t[j / K], root = sqrt(c.grid->h[j / K]);
                kernels_V(c.kern, i, a)[j] = root * ((j % K == a ? 1.0 : 0.3) * exp(-age) + 0.02 * noise[j]);
            }
        }
    return c;
}

/* sum over nodes of (time around the node) U_i^T U_i, U_i = (R(t_i, 0) B, V_i) */
static void gram(const kernel_case *c, double out[SIZE * SIZE])
{
    memset(out, 0, sizeof(double) * SIZE * SIZE);
    for (int i = 0; i <= STEPS; i++)
        for (int a = 0; a < K; a++) {
            double U[SIZE] = {0};
            for (int b = 0; b < K; b++)
                for (int l = 0; l < K; l++)
                    U[b] += kernels_R(c->kern, a * K + l, i)[0] * B[l * K + b];
            for (int j = 0; j < K * i; j++)
                U[K + j] = kernels_V(c->kern, i, a)[j];
            double around = ((i > 0 ? c->grid->h[i - 1] : 0) + (i < STEPS ? c->grid->h[i] : 0)) / 2;
            for (int j = 0; j < SIZE; j++)
                for (int l = 0; l < SIZE; l++)
                    out[j * SIZE + l] += around * U[j] * U[l];
        }
}

static void test_eigenvectors(void **state)
{
    kernel_case c = field_case();
    principal_axes *axes = NULL;
    double A[SIZE * SIZE], value[SIZE];
    check_ok(c.ctx, principal_axes_new(c.ctx, c.kern, B, &axes));
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
    check_near(caught / most, 1, 1e-12, "variance along the first directions, of the most possible");
    principal_axes_free(axes);
    kernel_case_clear(&c);
}

/* On a grid of twice as many cells: the map of standard normals is orthogonal, z0 and sums of pairs are Q z, and the
   leading coordinates come back. */
static void test_apply(void **state)
{
    enum { ALL = K + 2 * CELLS };
    kernel_case c = field_case();
    schedule *eta;
    time_grid *fine;
    principal_axes *axes = NULL;
    double *x = memory_doubles(ALL * ALL), *work = memory_doubles(ALL * ALL), first[K * ALL];
    check_ok(c.ctx, schedule_of(c.ctx, "1", 3, &eta));
    check_ok(c.ctx, time_grid_new(c.ctx, 2 * STEPS, 3, 1.5, eta, 0, &fine));
    check_ok(c.ctx, principal_axes_new(c.ctx, c.kern, B, &axes));
    for (int i = 0; i < ALL; i++)
        x[i * ALL + i] = 1; /* lane i is unit vector i */
    principal_axes_apply(axes, fine, K, ALL, work, x, x + K * ALL);
    for (int i = 0; i < ALL; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int p = 0; p < ALL; p++)
                sum += x[i * ALL + p] * x[j * ALL + p];
            check_near(sum, i == j, 1e-13, "rows %d and %d", i, j);
        }
    for (int i = 0; i < SIZE; i++) {
        int cell = i / K - 1;
        const double *one = x + i * ALL, *two = one;
        double a = 1, b = 0;
        if (i >= K) {
            double h1 = fine->h[2 * cell], h2 = fine->h[2 * cell + 1];
            a = sqrt(h1 / (h1 + h2));
            b = sqrt(h2 / (h1 + h2));
            one = x + (K + 2 * cell * K + i % K) * ALL;
            two = one + K * ALL;
        }
        for (int p = 0; p < ALL; p++)
            check_near(a * one[p] + b * two[p], p < SIZE ? axes->Q[i * SIZE + p] : 0, 1e-14, "row %d, lane %d", i, p);
    }
    principal_axes_leading(axes, fine, K, ALL, x, x + K * ALL, first);
    for (int r = 0; r < K; r++)
        for (int p = 0; p < ALL; p++)
            check_near(first[r * ALL + p], p == r, 1e-13, "leading coordinate %d, lane %d", r, p);
    free(x);
    free(work);
    principal_axes_free(axes);
    time_grid_free(fine);
    schedule_free(eta);
    kernel_case_clear(&c);
}

/* In discrete time the axes are those of the grid itself: unit vectors become columns of Q, and back. */
static void test_same_grid(void **state)
{
    kernel_case c = field_case();
    principal_axes *axes = NULL;
    double *x = memory_doubles(SIZE * SIZE), *work = memory_doubles(SIZE * SIZE), first[K * SIZE];
    check_ok(c.ctx, principal_axes_new(c.ctx, c.kern, B, &axes));
    for (int i = 0; i < SIZE; i++)
        x[i * SIZE + i] = 1;
    principal_axes_apply(axes, c.grid, K, SIZE, work, x, x + K * SIZE);
    for (int i = 0; i < SIZE; i++)
        for (int p = 0; p < SIZE; p++)
            check_near(x[i * SIZE + p], axes->Q[i * SIZE + p], 1e-14, "row %d, lane %d", i, p);
    principal_axes_leading(axes, c.grid, K, SIZE, x, x + K * SIZE, first);
    for (int r = 0; r < K; r++)
        for (int p = 0; p < SIZE; p++)
            check_near(first[r * SIZE + p], p == r, 1e-13, "leading coordinate %d, lane %d", r, p);
    free(x);
    free(work);
    principal_axes_free(axes);
    kernel_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_eigenvectors), cmocka_unit_test(test_apply),
                                       cmocka_unit_test(test_same_grid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
