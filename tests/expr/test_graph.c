/* Sharing, simplification, and the bound on the size of a graph. */
#include "fixture.h"

#include <stdio.h>

/* Pairs of texts that must be one node. */
static const char *const equal[][2] = {
    {"r + y", "y + r"},
    {"r*y", "y*r"},
    {"r*y*t", "t*(y*r)"},
    {"r*0", "0"},
    {"0/r", "0"},
    {"r*1", "r"},
    {"r + 0", "r"},
    {"r - 0", "r"},
    {"0 - r", "-r"},
    {"r - r", "0"},
    {"r/1", "r"},
    {"r^1", "r"},
    {"r^0", "1"},
    {"1^r", "1"},
    {"r^2", "r*r"},
    {"r^4", "(r^2)^2"},
    {"r^-1", "1/r"},
    {"r^0.5", "sqrt(r)"},
    {"r^1.5", "r*sqrt(r)"},
    {"--r", "r"},
    {"-(r - y)", "y - r"},
    {"r + -y", "r - y"},
    {"-r*-y", "r*y"},
    {"-r*y", "-(y*r)"},
    {"r + r", "2*r"},
    {"2*r + 3*r", "5*r"},
    {"2*r - r", "r"},
    {"2*(3*r)", "6*r"},
    {"(2*r)*(3*y)", "6*(r*y)"},
    {"r/2", "0.5*r"},
    {"(3*r)/3", "r"},
    {"3*(r/3)", "r"},
    {"r/3/5", "r/15"},
    {"1 + (2 + r)", "3 + r"},
    {"1 - (2 - r)", "r - 1"},
    {"r - 1", "-1 + r"},
    {"tanh(-r)", "-tanh(r)"},
    {"cosh(-r)", "cosh(r)"},
    {"abs(abs(r))", "abs(r)"},
    {"relu(abs(r))", "abs(r)"},
    {"r > y", "y < r"},
    {"r >= y", "y <= r"},
    {"r == y", "y == r"},
    {"r < r", "0"},
    {"r <= r", "1"},
    {"(r > 0)*(r > 0)", "r > 0"},
    {"if(1, r, y)", "r"},
    {"if(0, r, y)", "y"},
    {"if(r > 0, y, y)", "y"},
    {"if(r > 0, 1, 0)", "r > 0"},
    {"max(r, r)", "r"},
    {"max(r, y, t)", "max(max(r, y), t)"},
    {"log(exp(r))", "r"},
    {"log(1 + exp(r))", "softplus(r)"},
    {"log(1 + r)", "log1p(r)"},
    {"log(exp(r) + exp(y))", "logsumexp(r, y)"},
    {"log(1 + exp(r) + exp(y))", "logsumexp(0, r, y)"},
    {"2 + 3*4", "14"},
    {"tanh(0)", "0"},
};

static void equal_expressions_are_one_node(void **state)
{
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
        fixture f = fixture_new();
        if (fixture_parse(&f, equal[i][0]) != fixture_parse(&f, equal[i][1]))
            fail_msg("\"%s\" and \"%s\" are two nodes", equal[i][0], equal[i][1]);
        fixture_free(&f);
    }
}

/* These look alike and are not. */
static const char *const different[][2] = {
    {"r - y", "y - r"}, {"r/y", "y/r"},         {"r^y", "y^r"},           {"r < y", "r <= y"},
    {"r/3", "r*0.3333333333333333"}, {"min(r, y)", "max(r, y)"}, {"0*r", "-0.0"}, {"sqrt(r*r)", "r"},
    {"exp(log(r))", "r"}, {"r/r", "1"}, {"max(r, y)", "max(y, r)"}};

static void different_expressions_are_two_nodes(void **state)
{
    for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
        fixture f = fixture_new();
        if (fixture_parse(&f, different[i][0]) == fixture_parse(&f, different[i][1]))
            fail_msg("\"%s\" and \"%s\" are one node", different[i][0], different[i][1]);
        fixture_free(&f);
    }
}

static int instructions(fixture *f, const expr_node *nodes, size_t n)
{
    expr_program *program = NULL;
    assert_int_equal(expr_compile(f->ctx, f->graph, nodes, n, &program), SGDMFT_OK);
    int count = expr_program_length(program);
    expr_program_free(program);
    return count;
}

static int count_op(const fixture *f, expr_op op)
{
    int count = 0;
    for (int i = 0; i < f->graph->n_nodes; i++)
        count += f->graph->node[i].op == op;
    return count;
}

