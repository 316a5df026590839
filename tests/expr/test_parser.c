/* Meaning of texts, and the message and column of everything that is refused. */
#include "fixture.h"

#include <locale.h>
#include <stdio.h>

static const struct meaning {
    const char *text;
    double value; /* at r = 1.75, y = -0.625, t = 3.5 */
} meanings[] = {
    {"r", 1.75},
    {"-r^2", -3.0625},
    {"(-r)^2", 3.0625},
    {"2^-r", 0.29730177875068026},
    {"2^3^2", 512},
    {"(2^3)^2", 64},
    {"-2^-2^2", -0.0625},
    {"r - y - t", -1.125},
    {"r/y/t", -0.8},
    {"r*y/t*2", -0.625},
    {"r + y*t", -0.4375},
    {"+r - -y", 1.125},
    {"--r", 1.75},
    {"r*-y", 1.09375},
    {"1.5e1*r", 26.25},
    {"  .5 *\tr\n+ 2.", 2.875},
    {"1E-2*r", 0.0175},
    {"r < t", 1},
    {"r + 2 < t", 0},
    {"r >= 1.75", 1},
    {"r > 1.75", 0},
    {"(r != 1.75) + 2*(r == 1.75)", 2},
    {"(0 < r)*(r < t)", 1},
    {"1 + (r > y)*2", 3},
    {"if(y < 0, r, t)", 1.75},
    {"if(r - 1.75, r, t)", 3.5},
    {"max(r, y, t, 2)", 3.5},
    {"min(r, y, t, 2)", -0.625},
    {"max(min(r, t), y)", 1.75},
    {"cos(pi)", -1},
    {"r^0", 1},
    {"r^1", 1.75},
    {"r^5", 16.4130859375},
    {"r^-2", 0.32653061224489793},
    {"r^0.5", 1.3228756555322954},
    {"r^2.5", 4.0513066950676546},
    {"r^t", 7.0897867163683951},
    {"r^1.3", 2.0699004706631094},
    {"tanh(r)", 0.94137553849728736},
    {"log ( r )", 0.55961578793542266},
    {"logsumexp(r, y, t)", 3.673900732664628},
    {"((((r))))", 1.75},
    {"abs(y)*sign(y)", -0.625},
};

static void texts_mean_what_they_say(void **state)
{
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        double found = fixture_value(&f, fixture_parse(&f, meanings[i].text), 1.75, -0.625, 3.5);
        if (!(fabs(found - meanings[i].value) <= 4e-15 * fabs(meanings[i].value)))
            fail_msg("\"%s\": %.17g, expected %.17g", meanings[i].text, found, meanings[i].value);
    }
    fixture_free(&f);
}

