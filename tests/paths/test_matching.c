/* Moment matching: exact means and covariances, nothing else changed. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "paths/matching.h"
#include "support/check.h"

enum { BLOCKS = 4 };
static const size_t LANES[BLOCKS] = {64, 128, 17, 91};
enum { ALL = 64 + 128 + 17 + 91 };

typedef struct rows {
    size_t count;
    double *block[BLOCKS];
} rows;

/* Correlated rows with a mean: row i is a normal plus 0.3 of row i - 1, plus 0.1 i. */
static rows draw(size_t count)
{
    rows r = {.count = count};
    for (size_t b = 0; b < BLOCKS; b++) {
        r.block[b] = memory_doubles(count * LANES[b]);
        assert_non_null(r.block[b]);
        random_normals((random_key){77, 0, 80}, b, 0, count * LANES[b], r.block[b]);
        for (size_t i = 0; i < count; i++)
            for (size_t p = 0; p < LANES[b]; p++) {
                double before = i > 0 ? r.block[b][(i - 1) * LANES[b] + p] : 0;
                r.block[b][i * LANES[b] + p] += 0.1 * (double)i + 0.3 * before;
            }
    }
    return r;
}

static void clear(rows *r)
{
    for (size_t b = 0; b < BLOCKS; b++)
        free(r->block[b]);
}

static double mean(const rows *r, size_t i)
{
    double sum = 0;
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t p = 0; p < LANES[b]; p++)
            sum += r->block[b][i * LANES[b] + p];
    return sum / ALL;
}

static double moment(const rows *r, size_t i, const rows *other, size_t j)
{
    double sum = 0;
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t p = 0; p < LANES[b]; p++)
            sum += r->block[b][i * LANES[b] + p] * other->block[b][j * LANES[b] + p];
    return sum / ALL;
}

static void test_matched(void **state)
{
    sgdmft_context *ctx = check_context(1);
    rows r = draw(41);
    check_ok(ctx, matching_apply(ctx, 41, BLOCKS, r.block, LANES));
    for (size_t i = 0; i < 41; i++) {
        check_near(mean(&r, i), 0, 1e-13, "mean of row %zu", i);
        for (size_t j = 0; j <= i; j++)
            check_near(moment(&r, i, &r, j), i == j, 1e-12, "covariance of rows %zu and %zu", i, j);
    }
    clear(&r);
    sgdmft_context_free(ctx);
}

/* Row i is made from rows 0 .. i alone: the first is only shifted and scaled, and every row keeps its own direction. */
static void test_triangular(void **state)
{
    sgdmft_context *ctx = check_context(1);
    rows before = draw(9), after = draw(9);
    check_ok(ctx, matching_apply(ctx, 9, BLOCKS, after.block, LANES));
    double shift = mean(&before, 0), scale = sqrt(moment(&before, 0, &before, 0) - shift * shift);
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t p = 0; p < LANES[b]; p++)
            check_near(after.block[b][p], (before.block[b][p] - shift) / scale, 1e-13, "row 0, lane %zu", p);
    for (size_t i = 0; i < 9; i++) {
        check_between(moment(&after, i, &before, i), 0.5, INFINITY, "row %zu keeps its direction", i);
        for (size_t j = i + 1; j < 9; j++)
            check_near(moment(&after, j, &before, i), 0, 1e-12, "row %zu has nothing of row %zu left", j, i);
    }
    clear(&before);
    clear(&after);
    sgdmft_context_free(ctx);
}

/* More rows than a quarter of the lanes: the leading quarter is matched, the rest is left alone. */
static void test_too_many_rows(void **state)
{
    enum { ROWS = 90, MATCHED = ALL / 4 };
    sgdmft_context *ctx = check_context(1);
    rows before = draw(ROWS), after = draw(ROWS);
    check_ok(ctx, matching_apply(ctx, ROWS, BLOCKS, after.block, LANES));
    for (size_t i = 0; i < MATCHED; i++)
        check_near(moment(&after, i, &after, i), 1, 1e-12, "variance of row %zu", i);
    for (size_t b = 0; b < BLOCKS; b++)
        assert_memory_equal(after.block[b] + MATCHED * LANES[b], before.block[b] + MATCHED * LANES[b],
                            sizeof(double) * (ROWS - MATCHED) * LANES[b]);
    clear(&before);
    clear(&after);
    sgdmft_context_free(ctx);
}

static void test_few_lanes(void **state)
{
    sgdmft_context *ctx = check_context(1);
    double block[6] = {1, 2, 3, 4, 5, 6}, *blocks[1] = {block};
    size_t n[1] = {3};
    check_ok(ctx, matching_apply(ctx, 2, 1, blocks, n));
    for (int i = 0; i < 6; i++)
        assert_true(block[i] == i + 1);
    sgdmft_context_free(ctx);
}

static void test_singular(void **state)
{
    sgdmft_context *ctx = check_context(1);
    rows r = draw(3);
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t p = 0; p < LANES[b]; p++)
            r.block[b][LANES[b] + p] = 0;
    check_failure(ctx, matching_apply(ctx, 3, BLOCKS, r.block, LANES), SGDMFT_ERR_NON_FINITE, "numerics.paths");
    clear(&r);
    sgdmft_context_free(ctx);
}

/* The same bytes whatever the number of threads of the caller, which is left as it was. */
static void test_threads(void **state)
{
    enum { ROWS = 180, MANY = 3000 };
    const size_t n[1] = {MANY};
    double *result[2];
    sgdmft_context *ctx = check_context(1);
    int keep = omp_get_max_threads();
    for (int i = 0; i < 2; i++) {
        result[i] = memory_doubles((size_t)ROWS * MANY);
        assert_non_null(result[i]);
        random_normals((random_key){78, 0, 80}, 0, 0, (size_t)ROWS * MANY, result[i]);
        omp_set_num_threads(i == 0 ? 1 : 4);
        check_ok(ctx, matching_apply(ctx, ROWS, 1, &result[i], n));
        assert_int_equal(omp_get_max_threads(), i == 0 ? 1 : 4);
    }
    omp_set_num_threads(keep);
    assert_memory_equal(result[0], result[1], sizeof(double) * ROWS * MANY);
    free(result[0]);
    free(result[1]);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matched),   cmocka_unit_test(test_triangular), cmocka_unit_test(test_too_many_rows),
        cmocka_unit_test(test_few_lanes), cmocka_unit_test(test_singular),   cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("matching", tests, NULL, NULL);
}
