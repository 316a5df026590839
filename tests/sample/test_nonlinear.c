/* Coordinates with a penalty other than the ridge: a path drawn anew is what the solver makes of the same numbers, its
   moments are those of the solution, and so are the densities. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinates/draw.h"
#include "sample/coordinates.h"
#include "sample/draws.h"
#include "sample/histograms.h"
#include "solved.h"
#include "solvers/dmft/statistics.h"
#include "support/sample.h"

enum { L = SAMPLE_LANES };

#define SPARSE "initial: {teacher: 'if(u < 0.2, z/sqrt(0.2), 0)', student: '0.3*ths + 0.6*z2'}\n"
#define TANH "model: {label: 'tanh(s) + 0.2*eps', loss: '(tanh(r) - y)^2/2'}\n"
#define STEEP "delta: 1.6\neta: 0.8\nhorizon: 2\npenalty: '0.3*log(cosh(5*th1))'\n" TANH SPARSE

static solved solve_sampled(sgdmft_context *ctx, sgdmft_problem *problem)
{
    solved s = {.ctx = ctx, .problem = problem};
    check_ok(ctx, sgdmft_solve(ctx, problem, &s.solution));
    s.x = two_time_of(s.solution);
    assert_non_null(s.x.coordinates);
    return s;
}

/* The first lanes of an ensemble as a block of paths; rows of the Gaussian array from `first` on. */
static void take_lanes(const path_ensemble *e, size_t first, size_t rows, double *to)
{
    for (size_t p = 0; p < L; p++) {
        const path_inputs *in = &e->block[p / e->block[0].n];
        for (size_t a = 0; a < rows; a++)
            to[a * L + p] = in->wstar[(first + a) * in->n + p % e->block[0].n];
    }
}

/* The numbers of the first replica through the sampler: its coordinates, up to the tolerance of the solve. */
static void check_same_paths(const char *text)
{
    test_plan t;
    sgdmft_context *ctx = check_context(1);
    test_plan_init(&t, test_problem(ctx, "%s", text));
    const time_grid *grid = t.plan.grid[GRID_FINE];
    size_t k = (size_t)t.plan.on_grid[GRID_FINE].shape.k, kstar = (size_t)t.plan.on_grid[GRID_FINE].shape.kstar, n = 3;
    size_t node[] = {0, 1, (size_t)grid->steps}; /* the second is moved to one whose coordinates are kept */
    replica_result result[2] = {{{NULL}, 0}, {{NULL}, 0}};
    replica_set set = {.result = result, .asked = 2};
    sgdmft_solution *solution = NULL;
    check_ok(t.ctx, replica_set_solve(t.ctx, &t.plan, &set));
    check_ok(t.ctx, replica_statistics(t.ctx, &t.plan, &set, NULL, &solution));
    const coordinate_snapshots *kept = &result[0].on_grid[GRID_FINE]->record->theta;
    while (!coordinate_snapshots_at(kept, node[1]))
        node[1]++;
    assert_true(node[1] < node[2]);
    two_time x = two_time_of(solution);
    nonlinear_process *process = NULL;
    check_ok(t.ctx, nonlinear_process_new(t.ctx, t.problem, &x, n, node, &process));

    path_ensemble *e = NULL;
    path_source source = coordinate_source(&t.plan.source);
    check_ok(t.ctx, coordinates_draw(t.ctx, &source, grid, 0, &e));
    const path_inputs *in = &e->block[0];
    nonlinear_workspace *work = NULL;
    check_ok(t.ctx, nonlinear_workspace_new(t.ctx, process, &work));
    double *theta0 = calloc(k * L, sizeof *theta0), *star = calloc(kstar * L, sizeof *star);
    double *xi = calloc((size_t)grid->steps * k * L, sizeof *xi), *theta = calloc(n * k * L, sizeof *theta);
    assert_true(theta0 && star && xi && theta);
    take_lanes(e, 0, kstar, star);
    take_lanes(e, (size_t)(in->xi - in->wstar) / in->n, (size_t)grid->steps * k, xi);
    for (size_t a = 0; a < k; a++)
        memcpy(theta0 + a * L, coordinate_snapshots_at(kept, 0) + a * kept->paths, sizeof *theta0 * L);
    assert_int_equal(nonlinear_process_run(process, theta0, star, xi, work, theta), SGDMFT_OK);
    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < k; a++)
            for (size_t p = 0; p < L; p++)
                check_near(theta[(i * k + a) * L + p], coordinate_snapshots_at(kept, node[i])[a * kept->paths + p],
                           1e-6, "theta_%zu at node %zu", a + 1, node[i]);
    free(theta0);
    free(star);
    free(xi);
    free(theta);
    nonlinear_workspace_free(work);
    nonlinear_process_free(process);
    path_ensemble_free(e);
    sgdmft_solution_free(solution);
    replica_result_clear(&result[0]);
    replica_result_clear(&result[1]);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

