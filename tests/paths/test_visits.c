/* Visit times: a Poisson process of rate 1, whether its waiting times are quasi-random or not. With quasi-random
   numbers the errors are smaller than the standard errors of independent sampling that are used here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paths/visits.h"
#include "process/poisson.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/sample.h"

static const double HORIZON = 2.7;
enum { PATHS = 120000 };

static visit_list draw(uint64_t seed, uint32_t replica, size_t paths, double horizon, unsigned quasi)
{
    sgdmft_context *ctx = check_context(1);
    visit_list list;
    check_ok(ctx, visit_list_draw(ctx, &poisson_visits, seed, replica, paths, horizon, 0, 3, quasi, &list));
    sgdmft_context_free(ctx);
    return list;
}

/* Pseudo-random, some of the waiting times quasi-random, nearly all of them. */
static const unsigned QUASI[3] = {0, 3, 14};

static size_t count_of(const visit_list *list, size_t path)
{
    return list->first[path + 1] - list->first[path];
}

static void test_order(void **state)
{
    for (int q = 0; q < 3; q++) {
        visit_list list = draw(11, 2, 5003, HORIZON, QUASI[q]);
        assert_int_equal(list.paths, 5003);
        assert_int_equal(list.first[0], 0);
        for (size_t p = 0; p < list.paths; p++)
            for (size_t v = list.first[p]; v < list.first[p + 1]; v++) {
                assert_true(list.time[v] > (v > list.first[p] ? list.time[v - 1] : 0));
                assert_true(list.time[v] < HORIZON);
            }
        visit_list_clear(&list);
    }
}

static void test_counts(void **state)
{
    size_t paths = test_scaled(PATHS, 8000);
    for (int q = 0; q < 3; q++) {
        visit_list list = draw(12, 0, paths, HORIZON, QUASI[q]);
        sample count = {0}, square = {0}, none = {0};
        for (size_t p = 0; p < paths; p++) {
            double n = (double)count_of(&list, p);
            sample_add(&count, n);
            sample_add(&square, (n - HORIZON) * (n - HORIZON));
            sample_add(&none, n == 0);
        }
        check_z(count.mean, HORIZON, sample_se(&count), 4, "mean count, %u quasi", QUASI[q]);
        check_z(square.mean, HORIZON, sample_se(&square), 4, "variance of the count, %u quasi", QUASI[q]);
        check_z(none.mean, exp(-HORIZON), sample_se(&none), 4, "no visit at all, %u quasi", QUASI[q]);
        if (QUASI[q] == 14)
            check_near(count.mean, HORIZON, 0.5 * sample_se(&count), "quasi-random numbers reach the visits");
        visit_list_clear(&list);
    }
}

/* More visits than the generator draws at once. */
static void test_long_horizon(void **state)
{
    const double horizon = 90;
    size_t paths = test_scaled(20000, 4000);
    for (int q = 0; q < 3; q++) {
        visit_list list = draw(20, 3, paths, horizon, QUASI[q]);
        sample count = {0}, square = {0};
        for (size_t p = 0; p < paths; p++) {
            double n = (double)count_of(&list, p);
            sample_add(&count, n);
            sample_add(&square, (n - horizon) * (n - horizon));
        }
        check_z(count.mean, horizon, sample_se(&count), 4, "mean count, %u quasi", QUASI[q]);
        check_z(square.mean, horizon, sample_se(&square), 4, "variance of the count, %u quasi", QUASI[q]);
        visit_list_clear(&list);
    }
}

