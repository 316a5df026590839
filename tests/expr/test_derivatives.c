/* Derivatives of random expressions by an independent route: an interpreter of the text in second-order Taylor numbers
   (value, two first and three second derivatives), which shares nothing with the graph but the language. */
#include "fixture.h"

#include <ctype.h>
#include <stdio.h>

/* v + a dr + b dy + aa dr^2/2 + ab dr dy + bb dy^2/2 */
typedef struct jet {
    double v, a, b, aa, ab, bb;
} jet;

static jet constant(double v)
{
    return (jet){v, 0, 0, 0, 0, 0};
}

/* f(x) with the derivatives f1 and f2 of f at x.v */
static jet chain(jet x, double f0, double f1, double f2)
{
    return (jet){f0,
                 f1 * x.a,
                 f1 * x.b,
                 f1 * x.aa + f2 * x.a * x.a,
                 f1 * x.ab + f2 * x.a * x.b,
                 f1 * x.bb + f2 * x.b * x.b};
}

static jet plus(jet x, jet y, double sign)
{
    return (jet){x.v + sign * y.v,   x.a + sign * y.a,   x.b + sign * y.b,
                 x.aa + sign * y.aa, x.ab + sign * y.ab, x.bb + sign * y.bb};
}

static jet times(jet x, jet y)
{
    return (jet){x.v * y.v,
                 x.a * y.v + x.v * y.a,
                 x.b * y.v + x.v * y.b,
                 x.aa * y.v + 2 * x.a * y.a + x.v * y.aa,
                 x.ab * y.v + x.a * y.b + x.b * y.a + x.v * y.ab,
                 x.bb * y.v + 2 * x.b * y.b + x.v * y.bb};
}

static jet inverse(jet x)
{
    double i = 1 / x.v;
    return chain(x, i, -i * i, 2 * i * i * i);
}

static jet jet_exp(jet x)
{
    return chain(x, exp(x.v), exp(x.v), exp(x.v));
}

static jet jet_log(jet x)
{
    double i = 1 / x.v; /* x.v^2 may overflow */
    return chain(x, log(x.v), i, -i * i);
}

static jet jet_power(jet x, jet y)
{
    if (y.a != 0 || y.b != 0)
        return jet_exp(times(y, jet_log(x)));
    double p = y.v;
    return chain(x, pow(x.v, p), p * pow(x.v, p - 1), p * (p - 1) * pow(x.v, p - 2));
}

