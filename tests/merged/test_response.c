/* The response of a merged history, recovered from averages that are made up from it. */
#include "merged/response.h"

#include "merged_case.h"

enum { K = CASE_K, KK = CASE_KK };

/* The fit is held together by 1e-7 of the mean weight of a node, with eigenvalues of the order of the weight. */
static const double TOLERANCE = 1e-5;

/* For what is not fitted: the grid takes eta at both ends of a cell a little inside it. */
static const double INSIDE = 1e-9;

/* E_A[g U^T] = - sqrt(delta) Q S and E_A[g u^T] = q_0 P over `cells` cells, u = w(0) - m(0) rho^{-1} w*. */
static void make_averages(merged_case *c, int cells, const double *Q, const double *first, double *averages)
{
    int n = MOMENTS * K * cells, F = c->kern->features;
    double inverse[KK], left[KK] = {0};
    for (int a = 0; a < K; a++)
        for (int f = 0; f < n; f++) {
            double sum = 0;
            for (int e = 0; e < n; e++)
                sum -= sqrt(CASE_DELTA) * Q[a * F + e] * c->kern->S[e * F + f];
            merged_case_average(c, averages, f / K, INNOVATION)[a * K + f % K] = sum;
        }
    double *mu = averages + c->at.mu, *gw0 = averages + c->at.gw0;
    merged_case_normals(70, KK, 0.6, mu);
    assert_int_equal(matrix_inverse(K, CASE_RHO, inverse), 0);
    double P[KK];
    memcpy(P, CASE_Q0, sizeof P);
    matrix_add_product(K, 1, CASE_M0, inverse, left);
    matrix_add_product_t(K, -1, left, CASE_M0, P);
    memset(gw0, 0, sizeof P);
    matrix_add_product(K, 1, first, P, gw0);
    memset(left, 0, sizeof left);
    matrix_add_product(K, 1, mu, inverse, left);
    matrix_add_product_t(K, 1, left, CASE_M0, gw0);
}

/* Rows at t_i that the new ones do not know. */
static void make_old_rows(merged_case *c)
{
    merged_kernels *kern = c->kern;
    size_t count = (size_t)(K * kern->features);
    merged_case_normals(71, count, 0.5, kern->R);
    merged_case_normals(72, count, 0.5, kern->Q);
    merged_case_normals(73, KK, 0.5, kern->end);
    merged_case_normals(74, KK, 0.4, c->now + c->at.mu);
    merged_case_normals(75, KK, 0.4, kern->m);
    for (int j = 0; j < kern->n_marks; j++) {
        merged_case_normals(76 + (uint64_t)j, KK, 0.5, kern->mark[j].R);
        merged_case_normals(86 + (uint64_t)j, KK, 0.5, kern->mark[j].Q);
    }
}

/* One step of the trapezoid rule for dx/dt = - lambda x - delta eta q, written for eta at both ends of the cell. */
static double step(const merged_case *c, int i, double x, double q, double q_next)
{
    double h = c->grid->h[i], start = 0.8 / (1 + 0.3 * c->grid->t[i]), end = 0.8 / (1 + 0.3 * c->grid->t[i + 1]);
    return (x - 0.5 * h * (CASE_LAMBDA * x + CASE_DELTA * (start * q + end * q_next))) / (1 + 0.5 * h * CASE_LAMBDA);
}

/* Values of a line at both ends in the newest cell, from coefficients. */
static void check_newest(const merged_case *c, int cell)
{
    for (int x = 0; x < KK; x++) {
        check_near(merged_case_value(c, c->kern->R_next, x / K, x % K, cell, 0), c->kern->within[x], 1e-13,
                   "R at the beginning of the newest cell");
        check_near(merged_case_value(c, c->kern->R_next, x / K, x % K, cell, 1), x % (K + 1) == 0, 1e-13, "R(t, t)");
    }
}

/* Visits that are independent of each other. Cells 0, which is merged, 1 and 2 are accepted, 3 is the newest one; Q is
   the broken line through q at their ends. */
