/* Error bars of curves: the noise of independent replicas, and the time-step error from nested grids.

   On grids with steps h, 2h and 4h a quantity X that is computed to second order has

     X_h = X + c h^2 + ...     step error of X_h = (X_2h - X_h) / 3,   extrapolated Y_h = X_h + (X_h - X_2h) / 3,
     Y_h = X + c' h^4 + ...    step error of Y_h = (Y_2h - Y_h) / 15 in theory.

   Where steps are short enough to show it, the fourth-order error is subtracted from Y_h; the step error that is
   reported, a multiple of Y_2h - Y_h, is what was observed to remain (docs/solver.md). */
#ifndef SGDMFT_SOLVERS_COMMON_STATISTICS_H
#define SGDMFT_SOLVERS_COMMON_STATISTICS_H

#include <stddef.h>

#include "sgdmft/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"

/* Mean of x[n] and its standard error, for n >= 1. The error is exactly 0 for n = 1 and where all values agree to
   rounding. */
void mean_and_error(size_t n, const double *x, double *mean, double *se);

/* Step error of X_h, and Y_h, from X_h (`fine`) and X_2h (`coarse`). */
double step_error_of(double fine, double coarse);
double extrapolated(double fine, double coarse);

/* Sums of Y_2h - Y_h and of X_2h - Y_2h over replicas that are solved on all three grids. */
typedef struct grid_changes {
    double change, before;
    int count;
} grid_changes;

/* Adds one replica: X_h, X_2h, X_4h. */
void grid_changes_add(grid_changes *x, double fine, double coarse, double coarsest);

/* The fraction of the changes Y_2h - Y_h (change[n], along a curve) that is to be subtracted from Y_h, given
   before[n] = X_2h - Y_2h: 1/15, or 0 where steps are too long for the series in h to show, that is, where Y_2h - Y_h
   is not clearly smaller than X_2h - Y_2h. Also 0 if the gradient of the loss jumps (`jumps`). */
double fourth_order_part(int jumps, size_t n, const double *change, const double *before);

/* The error of Y_h before that subtraction, as a fraction of Y_2h - Y_h. */
double step_error_part(int jumps);

/* Adds step errors to standard errors, se = sqrt(se^2 + step error^2), at the ascending times[n] of a curve. An
   estimated step error changes sign along a curve, where the true one need not be small: the largest one within a
   fifth of the horizon counts. The start is exact in time. */
void add_step_errors(size_t n, const double *times, double horizon, const double *step_error, double *se);

/* Sets info.se_max and info.step_error_max from the curves, relative to their natural scales
   (columns/columns.h). */
sgdmft_status set_worst_errors(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution);

/* The tolerance of self-consistency, numerics.tolerance; where the gradient of the loss jumps (`jumps`), at least the
   share of two paths. */
double attainable_tolerance(const sgdmft_problem *problem, int jumps);

#endif