/* Given their number n, visits are n ordered uniform times: mean and variance of each. */
static void test_times_given_count(void **state)
{
    enum { MOST = 5 };
    size_t paths = test_scaled(PATHS, 8000);
    for (int q = 0; q < 3; q++) {
        visit_list list = draw(13, 1, paths, HORIZON, QUASI[q]);
        sample time[MOST + 1][MOST] = {0}, square[MOST + 1][MOST] = {0};
        for (size_t p = 0; p < paths; p++) {
            size_t n = count_of(&list, p);
            for (size_t j = 0; n <= MOST && j < n; j++) {
                double t = list.time[list.first[p] + j], mean = HORIZON * (double)(j + 1) / (double)(n + 1);
                sample_add(&time[n][j], t);
                sample_add(&square[n][j], (t - mean) * (t - mean));
            }
        }
        for (int n = 1; n <= MOST; n++)
            for (int j = 1; j <= n; j++) {
                double mean = HORIZON * j / (n + 1);
                double variance = HORIZON * HORIZON * j * (n - j + 1) / ((n + 1.0) * (n + 1) * (n + 2));
                check_z(time[n][j - 1].mean, mean, sample_se(&time[n][j - 1]), 4, "mean of visit %d of %d, %u quasi", j,
                        n, QUASI[q]);
                check_z(square[n][j - 1].mean, variance, sample_se(&square[n][j - 1]), 4,
                        "variance of visit %d of %d, %u quasi", j, n, QUASI[q]);
            }
        visit_list_clear(&list);
    }
}

/* Counts in equal bins of [0, T], all paths together: chi-squared with as many degrees of freedom as bins. */
static void test_uniform_times(void **state)
{
    enum { BINS = 27 };
    size_t paths = test_scaled(PATHS, 8000);
    for (int q = 0; q < 3; q++) {
        visit_list list = draw(14, 1, paths, HORIZON, QUASI[q]);
        double bin[BINS] = {0}, expected = (double)paths * HORIZON / BINS, chi2 = 0;
        for (size_t v = 0; v < list.first[paths]; v++)
            bin[(int)(list.time[v] / HORIZON * BINS)]++;
        for (int b = 0; b < BINS; b++)
            chi2 += (bin[b] - expected) * (bin[b] - expected) / expected;
        double z = (chi2 - BINS) / sqrt(2.0 * BINS);
        check_between(z, QUASI[q] ? -INFINITY : -4, 4, "chi-squared of the times, %u quasi", QUASI[q]);
        visit_list_clear(&list);
    }
}

/* Numbers of visits in disjoint intervals are independent Poisson variables. */
static void test_disjoint_intervals(void **state)
{
    enum { PARTS = 3 };
    size_t paths = test_scaled(PATHS, 8000);
    for (int q = 0; q < 3; q++) {
        visit_list list = draw(15, 4, paths, HORIZON, QUASI[q]);
        sample variance[PARTS] = {0}, product[PARTS][PARTS] = {0};
        double mean = HORIZON / PARTS;
        for (size_t p = 0; p < paths; p++) {
            double count[PARTS] = {0};
            for (size_t v = list.first[p]; v < list.first[p + 1]; v++)
                count[(int)(list.time[v] / HORIZON * PARTS)]++;
            for (int a = 0; a < PARTS; a++) {
                sample_add(&variance[a], (count[a] - mean) * (count[a] - mean));
                for (int b = 0; b < a; b++)
                    sample_add(&product[a][b], (count[a] - mean) * (count[b] - mean));
            }
        }
        for (int a = 0; a < PARTS; a++) {
            check_z(variance[a].mean, mean, sample_se(&variance[a]), 4, "variance, part %d, %u quasi", a, QUASI[q]);
            for (int b = 0; b < a; b++)
                check_z(product[a][b].mean, 0, sample_se(&product[a][b]), 4, "covariance, parts %d %d, %u quasi", a, b,
                        QUASI[q]);
        }
        visit_list_clear(&list);
    }
}

static void test_determinism(void **state)
{
    for (int q = 0; q < 3; q++) {
        visit_list a = draw(16, 5, 3001, HORIZON, QUASI[q]), b = draw(16, 5, 3001, HORIZON, QUASI[q]);
        visit_list seed = draw(17, 5, 3001, HORIZON, QUASI[q]), replica = draw(16, 6, 3001, HORIZON, QUASI[q]);
        assert_memory_equal(a.first, b.first, sizeof(size_t) * 3002);
        assert_memory_equal(a.time, b.time, sizeof(double) * a.first[3001]);
        assert_true(memcmp(a.time, seed.time, sizeof(double) * 1000) != 0);
        assert_true(memcmp(a.time, replica.time, sizeof(double) * 1000) != 0);
        visit_list_clear(&a);
        visit_list_clear(&b);
        visit_list_clear(&seed);
        visit_list_clear(&replica);
    }
}

