/* The innovations of the field: their factor, the rows of the field that are made of it, and the correlation. */
#include <lapacke.h>
#include <math.h>
#include <omp.h>

#include "kernel_case.h"

/* A random covariance over `size` variables: order x order at most `rank`. */
static double *covariance(uint64_t item, int size, int rank)
{
    double *v = memory_doubles((size_t)(size * rank)), *a = memory_doubles((size_t)(size * size));
    assert_non_null(v);
    assert_non_null(a);
    kernel_case_normals(item, (size_t)(size * rank), v);
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++)
            for (int l = 0; l < rank; l++)
                a[i * size + j] += v[i * rank + l] * v[j * rank + l] / rank;
    free(v);
    return a;
}

/* For a drift the averages are the covariance itself. */
static void drift_averages_of(kernel_case *c, int i, const double *want)
{
    int k = c->kern->k, size = k * c->kern->steps;
    for (int j = 0; j <= i; j++)
        for (int x = 0; x < k * k; x++)
            kernel_case_row(c, c->next, j, VISITS)[x] = want[(i * k + x / k) * size + j * k + x % k];
}

/* Averages that make row i of the innovation covariance that of `want`: the blocks before the diagonal as visit sums,
   the diagonal partly as white noise, partly as the visit sums of the own cell (not symmetric, on purpose). */
static void averages_of(kernel_case *c, int i, const double *want)
{
    int k = c->kern->k, size = k * c->kern->steps;
    if (!c->kern->white_noise) {
        drift_averages_of(c, i, want);
        return;
    }
    double h = c->grid->h[i], start = c->grid->eta_start[i], end = c->grid->eta_end[i];
    for (int j = 0; j < i; j++)
        for (int x = 0; x < k * k; x++) {
            double value = want[(i * k + x / k) * size + j * k + x % k];
            kernel_case_row(c, c->now, j, VISITS)[x] = 2 * 0.3 * value / (h * start);
            kernel_case_row(c, c->next, j, VISITS)[x] = 2 * 0.7 * value / (h * end);
        }
    for (int x = 0; x < k * k; x++) {
        int a = x / k, b = x % k;
        double value = want[(i * k + a) * size + i * k + b], share = 0.6;
        c->now[c->at.outer + (size_t)x] = 2 * 0.25 * share * value / (h * start * start);
        c->next[c->at.outer + (size_t)x] = 2 * 0.75 * share * value / (h * end * end);
        double skew = a < b ? 0.2 : a > b ? -0.2 : 0;
        kernel_case_row(c, c->next, i, VISITS)[x] = ((1 - share) * value + skew) / (h * end);
    }
}

static const double *factor_block(const kernels *kern, int i, int j)
{
    return kern->L + ((size_t)i * (size_t)kern->steps + (size_t)j) * (size_t)(kern->k * kern->k);
}

/* Entry (a, b) of sum_l L_il L_jl^T */
static double factored(const kernels *kern, int i, int j, int a, int b)
{
    int k = kern->k;
    double sum = 0;
    for (int l = 0; l <= j; l++)
        for (int x = 0; x < k; x++)
            sum += factor_block(kern, i, l)[a * k + x] * factor_block(kern, j, l)[b * k + x];
    return sum;
}

static void check_diagonal_blocks(const kernels *kern)
{
    int k = kern->k;
    for (int i = 0; i < kern->steps; i++) {
        double block[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX];
        memcpy(block, factor_block(kern, i, i), sizeof(double) * (size_t)(k * k));
        for (int a = 0; a < k; a++)
            for (int b = 0; b < a; b++)
                check_near(block[a * k + b], block[b * k + a], 1e-14, "L_%d%d is symmetric", i, i);
        assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', k, block, k, values), 0);
        check_between(values[0], -1e-14, INFINITY, "lowest eigenvalue of L_%d%d", i, i);
    }
}

static kernel_case factor_case(int k, int steps, int drift)
{
    return kernel_case_new((kernel_case_plan){.k = k,
                                              .kstar = 1,
                                              .steps = steps,
                                              .drift = drift,
                                              .delta = 1.45,
                                              .horizon = 2.1,
                                              .grading = 1.3,
                                              .eta = "0.9/(1 + 0.3*t)"});
}

static void check_factor(int k, int drift)
{
    enum { STEPS = 12 };
    kernel_case c = factor_case(k, STEPS, drift);
    int size = k * STEPS;
    double *want = covariance((uint64_t)(10 + k), size, 2 * size);
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < STEPS; i++) {
        averages_of(&c, i, want);
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
    }
    for (int i = 0; i < STEPS; i++)
        for (int j = 0; j <= i; j++)
            for (int x = 0; x < k * k; x++)
                /* a smooth process has an independent part of 1e-9 on the diagonal */
                check_near(factored(c.kern, i, j, x / k, x % k), want[(i * k + x / k) * size + j * k + x % k],
                           drift && i == j ? 1e-8 : 1e-12, "k = %d, covariance of cells %d and %d, entry %d", k, i, j,
                           x);
    check_diagonal_blocks(c.kern);
    free(want);
    kernel_case_clear(&c);
}

