/* Building solutions: names and order of the curves, cutting short, identities. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/room.h"

static void names_and_order(void **state)
{
    const room *r = *state;
    static const char *const names[] = {
        "train_loss", "test_loss",    "q11",         "q21",       "q22",      "m11", "m12", "m13", "m21", "m22",
        "m23",        "train_margin", "test_margin", "train_gap", "test_gap", "R11", "R12", "R21", "R22"};
    size_t n = sizeof names / sizeof names[0];
    assert_int_equal(r->solution->n_curves, n);
    for (size_t c = 0; c < n; c++) {
        assert_string_equal(r->solution->curves[c].name, names[c]);
        assert_ptr_equal(sgdmft_solution_curve(r->solution, names[c]), &r->solution->curves[c]);
    }
    assert_null(sgdmft_solution_curve(r->solution, "q12"));

    solution_shape shape = {ROOM_K, ROOM_KSTAR, 1, 0, 2, NULL, 1};
    solution_columns at = solution_columns_of(&shape);
    assert_int_equal(at.train_loss, 0);
    assert_int_equal(at.test_loss, 1);
    assert_string_equal(names[at.q + 1 * 2 / 2 + 1], "q22");
    assert_string_equal(names[at.m + 1 * ROOM_KSTAR + 2], "m23");
    assert_string_equal(names[at.observables + 2], "train_gap");
    assert_string_equal(names[at.response + 1 * ROOM_K], "R21");
    assert_int_equal(at.count, n);
}

static void without_response_and_grid(void **state)
{
    const room *r = *state;
    solution_shape shape = {1, 1, 3, 0, 0, NULL, 0};
    sgdmft_solution *s = NULL;
    check_ok(r->ctx, solution_new(r->ctx, &shape, &s));
    assert_int_equal(s->n_curves, 4);
    assert_string_equal(s->curves[2].name, "q11");
    assert_string_equal(s->curves[3].name, "m11");
    assert_null(s->C);
    assert_string_equal(s->message, "");
    for (size_t i = 0; i < 3; i++)
        assert_true(s->curves[3].value[i] == 0.0 && s->curves[3].se[i] == 0.0 && s->curves[3].step_error[i] == 0.0);
    sgdmft_solution_free(s);
    sgdmft_solution_free(NULL);
}

static void cut_short(void **state)
{
    const room *r = *state;
    sgdmft_solution *s = r->solution;
    solution_truncate(s, ROOM_TIMES + 2, ROOM_GRID + 2); /* never grows */
    assert_int_equal(s->n_times, ROOM_TIMES);
    assert_int_equal(s->n_grid, ROOM_GRID);
    size_t n = ROOM_GRID - 1, k = ROOM_K;
    solution_truncate(s, 2, n);
    assert_int_equal(s->n_times, 2);
    assert_int_equal(s->n_grid, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t a = 0; a < k; a++)
                for (size_t b = 0; b < k; b++) {
                    size_t at = ((i * n + j) * k + a) * k + b;
                    check_near(s->C[at], room_two_time('C', i, j, a, b), 0.0, "C[%zu][%zu]", i, j);
                    check_near(s->R[at], room_two_time('R', i, j, a, b), 0.0, "R[%zu][%zu]", i, j);
                }
    solution_truncate(s, 0, 0);
    assert_int_equal(s->n_times, 0);
    assert_int_equal(s->n_grid, 0);
}

static void status_and_identities(void **state)
{
    const room *r = *state;
    sgdmft_solution *s = r->solution;
    check_ok(r->ctx, solution_set_status(r->ctx, s, SGDMFT_ERR_DIVERGED, "at t = 1.375"));
    check_ok(r->ctx, solution_set_status(r->ctx, s, SGDMFT_ERR_INTERRUPTED, "at t = 2.5"));
    assert_int_equal(s->status, SGDMFT_ERR_INTERRUPTED);
    assert_string_equal(s->message, "at t = 2.5");
    assert_int_equal(s->n_identities, 2);
    assert_string_equal(s->identities[1].name, "dC(t,0)/dt 11");
    check_near(s->identities[0].defect, -1.25e-3, 0.0, "first defect");
    check_near(s->identities[1].defect, 7.7e-4, 0.0, "second defect");
}

static void too_large(void **state)
{
    const room *r = *state;
    sgdmft_solution *s = r->solution;
    solution_shape shape = {8, 8, 1, (size_t)1 << 40, 0, NULL, 1};
    check_failure(r->ctx, solution_new(r->ctx, &shape, &s), SGDMFT_ERR_MEMORY, "a solution");
    assert_null(s);
}

static void unfit_names(void **state)
{
    const room *r = *state;
    static const char *const unfit[] = {"", "a,b", "a/b", "1a", "a b", "#a", "a\nb", "a\"b", "-a"};
    sgdmft_solution *s = r->solution;
    check_ok(r->ctx, solution_check_curves(r->ctx, s));
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        free(s->curves[12].name);
        s->curves[12].name = strdup(unfit[i]);
        check_failure(r->ctx, solution_check_curves(r->ctx, s), SGDMFT_ERR_ARGUMENT, "curve 12");
    }
    free(s->curves[12].name);
    s->curves[12].name = strdup("train_loss");
    check_failure(r->ctx, solution_check_curves(r->ctx, s), SGDMFT_ERR_ARGUMENT, "'train_loss' exists already");
}

static void scale_of_a_curve(void **state)
{
    const room *r = *state;
    double values[ROOM_TIMES] = {0.5, -7.25, 3.0, (double)NAN, 1.0};
    memcpy(r->solution->curves[3].value, values, sizeof values);
    check_near(solution_curve_scale(r->solution, &r->solution->curves[3]), 7.25, 0.0, "scale");
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOM(names_and_order),  IN_ROOM(without_response_and_grid),
        IN_ROOM(cut_short),        IN_ROOM(status_and_identities),
        IN_ROOM(too_large),        IN_ROOM(unfit_names),
        IN_ROOM(scale_of_a_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
