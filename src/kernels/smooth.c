#include "kernels/smooth.h"

#include <math.h>
#include <stdlib.h>

#include "core/matrix.h"
#include "core/memory.h"

enum { TERMS = SMOOTH_DEGREE + 1 };

/* The weight of a known value in the fit: it is much more accurate than a mean over a cell. */
static const double END_WEIGHT = 100;

/* The cells of the window, which is centred at the node `at` where there are enough cells. */
static void choose_window(const double *t, int cells, double at, smooth_stencil *s)
{
    int node = 0;
    while (node < cells && t[node] < at)
        node++;
    s->count = cells < SMOOTH_WINDOW ? cells : SMOOTH_WINDOW;
    s->first = node - s->count / 2;
    if (s->first < 0)
        s->first = 0;
    if (s->first + s->count > cells)
        s->first = cells - s->count;
}

/* The means of 1, x, x^2, ... over a cell from `low` to `high`. */
static void powers(double low, double high, int terms, double *out)
{
    double a = low, b = high;
    for (int d = 0; d < terms; d++) {
        out[d] = (b - a) / ((d + 1) * (high - low));
        a *= low;
        b *= high;
    }
}

/* The normal equations. */
typedef struct least_squares {
    int terms;
    double normal[TERMS * TERMS];
} least_squares;

static void add_condition(least_squares *fit, double weight, const double *row)
{
    for (int d = 0; d < fit->terms; d++)
        for (int e = 0; e < fit->terms; e++)
            fit->normal[d * fit->terms + e] += weight * row[d] * row[e];
}

static double dot(int n, const double *x, const double *y)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

smooth_stencil smooth_at(const double *t, int cells, double at, int known_end)
{
    smooth_stencil s = {.end = 0};
    choose_window(t, cells, at, &s);
    known_end = known_end && s.first + s.count == cells;
    int conditions = s.count + (known_end ? 1 : 0);
    least_squares fit = {.terms = conditions < TERMS ? conditions : TERMS};
    double scale = t[s.first + s.count] - t[s.first], design[SMOOTH_WINDOW][TERMS], end[TERMS];
    for (int c = 0; c < s.count; c++) {
        powers((t[s.first + c] - at) / scale, (t[s.first + c + 1] - at) / scale, fit.terms, design[c]);
        add_condition(&fit, 1, design[c]);
    }
    for (int d = 0; d < fit.terms; d++)
        end[d] = d == 0 ? 1 : end[d - 1] * (t[cells] - at) / scale;
    if (known_end)
        add_condition(&fit, END_WEIGHT, end);
    double value[TERMS] = {1}; /* picks the value of the polynomial at x = 0 */
    if (matrix_solve(fit.terms, fit.normal, 1, value))
        value[0] = NAN;
    for (int c = 0; c < s.count; c++)
        s.weight[c] = dot(fit.terms, design[c], value);
    s.end = known_end ? END_WEIGHT * dot(fit.terms, end, value) : 0;
    return s;
}

int smooth_rows_new(int steps, smooth_rows *out)
{
    *out = (smooth_rows){.at = memory_zeroed((size_t)steps + 1, sizeof *out->at)};
    return out->at ? 0 : -1;
}

void smooth_rows_clear(smooth_rows *rows)
{
    free(rows->at);
    *rows = (smooth_rows){0};
}

/* The stencil at node j from the cells of the epoch that ends at the node or contains it. */
static smooth_stencil stencil_at(const time_grid *grid, int cells, int j, int known_end)
{
    int low = j > 0 ? j - 1 : 0, high = j > 0 ? j : 1;
    while (low > 0 && !grid->renewal[low])
        low--;
    while (high < cells && !grid->renewal[high])
        high++;
    smooth_stencil s = smooth_at(grid->t + low, high - low, grid->t[j], known_end && high == cells);
    s.first += low;
    return s;
}

void smooth_rows_refresh(smooth_rows *rows, const time_grid *grid, int cells, int known_end)
{
    if (rows->cells == cells)
        return;
    int same = (rows->cells < cells ? rows->cells : cells) - SMOOTH_WINDOW;
    rows->cells = cells;
    for (int j = same > 0 ? same : 0; j <= cells; j++)
        rows->at[j] = stencil_at(grid, cells, j, known_end);
}