static void test_factor(void **state)
{
    check_factor(1, 0);
    check_factor(2, 0);
    check_factor(3, 0);
    check_factor(3, 1);
}

/* The bridge is the root of delta eta^2 E g g^T, the white part alone; a drift has none. */
static void test_bridge(void **state)
{
    for (int drift = 0; drift < 2; drift++) {
        kernel_case c = factor_case(3, 6, drift);
        double *want = covariance(31, 18, 36);
        kernels_start(c.kern, &c.at, c.now);
        for (int i = 0; i < 6; i++) {
            averages_of(&c, i, want);
            kernels_advance(c.kern, i, &c.at, c.now, c.next);
            const double *root = c.kern->bridge + 9 * i;
            for (int x = 0; x < 9; x++) {
                double square = 0, value = want[(i * 3 + x / 3) * 18 + i * 3 + x % 3];
                for (int l = 0; l < 3; l++)
                    square += root[x / 3 * 3 + l] * root[x % 3 * 3 + l];
                check_near(square, drift ? 0 : 1.45 * 0.6 * value / c.grid->h[i], 1e-12, "cell %d, entry %d", i, x);
            }
        }
        free(want);
        kernel_case_clear(&c);
    }
}

/* Sampling noise that makes the covariance indefinite: the factor stays real. */
static void check_indefinite(int k, uint64_t item)
{
    enum { STEPS = 16 };
    kernel_case c = factor_case(k, STEPS, 0);
    int size = k * STEPS;
    double *want = covariance(item, size, 3), *noise = memory_doubles((size_t)(size * size));
    assert_non_null(noise);
    kernel_case_normals(item + 1, (size_t)(size * size), noise);
    for (int i = 0; i < size; i++)
        for (int j = 0; j <= i; j++) {
            want[i * size + j] += 0.2 * noise[i * size + j];
            want[j * size + i] = want[i * size + j];
        }
    double *copy = memory_doubles((size_t)(size * size)), *values = memory_doubles((size_t)size);
    memcpy(copy, want, sizeof(double) * (size_t)(size * size));
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', size, copy, size, values), 0);
    check_between(values[0], -INFINITY, -0.5, "lowest eigenvalue: the test is one");
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < STEPS; i++) {
        averages_of(&c, i, want);
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
        for (int j = 0; j <= i; j++)
            for (int x = 0; x < k * k; x++)
                assert_true(isfinite(factor_block(c.kern, i, j)[x]));
    }
    check_diagonal_blocks(c.kern);
    free(want);
    free(noise);
    free(copy);
    free(values);
    kernel_case_clear(&c);
}

static void test_indefinite(void **state)
{
    for (uint64_t trial = 0; trial < 10; trial++) {
        check_indefinite(1, 1000 + 2 * trial);
        check_indefinite(2, 2000 + 2 * trial);
        check_indefinite(3, 3000 + 2 * trial);
    }
}

/* V_ij = - sqrt(delta) sum_{c=j}^{i-1} (R_ic + R_i,c+1) / 2 L_cj */
static void test_field_row(void **state)
{
    enum { STEPS = 7, K = 2 };
    kernel_case c = factor_case(K, STEPS, 0);
    double *want = covariance(57, K * STEPS, 3 * K * STEPS);
    static const double gamma[4] = {0.8, 0.25, -0.1, 0.6};
    memcpy(c.now + c.at.gamma, gamma, sizeof gamma);
    memcpy(c.next + c.at.gamma, gamma, sizeof gamma);
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < STEPS; i++) {
        averages_of(&c, i, want);
        kernels_advance(c.kern, i, &c.at, c.now, c.next);
    }
    for (int i = 1; i <= STEPS; i++)
        for (int j = 0; j < i; j++)
            for (int a = 0; a < K; a++)
                for (int b = 0; b < K; b++) {
                    double sum = 0;
                    for (int cell = j; cell < i; cell++)
                        for (int l = 0; l < K; l++) {
                            const double *row = kernels_R(c.kern, a * K + l, i);
                            sum += 0.5 * (row[cell] + row[cell + 1]) * factor_block(c.kern, cell, j)[l * K + b];
                        }
                    check_near(kernels_V(c.kern, i, a)[j * K + b], -sqrt(1.45) * sum, 1e-14, "V_%d%d, entry (%d, %d)",
                               i, j, a, b);
                }
    free(want);
    kernel_case_clear(&c);
}

/* Second moments of a start: a joint covariance of k + kstar normals. */
typedef struct start_moments {
    double q0[9], m0[6], rho[4];
} start_moments;

static start_moments random_start(uint64_t item)
{
    double *joint = covariance(item, 5, 8);
    start_moments s;
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++)
            s.q0[a * 3 + b] = joint[a * 5 + b];
        for (int b = 0; b < 2; b++)
            s.m0[a * 2 + b] = joint[a * 5 + 3 + b];
    }
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++)
            s.rho[a * 2 + b] = joint[(3 + a) * 5 + 3 + b];
    free(joint);
    return s;
}

