/* Small matrices: linear systems, factors and the positive part of a symmetric matrix, against LAPACK and by the
   properties that define them. */
#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/matrix.h"
#include "core/random.h"
#include "support/check.h"

enum { TRIALS = 40, MOST = MATRIX_MAX * MATRIX_MAX };

static void draw(uint64_t item, int count, double *out)
{
    random_normals((random_key){4711, 3, 78}, item, 0, (size_t)count, out);
}

/* out = a b, or a b^T */
static void multiply(int k, const double *a, const double *b, int transposed, double *out)
{
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            out[i * k + j] = 0;
            for (int l = 0; l < k; l++)
                out[i * k + j] += a[i * k + l] * (transposed ? b[j * k + l] : b[l * k + j]);
        }
}

static void test_products(void **state)
{
    for (int k = 1; k <= MATRIX_MAX; k++) {
        double a[MOST], b[MOST], c[MOST], d[MOST], product[MOST];
        draw((uint64_t)k, k * k, a);
        draw((uint64_t)k + 100, k * k, b);
        draw((uint64_t)k + 200, k * k, c);
        for (int transposed = 0; transposed < 2; transposed++) {
            memcpy(d, c, sizeof d);
            multiply(k, a, b, transposed, product);
            if (transposed)
                matrix_add_product_t(k, -1.37, a, b, d);
            else
                matrix_add_product(k, -1.37, a, b, d);
            for (int i = 0; i < k * k; i++)
                check_near(d[i], c[i] - 1.37 * product[i], 1e-13, "product of order %d, entry %d", k, i);
        }
    }
}

static void test_rectangular_products(void **state)
{
    /* [[1, 2, 3], [4, 5, 6]] [[1, 0], [2, -1], [0, 3]] */
    const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, -1, 0, 3}, transposed[] = {1, 2, 0, 0, -1, 3};
    const double want[] = {10 + 2 * 5, 20 + 2 * 7, 30 + 2 * 14, 40 + 2 * 13};
    double c[] = {10, 20, 30, 40}, d[] = {10, 20, 30, 40};
    matrix_accumulate(2, 3, 2, 2, a, b, c);
    matrix_accumulate_t(2, 3, 2, 2, a, transposed, d);
    for (int i = 0; i < 4; i++) {
        check_near(c[i], want[i], 1e-14, "a b, entry %d", i);
        check_near(d[i], want[i], 1e-14, "a b^T, entry %d", i);
    }
}

static void test_solve(void **state)
{
    enum { COLUMNS = 11 };
    for (int k = 1; k <= MATRIX_MAX; k++)
        for (int trial = 0; trial < TRIALS; trial++) {
            double a[MOST], copy[MOST], b[MATRIX_MAX * COLUMNS], x[MATRIX_MAX * COLUMNS];
            lapack_int pivots[MATRIX_MAX];
            draw((uint64_t)(1000 * k + trial), k * k, a);
            if (k > 1 && trial % 2)
                a[0] = 0; /* needs a row exchange */
            draw((uint64_t)(1000 * k + trial) + 500, k * COLUMNS, b);
            memcpy(copy, a, sizeof copy);
            memcpy(x, b, sizeof x);
            assert_int_equal(LAPACKE_dgesv(LAPACK_ROW_MAJOR, k, COLUMNS, copy, k, pivots, x, COLUMNS), 0);
            double norm = 1;
            for (int i = 0; i < k * COLUMNS; i++)
                norm = fmax(norm, fabs(x[i]));
            assert_int_equal(matrix_solve(k, a, COLUMNS, b), 0);
            for (int i = 0; i < k * COLUMNS; i++)
                check_near(b[i], x[i], 1e-13 * norm * norm, "order %d, trial %d, entry %d", k, trial, i);
        }
}

static void test_solve_refuses(void **state)
{
    double singular[4] = {1.5, 3, 0.5, 1}, b[2] = {1, 2};
    assert_int_equal(matrix_solve(2, singular, 1, b), -1);
    double zero[1] = {0};
    assert_int_equal(matrix_solve(1, zero, 1, b), -1);
    double nan[1] = {NAN};
    assert_int_equal(matrix_solve(1, nan, 1, b), -1);
}

/* The positive part P of A is the only matrix with P >= 0, P - A >= 0 and P (P - A) = 0. */
static void check_positive_part(int k, const double *a, double scale, const char *what)
{
    double root[MOST], inverse[MOST], positive[MOST], excess[MOST], product[MOST], values[MATRIX_MAX];
    assert_int_equal(matrix_psd_root(k, a, root, inverse), 0);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            check_near(root[i * k + j], root[j * k + i], 1e-14 * scale, "%s, order %d: root is symmetric", what, k);
    multiply(k, root, root, 1, positive);
    for (int i = 0; i < k * k; i++)
        excess[i] = positive[i] - 0.5 * (a[i] + a[i % k * k + i / k]);
    multiply(k, positive, excess, 0, product);
    for (int i = 0; i < k * k; i++)
        check_near(product[i], 0, 1e-9 * scale * scale, "%s, order %d: P (P - A)", what, k);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', k, excess, k, values), 0);
    check_between(values[0], -1e-9 * scale, INFINITY, "%s, order %d: lowest eigenvalue of P - A", what, k);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', k, root, k, values), 0);
    check_between(values[0], -1e-13 * scale, INFINITY, "%s, order %d: lowest eigenvalue of the root", what, k);
}

