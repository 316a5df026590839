/* Checks a finished solution for curves that are not finite, and for values that no solution can take. */
#ifndef SGDMFT_SOLVERS_COMMON_AUDIT_H
#define SGDMFT_SOLVERS_COMMON_AUDIT_H

#include "sgdmft/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"

/* Ends the solution before the first output time at which a loss or an overlap is not finite or impossible:

     q_aa < 0,   |m_ab| > sqrt(q_aa rho_bb),   an average below 0 of a loss that is never negative,

   beyond what a few standard errors explain. (In a simulation the second moments of the teachers fluctuate, so overlaps
   are not checked.) An observable whose average is not finite at some time stays as it is. In
   both cases the status of the solution says so, or its message is continued if the status says something else already,
   with the name of the curve, the time and the reason. Errors: SGDMFT_ERR_MEMORY. */
sgdmft_status solution_audit(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution);

#endif
