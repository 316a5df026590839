/* A solution of the linear model against the exact one. */
#ifndef SGDMFT_TESTS_SUPPORT_EXACT_CURVES_H
#define SGDMFT_TESTS_SUPPORT_EXACT_CURVES_H

#include "linear_exact.h"
#include "sgdmft/solution.h"

/* Every curve at every output time within `sigmas` standard errors, a tenth of the time-step error that was removed and
   the bias of a finite number of paths, 2 / paths of the value (matched moments and control variables are not exactly
   unbiased); if `relative` > 0, also within that fraction of the exact value. Prints the largest deviations. */
void check_exact_curves(const sgdmft_solution *solution, const linear_exact *e, double sigmas, double relative);

/* The exact value of the curve of that name. */
double exact_curve(const linear_exact *e, const char *name, double t);

#endif
