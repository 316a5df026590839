/* Every function against the C library (GSL for a second opinion) over a grid that favours corners, with every set of
   loops of each instruction set that this processor has. */
#include "fixture.h"

#include <gsl/gsl_sf_erf.h>
#include <gsl/gsl_sf_log.h>
#include <stdio.h>

#define MOST 4096

typedef struct grid {
    int n;
    double x[MOST];
} grid;

static void put(grid *g, double x)
{
    assert_true(g->n + 2 <= MOST);
    g->x[g->n++] = x;
    g->x[g->n++] = -x;
}

static grid make_grid(void)
{
    static const double corners[] = {
        0, 0x1p-1074, 0x1p-1022, 1e-300, 1e-160, 0x1p-27, 0x1p-26, 1e-8, 0.1, 0.25, 0.34657359027997264, 0.5,
        0.6931471805599453, 1, M_PI_2, M_PI, 2, 5.9, 6, 9.5, 18, 19.1, 22, 26.5, 27.3, 36.7, 37.5, 40, 88.7, 354.8, 700,
        708.3, 709.5, 709.78, 709.79, 710.4, 710.48, 744.4, 745.2, 746, 1e3, 1e5, 1e9, 1e15, 0x1p53, 1e100, 1e154,
        1.4e154, 1e300, 2e307, 1.7976931348623157e308, INFINITY};
    static grid g;
    g.n = 0;
    uint64_t state = 11;
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++) {
        put(&g, corners[i]);
        if (corners[i] > 0 && isfinite(corners[i])) {
            put(&g, nextafter(corners[i], 0));
            put(&g, nextafter(corners[i], INFINITY));
        }
    }
    for (int i = 0; i < 1400; i++)
        put(&g, exp2(fixture_uniform(&state, -30, 10)));
    for (int i = 0; i < 300; i++)
        put(&g, fixture_uniform(&state, 0, 6));
    return g;
}

static double ulp_of(double x)
{
    x = fabs(x);
    return x < 0x1p-1022 ? 0x1p-1074 : nextafter(x, INFINITY) - x;
}

/* Error in units in the last place of the exact value; equal infinities and NaNs have none. */
static double error_in_ulps(double found, double exact)
{
    if ((isnan(found) && isnan(exact)) || found == exact)
        return 0;
    if (!isfinite(found) && fabs(exact) > 1.7e308)
        return 1;
    return fabs(found - exact) / ulp_of(exact);
}

static void evaluate(fixture *f, instruction_set set, const char *text, size_t n, const double *r,
                     const double *y, double *out)
{
    expr_node node = fixture_parse(f, text);
    expr_program *program = NULL;
    assert_int_equal(expr_compile_for(f->ctx, f->graph, &node, 1, set, &program), SGDMFT_OK);
    double *work = malloc(expr_program_work(program) * sizeof *work);
    assert_non_null(work);
    expr_eval(program, work, n, (const double *[]){r, y, NULL}, &out);
    free(work);
    expr_program_free(program);
}

static double one_relu(double x) { return x < 0 ? 0 : x; }
static double one_sign(double x) { return isnan(x) ? x : (x > 0) - (x < 0); }
static double one_softplus(double x) { return (double)(fmaxl(x, 0) + log1pl(expl(-fabsl(x)))); }
static double one_sigmoid(double x) { return (double)(1 / (1 + expl(-(long double)x))); }
static double one_exp(double x) { return (double)expl((long double)x); }
static double one_log(double x) { return (double)logl((long double)x); }
static double one_log1p(double x) { return (double)log1pl((long double)x); }
static double one_tanh(double x) { return (double)tanhl((long double)x); }
static double one_sinh(double x) { return (double)sinhl((long double)x); }
static double one_cosh(double x) { return (double)coshl((long double)x); }
static double one_sin(double x) { return (double)sinl((long double)x); }
static double one_cos(double x) { return (double)cosl((long double)x); }
static double one_tan(double x) { return (double)tanl((long double)x); }
static double one_atan(double x) { return (double)atanl((long double)x); }
static double one_erf(double x) { return (double)erfl((long double)x); }
static double one_erfc(double x) { return (double)erfcl((long double)x); }

