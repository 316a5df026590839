/* The public samplers, as a program outside of the library uses them: with the public headers and the shared
   library. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sgdmft/sgdmft.h"

enum { L = SGDMFT_SAMPLE_LANES };

#define LINEAR                                                                                                         \
    "delta: 1.6\nhorizon: 2\nmodel: {label: 's + 0.3*eps', loss: '(r - y)^2/2'}\n"                                     \
    "initial: {q: 1.2, m: 0.4}\nnumerics: {method: linear, grading: 1, steps: 20, seed: 5}\n"                          \
    "output: {times: 5}\n"

#define PENALTY                                                                                                        \
    "delta: 1.6\neta: 0.8\nhorizon: 1\npenalty: '0.2*log(cosh(3*th1))'\n"                                              \
    "model: {label: 'tanh(s) + 0.2*eps', loss: '(tanh(r) - y)^2/2'}\n"                                                 \
    "numerics: {grading: 1, paths: 4000, replicas: 4, steps: 10, seed: 5}\n"                                           \
    "output: {times: 3, histograms: [0, 1], bins: 20}\n"

typedef struct solved {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    sgdmft_solution *solution;
} solved;

static void check(const sgdmft_context *ctx, sgdmft_status status)
{
    if (status)
        fail_msg("%d: %s", (int)status, sgdmft_context_message(ctx));
}

static void check_failure(const sgdmft_context *ctx, sgdmft_status status, sgdmft_status want, const char *part)
{
    assert_int_equal(status, want);
    if (!strstr(sgdmft_context_message(ctx), part))
        fail_msg("'%s' is not in: %s", part, sgdmft_context_message(ctx));
}

static solved solve(const char *text)
{
    solved s = {NULL, NULL, NULL};
    assert_int_equal(sgdmft_context_new(&s.ctx), SGDMFT_OK);
    check(s.ctx, sgdmft_context_set_threads(s.ctx, 2));
    check(s.ctx, sgdmft_problem_parse(s.ctx, "test", text, NULL, 0, &s.problem));
    check(s.ctx, sgdmft_solve(s.ctx, s.problem, &s.solution));
    return s;
}

static void solved_clear(solved *s)
{
    sgdmft_solution_free(s->solution);
    sgdmft_problem_free(s->problem);
    sgdmft_context_free(s->ctx);
}

/* A mean with one standard error. */
typedef struct mean {
    double n, sum, squares;
} mean;

static void add(mean *m, double x)
{
    m->n++;
    m->sum += x;
    m->squares += x * x;
}

static void check_mean(const mean *m, double want, double exact, const char *what, double t)
{
    double value = m->sum / m->n, se = sqrt((m->squares / m->n - value * value) / m->n);
    if (!(fabs(value - want) <= 4.3 * se + exact))
        fail_msg("%s at t = %g: %g +- %g, not %g", what, t, value, se, want);
}

