/* Roots of covariances, cells of the grid, and the white noise in the field. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sample/gaussian_root.h"
#include "sample/preactivations.h"
#include "solved.h"

/* A singular covariance F F^T of rank 3, and one with a negative eigenvalue. */
static void test_root(void **state)
{
    enum { N = 7, RANK = 3 };
    double f[N][RANK], K[N][N], square[N][N];
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < RANK; j++)
            f[i][j] = sin(1.7 * i + 0.9 * j * j + 0.3);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            K[i][j] = 0;
            for (int l = 0; l < RANK; l++)
                K[i][j] += f[i][l] * f[j][l];
        }
    double *copy = malloc(sizeof K);
    assert_non_null(copy);
    memcpy(copy, K, sizeof K);
    gaussian_root root;
    check_ok(ctx, gaussian_root_new(ctx, N, copy, &root));
    check_between(root.negative, 0, 1e-14, "negative part");
    gaussian_root_apply(&root, N, root.root, &square[0][0]);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            check_near(square[i][j], K[i][j], 1e-13, "square of the root at %d %d", i, j);
            check_near(root.root[i * N + j], root.root[j * N + i], 0, "symmetry");
        }
    gaussian_root_clear(&root);
    double *indefinite = malloc(4 * sizeof *indefinite);
    assert_non_null(indefinite);
    memcpy(indefinite, (double[]){1, 0, 2, 1}, 4 * sizeof *indefinite); /* eigenvalues 3 and -1 */
    check_ok(ctx, gaussian_root_new(ctx, 2, indefinite, &root));
    check_near(root.negative, 0.5, 1e-14, "negative part");
    check_near(root.root[1], sqrt(3) / 2, 1e-14, "root of the positive part");
    gaussian_root_clear(&root);
    sgdmft_context_free(ctx);
}

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
        preactivation_white_noise(&s.x, rate);
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
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_white_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
