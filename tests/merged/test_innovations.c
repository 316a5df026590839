/* The innovation of the newest cell of a merged history: its covariances with older ones, and its own. */
#include "merged/innovations.h"

#include "merged_case.h"

enum { K = CASE_K, KK = CASE_KK, CELLS = 3, I = 4, N = CELLS * MOMENTS * K, NEW = MOMENTS * K };

/* What an innovation is made from: S, the covariance of the kicks, and averages at both ends. `weight` is the size of
   E_A[g K^T]. */
static merged_case make_case(double weight, int same)
{
    merged_case c = merged_case_new(0, 1);
    merged_case_cells(&c, CELLS, (const int[]){0, 2, 3, 4});
    merged_case_covariance(&c, 110, N, c.kern->S);
    merged_case_covariance(&c, same ? 110 : 111, N, c.kern->gram);
    double *const averages[2] = {c.now, c.next};
    for (int end = 0; end < 2; end++) {
        for (int group = 0; group < MOMENTS * (CELLS + 1); group++)
            merged_case_normals((uint64_t)(120 + 20 * end + group), KK, weight,
                                merged_case_average(&c, averages[end], group, VISITS));
        double *outer = averages[end] + c.at.outer;
        outer[0] = 1.2 + 0.3 * end;
        outer[1] = outer[2] = 0.4 - 0.1 * end;
        outer[3] = 0.8 + 0.2 * end;
    }
    return c;
}

/* y(t) at place u of the cell, times eta: the line between eta y at both ends, y = E_A[g K^T] M^{-1} with M = S. */
static void predicted_rate(const merged_case *c, double u, double *rate)
{
    int F = c->kern->features;
    double *const averages[2] = {c->now, c->next};
    memset(rate, 0, sizeof(double) * K * N);
    for (int end = 0; end < 2; end++) {
        double matrix[N * N], y[N * K], eta = end ? c->grid->eta_end[I] : c->grid->eta_start[I];
        for (int f = 0; f < N; f++) {
            for (int e = 0; e < N; e++)
                matrix[f * N + e] = c->kern->S[f * F + e];
            for (int a = 0; a < K; a++)
                y[f * K + a] = merged_case_average(c, averages[end], f / K, VISITS)[a * K + f % K];
        }
        assert_int_equal(matrix_solve(N, matrix, K, y), 0);
        for (int a = 0; a < K; a++)
            for (int f = 0; f < N; f++)
                rate[a * N + f] += (end ? u : 1 - u) * eta * y[f * K + a];
    }
}

/* Moments of lines and of their products with two polynomials need three Gauss points. */
enum { POINTS = 3 };
static const double PLACE[POINTS] = {0.1127016653792583, 0.5, 0.8872983346207417};
static const double WEIGHT[POINTS] = {5.0 / 18, 8.0 / 18, 5.0 / 18};

static double phi(int m, double u)
{
    return m ? sqrt(3) * (2 * u - 1) : 1;
}

/* b has the moments of the predicted rate; S of the newest cell with the old ones is b S. */
static void test_predicted(void **state)
{
    for (int same = 0; same < 2; same++) {
        merged_case c = make_case(0.1, same);
        int F = c.kern->features;
        double want[NEW][N] = {{0}}, rate[K * N];
        for (int i = 0; i < POINTS; i++) {
            predicted_rate(&c, PLACE[i], rate);
            for (int m = 0; m < MOMENTS; m++)
                for (int x = 0; x < K * N; x++)
                    want[m * K + x / N][x % N] += c.grid->h[I] * WEIGHT[i] * phi(m, PLACE[i]) * rate[x];
        }
        assert_false(isnan(innovations_merged(c.kern, I, &c.at, c.now, c.next)));
        for (int x = 0; x < NEW; x++)
            for (int f = 0; f < N; f++) {
                double with = 0;
                /* where the kicks have the covariance of the innovations, M is that, but for 1e-10 of its diagonal */
                if (same)
                    check_near(c.kern->b[x * F + f], want[x][f], 1e-9, "b, row %d, feature %d", x, f);
                for (int e = 0; e < N; e++)
                    with += c.kern->b[x * F + e] * c.kern->S[e * F + f];
                check_near(c.kern->S[(N + x) * F + f], with, 1e-14, "S of %d with %d", x, f);
                assert_true(c.kern->S[f * F + N + x] == c.kern->S[(N + x) * F + f]);
            }
        merged_case_clear(&c);
    }
}

/* The covariance that the newest innovation is to have: moments of eta^2 E_A[g g^T], which is linear in t, and of what
   visits of the newest cell itself leave in g. */