/* Both parts at the output times: losses and second moments are those of the curves. */
static void test_curves(void **state)
{
    enum { TIMES = 5 };
    solved s = solve(LINEAR);
    sgdmft_sampler *sampler = NULL;
    sgdmft_paths *paths = NULL;
    mean train[TIMES] = {{0}}, test[TIMES] = {{0}}, q[TIMES] = {{0}}, m[TIMES] = {{0}};
    size_t n;
    check(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_BOTH, NULL, 0, &sampler));
    check(s.ctx, sgdmft_paths_new(s.ctx, sampler, &paths));
    const double *t = sgdmft_sampler_times(sampler, &n);
    assert_int_equal(n, TIMES);
    for (uint64_t block = 0; block < 200; block++) {
        check(s.ctx, sgdmft_paths_draw(s.ctx, paths, 3, block));
        const double *y = sgdmft_paths_at(paths, SGDMFT_PATH_LABEL, 0);
        const double *star = sgdmft_paths_at(paths, SGDMFT_PATH_THETA_STAR, 0);
        for (size_t i = 0; i < n; i++) {
            const double *r = sgdmft_paths_at(paths, SGDMFT_PATH_PREACTIVATION, i);
            const double *w = sgdmft_paths_at(paths, SGDMFT_PATH_FIELD, i);
            const double *theta = sgdmft_paths_at(paths, SGDMFT_PATH_THETA, i);
            for (size_t p = 0; p < L; p++) {
                add(&train[i], (r[p] - y[p]) * (r[p] - y[p]) / 2);
                add(&test[i], (w[p] - y[p]) * (w[p] - y[p]) / 2);
                add(&q[i], theta[p] * theta[p]);
                add(&m[i], theta[p] * star[p]);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(fabs(t[i] - 0.5 * (double)i) < 1e-12);
        check_mean(&train[i], sgdmft_curve_value(sgdmft_solution_curve(s.solution, "train_loss"))[i], 2e-3,
                   "train loss", t[i]);
        check_mean(&test[i], sgdmft_curve_value(sgdmft_solution_curve(s.solution, "test_loss"))[i], 0, "test loss",
                   t[i]);
        check_mean(&q[i], sgdmft_curve_value(sgdmft_solution_curve(s.solution, "q11"))[i], 0, "q", t[i]);
        check_mean(&m[i], sgdmft_curve_value(sgdmft_solution_curve(s.solution, "m11"))[i], 0, "m", t[i]);
    }
    sgdmft_paths_free(paths);
    sgdmft_sampler_free(sampler);
    solved_clear(&s);
}

/* Times move to nodes, ascending and each once; quantities have the rows that they should, or none. */
static void test_shapes(void **state)
{
    static const double times[] = {1.02, 0.96, 0, 1.01};
    solved s = solve(LINEAR);
    sgdmft_sampler *coordinates = NULL, *preactivations = NULL;
    size_t n;
    check(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_COORDINATES, times, 4, &coordinates));
    check(s.ctx,
          sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_PREACTIVATIONS, times, 1, &preactivations));
    const double *t = sgdmft_sampler_times(coordinates, &n);
    assert_int_equal(n, 2);
    assert_true(t[0] == 0 && fabs(t[1] - 1) < 1e-12);
    assert_int_equal(sgdmft_sampler_rows(coordinates, SGDMFT_PATH_THETA), 1);
    assert_int_equal(sgdmft_sampler_rows(coordinates, SGDMFT_PATH_THETA_STAR), 1);
    assert_int_equal(sgdmft_sampler_rows(coordinates, SGDMFT_PATH_LABEL), 0);
    assert_int_equal(sgdmft_sampler_rows(coordinates, SGDMFT_PATH_KICK), 0);
    assert_int_equal(sgdmft_sampler_rows(preactivations, SGDMFT_PATH_THETA), 0);
    assert_int_equal(sgdmft_sampler_rows(preactivations, SGDMFT_PATH_LABEL), 1);
    assert_int_equal(sgdmft_sampler_rows(preactivations, SGDMFT_PATH_KICK), 1);
    assert_false(sgdmft_sampler_has_visits(coordinates));
    assert_true(sgdmft_sampler_has_visits(preactivations));

    sgdmft_paths *paths = NULL;
    check(s.ctx, sgdmft_paths_new(s.ctx, coordinates, &paths));
    check(s.ctx, sgdmft_paths_draw(s.ctx, paths, 1, 0));
    assert_non_null(sgdmft_paths_at(paths, SGDMFT_PATH_THETA, 1));
    assert_null(sgdmft_paths_at(paths, SGDMFT_PATH_THETA, 2));
    assert_null(sgdmft_paths_at(paths, SGDMFT_PATH_FIELD, 0));
    assert_int_equal(sgdmft_paths_visits(paths, 0), 0);
    assert_null(sgdmft_paths_at_visit(paths, SGDMFT_PATH_KICK, 0));
    sgdmft_paths_free(paths);
    sgdmft_sampler_free(coordinates);
    sgdmft_sampler_free(preactivations);
    solved_clear(&s);
}

