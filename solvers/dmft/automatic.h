/* Solves to an accuracy. Pilots with few paths show the scale of the curves, the noise of a path and the step error of
   every curve; from them follow steps and paths (choice.h). The run proper begins with four replicas, which show
   whether the steps will do, goes on to eight, and then adds replicas until noise and step error together meet the
   accuracy. Its result is that of a solve with the chosen numbers given in the problem file, to the last digit. */
#ifndef SGDMFT_SOLVERS_DMFT_AUTOMATIC_H
#define SGDMFT_SOLVERS_DMFT_AUTOMATIC_H

#include "columns/solution.h"
#include "solvers/dmft/plan.h"

/* Solves the problem, of which `first` is some plan. Rank 0 gets the solution, which holds the problem with what was
   chosen. Collective call: every rank of the context makes it. */
sgdmft_status automatic_solve(sgdmft_context *ctx, const sgdmft_problem *problem, const dmft_plan *first,
                              sgdmft_solution **out);

#endif
