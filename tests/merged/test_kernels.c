/* Rows and covariances over the cells of a merged history: what merging leaves unchanged, and what an accepted step
   adds. */
#include "merged_case.h"

enum { K = CASE_K, KK = CASE_KK, CELLS = 4, PAIR = 1, N = CELLS * MOMENTS * K };
static const int NODES[CELLS + 1] = {0, 1, 2, 4, 5};

/* Random rows, but for the pair on which R is one line (`straight`) or two. */
static void make_row(const merged_case *c, uint64_t item, int straight)
{
    merged_kernels *kern = c->kern;
    double ends[4][KK];
    merged_case_normals(item, (size_t)(K * kern->features), 0.7, kern->R);
    merged_case_normals(item + 1, 4 * KK, 0.5, ends[0]);
    const merged_cell *cell = kern->cells.cell + PAIR;
    double share = (cell[0].end - cell[0].start) / (cell[1].end - cell[0].start);
    for (int x = 0; x < KK && straight; x++)
        ends[1][x] = ends[2][x] = ends[0][x] + share * (ends[3][x] - ends[0][x]);
    merged_case_line(c, kern->R, PAIR, ends[0], ends[1]);
    merged_case_line(c, kern->R, PAIR + 1, ends[2], ends[3]);
    merged_case_normals(item + 2, KK, 0.5, kern->F);
    merged_case_normals(item + 3, KK, 0.5, kern->mark[0].R);
}

static void make_history(merged_case *c)
{
    merged_case_cells(c, CELLS, NODES);
    merged_case_covariance(c, 1, N, c->kern->S);
    merged_case_covariance(c, 2, N, c->kern->gram);
}

/* Merges the pair as the solver does. */
static void merge(merged_case *c)
{
    const merged_cell *cell = c->kern->cells.cell + PAIR;
    moment_map map = moment_map_of((cell[0].end - cell[0].start) / (cell[1].end - cell[0].start));
    merged_kernels_merge(c->kern, PAIR, &map);
    cell_list_merge(&c->kern->cells, PAIR);
}

static double distance(int n, const double *x, const double *y)
{
    double largest = 0;
    for (int i = 0; i < n; i++)
        largest = fmax(largest, fabs(x[i] - y[i]));
    return largest;
}

/* (7) with random rows, written out: C = R0 q0 R0^T + R0 m0 F^T + F m0^T R0^T + F rho F^T + delta R S R^T. */
static void test_correlation(void **state)
{
    merged_case c = merged_case_new(0, 1);
    double got[KK], want[KK] = {0}, start[KK];
    make_history(&c);
    make_row(&c, 10, 0);
    const double *R0 = c.kern->mark[0].R, *F = c.kern->F;
    for (int a = 0; a < K; a++)
        for (int b = 0; b < K; b++) {
            for (int l = 0; l < K; l++)
                for (int m = 0; m < K; m++)
                    want[a * K + b] += R0[a * K + l] * CASE_Q0[l * K + m] * R0[b * K + m] +
                                       R0[a * K + l] * CASE_M0[l * K + m] * F[b * K + m] +
                                       F[a * K + m] * CASE_M0[l * K + m] * R0[b * K + l] +
                                       F[a * K + l] * CASE_RHO[l * K + m] * F[b * K + m];
            for (int e = 0; e < N; e++)
                for (int f = 0; f < N; f++)
                    want[a * K + b] += CASE_DELTA * c.kern->R[a * c.kern->features + e] *
                                       c.kern->S[e * c.kern->features + f] * c.kern->R[b * c.kern->features + f];
        }
    merged_correlation(c.kern, 0, got);
    merged_correlation_start(c.kern, 0, start);
    for (int a = 0; a < K; a++)
        for (int b = 0; b < K; b++) {
            check_near(got[a * K + b], want[a * K + b], 1e-12, "C(t, t), component %d %d", a, b);
            double with_start = 0;
            for (int l = 0; l < K; l++)
                with_start += R0[a * K + l] * CASE_Q0[l * K + b] + F[a * K + l] * CASE_M0[b * K + l];
            check_near(start[a * K + b], with_start, 1e-13, "C(t, 0), component %d %d", a, b);
        }
    merged_case_clear(&c);
}

/* A mark that is just set has C(t, t) itself. Later, as long as R(t, .) is a line on the pair, merging changes neither
   C(t, t) nor C(t, s), whatever R(s, .) is; with a corner between the two cells it does. */
