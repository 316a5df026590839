/* Densities of the coordinates: closed forms, and the moments they must have. */
#include <math.h>
#include <stdlib.h>

#include "sample/histograms.h"
#include "solved.h"

#define PROBLEM                                                                                                        \
    "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL                                                                            \
    "numerics: {grading: 1, steps: 20}\noutput: {histograms: [0, 0.95, 2], bins: 200}\n"

static double normal_below(double x)
{
    return 0.5 * erfc(-x / M_SQRT2);
}

static solved filled(sgdmft_context *ctx, const char *initial)
{
    solved s = solve_exactly(ctx, test_problem(ctx, PROBLEM "initial: {%s}\n", initial));
    assert_non_null(s.solution->histograms);
    assert_int_equal(s.solution->histograms->n_times, 3);
    assert_int_equal(s.solution->histograms->n_bins, 200);
    return s;
}

static double total(const solution_histograms *h, size_t time)
{
    double sum = 0;
    for (size_t b = 0; b < h->n_bins; b++)
        sum += h->density[time * h->n_bins + b] * (h->edges[b + 1] - h->edges[b]);
    return sum;
}

/* Moments alone: the law at all times is Gaussian, exactly. */
static void test_gaussian(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = filled(ctx, "q: 1.3, m: 0.2");
    const solution_histograms *h = s.solution->histograms;
    static const size_t node[] = {0, 0, 20};
    for (size_t i = 0; i < 3; i++) {
        double q =
            i == 1 ? (*two_time_C(&s.x, 9, 9) + *two_time_C(&s.x, 10, 10)) / 2 : *two_time_C(&s.x, node[i], node[i]);
        for (size_t b = 0; b < h->n_bins; b++) {
            double left = h->edges[b], right = h->edges[b + 1];
            double want = (normal_below(right / sqrt(q)) - normal_below(left / sqrt(q))) / (right - left);
            check_near(h->density[i * h->n_bins + b], want, 1e-10, "density at t = %g", h->t[i]);
        }
        check_between(total(h, i), 1 - 2.1e-4, 1, "probability of all bins");
    }
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

/* A sparse teacher and a small start: at t > 0 a mixture of two normals, whose variances C, m and R give. */
static void test_sparse(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = filled(ctx, "teacher: 'if(u < 0.1, z/sqrt(0.1), 0)', student: '0.5*z2'");
    const solution_histograms *h = s.solution->histograms;
    size_t last = s.x.n - 1;
    double R = *two_time_R(&s.x, last, 0), F = *two_time_m(&s.x, last) / s.problem->initial.rho[0];
    double narrow = *two_time_C(&s.x, last, last) - F * F * s.problem->initial.rho[0], wide = narrow + F * F * 10;
    assert_true(R > 0.1 && F > 0.5);
    for (size_t b = 0; b < h->n_bins; b++) {
        double left = h->edges[b], right = h->edges[b + 1];
        double want = 0.9 * (normal_below(right / sqrt(narrow)) - normal_below(left / sqrt(narrow))) +
                      0.1 * (normal_below(right / sqrt(wide)) - normal_below(left / sqrt(wide)));
        check_near(h->density[2 * h->n_bins + b], want / (right - left), 2e-3, "density in bin %zu", b);
    }
    check_between(total(h, 2), 1 - 2.1e-4, 1, "probability of all bins");
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

/* Random signs as start: at t = 0 all is in two bins. */
static void test_atoms(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = filled(ctx, "student: 'sign(z)'");
    const solution_histograms *h = s.solution->histograms;
    size_t full = 0;
    for (size_t b = 0; b < h->n_bins; b++)
        if (h->density[b] > 0) {
            double mass = h->density[b] * (h->edges[b + 1] - h->edges[b]);
            check_near(mass, 0.5, 1e-3, "mass of an atom");
            assert_true((h->edges[b] <= 1 && h->edges[b + 1] > 1) || (h->edges[b] <= -1 && h->edges[b + 1] > -1));
            full++;
        }
    assert_int_equal(full, 2);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

/* A start that is one number; times beyond what was reached; none asked for. */
static void test_edges(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(ctx, test_problem(ctx, "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL
                                                    "numerics: {grading: 1, steps: 20}\ninitial: {student: 3}\n"
                                                    "output: {histograms: 0, bins: 1}\n"));
    const solution_histograms *h = s.solution->histograms;
    assert_true(h->edges[0] < 3 && h->edges[1] > 3);
    check_near(h->density[0] * (h->edges[1] - h->edges[0]), 1, 1e-14, "mass");
    solved_clear(&s);

    s = solve_exactly(ctx, test_problem(ctx, PROBLEM));
    s.solution->n_grid = 12; /* up to t = 1.1; only the diagonal of C would move */
    double *C = s.solution->C, *R = s.solution->R;
    for (size_t i = 0; i < 12; i++)
        for (size_t j = 0; j < 12; j++) {
            C[i * 12 + j] = C[i * 21 + j];
            R[i * 12 + j] = R[i * 21 + j];
        }
    histogram_plan plan = histogram_plan_of(s.problem, 12, s.solution->t);
    check_ok(ctx, histograms_from_moments(ctx, s.problem, &plan, s.solution));
    assert_int_equal(s.solution->histograms->n_times, 2);
    solved_clear(&s);

    s = solve_exactly(ctx,
                      test_problem(ctx, "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL "numerics: {grading: 1, steps: 20}\n"));
    assert_null(s.solution->histograms);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaussian),
        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_atoms),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
