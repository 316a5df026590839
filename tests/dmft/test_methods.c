/* Method, number of threads and grid must not matter; the seed must. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/plan.h"

#define TANH "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, initial: {m: 0.2}, "
#define TWO                                                                                                            \
    "model: {students: 2, teachers: 2, label: \"tanh(s1) + 0.5*s2 + 0.2*eps\", predict: \"tanh(r1) + 0.5*r2\", "       \
    "loss: \"(f - y)^2/2\"}, initial: {q: [[1, 0.1], [0.1, 0.8]], m: [[0.3, 0.1], [0, 0.2]]}, "                        \
    "observables: {margin: \"y*r1\"}, "

/* Rows that move by 3e-4 keep the correction (solvers/dmft/march.c), and steps add up. */
static const double LAST_VISIT = 1e-3;

#define SME "dynamics: sme, "
#define FLOW "dynamics: gradient-flow, "
#define PENALTY "penalty: \"0.2*log(cosh(2*th1))\", "
#define PENALTY_OF_TWO "penalty: \"0.1*th1^4 + 0.1*(th1 - th2)^2\", "
#define RELU "model: {label: \"relu(s) + 0.2*eps\", predict: \"relu(r)\", loss: \"(f - y)^2/2\"}, initial: {m: 0.2}, "

/* Before the body of a problem: epoch_process, which no problem file can name. */
#define EPOCHS "(epochs) "

static sgdmft_solution *solve(int threads, const char *body, const char *numerics)
{
    sgdmft_context *ctx = check_context(threads);
    size_t epochs = strncmp(body, EPOCHS, strlen(EPOCHS)) == 0 ? strlen(EPOCHS) : 0;
    sgdmft_problem *problem =
        test_problem(ctx, "{delta: 1.8, eta: 1.1, %s numerics: {%s}, output: {times: 9}}", body + epochs, numerics);
    sgdmft_solution *solution = NULL;
    if (epochs)
        problem->process = &epoch_process;
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return solution;
}

static double largest_difference(size_t n, const double *a, const double *b)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    return worst;
}

static size_t blocks(const sgdmft_solution *s)
{
    return s->n_grid * s->n_grid * (size_t)(s->k * s->k);
}

/* The standard deviation of a replica: largest of the curves whose name begins so. */
static double noise(const sgdmft_solution *s, const char *begin)
{
    double worst = 0;
    for (size_t c = 0; c < s->n_curves; c++)
        for (size_t i = 0; i < s->n_times && strncmp(s->curves[c].name, begin, strlen(begin)) == 0; i++)
            worst = fmax(worst, s->curves[c].se[i] * sqrt(s->info.replicas));
    return worst;
}

/* March and picard find the same fixed point. Where averages are integrated over the last visit, they agree to the part
   `kept` of the noise: march keeps the difference to plain averages while rows move by less than that. */
static void check_methods(double kept, const char *body, const char *numerics)
{
    char *text[2] = {NULL, NULL};
    assert_true(asprintf(&text[0], "%s, tolerance: 1.0e-9, passes: 400, method: march", numerics) > 0);
    assert_true(asprintf(&text[1], "%s, tolerance: 1.0e-9, passes: 400, method: picard", numerics) > 0);
    sgdmft_solution *march = solve(1, body, text[0]), *picard = solve(1, body, text[1]);
    assert_int_equal(march->n_times, picard->n_times);
    assert_int_equal(march->n_curves, picard->n_curves);
    for (size_t c = 0; c < march->n_curves; c++)
        check_near(largest_difference(march->n_times, march->curves[c].value, picard->curves[c].value), 0,
                   1e-6 + kept * noise(march, march->curves[c].name), "%s", march->curves[c].name);
    check_near(largest_difference(blocks(march), march->C, picard->C), 0, 1e-6 + kept * noise(march, "q"), "C");
    check_near(largest_difference(blocks(march), march->R, picard->R), 0, 1e-6 + kept * noise(march, "R"), "R");
    check_near(largest_difference(march->n_grid * (size_t)(march->k * march->kstar), march->m, picard->m), 0,
               1e-6 + kept * noise(march, "m"), "m");
    for (size_t i = 0; i < march->n_identities; i++)
        check_near(march->identities[i].defect, picard->identities[i].defect, 1e-5, "%s", march->identities[i].name);
    print_message("largest difference of C %.1e; %.1f passes a step, %.0f sweeps\n",
                  largest_difference(blocks(march), march->C, picard->C), march->info.passes, picard->info.passes);
    sgdmft_solution_free(march);
    sgdmft_solution_free(picard);
    free(text[0]);
    free(text[1]);
}

