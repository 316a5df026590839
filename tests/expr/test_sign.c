/* What can be told of the sign of an expression, and where its value ceases to be finite. */
#include "fixture.h"

#include "expr/functions.h"

static const struct signed_text {
    const char *text;
    int nonnegative;
} texts[] = {
    {"(r - y)^2/2", 1},
    {"(tanh(r) - y)^2/2", 1},
    {"log(1 + exp(-y*r))", 1}, /* becomes log1p */
    {"log(0.5 + exp(-y*r))", 0},
    {"log1p(exp(-y*r))", 1},
    {"softplus(-y*r) + abs(r)", 1},
    {"max(0, 1 - y*r)^2", 1},
    {"max(0, 1 - y*r)", 1},
    {"if(r > y, r^2, 3)", 1},
    {"if(r > y, r, 3)", 0},
    {"sqrt(1 + r^2)", 1},
    {"sqrt(1 + r^2) - 1", 0},
    {"r*y", 0},
    {"r^3", 0},
    {"-exp(r)", 0},
    {"logsumexp(0, r)", 1},
    {"r*r*exp(y)/(1 + y^4)", 1},
};

static void signs(void **state)
{
    fixture own = fixture_new(), *f = &own;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (expr_nonnegative(f->graph, fixture_parse(f, texts[i].text)) != texts[i].nonnegative)
            fail_msg("%s", texts[i].text);
    fixture_free(f);
}

static void check_fault(fixture *f, const char *text, const double *at, const char *function, double arg)
{
    expr_fault fault;
    if (!expr_find_fault(f->graph, fixture_parse(f, text), at, &fault))
        fail_msg("%s is finite", text);
    assert_string_equal(function_of(fault.op)->name, function);
    if (!(fault.arg[0] == arg))
        fail_msg("%s: argument %g, not %g", text, fault.arg[0], arg);
}

static void faults(void **state)
{
    fixture own = fixture_new(), *f = &own;
    expr_fault fault;
    double at[EXPR_MAX_VARIABLES] = {0};
    at[(size_t)f->graph->node[f->r].constant] = -4;
    check_fault(f, "3 + tanh(log(r))", at, "log", -4);
    check_fault(f, "1 + 2*sqrt(r + 1)", at, "sqrt", -3);
    check_fault(f, "exp(-300*r)", at, "exp", 1200);
    check_fault(f, "if(r < 0, log(r), 1)", at, "log", -4);
    assert_int_equal(expr_find_fault(f->graph, fixture_parse(f, "if(r > 0, log(r), 1)"), at, &fault), 0);
    assert_int_equal(expr_find_fault(f->graph, fixture_parse(f, "log(-r)"), at, &fault), 0);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signs), cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
