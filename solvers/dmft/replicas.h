/* All replicas of a solve, on the threads of this process and on the ranks of the context. Replicas are independent, so
   that their spread gives honest standard errors of everything. */
#ifndef SGDMFT_SOLVERS_DMFT_REPLICAS_H
#define SGDMFT_SOLVERS_DMFT_REPLICAS_H

#include "solvers/common/rank_layout.h"
#include "solvers/dmft/nested.h"

/* Replicas that are averaged: all, unless the caller interrupted. */
typedef struct replica_set {
    replica_result *result; /* [asked], the first `count` are used */
    int count, asked;
} replica_set;

/* *out is owned by the caller (replica_set_clear). */
sgdmft_status replica_set_new(sgdmft_context *ctx, int asked, replica_set *out);
void replica_set_clear(replica_set *set);

/* Solves all replicas of the set. Collective call: every rank of the context makes it, and rank 0 gets all replicas,
   the others a count of 0. After an interrupt the complete replicas are used if there are two, otherwise all that were
   begun. */
sgdmft_status replica_set_solve(sgdmft_context *ctx, const dmft_plan *plan, replica_set *set);

/* How replicas and paths are distributed over ranks. */
rank_layout replica_set_layout(const dmft_plan *plan, int ranks);

#endif
