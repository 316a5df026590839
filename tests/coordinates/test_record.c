/* Records of coordinates: which nodes are kept, and that the list of arrays is all there is. */
#include <stdlib.h>

#include "coordinates/record.h"
#include "kernels/grid.h"
#include "support/check.h"

static void test_arrays(void **state)
{
    enum { K = 2, KSTAR = 3, STEPS = 4, PATHS = 7 };
    static const char wanted[STEPS + 1] = {1, 0, 0, 1, 0};
    sgdmft_context *ctx = check_context(1);
    for (int epochs = 0; epochs < 2; epochs++) {
        time_grid grid = {.steps = STEPS, .epoch = epochs};
        coordinate_record *record = NULL;
        array_row rows[RECORD_ARRAYS_MOST];
        check_ok(ctx, coordinate_record_new(ctx, K, KSTAR, &grid, PATHS, wanted, &record));
        size_t n = coordinate_record_arrays(record, rows), doubles = 0;
        for (size_t i = 0; i < n; i++) {
            assert_non_null(*rows[i].data);
            assert_true(rows[i].kept);
            doubles += rows[i].count;
        }
        size_t side = (STEPS + 1) * (K * KSTAR + K * K + (STEPS + 1) * K * K);
        assert_int_equal(doubles, 2 * K * PATHS + side * (size_t)(1 + epochs));
        check_near(coordinate_record_bytes(K, KSTAR, &grid, PATHS, 2), 8.0 * (double)doubles, 0, "bytes");
        for (size_t i = 0; i <= STEPS; i++)
            assert_true((coordinate_snapshots_at(&record->theta, i) != NULL) == wanted[i]);
        assert_ptr_equal(coordinate_snapshots_at(&record->theta, 3), record->theta.theta + K * PATHS);
        coordinate_record_free(record);
    }
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
