/* Paths of the pre-activations of the linear model against its exact curves, for all dynamics. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sample/draws.h"
#include "sample/preactivations.h"
#include "solved.h"
#include "support/sample.h"

enum { L = SAMPLE_LANES };

static const double BOUND = 4.3;

/* (r - y)^2/2 and (w - y)^2/2 at every fourth node, and E w w* = m. */
static void check_losses(const char *constants, double step_error)
{
    enum { STEPS = 40, EVERY = 8, TIMES = STEPS / EVERY + 1 };
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(ctx, test_problem(ctx,
                                               "%sdelta: 1.6\nhorizon: 2\n" LINEAR_MODEL "initial: {m: 0.2}\n"
                                               "numerics: {grading: 1, steps: 40}\noutput: {times: 6}\n",
                                               constants));
    preactivation_process *process = NULL;
    preactivation_paths *paths = NULL;
    check_ok(ctx, preactivation_process_new(ctx, s.problem, &s.x, &process));
    check_ok(ctx, preactivation_paths_new(ctx, process, &paths));
    assert_true(process->field.nodes.rest.negative < 1e-8);
    sample train[TIMES] = {{0}}, test[TIMES] = {{0}}, m[TIMES] = {{0}};
    double r[L];
    uint64_t blocks = test_scaled(500, 30);
    for (uint64_t b = 0; b < blocks; b++) {
        check_ok(ctx, preactivation_paths_draw(process, 3, b, paths));
        for (size_t i = 0; i < TIMES; i++) {
            const double *w = paths->w + i * EVERY * L;
            preactivation_paths_at(process, paths, i * EVERY, r);
            for (size_t p = 0; p < L; p++) {
                sample_add(&train[i], (r[p] - paths->y[p]) * (r[p] - paths->y[p]) / 2);
                sample_add(&test[i], (w[p] - paths->y[p]) * (w[p] - paths->y[p]) / 2);
                sample_add(&m[i], w[p] * paths->wstar[p]);
            }
        }
    }
    const sgdmft_curve *want_train = sgdmft_solution_curve(s.solution, "train_loss");
    const sgdmft_curve *want_test = sgdmft_solution_curve(s.solution, "test_loss");
    for (size_t i = 0; i < TIMES; i++) {
        double t = s.x.t[i * EVERY];
        check_near(train[i].mean, want_train->value[i], BOUND * sample_se(&train[i]) + (i > 0 ? step_error : 0),
                   "train loss at %g, %s", t, constants);
        check_z(test[i].mean, want_test->value[i], sample_se(&test[i]), BOUND, "test loss at %g, %s", t, constants);
        check_z(m[i].mean, *two_time_m(&s.x, i * EVERY), sample_se(&m[i]), BOUND, "m at %g, %s", t, constants);
    }
    preactivation_paths_free(paths);
    preactivation_process_free(process);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

static void test_losses(void **state)
{
    check_losses("eta: 0.9\n", 3e-4);
    check_losses("eta: 1.3\nlambda: 0.2\n", 3e-4);
    check_losses("dynamics: sme\neta: 0.9\n", 3e-4);
    check_losses("dynamics: gradient-flow\neta: 1.1\n", 3e-4);
}

/* The same for every process of the table, against the solver: the losses of 20000 paths and of the curves. */
static void check_process(const sample_process *p)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem = test_problem(ctx,
                                           "dynamics: %s\n%s%s\nhorizon: 2\ndelta: 1.6\nmodel: {label: 'tanh(s) + "
                                           "0.2*eps', loss: '(tanh(r) - y)^2/2'}\nnumerics: {grading: 1, steps: 32, "
                                           "replicas: 4, paths: %zu, seed: 3}\noutput: {times: 5}\n",
                                           p->dynamics, p->sampling ? "sampling: " : "", p->sampling ? p->sampling : "",
                                           test_scaled(8000, 2000));
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    two_time x = two_time_of(solution);
    preactivation_process *process = NULL;
    preactivation_paths *paths = NULL;
    check_ok(ctx, preactivation_process_new(ctx, problem, &x, &process));
    check_ok(ctx, preactivation_paths_new(ctx, process, &paths));
    const double *train_loss = sgdmft_curve_value(sgdmft_solution_curve(solution, "train_loss"));
    const double *train_se = sgdmft_curve_se(sgdmft_solution_curve(solution, "train_loss"));
    for (size_t i = 1; i < 5; i++) {
        sample train = {0};
        size_t node = two_time_nearest(&x, 0.5 * (double)i);
        double r[L];
        check_near(x.t[node], 0.5 * (double)i, 1e-12, "node");
        for (uint64_t b = 0; b < test_scaled(320, 40); b++) {
            check_ok(ctx, preactivation_paths_draw(process, 3, b, paths));
            preactivation_paths_at(process, paths, node, r);
            for (size_t lane = 0; lane < L; lane++)
                sample_add(&train, pow(tanh(r[lane]) - paths->y[lane], 2) / 2);
        }
        check_z(train.mean, train_loss[i], hypot(sample_se(&train), train_se[i]) + 2e-4, BOUND,
                "train loss at %g, %s %s", x.t[node], p->dynamics, p->sampling ? p->sampling : "");
    }
    preactivation_paths_free(paths);
    preactivation_process_free(process);
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_processes(void **state)
{
    for (size_t i = 0; process_at(i); i++)
        check_process(process_at(i));
}

/* Visits: as many as a Poisson process of rate 1 makes, in order, each with a kick of eta g. */
static void test_visits(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(
        ctx, test_problem(ctx, "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL "numerics: {grading: 1, steps: 20}\n"));
    preactivation_process *process = NULL;
    preactivation_paths *paths = NULL;
    check_ok(ctx, preactivation_process_new(ctx, s.problem, &s.x, &process));
    check_ok(ctx, preactivation_paths_new(ctx, process, &paths));
    sample count = {0};
    for (uint64_t b = 0; b < 60; b++) {
        check_ok(ctx, preactivation_paths_draw(process, 8, b, paths));
        const event_list *events = &paths->events;
        for (size_t p = 0; p < L; p++) {
            sample_add(&count, events->count[p]);
            for (size_t slot = 0; slot < events->slots; slot++) {
                size_t at = slot * L + p;
                if (slot >= (size_t)events->count[p]) {
                    assert_true(paths->kick[at] == 0);
                    continue;
                }
                assert_true(events->time[at] > (slot > 0 ? events->time[at - L] : 0) && events->time[at] < 2);
                check_near(paths->kick[at], paths->r_event[at] - paths->y[p], 1e-12, "kick");
            }
        }
    }
    check_z(count.mean, 2, sample_se(&count), 4, "visits");
    check_near(sample_variance(&count), 2, 4 * sqrt((2 + 2 * 4) / (60.0 * L)), "variance of visits");
    preactivation_paths_free(paths);
    preactivation_process_free(process);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

/* A path does not depend on the blocks drawn before. */
static void test_addresses(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s = solve_exactly(
        ctx, test_problem(ctx, "delta: 1.6\nhorizon: 2\n" LINEAR_MODEL "numerics: {grading: 1, steps: 20}\n"));
    preactivation_process *process = NULL;
    preactivation_paths *first = NULL, *second = NULL;
    check_ok(ctx, preactivation_process_new(ctx, s.problem, &s.x, &process));
    check_ok(ctx, preactivation_paths_new(ctx, process, &first));
    check_ok(ctx, preactivation_paths_new(ctx, process, &second));
    double a[L], b[L];
    for (uint64_t number = 0; number < 4; number++)
        check_ok(ctx, preactivation_paths_draw(process, 8, number, first));
    check_ok(ctx, preactivation_paths_draw(process, 8, 3, second));
    preactivation_paths_at(process, first, s.x.n - 1, a);
    preactivation_paths_at(process, second, s.x.n - 1, b);
    assert_memory_equal(a, b, sizeof a);
    check_ok(ctx, preactivation_paths_draw(process, 9, 3, second));
    preactivation_paths_at(process, second, s.x.n - 1, b);
    assert_memory_not_equal(a, b, sizeof a);
    preactivation_paths_free(first);
    preactivation_paths_free(second);
    preactivation_process_free(process);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

/* Fresh samples have no memory. */
static void test_online(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(ctx, "dynamics: online\nhorizon: 2\n" LINEAR_MODEL
                                                "numerics: {grading: 1, steps: 8, replicas: 2, paths: 100}\n");
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    two_time x = two_time_of(solution);
    preactivation_process *process = NULL;
    preactivation_paths *paths = NULL;
    check_ok(ctx, preactivation_process_new(ctx, problem, &x, &process));
    check_ok(ctx, preactivation_paths_new(ctx, process, &paths));
    check_ok(ctx, preactivation_paths_draw(process, 8, 0, paths));
    double r[L];
    preactivation_paths_at(process, paths, x.n - 1, r);
    assert_memory_equal(r, paths->w + (x.n - 1) * L, sizeof r);
    preactivation_paths_free(paths);
    preactivation_process_free(process);
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses),    cmocka_unit_test(test_processes), cmocka_unit_test(test_visits),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_online),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