static jet jet_function(const char *name, const jet *x)
{
    double v = x[0].v;
    if (!strcmp(name, "exp")) return jet_exp(x[0]);
    if (!strcmp(name, "log")) return jet_log(x[0]);
    if (!strcmp(name, "log1p")) return chain(x[0], log1p(v), 1 / (1 + v), -1 / ((1 + v) * (1 + v)));
    if (!strcmp(name, "sqrt")) return chain(x[0], sqrt(v), 0.5 / sqrt(v), -0.25 / (v * sqrt(v)));
    if (!strcmp(name, "abs")) return v < 0 ? plus(constant(0), x[0], -1) : x[0];
    if (!strcmp(name, "sign")) return constant(isnan(v) ? v : (v > 0) - (v < 0));
    if (!strcmp(name, "tanh")) return chain(x[0], tanh(v), 1 / (cosh(v) * cosh(v)), -2 * tanh(v) / (cosh(v) * cosh(v)));
    if (!strcmp(name, "sinh")) return chain(x[0], sinh(v), cosh(v), sinh(v));
    if (!strcmp(name, "cosh")) return chain(x[0], cosh(v), sinh(v), cosh(v));
    if (!strcmp(name, "sin")) return chain(x[0], sin(v), cos(v), -sin(v));
    if (!strcmp(name, "cos")) return chain(x[0], cos(v), -sin(v), -cos(v));
    if (!strcmp(name, "tan")) return chain(x[0], tan(v), 1 / (cos(v) * cos(v)), 2 * tan(v) / (cos(v) * cos(v)));
    if (!strcmp(name, "atan")) return chain(x[0], atan(v), 1 / (1 + v * v), -2 * v / ((1 + v * v) * (1 + v * v)));
    if (!strcmp(name, "erf")) return chain(x[0], erf(v), M_2_SQRTPI * exp(-v * v), -2 * v * M_2_SQRTPI * exp(-v * v));
    if (!strcmp(name, "erfc")) return chain(x[0], erfc(v), -M_2_SQRTPI * exp(-v * v), 2 * v * M_2_SQRTPI * exp(-v * v));
    if (!strcmp(name, "relu")) return v <= 0 ? constant(0) : x[0];
    if (!strcmp(name, "softplus"))
        return chain(x[0], log1p(exp(v)), 1 / (1 + exp(-v)), exp(-v) / ((1 + exp(-v)) * (1 + exp(-v))));
    if (!strcmp(name, "sigmoid")) {
        double s = 1 / (1 + exp(-v));
        return chain(x[0], s, s * (1 - s), s * (1 - s) * (1 - 2 * s));
    }
    if (!strcmp(name, "min")) return isnan(x[0].v) || x[0].v <= x[1].v ? x[0] : x[1];
    if (!strcmp(name, "max")) return isnan(x[0].v) || x[0].v >= x[1].v ? x[0] : x[1];
    if (!strcmp(name, "if")) return x[0].v != 0 ? x[1] : x[2];
    if (!strcmp(name, "logsumexp")) {
        jet most = constant(fmax(x[0].v, x[1].v));
        return plus(jet_log(plus(jet_exp(plus(x[0], most, -1)), jet_exp(plus(x[1], most, -1)), 1)), most, 1);
    }
    fail_msg("no rule for %s", name);
    return x[0];
}

/* The texts below are fully parenthesised: (a+b), f(a,b), names and numbers. */
typedef struct reader {
    const char *at;
    jet r, y;
    int wild; /* 1 once a value on the way is infinite or NaN: simplifications may drop such values */
} reader;

static jet note(reader *in, jet x)
{
    in->wild |= !isfinite(x.v) || fabs(x.v) > 1e150;
    return x;
}

static jet read_jet(reader *in);

static jet read_call(reader *in)
{
    char name[16];
    jet x[3];
    int n = 0, length = 0;
    while (isalnum((unsigned char)*in->at))
        name[length++] = *in->at++;
    name[length] = 0;
    if (*in->at != '(')
        return name[0] == 'r' ? in->r : in->y;
    do {
        in->at++;
        x[n++] = read_jet(in);
    } while (*in->at == ',');
    in->at++;
    return note(in, jet_function(name, x));
}

static jet apply(char symbol, jet a, jet b)
{
    switch (symbol) {
    case '+': return plus(a, b, 1);
    case '-': return plus(a, b, -1);
    case '*': return times(a, b);
    case '/': return times(a, inverse(b));
    case '^': return jet_power(a, b);
    case '<': return constant(a.v < b.v);
    default: return constant(a.v > b.v);
    }
}

static jet read_jet(reader *in)
{
    if (isalpha((unsigned char)*in->at))
        return read_call(in);
    if (*in->at != '(') {
        char *end;
        jet number = constant(strtod(in->at, &end));
        in->at = end;
        return number;
    }
    in->at++;
    if (*in->at == '-') { /* (-a) */
        in->at++;
        jet a = read_jet(in);
        in->at++;
        return plus(constant(0), a, -1);
    }
    jet a = read_jet(in);
    char symbol = *in->at++;
    jet b = read_jet(in);
    in->at++;
    return note(in, apply(symbol, a, b));
}