static void test_recovered(void **state)
{
    enum { CELLS = 3, I = 4, ALL = CELLS + 1 };
    for (int smooth = 0; smooth < 2; smooth++) {
        merged_case c = merged_case_new(0, smooth);
        merged_kernels *kern = c.kern;
        double q[ALL + 1][KK], mark[3];
        double *Q = memory_doubles((size_t)(K * kern->features));
        assert_non_null(Q);
        merged_case_cells(&c, CELLS, (const int[]){0, 2, 3, 4});
        merged_case_covariance(&c, 60, MOMENTS * K * ALL, kern->S);
        merged_case_normals(61, (ALL + 1) * KK, 0.8, q[0]);
        for (int cell = 0; cell < ALL; cell++)
            merged_case_line(&c, Q, cell, q[cell], q[cell + 1]);
        merged_kernels_mark(kern, c.grid->t[1]);
        merged_kernels_mark(kern, c.grid->t[3]);
        make_old_rows(&c);
        make_averages(&c, ALL, Q, q[0], c.next);
        /* where it jumps, E[G] is incomplete and must not be used */
        for (int x = 0; x < KK; x++)
            c.next[c.at.gamma + (size_t)x] = smooth ? q[ALL][x] : 17;
        assert_false(isnan(response_merged(kern, I, &c.at, c.now, c.next)));
        for (int a = 0; a < K; a++)
            for (int f = 0; f < MOMENTS * K * ALL; f++)
                check_near(kern->Q_next[a * kern->features + f], Q[a * kern->features + f], TOLERANCE,
                           "Q, line %d, feature %d, %d", a, f, smooth);
        /* mark 0 is s = 0, mark 1 a time within cell 0, mark 2 the beginning of cell 2 */
        double u = c.grid->t[1] / c.grid->t[2];
        for (int x = 0; x < KK; x++) {
            check_near(kern->end_next[x], q[ALL][x], TOLERANCE, "Q(t, t)");
            check_near(kern->within[x], step(&c, I, x % (K + 1) == 0, kern->end[x], q[CELLS][x]), TOLERANCE,
                       "R(t_{i+1}, t_i)");
            mark[0] = q[0][x];
            mark[1] = (1 - u) * q[0][x] + u * q[1][x];
            mark[2] = q[2][x];
            for (int j = 0; j < 3; j++) {
                check_near(kern->mark[j].Q_next[x], mark[j], TOLERANCE, "Q of mark %d", j);
                check_near(kern->mark[j].R_next[x], step(&c, I, kern->mark[j].R[x], kern->mark[j].Q[x], mark[j]),
                           TOLERANCE, "R of mark %d", j);
            }
        }
        for (int a = 0; a < K; a++)
            for (int f = 0; f < MOMENTS * K * CELLS; f++) {
                int x = a * kern->features + f;
                check_near(kern->R_next[x], step(&c, I, kern->R[x], kern->Q[x], Q[x]), TOLERANCE, "R, feature %d", f);
            }
        check_newest(&c, CELLS);
        free(Q);
        merged_case_clear(&c);
    }
}

/* m by (3), and F with F rho = m - R_0 m(0). */
static void test_overlap(void **state)
{
    enum { CELLS = 3, I = 4, ALL = CELLS + 1 };
    merged_case c = merged_case_new(0, 1);
    merged_kernels *kern = c.kern;
    double *Q = memory_doubles((size_t)(K * kern->features)), F_rho[KK] = {0}, want[KK];
    assert_non_null(Q);
    merged_case_cells(&c, CELLS, (const int[]){0, 2, 3, 4});
    merged_case_covariance(&c, 60, MOMENTS * K * ALL, kern->S);
    make_old_rows(&c);
    make_averages(&c, ALL, Q, Q, c.next);
    response_merged(kern, I, &c.at, c.now, c.next);
    for (int x = 0; x < KK; x++)
        check_near(kern->m_next[x], step(&c, I, kern->m[x], c.now[c.at.mu + (size_t)x], c.next[c.at.mu + (size_t)x]),
                   INSIDE, "m");
    matrix_add_product(K, 1, kern->F_next, CASE_RHO, F_rho);
    memcpy(want, kern->m_next, sizeof want);
    matrix_add_product(K, -1, kern->mark[0].R_next, CASE_M0, want);
    for (int x = 0; x < KK; x++)
        check_near(F_rho[x], want[x], 1e-13, "F rho");
    free(Q);
    merged_case_clear(&c);
}

