#include "solvers/common/step_errors.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

/* The least ratio of differences that shows an error of second order, and the bounds within which a ratio is used. */
static const double RATIO_LOW = 2.5, RATIO_HIGH = 8, RATIO_LEAST = 1.2;

/* A bar is never less than this part of |d1|: the root mean squares of a curve may show an order that it does not have
   at every time. */
static const double PART_LEAST = 0.05;

/* Mean squares below this multiple of that of their noise may be noise alone. */
static const double RESOLVED = 4;

/* The part of the largest relative bar that the bars of the other curves have at least. */
static const double JOINT_PART = 0.3;

/* Bars count at all times this near, and noise is averaged over times this near, as parts of the horizon. */
static const double NEARBY = 0.2, POOLED = 0.1;

/* Pooling over nearby times adds to the degrees of freedom of the replicas about this factor. */
static const double POOLED_FREEDOM = 1.5;

static double mean_square(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return n ? sum / (double)n : 0;
}

/* The mean square of a difference without noise. */
static double signal_of(const grid_difference *x, size_t n)
{
    return fmax(mean_square(n, x->value) - x->noise * x->noise, 0);
}

/* The bar as a part of |d1|. */
static double part_of_change(const grid_series *of)
{
    double fine = signal_of(&of->fine, of->n), coarse = signal_of(&of->coarse, of->n);
    if (!(fine > (RESOLVED - 1) * of->fine.noise * of->fine.noise) || !(fine > 0))
        return 0;
    double ratio = sqrt(coarse / fine), used = fmin(fmax(ratio, RATIO_LEAST), RATIO_HIGH);
    double left = 1 / (used - 1) - 1.0 / 3;
    return ratio < RATIO_LOW ? fmax(left, 1.0 / 3) : fmax(fabs(left), PART_LEAST);
}

void step_error_bars(const grid_series *of, double *bar)
{
    double part = part_of_change(of), all = mean_square(of->n, of->remainder.value);
    double sure = all > 0 ? sqrt(signal_of(&of->remainder, of->n) / all) : 0;
    for (size_t i = 0; i < of->n; i++)
        bar[i] =
            copysign(fmax(sure * fabs(of->remainder.value[i]), part * fabs(of->fine.value[i])), of->remainder.value[i]);
}

void step_errors_join(size_t count, size_t leading, size_t n, const double *scale, double *bar)
{
    for (size_t i = 0; i < n; i++) {
        double largest = 0;
        for (size_t c = 0; c < leading; c++)
            if (scale[c * n + i] > 0)
                largest = fmax(largest, fabs(bar[c * n + i]) / scale[c * n + i]);
        for (size_t c = 0; c < count; c++) {
            double least = JOINT_PART * largest * scale[c * n + i], *own = &bar[c * n + i];
            if (fabs(*own) < least)
                *own = copysign(least, *own);
        }
    }
}

void step_errors_nearby(size_t n, const double *times, double horizon, const double *bar, double *nearby)
{
    for (size_t i = 0; i < n; i++) {
        nearby[i] = fabs(bar[i]);
        for (size_t j = 0; i > 0 && j < n; j++)
            if (fabs(times[j] - times[i]) <= NEARBY * horizon)
                nearby[i] = fmax(nearby[i], fabs(bar[j]));
    }
}

double noise_widening(size_t replicas)
{
    static const double tail = 0.02275; /* beyond two standard deviations of the normal law, on one side */
    return replicas > 1 ? 0.5 * gsl_cdf_tdist_Qinv(tail, POOLED_FREEDOM * (double)(replicas - 1)) : 1;
}

void noise_pool(size_t n, const double *times, double horizon, size_t replicas, const double *scale, double *pooled,
                double *noise)
{
    double factor = noise_widening(replicas);
    for (size_t i = 0; i < n; i++) {
        double sum = 0, count = 0;
        for (size_t j = 0; j < n; j++) {
            if (fabs(times[j] - times[i]) > POOLED * horizon || !(noise[j] > 0) || !(scale[j] > 0))
                continue;
            sum += noise[j] * noise[j] / (scale[j] * scale[j]);
            count++;
        }
        pooled[i] =
            count > 0 && noise[i] > 0 && scale[i] > 0 ? factor * scale[i] * sqrt(sum / count) : factor * noise[i];
    }
    memcpy(noise, pooled, sizeof *noise * n);
}