static const struct unary_case {
    const char *text;
    double (*exact)(double);
    double ulps;  /* largest error for |x| <= limit */
    double limit;
} unary_cases[] = {
    {"exp(r)", one_exp, 1.5, INFINITY},       {"log(r)", one_log, 1.5, INFINITY},
    {"log1p(r)", one_log1p, 2, INFINITY},     {"sqrt(r)", sqrt, 0.5, INFINITY},
    {"abs(r)", fabs, 0, INFINITY},            {"sign(r)", one_sign, 0, INFINITY},
    {"tanh(r)", one_tanh, 4, INFINITY},       {"sinh(r)", one_sinh, 4.5, INFINITY},
    {"cosh(r)", one_cosh, 4.5, INFINITY},     {"sin(r)", one_sin, 1.5, 1e15},
    {"cos(r)", one_cos, 1.5, 1e15},           {"tan(r)", one_tan, 1.5, 1e15},
    {"atan(r)", one_atan, 1.5, INFINITY},     {"erf(r)", one_erf, 1.5, INFINITY},
    {"erfc(r)", one_erfc, 2.5, INFINITY},     {"relu(r)", one_relu, 0, INFINITY},
    {"softplus(r)", one_softplus, 3, INFINITY}, {"sigmoid(r)", one_sigmoid, 4, INFINITY},
};

static void check_unary(fixture *f, instruction_set set, const struct unary_case *c, const grid *g)
{
    static double out[MOST];
    double worst = 0, at = 0;
    evaluate(f, set, c->text, (size_t)g->n, g->x, NULL, out);
    for (int i = 0; i < g->n; i++) {
        if (isfinite(g->x[i]) && fabs(g->x[i]) > c->limit)
            continue;
        double error = error_in_ulps(out[i], c->exact(g->x[i]));
        if (!(error <= worst)) {
            worst = error;
            at = g->x[i];
        }
    }
    print_message("%-8s %-12s worst %.3g ulp at %.17g\n", simd_name(set), c->text, worst, at);
    if (!(worst <= c->ulps))
        fail_msg("%s with %s: %.3g ulp off at %.17g, allowed %.3g", c->text, simd_name(set), worst, at, c->ulps);
}

static void unary_functions_match_the_c_library(void **state)
{
    grid g = make_grid();
    fixture f = fixture_new();
    for (instruction_set set = 0; set < SIMD_SETS; set++)
        for (size_t i = 0; simd_supported(set) && i < sizeof unary_cases / sizeof *unary_cases; i++)
            check_unary(&f, set, &unary_cases[i], &g);
    fixture_free(&f);
}

static double two_add(double a, double b) { return a + b; }
static double two_sub(double a, double b) { return a - b; }
static double two_mul(double a, double b) { return a * b; }
static double two_div(double a, double b) { return a / b; }
static double two_pow(double a, double b) { return (double)powl((long double)a, (long double)b); }
static double two_lt(double a, double b) { return a < b; }
static double two_le(double a, double b) { return a <= b; }
static double two_gt(double a, double b) { return a > b; }
static double two_ge(double a, double b) { return a >= b; }
static double two_eq(double a, double b) { return a == b; }
static double two_ne(double a, double b) { return a != b; }
static double two_min(double a, double b) { return isnan(a) || isnan(b) ? NAN : b < a ? b : a; }
static double two_max(double a, double b) { return isnan(a) || isnan(b) ? NAN : b > a ? b : a; }
static double two_if(double a, double b) { return a != 0 ? b : 1 - a; }

/* Absolute error of logsumexp is that of the larger argument, so it gets its own scale below. */
static double two_logsumexp(double a, double b)
{
    long double m = fmaxl(a, b), least = fminl(a, b);
    if (isnan(a) || isnan(b))
        return NAN;
    return isinf(m) ? (double)m : (double)(m + log1pl(expl(least - m)));
}

