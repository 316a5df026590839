#include "validation/claims/claims_parts.h"

#include "columns/solution.h"

#include <math.h>
#include <stdio.h>

enum { DRAWN = 4, POINTS_MAX = 128 };
static const char *const curves[DRAWN] = {"train_loss", "test_loss", "q11", "m11"};
static const char *const labels[DRAWN] = {"train", "test", "$q_{11}$", "$m_{11}$"};

void part_draw_curves(claim *c, const char *title, const run *limit, const run *finite, int log_y)
{
    size_t panel = claim_add_panel(c, title, "$t$ (epochs)", "", 0, log_y);
    for (int i = 0; i < DRAWN; i++) {
        claim_add_curve(c, panel, labels[i], i, limit, curves[i], 1);
        claim_add_curve(c, panel, limit->solution ? "" : labels[i], i, finite, curves[i], 1);
    }
}

void part_draw_differences(claim *c, const char *title, const run *limit, const run *finite)
{
    if (!limit->solution || !finite->solution)
        return;
    size_t panel = claim_add_panel(c, title, "$t$ (epochs)", "% of scale", 0, 0);
    for (int i = 0; i < DRAWN; i++) {
        double t[POINTS_MAX], y[POINTS_MAX], se[POINTS_MAX];
        size_t n = difference_of(finite->solution, limit->solution, curves[i], POINTS_MAX, t, y, se);
        for (size_t k = 0; k < n; k++) {
            y[k] *= 100;
            se[k] *= 100;
        }
        claim_add_series(c, panel, "", SERIES_POINTS, i, n, t, y, se); /* the colours of the curves */
    }
}

void part_draw_power(claim *c, size_t panel, double slope, size_t n, const double *x, const double *y)
{
    if (n < 2 || !(x[0] > 0 && y[0] > 0))
        return;
    double ends[2] = {x[0], x[n - 1]}, values[2] = {y[0], y[0] * pow(x[n - 1] / x[0], slope)};
    char label[32];
    snprintf(label, sizeof label, "slope $%g$", slope);
    claim_add_series(c, panel, label, SERIES_DASHES, 9, 2, ends, values, NULL);
}

void part_rate(rate_table *table, double x, const run *a, const run *b, const gap_options *options)
{
    gap g;
    if (table->n == RATES_MAX)
        return;
    if (gap_between(a->solution, b->solution, options, &g))
        g.distance = g.distance_se = NAN;
    table->x[table->n] = x;
    table->distance[table->n] = g.distance;
    table->se[table->n++] = g.distance_se;
}

void part_rate_row(claim *c, size_t panel, const char *problem, const char *statistic, const rate_table *table,
                   double low, double high, int colour)
{
    power_law p = power_law_fit(table->n, table->x, table->distance, table->se);
    char text[320];
    size_t length = 0;
    for (size_t i = 0; i < table->n && length < sizeof text; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.4g: %.3g", i ? ", " : "", table->x[i],
                                   table->distance[i]);
    claim_row_value(c, problem, statistic, p.slope, low, high, "p = %.3f +- %.3f; %s", p.slope, p.se, text);
    claim_add_series(c, panel, problem, SERIES_POINTS, colour, table->n, table->x, table->distance, table->se);
    if (table->n > 1)
        part_draw_power(c, panel, round((low + high) / 2), table->n, table->x, table->distance);
}