static void test_same_paths(void **state)
{
    const sample_process *p;
    for (size_t i = 0; (p = process_at(i)); i++) {
        char text[1024];
        if (p->events == EVENTS_FRESH)
            continue;
        snprintf(text, sizeof text,
                 "dynamics: %s\n%s%s\n%s" STEEP "numerics: {grading: 1, paths: 400, replicas: 2, steps: 20}\n"
                 "output: {histograms: [0, 0.7, 2], times: 3}\n",
                 p->dynamics, p->sampling ? "sampling: " : "", p->sampling ? p->sampling : "",
                 p->batch == BATCH_SMALL      ? ""
                 : p->batch == BATCH_FRACTION ? "batch_fraction: 0.1\nmomentum: {beta: 0.5}\n"
                                              : "batch_fraction: 1\n");
        check_same_paths(text);
    }
    check_same_paths(
        "delta: 1.6\neta: '0.6/(1 + t)'\nhorizon: 1\npenalty: '0.1*log(cosh(3*th1)) + 0.1*th2^2 + 0.1*th1*th2'\n"
        "model: {students: 2, teachers: 2, label: 'tanh(s1) + s2/2', loss: '(tanh(r1) + r2/2 - y)^2/2'}\n"
        "initial: {q: [[1.1, 0.2], [0.2, 0.8]], m: [[0.3, 0.1], [0, 0.2]], rho: [[1, 0.3], [0.3, 0.9]]}\n"
        "numerics: {grading: 1, paths: 400, replicas: 2, steps: 20}\noutput: {histograms: [0, 0.35, 1], times: 3}\n");
}

/* Mean over bins of a power of theta, at their middles. */
static double histogram_moment(const solution_histograms *h, size_t time, int power)
{
    double sum = 0;
    for (size_t b = 0; b < h->n_bins; b++)
        sum += h->density[time * h->n_bins + b] * (h->edges[b + 1] - h->edges[b]) *
               pow(0.5 * (h->edges[b] + h->edges[b + 1]), power);
    return sum;
}

/* E theta^t theta^s, E theta^t theta* and E |theta| against C, m and the densities, within 4.3 standard errors: those
   of the paths, and those of the solution for one replica, whose process this is. */