/* A visit kicks by eta g, here r - y; the preactivation after the only visit of a path is known at t = 2. */
static void test_visits(void **state)
{
    solved s = solve(LINEAR);
    sgdmft_sampler *sampler = NULL;
    sgdmft_paths *paths = NULL;
    mean count = {0};
    check(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_PREACTIVATIONS, NULL, 0, &sampler));
    check(s.ctx, sgdmft_paths_new(s.ctx, sampler, &paths));
    for (uint64_t block = 0; block < 20; block++) {
        check(s.ctx, sgdmft_paths_draw(s.ctx, paths, 4, block));
        const double *y = sgdmft_paths_at(paths, SGDMFT_PATH_LABEL, 0);
        for (size_t p = 0; p < L; p++) {
            size_t visits = sgdmft_paths_visits(paths, p);
            double last = 0;
            add(&count, (double)visits);
            for (size_t v = 0; v < visits; v++) {
                double t = sgdmft_paths_visit_time(paths, p, v);
                const double *r = sgdmft_paths_at_visit(paths, SGDMFT_PATH_PREACTIVATION, v);
                const double *w = sgdmft_paths_at_visit(paths, SGDMFT_PATH_FIELD, v);
                const double *kick = sgdmft_paths_at_visit(paths, SGDMFT_PATH_KICK, v);
                assert_true(t > last && t < 2);
                assert_true(fabs(kick[p] - (r[p] - y[p])) < 1e-12);
                assert_true(v > 0 || r[p] == w[p]);
                last = t;
            }
            assert_true(isnan(sgdmft_paths_visit_time(paths, p, visits)));
        }
        assert_int_equal(sgdmft_paths_visits(paths, L), 0);
    }
    check_mean(&count, 2, 0, "visits", 2);
    sgdmft_paths_free(paths);
    sgdmft_sampler_free(sampler);
    solved_clear(&s);
}

/* A path is a function of the seed and its number, whatever was drawn before and with whichever context. */
static void test_addresses(void **state)
{
    solved s = solve(LINEAR);
    sgdmft_context *other = NULL;
    sgdmft_sampler *sampler = NULL;
    sgdmft_paths *first = NULL, *second = NULL;
    assert_int_equal(sgdmft_context_new(&other), SGDMFT_OK);
    check(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_BOTH, NULL, 0, &sampler));
    check(s.ctx, sgdmft_paths_new(s.ctx, sampler, &first));
    check(other, sgdmft_paths_new(other, sampler, &second));
    for (uint64_t block = 0; block < 3; block++)
        check(s.ctx, sgdmft_paths_draw(s.ctx, first, 8, block));
    check(other, sgdmft_paths_draw(other, second, 8, 2));
    for (int quantity = SGDMFT_PATH_THETA; quantity <= SGDMFT_PATH_LABEL; quantity++)
        assert_memory_equal(sgdmft_paths_at(first, (sgdmft_path_quantity)quantity, 4),
                            sgdmft_paths_at(second, (sgdmft_path_quantity)quantity, 4), L * sizeof(double));
    check(other, sgdmft_paths_draw(other, second, 9, 2));
    assert_memory_not_equal(sgdmft_paths_at(first, SGDMFT_PATH_THETA, 0), sgdmft_paths_at(second, SGDMFT_PATH_THETA, 0),
                            L * sizeof(double));
    sgdmft_paths_free(first);
    sgdmft_paths_free(second);
    sgdmft_sampler_free(sampler);
    sgdmft_context_free(other);
    solved_clear(&s);
}

/* The histograms of a solution. */
typedef struct densities {
    size_t times, bins;
    const double *edges, *density, *se;
} densities;

static densities densities_of(const sgdmft_solution *solution)
{
    int rank = 0;
    size_t extent[SGDMFT_RANK_MAX];
    densities d = {0};
    d.edges = sgdmft_solution_array(solution, "histograms/edges", &rank, extent);
    d.se = sgdmft_solution_array(solution, "histograms/se", &rank, extent);
    d.density = sgdmft_solution_array(solution, "histograms/density", &rank, extent);
    if (d.density) {
        assert_int_equal(rank, 3);
        d.times = extent[0];
        d.bins = extent[2];
    }
    return d;
}

/* The integral of theta^power over all bins. */
static double moment(const densities *d, size_t time, int power)
{
    double sum = 0;
    for (size_t b = 0; b < d->bins; b++)
        sum += d->density[time * d->bins + b] * (d->edges[b + 1] - d->edges[b]) *
               pow((d->edges[b] + d->edges[b + 1]) / 2, power);
    return sum;
}

