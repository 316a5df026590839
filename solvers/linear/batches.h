/* Plans whose time is made of steps: their discrete system, the columns of a solution from its moments, and the solve
   of batches that are a fraction of the data. */
#ifndef SGDMFT_SOLVERS_LINEAR_BATCHES_H
#define SGDMFT_SOLVERS_LINEAR_BATCHES_H

#include "columns/solution.h"
#include "solvers/linear/discrete.h"
#include "solvers/linear/plan.h"

typedef struct batch_system {
    discrete_system system;
    double *eta; /* [steps] of system.eta */
} batch_system;

/* The first `steps` of per_unit steps in a unit of time. For small batches, their limit is that of many steps. */
sgdmft_status batch_system_init(sgdmft_context *ctx, const linear_plan *plan, double per_unit, size_t steps,
                                batch_system *out);
void batch_system_clear(batch_system *batches);

/* The columns at one time, and where they are in a solution. */
typedef enum batch_column { BATCH_TRAIN, BATCH_TEST, BATCH_Q, BATCH_M, BATCH_R, BATCH_COLUMNS } batch_column;
void batch_columns_at(const linear_plan *plan, const discrete_moments *moments, size_t node, double *value);
size_t batch_column_index(const solution_columns *col, batch_column column);

/* R(t_i, t_j) of nodes i >= j as a solution has it. */
double batch_response(const linear_plan *plan, const batch_system *batches, const discrete_moments *moments, size_t i,
                      size_t j);

/* Warns if full-batch gradient descent, or the mean over independent batches, is unstable. */
void batch_warn_unstable(sgdmft_context *ctx, const linear_plan *plan);

/* Why the dynamics diverge at time t, where twice the train loss is P. The caller frees it; NULL if out of memory. */
char *batch_diverged(const linear_plan *plan, const batch_system *batches, double t, double P);

/* As the member `run` of a solver, for a plan with ROUTE_BATCHES. */
sgdmft_status batches_solve(sgdmft_context *ctx, const linear_plan *plan, sgdmft_solution **out);

#endif
