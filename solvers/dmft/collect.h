/* Collects on rank 0 the replicas that other ranks solved. */
#ifndef SGDMFT_SOLVERS_DMFT_COLLECT_H
#define SGDMFT_SOLVERS_DMFT_COLLECT_H

#include "solvers/common/rank_layout.h"
#include "solvers/dmft/replicas.h"

/* Rank 0 gets all solutions on grids that exist; the other ranks keep theirs. Collective call: every rank of the
   context makes it. */
sgdmft_status collect_replicas(sgdmft_context *ctx, const dmft_plan *plan, const rank_layout *layout, replica_set *set);

#endif
