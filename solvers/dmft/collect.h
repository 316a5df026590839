/* Bringing the replicas that other ranks solved to rank 0. */
#ifndef SGDMFT_SOLVERS_DMFT_COLLECT_H
#define SGDMFT_SOLVERS_DMFT_COLLECT_H

#include "solvers/common/rank_layout.h"
#include "solvers/dmft/replicas.h"

/* Together. Rank 0 gets whatever trajectories there are; the others keep theirs. */
sgdmft_status collect_replicas(sgdmft_context *ctx, const dmft_plan *plan, const rank_layout *layout, replica_set *set);

#endif