static void test_moments(void **state)
{
    enum { TIMES = 3, REPLICAS = 4 };
    sgdmft_context *ctx = check_context(2);
    size_t paths = test_scaled(10000, 2000);
    sgdmft_problem *problem = test_problem(ctx,
                                           STEEP "numerics: {grading: 1, paths: %zu, replicas: 4, steps: 40}\n"
                                                 "output: {histograms: [0, 0.5, 2], bins: 300, times: 5}\n",
                                           paths);
    solved s = solve_sampled(ctx, problem);
    const solution_histograms *h = s.solution->histograms;
    size_t node[TIMES] = {0, two_time_nearest(&s.x, 0.5), 40};
    assert_non_null(h->se);
    coordinate_process *process = NULL;
    check_ok(ctx, coordinate_process_new(ctx, problem, &s.x, TIMES, node, &process));
    coordinate_paths *drawn = NULL;
    check_ok(ctx, coordinate_paths_new(ctx, process, &drawn));
    const double *theta = drawn->theta, *star = drawn->thetastar;
    sample product[TIMES][TIMES + 1] = {{{0}}}, fourth[TIMES] = {{0}};
    for (uint64_t b = 0; b < test_scaled(300, 40); b++) {
        assert_int_equal(coordinate_paths_draw(process, 3, b, drawn), SGDMFT_OK);
        for (size_t p = 0; p < L; p++)
            for (size_t i = 0; i < TIMES; i++) {
                double now = theta[i * L + p];
                sample_add(&fourth[i], now * now * now * now);
                sample_add(&product[i][TIMES], now * star[p]);
                for (size_t j = 0; j <= i; j++)
                    sample_add(&product[i][j], now * theta[j * L + p]);
            }
    }
    for (size_t i = 0; i < TIMES; i++) {
        /* the replica has so many coordinates of its own */
        double own = 1 + sqrt((double)fourth[i].n / (double)paths);
        for (size_t j = 0; j <= i; j++)
            check_z(product[i][j].mean, *two_time_C(&s.x, node[i], node[j]), own * sample_se(&product[i][j]), 4.3,
                    "C(%g, %g)", s.x.t[node[i]], s.x.t[node[j]]);
        check_z(product[i][TIMES].mean, *two_time_m(&s.x, node[i]), own * sample_se(&product[i][TIMES]), 4.3, "m(%g)",
                s.x.t[node[i]]);
        check_z(product[i][i].mean, histogram_moment(h, i, 2), own * sample_se(&product[i][i]), 4.3,
                "second moment of the density at t = %g", h->t[i]);
        check_z(fourth[i].mean, histogram_moment(h, i, 4), own * sample_se(&fourth[i]), 4.3,
                "fourth moment of the density at t = %g", h->t[i]);
    }
    coordinate_paths_free(drawn);
    coordinate_process_free(process);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

static double normal_below(double x)
{
    return 0.5 * erfc(-x / M_SQRT2);
}

/* The law of the ridge at a node: given theta*, which is 0 or of variance 5, a coordinate is Gaussian. */
static double ridge_below(const solved *s, size_t node, double x)
{
    double m = *two_time_m(&s->x, node), narrow = *two_time_C(&s->x, node, node) - m * m;
    return 0.8 * normal_below(x / sqrt(narrow)) + 0.2 * normal_below(x / sqrt(narrow + 5 * m * m));
}

/* A ridge written as a penalty has the densities of the ridge: 40 bins at a node, and between two of them. They would
   not be if theta* and the innovations depended on each other in a way that second moments do not see. */
static void test_ridge(void **state)
{
    sgdmft_context *ctx = check_context(2);
    solved ridge = solve_exactly(ctx, test_problem(ctx, "delta: 1.6\nhorizon: 2\nlambda: 0.1\n" LINEAR_MODEL SPARSE
                                                        "numerics: {steps: 40, grading: 1}\n"));
    size_t paths = test_scaled(10000, 2000);
    solved s = solve_sampled(ctx, test_problem(ctx,
                                               "delta: 1.6\nhorizon: 2\npenalty: '0.05*th1^2'\n" LINEAR_MODEL SPARSE
                                               "numerics: {steps: 40, grading: 1, paths: %zu, replicas: 4}\n"
                                               "output: {histograms: [0.975, 2], bins: 40, times: 3}\n",
                                               paths));
    const solution_histograms *h = s.solution->histograms;
    static const size_t low[] = {19, 40}, high[] = {20, 40};
    check_near(ridge.x.t[19], 0.95, 1e-12, "node");
    double spread = 0, expected = 0, all = 4 * (double)paths;
    for (size_t i = 0; i < 2; i++)
        for (size_t b = 0; b < h->n_bins; b++) {
            double left = h->edges[b], right = h->edges[b + 1], mass = 0;
            mass += 0.5 * (ridge_below(&ridge, low[i], right) - ridge_below(&ridge, low[i], left));
            mass += 0.5 * (ridge_below(&ridge, high[i], right) - ridge_below(&ridge, high[i], left));
            /* counts are nearly independent; one more for nearly empty bins */
            double se = sqrt((mass + 1 / all) / all);
            check_z(h->density[i * h->n_bins + b] * (right - left), mass, se, 4.3, "bin %zu at t = %g", b, h->t[i]);
            spread += pow(h->se[i * h->n_bins + b] * (right - left), 2);
            expected += mass / all;
        }
    /* four replicas, 80 bins; below that of independent points, as they are quasi-random */
    check_between(spread / expected, 0.1, 1.2, "variance of the densities");
    solved_clear(&s);
    solved_clear(&ridge);
    sgdmft_context_free(ctx);
}

/* A path is a function of the seed and its number, whatever the times that are looked at. */
static void test_reproducible(void **state)
{
    sgdmft_context *ctx = check_context(1);
    solved s =
        solve_sampled(ctx, test_problem(ctx, STEEP "numerics: {grading: 1, paths: 400, replicas: 2, steps: 20}\n"));
    static const size_t one[] = {9}, many[] = {0, 4, 9, 20};
    coordinate_process *a = NULL, *b = NULL;
    check_ok(ctx, coordinate_process_new(ctx, s.problem, &s.x, 1, one, &a));
    check_ok(ctx, coordinate_process_new(ctx, s.problem, &s.x, 4, many, &b));
    coordinate_paths *at = NULL, *all = NULL;
    check_ok(ctx, coordinate_paths_new(ctx, a, &at));
    check_ok(ctx, coordinate_paths_new(ctx, b, &all));
    assert_int_equal(coordinate_paths_draw(b, 5, 7, all), SGDMFT_OK);
    assert_int_equal(coordinate_paths_draw(a, 5, 7, at), SGDMFT_OK);
    assert_memory_equal(all->thetastar, at->thetastar, L * sizeof *at->thetastar);
    assert_memory_equal(at->theta, all->theta + 2 * L, L * sizeof *at->theta);
    assert_int_equal(coordinate_paths_draw(a, 5, 8, at), SGDMFT_OK);
    assert_memory_not_equal(at->theta, all->theta + 2 * L, L * sizeof *at->theta);
    assert_null(s.solution->histograms);
    coordinate_paths_free(at);
    coordinate_paths_free(all);
    coordinate_process_free(a);
    coordinate_process_free(b);
    solved_clear(&s);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_paths),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_ridge),
        cmocka_unit_test(test_reproducible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
