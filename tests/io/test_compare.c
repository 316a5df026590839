/* Comparing tables: the numbers in the verdict, matching of times, interpolation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/room.h"
#include "sgdmft/compare.h"
#include "sgdmft/io.h"

typedef struct compare_limits {
    double sigma, rtol;
} compare_limits;

static const compare_limits usual = {SGDMFT_COMPARE_SIGMA, -1.0};

/* The verdict on two texts, with its parts at hand. */
typedef struct couple {
    sgdmft_comparison *c;
    const sgdmft_compared_times *times;
    const sgdmft_compared_curve *first, *second; /* curves; NULL if there are none */
} couple;

static sgdmft_status try_to_compare(const room *r, const char *a, const char *b, compare_limits limits, couple *out)
{
    room_write(room_path(r, "a.csv"), a);
    room_write(room_path(r, "b.csv"), b);
    return sgdmft_compare_files(r->ctx, room_path(r, "a.csv"), room_path(r, "b.csv"), limits.sigma, limits.rtol,
                                &out->c);
}

static void clear_couple(couple *p)
{
    sgdmft_comparison_free(p->c);
}

static couple compare_texts(const room *r, const char *a, const char *b, compare_limits limits)
{
    couple p;
    check_ok(r->ctx, try_to_compare(r, a, b, limits, &p));
    p.times = sgdmft_comparison_times(p.c);
    p.first = sgdmft_comparison_curve(p.c, 0);
    p.second = sgdmft_comparison_curve(p.c, 1);
    return p;
}

static void check_verdict(const room *r, const char *a, const char *b, compare_limits limits, int agrees)
{
    couple p = compare_texts(r, a, b, limits);
    if (sgdmft_comparison_agrees(p.c) != agrees)
        fail_msg("%s\n%s\nshould %s", a, b, agrees ? "agree" : "differ");
    clear_couple(&p);
}

static void numbers(void **state)
{
    const room *r = *state;
    couple p = compare_texts(r, "t,x,x_se,y,y_se\n0,1.5,0,2,0.1\n1,1.7,0.03,2.5,0.1\n2,1.9,0.05,3,0.1\n",
                             "t,y,y_se,x,x_se\n0,2.05,0.2,1.5,0\n1,2.25,0.1,1.62,0.04\n2,-3.5,0.1,1.88,0.12\n", usual);
    assert_int_equal(sgdmft_comparison_n_curves(p.c), 2);
    assert_int_equal(p.times->n, 3);
    assert_int_equal(p.times->n_interpolated + p.times->n_outside, 0);
    assert_false(sgdmft_comparison_agrees(p.c));
    const sgdmft_compared_curve *x = p.first, *y = p.second;
    assert_string_equal(x->name, "x");
    assert_true(x->agrees);
    assert_int_equal(x->n_disagree, 0);
    check_near(x->z, 1.6, 1e-12, "z of x"); /* 0.08 / 0.05 */
    check_near(x->t, 1.0, 0.0, "t of x");
    check_near(x->a, 1.7, 0.0, "A of x");
    check_near(x->b, 1.62, 0.0, "B of x");
    check_near(x->relative, 0.08 / 1.88, 1e-12, "relative difference of x");
    check_near(x->rms_z, sqrt((1.6 * 1.6 + 4.0 / 169.0) / 2.0), 1e-12, "RMS z of x"); /* 0.02 / 0.13; t = 0 is exact */
    assert_string_equal(y->name, "y");
    assert_false(y->agrees);
    assert_int_equal(y->n_disagree, 1);
    check_near(y->z, 6.5 / (0.1 * sqrt(2.0)), 1e-11, "z of y");
    check_near(y->relative, 6.5 / 3.5, 1e-12, "relative difference of y: scale is the largest |B|");
    clear_couple(&p);
}

