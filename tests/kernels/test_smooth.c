/* Local polynomials through means over cells: exact for polynomials of their degree on any grid, weights sum to one,
   the error elsewhere is of fourth order. */
#include <math.h>

#include "core/random.h"
#include "kernels/smooth.h"
#include "support/check.h"
#include "support/schedule.h"

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

/* ---- all nodes of a grid ---- */

/* The grid and the stencils of its nodes. */
typedef struct rows_case {
    sgdmft_context *ctx;
    schedule *eta;
    time_grid *grid;
    smooth_rows rows;
} rows_case;

static rows_case rows_case_new(int steps, double epoch)
{
    rows_case c = {.ctx = check_context(1)};
    check_ok(c.ctx, schedule_of(c.ctx, "1", 3.3, &c.eta));
    check_ok(c.ctx, time_grid_new(c.ctx, steps, 3.3, 1.3, c.eta, epoch, &c.grid));
    assert_int_equal(smooth_rows_new(steps, &c.rows), 0);
    return c;
}

static void rows_case_clear(rows_case *c)
{
    smooth_rows_clear(&c->rows);
    assert_null(c->rows.at);
    time_grid_free(c->grid);
    schedule_free(c->eta);
    sgdmft_context_free(c->ctx);
}

/* The cells of the epoch that ends at node j or contains it, of the first `cells` cells. */
static void cells_of_epoch(const time_grid *grid, int cells, int j, int *low, int *high)
{
    double begin = 0, epoch = grid->epoch > 0 ? grid->epoch : INFINITY;
    while (begin + epoch < grid->t[j] - 1e-12)
        begin += epoch;
    *low = 0;
    while (grid->t[*low] < begin - 1e-12)
        (*low)++;
    *high = *low;
    while (*high < cells && grid->t[*high] < begin + epoch - 1e-12)
        (*high)++;
}

/* Every stencil is that of the cells of its epoch alone, and lies in them. */
static void check_rows(const rows_case *c, int cells, int known_end)
{
    for (int j = 0; j <= cells; j++) {
        int low, high;
        cells_of_epoch(c->grid, cells, j, &low, &high);
        smooth_stencil want = smooth_at(c->grid->t + low, high - low, c->grid->t[j], known_end && high == cells);
        const smooth_stencil *got = &c->rows.at[j];
        assert_int_equal(got->first, low + want.first);
        assert_int_equal(got->count, want.count);
        assert_true(got->first >= low && got->first + got->count <= high);
        assert_true(got->end == want.end);
        for (int i = 0; i < want.count; i++)
            assert_true(got->weight[i] == want.weight[i]);
    }
}

/* Whatever the order of the numbers of cells: one more, some more, fewer, the same. */
static void test_refresh(void **state)
{
    enum { CALLS = 300 };
    for (int variant = 0; variant < 8; variant++) {
        int steps = variant & 1 ? 16 : 48, known_end = variant >> 1 & 1;
        rows_case c = rows_case_new(steps, variant & 4 ? 0 : 1);
        double u[CALLS];
        random_uniforms((random_key){6123, 0, 93}, (uint64_t)variant, 0, CALLS, u);
        for (int cells = 1; cells <= steps; cells++) {
            smooth_rows_refresh(&c.rows, c.grid, cells, known_end);
            check_rows(&c, cells, known_end);
        }
        for (int call = 0, cells = steps; call < CALLS; call++) {
            double step = u[call] < 0.4 ? 1 : u[call] < 0.7 ? -1 : u[call] < 0.8 ? 0 : floor(400 * (u[call] - 0.9));
            cells = (int)fmin(fmax(cells + step, 1), steps);
            smooth_rows_refresh(&c.rows, c.grid, cells, known_end);
            check_rows(&c, cells, known_end);
        }
        rows_case_clear(&c);
    }
}

/* The integral of a function that is another cubic in each epoch, continuous where they meet. */
static double piece(int epoch, double t)
{
    return (epoch % 2 ? -0.9 : 0.6) * t + 0.7 * t * t - 0.4 * t * t * t;
}

static double piece_integral(int epoch, double t)
{
    return (epoch % 2 ? -0.9 : 0.6) * t * t / 2 + 0.7 * t * t * t / 3 - 0.1 * t * t * t * t;
}

/* The function and its mean over a cell that lies in one epoch. */
static double kinked(double t)
{
    double value = 0;
    int epoch = 0;
    for (; epoch + 1 <= t; epoch++)
        value += piece(epoch, 1);
    return value + piece(epoch, t - epoch);
}

static double kinked_mean(double low, double high)
{
    int epoch = (int)floor(0.5 * (low + high));
    return kinked(epoch) + (piece_integral(epoch, high - epoch) - piece_integral(epoch, low - epoch)) / (high - low);
}

/* A kink where an epoch begins does no harm. */
static void test_kinks(void **state)
{
    for (int known_end = 0; known_end < 2; known_end++) {
        rows_case c = rows_case_new(48, 1);
        for (int cells = 12; cells <= 48; cells++) {
            smooth_rows_refresh(&c.rows, c.grid, cells, known_end);
            for (int j = 0; j <= cells; j++) {
                const smooth_stencil *s = &c.rows.at[j];
                double sum = s->end * kinked(c.grid->t[cells]);
                for (int i = 0; i < s->count; i++)
                    sum += s->weight[i] * kinked_mean(c.grid->t[s->first + i], c.grid->t[s->first + i + 1]);
                if (s->count + (s->end != 0) > SMOOTH_DEGREE) /* the first cells of an epoch are too few */
                    check_near(sum, kinked(c.grid->t[j]), 1e-10, "node %d of %d cells, end %d", j, cells, known_end);
            }
        }
        rows_case_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact), cmocka_unit_test(test_window),  cmocka_unit_test(test_noise),
        cmocka_unit_test(test_order), cmocka_unit_test(test_refresh), cmocka_unit_test(test_kinks),
    };
    return cmocka_run_group_tests_name("smooth", tests, NULL, NULL);
}
