/* All replicas of a solve, on the threads of this process and on the ranks of the context. As replicas are independent,
   the differences between them give honest standard errors of everything. */
#ifndef SGDMFT_SOLVERS_DMFT_REPLICAS_H
#define SGDMFT_SOLVERS_DMFT_REPLICAS_H

#include "solvers/common/rank_layout.h"
#include "solvers/dmft/nested.h"

#include "paths/label_axes.h"

/* The replicas of a solve. All are averaged, unless the caller interrupted the solve. */
typedef struct replica_set {
    replica_result *result; /* [asked], the first `count` are used */
    int count, asked;
    int solved;      /* replicas that earlier calls have solved */
    uint32_t stream; /* replica r has the random numbers of number stream + r */
    double begin;    /* the part of the whole work that was done before, for reports of progress */
    double part;     /* the part that this set is; 0 counts as all of it */
    double deadline; /* seconds of the monotonic clock at which the solve is stopped; 0: none */
} replica_set;

/* The axes along which the normals of all replicas are drawn. */
typedef struct replica_axes {
    label_axes label;
    principal_axes *field;
} replica_axes;

/* *out is owned by the caller (replica_set_clear). */
sgdmft_status replica_set_new(sgdmft_context *ctx, int asked, replica_set *out);
void replica_set_clear(replica_set *set);

/* Makes room for `asked` replicas in all. */
sgdmft_status replica_set_grow(sgdmft_context *ctx, int asked, replica_set *set);

/* The axes for a plan. *out is owned by the caller (replica_axes_clear), on failure too; it must outlive the plan that
   uses it. Collective call: every rank of the context makes it. */
sgdmft_status replica_axes_find(sgdmft_context *ctx, const dmft_plan *plan, replica_axes *out);
void replica_axes_use(const replica_axes *axes, dmft_plan *plan);
void replica_axes_clear(replica_axes *axes);

/* Solves the replicas of the set that are not solved yet, with the axes of the plan. Rank 0 gets all replicas, the
   others a count of 0. After an interrupt the complete replicas are averaged if there are at least two, otherwise all
   that were begun. Collective call: every rank of the context makes it. */
sgdmft_status replica_set_continue(sgdmft_context *ctx, const dmft_plan *plan, replica_set *set);

/* The same with axes that are found first. */
sgdmft_status replica_set_solve(sgdmft_context *ctx, const dmft_plan *plan, replica_set *set);

/* The distribution of that many replicas and their paths over ranks. */
rank_layout replica_set_layout(const dmft_plan *plan, int ranks, int replicas);

#endif