static const struct binary_case {
    const char *text;
    double (*exact)(double, double);
    double ulps;
} binary_cases[] = {
    {"r + y", two_add, 0},     {"r - y", two_sub, 0},     {"r*y", two_mul, 0},
    {"r/y", two_div, 0},       {"r^y", two_pow, 1.5},     {"r < y", two_lt, 0},
    {"r <= y", two_le, 0},     {"r > y", two_gt, 0},      {"r >= y", two_ge, 0},
    {"r == y", two_eq, 0},     {"r != y", two_ne, 0},     {"min(r, y)", two_min, 0},
    {"max(r, y)", two_max, 0}, {"if(r, y, 1 - r)", two_if, 0},
};

enum { PAIRS = 3000 };

static void make_pairs(const grid *g, double *r, double *y)
{
    uint64_t state = 29;
    for (int i = 0; i < PAIRS; i++) {
        r[i] = g->x[fixture_bits(&state) % (uint64_t)g->n];
        y[i] = i % 7 == 0 ? r[i] : g->x[fixture_bits(&state) % (uint64_t)g->n];
        if (i % 50 == 0)
            r[i] = NAN;
        if (i % 50 == 1)
            y[i] = NAN;
    }
}

static void check_binary(fixture *f, instruction_set set, const struct binary_case *c, const double *r,
                         const double *y)
{
    static double out[PAIRS];
    evaluate(f, set, c->text, PAIRS, r, y, out);
    for (int i = 0; i < PAIRS; i++) {
        double exact = c->exact(r[i], y[i]);
        if (error_in_ulps(out[i], exact) > c->ulps || isnan(out[i]) != isnan(exact))
            fail_msg("%s with %s: %.17g at (%.17g, %.17g), expected %.17g", c->text, simd_name(set), out[i], r[i], y[i],
                     exact);
    }
}

static void operators_match_the_c_language(void **state)
{
    static double r[PAIRS], y[PAIRS];
    grid g = make_grid();
    make_pairs(&g, r, y);
    fixture f = fixture_new();
    for (instruction_set set = 0; set < SIMD_SETS; set++)
        for (size_t i = 0; simd_supported(set) && i < sizeof binary_cases / sizeof *binary_cases; i++)
            check_binary(&f, set, &binary_cases[i], r, y);
    fixture_free(&f);
}

static void logsumexp_is_stable(void **state)
{
    static double r[PAIRS], y[PAIRS], out[PAIRS];
    grid g = make_grid();
    make_pairs(&g, r, y);
    fixture f = fixture_new();
    for (instruction_set set = 0; set < SIMD_SETS; set++) {
        if (!simd_supported(set))
            continue;
        evaluate(&f, set, "logsumexp(r, y)", PAIRS, r, y, out);
        for (int i = 0; i < PAIRS; i++) {
            double exact = two_logsumexp(r[i], y[i]), scale = fmin(fmax(fabs(exact), 1), 1e300);
            if (!(exact == out[i] || (isnan(exact) && isnan(out[i])) || fabs(exact - out[i]) <= 4e-16 * scale))
                fail_msg("logsumexp(%.17g, %.17g) with %s: %.17g, expected %.17g", r[i], y[i],
                         simd_name(set), out[i], exact);
        }
    }
    fixture_free(&f);
}

