#include "twotime/smooth.h"

#include <math.h>

#include "twotime/block.h"

enum { TERMS = SMOOTH_DEGREE + 1 };

/* The cells of the window: as many to the left of `at` as to the right, as far as there are cells. */
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

/* Means over a cell of 1, x, x^2, ... where x runs from `low` to `high`. */
static void powers(double low, double high, int terms, double *out)
{
    double a = low, b = high;
    for (int d = 0; d < terms; d++) {
        out[d] = (b - a) / ((d + 1) * (high - low));
        a *= low;
        b *= high;
    }
}

smooth_stencil smooth_at(const double *t, int cells, double at)
{
    smooth_stencil s;
    choose_window(t, cells, at, &s);
    int terms = s.count < TERMS ? s.count : TERMS;
    double scale = t[s.first + s.count] - t[s.first], design[SMOOTH_WINDOW][TERMS];
    double normal[TERMS * TERMS] = {0}, value[TERMS] = {1}; /* the polynomial's value at x = 0 */
    for (int c = 0; c < s.count; c++) {
        powers((t[s.first + c] - at) / scale, (t[s.first + c + 1] - at) / scale, terms, design[c]);
        for (int d = 0; d < terms; d++)
            for (int e = 0; e < terms; e++)
                normal[d * terms + e] += design[c][d] * design[c][e];
    }
    if (block_solve(terms, normal, 1, value))
        value[0] = NAN;
    for (int c = 0; c < s.count; c++) {
        s.weight[c] = 0;
        for (int d = 0; d < terms; d++)
            s.weight[c] += design[c][d] * value[d];
    }
    return s;
}
