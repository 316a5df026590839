/* Solving: problem in, solution out. */
#ifndef SGDMFT_SOLVE_H
#define SGDMFT_SOLVE_H

#include "context.h"
#include "problem.h"
#include "solution.h"

SGDMFT_BEGIN_DECLS

/* What a solve would take, without running it. */
typedef struct sgdmft_cost {
    double memory_bytes;    /* peak memory */
    double path_bytes;      /* of it, per path that is worked on: numerics.paths of each replica that runs at the same
                               time; 0 without sampled paths */
    double pair_bytes;      /* of it, per pair of time steps, all replicas together; 0 without a time grid */
    double available_bytes; /* memory this machine has to offer now */
    double cpu_seconds;     /* rough, all threads together */
    double wall_seconds;    /* rough, at the context's number of threads */
} sgdmft_cost;

/* The solvers, 0 <= index < count: their names, and whether they are for a problem. sgdmft_solver_cannot_solve returns NULL if so, and
   otherwise why not, as a phrase. The first one that is for the problem solves it. All texts are in static storage. */
SGDMFT_API size_t sgdmft_solver_count(void);
SGDMFT_API const char *sgdmft_solver_name(size_t index);
SGDMFT_API const char *sgdmft_solver_cannot_solve(size_t index, const sgdmft_problem *problem);

/* Errors: SGDMFT_ERR_UNSUPPORTED, 303 (kink), 304 (plug-in), 500. */
SGDMFT_API sgdmft_status sgdmft_estimate_cost(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_cost *out);

/* Fails with SGDMFT_ERR_MEMORY if the machine has less memory to offer than `cost` says; sgdmft_solve asks this, too. */
SGDMFT_API sgdmft_status sgdmft_check_memory(sgdmft_context *ctx, const sgdmft_cost *cost);

/* Solves the limiting equations. When the dynamics diverge, the tolerance is not reached or the caller interrupts,
   *out still holds everything computed up to that time and the status says why (400..403).
   On any other failure *out is NULL. The caller frees *out. */
SGDMFT_API sgdmft_status sgdmft_solve(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out);

SGDMFT_END_DECLS

#endif
