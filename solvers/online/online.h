/* The solver of online (one-pass) SGD. */
#ifndef SGDMFT_SOLVERS_ONLINE_ONLINE_H
#define SGDMFT_SOLVERS_ONLINE_ONLINE_H

#include "solvers/common/replica_pool.h"
#include "solvers/online/result.h"
#include "solvers/solver.h"

/* `prepare` makes an online_plan. */
extern const solver online_solver;

/* Marches all replicas with averages by randomised quasi-Monte Carlo, each with the same points along the whole march.
   all->result then has one march for each replica. */
sgdmft_status online_solve_by_sampling(sgdmft_context *ctx, const online_plan *plan, solve_progress *progress,
                                       online_results *all);

#endif
