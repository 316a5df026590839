#include "order_table.h"

#include <math.h>

#include "support/check.h"

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

void order_collect(const test_setting *t, uint32_t replicas, table_row rows[LADDER_QUANTITIES])
{
    for (uint32_t r = 0; r < replicas; r++) {
        ladder l;
        ladder_solve(t, r, LEVEL_COUNT, &l);
        for (int x = 0; x < LADDER_QUANTITIES; x++)
            add_values(&l, x, &rows[x]);
        ladder_clear(&l);
    }
}

void order_print(const test_setting *t, const table_row rows[LADDER_QUANTITIES])
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

void order_check(const table_row rows[LADDER_QUANTITIES], int resolved)
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

void order_check_errors(const table_row *row, double want, const char *name)
{
    double error[LEVEL_COUNT - 1];
    for (int level = 0; level < LEVEL_COUNT - 1; level++)
        error[level] = row->extrapolated[level].mean + row->difference[level].mean / 3 - want;
    print_message("%-9s errors % .2e % .2e % .2e, ratios %.2f %.2f; extrapolated % .1e\n", name, error[2], error[1],
                  error[0], error[2] / error[1], error[1] / error[0], row->extrapolated[0].mean - want);
    check_between(error[1] / error[0], 3.5, 4.5, "%s, ratio of errors", name);
    check_between(fabs(row->extrapolated[0].mean - want), 0, 0.1 * fabs(error[0]), "%s, error extrapolated", name);
}

void order_check_falls(const table_row rows[LADDER_QUANTITIES], int resolved)
{
    int count = 0;
    for (int x = 0; x < LADDER_QUANTITIES; x++) {
        const sample *fine = &rows[x].difference[0], *coarse = &rows[x].difference[1];
        if (fabs(coarse->mean) < 7 * sample_se(coarse))
            continue;
        double ratio = fine->mean / coarse->mean, noise = sample_se(fine) / fabs(coarse->mean);
        count++;
        check_between(ratio, -1.0 / 3 - 2 * noise, 1.0 / 3 + 2 * noise, "%s, difference over the one before",
                      ladder_names[x]);
    }
    print_message("%d ratios resolved\n", count);
    check_between(count, resolved, LADDER_QUANTITIES, "ratios that are resolved");
}

void order_check_extrapolated(const table_row *row, double want, const char *name)
{
    const sample *best = &row->extrapolated[0];
    double left = fabs(row->correction[0].mean) / 7;
    print_message("%-9s extrapolated %.6f (%.0e), known %.6f\n", name, best->mean, sample_se(best), want);
    check_near(best->mean, want, 4 * sample_se(best) + left, "%s, extrapolated", name);
}

void order_check_against_finest(const table_row *row, const char *name)
{
    const sample *change = &row->correction[0];
    double removed = fabs(row->difference[1].mean) / 3;
    print_message("%-9s extrapolated %.6f (%.0e), finest pair of grids less by % .1e (%.0e)\n", name,
                  row->extrapolated[1].mean, sample_se(&row->extrapolated[1]), change->mean, sample_se(change));
    check_near(change->mean, 0, 4 * sample_se(change) + 0.3 * removed, "%s, change of the extrapolated value", name);
}