/* R_next = (1 + h/2 lambda + h/2 delta eta gamma)^{-1} (R - h/2 (lambda R + delta eta Q)). */
static void step_unvisited(const merged_case *c, int i, const double *gamma, const double *R, const double *Q,
                           double *next)
{
    double h = c->grid->h[i], start = 0.8 / (1 + 0.3 * c->grid->t[i]), end = 0.8 / (1 + 0.3 * c->grid->t[i + 1]);
    double matrix[KK];
    for (int x = 0; x < KK; x++) {
        matrix[x] = 0.5 * h * CASE_DELTA * end * gamma[x] + (x % (K + 1) == 0 ? 1 + 0.5 * h * CASE_LAMBDA : 0);
        next[x] = R[x] - 0.5 * h * (CASE_LAMBDA * R[x] + CASE_DELTA * start * Q[x]);
    }
    assert_int_equal(matrix_solve(K, matrix, K, next), 0);
}

/* A process with epochs: in that of t, cells 2 and 3 and the newest one, Q(t, .) = E_A[G] R(t, .), whatever the
   averages there are; before it, Q is recovered as a broken line with a known end. */
static void test_epoch(void **state)
{
    enum { SINCE = 2, CELLS = 4, ALL = CELLS + 1, I = 6 };
    merged_case c = merged_case_new(1, 1);
    merged_kernels *kern = c.kern;
    double q[SINCE + 1][KK], gamma[KK], first[KK], identity[KK] = {1, 0, 0, 1}, within[KK];
    size_t count = (size_t)(K * kern->features);
    double *Q = memory_doubles(count), *R = memory_doubles(count);
    assert_true(Q && R);
    /* node 4 is t = 1, at which the second epoch begins */
    check_near(c.grid->t[4], 1, 1e-12, "beginning of the epoch");
    merged_case_cells(&c, CELLS, (const int[]){0, 2, 4, 5, 6});
    assert_int_equal(merged_visited_before(kern, I), SINCE);
    merged_case_covariance(&c, 62, MOMENTS * K * ALL, kern->S);
    merged_kernels_mark(kern, c.grid->t[4]);
    make_old_rows(&c);
    merged_case_normals(63, KK, 0.5, gamma);
    merged_case_normals(64, (SINCE + 1) * KK, 0.8, q[0]);
    for (int cell = SINCE; cell < CELLS; cell++)
        for (int m = 0; m < MOMENTS; m++) {
            double old[KK], old_Q[KK], next[KK];
            for (int x = 0; x < KK; x++) {
                old[x] = *merged_case_at(&c, kern->R, x / K, cell, m, x % K);
                old_Q[x] = *merged_case_at(&c, kern->Q, x / K, cell, m, x % K);
            }
            step_unvisited(&c, I, gamma, old, old_Q, next);
            for (int x = 0; x < KK; x++)
                *merged_case_at(&c, R, x / K, cell, m, x % K) = next[x];
        }
    step_unvisited(&c, I, gamma, identity, kern->end, within);
    merged_case_line(&c, R, CELLS, within, identity);
    for (int x = 0; x < KK; x++) {
        first[x] = merged_case_value(&c, R, x / K, x % K, SINCE, 0);
        q[SINCE][x] = 0;
    }
    matrix_add_product(K, 1, gamma, first, q[SINCE]);
    for (int cell = 0; cell < SINCE; cell++)
        merged_case_line(&c, Q, cell, q[cell], q[cell + 1]);
    for (int a = 0; a < K; a++)
        for (int f = MOMENTS * K * SINCE; f < MOMENTS * K * ALL; f++)
            for (int l = 0; l < K; l++)
                Q[a * kern->features + f] += gamma[a * K + l] * R[l * kern->features + f];
    make_averages(&c, ALL, Q, q[0], c.next);
    memcpy(c.next + c.at.gamma, gamma, sizeof gamma);
    for (int group = MOMENTS * SINCE; group < MOMENTS * ALL; group++)
        merged_case_normals(65, KK, 9, merged_case_average(&c, c.next, group, INNOVATION));
    assert_false(isnan(response_merged(kern, I, &c.at, c.now, c.next)));
    for (int a = 0; a < K; a++)
        for (int f = 0; f < MOMENTS * K * ALL; f++) {
            int x = a * kern->features + f;
            check_near(kern->Q_next[x], Q[x], f < MOMENTS * K * SINCE ? TOLERANCE : INSIDE, "Q, feature %d", f);
            check_near(kern->R_next[x], f < MOMENTS * K * SINCE ? step(&c, I, kern->R[x], kern->Q[x], Q[x]) : R[x],
                       f < MOMENTS * K * SINCE ? TOLERANCE : INSIDE, "R, feature %d", f);
        }
    check_newest(&c, CELLS);
    /* the mark at the beginning of the epoch is in it, s = 0 is not */
    double marked[KK], marked_Q[KK] = {0};
    step_unvisited(&c, I, gamma, kern->mark[1].R, kern->mark[1].Q, marked);
    matrix_add_product(K, 1, gamma, marked, marked_Q);
    for (int x = 0; x < KK; x++) {
        check_near(kern->end_next[x], gamma[x], 0, "Q(t, t)");
        check_near(kern->mark[1].R_next[x], marked[x], INSIDE, "R of the mark");
        check_near(kern->mark[1].Q_next[x], marked_Q[x], INSIDE, "Q of the mark");
        check_near(kern->mark[0].Q_next[x], q[0][x], TOLERANCE, "Q(t, 0)");
    }
    free(Q);
    free(R);
    merged_case_clear(&c);
}

