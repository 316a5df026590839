#include "order_table.h"

#include <math.h>

#include "support/check.h"

static void add_values(const nested_grids *nested, int quantity, table_row *row)
{
    double value[GRID_COUNT], extrapolated[GRID_COUNT - 1];
    for (int g = 0; g < GRID_COUNT; g++)
        value[g] = nested_grids_value(nested, g, quantity);
    for (int g = 0; g + 1 < GRID_COUNT; g++) {
        extrapolated[g] = value[g] + (value[g] - value[g + 1]) / 3;
        sample_add(&row->difference[g], value[g + 1] - value[g]);
        sample_add(&row->extrapolated[g], extrapolated[g]);
    }
    for (int g = 0; g + 2 < GRID_COUNT; g++)
        sample_add(&row->correction[g], extrapolated[g + 1] - extrapolated[g]);
}

void order_collect(const test_plan *t, uint32_t replicas, table_row rows[QUANTITIES])
{
    for (uint32_t r = 0; r < replicas; r++) {
        nested_grids nested;
        nested_grids_solve(t, r, GRID_COUNT, &nested);
        for (int x = 0; x < QUANTITIES; x++)
            add_values(&nested, x, &rows[x]);
        nested_grids_clear(&nested);
    }
}

void order_print(const test_plan *t, const table_row rows[QUANTITIES])
{
    print_message("%d to %d steps; differences to the next coarser grid (noise) and their ratios\n",
                  t->problem->numerics.steps, t->problem->numerics.steps >> (GRID_COUNT - 1));
    for (int x = 0; x < QUANTITIES; x++) {
        const sample *d = rows[x].difference;
        print_message("%-9s", quantity_names[x]);
        for (int g = GRID_COUNT - 2; g >= 0; g--)
            print_message(" % .3e (%.0e)", d[g].mean, sample_se(&d[g]));
        print_message("  ratios %5.2f %5.2f\n", d[2].mean / d[1].mean, d[1].mean / d[0].mean);
    }
}

void order_check(const table_row rows[QUANTITIES], int resolved)
{
    int count = 0;
    for (int x = 0; x < QUANTITIES; x++)
        for (int g = 0; g < GRID_COUNT - 2; g++) {
            const sample *fine = &rows[x].difference[g], *coarse = &rows[x].difference[g + 1];
            double ratio = coarse->mean / fine->mean;
            double noise = fabs(ratio) * hypot(sample_se(fine) / fine->mean, sample_se(coarse) / coarse->mean);
            if (fabs(fine->mean) < 7 * sample_se(fine))
                continue;
            count++;
            check_between(ratio, 3 - 2 * noise, 5.5 + 2 * noise, "%s, ratio of differences, grid %d", quantity_names[x],
                          g);
        }
    print_message("%d ratios resolved\n", count);
    check_between(count, resolved, 2 * QUANTITIES, "ratios that are resolved");
}

void order_check_errors(const table_row *row, double want, const char *name)
{
    double error[GRID_COUNT - 1];
    for (int g = 0; g < GRID_COUNT - 1; g++)
        error[g] = row->extrapolated[g].mean + row->difference[g].mean / 3 - want;
    print_message("%-9s errors % .2e % .2e % .2e, ratios %.2f %.2f; extrapolated % .1e\n", name, error[2], error[1],
                  error[0], error[2] / error[1], error[1] / error[0], row->extrapolated[0].mean - want);
    check_between(error[1] / error[0], 3.5, 4.5, "%s, ratio of errors", name);
    check_between(fabs(row->extrapolated[0].mean - want), 0, 0.1 * fabs(error[0]), "%s, error extrapolated", name);
}

void order_check_falls(const table_row rows[QUANTITIES], int resolved)
{
    int count = 0;
    for (int x = 0; x < QUANTITIES; x++) {
        const sample *fine = &rows[x].difference[0], *coarse = &rows[x].difference[1];
        if (fabs(coarse->mean) < 7 * sample_se(coarse))
            continue;
        double ratio = fine->mean / coarse->mean, noise = sample_se(fine) / fabs(coarse->mean);
        count++;
        check_between(ratio, -1.0 / 3 - 2 * noise, 1.0 / 3 + 2 * noise, "%s, difference over the one before",
                      quantity_names[x]);
    }
    print_message("%d ratios resolved\n", count);
    check_between(count, resolved, QUANTITIES, "ratios that are resolved");
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
    print_message("%-9s extrapolated %.6f (%.0e), minus that of the finest pair of grids % .1e (%.0e)\n", name,
                  row->extrapolated[1].mean, sample_se(&row->extrapolated[1]), change->mean, sample_se(change));
    check_near(change->mean, 0, 4 * sample_se(change) + 0.3 * removed, "%s, change of the extrapolated value", name);
}
