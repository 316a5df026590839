/* Bringing the replicas that other ranks solved to rank 0. */
#ifndef SGDMFT_COLLECT_H
#define SGDMFT_COLLECT_H

#include "solvers/selfconsistent.h"
#include "solvers/spread.h"

/* Together. Rank 0 gets whatever trajectories there are; the others keep theirs. */
sgdmft_status collect_replicas(sgdmft_context *ctx, const solve_setting *s, const rank_spread *plan, replica_set *set);

#endif
