/* The grid that samplers see, and the white noise in the field. */
#include <math.h>
#include <stdlib.h>

#include "sample/field.h"
#include "solved.h"

static void test_cells(void **state)
{
    static const double t[] = {0, 0.5, 0.75, 2};
    two_time x = {.n = 4, .t = t};
    static const struct {
        double t, place;
        size_t cell, nearest;
    } cases[] = {{0, 0, 0, 0},    {0.2, 0.4, 0, 0}, {0.3, 0.6, 0, 1}, {0.5, 0, 1, 1},     {0.7, 0.8, 1, 2},
                 {0.75, 0, 2, 2}, {2, 1, 2, 3},     {5, 1, 2, 3},     {1.375, 0.5, 2, 2}, {-1, 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double place;
        assert_int_equal(two_time_cell(&x, cases[i].t, &place), cases[i].cell);
        check_near(place, cases[i].place, 1e-15, "place of %g", cases[i].t);
        assert_int_equal(two_time_nearest(&x, cases[i].t), cases[i].nearest);
    }
}

/* SGD: delta eta^2 E g^2, which is 2 delta eta^2 train loss; gradient flow: none. */
static void test_white_noise(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (int flow = 0; flow < 2; flow++) {
        solved s = solve_exactly(ctx, test_problem(ctx,
                                                   "dynamics: %s\ndelta: 1.6\neta: 0.8\nhorizon: 2\n" LINEAR_MODEL
                                                   "numerics: {steps: 100, grading: 1.5}\noutput: {times: 201}\n",
                                                   flow ? "gradient-flow" : "sgd"));
        double *rate = malloc((s.x.n - 1) * sizeof *rate);
        assert_non_null(rate);
        data_law law;
        check_ok(ctx, data_law_init(ctx, s.problem, &law));
        field_white_noise(s.problem, &law, &s.x, rate);
        const sgdmft_curve *train = sgdmft_solution_curve(s.solution, "train_loss");
        for (size_t i = 0; i + 1 < s.x.n; i++) {
            double t = (s.x.t[i] + s.x.t[i + 1]) / 2, at = t * 100, part = at - floor(at);
            const double *value = train->value + (size_t)floor(at);
            double loss = value[0] + (part > 0 ? part * (value[1] - value[0]) : 0);
            double want = flow ? 0 : 2 * 1.6 * 0.8 * 0.8 * loss;
            check_near(rate[i], want, 4e-3 * train->value[0] * 2, "rate at %g", t);
        }
        free(rate);
        solved_clear(&s);
    }
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_white_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
