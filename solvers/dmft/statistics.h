/* From replicas to a solution: mean and standard error over replicas of every curve at the output times, the time-step
   error of the extrapolated curves from the three grids (solvers/common/statistics.h), and the means of the two-time
   arrays and of the identities. The standard error of a curve contains noise and time-step error, sqrt(noise^2 + step
   error^2). */
#ifndef SGDMFT_SOLVERS_DMFT_STATISTICS_H
#define SGDMFT_SOLVERS_DMFT_STATISTICS_H

#include "columns/solution.h"
#include "solvers/dmft/replicas.h"

sgdmft_status replica_statistics(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                 sgdmft_solution **out);

#endif
