/* One replica on the nested grids of its plan. Its paths are drawn once, for the finest grid, and coarsened for the
   others, so that differences between grids are time-step errors with little noise. */
#ifndef SGDMFT_SOLVERS_DMFT_NESTED_H
#define SGDMFT_SOLVERS_DMFT_NESTED_H

#include "solvers/dmft/grid_solution.h"
#include "solvers/dmft/plan.h"
#include "solvers/dmft/replica.h"

/* Everything outside a replica that its solve depends on: its share of threads and ranks, to whom it reports, and who
   may stop it. */
typedef struct replica_environment {
    path_share share;
    replica_monitor monitor;
    const int *stop_requested; /* set when this rank is to stop; may be NULL */
    int *group_stopping;       /* set when any rank of the group stops; may be NULL */
} replica_environment;

/* A replica on all grids that it solves (dmft_plan_grids). */
typedef struct replica_result {
    grid_solution *on_grid[GRIDS]; /* NULL if not solved */
    double visits;                 /* number of visits of all paths */
} replica_result;

/* An empty solution for a grid, on the finest grid with a record of coordinates if there is a penalty. *out is owned by
   the caller, on failure too. */
sgdmft_status nested_grid_solution(sgdmft_context *ctx, const dmft_plan *plan, int grid, grid_solution **out);

/* Solves replica `index` on its grids, from the coarsest to the finest, with the random numbers of number
   stream + index. The caller clears *out, on failure too. Collective call: every rank of the share makes it. */
sgdmft_status nested_solve(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                           uint32_t stream, int index, replica_result *out);

/* Solves on one grid alone, with the random numbers of replica `stream`. *out is owned by the caller, on failure too.
   Collective call: every rank of the share makes it. */
sgdmft_status nested_solve_one(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                               int grid, uint32_t stream, grid_solution **out);

void replica_result_clear(replica_result *result);

#endif