/* Writes a random expression with at most `depth` levels. */
static void write_random(FILE *out, uint64_t *state, int depth)
{
    static const char *const unary[] = {"exp",  "log",  "log1p", "sqrt", "abs",  "sign", "tanh",     "sinh",   "cosh",
                                        "sin",  "cos",  "tan",   "atan", "erf",  "erfc", "relu",     "softplus",
                                        "sigmoid", "tanh", "softplus", "sigmoid", "erf"};
    static const char *const numbers[] = {"0", "1", "2", "0.5", "3", "0.7071", "1.25", "10"};
    static const char *const powers[] = {"2", "3", "0.5", "4", "1.5", "2.3", "1", "0"};
    uint64_t kind = fixture_bits(state) % 16;
    if (depth == 0 || kind == 0) {
        uint64_t leaf = fixture_bits(state) % 12;
        fputs(leaf < 5 ? "r" : leaf < 9 ? "y" : numbers[fixture_bits(state) % 8], out);
    } else if (kind < 8) {
        fputc('(', out);
        write_random(out, state, depth - 1);
        fputc("+-*/+-*"[kind - 1], out);
        write_random(out, state, depth - 1);
        fputc(')', out);
    } else if (kind == 8) {
        fputc('(', out);
        write_random(out, state, depth - 1);
        fprintf(out, "^%s)", powers[fixture_bits(state) % 8]);
    } else if (kind == 9) {
        fputs("(-", out);
        write_random(out, state, depth - 1);
        fputc(')', out);
    } else if (kind == 10) {
        fputs("if((", out);
        write_random(out, state, depth - 1);
        fputs(fixture_bits(state) % 2 ? "<" : ">", out);
        write_random(out, state, depth - 1);
        fputs("),", out);
        write_random(out, state, depth - 1);
        fputc(',', out);
        write_random(out, state, depth - 1);
        fputc(')', out);
    } else if (kind == 11) {
        fputs((const char *[]){"min(", "max(", "logsumexp(", "logsumexp("}[fixture_bits(state) % 4], out);
        write_random(out, state, depth - 1);
        fputc(',', out);
        write_random(out, state, depth - 1);
        fputc(')', out);
    } else {
        fprintf(out, "%s(", unary[fixture_bits(state) % (sizeof unary / sizeof *unary)]);
        write_random(out, state, depth - 1);
        fputc(')', out);
    }
}

static char *random_text(uint64_t *state, int depth)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    write_random(out, state, depth);
    assert_int_equal(fclose(out), 0);
    return text;
}

enum { POINTS = 16, OUTPUTS = 6 };

/* value, d/dr, d/dy, d2/dr2, d2/drdy, d2/dy2 at POINTS points */
static void evaluate_all(fixture *f, const char *text, const double *r, const double *y, double out[OUTPUTS][POINTS])
{
    expr_node node[OUTPUTS];
    node[0] = fixture_parse(f, text);
    node[1] = fixture_derive(f, node[0], f->r);
    node[2] = fixture_derive(f, node[0], f->y);
    node[3] = fixture_derive(f, node[1], f->r);
    node[4] = fixture_derive(f, node[1], f->y);
    node[5] = fixture_derive(f, node[2], f->y);
    expr_program *program = NULL;
    assert_int_equal(expr_compile(f->ctx, f->graph, node, OUTPUTS, &program), SGDMFT_OK);
    double *work = malloc(expr_program_work(program) * sizeof *work);
    assert_non_null(work);
    double *rows[OUTPUTS];
    for (int i = 0; i < OUTPUTS; i++)
        rows[i] = out[i];
    expr_eval(program, work, POINTS, (const double *[]){r, y, NULL}, rows);
    free(work);
    expr_program_free(program);
}

static double largest_of(const double *x, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, isnan(x[i]) ? INFINITY : fabs(x[i]));
    return most;
}

/* The condition of a point: how much the jet moves when the point moves by rounding. */
static double wobble(const char *text, double r, double y, double jet_values[OUTPUTS])
{
    double most = 0;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++) {
            reader in = {text, {r * (1 + i * 1e-13), 1, 0, 0, 0, 0}, {y * (1 + j * 1e-13), 0, 1, 0, 0, 0}, 0};
            jet x = read_jet(&in);
            double moved[OUTPUTS] = {x.v, x.a, x.b, x.aa, x.ab, x.bb};
            for (int o = 0; o < OUTPUTS; o++)
                most = fmax(most, fabs(moved[o] - jet_values[o]));
        }
    return most;
}

