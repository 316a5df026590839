/* Local polynomials through means over cells: exact for polynomials of their degree on any grid, weights sum to one,
   the error elsewhere is of fourth order. */
#include <math.h>

#include "kernels/smooth.h"
#include "support/check.h"

enum { MOST = 240 };

/* Ends of cells: t_i = (i / cells)^grading. */
static void make_grid(int cells, double grading, double *t)
{
    for (int i = 0; i <= cells; i++)
        t[i] = pow((double)i / cells, grading);
}

/* The value that a stencil gives for a function with antiderivative F and value `end` at the end of the last cell. */
static double apply(const smooth_stencil *s, const double *t, double (*F)(double), double end)
{
    double sum = s->end * end;
    for (int c = 0; c < s->count; c++) {
        double low = t[s->first + c], high = t[s->first + c + 1];
        sum += s->weight[c] * (F(high) - F(low)) / (high - low);
    }
    return sum;
}

static double constant(double t)
{
    return 0.7 + 0 * t;
}

static double constant_integral(double t)
{
    return 0.7 * t;
}

static double line(double t)
{
    return 0.7 - 1.9 * t;
}

static double line_integral(double t)
{
    return 0.7 * t - 0.95 * t * t;
}

static double parabola(double t)
{
    return 0.7 - 1.9 * t + 2.3 * t * t;
}

static double parabola_integral(double t)
{
    return 0.7 * t - 0.95 * t * t + 2.3 / 3 * t * t * t;
}

static double cubic(double t)
{
    return parabola(t) + 0.9 * t * t * t;
}

static double cubic_integral(double t)
{
    return parabola_integral(t) + 0.225 * t * t * t * t;
}

static double wave(double t)
{
    return cos(2 * t + 0.3);
}

static double wave_integral(double t)
{
    return 0.5 * sin(2 * t + 0.3);
}

/* All nodes, and one point inside a cell. */
static void check_exact(int cells, double grading, int known_end)
{
    static double (*const value[SMOOTH_DEGREE + 1])(double) = {constant, line, parabola, cubic};
    static double (*const integral[SMOOTH_DEGREE + 1])(double) = {constant_integral, line_integral, parabola_integral,
                                                                  cubic_integral};
    double t[MOST];
    make_grid(cells, grading, t);
    for (int j = 0; j <= cells; j++) {
        double at = j < cells ? t[j] + 0.3 * (j % 2) * (t[j + 1] - t[j]) : t[j], sum = 0;
        smooth_stencil s = smooth_at(t, cells, at, known_end);
        assert_true(s.count == (cells < SMOOTH_WINDOW ? cells : SMOOTH_WINDOW));
        assert_true(s.first >= 0 && s.first + s.count <= cells);
        for (int c = 0; c < s.count; c++)
            sum += s.weight[c];
        check_near(sum + s.end, 1, 1e-10, "sum of weights at %g, %d cells", at, cells);
        if (!known_end || s.first + s.count < cells)
            assert_true(s.end == 0);
        /* as many conditions as coefficients, at least */
        int conditions = s.count + (s.end != 0);
        for (int degree = 0; degree <= SMOOTH_DEGREE && degree < conditions; degree++)
            check_near(apply(&s, t, integral[degree], value[degree](t[cells])), value[degree](at), 1e-9,
                       "degree %d at %g, %d cells, grading %g, end %d", degree, at, cells, grading, known_end);
    }
}

static void test_exact(void **state)
{
    static const double grading[3] = {1, 1.5, 2.5};
    for (int g = 0; g < 3; g++)
        for (int cells = 1; cells <= 30; cells++)
            for (int known_end = 0; known_end < 2; known_end++)
                check_exact(cells, grading[g], known_end);
}

/* Inside, the window lies around the point; at the ends it is one-sided. */
static void test_window(void **state)
{
    double t[MOST];
    make_grid(40, 1, t);
    assert_int_equal(smooth_at(t, 40, t[0], 0).first, 0);
    assert_int_equal(smooth_at(t, 40, t[40], 0).first, 40 - SMOOTH_WINDOW);
    for (int j = SMOOTH_WINDOW; j <= 40 - SMOOTH_WINDOW; j++) {
        smooth_stencil s = smooth_at(t, 40, t[j], 1);
        check_between(t[j] - t[s.first], SMOOTH_WINDOW / 2 / 40.0 - 1e-12, (SMOOTH_WINDOW / 2 + 1) / 40.0 + 1e-12,
                      "left half of the window of node %d", j);
        assert_true(s.end == 0);
    }
    /* A known end pins the curve there, almost. */
    check_between(smooth_at(t, 40, t[40], 1).end, 0.9, 1, "weight of a known end");
}

/* Rows of one stencil reduce noise: the sum of squared weights is below one, more so inside than at an open end. */
static void test_noise(void **state)
{
    double t[MOST], inside = 0, end = 0, known = 0;
    make_grid(40, 1, t);
    smooth_stencil a = smooth_at(t, 40, t[20], 0), b = smooth_at(t, 40, t[40], 0), c = smooth_at(t, 40, t[40], 1);
    for (int i = 0; i < SMOOTH_WINDOW; i++) {
        inside += a.weight[i] * a.weight[i];
        end += b.weight[i] * b.weight[i];
        known += c.weight[i] * c.weight[i];
    }
    check_between(inside, 1.0 / SMOOTH_WINDOW, 0.8, "variance inside");
    check_between(end, inside, 6, "variance at an open end"); /* the price of a cubic */
    check_between(known, 0, 0.01, "variance at a known end");
}

static double wave_error(int cells, double grading, double place, int known_end)
{
    double t[MOST];
    make_grid(cells, grading, t);
    int j = (int)lround(place * cells);
    smooth_stencil s = smooth_at(t, cells, t[j], known_end);
    return fabs(apply(&s, t, wave_integral, wave(t[cells])) - wave(t[j]));
}

/* Fourth order in the width of the cells, which at s = 0 of a graded grid falls faster than their number grows. */
static void test_order(void **state)
{
    static const double place[3] = {0, 0.5, 1}, grading[2] = {1, 1.4};
    for (int g = 0; g < 2; g++)
        for (int p = 0; p < 3; p++)
            for (int known_end = 0; known_end < 2; known_end++) {
                double e1 = wave_error(40, grading[g], place[p], known_end);
                double e2 = wave_error(80, grading[g], place[p], known_end);
                double e3 = wave_error(160, grading[g], place[p], known_end);
                print_message("s = %-4g T, grading %-4g, end %d: errors %.1e %.1e %.1e, ratios %5.2f %5.2f\n", place[p],
                              grading[g], known_end, e1, e2, e3, e1 / e2, e2 / e3);
                double most = pow(2, (p == 0 ? grading[g] : 1) * (SMOOTH_DEGREE + 1));
                check_between(e2 / e3, 0.7 * most, 1.4 * most, "error ratio at s = %g T, grading %g, end %d", place[p],
                              grading[g], known_end);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests_name("smooth", tests, NULL, NULL);
}
