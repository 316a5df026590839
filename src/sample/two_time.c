#include "sample/two_time.h"

#include <math.h>

#include "problem/problem.h"

/* Moments are computed anew; on another machine they may differ by rounding. */
static const double MOMENT_TOLERANCE = 1e-6;

two_time two_time_of(const sgdmft_solution *solution)
{
    return (two_time){.k = solution->k,
                      .kstar = solution->kstar,
                      .n = solution->n_grid,
                      .t = solution->t,
                      .C = solution->C,
                      .R = solution->R,
                      .m = solution->m,
                      .coordinates = solution->coordinates};
}

size_t two_time_cell(const two_time *x, double t, double *place)
{
    size_t low = 0, high = x->n - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (x->t[middle] <= t)
            low = middle;
        else
            high = middle;
    }
    double at = (t - x->t[low]) / (x->t[low + 1] - x->t[low]);
    *place = at < 0 ? 0 : at > 1 ? 1 : at;
    return low;
}

size_t two_time_nearest(const two_time *x, double t)
{
    double place;
    size_t cell = two_time_cell(x, t, &place);
    return cell + (place > 0.5);
}

static double largest_difference(size_t n, const double *a, const double *b, double *scale)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(a[i] - b[i]));
        *scale = fmax(*scale, fabs(b[i]));
    }
    return largest;
}

sgdmft_status two_time_check(sgdmft_context *ctx, const two_time *x, const sgdmft_problem *problem)
{
    size_t k = (size_t)x->k, kstar = (size_t)x->kstar;
    double scale = 0;
    double off = largest_difference(k * k, two_time_C(x, 0, 0), problem->initial.q, &scale);
    off = fmax(off, largest_difference(k * kstar, two_time_m(x, 0), problem->initial.m, &scale));
    if (off <= MOMENT_TOLERANCE * scale)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                        "%s: initial: the law of the coordinates has other second moments now than when this was "
                        "solved (difference %.2g)%s",
                        problem->source, off, problem->initial.samples ? "; has the file of samples changed?" : "");
}