/* Compares at all points where the expression is tame; returns how many. */
static int compare(fixture *f, const char *text, const double *r, const double *y)
{
    double found[OUTPUTS][POINTS];
    int compared = 0;
    evaluate_all(f, text, r, y, found);
    for (int p = 0; p < POINTS; p++) {
        reader in = {text, {r[p], 1, 0, 0, 0, 0}, {y[p], 0, 1, 0, 0, 0}, 0};
        jet x = read_jet(&in);
        double expected[OUTPUTS] = {x.v, x.a, x.b, x.aa, x.ab, x.bb};
        double size = largest_of(expected, OUTPUTS), moves = wobble(text, r[p], y[p], expected);
        if (in.wild || !(size < 1e6) || !(moves < 1e-6 * (1 + size)))
            continue;
        compared++;
        for (int o = 0; o < OUTPUTS; o++)
            if (!(fabs(found[o][p] - expected[o]) <= 1e-9 * (1 + size) + moves))
                fail_msg("%s: output %d at r = %.17g, y = %.17g is %.17g, expected %.17g", text, o, r[p], y[p],
                         found[o][p], expected[o]);
    }
    return compared;
}

static void compare_many(int depth, int texts, uint64_t seed, double least_fraction)
{
    uint64_t state = seed;
    int compared = 0;
    for (int i = 0; i < texts; i++) {
        fixture f = fixture_new();
        char *text = random_text(&state, depth);
        double r[POINTS], y[POINTS];
        for (int p = 0; p < POINTS; p++) {
            r[p] = fixture_uniform(&state, -2.5, 2.5);
            y[p] = fixture_uniform(&state, -2.5, 2.5);
        }
        compared += compare(&f, text, r, y);
        free(text);
        fixture_free(&f);
    }
    print_message("depth %d: compared %d of %d points\n", depth, compared, texts * POINTS);
    assert_true(compared >= least_fraction * texts * POINTS);
}

static void random_expressions_depth_2(void **state) { compare_many(2, 4000, 101, 0.5); }
static void random_expressions_depth_4(void **state) { compare_many(4, 4000, 202, 0.3); }
static void random_expressions_depth_6(void **state) { compare_many(6, 1500, 303, 0.15); }

/* One text per function, so that none is missed by chance. */
static void every_function_is_derived(void **state)
{
    static const char *const texts[] = {
        "exp((r*y))", "log((2+(r*y)))", "log1p((0.5*(r*r)))", "sqrt((3+(r*y)))", "abs((r-(2*y)))", "(sign((r-y))*(r*y))",
        "tanh((r*y))", "sinh((r+(y*y)))", "cosh((r*y))", "sin((r*y))", "cos((r+(2*y)))", "tan((0.3*(r*y)))", "atan((r*y))",
        "erf((r*y))", "erfc((r-y))", "(relu((r-y))*y)", "softplus((r*y))", "sigmoid((r*y))", "min((r*y),(r-y))",
        "max((r*r),(r+y))", "logsumexp((r*y),(r-y))", "if((r<y),(r*r),(y*r))", "((2+(r*y))^1.7)", "((3+r)^y)", "(r^7)",
        "((3+r)^0.5)", "((3+y)^1.5)", "(r/(3+y))", "(1/(3+(r*y)))", "(2^r)", "((r>y)*(r*y))", "(-(r*y))"};
    uint64_t bits = 77;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fixture f = fixture_new();
        double r[POINTS], y[POINTS];
        for (int p = 0; p < POINTS; p++) {
            r[p] = fixture_uniform(&bits, -1.4, 1.4);
            y[p] = fixture_uniform(&bits, -1.4, 1.4);
        }
        if (compare(&f, texts[i], r, y) < POINTS - 2)
            fail_msg("%s: too few points compared", texts[i]);
        fixture_free(&f);
    }
}

