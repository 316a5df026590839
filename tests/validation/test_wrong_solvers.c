/* Wrong solvers must fail the rows that are meant to detect mistakes. The linker replaces functions of the solver by
   the functions below, which make a mistake on purpose. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/random.h"
#include "kernels/grid.h"
#include "kernels/recursion.h"
#include "kernels/rows.h"
#include "paths/purposes.h"
#include "paths/visits.h"
#include "problem/problem.h"
#include "process/batches.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "validation/claims/batch_claims.h"
#include "validation/claims/claim.h"
#include "validation/claims/order_claims.h"

typedef enum mistake {
    NONE,
    VISIT_RATE,
    NO_PALM_TERM,
    NO_BRIDGE,
    SME_FOR_SGD,
    NEW_PLACES,
    VISITED_TWICE,
    VISITED_ALREADY,
    WRONG_FRACTION,
    NO_VELOCITY
} mistake;
static mistake made;

sgdmft_status __real_visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica,
                                     size_t paths, double horizon, double b, unsigned dimension, unsigned quasi,
                                     visit_list *out);
sgdmft_status __wrap_visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica,
                                     size_t paths, double horizon, double b, unsigned dimension, unsigned quasi,
                                     visit_list *out);
double __real_innovations_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);
double __wrap_innovations_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);
void __real_random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out);
void __wrap_random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out);
sgdmft_status __real_sgdmft_solve(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out);
sgdmft_status __wrap_sgdmft_solve(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out);
sgdmft_status __real_time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                                   double epoch, time_grid **out);
sgdmft_status __wrap_time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                                   double epoch, time_grid **out);
double __real_recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now);
double __wrap_recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now);

/* Samples are visited too often, by as much as a fifth: the last visit is integrated out with its true law, which hides
   a part of the mistake. Or those that should keep their place get a new one in every epoch. */
sgdmft_status __wrap_visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica,
                                     size_t paths, double horizon, double b, unsigned dimension, unsigned quasi,
                                     visit_list *out)
{
    double rate = made == VISIT_RATE ? 1.2 : 1;
    if (made == NEW_PLACES && law->kept)
        law = &shuffled_batches;
    sgdmft_status status =
        __real_visit_list_draw(ctx, law, seed, replica, paths, rate * horizon, b, dimension, quasi, out);
    for (size_t i = 0; !status && i < out->first[paths]; i++)
        out->time[i] /= rate;
    return status;
}

static double *without_visits(const averages_layout *at, const double *estimates, int node)
{
    double *copy = malloc(at->size * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, estimates, at->size * sizeof *copy);
    for (int cell = 0; cell < node; cell++)
        memset((double *)(uintptr_t)averages_row(at, copy, cell, VISITS), 0, sizeof(double) * (size_t)(at->k * at->k));
    return copy;
}

/* The smooth part of the innovation covariance is left out: kicks of one sample at different times are independent. */
double __wrap_innovations_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    if (made != NO_PALM_TERM)
        return __real_innovations_row(kern, i, at, now, next);
    double *before = without_visits(at, now, i), *after = without_visits(at, next, i + 1);
    double change = __real_innovations_row(kern, i, at, before, after);
    free(before);
    free(after);
    return change;
}

/* The field at a visit lies on the chord between the nodes. */
void __wrap_random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out)
{
    __real_random_normals(key, item, first, n, out);
    if (made == NO_BRIDGE && key.purpose == PURPOSE_BRIDGE)
        memset(out, 0, n * sizeof *out);
}

static const sample_process *brownian_process(void)
{
    size_t row = 0;
    while (!process_at(row)->diffuses)
        row++;
    return process_at(row);
}

sgdmft_status __wrap_sgdmft_solve(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out)
{
    sgdmft_problem wrong = *problem;
    if (made == SME_FOR_SGD && problem->process->visits)
        wrong.process = brownian_process();
    if (made == VISITED_TWICE && problem->process->visits)
        wrong.process = process_find(0, 0, problem->process->batch);
    return __real_sgdmft_solve(ctx, &wrong, out);
}

/* Averages given a visit run over paths as they are, also those that have been visited in this epoch. */
sgdmft_status __wrap_time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                                   double epoch, time_grid **out)
{
    return __real_time_grid_new(ctx, steps, horizon, grading, eta, made == VISITED_ALREADY ? 0 : epoch, out);
}

/* The share of the data in a batch is taken for that of samples with at least one visit in an interval of this length.
   Or theta has no velocity, and moves by the force alone. */
