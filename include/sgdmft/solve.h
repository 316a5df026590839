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

/* Errors: SGDMFT_ERR_UNSUPPORTED, 303 (kink), 304 (plug-in), 500. */
SGDMFT_API sgdmft_status sgdmft_estimate_cost(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_cost *out);

/* Solves the limiting equations. When the dynamics diverge, the tolerance is not reached or the caller interrupts,
   *out still holds everything computed up to that time and the status says why (400..403).
   On any other failure *out is NULL. The caller frees *out. */
SGDMFT_API sgdmft_status sgdmft_solve(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out);

SGDMFT_END_DECLS

#endif
