/* The order of visits: its law, and that the sample of a visit does not depend on how it is asked for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "validation/simulator/order.h"

static const random_key key = {.seed = 90, .replica = 3, .purpose = 105};

static order new_order(order_kind kind, size_t n, size_t batch)
{
    uint32_t *list = calloc(order_list_length(kind, n, batch) + 1, sizeof *list);
    assert_non_null(list);
    order x = order_of(kind, n, batch, 0, list);
    order_start(&x, key);
    return x;
}

/* Fails unless list[count] has no sample twice and none beyond n. */
static void check_distinct(size_t n, size_t count, const uint32_t *list)
{
    char *seen = calloc(n, 1);
    assert_non_null(seen);
    for (size_t i = 0; i < count; i++) {
        assert_true(list[i] < n && !seen[list[i]]);
        seen[list[i]] = 1;
    }
    free(seen);
}

/* Uniform independent samples: floor(n u) with the uniform number of the visit. */
static void test_single_visits(void **state)
{
    enum { N = 211, VISITS = 3000 };
    uint32_t sample[VISITS];
    double u[VISITS];
    order x = new_order(ORDER_REPLACEMENT, N, 1);
    assert_int_equal(order_list_length(ORDER_REPLACEMENT, N, 1), 0);
    order_samples(&x, 17, VISITS, sample);
    random_uniforms(key, 0, 17, VISITS, u);
    for (size_t v = 0; v < VISITS; v++)
        assert_int_equal(sample[v], (uint32_t)(u[v] * N));
    free(x.list);
}

/* Every sample is in a batch equally often, whichever came before, and so are two given samples together. */
static void test_batches(void **state)
{
    enum { N = 32, BATCH = 9, STEPS = 6000 };
    order x = new_order(ORDER_REPLACEMENT, N, BATCH);
    size_t together = 0;
    double count[N] = {0}, mean = (double)STEPS * BATCH / N, chi2 = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        uint32_t sample[BATCH];
        int first = 0, second = 0;
        order_samples(&x, step * BATCH, BATCH, sample);
        check_distinct(N, BATCH, sample);
        for (size_t b = 0; b < BATCH; b++) {
            count[sample[b]]++;
            first |= sample[b] == 5;
            second |= sample[b] == 23;
        }
        together += first && second;
    }
    double p = (double)BATCH / N, variance = STEPS * p * (1 - p) * N / (N - 1);
    for (size_t i = 0; i < N; i++)
        chi2 += (count[i] - mean) * (count[i] - mean) / variance;
    check_z(chi2, N - 1, sqrt(2.0 * (N - 1)), 4.9, "chi-squared of inclusions");
    double both = p * (BATCH - 1) / (N - 1);
    check_z((double)together / STEPS, both, sqrt(both * (1 - both) / STEPS), 4.9, "two given samples together");
    free(x.list);
}

/* Each epoch is a permutation; places of a sample are uniform, and independent from one epoch to the next. */
static void test_epochs(void **state)
{
    enum { N = 12, EPOCHS = 12000 };
    order x = new_order(ORDER_RESHUFFLE, N, 1);
    double place[N] = {0}, next[N][N] = {{0}}, chi2 = 0, pairs = 0, mean = (double)EPOCHS / N, pair_mean = mean / N;
    size_t before = 0;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint32_t sample[N];
        size_t at = 0;
        order_samples(&x, epoch * N, N, sample);
        check_distinct(N, N, sample);
        while (sample[at] != 7)
            at++;
        place[at]++;
        if (epoch > 0)
            next[before][at]++;
        before = at;
    }
    for (size_t i = 0; i < N; i++) {
        chi2 += (place[i] - mean) * (place[i] - mean) / mean;
        for (size_t j = 0; j < N; j++)
            pairs += (next[i][j] - pair_mean) * (next[i][j] - pair_mean) / pair_mean;
    }
    check_z(chi2, N - 1, sqrt(2.0 * (N - 1)), 4.9, "chi-squared of the places of a sample");
    check_z(pairs, N * N - 1, sqrt(2.0 * (N * N - 1)), 4.9, "chi-squared of its places in two epochs");
    free(x.list);
}

