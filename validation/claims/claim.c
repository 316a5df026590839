#include "validation/claims/claim.h"

#include "columns/solution.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(claim *c)
{
    if (!c->status)
        c->status = context_out_of_memory(c->runs->ctx, "the rows of a claim", sizeof(claim_row));
    return 0;
}

/* A new element at the end of an array, zeroed. NULL if there is no memory for it, which is then recorded. */
static void *grow(claim *c, void *array, size_t *n, size_t size)
{
    void **place = array;
    if (c->status)
        return NULL;
    char *grown = realloc(*place, (*n + 1) * size);
    if (!grown) {
        fail(c);
        return NULL;
    }
    *place = grown;
    return memset(grown + (*n)++ * size, 0, size);
}

static char *copy(claim *c, const char *text)
{
    char *duplicate = strdup(text);
    if (!duplicate)
        fail(c);
    return duplicate;
}

sgdmft_status claim_check(const claim_spec *spec, runs *all, claim *out)
{
    *out = (claim){.spec = spec, .runs = all};
    spec->check(out);
    if (!out->status)
        out->status = all->fatal;
    return out->status;
}

void claim_clear(claim *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        free(c->rows[i].problem);
        free(c->rows[i].statistic);
        free(c->rows[i].detail);
    }
    for (size_t i = 0; i < c->n_panels; i++) {
        free(c->panels[i].title);
        free(c->panels[i].x);
        free(c->panels[i].y);
    }
    for (size_t i = 0; i < c->n_series; i++) {
        free(c->series[i].label);
        free(c->series[i].x);
        free(c->series[i].y);
        free(c->series[i].se);
    }
    free(c->rows);
    free(c->panels);
    free(c->series);
    *c = (claim){.spec = c->spec, .runs = c->runs};
}

size_t claim_count(const claim *c, verdict v)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        n += c->rows[i].verdict == v;
    return n;
}

/* ---- rows ---- */

verdict verdict_of(double value, double low, double high)
{
    return value >= low && value <= high ? VERDICT_HOLDS : VERDICT_FAILS;
}

static claim_row *new_row(claim *c, const char *problem, const char *statistic)
{
    claim_row *row = grow(c, &c->rows, &c->n_rows, sizeof *row);
    if (!row)
        return NULL;
    row->problem = copy(c, problem);
    row->statistic = copy(c, statistic);
    return row;
}

void claim_row_value(claim *c, const char *problem, const char *statistic, double value, double low, double high,
                     const char *detail, ...)
{
    claim_row *row = new_row(c, problem, statistic);
    if (!row)
        return;
    va_list args;
    va_start(args, detail);
    if (vasprintf(&row->detail, detail, args) < 0) {
        row->detail = NULL;
        fail(c);
    }
    va_end(args);
    row->value = value;
    row->low = low;
    row->high = high;
    row->verdict = verdict_of(value, low, high);
}

int claim_have(claim *c, const char *problem, const char *statistic, const run *const *needed)
{
    for (const run *const *r = needed; *r; r++) {
        if ((*r)->solution)
            continue;
        if (c->runs->fatal)
            return 0;
        claim_row *row = new_row(c, problem, statistic);
        if (!row)
            return 0;
        row->value = NAN;
        row->low = -INFINITY;
        row->high = INFINITY;
        row->verdict = run_is_unsupported(*r) ? VERDICT_NOT_RUN : VERDICT_FAILS;
        row->detail = copy(c, (*r)->message);
        return 0;
    }
    return 1;
}

void claim_row_agree(claim *c, const char *problem, const char *statistic, const run *a, const run *b,
                     const gap_options *options, double sigma)
{
    const run *const needed[] = {a, b, NULL};
    gap g;
    if (!claim_have(c, problem, statistic, needed))
        return;
    if (gap_between(a->solution, b->solution, options, &g)) {
        claim_row_value(c, problem, statistic, NAN, 0, sigma, "no time or column in common");
        return;
    }
    int blind = !(g.resolution <= CLAIM_RESOLUTION);
    claim_row_value(c, problem, statistic, g.z, 0, sigma,
                    "%zu columns, %zu times; worst %s at t = %.4g; error bars %.2g%% of scale%s", g.columns, g.times,
                    g.column, g.t, 100 * g.resolution, blind ? ": too wide to tell" : "");
    if (blind && !c->status)
        c->rows[c->n_rows - 1].verdict = VERDICT_FAILS;
}

static void differ(claim *c, const char *problem, const char *statistic, const run *a, const run *b)
{
    const run *const needed[] = {a, b, NULL};
    gap g;
    if (!claim_have(c, problem, statistic, needed))
        return;
    gap_between(a->solution, b->solution, NULL, &g);
    claim_row_value(c, problem, statistic, g.z, CLAIM_DIFFERENCE, INFINITY,
                    "%s at t = %.3g; up to %.2g%% of scale apart", g.column, g.t, 100 * g.largest);
}

