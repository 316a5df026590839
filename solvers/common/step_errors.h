/* Bars for the time-step error that extrapolation leaves, and for the noise of few replicas.

   On grids with steps h, 2h and 4h let d1 = X_2h - X_h and d2 = X_4h - X_2h along a curve, and rho the ratio of their
   root mean squares, which is 4 where the error is of second order. Extrapolation subtracts d1 / 3, while differences
   that shrink by a factor rho would leave d1 / (rho - 1) to subtract. So the bar of a curve is at least

     |d1| max(|1/(rho - 1) - 1/3|, 1/20),   and at least   |d1| max(1/(rho - 1) - 1/3, 1/3)   if rho < 2.5,

   where the order does not show. Errors of single curves cancel by chance and then look like accuracy. As all curves
   come from the same kernels, the bar of each is, relative to its scale, at least a part of the largest bar of the
   others.

   Differences are means over replicas and have noise. What noise adds to a root mean square is taken off, and where
   little is left, the differences say nothing about the order. */
#ifndef SGDMFT_SOLVERS_COMMON_STEP_ERRORS_H
#define SGDMFT_SOLVERS_COMMON_STEP_ERRORS_H

#include <stddef.h>

/* A difference between grids along a curve at n times, mean over replicas. */
typedef struct grid_difference {
    const double *value; /* [n] */
    double noise;        /* its standard error, root mean square over the times */
} grid_difference;

/* The differences between the nested grids for one curve. */
typedef struct grid_series {
    size_t n;
    grid_difference fine, coarse; /* d1, d2 */
    grid_difference remainder;    /* the step error that is left by the series in h, with its sign */
} grid_series;

/* bar[n] of the curve by itself, with the sign of the remainder. */
void step_error_bars(const grid_series *of, double *bar);

/* Raises the bars of `count` curves, bar[count][n], to the part that they must have of the largest bar at the same time
   among the first `leading` curves, relative to scale[count][n]. Where a scale is 0, the bar stays. */
void step_errors_join(size_t count, size_t leading, size_t n, const double *scale, double *bar);

/* The largest bar within a fifth of the horizon, as errors change sign along a curve where the true one need not be
   small: nearby[n] from bar[n]. The start is exact in time, and stays. */
void step_errors_nearby(size_t n, const double *times, double horizon, const double *bar, double *nearby);

/* Half of the interval of 95.4 % for a mean over replicas, in units of its standard error and relative to the normal
   law; 1 for a single replica. */
double noise_widening(size_t replicas);

/* Standard errors of few replicas scatter. noise[n], from `replicas` replicas, is replaced by its root mean square,
   relative to scale[n], over the times within a tenth of the horizon, and multiplied such that two of it are an
   interval of 95.4 %, which for few replicas Student's t makes wider. A noise of zero stays. */
void noise_pool(size_t n, const double *times, double horizon, size_t replicas, const double *scale, double *pooled,
                double *noise);

#endif