static const struct refusal {
    const char *text;
    sgdmft_status status;
    int column; /* within the text, from 1 */
    const char *says;
} refusals[] = {
    {"", SGDMFT_ERR_SYNTAX, 1, "empty"},
    {"   ", SGDMFT_ERR_SYNTAX, 1, "empty"},
    {"(f - y)^2/2", SGDMFT_ERR_UNKNOWN_NAME, 2, "unknown variable \"f\"; did you mean"},
    {"r + yy*2", SGDMFT_ERR_UNKNOWN_NAME, 5, "unknown variable \"yy\"; did you mean \"y\"? Allowed here: r, y, t, pi"},
    {"r + p1", SGDMFT_ERR_UNKNOWN_NAME, 5, "did you mean \"pi\""},
    {"tnah(r)", SGDMFT_ERR_UNKNOWN_NAME, 1, "unknown function \"tnah\"; did you mean \"tanh\""},
    {"2*sqr(r)", SGDMFT_ERR_UNKNOWN_NAME, 3, "did you mean \"sqrt\""},
    {"Softplus(r)", SGDMFT_ERR_UNKNOWN_NAME, 1, "did you mean \"softplus\""},
    {"logsumxep(r, y)", SGDMFT_ERR_UNKNOWN_NAME, 1, "did you mean \"logsumexp\""},
    {"tanh(r, y)", SGDMFT_ERR_ARITY, 1, "tanh takes 1 argument, found 2"},
    {"1 + exp()", SGDMFT_ERR_ARITY, 5, "exp takes 1 argument, found 0"},
    {"if(r > 0, 1)", SGDMFT_ERR_ARITY, 1, "if takes 3 arguments, found 2"},
    {"y*max(r)", SGDMFT_ERR_ARITY, 3, "max takes 2 to 64 arguments, found 1"},
    {"r $ y", SGDMFT_ERR_SYNTAX, 3, "unexpected character \"$\""},
    {"r ** 2", SGDMFT_ERR_SYNTAX, 3, "powers are written a^b"},
    {"r\xC2\xB2 + 1", SGDMFT_ERR_SYNTAX, 2, "unexpected character \"\xC2\xB2\"; powers are written a^2"},
    {"1 \xE2\x88\x92 r $", SGDMFT_ERR_SYNTAX, 3, "use the plain minus sign"},
    {"r = y", SGDMFT_ERR_SYNTAX, 3, "equality is written =="},
    {"if(r>0 && y>0, 1, 0)", SGDMFT_ERR_SYNTAX, 8, "multiply the comparisons"},
    {"r[1]", SGDMFT_ERR_SYNTAX, 2, "round parentheses"},
    {"r \x01", SGDMFT_ERR_SYNTAX, 3, "control character 1"},
    {"(r + y", SGDMFT_ERR_SYNTAX, 7, "the \"(\" at its character 1 is not closed"},
    {"tanh(r", SGDMFT_ERR_SYNTAX, 7, "the \"(\" at its character 5 is not closed"},
    {"r + y)", SGDMFT_ERR_SYNTAX, 6, "found \")\" without a \"(\" before it"},
    {"(r y)", SGDMFT_ERR_SYNTAX, 4, "found \"y\" where an operator or the \")\" of the \"(\" at character 1"},
    {"r y", SGDMFT_ERR_SYNTAX, 3, "found \"y\" where an operator or the end"},
    {"(r)(y)", SGDMFT_ERR_SYNTAX, 4, "multiplication is written a*b"},
    {"2r", SGDMFT_ERR_SYNTAX, 2, "multiplication is written 2*r"},
    {"0,5*r", SGDMFT_ERR_SYNTAX, 2, "a decimal number is written 0.5"},
    {"1.2.3", SGDMFT_ERR_SYNTAX, 4, "one decimal point"},
    {"r + 1e400", SGDMFT_ERR_SYNTAX, 5, "number 1e400 is too large"},
    {"r + 1e-400", SGDMFT_ERR_SYNTAX, 5, "number 1e-400 is too small"},
    {"r +", SGDMFT_ERR_SYNTAX, 4, "the expression ends where a number"},
    {"* r", SGDMFT_ERR_SYNTAX, 1, "found \"*\" where a number"},
    {"max(r, , y)", SGDMFT_ERR_SYNTAX, 8, "found \",\" where a number"},
    {"0 < r < y", SGDMFT_ERR_SYNTAX, 7, "comparisons cannot be chained"},
    {"tanh r", SGDMFT_ERR_SYNTAX, 1, "the function tanh needs its argument in parentheses"},
    {"r(2)", SGDMFT_ERR_SYNTAX, 1, "\"r\" is a variable, not a function; multiplication is written r*(...)"},
    {"s*r", SGDMFT_ERR_UNKNOWN_NAME, 1, "\"s\" may not be used here: it belongs to the teacher"},
};

static void refusals_point_at_their_cause(void **state)
{
    fixture f = fixture_new();
    expr_node s;
    assert_int_equal(expr_variable(f.ctx, f.graph, "s", &s), SGDMFT_OK);
    assert_int_equal(expr_forbid(f.ctx, f.graph, "s", "it belongs to the teacher"), SGDMFT_OK);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *c = &refusals[i];
        expr_node node;
        sgdmft_status status = expr_parse(f.ctx, f.graph, c->text, &fixture_origin, &node);
        char prefix[64];
        snprintf(prefix, sizeof prefix, "loss.yaml:7:%d: model.loss: ", 9 + c->column);
        const char *message = sgdmft_context_message(f.ctx);
        if (status != c->status || strncmp(message, prefix, strlen(prefix)) || !strstr(message, c->says))
            fail_msg("\"%s\": status %d (expected %d), message \"%s\"\n  expected \"%s...%s\"", c->text, status, c->status,
                     message, prefix, c->says);
    }
    fixture_free(&f);
}

static void places_of_other_texts(void **state)
{
    static const struct {
        const char *text;
        origin where;
        const char *starts;
    } cases[] = {
        {"(r -\n  q)^2", {"p.yaml", 12, 9, "model.loss"}, "p.yaml:13:3: model.loss: unknown variable"},
        {"(q -\n  r)^2", {"p.yaml", 12, 9, "model.loss"}, "p.yaml:12:10: model.loss: unknown variable"},
        {"r + q", {"--set", 0, 0, "eta"}, "--set: eta: character 5: unknown variable"},
        {"r + q", {NULL, 0, 0, NULL}, "character 5: unknown variable"},
    };
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expr_node node;
        assert_int_equal(expr_parse(f.ctx, f.graph, cases[i].text, &cases[i].where, &node), SGDMFT_ERR_UNKNOWN_NAME);
        const char *message = sgdmft_context_message(f.ctx);
        if (strncmp(message, cases[i].starts, strlen(cases[i].starts)))
            fail_msg("\"%s\" does not start with \"%s\"", message, cases[i].starts);
    }
    fixture_free(&f);
}

