/* The memory and the time that a solve takes. Memory is counted from the arrays. Time follows from operation counts
   with rates that were measured on one 2.3 GHz core; elsewhere it is right to within a factor of about two. */
#ifndef SGDMFT_SOLVERS_DMFT_COST_H
#define SGDMFT_SOLVERS_DMFT_COST_H

#include "sgdmft/solve.h"
#include "solvers/dmft/plan.h"

/* The memory of each rank and the time of a solve on `ranks` ranks with `threads` threads each. */
void dmft_cost(const dmft_plan *plan, int threads, int ranks, sgdmft_cost *out);

#endif
