/* The growth of expressions along rays: a table of functions with known growth, and what must not be claimed. */
#include <stdio.h>

#include "fixture.h"

static asymptotic expand_node(fixture *f, expr_node node, const asymptotic *variable)
{
    growth_walk *walk = NULL;
    asymptotic out;
    assert_int_equal(growth_walk_new(f->ctx, f->graph, &node, 1, &walk), SGDMFT_OK);
    growth_walk_expand(walk, variable, &out);
    growth_walk_free(walk);
    return out;
}

/* The expansion of a text as r = sign x, x -> infinity, with y = 0.7 and t = 0.3. */
static asymptotic expand(const char *text, double sign, int derived)
{
    fixture f = fixture_new();
    expr_node node = fixture_parse(&f, text);
    if (derived)
        node = fixture_derive(&f, node, f.r);
    asymptotic variable[3] = {asymptotic_ray(sign), asymptotic_constant(0.7), asymptotic_constant(0.3)};
    asymptotic out = expand_node(&f, node, variable);
    fixture_free(&f);
    return out;
}

static void describe(const asymptotic *a, char *out, size_t room)
{
    growth_order order;
    char text[64];
    if (a->unknown) {
        snprintf(out, room, "unknown");
        return;
    }
    if (!asymptotic_growth(a, &order)) {
        snprintf(out, room, "0");
        return;
    }
    order_text(&order, "x", text, sizeof text);
    if (a->n > 0)
        snprintf(out, room, "%.4g %s", a->c[0], text);
    else
        snprintf(out, room, "O(%s)", text);
}

