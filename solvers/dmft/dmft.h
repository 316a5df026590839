/* Self-consistent Monte-Carlo solution by independent replicas, on nested grids. */
#ifndef SGDMFT_SOLVERS_DMFT_DMFT_H
#define SGDMFT_SOLVERS_DMFT_DMFT_H

#include "sgdmft/solve.h"
#include "solvers/dmft/plan.h"
#include "solvers/common/rank_layout.h"
#include "solvers/dmft/grid_solution.h"
#include "solvers/solver.h"

/* The setup is a dmft_plan. */
extern const solver dmft_solver;

/* One replica: the same paths on all grids that it solves, see dmft_plan_grids. */
typedef struct replica_result {
    grid_solution *level[GRIDS]; /* NULL if not solved */
    double visits;
} replica_result;

/* Replicas that are averaged: all of them, unless the caller interrupted. */
typedef struct replica_set {
    replica_result *result; /* [asked], the first `count` are used */
    int count, asked;
} replica_set;

/* Solves all replicas into set->result[asked], which the caller provides zeroed and frees with replica_result_clear, and
   sets `count`. Together with the ranks of the context: rank 0 gets all replicas, the others a count of 0. After an
   interrupt the complete replicas are used if there are two, otherwise all that were begun. */
sgdmft_status dmft_replicas(sgdmft_context *ctx, const dmft_plan *s, replica_set *set);
void replica_result_clear(replica_result *result);

/* A trajectory of the given grid without anything in it; with a record of coordinates if there is a penalty. */
sgdmft_status dmft_grid_solution(sgdmft_context *ctx, const dmft_plan *s, int level, grid_solution **out);

/* Statistics over replicas: curves with error bars, two-time arrays, identities. */
sgdmft_status dmft_solution(sgdmft_context *ctx, const dmft_plan *s, const replica_set *set,
                                      sgdmft_solution **out);

/* How replicas and paths are spread over ranks. */
rank_layout dmft_rank_layout(const dmft_plan *s, int ranks);

/* Memory of each rank and time of a solve. */
void dmft_cost(const dmft_plan *s, int threads, int ranks, sgdmft_cost *out);

#endif
