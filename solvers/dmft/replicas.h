/* All replicas of a solve, on the threads of this process and on the ranks of the context. As replicas are independent,
   the differences between them give honest standard errors of everything. */
#ifndef SGDMFT_SOLVERS_DMFT_REPLICAS_H
#define SGDMFT_SOLVERS_DMFT_REPLICAS_H

#include "solvers/common/rank_layout.h"
#include "solvers/dmft/nested.h"

/* The replicas of a solve. All are averaged, unless the caller interrupted the solve. */
typedef struct replica_set {
    replica_result *result; /* [asked], the first `count` are used */
    int count, asked;
} replica_set;

/* *out is owned by the caller (replica_set_clear). */
sgdmft_status replica_set_new(sgdmft_context *ctx, int asked, replica_set *out);
void replica_set_clear(replica_set *set);

/* Solves all replicas of the set. Rank 0 gets all replicas, the others a count of 0. After an interrupt the complete
   replicas are averaged if there are at least two, otherwise all that were begun. Collective call: every rank of the
   context makes it. */
sgdmft_status replica_set_solve(sgdmft_context *ctx, const dmft_plan *plan, replica_set *set);

/* The distribution of replicas and paths over ranks. */
rank_layout replica_set_layout(const dmft_plan *plan, int ranks);

#endif
