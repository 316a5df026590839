/* Paths of the coordinates with a ridge: their moments are C and m, whatever the law. Other
   penalties and other second moments are refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample/coordinates.h"
#include "sample/draws.h"
#include "solved.h"
#include "support/sample.h"

enum { TIMES = 4 };

static coordinate_paths *paths_of(sgdmft_context *ctx, const coordinate_process *process)
{
    coordinate_paths *paths = NULL;
    check_ok(ctx, coordinate_paths_new(ctx, process, &paths));
    return paths;
}

/* Means over paths of theta^t theta^s, theta^t theta* and theta*^2, within 4.3 standard errors: 60 comparisons, of
   which most are strongly correlated. */
static void check_moments(const char *constants, const char *initial)
{
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(ctx, test_problem(ctx,
                                               "%sdelta: 1.6\nhorizon: 2\n" LINEAR_MODEL
                                               "initial: {%s}\nnumerics: {steps: 20}\noutput: {times: 21}\n",
                                               constants, initial));
    static const size_t node[TIMES] = {0, 3, 10, 20};
    coordinate_process *process = NULL;
    check_ok(ctx, coordinate_process_new(ctx, s.problem, &s.x, TIMES, node, &process));
    assert_true(process->gaussian.rest.negative < 1e-8);
    coordinate_paths *d = paths_of(ctx, process);
    sample product[TIMES][TIMES + 1] = {{{0}}}, teacher = {0};
    uint64_t blocks = test_scaled(600, 40);
    for (uint64_t b = 0; b < blocks; b++) {
        check_ok(ctx, coordinate_paths_draw(process, 11, b, d));
        for (size_t p = 0; p < SAMPLE_LANES; p++) {
            double star = d->thetastar[p];
            sample_add(&teacher, star * star);
            for (size_t i = 0; i < TIMES; i++) {
                for (size_t j = 0; j <= i; j++)
                    sample_add(&product[i][j], d->theta[i * SAMPLE_LANES + p] * d->theta[j * SAMPLE_LANES + p]);
                sample_add(&product[i][TIMES], d->theta[i * SAMPLE_LANES + p] * star);
            }
        }
    }
    check_z(teacher.mean, s.problem->initial.rho[0], sample_se(&teacher) + 1e-12, 4.3, "rho");
    for (size_t i = 0; i < TIMES; i++) {
        for (size_t j = 0; j <= i; j++)
            check_z(product[i][j].mean, *two_time_C(&s.x, node[i], node[j]), sample_se(&product[i][j]) + 1e-12, 4.3,
                    "C(%g, %g) from %s", s.x.t[node[i]], s.x.t[node[j]], initial);
        check_z(product[i][TIMES].mean, *two_time_m(&s.x, node[i]), sample_se(&product[i][TIMES]) + 1e-12, 4.3,
                "m(%g) from %s", s.x.t[node[i]], initial);
    }
    coordinate_paths_free(d);
    coordinate_process_free(process);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

static void test_moments(void **state)
{
    check_moments("", "q: 1.2, m: 0.4, rho: 0.9");
    check_moments("lambda: 0.2\n", "teacher: 'if(u < 0.2, z/sqrt(0.2), 0)', student: '0.3*ths + 0.9*z2'");
    check_moments("dynamics: gradient-flow\n", "teacher: sign(z), student: '0'");
}

/* A coordinate at t = 0 is one of the law, and a path is a function of the seed and its number alone. */
static void test_start(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(ctx, test_problem(ctx, "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL
                                                    "initial: {teacher: 'if(u < 0.5, -1, 2)', student: '3*ths'}\n"
                                                    "numerics: {steps: 20}\n"));
    static const size_t early[] = {0}, later[] = {0, 7, 9};
    coordinate_process *one = NULL, *three = NULL;
    check_ok(ctx, coordinate_process_new(ctx, s.problem, &s.x, 1, early, &one));
    check_ok(ctx, coordinate_process_new(ctx, s.problem, &s.x, 3, later, &three));
    coordinate_paths *a = paths_of(ctx, one), *b = paths_of(ctx, three);
    check_ok(ctx, coordinate_paths_draw(one, 5, 77, a));
    check_ok(ctx, coordinate_paths_draw(three, 5, 77, b));
    assert_memory_equal(a->thetastar, b->thetastar, SAMPLE_LANES * sizeof *a->thetastar);
    int values[2] = {0};
    for (size_t p = 0; p < SAMPLE_LANES; p++) {
        assert_true(a->thetastar[p] == -1 || a->thetastar[p] == 2);
        values[a->thetastar[p] == 2]++;
        check_near(a->theta[p], 3 * a->thetastar[p], 1e-6, "theta0");
        check_near(b->theta[p], 3 * a->thetastar[p], 1e-6, "theta0");
    }
    assert_true(values[0] > 5 && values[1] > 5);
    check_ok(ctx, coordinate_paths_draw(one, 6, 77, a));
    assert_memory_not_equal(a->thetastar, b->thetastar, SAMPLE_LANES * sizeof *a->thetastar);
    coordinate_paths_free(a);
    coordinate_paths_free(b);
    coordinate_process_free(one);
    coordinate_process_free(three);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

/* Two students, two teachers: the covariance of the parts adds up to C. */
static void test_matrices(void **state)
{
    enum { K = 2, N = 3 };
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(
        ctx,
        "delta: 2\nhorizon: 1\nmodel: {students: 2, teachers: 2, label: 's1 + s2', loss: '(r1 + 0.5*r2 - y)^2/2'}\n"
        "initial: {q: [[1.1, 0.2], [0.2, 0.8]], m: [[0.3, 0.1], [0, 0.2]], rho: [[1, 0.3], [0.3, 0.9]]}\n"
        "numerics: {paths: 200, replicas: 2, steps: 8}\n");
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    two_time x = two_time_of(solution);
    static const size_t node[N] = {0, 4, 8};
    coordinate_process *process = NULL;
    check_ok(ctx, coordinate_process_new(ctx, problem, &x, N, node, &process));
    assert_true(process->gaussian.rest.negative < 1e-9);
    for (int i = 0; i < N * K; i++)
        for (int j = 0; j < N * K; j++) {
            double sum = 0, joint[4][4];
            for (int a = 0; a < 4; a++)
                for (int b = 0; b < 4; b++)
                    joint[a][b] = a < 2 && b < 2 ? problem->initial.q[a * 2 + b]
                                  : a < 2        ? problem->initial.m[a * 2 + b - 2]
                                  : b < 2        ? problem->initial.m[b * 2 + a - 2]
                                                 : problem->initial.rho[(a - 2) * 2 + b - 2];
            for (int a = 0; a < 4; a++)
                for (int b = 0; b < 4; b++) {
                    double left =
                        a < 2 ? process->gaussian.onto_start[i * 2 + a] : process->gaussian.onto_teacher[i * 2 + a - 2];
                    double right =
                        b < 2 ? process->gaussian.onto_start[j * 2 + b] : process->gaussian.onto_teacher[j * 2 + b - 2];
                    sum += left * joint[a][b] * right;
                }
            for (int l = 0; l < N * K; l++)
                sum += process->gaussian.rest.root[i * N * K + l] * process->gaussian.rest.root[j * N * K + l];
            check_near(sum, two_time_C(&x, node[i / K], node[j / K])[i % K * K + j % K], 1e-10, "C at %d %d", i, j);
        }
    coordinate_process_free(process);
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_refusals(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(ctx, test_problem(ctx, "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL "numerics: {steps: 20}\n"));
    static const size_t node[] = {0, 5};
    coordinate_process *process = NULL;
    s.problem->initial.q[0] = 1.001;
    check_failure(ctx, coordinate_process_new(ctx, s.problem, &s.x, 2, node, &process), SGDMFT_ERR_CONFLICT,
                  "other second moments now");
    assert_null(process);
    sgdmft_problem *other = test_problem(ctx, "delta: 1.6\nhorizon: 2\npenalty: 'th1^4'\n" LINEAR_MODEL);
    check_failure(ctx, coordinate_process_new(ctx, other, &s.x, 2, node, &process), SGDMFT_ERR_UNSUPPORTED,
                  ":3:11: penalty: with this penalty coordinates follow a nonlinear process");
    sgdmft_problem_free(other);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
