/* Order in the time step. Every replica is solved on grids of N, N/2, N/4, N/8 steps with the same paths. Coupled
   differences show the order where they are larger than their own noise; the value extrapolated from the two finest
   grids is compared with what is known. The tables are printed. */
#include <math.h>

#include "support/check.h"
#include "support/ladder.h"
#include "support/linear_exact.h"
#include "support/sample.h"

enum { LEVEL_COUNT = 4 };

/* Over replicas, for one quantity. */
typedef struct table_row {
    sample difference[LEVEL_COUNT - 1];   /* X_2h - X_h, from the finest pair on */
    sample extrapolated[LEVEL_COUNT - 1]; /* X_h + (X_h - X_2h) / 3 */
    sample correction[LEVEL_COUNT - 2];   /* differences of extrapolated values */
} table_row;

static void add_values(const ladder *l, int quantity, table_row *row)
{
    double value[LEVEL_COUNT], extrapolated[LEVEL_COUNT - 1];
    for (int level = 0; level < LEVEL_COUNT; level++)
        value[level] = ladder_value(l, level, quantity);
    for (int level = 0; level + 1 < LEVEL_COUNT; level++) {
        extrapolated[level] = value[level] + (value[level] - value[level + 1]) / 3;
        sample_add(&row->difference[level], value[level + 1] - value[level]);
        sample_add(&row->extrapolated[level], extrapolated[level]);
    }
    for (int level = 0; level + 2 < LEVEL_COUNT; level++)
        sample_add(&row->correction[level], extrapolated[level + 1] - extrapolated[level]);
}

static void collect(const test_setting *t, uint32_t replicas, table_row rows[LADDER_QUANTITIES])
{
    for (uint32_t r = 0; r < replicas; r++) {
        ladder l;
        ladder_solve(t, r, LEVEL_COUNT, &l);
        for (int x = 0; x < LADDER_QUANTITIES; x++)
            add_values(&l, x, &rows[x]);
        ladder_clear(&l);
    }
}

static void print_table(const test_setting *t, const table_row rows[LADDER_QUANTITIES])
{
    print_message("%d to %d steps; differences to the next coarser grid (noise) and their ratios\n",
                  t->problem->numerics.steps, t->problem->numerics.steps >> (LEVEL_COUNT - 1));
    for (int x = 0; x < LADDER_QUANTITIES; x++) {
        const sample *d = rows[x].difference;
        print_message("%-9s", ladder_names[x]);
        for (int level = LEVEL_COUNT - 2; level >= 0; level--)
            print_message(" % .3e (%.0e)", d[level].mean, sample_se(&d[level]));
        print_message("  ratios %5.2f %5.2f\n", d[2].mean / d[1].mean, d[1].mean / d[0].mean);
    }
}

/* The ratio of successive differences is near 4 wherever the finer one is resolved to 7 standard errors; the noise of
   the ratio itself is allowed for twice. At least `resolved` of the quantities show it. */
static void check_order(const table_row rows[LADDER_QUANTITIES], int resolved)
{
    int count = 0;
    for (int x = 0; x < LADDER_QUANTITIES; x++)
        for (int level = 0; level < LEVEL_COUNT - 2; level++) {
            const sample *fine = &rows[x].difference[level], *coarse = &rows[x].difference[level + 1];
            double ratio = coarse->mean / fine->mean;
            double noise = fabs(ratio) * hypot(sample_se(fine) / fine->mean, sample_se(coarse) / coarse->mean);
            if (fabs(fine->mean) < 7 * sample_se(fine))
                continue;
            count++;
            check_between(ratio, 3 - 2 * noise, 5.5 + 2 * noise, "%s, ratio of differences, level %d", ladder_names[x],
                          level);
        }
    print_message("%d ratios resolved\n", count);
    check_between(count, resolved, 2 * LADDER_QUANTITIES, "ratios that are resolved");
}

/* Within 4 standard errors of `want`, and the part of the error that extrapolation leaves: it falls at least 8 times
   from one pair of grids to the next, so a seventh of the last change. */
static void check_extrapolated(const table_row *row, double want, const char *name)
{
    const sample *best = &row->extrapolated[0];
    double left = fabs(row->correction[0].mean) / 7;
    print_message("%-9s extrapolated %.6f (%.0e), known %.6f\n", name, best->mean, sample_se(best), want);
    check_near(best->mean, want, 4 * sample_se(best) + left, "%s, extrapolated", name);
}

/* Extrapolation from the second pair of grids agrees with that from the finest pair, within the noise of their coupled
   difference and a share of the time-step error that it removes. */
static void check_against_finest(const table_row *row, const char *name)
{
    const sample *change = &row->correction[0];
    double removed = fabs(row->difference[1].mean) / 3;
    print_message("%-9s extrapolated %.6f (%.0e), finest pair of grids less by % .1e (%.0e)\n", name,
                  row->extrapolated[1].mean, sample_se(&row->extrapolated[1]), change->mean, sample_se(change));
    check_near(change->mean, 0, 4 * sample_se(change) + 0.3 * removed, "%s, change of the extrapolated value", name);
}

static void test_linear(void **state)
{
    const linear_problem p = {.eta = 1.1, .delta = 1.5, .lambda = 0.15, .q0 = 1, .m0 = 0.25, .rho = 1.2, .sigma = 0.3};
    const double T = 2;
    sgdmft_context *ctx = check_context(1);
    test_setting t;
    test_setting_init(&t, test_problem(ctx,
                                       "{delta: 1.5, eta: 1.1, lambda: 0.15, horizon: 2, "
                                       "model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}, "
                                       "initial: {q: 1, m: 0.25, rho: 1.2}, "
                                       "numerics: {paths: %zu, steps: 80, seed: 71, tolerance: 1.0e-10}}",
                                       test_scaled(8000, 600)));
    table_row rows[LADDER_QUANTITIES] = {0};
    collect(&t, 14, rows);
    print_table(&t, rows);
    linear_exact *e = linear_exact_new(&p, T, 1e-3);
    const double exact[LADDER_QUANTITIES] = {
        linear_exact_train(e, T), linear_exact_test(e, T),     linear_exact_q(e, T),       linear_exact_m(e, T),
        linear_exact_R(e, T, 0),  linear_exact_C(e, T, T / 2), linear_exact_R(e, T, T / 2)};
    for (int x = 0; x < LADDER_QUANTITIES; x++)
        check_extrapolated(&rows[x], exact[x], ladder_names[x]);
    check_order(rows, test_scale() < 1 ? 2 : 6);
    linear_exact_free(e);
    test_setting_clear(&t);
    sgdmft_context_free(ctx);
}

/* A nonlinear loss: against the finest grids. */
static void test_tanh(void **state)
{
    sgdmft_context *ctx = check_context(1);
    test_setting t;
    test_setting_init(&t, test_problem(ctx,
                                       "{delta: 2, eta: 1, horizon: 2, model: {label: \"tanh(s) + 0.3*eps\", "
                                       "predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, "
                                       "initial: {q: 1, m: 0.2, rho: 1}, "
                                       "numerics: {paths: %zu, steps: 48, seed: 72, tolerance: 1.0e-10}}",
                                       test_scaled(8000, 600)));
    table_row rows[LADDER_QUANTITIES] = {0};
    collect(&t, 20, rows);
    print_table(&t, rows);
    for (int x = 0; x < LADDER_QUANTITIES; x++)
        check_against_finest(&rows[x], ladder_names[x]);
    check_order(rows, test_scale() < 1 ? 0 : 3);
    test_setting_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_tanh),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
