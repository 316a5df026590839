#include "solvers/dmft/predict.h"

#include <string.h>

#include "kernels/response_midpoint.h"

/* Predicts the averages at node i + 1 from those at i (`now`) and i - 1 (`before`): linear in t, or constant where an
   epoch begins and the averages jump. The rows of a cell, except the first, are predicted to change as those of the
   cell before it did one node earlier, because rows depend mainly on the difference of the two times. */
static void predict_nodes(const replica *rep, int i, const double *before, const double *now, double *next)
{
    const averages_layout *at = &rep->plan->at;
    size_t row = at->kinds * (size_t)(at->k * at->k), newest = averages_used(at, i);
    size_t linear = i > 1 ? at->rows + row : at->rows; /* averages before that index; node i - 1 has i - 1 rows */
    double ratio = i > 0 ? rep->grid->h[i] / rep->grid->h[i - 1] : 0;
    memcpy(next, now, sizeof(double) * newest);
    memset(next + newest, 0, sizeof(double) * row);
    if (i == 0 || rep->grid->renewal[i])
        return;
    for (size_t c = 0; c < linear; c++)
        next[c] += ratio * (now[c] - before[c]);
    memcpy(next + newest, now + newest - row, sizeof(double) * row);
    if (i == 1)
        return;
    for (size_t c = linear; c < newest; c++)
        next[c] += ratio * (now[c - row] - before[c - row]);
    for (size_t c = newest; c < newest + row; c++)
        next[c] += ratio * (now[c - row] - before[c - 2 * row]);
}

/* Predicts averages of cells (response_midpoint): kicks grow with the length of the cell and are else those of the
   cell before, so that the covariance of the innovations is one, and responses depend on the number of cells between.
   A prediction that were no covariance could be far off, as its factor divides by small numbers. */
static void predict_cell(const replica *rep, int i, const double *now, double *next)
{
    const averages_layout *at = &rep->plan->at;
    size_t kk = (size_t)(at->k * at->k), row = at->kinds * kk, newest = averages_used(at, i);
    double ratio = i > 0 ? rep->grid->h[i] / rep->grid->h[i - 1] : 0;
    memcpy(next, now, sizeof(double) * newest);
    memset(next + newest, 0, sizeof(double) * row);
    for (int l = 0; l <= i && i > 0; l++) {
        double *out = next + averages_used(at, l);
        const double *same = now + averages_used(at, l < i ? l : i - 1);
        const double *shifted = now + averages_used(at, l > 0 ? l - 1 : 0);
        for (size_t c = 0; c < kk; c++) {
            out[VISITS * kk + c] = ratio * (l < i ? 1 : ratio) * same[VISITS * kk + c];
            out[RESPONSE_CELL * kk + c] = ratio * shifted[RESPONSE_CELL * kk + c];
        }
    }
    response_midpoint_guess(rep->kern, i, at, next);
}

void predict_averages(const replica *rep, int i, const double *before, const double *now, double *next)
{
    if (rep->merged)
        merged_kernels_predict(rep->merged->kern, i, &rep->plan->at, before, now, next);
    else if (rep->plan->at.response->midpoint)
        predict_cell(rep, i, now, next);
    else
        predict_nodes(rep, i, before, now, next);
}