/* x - y rho^{-1} z^T with x[3][3], y[3][2], z[3][2] */
static void without_teacher(const kernels *kern, const double *x, const double *y, const double *z, double *out)
{
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            out[a * 3 + b] = x[a * 3 + b];
            for (int c = 0; c < 2; c++)
                for (int d = 0; d < 2; d++)
                    out[a * 3 + b] -= y[a * 2 + c] * kern->rho_inverse[c * 2 + d] * z[b * 2 + d];
        }
}

/* The covariance of the fields given the teacher: C(t_j, t_i) - m_j rho^{-1} m_i^T. */
static void check_own_covariance(const kernels *kern, const start_moments *s)
{
    double root[9], *row = memory_doubles(9 * kern->stride);
    assert_non_null(row);
    without_teacher(kern, s->q0, s->m0, s->m0, root);
    assert_int_equal(LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', 3, root, 3), 0);
    root[1] = root[2] = root[5] = 0;
    for (int i = 0; i <= kern->steps; i++) {
        kernels_own_covariance(kern, root, i, row);
        for (int j = 0; j <= i; j++) {
            double C[9], want[9];
            kernels_correlation(kern, s->q0, s->rho, j, i, C);
            without_teacher(kern, C, kern->m + j * 6, kern->m + i * 6, want);
            for (int x = 0; x < 9; x++)
                check_near(row[(size_t)x * kern->stride + (size_t)j], want[x], 1e-10 * (1 + fabs(C[x])),
                           "own covariance of nodes %d and %d, entry %d", j, i, x);
        }
    }
    free(row);
}

/* Whatever the averages are, E (w(t_0), ..., w(t_N), w*) is a covariance. */
static void check_correlation(uint64_t item, int drift)
{
    enum { STEPS = 9, K = 3, KSTAR = 2, SIZE = K * (STEPS + 1) + KSTAR };
    start_moments s = random_start(item);
    kernel_case c = kernel_case_new((kernel_case_plan){.k = K,
                                                       .kstar = KSTAR,
                                                       .steps = STEPS,
                                                       .drift = drift,
                                                       .delta = 0.9,
                                                       .lambda = 0.2,
                                                       .horizon = 1.5,
                                                       .eta = "0.7",
                                                       .m0 = s.m0,
                                                       .rho = s.rho});
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < STEPS; i++) {
        kernel_case_normals(item + 10 * (uint64_t)i, c.at.size, c.now);
        kernel_case_normals(item + 10 * (uint64_t)i + 5, c.at.size, c.next);
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
    }
    double *all = memory_doubles(SIZE * SIZE), values[SIZE];
    for (int i = 0; i <= STEPS; i++)
        for (int j = 0; j <= STEPS; j++) {
            double block[9], mirror[9];
            kernels_correlation(c.kern, s.q0, s.rho, i, j, block);
            kernels_correlation(c.kern, s.q0, s.rho, j, i, mirror);
            for (int x = 0; x < 9; x++) {
                all[(i * K + x / 3) * SIZE + j * K + x % 3] = block[x];
                check_near(block[x], mirror[x % 3 * 3 + x / 3], 1e-11 * (1 + fabs(block[x])), "C_%d%d is symmetric", i,
                           j);
            }
        }
    for (int i = 0; i <= STEPS; i++)
        for (int x = 0; x < K * KSTAR; x++) {
            int row = i * K + x / KSTAR, column = K * (STEPS + 1) + x % KSTAR;
            all[row * SIZE + column] = all[column * SIZE + row] = c.kern->m[i * K * KSTAR + x];
        }
    for (int x = 0; x < 4; x++)
        all[(K * (STEPS + 1) + x / 2) * SIZE + K * (STEPS + 1) + x % 2] = s.rho[x];
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', SIZE, all, SIZE, values), 0);
    check_between(values[0], -1e-12 * values[SIZE - 1], INFINITY, "lowest eigenvalue of the covariance");
    check_own_covariance(c.kern, &s);
    free(all);
    kernel_case_clear(&c);
}

static void test_correlation(void **state)
{
    for (uint64_t trial = 0; trial < 12; trial++)
        check_correlation(5000 + 200 * trial, trial % 3 == 2);
}

/* At the start the correlation is the given one. */
static void test_correlation_at_start(void **state)
{
    start_moments s = random_start(77);
    kernel_case c = kernel_case_new((kernel_case_plan){
        .k = 3, .kstar = 2, .steps = 4, .delta = 2, .horizon = 1, .eta = "1", .m0 = s.m0, .rho = s.rho});
    double block[9];
    kernels_correlation(c.kern, s.q0, s.rho, 0, 0, block);
    for (int x = 0; x < 9; x++)
        check_near(block[x], s.q0[x], 1e-14, "C(0, 0), entry %d", x);
    kernel_case_clear(&c);
}

int main(void)
{
    omp_set_num_threads(1); /* LAPACK starts threads for the smallest matrices */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_factor),      cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_indefinite),  cmocka_unit_test(test_field_row),
        cmocka_unit_test(test_correlation), cmocka_unit_test(test_correlation_at_start),
    };
    return cmocka_run_group_tests_name("innovations", tests, NULL, NULL);
}
