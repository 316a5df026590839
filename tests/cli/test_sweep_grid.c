/* The points of a sweep: values that --over gives to keys, order and names of points, and every way to get them
   wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/sweep_grid.h"
#include "support/check.h"

static const command cmd = {.name = "sweep"};

/* Makes the grid, with standard error in a text, which the caller frees. */
static char *init(const char *const *overs, size_t n_overs, const char *const *sets, size_t n_sets, sweep_grid *grid,
                  int *code)
{
    char *text = NULL;
    size_t size = 0;
    FILE *terminal = stderr;
    stderr = open_memstream(&text, &size);
    assert_non_null(stderr);
    *code = sweep_grid_init(&cmd, overs, n_overs, sets, n_sets, grid);
    fclose(stderr);
    stderr = terminal;
    return text;
}

static void check_accepted(const char *const *overs, size_t n_overs, const char *const *sets, size_t n_sets,
                           sweep_grid *grid)
{
    int code;
    char *text = init(overs, n_overs, sets, n_sets, grid, &code);
    assert_string_equal(text, "");
    assert_int_equal(code, CODE_DONE);
    free(text);
}

static void check_refused(const char *const *overs, size_t n_overs, const char *const *sets, size_t n_sets,
                          const char *part)
{
    int code;
    sweep_grid grid;
    char *text = init(overs, n_overs, sets, n_sets, &grid, &code);
    if (!strstr(text, part))
        fail_msg("'%s' is not in the message: %s", part, text);
    assert_int_equal(strncmp(text, "sgdmft: --over", 14), 0);
    assert_int_equal(code, CODE_USAGE);
    sweep_grid_free(&grid);
    free(text);
}

typedef struct expectation {
    const char *text, *key;
    const char *values; /* each followed by a bar */
} expectation;

static void check_values(const expectation *e)
{
    char joined[400] = "";
    size_t used = 0;
    sweep_grid grid;
    check_accepted(&e->text, 1, NULL, 0, &grid);
    assert_string_equal(grid.axis[0].key, e->key);
    for (size_t i = 0; i < grid.axis[0].n; i++)
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s|", grid.axis[0].value[i]);
    assert_string_equal(joined, e->values);
    sweep_grid_free(&grid);
    assert_null(grid.axis);
}