static void limits(void **state)
{
    const room *r = *state;
    static const char a[] = "t,x,x_se\n1,10,0\n2,1.05,0.03\n", b[] = "t,x,x_se\n1,10,0\n2,0.9,0.04\n"; /* z = 3 */
    check_verdict(r, a, b, (compare_limits){3.01, -1.0}, 1);
    check_verdict(r, a, b, (compare_limits){2.99, -1.0}, 0);
    check_verdict(r, a, b, (compare_limits){2.99, 0.0151}, 1); /* 0.15 of 10 */
    check_verdict(r, a, b, (compare_limits){2.99, 0.0149}, 0);

    /* Exact values: rtol of the scale, 1e-6 if not asked for. */
    static const char exact[] = "t,x,x_se\n1,10,0\n2,1,0\n", near[] = "t,x,x_se\n1,10,0\n2,1.000009,0\n",
                      far[] = "t,x,x_se\n1,10,0\n2,1.000011,0\n";
    check_verdict(r, near, exact, usual, 1);
    check_verdict(r, far, exact, usual, 0);
    check_verdict(r, far, exact, (compare_limits){4.0, 1.2e-6}, 1);
    check_verdict(r, near, exact, (compare_limits){4.0, 0.0}, 0);
    check_verdict(r, exact, exact, (compare_limits){4.0, 0.0}, 1);
    check_verdict(r, "t,x,x_se\n0,0,0\n", "t,x,x_se\n0,0,0\n", usual, 1);
    check_verdict(r, "t,x,x_se\n0,1e-300,0\n", "t,x,x_se\n0,0,0\n", usual, 0);
}

static void exact_disagreement_is_worst(void **state)
{
    const room *r = *state;
    couple p = compare_texts(r, "t,x,x_se\n0,1,0\n1,2,0.1\n2,3,0\n", "t,x,x_se\n0,1,0\n1,4,0.1\n2,3.1,0\n", usual);
    assert_true(isinf(p.first->z));
    check_near(p.first->t, 2.0, 0.0, "worst time");
    assert_int_equal(p.first->n_disagree, 2);
    clear_couple(&p);
    p = compare_texts(r, "t,x,x_se\n0,1,0\n", "t,x,x_se\n0,1,0\n", usual);
    check_near(p.first->z, 0.0, 0.0, "z");
    assert_true(isnan(p.first->rms_z));
    clear_couple(&p);
}

/* With --rtol, a time outside both limits is worse than one of larger z inside rtol. */
static void worst_is_a_disagreement(void **state)
{
    const room *r = *state;
    couple p = compare_texts(r, "t,x,x_se\n0,1.001,1e-6\n1,2.1,0.02\n", "t,x,x_se\n0,1,0\n1,2,0\n",
                             (compare_limits){4.0, 0.01});
    assert_false(sgdmft_comparison_agrees(p.c));
    check_near(p.first->z, 5.0, 1e-9, "z");
    check_near(p.first->t, 1.0, 0.0, "t");
    clear_couple(&p);
}

static void not_a_number(void **state)
{
    const room *r = *state;
    static const char good[] = "t,x,x_se\n0,1,0.1\n1,2,0.1\n", value[] = "t,x,x_se\n0,1,0.1\n1,nan,0.1\n",
                      error[] = "t,x,x_se\n0,1,0.1\n1,2,nan\n", infinite[] = "t,x,x_se\n0,1,0.1\n1,inf,0.1\n";
    check_verdict(r, value, good, usual, 0);
    check_verdict(r, good, value, usual, 0);
    check_verdict(r, value, value, usual, 0);
    check_verdict(r, error, good, usual, 0);
    check_verdict(r, good, error, (compare_limits){4.0, 0.5}, 0);
    check_verdict(r, infinite, infinite, usual, 0);
    check_verdict(r, good, good, usual, 1);
    couple p = compare_texts(r, value, good, usual);
    assert_true(isnan(p.first->z));
    check_near(p.first->t, 1.0, 0.0, "t");
    assert_int_equal(p.first->n_disagree, 1);
    clear_couple(&p);
}

static void subset_of_times(void **state)
{
    const room *r = *state;
    /* 0.3 is not 3 * 0.1 in the last digit. Between the common times A does what it likes. */
    static const char fine[] = "t,x,x_se\n0,1,0\n0.1,99,0\n0.2,99,0\n0.30000000000000004,2,0\n0.4,99,0\n0.6,3,0\n",
                      coarse[] = "t,x,x_se\n0,1,0\n0.3,2,0\n0.6,3,0\n";
    for (int swap = 0; swap < 2; swap++) {
        couple p = compare_texts(r, swap ? coarse : fine, swap ? fine : coarse, usual);
        assert_int_equal(p.times->n, 3);
        assert_int_equal(p.times->n_interpolated + p.times->n_outside, 0);
        check_near(p.times->last, 0.6, 0.0, "last");
        assert_true(sgdmft_comparison_agrees(p.c));
        clear_couple(&p);
    }
}