double __wrap_recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now)
{
    double delta = kern->delta, h = kern->grid->h[i];
    if (made == WRONG_FRACTION)
        kern->delta *= -expm1(-h) / h;
    if (made == NO_VELOCITY)
        kern->filter.beta = 0;
    double change = __real_recursion_advance(kern, i, at, now);
    kern->delta = delta;
    return change;
}

static const run_sizes small = {
    .paths = 4000, .replicas = 16, .steps = 20, .d = 1500, .repetitions = 30, .small_repetitions = 20};

/* The rows of the claims that compare the sampled solver of SGD with something else, for the tanh and the linear
   model. */
static void check_solver(claim *c)
{
    const run *limit = runs_solve(c->runs, "tanh_sgd_eta2", "%s", "output.times=11");
    const run *finite = runs_simulate(c->runs, "tanh_sgd_eta2", "%s", "");
    const run *reference = runs_reference(c->runs, "tanh_sgd_eta2");
    const run *exact = runs_solve(c->runs, "linear", "numerics.method=linear output.times=11");
    /* The missing bridge matters on coarse grids, and it takes many paths to distinguish it from a step error. SME,
       which has the same curves, needs a fine grid. */
    const run *sampled =
        runs_solve(c->runs, "linear", "output.times=11 numerics.grading=1 %s",
                   made == NO_BRIDGE ? "numerics.steps=32 numerics.paths=150000" : "numerics.steps=60");
    claim_row_agree(c, "tanh", "limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    claim_row_agree(c, "tanh", "limit - reference", limit, reference, NULL, CLAIM_SIGMA);
    claim_row_agree(c, "linear", "sampled - exact", sampled, exact, NULL, CLAIM_SIGMA);
}

enum { ROW_SIMULATION, ROW_REFERENCE, ROW_LINEAR, ROWS };
static const int EITHER = -1;

static void check_rows(mistake m, const int want[ROWS])
{
    static const claim_spec spec = {.name = "wrong", .title = "", .text = "", .check = check_solver};
    sgdmft_context *ctx = check_context(2);
    runs all;
    claim c;
    runs_init(ctx, &small, &all);
    made = m;
    check_ok(ctx, claim_check(&spec, &all, &c));
    made = NONE;
    assert_int_equal(c.n_rows, ROWS);
    for (int i = 0; i < ROWS; i++) {
        print_message("%s, %s: max |z| = %.3g, %s\n", c.rows[i].problem, c.rows[i].statistic, c.rows[i].value,
                      c.rows[i].detail);
        assert_true(want[i] == EITHER || (int)c.rows[i].verdict == want[i]);
    }
    claim_clear(&c);
    runs_clear(&all);
    sgdmft_context_free(ctx);
}

static void test_right(void **state)
{
    check_rows(NONE, (const int[]){VERDICT_HOLDS, VERDICT_HOLDS, VERDICT_HOLDS});
}

static void test_visit_rate(void **state)
{
    check_rows(VISIT_RATE, (const int[]){VERDICT_FAILS, VERDICT_FAILS, VERDICT_FAILS});
}

static void test_no_palm_term(void **state)
{
    check_rows(NO_PALM_TERM, (const int[]){VERDICT_FAILS, VERDICT_FAILS, VERDICT_FAILS});
}

/* A small mistake on a fine grid: the exact solution sees it at once, noisier curves barely. */
static void test_no_bridge(void **state)
{
    check_rows(NO_BRIDGE, (const int[]){EITHER, EITHER, VERDICT_FAILS});
}

/* The linear model cannot tell them apart, and must not. */
static void test_sme_for_sgd(void **state)
{
    check_rows(SME_FOR_SGD, (const int[]){VERDICT_FAILS, VERDICT_FAILS, VERDICT_HOLDS});
}

/* ---- orders, batches, momentum ---- */

static const run_sizes tiny = {
    .paths = 3000, .replicas = 16, .steps = 40, .d = 800, .repetitions = 40, .small_repetitions = 20};

/* A row of a claim: its problem begins with the one text, and its statistic with the other. */
typedef struct witness {
    const char *problem, *statistic;
} witness;

enum { WITNESSES = 4 };

static int is_meant(const witness *w, const claim_row *row)
{
    return strncmp(row->problem, w->problem, strlen(w->problem)) == 0 &&
           strncmp(row->statistic, w->statistic, strlen(w->statistic)) == 0;
}

/* All rows that are meant have the verdict, and there is at least one. */
static void expect(const claim *c, const witness *w, verdict want)
{
    size_t found = 0;
    for (size_t i = 0; i < c->n_rows; i++) {
        const claim_row *row = &c->rows[i];
        if (!is_meant(w, row))
            continue;
        print_message("%s, %s: %.3g, %s\n", row->problem, row->statistic, row->value, row->detail);
        assert_int_equal(row->verdict, want);
        found++;
    }
    assert_int_not_equal(found, 0);
}

/* Checks a claim with a mistake, which every witness must notice. With none, they must hold. */
static void check_claim(mistake m, void (*check)(claim *c), const witness seen[WITNESSES])
{
    const claim_spec spec = {.name = "wrong", .title = "", .text = "", .check = check};
    sgdmft_context *ctx = check_context(2);
    runs all;
    claim c;
    runs_init(ctx, &tiny, &all);
    made = m;
    check_ok(ctx, claim_check(&spec, &all, &c));
    made = NONE;
    for (int w = 0; w < WITNESSES && seen[w].problem; w++)
        expect(&c, &seen[w], m == NONE ? VERDICT_HOLDS : VERDICT_FAILS);
    claim_clear(&c);
    runs_clear(&all);
    sgdmft_context_free(ctx);
}

static const witness kept_places[WITNESSES] = {{"erf2_sgd, sampling=cyclic", "max |z|, limit - simulation"},
                                               {"tanh_cyclic", "max |z|, reshuffled - cyclic, limits"}};
static const witness single_visits[WITNESSES] = {{"tanh_sgd_eta2, reshuffled", "max |z|, limit - one-pass SGD"},
                                                 {"tanh_sgd_eta2, cyclic", "max |z|, limit - one-pass SGD"},
                                                 {"linear, cyclic", "largest difference / scale, exact"}};
static const witness unvisited[WITNESSES] = {{"tanh_sgd_eta2, reshuffled", "max |z|, limit - one-pass SGD"},
                                             {"erf2_sgd, reshuffled", "max |z|, limit - one-pass SGD"}};
static const witness fractions[WITNESSES] = {{"tanh_batch20", "max |z|, limit - simulation"}};
static const witness descents[WITNESSES] = {{"tanh_gd", "max |z|, limit - simulation"},
                                            {"erf2_sgd", "max |z|, limit - simulation"}};
static const witness small_descents[WITNESSES] = {{"tanh_gd", "distance to gradient flow"}};
static const witness velocities[WITNESSES] = {{"tanh_momentum", "max |z|, limit - simulation"},
                                              {"tanh_gd_momentum", "max |z|, limit - simulation"},
                                              {"tanh_momentum", "distance to plain SGD"}};

static void test_right_claims(void **state)
{
    check_claim(NONE, check_orders, kept_places);
    check_claim(NONE, check_first_epoch, single_visits);
    check_claim(NONE, check_batch_fraction, fractions);
    check_claim(NONE, check_gradient_descent, descents);
    check_claim(NONE, check_gradient_descent, small_descents);
    check_claim(NONE, check_momentum, velocities);
}

static void test_new_places(void **state)
{
    check_claim(NEW_PLACES, check_orders, kept_places);
}

static void test_visited_twice(void **state)
{
    check_claim(VISITED_TWICE, check_first_epoch, single_visits);
}

static void test_visited_already(void **state)
{
    check_claim(VISITED_ALREADY, check_first_epoch, unvisited);
}

static void test_wrong_fraction(void **state)
{
    check_claim(WRONG_FRACTION, check_batch_fraction, fractions);
    check_claim(WRONG_FRACTION, check_gradient_descent, descents);
    check_claim(WRONG_FRACTION, check_gradient_descent, small_descents);
}

static void test_uncorrelated_batches(void **state)
{
    check_claim(NO_PALM_TERM, check_batch_fraction, fractions);
    check_claim(NO_PALM_TERM, check_gradient_descent, descents);
}

static void test_no_velocity(void **state)
{
    check_claim(NO_VELOCITY, check_momentum, velocities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_visit_rate),
        cmocka_unit_test(test_no_palm_term),
        cmocka_unit_test(test_no_bridge),
        cmocka_unit_test(test_sme_for_sgd),
        cmocka_unit_test(test_right_claims),
        cmocka_unit_test(test_new_places),
        cmocka_unit_test(test_visited_twice),
        cmocka_unit_test(test_visited_already),
        cmocka_unit_test(test_wrong_fraction),
        cmocka_unit_test(test_uncorrelated_batches),
        cmocka_unit_test(test_no_velocity),
    };
    return cmocka_run_group_tests_name("wrong solvers", tests, NULL, NULL);
}
