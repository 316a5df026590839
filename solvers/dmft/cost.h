/* What a solve takes. Memory is counted from the arrays; time from operation counts with the rates measured on one 2.3
   GHz core, good to a factor of about two elsewhere. */
#ifndef SGDMFT_SOLVERS_DMFT_COST_H
#define SGDMFT_SOLVERS_DMFT_COST_H

#include "sgdmft/solve.h"
#include "solvers/dmft/plan.h"

/* Memory of each rank and time of a solve on that many ranks with that many threads each. */
void dmft_cost(const dmft_plan *plan, int threads, int ranks, sgdmft_cost *out);

#endif