void claim_rows_differ(claim *c, const char *problem, const char *what, const char *const *names, const run *const *r,
                       int n)
{
    char statistic[128];
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            snprintf(statistic, sizeof statistic, "max |z|, %s - %s, %s", names[i], names[j], what);
            differ(c, problem, statistic, r[i], r[j]);
        }
}

/* ---- powers ---- */

void distance_table_add(distance_table *table, double x, const run *a, const run *b, const gap_options *options)
{
    gap g;
    if (table->n == CLAIM_POINTS_MAX)
        return;
    if (gap_between(a->solution, b->solution, options, &g))
        g.distance = g.distance_se = NAN;
    table->x[table->n] = x;
    table->distance[table->n] = g.distance;
    table->se[table->n++] = g.distance_se;
}

void claim_row_power(claim *c, size_t panel, const char *problem, const char *statistic, const distance_table *table,
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
    claim_add_power(c, panel, round((low + high) / 2), table->n, table->x, table->distance);
}

/* ---- figure ---- */

size_t claim_add_panel(claim *c, const char *title, const char *x, const char *y, int log_x, int log_y)
{
    claim_panel *panel = grow(c, &c->panels, &c->n_panels, sizeof *panel);
    if (!panel)
        return 0;
    *panel = (claim_panel){copy(c, title), copy(c, x), copy(c, y), log_x, log_y};
    return c->n_panels - 1;
}

void claim_add_series(claim *c, size_t panel, const char *label, series_style style, int colour, size_t n,
                      const double *x, const double *y, const double *se)
{
    claim_series *s = grow(c, &c->series, &c->n_series, sizeof *s);
    if (!s)
        return;
    *s = (claim_series){.panel = panel, .label = copy(c, label), .style = style, .colour = colour, .n = n};
    s->x = calloc(n + 1, sizeof *s->x);
    s->y = calloc(n + 1, sizeof *s->y);
    s->se = calloc(n + 1, sizeof *s->se);
    if (!s->x || !s->y || !s->se) {
        s->n = 0;
        fail(c);
        return;
    }
    memcpy(s->x, x, n * sizeof *x);
    memcpy(s->y, y, n * sizeof *y);
    if (se)
        memcpy(s->se, se, n * sizeof *se);
}

void claim_add_curve(claim *c, size_t panel, const char *label, int colour, const run *r, const char *curve,
                     double unit)
{
    const sgdmft_curve *found = r->solution ? sgdmft_solution_curve(r->solution, curve) : NULL;
    if (!found)
        return;
    size_t n = r->solution->n_times;
    claim_add_series(c, panel, label, r->solution->info.simulated ? SERIES_POINTS : SERIES_LINE, colour, n,
                     r->solution->times, found->value, found->se);
    for (size_t i = 0; i < n && !c->status; i++)
        c->series[c->n_series - 1].x[i] *= unit;
}

void claim_add_power(claim *c, size_t panel, double p, size_t n, const double *x, const double *y)
{
    enum { COLOUR = 9 };
    if (n < 2 || !(x[0] > 0 && y[0] > 0))
        return;
    double ends[2] = {x[0], x[n - 1]}, values[2] = {y[0], y[0] * pow(x[n - 1] / x[0], p)};
    char label[32];
    snprintf(label, sizeof label, "slope $%g$", p);
    claim_add_series(c, panel, label, SERIES_DASHES, COLOUR, 2, ends, values, NULL);
}

enum { SHOWN = 4, TIMES_MAX = 128 };
static const char *const shown[SHOWN] = {"train_loss", "test_loss", "q11", "m11"};
static const char *const shown_labels[SHOWN] = {"train", "test", "$q_{11}$", "$m_{11}$"};

void claim_draw_curves(claim *c, const char *title, const run *limit, const run *finite, int log_y)
{
    size_t panel = claim_add_panel(c, title, "$t$ (epochs)", "", 0, log_y);
    for (int i = 0; i < SHOWN; i++) {
        claim_add_curve(c, panel, shown_labels[i], i, limit, shown[i], 1);
        claim_add_curve(c, panel, limit->solution ? "" : shown_labels[i], i, finite, shown[i], 1);
    }
}

/* In the colours of claim_draw_curves. */
void claim_draw_differences(claim *c, const char *title, const run *limit, const run *finite)
{
    if (!limit->solution || !finite->solution)
        return;
    size_t panel = claim_add_panel(c, title, "$t$ (epochs)", "% of scale", 0, 0);
    for (int i = 0; i < SHOWN; i++) {
        double t[TIMES_MAX], y[TIMES_MAX], se[TIMES_MAX];
        size_t n = difference_of(finite->solution, limit->solution, shown[i], TIMES_MAX, t, y, se);
        for (size_t k = 0; k < n; k++) {
            y[k] *= 100;
            se[k] *= 100;
        }
        claim_add_series(c, panel, "", SERIES_POINTS, i, n, t, y, se);
    }
}