static void test_picard(void **state)
{
    check_methods(LAST_VISIT, "horizon: 2, " TANH, "paths: 1500, replicas: 2, steps: 24, seed: 3");
    check_methods(LAST_VISIT, "horizon: 2, " TWO, "paths: 600, replicas: 2, steps: 16, seed: 4, grading: 1.3");
}

/* The other processes, the response by Stein's lemma, and sampled coordinates. */
static void test_picard_processes(void **state)
{
    check_methods(0, "horizon: 1.5, " SME TANH, "paths: 700, replicas: 2, steps: 16, seed: 14");
    check_methods(0, "horizon: 1.5, " FLOW TANH, "paths: 700, replicas: 2, steps: 16, seed: 15");
    check_methods(LAST_VISIT, "horizon: 1.5, " TANH, "response: stein, paths: 1000, replicas: 2, steps: 20, seed: 16");
    check_methods(0, "horizon: 1, " SME TWO, "paths: 600, replicas: 2, steps: 12, seed: 17, grading: 1.3");
    check_methods(0, "horizon: 1, " FLOW TWO, "paths: 600, replicas: 2, steps: 12, seed: 18");
}

/* With epochs, where averages and rows have two limits. */
static void test_picard_epochs(void **state)
{
    check_methods(0, EPOCHS "horizon: 2.6, " TANH, "response: pathwise, paths: 700, replicas: 2, steps: 16, seed: 24");
    check_methods(0, EPOCHS "horizon: 2.6, " TANH, "response: stein, paths: 1000, replicas: 2, steps: 16, seed: 25");
    check_methods(0, EPOCHS "horizon: 1.3, " TWO, "response: stein, paths: 700, replicas: 2, steps: 16, seed: 26");
}

static void check_same_bytes(const sgdmft_solution *a, const sgdmft_solution *b)
{
    size_t times = sizeof(double) * a->n_times, overlap = (size_t)(a->k * a->kstar);
    assert_int_equal(a->n_times, b->n_times);
    assert_int_equal(a->n_grid, b->n_grid);
    for (size_t c = 0; c < a->n_curves; c++) {
        assert_memory_equal(a->curves[c].value, b->curves[c].value, times);
        assert_memory_equal(a->curves[c].se, b->curves[c].se, times);
        assert_memory_equal(a->curves[c].step_error, b->curves[c].step_error, times);
    }
    assert_memory_equal(a->t, b->t, sizeof(double) * a->n_grid);
    assert_memory_equal(a->C, b->C, sizeof(double) * blocks(a));
    assert_memory_equal(a->R, b->R, sizeof(double) * blocks(a));
    assert_memory_equal(a->m, b->m, sizeof(double) * a->n_grid * overlap);
    assert_memory_equal(a->residual, b->residual, sizeof(double) * a->n_grid);
    assert_int_equal(a->n_identities, b->n_identities);
    for (size_t i = 0; i < a->n_identities; i++)
        assert_memory_equal(&a->identities[i].defect, &b->identities[i].defect, sizeof(double) * 3);
}

/* More threads than replicas share the blocks of a replica, up to one thread per part and beyond. */
static void check_threads(const char *body, const char *numerics)
{
    static const int threads[5] = {2, 3, 5, 16, 19};
    sgdmft_solution *one = solve(1, body, numerics);
    for (int i = 0; i < 5; i++) {
        sgdmft_solution *other = solve(threads[i], body, numerics);
        check_same_bytes(one, other);
        sgdmft_solution_free(other);
    }
    sgdmft_solution_free(one);
}

static void test_threads(void **state)
{
    check_threads("horizon: 1.5, " TANH, "paths: 3000, replicas: 3, steps: 20, seed: 5");
    check_threads("horizon: 1.5, " TWO, "paths: 1500, replicas: 2, steps: 12, seed: 6");
}

static void test_threads_processes(void **state)
{
    check_threads("horizon: 1, " SME TANH, "paths: 700, replicas: 3, steps: 8, seed: 19");
    check_threads("horizon: 1, " FLOW TWO, "paths: 500, replicas: 2, steps: 6, seed: 20");
    check_threads(EPOCHS "horizon: 1.3, " TWO, "response: pathwise, paths: 500, replicas: 2, steps: 12, seed: 27");
    check_threads(EPOCHS "horizon: 1.3, " TANH, "response: stein, paths: 700, replicas: 2, steps: 12, seed: 28");
    check_threads("horizon: 1, " RELU, "paths: 700, replicas: 2, steps: 8, seed: 21");
    check_threads("horizon: 1, " PENALTY TANH, "paths: 700, replicas: 2, steps: 8, seed: 22");
    check_threads("horizon: 0.6, " SME PENALTY_OF_TWO TWO, "paths: 500, replicas: 2, steps: 8, seed: 23");
}