/* A longer horizon or more paths add to the visits and change none. */
static void test_extension(void **state)
{
    for (int q = 0; q < 3; q++) {
        visit_list part = draw(18, 0, 2050, HORIZON, QUASI[q]), whole = draw(18, 0, 2600, 60, QUASI[q]);
        for (size_t p = 0; p < part.paths; p++) {
            size_t n = count_of(&part, p), more = count_of(&whole, p);
            assert_true(more >= n);
            assert_memory_equal(part.time + part.first[p], whole.time + whole.first[p], sizeof(double) * n);
            assert_true(more == n || whole.time[whole.first[p] + n] >= HORIZON);
        }
        visit_list_clear(&part);
        visit_list_clear(&whole);
    }
}

/* Averages of different replicas are independent: no correlation of neighbours, and a variance below that of
   independent paths when the numbers are quasi-random. */
static void test_replicas(void **state)
{
    enum { REPLICAS = 200, FEW = 512 };
    for (int q = 0; q < 3; q += 2) {
        sample mean = {0}, product = {0};
        double before = 0;
        for (uint32_t r = 0; r < REPLICAS; r++) {
            visit_list list = draw(19, r, FEW, HORIZON, QUASI[q]);
            double centred = (double)list.first[FEW] / FEW - HORIZON;
            sample_add(&mean, centred);
            if (r > 0)
                sample_add(&product, centred * before);
            before = centred;
            visit_list_clear(&list);
        }
        check_z(mean.mean, 0, sample_se(&mean), 4, "mean count over replicas, %u quasi", QUASI[q]);
        check_z(product.mean, 0, sample_se(&product), 4, "product of neighbouring replicas, %u quasi", QUASI[q]);
        double ratio = sample_variance(&mean) / (HORIZON / FEW);
        check_between(ratio, QUASI[q] ? 0 : 0.65, QUASI[q] ? 0.3 : 1.45, "variance against that of independent paths");
    }
}

/* A law with epochs, whose times depend on the number of the visit: once in each of them, at a time that is uniform and
   independent of the other ones, whichever of the numbers are quasi-random. */
static void test_epochs(void **state)
{
    enum { EPOCHS = 20, FEW = 3 };
    size_t paths = test_scaled(20000, 3000);
    for (int q = 0; q < 3; q++) {
        sgdmft_context *ctx = check_context(1);
        visit_list list;
        check_ok(ctx, visit_list_draw(ctx, epoch_process.visits, 21, 2, paths, EPOCHS, 0, 3, QUASI[q], &list));
        sample place[FEW] = {0}, square[FEW] = {0}, product[FEW] = {0};
        for (size_t p = 0; p < paths; p++) {
            assert_int_equal(count_of(&list, p), EPOCHS);
            const double *time = list.time + list.first[p];
            for (size_t e = 0; e < EPOCHS; e++)
                assert_true(time[e] >= (double)e && time[e] <= (double)(e + 1));
            for (size_t i = 0; i < FEW; i++) {
                size_t e = (size_t[]){1, 14, 19}[i];
                double centred = time[e] - (double)e - 0.5;
                sample_add(&place[i], centred);
                sample_add(&square[i], centred * centred);
                sample_add(&product[i], centred * (time[e - 1] - (double)(e - 1) - 0.5));
            }
        }
        for (int i = 0; i < FEW; i++) {
            check_z(place[i].mean, 0, sample_se(&place[i]), 4, "place in epoch number %d, %u quasi", i, QUASI[q]);
            check_z(square[i].mean, 1.0 / 12, sample_se(&square[i]), 4, "its variance, %u quasi", QUASI[q]);
            check_z(product[i].mean, 0, sample_se(&product[i]), 4, "with the epoch before, %u quasi", QUASI[q]);
        }
        visit_list_clear(&list);
        sgdmft_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),         cmocka_unit_test(test_counts),
        cmocka_unit_test(test_long_horizon),  cmocka_unit_test(test_times_given_count),
        cmocka_unit_test(test_uniform_times), cmocka_unit_test(test_disjoint_intervals),
        cmocka_unit_test(test_determinism),   cmocka_unit_test(test_extension),
        cmocka_unit_test(test_replicas),      cmocka_unit_test(test_epochs),
    };
    return cmocka_run_group_tests_name("visits", tests, NULL, NULL);
}