static void names_can_be_bound_forbidden_and_removed(void **state)
{
    fixture f = fixture_new();
    expr_node node, u = fixture_parse(&f, "tanh(r)");
    assert_int_equal(expr_bind(f.ctx, f.graph, "f1", u), SGDMFT_OK);
    assert_int_equal(fixture_parse(&f, "f1"), u);
    assert_int_equal(fixture_parse(&f, "f1 - y"), fixture_parse(&f, "tanh(r) - y"));
    assert_int_equal(expr_forbid(f.ctx, f.graph, "f1", "no predictions"), SGDMFT_OK);
    assert_int_equal(expr_parse(f.ctx, f.graph, "f1", &fixture_origin, &node), SGDMFT_ERR_UNKNOWN_NAME);
    assert_non_null(strstr(sgdmft_context_message(f.ctx), "no predictions"));
    /* a forbidden name is not suggested either */
    assert_int_equal(expr_parse(f.ctx, f.graph, "f2", &fixture_origin, &node), SGDMFT_ERR_UNKNOWN_NAME);
    assert_null(strstr(sgdmft_context_message(f.ctx), "\"f1\""));
    assert_int_equal(expr_forbid(f.ctx, f.graph, "f1", NULL), SGDMFT_OK);
    assert_int_equal(fixture_parse(&f, "f1"), u);
    expr_unbind(f.graph, "f1");
    expr_unbind(f.graph, "nothing");
    assert_int_equal(expr_parse(f.ctx, f.graph, "f1", &fixture_origin, &node), SGDMFT_ERR_UNKNOWN_NAME);
    assert_int_equal(expr_bind(f.ctx, f.graph, "tanh", u), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(expr_bind(f.ctx, f.graph, "pi", u), SGDMFT_ERR_ARGUMENT);
    fixture_free(&f);
}

/* `head`, then `part` `times` times, then `tail`. */
static char *repeat(const char *head, const char *part, size_t times, const char *tail)
{
    size_t length = strlen(part);
    char *text = malloc(strlen(head) + length * times + strlen(tail) + 1);
    assert_non_null(text);
    strcpy(text, head);
    char *at = text + strlen(head);
    for (size_t i = 0; i < times; i++, at += length)
        memcpy(at, part, length);
    strcpy(at, tail);
    return text;
}

static void expect_refusal(char *text, sgdmft_status status, const char *says)
{
    fixture f = fixture_new();
    expr_node node;
    assert_int_equal(expr_parse(f.ctx, f.graph, text, &fixture_origin, &node), status);
    if (!strstr(sgdmft_context_message(f.ctx), says))
        fail_msg("\"%s\" does not contain \"%s\"", sgdmft_context_message(f.ctx), says);
    free(text);
    fixture_free(&f);
}

static void hostile_texts_are_refused(void **state)
{
    expect_refusal(repeat("", "(", 100000, "r"), SGDMFT_ERR_SYNTAX, "nested too deeply; allowed: at most 200 levels");
    expect_refusal(repeat("", "tanh(", 100000, "r"), SGDMFT_ERR_SYNTAX, "nested too deeply");
    expect_refusal(repeat("", "-", 100000, "r"), SGDMFT_ERR_SYNTAX, "nested too deeply");
    expect_refusal(repeat("", "r^", 100000, "r"), SGDMFT_ERR_SYNTAX, "nested too deeply");
    expect_refusal(repeat("max(r", ",y", 100000, ")"), SGDMFT_ERR_ARITY, "found 100001");
    expect_refusal(repeat("", "9", 100000, ""), SGDMFT_ERR_SYNTAX, "is too large");
    expect_refusal(repeat("r", "r", 100000, ""), SGDMFT_ERR_UNKNOWN_NAME, "unknown variable");
    expect_refusal(repeat("", "(", 150, "r"), SGDMFT_ERR_SYNTAX, "is not closed");
}

static void long_sums_and_deep_parentheses_parse(void **state)
{
    fixture f = fixture_new();
    char *sum = repeat("r", "+r*y", 100000, "");
    double found = fixture_value(&f, fixture_parse(&f, sum), 2, 0.25, 0);
    assert_true(found == 2 + 0.5 * 100000);
    free(sum);
    char *open = repeat("", "(", 150, "r"), *both = repeat(open, ")", 150, "");
    assert_int_equal(fixture_parse(&f, both), f.r);
    free(open);
    free(both);
    fixture_free(&f);
}

/* Numbers have a decimal point whatever the locale of the program says. */
static void the_locale_does_not_matter(void **state)
{
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8"};
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        setlocale(LC_ALL, locales[i]);
        double value;
        assert_true(expr_constant(f.graph, fixture_parse(&f, "0.71875"), &value) && value == 0.71875);
    }
    setlocale(LC_ALL, "C");
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_mean_what_they_say),
        cmocka_unit_test(refusals_point_at_their_cause),
        cmocka_unit_test(places_of_other_texts),
        cmocka_unit_test(names_can_be_bound_forbidden_and_removed),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(long_sums_and_deep_parentheses_parse),
        cmocka_unit_test(the_locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
