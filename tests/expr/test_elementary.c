/* The elementary functions of our own: errors against the C library in long double, on many more points than a grid has,
   corners, symmetry, and equal bits where vectors are four and eight lanes wide. */
#include "fixture.h"

#include "expr/loops.h"

enum { POINTS = 32768 };

static long double softplus(long double x)
{
    return fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
}
static long double sigmoid(long double x)
{
    return 1 / (1 + expl(-x));
}

/* Largest errors seen on 4e6 points of each range, rounded up: with fused multiplications and without. */
static const struct range {
    const char *name;
    expr_op op;
    long double (*exact)(long double);
    double from, to; /* equal: powers of two from 2^-1074 to 2^10, of both signs */
    double fused, plain;
} ranges[] = {
    {"exp", OP_EXP, expl, -708, 709, 1.1, 1.1},
    {"exp, near 0", OP_EXP, expl, -1, 1, 1.1, 1.1},
    {"exp, subnormal", OP_EXP, expl, -746, -700, 1.1, 1.1},
    {"exp, all sizes", OP_EXP, expl, 0, 0, 1.1, 1.1},
    {"erf, near 0", OP_ERF, erfl, -1, 1, 1.2, 1.5},
    {"erf, both sides of 17/16", OP_ERF, erfl, 1, 1.15, 1.5, 1.9},
    {"erf, towards 1", OP_ERF, erfl, 1, 6.5, 1.5, 1.9},
    {"erf, all sizes", OP_ERF, erfl, 0, 0, 1.5, 1.9},
    {"tanh, near 0", OP_TANH, tanhl, -1, 1, 2.2, 2.2},
    {"tanh, towards 1", OP_TANH, tanhl, 1, 25, 1.9, 1.9},
    {"tanh, all sizes", OP_TANH, tanhl, 0, 0, 2.2, 2.2},
    {"softplus, near 0", OP_SOFTPLUS, softplus, -0.5, 0.5, 2, 2.3},
    {"softplus", OP_SOFTPLUS, softplus, -40, 40, 2, 2.3},
    {"softplus, subnormal", OP_SOFTPLUS, softplus, -746, -40, 1.2, 1.2},
    {"softplus, all sizes", OP_SOFTPLUS, softplus, 0, 0, 2, 2.3},
    {"sigmoid", OP_SIGMOID, sigmoid, -40, 40, 2.4, 2.4},
    {"sigmoid, all sizes", OP_SIGMOID, sigmoid, 0, 0, 2.4, 2.4},
};

static void apply(instruction_set set, expr_op op, size_t n, const double *x, double *out)
{
    loop_operand in = {x, 1};
    expr_loops_for(set)->of[op](n, out, &in, 1);
}

static void draw(const struct range *r, double *x)
{
    uint64_t state = 41;
    for (int i = 0; i < POINTS; i++) {
        x[i] = fixture_uniform(&state, r->from, r->to);
        if (r->from == r->to)
            x[i] = exp2(fixture_uniform(&state, -1074, 10)) * (i % 2 ? 1 : -1);
    }
}

/* In units of the last place of the exact value. */
static double error_in_ulps(double found, long double exact)
{
    double size = fabs((double)exact);
    if (found == (double)exact && isinf(found))
        return 0;
    double ulp = size < 0x1p-1022 ? 0x1p-1074 : nextafter(size, INFINITY) - size;
    return (double)(fabsl(found - exact) / ulp);
}

static void check_range(const struct range *r, instruction_set set, const double *x, const long double *exact)
{
    static double out[POINTS];
    double worst = 0, at = 0, allowed = set == SIMD_BASE ? r->plain : r->fused;
    apply(set, r->op, POINTS, x, out);
    for (int i = 0; i < POINTS; i++) {
        double error = error_in_ulps(out[i], exact[i]);
        if (!(error <= worst)) {
            worst = error;
            at = x[i];
        }
    }
    if (!(worst <= allowed))
        fail_msg("%s, %s: %.3g ulp off at %.17g, allowed %.3g", r->name, simd_name(set), worst, at, allowed);
}

static void errors_stay_within_their_bounds(void **state)
{
    static double x[POINTS];
    static long double exact[POINTS];
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
        draw(&ranges[k], x);
        for (int i = 0; i < POINTS; i++)
            exact[i] = ranges[k].exact(x[i]);
        for (instruction_set set = 0; set < SIMD_SETS; set++)
            if (simd_supported(set))
                check_range(&ranges[k], set, x, exact);
    }
}