/* A run that stopped early: compared as far as it goes. */
static void stopped_early(void **state)
{
    const room *r = *state;
    couple p = compare_texts(r, "t,x,x_se\n0,1,0\n0.5,2,0\n1,3,0\n1.5,99,0\n2,99,0\n",
                             "t,x,x_se\n0,1,0\n0.25,7,0\n0.5,2,0\n0.75,8,0\n1,3,0\n1.1,9,0\n", usual);
    assert_int_equal(p.times->n, 3);
    assert_int_equal(p.times->n_interpolated, 0);
    assert_int_equal(p.times->n_outside, 2);
    assert_true(sgdmft_comparison_agrees(p.c));
    clear_couple(&p);
}

static double cubic(double t)
{
    return 0.7 - 1.3 * t + 0.45 * t * t + 0.21 * t * t * t;
}

/* A table of the cubic at n times first + i * step, with se = se0 + 0.01 i. */
static char *cubic_table(size_t n, double first, double step, double se0)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    fputs("t,x,x_se\n", to);
    for (size_t i = 0; i < n; i++) {
        double t = first + step * (double)i;
        fprintf(to, "%.17g,%.17g,%.17g\n", t, cubic(t), se0 > 0.0 ? se0 + 0.01 * (double)i : 0.0);
    }
    fclose(to);
    return text;
}

/* Cubics are interpolated without error, at the edges too; times outside are left out. */
static void interpolation(void **state)
{
    const room *r = *state;
    char *fine = cubic_table(23, 0.05, 0.1, 0.0), *coarse = cubic_table(9, -0.3, 0.377, 0.0);
    for (int swap = 0; swap < 2; swap++) {
        couple p = compare_texts(r, swap ? coarse : fine, swap ? fine : coarse, (compare_limits){4.0, 1e-13});
        assert_int_equal(p.times->interpolated, swap ? 'B' : 'A');
        assert_int_equal(p.times->n, 6); /* -0.3 + 0.377 i for i = 1..6; the fine table reaches from 0.05 to 2.25 */
        assert_int_equal(p.times->n_interpolated, 6);
        assert_int_equal(p.times->n_outside, 3);
        check_near(p.times->first, 0.077, 1e-12, "first");
        check_near(p.times->last, 1.962, 1e-12, "last");
        assert_true(sgdmft_comparison_agrees(p.c));
        clear_couple(&p);
    }
    free(fine);
    free(coarse);
}

/* Rows far away have no say: 1 / (1 + 25 t^2) is no cubic, and yet right to 3e-3 between rows at distance 0.05. */
static void interpolation_is_local(void **state)
{
    const room *r = *state;
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    fputs("t,x,x_se\n", to);
    for (int i = -20; i <= 20; i++)
        fprintf(to, "%.17g,%.17g,0\n", i / 20.0, 1.0 / (1.0 + i * i / 16.0));
    fclose(to);
    couple p = compare_texts(r, text,
                             "t,x,x_se\n-0.97,0.04077888,0\n-0.03,0.97799511,0\n0.52,0.12886598,0\n"
                             "0.98,0.03998401,0\n",
                             (compare_limits){4.0, 3e-3});
    assert_int_equal(p.times->n_interpolated, 4);
    assert_true(sgdmft_comparison_agrees(p.c));
    clear_couple(&p);
    free(text);
}

/* The error of an interpolated value is the largest of its neighbours'. */
static void interpolated_error(void **state)
{
    const room *r = *state;
    char *fine = cubic_table(7, 0.0, 1.0, 0.1);
    couple p = compare_texts(r, fine, "t,x,x_se\n2.5,5.0,0\n3.5,0,0\n", usual);
    double se = 0.15; /* rows 2..5 around 3.5: 0.1 + 0.01 * 5 */
    check_near(p.first->z, cubic(3.5) / se, 1e-10, "z");
    clear_couple(&p);
    free(fine);
}

/* With fewer than four rows, the polynomial through what there is. */
static void few_rows(void **state)
{
    const room *r = *state;
    couple p = compare_texts(r, "t,x,x_se\n0,1,0\n1,2,0\n2,5,0\n", "t,x,x_se\n0.5,1.25,0\n1.5,3.25,0\n",
                             (compare_limits){4.0, 1e-14});
    assert_int_equal(p.times->n_interpolated, 2);
    assert_true(sgdmft_comparison_agrees(p.c));
    clear_couple(&p);
}