/* Densities at times that the problem does not ask for. With a ridge the law is normal here. */
static void test_histograms(void **state)
{
    static const double times[] = {0, 1.5};
    solved s = solve(LINEAR);
    assert_null(densities_of(s.solution).density);
    check(s.ctx, sgdmft_sample_histograms(s.ctx, s.problem, s.solution, times, 2, 50));
    densities d = densities_of(s.solution);
    double sd = sqrt(sgdmft_curve_value(sgdmft_solution_curve(s.solution, "q11"))[3]);
    assert_true(d.times == 2 && d.bins == 50 && !d.se);
    for (size_t b = 0; b < 50; b++) {
        double left = d.edges[b], right = d.edges[b + 1];
        double want = (erf(right / sd / M_SQRT2) - erf(left / sd / M_SQRT2)) / 2 / (right - left);
        assert_true(fabs(d.density[50 + b] - want) < 1e-9);
    }
    assert_true(moment(&d, 0, 0) > 1 - 2e-4 && moment(&d, 1, 0) > 1 - 2e-4);
    check_failure(s.ctx, sgdmft_sample_histograms(s.ctx, s.problem, s.solution, times, 2, 0), SGDMFT_ERR_ARGUMENT,
                  "0 bins");
    assert_null(densities_of(s.solution).density);
    solved_clear(&s);
}

/* With a penalty they come from new paths and agree with those of the solver, whose process is that of one replica. */
static void test_penalty(void **state)
{
    static const double times[] = {0, 1};
    enum { BINS = 20 };
    solved s = solve(PENALTY);
    densities d = densities_of(s.solution);
    assert_non_null(d.density);
    double before[2] = {moment(&d, 0, 2), moment(&d, 1, 2)};
    check(s.ctx, sgdmft_sample_histograms(s.ctx, s.problem, s.solution, times, 2, BINS));
    d = densities_of(s.solution);
    assert_non_null(d.se);
    for (size_t i = 0; i < 2; i++) {
        for (size_t b = 0; b < BINS; b++)
            assert_true(d.se[i * BINS + b] > 0 || d.density[i * BINS + b] == 0);
        assert_true(moment(&d, i, 0) > 1 - 1e-3);
        /* second moments of 4000 paths, nearly normal, to five standard errors */
        assert_true(fabs(moment(&d, i, 2) / before[i] - 1) < 5 * sqrt(2.0 / 4000) * 1.5);
    }
    solved_clear(&s);
}

static void test_refusals(void **state)
{
    static const double late[] = {0, 2.5};
    solved s = solve(LINEAR);
    sgdmft_sampler *sampler = NULL;
    check_failure(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_BOTH, late, 2, &sampler),
                  SGDMFT_ERR_ARGUMENT, "2.5 is outside");
    assert_null(sampler);
    check_failure(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, SGDMFT_SAMPLE_BOTH, late, 0, &sampler),
                  SGDMFT_ERR_ARGUMENT, "no times");
    check_failure(s.ctx, sgdmft_sampler_new(s.ctx, s.problem, s.solution, (sgdmft_sample_parts)4, NULL, 0, &sampler),
                  SGDMFT_ERR_ARGUMENT, "parts is 4");
    static const char *const two[] = {"model.students=2", "model.loss=(r1 + r2 - y)^2/2", "initial.q=[[1, 0], [0, 1]]",
                                      "initial.m=[[0], [0]]"};
    sgdmft_problem *other = NULL;
    check(s.ctx, sgdmft_problem_parse(s.ctx, "other", LINEAR, two, 4, &other));
    check_failure(s.ctx, sgdmft_sampler_new(s.ctx, other, s.solution, SGDMFT_SAMPLE_BOTH, NULL, 0, &sampler),
                  SGDMFT_ERR_SHAPE, "1 students");
    sgdmft_problem_free(other);
    static const char *const moved[] = {"initial.q=1.5"};
    check(s.ctx, sgdmft_problem_parse(s.ctx, "other", LINEAR, moved, 1, &other));
    check_failure(s.ctx, sgdmft_sampler_new(s.ctx, other, s.solution, SGDMFT_SAMPLE_BOTH, NULL, 0, &sampler),
                  SGDMFT_ERR_CONFLICT, "second moments");
    sgdmft_problem_free(other);
    static const char *const steep[] = {"penalty=th1^4"};
    check(s.ctx, sgdmft_problem_parse(s.ctx, "other", LINEAR, steep, 1, &other));
    check_failure(s.ctx, sgdmft_sampler_new(s.ctx, other, s.solution, SGDMFT_SAMPLE_COORDINATES, NULL, 0, &sampler),
                  SGDMFT_ERR_UNSUPPORTED, "penalty");
    sgdmft_problem_free(other);
    solved_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves),    cmocka_unit_test(test_shapes),     cmocka_unit_test(test_visits),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_histograms), cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
