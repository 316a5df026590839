/* Solving: problem in, solution out. */
#ifndef SGDMFT_SOLVE_H
#define SGDMFT_SOLVE_H

#include "context.h"
#include "problem.h"
#include "solution.h"

SGDMFT_BEGIN_DECLS

/* Memory and time of a solve, estimated without running it. */
typedef struct sgdmft_cost {
    double memory_bytes;    /* peak memory */
    double path_bytes;      /* of it, per path that is worked on: numerics.paths of each replica that runs at the same
                               time; 0 without sampled paths */
    double pair_bytes;      /* of it, per pair of time steps, all replicas together; 0 without a time grid */
    double available_bytes; /* memory this machine has to offer now */
    double cpu_seconds;     /* rough, all threads together */
    double wall_seconds;    /* rough, at the context's number of threads */
    char averages[240];     /* one-pass SGD: how averages over a fresh sample are taken, a phrase; otherwise empty */
} sgdmft_cost;

/* The solvers, 0 <= index < count: their names, and whether they are for a problem. sgdmft_solver_cannot_solve returns
   NULL if so, and otherwise why not, as a phrase. The problem must have been checked (sgdmft_problem_check). All texts
   are in static storage. */
SGDMFT_API size_t sgdmft_solver_count(void);
SGDMFT_API const char *sgdmft_solver_name(size_t index);
SGDMFT_API const char *sgdmft_solver_cannot_solve(size_t index, const sgdmft_problem *problem);

/* The name of the solver that sgdmft_solve would use: the exact one for a linear model whose numerics are left open,
   otherwise the first that is for the problem. NULL if there is none, or if the problem has an error, for which
   sgdmft_estimate_cost has a message. */
SGDMFT_API const char *sgdmft_solver_chosen(sgdmft_context *ctx, sgdmft_problem *problem);

/* Errors: those of sgdmft_problem_check; SGDMFT_ERR_SYNTAX, SGDMFT_ERR_UNKNOWN_NAME, SGDMFT_ERR_ARITY,
   SGDMFT_ERR_KINK and SGDMFT_ERR_PLUGIN for the model, SGDMFT_ERR_MISSING for a model by call-backs that was not
   given; SGDMFT_ERR_UNSUPPORTED, SGDMFT_ERR_MEMORY. */
SGDMFT_API sgdmft_status sgdmft_estimate_cost(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_cost *out);

/* Fails with SGDMFT_ERR_MEMORY if the machine has less memory to offer than `cost` needs; sgdmft_solve checks this,
   too. */
SGDMFT_API sgdmft_status sgdmft_check_memory(sgdmft_context *ctx, const sgdmft_cost *cost);

/* Solves the limiting equations. When the dynamics diverge (SGDMFT_ERR_DIVERGED), the tolerance is not reached
   (SGDMFT_ERR_NO_CONVERGENCE), a loss is not finite (SGDMFT_ERR_NON_FINITE), the accuracy is not reached
   (SGDMFT_ERR_ACCURACY) or the caller interrupts (SGDMFT_ERR_INTERRUPTED), *out still holds everything computed up to
   that time, and so it may after a call-back aborted (SGDMFT_ERR_PLUGIN). On any other failure, as of
   sgdmft_estimate_cost, *out is NULL. The caller frees *out. */
SGDMFT_API sgdmft_status sgdmft_solve(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_solution **out);

SGDMFT_END_DECLS

#endif