/* Value, gradient and Hessian of a loss evaluate its elementary function once. */
static void derivatives_share_the_function(void **state)
{
    static const struct {
        const char *text;
        expr_op op;
        int most;   /* nodes of that kind */
        int ins;    /* instructions of loss, gradient and Hessian together */
    } cases[] = {
        {"(tanh(r) - y)^2/2", OP_TANH, 1, 13},
        {"log(1 + exp(-y*r))", OP_SIGMOID, 1, 10},
        {"(sigmoid(r) - y)^2/2", OP_SIGMOID, 1, 18},
        {"(exp(r) - y)^2/2", OP_EXP, 1, 8},
        {"(erf(r) - y)^2/2", OP_ERF, 1, 17},
        {"(r - y)^2/2", OP_MUL, 99, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f = fixture_new();
        expr_node node[3];
        node[0] = fixture_parse(&f, cases[i].text);
        node[1] = fixture_derive(&f, node[0], f.r);
        node[2] = fixture_derive(&f, node[1], f.r);
        int n = instructions(&f, node, 3);
        if (count_op(&f, cases[i].op) > cases[i].most || n > cases[i].ins)
            fail_msg("%s: %d nodes of the function, allowed %d; %d instructions, allowed %d", cases[i].text,
                     count_op(&f, cases[i].op), cases[i].most, n, cases[i].ins);
        fixture_free(&f);
    }
}

/* The Hessian of a sum over many variables costs in proportion to its entries, not more. */
static void wide_hessians_stay_small(void **state)
{
    fixture f = fixture_new();
    expr_node r[8], out[8 + 64];
    for (int i = 0; i < 8; i++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", i + 1);
        assert_int_equal(expr_variable(f.ctx, f.graph, name, &r[i]), SGDMFT_OK);
    }
    expr_node loss = fixture_parse(&f, "(tanh(x1)+tanh(x2)+tanh(x3)+tanh(x4)+tanh(x5)+tanh(x6)+tanh(x7)+tanh(x8)-y)^2/2");
    for (int a = 0; a < 8; a++)
        out[a] = fixture_derive(&f, loss, r[a]);
    for (int a = 0; a < 8; a++)
        for (int b = 0; b < 8; b++)
            out[8 + 8 * a + b] = fixture_derive(&f, out[a], r[b]);
    for (int a = 0; a < 8; a++)
        for (int b = 0; b < a; b++)
            assert_int_equal(out[8 + 8 * a + b], out[8 + 8 * b + a]);
    int n = instructions(&f, out, 72);
    if (n > 150)
        fail_msg("%d instructions", n);
    assert_int_equal(count_op(&f, OP_TANH), 8);
    fixture_free(&f);
}

static void dependence_and_constants(void **state)
{
    fixture f = fixture_new();
    expr_node node = fixture_parse(&f, "tanh(r*t) + 0*y");
    double value = -1;
    assert_true(expr_depends(f.graph, node, f.r) && expr_depends(f.graph, node, f.t));
    assert_false(expr_depends(f.graph, node, f.y));
    assert_false(expr_constant(f.graph, node, &value));
    assert_true(expr_constant(f.graph, fixture_derive(&f, node, f.y), &value) && value == 0);
    assert_true(expr_constant(f.graph, fixture_derive(&f, fixture_parse(&f, "3*r + y"), f.r), &value) && value == 3);
    /* affine gradient: the Hessian of a quadratic does not depend on r */
    expr_node g = fixture_derive(&f, fixture_parse(&f, "(r - y)^2/2 + t*r^2"), f.r);
    assert_false(expr_depends(f.graph, fixture_derive(&f, g, f.r), f.r));
    fixture_free(&f);
}

static void too_many_variables(void **state)
{
    fixture f = fixture_new();
    expr_node v;
    for (int i = 3; i < EXPR_MAX_VARIABLES; i++)
        assert_int_equal(expr_variable(f.ctx, f.graph, "v", &v), SGDMFT_OK);
    assert_int_equal(expr_variable(f.ctx, f.graph, "w", &v), SGDMFT_ERR_UNSUPPORTED);
    fixture_free(&f);
}

/* "sin(1*r)+sin(2*r)+..." : n distinct terms. */
static char *long_sum(int n)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    for (int i = 1; i <= n; i++)
        fprintf(out, "%ssin(%d*r)", i > 1 ? "+" : "", i);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void graphs_are_bounded(void **state)
{
    fixture f = fixture_new();
    char *text = long_sum(100000);
    expr_node node;
    assert_int_equal(expr_parse(f.ctx, f.graph, text, &fixture_origin, &node), SGDMFT_ERR_UNSUPPORTED);
    assert_non_null(strstr(sgdmft_context_message(f.ctx), "loss.yaml:7:"));
    assert_non_null(strstr(sgdmft_context_message(f.ctx), "at most 200000 distinct subexpressions"));
    free(text);
    fixture_free(&f);

    f = fixture_new();
    text = long_sum(45000);
    node = fixture_parse(&f, text);
    expr_node derivative;
    assert_int_equal(expr_derivative(f.ctx, f.graph, node, f.r, &derivative), SGDMFT_ERR_UNSUPPORTED);
    assert_non_null(strstr(sgdmft_context_message(f.ctx), "in its derivatives"));
    /* the graph stays usable */
    assert_int_equal(fixture_derive(&f, f.r, f.y), fixture_parse(&f, "0"));
    free(text);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_expressions_are_one_node),
        cmocka_unit_test(different_expressions_are_two_nodes),
        cmocka_unit_test(derivatives_share_the_function),
        cmocka_unit_test(wide_hessians_stay_small),
        cmocka_unit_test(dependence_and_constants),
        cmocka_unit_test(too_many_variables),
        cmocka_unit_test(graphs_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