static const struct growing {
    const char *text, *up, *down; /* leading terms for r -> +infinity and r -> -infinity */
} growing[] = {
    /* polynomials and cancellation */
    {"3", "3 a constant", "3 a constant"},
    {"r - r", "0", "0"},
    {"r", "1 x", "-1 x"},
    {"(r^2 - y)^2/4", "0.25 x^4", "0.25 x^4"},
    {"(r^2 + 1)^2 - r^4", "2 x^2", "2 x^2"},
    {"(r + 1)^3 - r^3 - 3*r^2", "3 x", "-3 x"},
    {"(r - y)*(r + y) - r*r", "-0.49 a constant", "-0.49 a constant"},
    {"(r^2 - y)^2/(1 + r^2 + y)", "1 x^2", "1 x^2"},
    {"r^2/(1 + r^2)", "1 a constant", "1 a constant"},
    {"1 - r^2/(1 + r^2)", "1 x^-2", "1 x^-2"},
    {"r/(r^2 - 2)", "1 x^-1", "-1 x^-1"},
    {"abs(r)^1.5", "1 x^1.5", "1 x^1.5"},
    {"r^1.3", "1 x^1.3", "unknown"},
    {"(1 + r^2)^(-0.7)", "1 x^-1.4", "1 x^-1.4"},
    /* roots and logarithms */
    {"sqrt(1 + r^2)", "1 x", "1 x"},
    {"sqrt(1 + r^2) - abs(r)", "0.5 x^-1", "0.5 x^-1"},
    {"log(1 + r^2)", "2 log(x)", "2 log(x)"},
    {"r*log(1 + r^2)", "2 x log(x)", "-2 x log(x)"},
    {"log(2 + r^2) - log(1 + r^2)", "1 x^-2", "1 x^-2"},
    {"exp(2*log(1 + r^2))", "1 x^4", "1 x^4"},
    {"log1p(r^4)/log1p(r^2)", "2 a constant", "2 a constant"},
    {"log(abs(r))", "1 log(x)", "1 log(x)"},
    {"(1 + r^2)^(y + 0.3)", "1 x^2", "1 x^2"},
    {"log(r)", "1 log(x)", "unknown"},
    /* exponentials */
    {"exp(r)", "1 exp(x)", "1 exp(-x)"},
    {"exp(-y*r)", "1 exp(-0.7 x)", "1 exp(0.7 x)"},
    {"exp(r)*exp(-r)", "1 a constant", "1 a constant"},
    {"exp(0.1*r)*exp(0.2*r)/exp(0.3*r)", "1 a constant", "1 a constant"},
    {"exp(-r^2/2)", "1 exp(-0.5 x^2)", "1 exp(-0.5 x^2)"},
    {"exp(r^2/4)*r^3", "1 exp(0.25 x^2)", "-1 exp(0.25 x^2)"},
    {"exp(sqrt(1 + r^2))", "1 exp(x)", "1 exp(x)"},
    {"exp(1/r)", "1 a constant", "1 a constant"},
    {"exp(1/r) - 1", "1 x^-1", "-1 x^-1"},
    {"exp(exp(r))", "1 exp(exp(x)) or faster", "1 a constant"},
    {"(exp(r) - 1)/r", "1 exp(x)", "1 x^-1"},
    {"exp(2*r) - exp(r)^2", "0", "0"},
    {"exp(exp(r)) - exp(r)", "1 exp(exp(x)) or faster", "1 a constant"},
    {"exp(-exp(r))*r^3", "1 exp(-exp(x)) or faster", "-1 x^3"},
    {"exp(exp(r)) - exp(exp(2*r))", "unknown", "1 exp(-x)"},
    {"sinh(r)", "0.5 exp(x)", "-0.5 exp(x)"},
    {"cosh(r) - abs(sinh(r))", "1 exp(-x)", "1 exp(-x)"},
    {"log(cosh(r))", "1 x", "1 x"},
    {"r*exp(sin(r))", "O(x)", "O(x)"},
    /* saturating functions */
    {"tanh(r)", "1 a constant", "-1 a constant"},
    {"1 - tanh(r)^2", "4 exp(-2 x)", "4 exp(-2 x)"},
    {"r^2*tanh(r)", "1 x^2", "-1 x^2"},
    {"sigmoid(r)", "1 a constant", "1 exp(-x)"},
    {"1 - sigmoid(r)", "1 exp(-x)", "1 a constant"},
    {"r*sigmoid(r)", "1 x", "-1 exp(-x)"},
    {"softplus(r)", "1 x", "1 exp(-x)"},
    {"softplus(r) - r", "1 exp(-x)", "1 x"},
    {"log(1 + exp(-y*r))", "1 exp(-0.7 x)", "0.7 x"},
    {"log1p(exp(r))", "1 x", "1 exp(-x)"},
    {"softplus(r)^2", "1 x^2", "1 exp(-2 x)"},
    {"atan(r)", "1.571 a constant", "-1.571 a constant"},
    {"r*(atan(r) - pi/2)", "-1 a constant", "3.142 x"},
    {"erf(r)", "1 a constant", "-1 a constant"},
    {"erfc(r)", "0.5642 exp(-x^2)", "2 a constant"},
    {"r*erf(r) + exp(-r^2)", "1 x", "1 x"},
    {"tanh(1/r)", "1 x^-1", "-1 x^-1"},
    {"tanh(sin(r))", "O(a constant)", "O(a constant)"},
    {"sin(r)*r^2", "O(x^2)", "O(x^2)"},
    {"cos(1/r)", "1 a constant", "1 a constant"},
    {"tan(r)", "unknown", "unknown"},
    /* branches */
    {"relu(r)", "1 x", "0"},
    {"(relu(r)^2 - y)^2", "1 x^4", "0.49 a constant"},
    {"abs(r - y)^3", "1 x^3", "1 x^3"},
    {"max(0, 1 - y*r)", "0", "0.7 x"},
    {"min(r, r^2)", "1 x", "-1 x"},
    {"max(r, 2*r, 3*r)", "3 x", "-1 x"},
    {"if(abs(r - y) < 1, (r - y)^2/2, abs(r - y) - 0.5)", "1 x", "1 x"},
    {"if(r > 0, r^3, exp(-r))", "1 x^3", "1 exp(x)"},
    {"if(sin(r) > 0, r^3, r)", "O(x^3)", "O(x^3)"},
    {"(r > 3)*r^2", "1 x^2", "0"},
    {"sign(r)*r^2", "1 x^2", "-1 x^2"},
    {"logsumexp(r, 2*r, 0)", "2 x", "1 exp(-x)"},
    {"logsumexp(r, y) - r", "2.014 exp(-x)", "1 x"},
    {"logsumexp(r, r)", "1 x", "-1 x"},
    {"(r == y)*r^9", "0", "0"},
};

static void known_growth(void **state)
{
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++)
        for (int side = 0; side < 2; side++) {
            char found[96];
            asymptotic a = expand(growing[i].text, side ? -1 : 1, 0);
            describe(&a, found, sizeof found);
            const char *wanted = side ? growing[i].down : growing[i].up;
            if (strcmp(found, wanted))
                fail_msg("%s for r -> %sinfinity: %s; expected %s", growing[i].text, side ? "-" : "+", found, wanted);
        }
}

