/* Expansions: the sum of the products has the value of what was expanded, like terms are collected, bounds hold. */
#include "fixture.h"

#include <math.h>

#include "expr/expand.h"

/* Variables are r, y and t. */
enum { VARIABLES = 3 };

static double value_of(fixture *f, expr_node node, const double *x)
{
    return fixture_value(f, node, x[0], x[1], x[2]);
}

static double value_of_sum(fixture *s, const expr_sum *sum, const double *x)
{
    double total = 0;
    for (size_t i = 0; i < sum->n; i++) {
        double product = sum->term[i].coefficient;
        for (int f = 0; f < sum->term[i].n; f++)
            product *= value_of(s, sum->term[i].factor[f], x);
        total += product;
    }
    return total;
}

static void values_and_terms(void **state)
{
    static const struct {
        const char *text;
        size_t terms;
    } cases[] = {
        {"(tanh(r) + tanh(y) - t)^2/2", 6},
        {"(r + y)*(r - y)", 2},
        {"(r + y + t)^4", 15},
        {"tanh(r + y)*(1 - t)", 1}, /* 1 - t depends on one variable and stays */
        {"-(r*y - y*r)", 0},
        {"(r*y + t)/(1 + y^2)", 2},
        {"(exp(r)*3 - y/4)*5", 2},
        {"if(r > y, r, t)*r + 2", 2},
        {"7", 1},
        {"0*r", 0},
        {"max(r, y) - 2*(max(r, y) - t)", 2},
    };
    static const double points[][VARIABLES] = {{0.3, -0.8, 1.1}, {-1.4, 0.2, 0.7}};
    fixture s = fixture_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expr_node node = fixture_parse(&s, cases[i].text);
        expr_sum sum;
        int fits;
        assert_int_equal(expr_expand(s.ctx, s.graph, node, 100, &sum, &fits), SGDMFT_OK);
        assert_true(fits);
        assert_int_equal(sum.n, cases[i].terms);
        for (size_t p = 0; p < 2; p++) {
            double want = value_of(&s, node, points[p]);
            assert_true(fabs(value_of_sum(&s, &sum, points[p]) - want) <= 1e-13 * (1 + fabs(want)));
        }
        expr_sum_clear(&sum);
    }
    fixture_free(&s);
}

static void products(void **state)
{
    static const double at[VARIABLES] = {0.4, 1.3, -0.6};
    fixture s = fixture_new();
    expr_node x = fixture_parse(&s, "tanh(r) - 2*y"), y = fixture_parse(&s, "tanh(r) + 2*y - t");
    expr_sum left, right, product;
    int fits;
    assert_int_equal(expr_expand(s.ctx, s.graph, x, 10, &left, &fits), SGDMFT_OK);
    assert_int_equal(expr_expand(s.ctx, s.graph, y, 10, &right, &fits), SGDMFT_OK);
    assert_int_equal(expr_sum_multiply(s.ctx, &left, &right, 10, &product, &fits), SGDMFT_OK);
    assert_true(fits);
    assert_int_equal(product.n, 4); /* the mixed terms of tanh(r) and y cancel */
    assert_true(fabs(value_of_sum(&s, &product, at) - value_of(&s, x, at) * value_of(&s, y, at)) < 1e-14);
    expr_sum_clear(&product);
    assert_int_equal(expr_sum_multiply(s.ctx, &left, &right, 3, &product, &fits), SGDMFT_OK);
    assert_true(!fits && !product.term);
    expr_sum_clear(&left);
    expr_sum_clear(&right);
    fixture_free(&s);
}

static void bounds(void **state)
{
    fixture s = fixture_new();
    expr_sum sum;
    int fits;
    assert_int_equal(expr_expand(s.ctx, s.graph, fixture_parse(&s, "(r + y + t)^4"), 14, &sum, &fits), SGDMFT_OK);
    assert_true(!fits && !sum.term);
    assert_int_equal(expr_expand(s.ctx, s.graph, fixture_parse(&s, "(r + y)^17"), 1000, &sum, &fits), SGDMFT_OK);
    assert_true(!fits && !sum.term); /* more than EXPR_FACTORS factors */
    assert_int_equal(expr_expand(s.ctx, s.graph, fixture_parse(&s, "(r + y)^16"), 1000, &sum, &fits), SGDMFT_OK);
    assert_true(fits && sum.n == 17);
    expr_sum_clear(&sum);
    fixture_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_terms),
        cmocka_unit_test(products),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