static void test_merge(void **state)
{
    for (int straight = 0; straight < 2; straight++) {
        merged_case c = merged_case_new(0, 1);
        double before[2][KK], after[2][KK], was[KK];
        make_history(&c);
        make_row(&c, 20, 0);
        merged_kernels_mark(c.kern, c.grid->t[5]);
        merged_correlation(c.kern, 0, before[0]);
        merged_mark_correlation(c.kern, 1, before[1]);
        check_near(distance(KK, before[0], before[1]), 0, 1e-13, "C(s, s) of a mark");
        make_row(&c, 30, straight);
        merged_case_line(&c, c.kern->Q, PAIR, (double[]){1, 0, 0, 0}, (double[]){2, 0, 0, 0});
        merged_case_line(&c, c.kern->Q, PAIR + 1, (double[]){5, 0, 0, 0}, (double[]){5, 0, 0, 0});
        const merged_cell *pair = c.kern->cells.cell + PAIR;
        double share = (pair[0].end - pair[0].start) / (pair[1].end - pair[0].start);
        double Q = share * 1.5 + (1 - share) * 5;
        merged_correlation(c.kern, 0, before[0]);
        merged_mark_correlation(c.kern, 1, before[1]);
        for (int x = 0; x < KK; x++)
            was[x] = merged_case_value(&c, c.kern->R, x / K, x % K, PAIR, 0.5);
        merge(&c);
        assert_int_equal(c.kern->cells.n, CELLS - 1);
        merged_correlation(c.kern, 0, after[0]);
        merged_mark_correlation(c.kern, 1, after[1]);
        for (int i = 0; i < 2; i++)
            if (straight)
                check_near(distance(KK, before[i], after[i]), 0, 1e-12, "C with %s", i ? "a mark" : "itself");
            else
                check_between(distance(KK, before[i], after[i]), 1e-3, INFINITY, "C of a row with a corner");
        for (int x = 0; x < KK && straight; x++)
            check_near(merged_case_value(&c, c.kern->R, x / K, x % K, PAIR, 0.5 * share), was[x], 1e-13,
                       "R on the pair");
        check_near(*merged_case_at(&c, c.kern->Q, 0, PAIR, 0, 0), Q, 1e-13, "mean of Q over the pair");
        merged_case_clear(&c);
    }
}

/* Both covariances become A S A^T, with the matrix A of the map written out over all features. */
static void test_covariances(void **state)
{
    merged_case c = merged_case_new(0, 1);
    int F = c.kern->features;
    make_history(&c);
    const merged_cell *pair = c.kern->cells.cell + PAIR;
    double left = (pair[0].end - pair[0].start) / (pair[1].end - pair[0].start);
    double A[N - MOMENTS * K][N] = {{0}}, before[2][N][N];
    double *const both[2] = {c.kern->S, c.kern->gram};
    for (int i = 0; i < 2; i++)
        for (int e = 0; e < N; e++)
            memcpy(before[i][e], both[i] + e * F, sizeof before[i][e]);
    for (int f = 0; f < N - MOMENTS * K; f++) {
        int cell = f / (MOMENTS * K), moment = f / K % MOMENTS, b = f % K;
        if (cell != PAIR) {
            A[f][cell < PAIR ? f : f + MOMENTS * K] = 1;
            continue;
        }
        for (int part = 0; part < 2; part++) {
            int from = MOMENTS * K * (PAIR + part) + b;
            A[f][from] = moment ? sqrt(3) * (part ? left : left - 1) : 1;
            A[f][from + K] = moment ? (part ? 1 - left : left) : 0;
        }
    }
    merge(&c);
    for (int i = 0; i < 2; i++)
        for (int e = 0; e < N - MOMENTS * K; e++)
            for (int f = 0; f < N - MOMENTS * K; f++) {
                double want = 0;
                for (int x = 0; x < N; x++)
                    for (int y = 0; y < N; y++)
                        want += A[e][x] * before[i][x][y] * A[f][y];
                check_near(both[i][e * F + f], want, 1e-12, "covariance %d of %d and %d", i, e, f);
            }
    merged_case_clear(&c);
}

/* An accepted step: rows change places, the cell and the covariances of its kicks are added, and a mark learns its
   covariance with the new innovations, of which b times the old ones are known. */
static void test_accept(void **state)
{
    enum { NEW = MOMENTS * K, I = 5 };
    merged_case c = merged_case_new(0, 1);
    merged_kernels *kern = c.kern;
    int F = kern->features;
    double *gram = memory_doubles((size_t)(NEW * F)), onto[K][N];
    assert_non_null(gram);
    make_history(&c);
    make_row(&c, 40, 0);
    merged_kernels_mark(kern, c.grid->t[5]);
    for (int a = 0; a < K; a++)
        memcpy(onto[a], kern->mark[1].onto + a * F, sizeof onto[a]);
    merged_case_normals(50, (size_t)(NEW * F), 0.3, kern->b);
    merged_case_normals(51, (size_t)(NEW * F), 1, gram);
    merged_case_normals(52, (size_t)(K * F), 1, kern->R_next);
    merged_case_normals(53, KK, 1, kern->end_next);
    double first = kern->R_next[0], end = kern->end_next[3];
    merged_kernels_accept(kern, I, gram);
    assert_int_equal(kern->cells.n, CELLS + 1);
    assert_true(kern->cells.cell[CELLS].start == c.grid->t[I] && kern->cells.cell[CELLS].end == c.grid->t[I + 1]);
    assert_true(kern->R[0] == first && kern->end[3] == end);
    for (int x = 0; x < NEW; x++) {
        for (int f = 0; f < N + NEW; f++) {
            assert_true(f >= N || kern->gram[f * F + N + x] == gram[x * F + f]);
            assert_true(f >= N || kern->gram[(N + x) * F + f] == gram[x * F + f]);
        }
        for (int a = 0; a < K; a++) {
            double want = 0;
            for (int f = 0; f < N; f++)
                want += onto[a][f] * kern->b[x * F + f];
            check_near(kern->mark[1].onto[a * F + N + x], want, 1e-13, "mark with new innovation %d", x);
            check_near(kern->mark[0].onto[a * F + N + x], 0, 0, "start with new innovation %d", x);
        }
    }
    free(gram);
    merged_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_correlation),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_covariances),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests_name("merged kernels", tests, NULL, NULL);
}