/* The four conditions of Moore and Penrose. */
static void check_pseudo_inverse(int k, const double *a, double scale, const char *what)
{
    double x[MOST], y[MOST], xy[MOST], yx[MOST], xyx[MOST], yxy[MOST];
    assert_int_equal(matrix_psd_root(k, a, x, y), 0);
    multiply(k, x, y, 0, xy);
    multiply(k, y, x, 0, yx);
    multiply(k, xy, x, 0, xyx);
    multiply(k, yx, y, 0, yxy);
    double size = 0;
    for (int i = 0; i < k * k; i++)
        size = fmax(size, fabs(y[i]));
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            check_near(xyx[i * k + j], x[i * k + j], 1e-8 * scale, "%s, order %d: X Y X = X", what, k);
            check_near(yxy[i * k + j], y[i * k + j], 1e-8 * (1 + size), "%s, order %d: Y X Y = Y", what, k);
            check_near(xy[i * k + j], xy[j * k + i], 1e-8, "%s, order %d: X Y symmetric", what, k);
            check_near(yx[i * k + j], yx[j * k + i], 1e-8, "%s, order %d: Y X symmetric", what, k);
        }
}

/* sum of `rank` signed squares: definite for sign 1, indefinite otherwise */
static void quadratic(int k, int rank, uint64_t item, int indefinite, double *a)
{
    double v[MOST];
    draw(item, k * rank, v);
    memset(a, 0, sizeof(double) * (size_t)(k * k));
    for (int l = 0; l < rank; l++)
        for (int i = 0; i < k; i++)
            for (int j = 0; j < k; j++)
                a[i * k + j] += (indefinite && l % 2 ? -1 : 1) * v[l * k + i] * v[l * k + j];
}

static void test_psd_root(void **state)
{
    for (int k = 1; k <= MATRIX_MAX; k++)
        for (int trial = 0; trial < TRIALS; trial++) {
            double a[MOST];
            uint64_t item = (uint64_t)(10000 * k + 10 * trial);
            quadratic(k, k, item, 0, a);
            check_positive_part(k, a, 2.0 * k, "definite");
            check_pseudo_inverse(k, a, 2.0 * k, "definite");
            quadratic(k, k, item + 1, 1, a);
            check_positive_part(k, a, 2.0 * k, "indefinite");
            check_pseudo_inverse(k, a, 2.0 * k, "indefinite");
            quadratic(k, (k + 1) / 2, item + 2, 0, a);
            check_positive_part(k, a, 2.0 * k, "of low rank");
            check_pseudo_inverse(k, a, 2.0 * k, "of low rank");
        }
}

static void test_psd_root_special(void **state)
{
    double root[MOST], inverse[MOST], a[MOST] = {0};
    for (int k = 1; k <= 3; k++) {
        assert_int_equal(matrix_psd_root(k, a, root, inverse), 0);
        for (int i = 0; i < k * k; i++)
            assert_true(root[i] == 0 && inverse[i] == 0);
    }
    double negative[4] = {-2, 0.3, 0.3, -1};
    assert_int_equal(matrix_psd_root(2, negative, root, inverse), 0);
    for (int i = 0; i < 4; i++)
        assert_true(root[i] == 0 && inverse[i] == 0);
    double broken[4] = {1, 0.2, NAN, 1}, endless[1] = {INFINITY};
    assert_int_equal(matrix_psd_root(2, broken, root, inverse), -1);
    assert_int_equal(matrix_psd_root(1, endless, root, inverse), -1);
    assert_int_equal(matrix_psd_root(1, broken + 2, root, inverse), -1);
}

static void test_inverse(void **state)
{
    for (int k = 1; k <= MATRIX_MAX; k++) {
        double a[MOST], inverse[MOST], product[MOST];
        quadratic(k, k, (uint64_t)k + 7000, 0, a);
        for (int c = 0; c < k; c++)
            a[c * k + c] += 0.5;
        assert_int_equal(matrix_inverse(k, a, inverse), 0);
        multiply(k, a, inverse, 0, product);
        for (int c = 0; c < k * k; c++)
            check_near(product[c], c % (k + 1) == 0, 1e-11, "a a^{-1}, order %d, entry %d", k, c);
    }
    double singular[4] = {1.5, 3, 0.5, 1}, inverse[4];
    assert_int_equal(matrix_inverse(2, singular, inverse), -1);
}

static void check_lower(int k, const double *a, const char *what)
{
    for (int i = 0; i < k; i++) {
        check_between(a[i * k + i], 0, INFINITY, "%s, order %d: diagonal", what, k);
        for (int j = i + 1; j < k; j++)
            check_near(a[i * k + j], 0, 0, "%s, order %d: above the diagonal", what, k);
    }
}