/* Mixed second derivatives are the same node or at least the same number. */
static void hessians_are_symmetric(void **state)
{
    uint64_t bits = 404;
    for (int i = 0; i < 500; i++) {
        fixture f = fixture_new();
        char *text = random_text(&bits, 5);
        expr_node node = fixture_parse(&f, text);
        expr_node ry = fixture_derive(&f, fixture_derive(&f, node, f.r), f.y);
        expr_node yr = fixture_derive(&f, fixture_derive(&f, node, f.y), f.r);
        double r = fixture_uniform(&bits, -2, 2), y = fixture_uniform(&bits, -2, 2);
        double a = fixture_value(&f, ry, r, y, 0), b = fixture_value(&f, yr, r, y, 0);
        if (isfinite(a) && isfinite(b) && fabs(a) < 1e6 && !(fabs(a - b) <= 1e-7 * (1 + fabs(a))))
            fail_msg("%s: d2/drdy = %.17g, d2/dydr = %.17g at (%.17g, %.17g)", text, a, b, r, y);
        free(text);
        fixture_free(&f);
    }
}

static void conventions_at_kinks(void **state)
{
    static const struct {
        const char *text;
        double value; /* of d/dr at r = 0, y = 0 */
    } cases[] = {{"relu(r)", 0},          {"abs(r)", 0},           {"sign(r)", 0},       {"max(2*r, 3*r)", 2},
                 {"min(2*r, 3*r)", 2},    {"max(3*r, 2*r)", 3},    {"(r < 1)*r", 1},     {"if(r > 0, 5*r, 7*r)", 7},
                 {"max(r, 2*r, 3*r)", 1}, {"if(r, 2*r, 11*r)", 11}};
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expr_node d = fixture_derive(&f, fixture_parse(&f, cases[i].text), f.r);
        assert_true(fixture_value(&f, d, 0, 0, 0) == cases[i].value);
    }
    fixture_free(&f);
}

/* The branch not taken may be NaN or infinite. */
static void branches_do_not_leak(void **state)
{
    fixture f = fixture_new();
    expr_node node = fixture_parse(&f, "if(r > 0, log(r)*sqrt(r), r*y)");
    expr_node d = fixture_derive(&f, node, f.r), dd = fixture_derive(&f, d, f.r);
    assert_true(fixture_value(&f, node, -2, 3, 0) == -6);
    assert_true(fixture_value(&f, d, -2, 3, 0) == 3);
    assert_true(fixture_value(&f, dd, -2, 3, 0) == 0);
    assert_true(fabs(fixture_value(&f, d, 4, 3, 0) - (0.5 + log(4) / 4)) < 1e-15);
    fixture_free(&f);
}

static void saturated_losses_have_finite_derivatives(void **state)
{
    static const char *const texts[] = {"log(1+exp(-y*r))", "(tanh(r)-y)^2/2", "(erf(r)-y)^2/2", "(sigmoid(r)-y)^2",
                                        "logsumexp(r, 0, y) - r", "softplus(10*r)/10", "-log(1/(1+exp(-r)))"};
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expr_node node = fixture_parse(&f, texts[i]), d = fixture_derive(&f, node, f.r), dd = fixture_derive(&f, d, f.r);
        for (double r = -2000; r <= 2000; r += 93.75)
            for (int sign = -1; sign <= 1; sign += 2) {
                assert_true(isfinite(fixture_value(&f, node, r, sign, 0)));
                assert_true(isfinite(fixture_value(&f, d, r, sign, 0)));
                assert_true(isfinite(fixture_value(&f, dd, r, sign, 0)));
            }
    }
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_derived),
        cmocka_unit_test(random_expressions_depth_2),
        cmocka_unit_test(random_expressions_depth_4),
        cmocka_unit_test(random_expressions_depth_6),
        cmocka_unit_test(hessians_are_symmetric),
        cmocka_unit_test(conventions_at_kinks),
        cmocka_unit_test(branches_do_not_leak),
        cmocka_unit_test(saturated_losses_have_finite_derivatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
