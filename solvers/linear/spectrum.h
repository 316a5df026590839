/* The linear model by its spectral law, where the visits of a sample are independent of each other, batches are small
   and there is no momentum. */
#ifndef SGDMFT_SOLVERS_LINEAR_SPECTRUM_H
#define SGDMFT_SOLVERS_LINEAR_SPECTRUM_H

#include "solvers/linear/plan.h"

/* As the member `run` of a solver, for a plan with ROUTE_SPECTRUM. */
sgdmft_status spectrum_solve(sgdmft_context *ctx, const linear_plan *plan, sgdmft_solution **out);

#endif
