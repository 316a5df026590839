/* Wrong solvers must fail the rows that are meant to detect mistakes. The linker replaces functions of the solver by
   the functions below, which make a mistake on purpose. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/random.h"
#include "kernels/rows.h"
#include "paths/purposes.h"
#include "paths/visits.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "validation/claims/claim.h"

typedef enum mistake { NONE, VISIT_RATE, NO_PALM_TERM, NO_BRIDGE, SME_FOR_SGD } mistake;
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

/* Samples are visited too often, by as much as a fifth: the last visit is integrated out with its true law, which hides
   a part of the mistake. */
sgdmft_status __wrap_visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica,
                                     size_t paths, double horizon, double b, unsigned dimension, unsigned quasi,
                                     visit_list *out)
{
    double rate = made == VISIT_RATE ? 1.2 : 1;
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
    return __real_sgdmft_solve(ctx, &wrong, out);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),     cmocka_unit_test(test_visit_rate),  cmocka_unit_test(test_no_palm_term),
        cmocka_unit_test(test_no_bridge), cmocka_unit_test(test_sme_for_sgd),
    };
    return cmocka_run_group_tests_name("wrong solvers", tests, NULL, NULL);
}