/* x, and the value that every set must give to the bit */
static const struct corner {
    expr_op op;
    double x, value;
} corners[] = {
    {OP_EXP, 0, 1},
    {OP_EXP, -0.0, 1},
    {OP_EXP, 0x1p-1074, 1},
    {OP_EXP, 709.79, INFINITY},
    {OP_EXP, 1e300, INFINITY},
    {OP_EXP, INFINITY, INFINITY},
    {OP_EXP, -745.2, 0},
    {OP_EXP, -745.1, 0x1p-1074},
    {OP_EXP, -1e300, 0},
    {OP_EXP, -INFINITY, 0},
    {OP_ERF, 0, 0},
    {OP_ERF, -0.0, -0.0},
    {OP_ERF, 0x1p-1074, 0x1p-1074},
    {OP_ERF, -0x1p-1074, -0x1p-1074},
    {OP_ERF, 6, 1},
    {OP_ERF, -6, -1},
    {OP_ERF, 1e300, 1},
    {OP_ERF, -INFINITY, -1},
    {OP_TANH, 0, 0},
    {OP_TANH, -0.0, -0.0},
    {OP_TANH, 0x1p-1074, 0x1p-1074},
    {OP_TANH, 1e-300, 1e-300},
    {OP_TANH, 20, 1},
    {OP_TANH, -1e300, -1},
    {OP_TANH, INFINITY, 1},
    {OP_SOFTPLUS, -INFINITY, 0},
    {OP_SOFTPLUS, -746, 0},
    {OP_SOFTPLUS, 1e300, 1e300},
    {OP_SOFTPLUS, INFINITY, INFINITY},
    {OP_SIGMOID, 0, 0.5},
    {OP_SIGMOID, -INFINITY, 0},
    {OP_SIGMOID, INFINITY, 1},
};

static double one_lane(instruction_set set, expr_op op, double x)
{
    double in[LOOP_LANES], out[LOOP_LANES];
    for (int i = 0; i < LOOP_LANES; i++)
        in[i] = x;
    apply(set, op, LOOP_LANES, in, out);
    return out[LOOP_LANES - 1];
}

static void check_corners(instruction_set set)
{
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++) {
        const struct corner *c = &corners[i];
        double found = one_lane(set, c->op, c->x);
        if (memcmp(&found, &c->value, sizeof found))
            fail_msg("corner %zu, %s: %.17g at %.17g, expected %.17g", i, simd_name(set), found, c->x, c->value);
    }
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
        assert_true(isnan(one_lane(set, ranges[k].op, NAN)));
}

static void corners_are_exact(void **state)
{
    for (instruction_set set = 0; set < SIMD_SETS; set++)
        if (simd_supported(set))
            check_corners(set);
}

static void check_symmetry(instruction_set set, expr_op op)
{
    static double x[POINTS], minus[POINTS], a[POINTS], b[POINTS];
    uint64_t state = 43;
    for (int i = 0; i < POINTS; i++) {
        x[i] = i % 2 ? fixture_uniform(&state, 0, 20) : exp2(fixture_uniform(&state, -1074, 10));
        minus[i] = -x[i];
    }
    apply(set, op, POINTS, x, a);
    apply(set, op, POINTS, minus, b);
    for (int i = 0; i < POINTS; i++)
        assert_true(a[i] == -b[i] && a[i] >= 0 && a[i] <= 1);
}

/* Odd functions are odd to the bit, and never leave [-1, 1]. */
static void odd_functions_are_odd(void **state)
{
    for (instruction_set set = 0; set < SIMD_SETS; set++)
        if (simd_supported(set)) {
            check_symmetry(set, OP_ERF);
            check_symmetry(set, OP_TANH);
        }
}

static void wide_vectors_agree(void **state)
{
    static double x[POINTS], a[POINTS], b[POINTS];
    if (!simd_supported(SIMD_AVX512))
        return;
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
        draw(&ranges[k], x);
        apply(SIMD_AVX2, ranges[k].op, POINTS, x, a);
        apply(SIMD_AVX512, ranges[k].op, POINTS, x, b);
        for (int i = 0; i < POINTS; i++)
            if (memcmp(&a[i], &b[i], sizeof *a))
                fail_msg("%s at %.17g: %.17g and %.17g", ranges[k].name, x[i], a[i], b[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_stay_within_their_bounds),
        cmocka_unit_test(corners_are_exact),
        cmocka_unit_test(odd_functions_are_odd),
        cmocka_unit_test(wide_vectors_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