/* Gradients, whose graphs share nodes and have other forms than what a user writes. */
static const struct growing gradients[] = {
    {"(r^2 - y)^2/4", "1 x^3", "-1 x^3"},
    {"(r^2 - y)^2/(1 + r^2 + y)", "2 x", "-2 x"},
    {"(tanh(r) - y)^2/2", "1.2 exp(-2 x)", "-6.8 exp(-2 x)"},
    {"(sinh(r) - y)^2/2", "0.25 exp(2 x)", "-0.25 exp(2 x)"},
    {"(exp(r) - y)^2/2", "1 exp(2 x)", "-0.7 exp(-x)"},
    {"(softplus(r)^2 - y)^2/2", "2 x^3", "-1.4 exp(-2 x)"},
    {"log(1 + exp(-y*r))", "-0.7 exp(-0.7 x)", "-0.7 a constant"},
    {"logsumexp(r, y) - y*r", "0.3 a constant", "-0.7 a constant"},
    {"sqrt((r^2 - y)^2 + 1)", "2 x", "-2 x"},
    {"r*erf(r) + exp(-r^2)/sqrt(pi)", "1 a constant", "-1 a constant"},
    {"abs(r - y)^3", "3 x^2", "-3 x^2"},
    {"if(abs(r^2 - y) < 1, (r^2 - y)^2/2, abs(r^2 - y) - 0.5)", "2 x", "-2 x"},
};

static void known_gradients(void **state)
{
    for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++)
        for (int side = 0; side < 2; side++) {
            char found[96];
            asymptotic a = expand(gradients[i].text, side ? -1 : 1, 1);
            describe(&a, found, sizeof found);
            const char *wanted = side ? gradients[i].down : gradients[i].up;
            if (strcmp(found, wanted))
                fail_msg("gradient of %s for r -> %sinfinity: %s; expected %s", gradients[i].text, side ? "-" : "+",
                         found, wanted);
        }
}

/* Leading terms against the numbers, at a distance where the next term is small and nothing overflows. */
static void leading_terms_agree_with_numbers(void **state)
{
    size_t compared = 0;
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++)
        for (int side = 0; side < 2; side++) {
            double x = 400, sign = side ? -1 : 1;
            asymptotic a = expand(growing[i].text, sign, 0);
            if (a.unknown || a.n == 0 || a.order[0].power[0] > 0 || a.order[0].p < -1) /* those need another x */
                continue;
            fixture f = fixture_new();
            double value = fixture_value(&f, fixture_parse(&f, growing[i].text), sign * x, 0.7, 0.3);
            fixture_free(&f);
            double lead = a.c[0] * pow(x, a.order[0].p) * pow(log(x), a.order[0].q);
            if (!(fabs(value - lead) <= 0.02 * fabs(lead)))
                fail_msg("%s at r = %g: %g; leading term %g", growing[i].text, sign * x, value, lead);
            compared++;
        }
    assert_true(compared > 80);
}

/* An expansion may be put into a variable: the gradient of (sinh(r) - y)^2/2 where the kick from x has landed. */
static void expansions_compose(void **state)
{
    fixture f = fixture_new();
    expr_node g = fixture_derive(&f, fixture_parse(&f, "(sinh(r) - y)^2/2"), f.r);
    asymptotic variable[3] = {asymptotic_ray(1), asymptotic_constant(0.7), asymptotic_constant(0)};
    asymptotic out = expand_node(&f, g, variable), kick = asymptotic_times(-0.5, &out);
    variable[0] = asymptotic_add(&variable[0], &kick);
    out = expand_node(&f, g, variable);
    char found[96];
    describe(&out, found, sizeof found);
    assert_string_equal(found, "-0.25 exp(exp(x)) or faster");
    fixture_free(&f);
}

/* More terms than an expansion holds become a bound, and never a wrong term. */
static void long_sums_stay_true(void **state)
{
    char found[96];
    asymptotic a = expand("(1 + r)^9 - r^9 - 9*r^8 - 36*r^7", 1, 0);
    describe(&a, found, sizeof found);
    assert_string_equal(found, "84 x^6");
    a = expand("(1 + r)^9 - r^9 - 9*r^8 - 36*r^7 - 84*r^6 - 126*r^5 - 126*r^4 - 84*r^3 - 36*r^2 - 9*r", 1, 0);
    assert_true(a.unknown || a.n == 0); /* it is 1 */
    growth_order order, constant = order_of_power(0);
    assert_true(asymptotic_growth(&a, &order) && order_compare(&order, &constant) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_growth),
        cmocka_unit_test(known_gradients),
        cmocka_unit_test(leading_terms_agree_with_numbers),
        cmocka_unit_test(expansions_compose),
        cmocka_unit_test(long_sums_stay_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