static void lists(void **state)
{
    (void)state;
    static const expectation list[] = {
        {"eta=0.5", "eta", "0.5|"},
        {"eta=0.5,1,2", "eta", "0.5|1|2|"},
        {" eta = 0.5 , 1e-3,\t2 ", "eta", "0.5|1e-3|2|"},
        {"dynamics=sgd,sme,gradient-flow", "dynamics", "sgd|sme|gradient-flow|"},
        {"eta=1/(1+t),min(1,2),0.3", "eta", "1/(1+t)|min(1,2)|0.3|"},
        {"eta=if(t<1,max(1,min(2,3)),0),2", "eta", "if(t<1,max(1,min(2,3)),0)|2|"},
        {"initial.q=[[1,0],[0,1]],[[2,0],[0,2]]", "initial.q", "[[1,0],[0,1]]|[[2,0],[0,2]]|"},
        {"model.loss=\"(f-y)^2, x\",'a,b:c'", "model.loss", "\"(f-y)^2, x\"|'a,b:c'|"},
        {"model.plugin=\"a:b.so\"", "model.plugin", "\"a:b.so\"|"},
        {"observables.margin=y*r,if(y==1,r,0)", "observables.margin", "y*r|if(y==1,r,0)|"},
        {"eta=min(1,2", "eta", "min(1,2|"}, /* the expression's own parser says what is wrong */
        {"eta=1),2", "eta", "1)|2|"},
        {"lambda=null,0.1", "lambda", "null|0.1|"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        check_values(&list[i]);
}

static void ranges(void **state)
{
    (void)state;
    static const expectation list[] = {
        {"eta=0:1:5", "eta", "0|0.25|0.5|0.75|1|"},
        {"eta=2:1:3", "eta", "2|1.5|1|"},
        {"eta=0.1:0.7:7", "eta", "0.1|0.2|0.3|0.4|0.5|0.6|0.7|"},
        {"eta=-0.1:0.5:7", "eta", "-0.1|0|0.1|0.2|0.3|0.4|0.5|"},
        {"eta=0:1:4", "eta", "0|0.333333333333|0.666666666667|1|"},
        {"eta=1:2:2", "eta", "1|2|"},
        {"eta=3:3:1", "eta", "3|"},
        {"eta= 1 : 3 : 3 ", "eta", "1|2|3|"},
        {"eta=0.1:10:5log", "eta", "0.1|0.316227766017|1|3.16227766017|10|"},
        {"eta=1e-8:1e-2:4log", "eta", "1e-8|1e-06|0.0001|1e-2|"},
        {"eta=10:0.1:3log", "eta", "10|1|0.1|"},
        {"numerics.paths=1000:16000:5log", "numerics.paths", "1000|2000|4000|8000|16000|"},
        {"delta=1e300:1.7e308:2", "delta", "1e300|1.7e308|"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        check_values(&list[i]);
}

/* The ends are those that were given; steps and ratios are equal to the digits that are kept. */
static void spacing(void **state)
{
    (void)state;
    const char *over = "eta=0.0123456789012345:3.21:1000";
    sweep_grid grid;
    check_accepted(&over, 1, NULL, 0, &grid);
    assert_int_equal(grid.axis[0].n, 1000);
    assert_string_equal(grid.axis[0].value[0], "0.0123456789012345");
    assert_string_equal(grid.axis[0].value[999], "3.21");
    for (size_t i = 0; i < 1000; i++)
        check_near(atof(grid.axis[0].value[i]), 0.0123456789012345 + (3.21 - 0.0123456789012345) * (double)i / 999,
                   1e-11, "value %zu", i);
    sweep_grid_free(&grid);
    over = "eta=1e-7:3e9:777log";
    check_accepted(&over, 1, NULL, 0, &grid);
    assert_int_equal(grid.axis[0].n, 777);
    for (size_t i = 0; i < 777; i++)
        check_near(log(atof(grid.axis[0].value[i])), log(1e-7) + log(3e16) * (double)i / 776, 1e-11, "logarithm %zu",
                   i);
    sweep_grid_free(&grid);
}

typedef struct refusal {
    const char *text;
    const char *part;
} refusal;

static void refused_axes(void **state)
{
    (void)state;
    static const refusal list[] = {
        {"", "'' gives no values"},
        {"eta", "'eta' gives no values; expected KEY=V1,V2,... or KEY=LO:HI:N"},
        {"=1,2", "no key before the '='"},
        {" =1,2", "no key before the '='"},
        {"eta=", "--over eta: value 1 is empty"},
        {"eta= ", "value 1 is empty"},
        {"eta=1,,2", "value 2 is empty"},
        {"eta=1,2,", "value 3 is empty"},
        {"eta=1,2,1", "the value '1' is given twice"},
        {"eta=1,1:2:3", "'1:2:3' is a range in a list"},
        {"eta=1:2", "'1:2': N is missing"},
        {"eta=1:2:3:4", "too many colons"},
        {"eta=:2:3", "LO is not a finite number"},
        {"eta=a:2:3", "LO is not a finite number"},
        {"eta=nan:2:3", "LO is not a finite number"},
        {"eta=1:inf:3", "HI is not a finite number"},
        {"eta=1:1e999:3", "HI is not a finite number"},
        {"eta=1:2:", "N is not a whole number"},
        {"eta=1:2:x", "N is not a whole number"},
        {"eta=1:2:log", "N is not a whole number"},
        {"eta=1:2:3lin", "N is not a whole number"},
        {"eta=1:2:2.5", "N is not a whole number"},
        {"eta=1:2:-3", "N is not a whole number"},
        {"eta=1:2:0", "no values at all"},
        {"eta=1:2:0log", "no values at all"},
        {"eta=1:2:1", "one value cannot be both ends"},
        {"eta=2:2:3", "the ends are equal"},
        {"eta=0:2:3log", "equal ratios need positive ends"},
        {"eta=1:-2:3log", "equal ratios need positive ends"},
        {"eta=1:2:10001", "more than 10000 values"},
        {"eta=1:2:99999999999999999999999", "more than 10000 values"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        check_refused(&list[i].text, 1, NULL, 0, list[i].part);
}

static void longest_list(void **state)
{
    (void)state;
    size_t n = SWEEP_POINTS_MAX + 1, used = 4;
    char *text = malloc(8 * n + 8);
    assert_non_null(text);
    strcpy(text, "eta=");
    for (size_t i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "%s%zu", i ? "," : "", i + 1);
    const char *over = text;
    sweep_grid grid;
    check_refused(&over, 1, NULL, 0, "more than 10000 values");
    *strrchr(text, ',') = '\0';
    check_accepted(&over, 1, NULL, 0, &grid);
    assert_int_equal(grid.axis[0].n, SWEEP_POINTS_MAX);
    sweep_grid_free(&grid);
    free(text);
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
    (void)state;
    check_accepted(overs, 3, sets, 2, &grid);
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
    (void)state;
    check_accepted(overs, 1, NULL, 0, &grid);
    assert_int_equal(grid.n_points, 1);
    check_text(sweep_grid_label(&grid, 0), "eta=5");
    sweep_grid_free(&grid);
}

static void refused_grids(void **state)
{
    static const char *const twice[] = {"eta=1,2", "delta=1", " eta =3"};
    static const char *const bad[] = {"delta=1", "eta=1,,2"};
    static const char *const many[] = {"eta=1:2:100", "delta=1:2:100", "lambda=0,1"};
    static const char *const one[] = {"delta=1,2"};
    static const char *const sets[] = {"eta=4", " delta =4"};
    sweep_grid grid;
    (void)state;
    check_refused(twice, 3, NULL, 0, "--over eta: the key is swept twice");
    check_refused(bad, 2, NULL, 0, "value 2 is empty");
    check_refused(one, 1, sets, 2, "--over delta: the key is also given by --set");
    check_refused(many, 3, NULL, 0, "--over lambda: all values combined make more than 10000 points");
    check_accepted(many, 2, NULL, 0, &grid);
    assert_int_equal(grid.n_points, SWEEP_POINTS_MAX);
    sweep_grid_free(&grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),        cmocka_unit_test(ranges),        cmocka_unit_test(spacing),
        cmocka_unit_test(refused_axes), cmocka_unit_test(longest_list),  cmocka_unit_test(last_axis_is_fastest),
        cmocka_unit_test(one_axis),     cmocka_unit_test(refused_grids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
