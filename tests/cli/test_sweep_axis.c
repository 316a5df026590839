/* --over: lists, ranges, and every way to get them wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sweep_axis.h"
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

typedef struct expectation {
    const char *text, *key;
    const char *values; /* each followed by a bar */
} expectation;

static void check_values(sgdmft_context *ctx, const expectation *e)
{
    char joined[400] = "";
    size_t used = 0;
    sweep_axis axis;
    check_ok(ctx, sweep_axis_parse(ctx, e->text, &axis));
    assert_string_equal(axis.key, e->key);
    for (size_t i = 0; i < axis.n; i++)
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s|", axis.value[i]);
    assert_string_equal(joined, e->values);
    sweep_axis_free(&axis);
    assert_null(axis.key);
}

static void lists(void **state)
{
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
        check_values(*state, &list[i]);
}

static void ranges(void **state)
{
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
        {"eta=1e-8:1e-2:4log", "eta", "1.0e-8|1.0e-6|0.0001|0.01|"},
        {"eta=10:0.1:3log", "eta", "10|1|0.1|"},
        {"numerics.paths=1000:16000:5log", "numerics.paths", "1000|2000|4000|8000|16000|"},
        {"delta=1e300:1.7e308:2", "delta", "1.0e+300|1.7e+308|"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        check_values(*state, &list[i]);
}

/* The ends are what was typed; steps and ratios are equal to the digits that are kept. */
static void spacing(void **state)
{
    sweep_axis axis;
    check_ok(*state, sweep_axis_parse(*state, "eta=0.0123456789012345:3.21:1000", &axis));
    assert_int_equal(axis.n, 1000);
    assert_string_equal(axis.value[0], "0.0123456789012345");
    assert_string_equal(axis.value[999], "3.21");
    for (size_t i = 0; i < axis.n; i++)
        check_near(atof(axis.value[i]), 0.0123456789012345 + (3.21 - 0.0123456789012345) * (double)i / 999, 1e-11,
                   "value %zu", i);
    sweep_axis_free(&axis);
    check_ok(*state, sweep_axis_parse(*state, "eta=1e-7:3e9:777log", &axis));
    assert_int_equal(axis.n, 777);
    for (size_t i = 0; i < axis.n; i++)
        check_near(log(atof(axis.value[i])), log(1e-7) + log(3e16) * (double)i / 776, 1e-11, "logarithm %zu", i);
    sweep_axis_free(&axis);
}

typedef struct refusal {
    const char *text;
    sgdmft_status status;
    const char *part;
} refusal;

static void refusals(void **state)
{
    static const refusal list[] = {
        {"", SGDMFT_ERR_YAML, "'' sweeps nothing"},
        {"eta", SGDMFT_ERR_YAML, "'eta' sweeps nothing; expected KEY=V1,V2,... or KEY=LO:HI:N"},
        {"=1,2", SGDMFT_ERR_YAML, "no key before the '='"},
        {" =1,2", SGDMFT_ERR_YAML, "no key before the '='"},
        {"etta=1,2", SGDMFT_ERR_UNKNOWN_KEY, "unknown key 'etta'; did you mean 'eta'?"},
        {"steps=10,20", SGDMFT_ERR_UNKNOWN_KEY, "did you mean 'numerics.steps'?"},
        {"zzzzzzzz=1", SGDMFT_ERR_UNKNOWN_KEY, "allowed: dynamics"},
        {"model=1", SGDMFT_ERR_UNKNOWN_KEY, "'model' is a section"},
        {"observables=r", SGDMFT_ERR_UNKNOWN_KEY, "'observables' is a section"},
        {"eta=", SGDMFT_ERR_MISSING, "--over eta: value 1 is empty"},
        {"eta= ", SGDMFT_ERR_MISSING, "value 1 is empty"},
        {"eta=1,,2", SGDMFT_ERR_MISSING, "value 2 is empty"},
        {"eta=1,2,", SGDMFT_ERR_MISSING, "value 3 is empty"},
        {"eta=1,2,1", SGDMFT_ERR_DUPLICATE_KEY, "the value '1' is given twice"},
        {"eta=1,1:2:3", SGDMFT_ERR_RANGE, "'1:2:3' is a range in a list"},
        {"eta=1:2", SGDMFT_ERR_RANGE, "'1:2': N is missing"},
        {"eta=1:2:3:4", SGDMFT_ERR_RANGE, "too many colons"},
        {"eta=:2:3", SGDMFT_ERR_RANGE, "LO is not a finite number"},
        {"eta=a:2:3", SGDMFT_ERR_RANGE, "LO is not a finite number"},
        {"eta=nan:2:3", SGDMFT_ERR_RANGE, "LO is not a finite number"},
        {"eta=1:inf:3", SGDMFT_ERR_RANGE, "HI is not a finite number"},
        {"eta=1:1e999:3", SGDMFT_ERR_RANGE, "HI is not a finite number"},
        {"eta=1:2:", SGDMFT_ERR_RANGE, "N is not a whole number"},
        {"eta=1:2:x", SGDMFT_ERR_RANGE, "N is not a whole number"},
        {"eta=1:2:log", SGDMFT_ERR_RANGE, "N is not a whole number"},
        {"eta=1:2:3lin", SGDMFT_ERR_RANGE, "N is not a whole number"},
        {"eta=1:2:2.5", SGDMFT_ERR_RANGE, "N is not a whole number"},
        {"eta=1:2:-3", SGDMFT_ERR_RANGE, "N is not a whole number"},
        {"eta=1:2:0", SGDMFT_ERR_RANGE, "no values at all"},
        {"eta=1:2:0log", SGDMFT_ERR_RANGE, "no values at all"},
        {"eta=1:2:1", SGDMFT_ERR_RANGE, "one value cannot be both ends"},
        {"eta=2:2:3", SGDMFT_ERR_RANGE, "the ends are equal"},
        {"eta=0:2:3log", SGDMFT_ERR_RANGE, "equal ratios need positive ends"},
        {"eta=1:-2:3log", SGDMFT_ERR_RANGE, "equal ratios need positive ends"},
        {"eta=1:2:10001", SGDMFT_ERR_RANGE, "more than 10000 values"},
        {"eta=1:2:99999999999999999999999", SGDMFT_ERR_RANGE, "more than 10000 values"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        sweep_axis axis;
        check_failure(*state, sweep_axis_parse(*state, list[i].text, &axis), list[i].status, list[i].part);
        assert_non_null(strstr(sgdmft_context_message(*state), "--over"));
        sweep_axis_free(&axis);
    }
}

static void longest_list(void **state)
{
    size_t n = SWEEP_POINTS_MAX + 1, used = 4;
    char *text = malloc(8 * n + 8);
    assert_non_null(text);
    strcpy(text, "eta=");
    for (size_t i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "%s%zu", i ? "," : "", i + 1);
    sweep_axis axis;
    check_failure(*state, sweep_axis_parse(*state, text, &axis), SGDMFT_ERR_RANGE, "more than 10000 values");
    sweep_axis_free(&axis);
    *strrchr(text, ',') = '\0';
    check_ok(*state, sweep_axis_parse(*state, text, &axis));
    assert_int_equal(axis.n, SWEEP_POINTS_MAX);
    sweep_axis_free(&axis);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),    cmocka_unit_test(ranges),       cmocka_unit_test(spacing),
        cmocka_unit_test(refusals), cmocka_unit_test(longest_list),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