/* Visits asked for one by one, in pieces, again, backward, and after others. */
static void check_repeatable(order_kind kind, size_t n, size_t batch)
{
    enum { VISITS = 2500 };
    uint32_t all[VISITS], some[VISITS];
    order x = new_order(kind, n, batch);
    order_samples(&x, 0, VISITS, all);
    for (size_t first = 0; first + 70 <= VISITS; first += 64) { /* as a chunk of visits that looks ahead */
        order_samples(&x, first, 70, some);
        assert_memory_equal(some, all + first, 70 * sizeof *some);
    }
    for (size_t v = VISITS; v-- > VISITS - 100;) {
        order_samples(&x, v, 1, some);
        assert_int_equal(some[0], all[v]);
    }
    order_samples(&x, 3, 500, some);
    assert_memory_equal(some, all + 3, 500 * sizeof *some);
    order_start(&x, (random_key){.seed = 90, .replica = 4, .purpose = 105});
    order_samples(&x, 0, VISITS, some);
    assert_true(n == 1 || (memcmp(some, all, sizeof all) == 0) == (kind == ORDER_CYCLIC));
    order_start(&x, key);
    order_samples(&x, 0, VISITS, some);
    assert_memory_equal(some, all, sizeof all);
    free(x.list);
}

static void test_repeatable(void **state)
{
    static const size_t n[] = {1, 2, 3, 30, 257, 1000, 4000};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        check_repeatable(ORDER_REPLACEMENT, n[i], 1);
        check_repeatable(ORDER_REPLACEMENT, n[i], (n[i] + 1) / 2);
        check_repeatable(ORDER_REPLACEMENT, n[i], n[i]);
        check_repeatable(ORDER_RESHUFFLE, n[i], 1);
        check_repeatable(ORDER_RESHUFFLE, n[i], (n[i] + 1) / 2);
        check_repeatable(ORDER_CYCLIC, n[i], 1);
        check_repeatable(ORDER_CYCLIC, n[i], (n[i] + 1) / 2);
    }
}

/* The order of an epoch is the same for every batch size. */
static void test_batch_size(void **state)
{
    uint32_t one[900], seven[900];
    order x = new_order(ORDER_RESHUFFLE, 100, 1), y = new_order(ORDER_RESHUFFLE, 100, 7);
    order_samples(&x, 0, 900, one);
    order_samples(&y, 0, 900, seven);
    assert_memory_equal(one, seven, sizeof one);
    free(x.list);
    free(y.list);
}

/* Three epochs that are cut into batches: each has every sample once, and batches are equal up to one sample. */
static void check_cuts(order_kind kind, size_t n, size_t cuts)
{
    enum { EPOCHS = 3, ROOM = 64 };
    size_t least = n / cuts, batch = least + (n % cuts > 0), smaller = 0;
    uint32_t *list = calloc(2 * n, sizeof *list), sample[EPOCHS][ROOM];
    assert_true(list && n <= ROOM);
    order x = order_of(kind, n, batch, cuts, list);
    order_start(&x, key);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        size_t done = 0;
        for (uint64_t step = epoch * cuts; step < (epoch + 1) * cuts; step++) {
            uint64_t first = order_first(&x, step), size = order_first(&x, step + 1) - first;
            assert_true(first == epoch * n + done && (size == least || size == batch));
            smaller += size == least;
            order_samples(&x, first, size, sample[epoch] + done);
            done += size;
        }
        assert_int_equal(done, n);
        check_distinct(n, n, sample[epoch]);
        assert_true(epoch == 0 ||
                    (memcmp(sample[epoch], sample[epoch - 1], n * sizeof **sample) == 0) == (kind == ORDER_CYCLIC));
    }
    assert_int_equal(smaller, EPOCHS * (cuts - n % cuts));
    free(list);
}

static void test_cuts(void **state)
{
    static const size_t n[] = {10, 11, 37, 64}, cuts[] = {1, 2, 3, 5, 7, 10};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        for (size_t j = 0; j < sizeof cuts / sizeof *cuts; j++) {
            check_cuts(ORDER_RESHUFFLE, n[i], cuts[j]);
            check_cuts(ORDER_CYCLIC, n[i], cuts[j]);
        }
}

/* The place of a sample in an epoch, and so the batch it is in, is the same in every epoch; no list is needed. */
static void test_cyclic(void **state)
{
    enum { N = 97, BATCH = 8, VISITS = 5 * N };
    uint32_t sample[VISITS];
    assert_int_equal(order_list_length(ORDER_CYCLIC, N, BATCH), 0);
    order x = order_of(ORDER_CYCLIC, N, BATCH, 0, NULL);
    order_start(&x, key);
    order_samples(&x, 0, VISITS, sample);
    check_distinct(N, N, sample);
    for (size_t v = N; v < VISITS; v++)
        assert_int_equal(sample[v], sample[v - N]);
    assert_true(order_first(&x, 0) == 0 && order_first(&x, 13) == 13 * BATCH); /* beyond the first epoch */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_visits), cmocka_unit_test(test_batches),    cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_repeatable),    cmocka_unit_test(test_batch_size), cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_cyclic),
    };
    return cmocka_run_group_tests_name("order of visits", tests, NULL, NULL);
}
