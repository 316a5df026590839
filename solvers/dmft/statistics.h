/* From replicas to a solution: curves with their errors (curve_errors.h), means of the two-time arrays, and what the
   solve took. The standard error of a curve contains noise and time-step error, sqrt(noise^2 + step error^2). */
#ifndef SGDMFT_SOLVERS_DMFT_STATISTICS_H
#define SGDMFT_SOLVERS_DMFT_STATISTICS_H

#include "columns/solution.h"
#include "solvers/dmft/curve_errors.h"

/* *errors, unless it is NULL, gets the parts of the standard errors, and is cleared by the caller, on failure too. */
sgdmft_status replica_statistics(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                 curve_errors *errors, sgdmft_solution **out);

/* Warns of standard errors that are so large that they are unreliable. */
void statistics_warn(sgdmft_context *ctx, const sgdmft_problem *problem, const sgdmft_solve_info *info);

#endif
