/* The points of a sweep: order, names, and what cannot be combined. */
#include <stdlib.h>
#include <string.h>

#include "cli/sweep_grid.h"
#include "support/check.h"

static int make_context(void **state)
{
    *state = check_context(1);
    return 0;
}

static int free_context(void **state)
{
    sgdmft_context_free(*state);
    return 0;
}

static void check_text(char *text, const char *want)
{
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void last_axis_is_fastest(void **state)
{
    static const char *const overs[] = {"eta=1,2", "delta=3,4,5", "dynamics=sgd,online"};
    static const char *const sets[] = {"etas=7", "horizon=5"};
    sweep_grid grid;
    check_ok(*state, sweep_grid_init(*state, overs, 3, sets, 2, &grid));
    assert_int_equal(grid.n_axes, 3);
    assert_int_equal(grid.n_points, 12);
    size_t point = 0;
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 3; b++)
            for (size_t c = 0; c < 2; c++, point++) {
                assert_ptr_equal(sweep_grid_value(&grid, point, 0), grid.axis[0].value[a]);
                assert_ptr_equal(sweep_grid_value(&grid, point, 1), grid.axis[1].value[b]);
                assert_ptr_equal(sweep_grid_value(&grid, point, 2), grid.axis[2].value[c]);
            }
    check_text(sweep_grid_set(&grid, 9, 1), "delta=4");
    check_text(sweep_grid_label(&grid, 9), "eta=2, delta=4, dynamics=online");
    sweep_grid_free(&grid);
}

static void one_axis(void **state)
{
    static const char *const overs[] = {"eta=5"};
    sweep_grid grid;
    check_ok(*state, sweep_grid_init(*state, overs, 1, NULL, 0, &grid));
    assert_int_equal(grid.n_points, 1);
    check_text(sweep_grid_label(&grid, 0), "eta=5");
    sweep_grid_free(&grid);
}

static void refusals(void **state)
{
    static const char *const twice[] = {"eta=1,2", "delta=1", " eta =3"};
    static const char *const bad[] = {"delta=1", "eta=1,,2"};
    static const char *const many[] = {"eta=1:2:100", "delta=1:2:100", "lambda=0,1"};
    static const char *const one[] = {"delta=1,2"};
    static const char *const sets[] = {"eta=4", " delta =4"};
    sweep_grid grid;
    check_failure(*state, sweep_grid_init(*state, twice, 3, NULL, 0, &grid), SGDMFT_ERR_DUPLICATE_KEY,
                  "--over eta: the key is swept twice");
    sweep_grid_free(&grid);
    check_failure(*state, sweep_grid_init(*state, bad, 2, NULL, 0, &grid), SGDMFT_ERR_MISSING, "value 2 is empty");
    sweep_grid_free(&grid);
    check_failure(*state, sweep_grid_init(*state, one, 1, sets, 2, &grid), SGDMFT_ERR_CONFLICT,
                  "--over delta: the key is also given by --set");
    sweep_grid_free(&grid);
    check_failure(*state, sweep_grid_init(*state, many, 3, NULL, 0, &grid), SGDMFT_ERR_RANGE,
                  "--over lambda: all values combined make more than 10000 points");
    sweep_grid_free(&grid);
    check_ok(*state, sweep_grid_init(*state, many, 2, NULL, 0, &grid));
    assert_int_equal(grid.n_points, SWEEP_POINTS_MAX);
    sweep_grid_free(&grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_axis_is_fastest),
        cmocka_unit_test(one_axis),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