/* Q once more from the averages just after a node. */
static void test_renewed(void **state)
{
    enum { CELLS = 3 };
    for (int smooth = 0; smooth < 2; smooth++) {
        merged_case c = merged_case_new(0, smooth);
        merged_kernels *kern = c.kern;
        double q[CELLS + 1][KK], *Q = memory_doubles((size_t)(K * kern->features));
        assert_non_null(Q);
        merged_case_cells(&c, CELLS, (const int[]){0, 2, 3, 4});
        merged_case_covariance(&c, 66, MOMENTS * K * CELLS, kern->S);
        merged_case_normals(67, (CELLS + 1) * KK, 0.8, q[0]);
        for (int cell = 0; cell < CELLS; cell++)
            merged_case_line(&c, Q, cell, q[cell], q[cell + 1]);
        merged_kernels_mark(kern, c.grid->t[2]);
        make_averages(&c, CELLS, Q, q[0], c.next);
        for (int x = 0; x < KK; x++)
            c.next[c.at.gamma + (size_t)x] = smooth ? q[CELLS][x] : 17;
        response_merged_renew(kern, &c.at, c.next);
        for (int a = 0; a < K; a++)
            for (int f = 0; f < MOMENTS * K * CELLS; f++)
                check_near(kern->Q[a * kern->features + f], Q[a * kern->features + f], TOLERANCE, "Q, feature %d", f);
        for (int x = 0; x < KK; x++) {
            check_near(kern->end[x], q[CELLS][x], TOLERANCE, "Q(t, t)");
            check_near(kern->mark[0].Q[x], q[0][x], TOLERANCE, "Q(t, 0)");
            check_near(kern->mark[1].Q[x], q[1][x], TOLERANCE, "Q of a mark");
        }
        free(Q);
        merged_case_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovered),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_epoch),
        cmocka_unit_test(test_renewed),
    };
    return cmocka_run_group_tests_name("merged response", tests, NULL, NULL);
}