static void check_refused(const room *r, const char *a, const char *b, sgdmft_status status, const char *part)
{
    couple p;
    check_failure(r->ctx, try_to_compare(r, a, b, usual, &p), status, part);
    assert_null(p.c);
}

static void refusals(void **state)
{
    const room *r = *state;
    static const char good[] = "t,x,x_se\n0,1,0.1\n1,2,0.1\n";
    check_refused(r, good, "t,y,y_se\n0,1,0.1\n", SGDMFT_ERR_MISSING, "no columns in common");
    check_refused(r, good, "t\n0\n", SGDMFT_ERR_MISSING, "no columns in common");
    check_refused(r, good, "t,x,x_se\n5,1,0.1\n6,1,0.1\n", SGDMFT_ERR_MISSING, "(t = 0 to 1)");
    check_refused(r, good, "t,x\n0,1\n1,2\n", SGDMFT_ERR_MISSING, "b.csv: column 'x' has no column 'x_se'");
    check_refused(r, "t,x\n0,1\n1,2\n", good, SGDMFT_ERR_MISSING, "a.csv: column 'x' has no column 'x_se'");
    check_refused(r, good, "t,x,x_se\n0,1,0.1\n1,2,-0.1\n", SGDMFT_ERR_RANGE, "'x_se' is -0.1 at row 2");
}

static void extra_columns(void **state)
{
    const room *r = *state;
    couple p = compare_texts(r, "t,x,x_se,R11,R11_se\n0,1,0,9,0\n", "t,x,x_se,z\n0,1,0,9\n", usual);
    assert_int_equal(sgdmft_comparison_n_curves(p.c), 1);
    assert_true(sgdmft_comparison_agrees(p.c));
    assert_string_equal(sgdmft_comparison_only_in(p.c, 'A', 0), "R11");
    assert_null(sgdmft_comparison_only_in(p.c, 'A', 1));
    assert_string_equal(sgdmft_comparison_only_in(p.c, 'B', 0), "z");
    clear_couple(&p);
}

/* Two solutions in memory; and a file of each kind, of which CSV has fewer digits. */
static void solutions_and_files(void **state)
{
    const room *r = *state;
    sgdmft_comparison *c = NULL;
    const char *csv = room_path(r, "run.csv"), *hdf5 = room_path(r, "run.h5");
    r->solution->t[0] = 0;
    check_ok(r->ctx, sgdmft_compare(r->ctx, r->solution, r->solution, 4.0, 0.0, &c));
    assert_true(sgdmft_comparison_agrees(c));
    assert_int_equal(sgdmft_comparison_n_curves(c), sgdmft_solution_n_curves(r->solution));
    assert_string_equal(sgdmft_comparison_source(c, 'B'), "B");
    assert_string_equal(sgdmft_comparison_title(c, 'A'), "program: solve");
    sgdmft_comparison_free(c);

    check_ok(r->ctx, sgdmft_write_csv(r->ctx, r->solution, NULL, csv, 0));
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, hdf5, 0));
    check_ok(r->ctx, sgdmft_compare_files(r->ctx, csv, hdf5, 4.0, 1e-11, &c));
    assert_true(sgdmft_comparison_agrees(c));
    assert_string_equal(sgdmft_comparison_source(c, 'B'), hdf5);
    assert_true(sgdmft_comparison_curve(c, 0)->z >= 0 && !sgdmft_comparison_curve(c, 99));
    sgdmft_comparison_free(c);
    check_failure(r->ctx, sgdmft_compare(r->ctx, r->solution, r->solution, 0.0, -1.0, &c), SGDMFT_ERR_ARGUMENT,
                  "sigma");
    solution_truncate(r->solution, 0, 0);
    check_failure(r->ctx, sgdmft_compare(r->ctx, r->solution, r->solution, 4.0, -1.0, &c), SGDMFT_ERR_MISSING,
                  "no output times");
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOM(numbers),
        IN_ROOM(limits),
        IN_ROOM(exact_disagreement_is_worst),
        IN_ROOM(worst_is_a_disagreement),
        IN_ROOM(not_a_number),
        IN_ROOM(subset_of_times),
        IN_ROOM(stopped_early),
        IN_ROOM(interpolation),
        IN_ROOM(interpolated_error),
        IN_ROOM(few_rows),
        IN_ROOM(interpolation_is_local),
        IN_ROOM(refusals),
        IN_ROOM(extra_columns),
        IN_ROOM(solutions_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