/* log(1 + exp(u)) and its relatives are recognised however they are written. */
static void unstable_formulas_do_not_overflow(void **state)
{
    static const char *const softplus[] = {"log(1+exp(r))", "log(exp(r) + 1)", "log1p(exp(r))", "logsumexp(0, r)",
                                           "logsumexp(r, 0)", "log(exp(0) + exp(r))", "-log(1/(1 + exp(r)))",
                                           "-log(sigmoid(-r))", "log(exp(r)+0.25+0.75)"};
    static const char *const sigmoid[] = {"1/(1+exp(-r))", "1/(exp(-r)+1)", "exp(r)/(1+exp(r))", "sigmoid(r)",
                                          "2/(1+exp(-r))/2"};
    static const double x[] = {-1e4, -800, -745.5, -700, -36.5, -2.34375, -0.1, 0, 0.3, 1.7, 17, 40, 709.9, 715, 3000,
                               1e5};
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        for (size_t c = 0; c < sizeof softplus / sizeof *softplus; c++) {
            double found = fixture_value(&f, fixture_parse(&f, softplus[c]), x[i], 0, 0);
            if (!(fabs(found - one_softplus(x[i])) <= 4e-16 * fmax(1, fabs(found))))
                fail_msg("%s at %g: %.17g, expected %.17g", softplus[c], x[i], found, one_softplus(x[i]));
        }
        for (size_t c = 0; c < sizeof sigmoid / sizeof *sigmoid; c++) {
            double found = fixture_value(&f, fixture_parse(&f, sigmoid[c]), x[i], 0, 0);
            if (!(fabs(found - one_sigmoid(x[i])) <= 1e-15 * fabs(found) + 5e-324))
                fail_msg("%s at %g: %.17g, expected %.17g", sigmoid[c], x[i], found, one_sigmoid(x[i]));
        }
    }
    double big = fixture_value(&f, fixture_parse(&f, "log(exp(r) + exp(y) + exp(2*t))"), 1234.5, -3, 700);
    assert_true(fabs(big - 1400) < 1e-12);
    double class = fixture_value(&f, fixture_parse(&f, "-log(exp(r)/(exp(r) + exp(y) + exp(t)))"), -900, 5, 3);
    assert_true(fabs(class - (900 + 5 + log1p(exp(-2)))) < 1e-9);
    fixture_free(&f);
}

static void gsl_agrees(void **state)
{
    fixture f = fixture_new();
    expr_node erf_node = fixture_parse(&f, "erf(r)"), erfc_node = fixture_parse(&f, "erfc(r)"),
              log1p_node = fixture_parse(&f, "log1p(r)");
    for (double x = -0.97; x < 5; x += 0.0713) {
        double a = fixture_value(&f, erf_node, x, 0, 0), b = fixture_value(&f, erfc_node, x, 0, 0),
               c = fixture_value(&f, log1p_node, x, 0, 0);
        assert_true(fabs(a - gsl_sf_erf(x)) <= 1e-14 * fabs(a));
        assert_true(fabs(b - gsl_sf_erfc(x)) <= 1e-13 * fabs(b));
        assert_true(fabs(c - gsl_sf_log_1plusx(x)) <= 1e-14 * fabs(c));
    }
    fixture_free(&f);
}

/* Constants are folded with the same conventions as the loops have. */
static void constants_fold_to_the_same_values(void **state)
{
    static const char *const around[][2] = {
        {"relu(", ")"},  {"sign(", ")"},          {"softplus(", ")"}, {"sigmoid(", ")"},
        {"tanh(", ")"},  {"cosh(", ")"},          {"erfc(", ")"},     {"max(", ", 0.5, -2)"},
        {"(", ")^3"},    {"min(", ", 0.5)"},      {"(", ")^-1.7"},    {"logsumexp(", ", 1, 2)"},
        {"log1p(", ")"}, {"if(", " > 0.2, 3, 4)"}, {"if(", ", 2, 3)"}};
    static const double x[] = {-1.3, -0.7, 0, 0.4375, 2.125};
    fixture f = fixture_new();
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        for (size_t j = 0; j < sizeof x / sizeof *x; j++) {
            char folded[128], open[128];
            snprintf(folded, sizeof folded, "%s(%.17g)%s", around[i][0], x[j], around[i][1]);
            snprintf(open, sizeof open, "%sr%s", around[i][0], around[i][1]);
            double value, other = fixture_value(&f, fixture_parse(&f, open), x[j], 0, 0);
            assert_true(expr_constant(f.graph, fixture_parse(&f, folded), &value));
            if (!(fabs(value - other) <= 1e-15 * fabs(value)) && !(isnan(value) && isnan(other)) && value != other)
                fail_msg("%s: %.17g folded, %.17g evaluated", folded, value, other);
        }
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_functions_match_the_c_library),
        cmocka_unit_test(operators_match_the_c_language),
        cmocka_unit_test(logsumexp_is_stable),
        cmocka_unit_test(unstable_formulas_do_not_overflow),
        cmocka_unit_test(gsl_agrees),
        cmocka_unit_test(constants_fold_to_the_same_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