static void test_seed(void **state)
{
    const char *body = "horizon: 1, " TANH;
    sgdmft_solution *a = solve(1, body, "paths: 512, replicas: 2, steps: 8, seed: 7");
    sgdmft_solution *same = solve(1, body, "paths: 512, replicas: 2, steps: 8, seed: 7");
    sgdmft_solution *other = solve(1, body, "paths: 512, replicas: 2, steps: 8, seed: 8");
    check_same_bytes(a, same);
    check_between(largest_difference(blocks(a), a->C, other->C), 1e-5, 0.3, "change of C with the seed");
    sgdmft_solution_free(a);
    sgdmft_solution_free(same);
    sgdmft_solution_free(other);
}

/* Two grids, two discretisations: the same curves within their errors. */
static void test_grading(void **state)
{
    const char *body = "horizon: 3, " TANH;
    char *numerics[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        assert_true(asprintf(&numerics[i], "paths: %zu, replicas: 16, steps: 60, seed: %d, grading: %s",
                             test_scaled(5000, 500), 9 + i, i == 0 ? "1" : "1.7") > 0);
    sgdmft_solution *uniform = solve(2, body, numerics[0]), *graded = solve(2, body, numerics[1]);
    for (size_t c = 0; c < uniform->n_curves; c++)
        for (size_t i = 0; i < uniform->n_times; i++) {
            const sgdmft_curve *a = &uniform->curves[c], *b = &graded->curves[c];
            double allowed = 4 * hypot(a->se[i], b->se[i]);
            check_near(a->value[i], b->value[i], allowed + 1e-12, "%s at t = %g", a->name, uniform->times[i]);
        }
    sgdmft_solution_free(uniform);
    sgdmft_solution_free(graded);
    free(numerics[0]);
    free(numerics[1]);
}

/* The report of a solve agrees with its settings and its work. */
static void test_info(void **state)
{
    sgdmft_solution *s = solve(1, "horizon: 2, " TWO, "paths: 700, replicas: 3, steps: 13, seed: 12");
    assert_int_equal(s->info.paths, 700);
    assert_int_equal(s->info.replicas, 3);
    assert_int_equal(s->info.steps, 16); /* made a multiple of four, for the coarser grids */
    assert_int_equal(s->n_grid, 17);
    assert_int_equal(s->info.extrapolated, 1);
    assert_int_equal(s->info.simulated, 0);
    check_near(s->info.visits, 700 * 3 * 2, 5 * sqrt(700 * 3 * 2), "visits");
    check_between(s->info.passes, 1, (double)s->info.passes_max, "passes");
    check_between(s->info.residual_max, 0, 1e-8, "residual");
    for (size_t i = 0; i < s->n_grid; i++)
        check_between(s->residual[i], 0, s->info.residual_max, "residual of node %zu", i);
    check_between(s->info.memory_bytes, 1e4, 1e9, "memory");
    assert_int_equal(s->n_identities, 3 + 4);
    assert_non_null(sgdmft_solution_curve(s, "train_margin"));
    assert_non_null(sgdmft_solution_curve(s, "test_margin"));
    sgdmft_solution_free(s);
}

/* Extrapolation moves curves by about the step error that the fine grid has without it, and leaves a smaller one. */
static void test_extrapolation(void **state)
{
    const char *body = "dynamics: gradient-flow, horizon: 2, " TANH; /* with little noise */
    sgdmft_solution *with = solve(1, body, "paths: 7000, replicas: 4, steps: 20, seed: 13");
    sgdmft_solution *without = solve(1, body, "paths: 7000, replicas: 4, steps: 20, seed: 13, extrapolate: false");
    assert_int_equal(without->info.extrapolated, 0);
    double largest = 0, left = 0, moved = 0;
    for (size_t c = 0; c < with->n_curves; c++) {
        const sgdmft_curve *a = &with->curves[c], *b = &without->curves[c];
        double change = 0, error = 0;
        for (size_t i = 0; i < with->n_times; i++) {
            assert_true(a->se[i] >= fabs(a->step_error[i]) && b->se[i] >= fabs(b->step_error[i]));
            change = fmax(change, fabs(a->value[i] - b->value[i]));
            error = fmax(error, fabs(b->step_error[i]));
            left = fmax(left, fabs(a->step_error[i]));
        }
        check_between(change, 0, 1.2 * error, "change of %s by extrapolation", a->name);
        largest = fmax(largest, error);
        moved = fmax(moved, change);
    }
    check_between(largest, 1e-5, 0.1, "largest step error");
    check_between(moved, 0.5 * largest, 1.2 * largest, "largest change by extrapolation");
    check_between(left, 0, 0.8 * largest, "largest step error after extrapolation");
    sgdmft_solution_free(with);
    sgdmft_solution_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picard),
        cmocka_unit_test(test_picard_processes),
        cmocka_unit_test(test_picard_epochs),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_threads_processes),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_grading),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_extrapolation),
    };
    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