static void wanted_covariance(const merged_case *c, double *D)
{
    double start = c->grid->eta_start[I], end = c->grid->eta_end[I], h = c->grid->h[I];
    const double *own = merged_case_average(c, c->next, MOMENTS * CELLS, VISITS);
    memset(D, 0, sizeof(double) * NEW * NEW);
    for (int x = 0; x < NEW; x++)
        for (int y = 0; y < NEW; y++) {
            int of = x % K * K + y % K, transposed = y % K * K + x % K;
            for (int i = 0; i < POINTS; i++) {
                double rate = (1 - PLACE[i]) * start * start * c->now[c->at.outer + (size_t)of] +
                              PLACE[i] * end * end * c->next[c->at.outer + (size_t)of];
                D[x * NEW + y] += h * WEIGHT[i] * phi(x / K, PLACE[i]) * phi(y / K, PLACE[i]) * rate;
            }
            if (x < K && y < K)
                D[x * NEW + y] += 0.5 * h * end * (own[of] + own[transposed]);
        }
}

/* S of the newest cell is that covariance, and root root^T what b leaves of it. */
static void test_own_covariance(void **state)
{
    for (int same = 0; same < 2; same++) {
        merged_case c = make_case(0.1, same);
        int F = c.kern->features;
        double D[NEW * NEW], rate[KK];
        wanted_covariance(&c, D);
        assert_false(isnan(innovations_merged(c.kern, I, &c.at, c.now, c.next)));
        for (int x = 0; x < NEW; x++)
            for (int y = 0; y < NEW; y++) {
                double sum = 0;
                for (int l = 0; l < NEW; l++)
                    sum += c.kern->root[x * NEW + l] * c.kern->root[y * NEW + l];
                for (int e = 0; e < N; e++)
                    for (int f = 0; f < N; f++)
                        sum += c.kern->b[x * F + e] * c.kern->S[e * F + f] * c.kern->b[y * F + f];
                check_near(c.kern->S[(N + x) * F + N + y], D[x * NEW + y], 1e-13, "S of %d with %d", x, y);
                check_near(sum, D[x * NEW + y], 1e-13, "b S b^T + root root^T, %d with %d", x, y);
                assert_true(y <= x || c.kern->root[x * NEW + y] == 0);
            }
        /* the white noise of the field in the cell has the mean rate delta eta^2 E_A[g g^T] */
        for (int x = 0; x < KK; x++)
            rate[x] = 0.5 * CASE_DELTA *
                      (pow(c.grid->eta_start[I], 2) * c.now[c.at.outer + (size_t)x] +
                       pow(c.grid->eta_end[I], 2) * c.next[c.at.outer + (size_t)x]);
        matrix_add_product_t(K, -1, c.kern->bridge, c.kern->bridge, rate);
        for (int x = 0; x < KK; x++)
            check_near(rate[x], 0, 1e-13, "rate of the bridge");
        merged_case_clear(&c);
    }
}

/* Averages that no path can have, with more predicted than there is: noise is left in every direction, at least 0.02 of
   the white one, and S is what was drawn. */
static void test_floor(void **state)
{
    merged_case c = make_case(3, 1);
    int F = c.kern->features;
    double D[NEW * NEW], more = 0;
    wanted_covariance(&c, D);
    assert_false(isnan(innovations_merged(c.kern, I, &c.at, c.now, c.next)));
    for (int x = 0; x < NEW; x++) {
        double white = D[(K + x % K) * NEW + K + x % K];
        check_between(pow(c.kern->root[x * NEW + x], 2), 0.02 * white * (1 - 1e-9), INFINITY, "noise of %d", x);
        more = fmax(more, c.kern->S[(N + x) * F + N + x] - D[x * NEW + x]);
        for (int y = 0; y < NEW; y++) {
            double sum = 0;
            for (int l = 0; l < NEW; l++)
                sum += c.kern->root[x * NEW + l] * c.kern->root[y * NEW + l];
            for (int f = 0; f < N; f++)
                sum += c.kern->b[x * F + f] * c.kern->S[f * F + N + y];
            check_near(c.kern->S[(N + x) * F + N + y], sum, 1e-11, "S of %d with %d", x, y);
        }
    }
    check_between(more, 1e-3, INFINITY, "what is predicted too much");
    merged_case_clear(&c);
}

/* Passes of a step with the same averages change nothing, and averages that are no numbers are noticed. */
static void test_passes(void **state)
{
    merged_case c = make_case(0.1, 0);
    size_t bytes = sizeof(double) * (size_t)(c.kern->features * c.kern->features);
    double *S = malloc(bytes);
    assert_non_null(S);
    check_between(innovations_merged(c.kern, I, &c.at, c.now, c.next), 1e-3, INFINITY, "change of the first pass");
    assert_int_equal(c.kern->prepared, 1);
    memcpy(S, c.kern->S, bytes);
    check_near(innovations_merged(c.kern, I, &c.at, c.now, c.next), 0, 1e-14, "change of the second pass");
    assert_memory_equal(S, c.kern->S, bytes);
    merged_case_average(&c, c.next, 1, VISITS)[2] = NAN;
    assert_true(isnan(innovations_merged(c.kern, I, &c.at, c.now, c.next)));
    free(S);
    merged_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predicted),
        cmocka_unit_test(test_own_covariance),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_passes),
    };
    return cmocka_run_group_tests_name("merged innovations", tests, NULL, NULL);
}