static void test_cholesky(void **state)
{
    enum { ROWS = 3 };
    for (int k = 1; k <= MATRIX_MAX; k++) {
        double a[MOST], factor[MOST], square[MOST], x[ROWS * MATRIX_MAX], back[ROWS * MATRIX_MAX] = {0};
        double want[ROWS * MATRIX_MAX];
        quadratic(k, k, (uint64_t)k + 8000, 0, a);
        for (int c = 0; c < k; c++)
            a[c * k + c] += 0.5;
        assert_int_equal(matrix_cholesky(k, a, factor), 0);
        check_lower(k, factor, "Cholesky");
        multiply(k, factor, factor, 1, square);
        for (int c = 0; c < k * k; c++)
            check_near(square[c], a[c], 1e-13, "L L^T, order %d, entry %d", k, c);
        draw((uint64_t)k + 9000, ROWS * k, x);
        memcpy(want, x, sizeof want);
        matrix_cholesky_divide(k, factor, ROWS, x);
        matrix_accumulate(ROWS, k, k, 1, x, a, back);
        for (int c = 0; c < ROWS * k; c++)
            check_near(back[c], want[c], 1e-11, "x (L L^T)^{-1} a, order %d, entry %d", k, c);
    }
    double indefinite[4] = {1, 2, 2, 1}, broken[1] = {NAN}, factor[4];
    assert_int_equal(matrix_cholesky(2, indefinite, factor), -1);
    assert_int_equal(matrix_cholesky(1, broken, factor), -1);
}

static void test_semidefinite_cholesky(void **state)
{
    for (int k = 1; k <= MATRIX_MAX; k++)
        for (int rank = 0; rank <= k; rank++) {
            double a[MOST], factor[MOST], square[MOST];
            quadratic(k, rank, (uint64_t)(100 * k + rank) + 10000, 0, a);
            assert_int_equal(matrix_psd_cholesky(k, a, factor), 0);
            check_lower(k, factor, "semi-definite");
            multiply(k, factor, factor, 1, square);
            for (int c = 0; c < k * k; c++)
                check_near(square[c], a[c], 1e-13 * k, "B B^T, order %d, rank %d, entry %d", k, rank, c);
        }
}

static void test_raised_root(void **state)
{
    const double a[4] = {0.5, 0.5, 0.5, 0.5}; /* eigenvalues 0 and 1 */
    double root[4], inverse[4], square[4], smallest;
    assert_int_equal(matrix_raised_root(2, a, 0.04, root, inverse, &smallest), 0);
    check_near(smallest, 0, 1e-16, "smallest eigenvalue before the rise");
    multiply(2, root, root, 1, square);
    for (int c = 0; c < 4; c++)
        check_near(square[c], a[c] + (c % 3 == 0 ? 0.02 : -0.02), 1e-15, "raised matrix, entry %d", c);
    multiply(2, root, inverse, 0, square);
    for (int c = 0; c < 4; c++)
        check_near(square[c], c % 3 == 0, 1e-14, "root times inverse, entry %d", c);
    const double broken[4] = {1, 0.2, NAN, 1};
    assert_int_equal(matrix_raised_root(2, broken, 0, root, NULL, &smallest), -1);
}

static void test_smallest_eigenvalue(void **state)
{
    for (int k = 1; k <= MATRIX_MAX; k++) {
        double a[MOST], copy[MOST], values[MATRIX_MAX];
        quadratic(k, k, (uint64_t)k + 11000, 1, a);
        memcpy(copy, a, sizeof copy);
        assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', k, copy, k, values), 0);
        check_near(matrix_smallest_eigenvalue(k, a), values[0], 1e-13, "order %d", k);
    }
    assert_true(isnan(matrix_smallest_eigenvalue(1, (double[]){NAN})));
}

/* A root does not depend on the units. */
static void test_psd_root_scaling(void **state)
{
    double a[9], b[9], root[9], scaled[9], inverse[9], scaled_inverse[9];
    quadratic(3, 3, 99, 0, a);
    for (int i = 0; i < 9; i++)
        b[i] = 0x1p-60 * a[i];
    assert_int_equal(matrix_psd_root(3, a, root, inverse), 0);
    assert_int_equal(matrix_psd_root(3, b, scaled, scaled_inverse), 0);
    for (int i = 0; i < 9; i++) {
        check_near(0x1p30 * scaled[i], root[i], 1e-13, "root, entry %d", i);
        check_near(0x1p-30 * scaled_inverse[i], inverse[i], 1e-9, "inverse, entry %d", i);
    }
}

int main(void)
{
    omp_set_num_threads(1); /* LAPACK starts threads for the smallest matrices */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_rectangular_products),
        cmocka_unit_test(test_solve),
        cmocka_unit_test(test_solve_refuses),
        cmocka_unit_test(test_inverse),
        cmocka_unit_test(test_cholesky),
        cmocka_unit_test(test_semidefinite_cholesky),
        cmocka_unit_test(test_raised_root),
        cmocka_unit_test(test_smallest_eigenvalue),
        cmocka_unit_test(test_psd_root),
        cmocka_unit_test(test_psd_root_special),
        cmocka_unit_test(test_psd_root_scaling),
    };
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
