/* One replica on the nested grids of its plan. The paths are drawn once, for the finest grid; those of a coarser grid
   are made of them, so that differences between grids are time-step errors with little noise. */
#ifndef SGDMFT_SOLVERS_DMFT_NESTED_H
#define SGDMFT_SOLVERS_DMFT_NESTED_H

#include "solvers/dmft/grid_solution.h"
#include "solvers/dmft/plan.h"
#include "solvers/dmft/replica.h"

/* What the solve of a replica has from outside: its share of threads and ranks, whom it reports to and who may stop it.
   */
typedef struct replica_environment {
    path_share share;
    replica_monitor monitor;
    const int *stop_requested; /* set when this rank is to stop */
    int *group_stopping;       /* set when any rank of the group stops */
} replica_environment;

/* A replica on all grids that it solves, see dmft_plan_grids. */
typedef struct replica_result {
    grid_solution *on_grid[GRIDS]; /* NULL if not solved */
    double visits;
} replica_result;

/* An empty solution for a grid, with a record of coordinates if there is a penalty. *out is owned by the caller, on
   failure too. */
sgdmft_status nested_grid_solution(sgdmft_context *ctx, const dmft_plan *plan, int grid, grid_solution **out);

/* Solves replica `index` on its grids, from the coarsest to the finest. Collective call: every rank of the share makes
   it. The caller clears *out, on failure too. */
sgdmft_status nested_solve(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                           int index, replica_result *out);

/* Solves one grid alone, with the random numbers of replica `stream`. *out is owned by the caller, on failure too. */
sgdmft_status nested_solve_one(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                               int grid, uint32_t stream, grid_solution **out);

void replica_result_clear(replica_result *result);

#endif
