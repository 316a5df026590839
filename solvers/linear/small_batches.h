/* Small batches in epochs, or with momentum: the limit b -> 0 of the recursion of discrete.h. */
#ifndef SGDMFT_SOLVERS_LINEAR_SMALL_BATCHES_H
#define SGDMFT_SOLVERS_LINEAR_SMALL_BATCHES_H

#include "solvers/linear/plan.h"

/* As the member `run` of a solver, for a plan with ROUTE_SMALL_BATCHES. */
sgdmft_status small_batches_solve(sgdmft_context *ctx, const linear_plan *plan, sgdmft_solution **out);

#endif
