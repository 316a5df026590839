/* A way of solving a problem, as solve.c sees it. */
#ifndef SGDMFT_SOLVERS_SOLVER_H
#define SGDMFT_SOLVERS_SOLVER_H

#include "core/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solve.h"

typedef struct solver {
    /* Compiles and checks everything that does not take long. *setup is released by the caller, on success only; the
       problem must outlive it. */
    sgdmft_status (*prepare)(sgdmft_context *ctx, const sgdmft_problem *problem, void **setup);
    void (*release)(void *setup);
    /* Memory of each rank and time, on that many ranks with that many threads each. */
    void (*cost)(const void *setup, int threads, int ranks, sgdmft_cost *out);
    /* As sgdmft_solve; a reason to stop early is in the status of the solution, the return value reports failures
       without a solution. */
    sgdmft_status (*run)(sgdmft_context *ctx, const void *setup, sgdmft_solution **out);
    int together; /* 1: all ranks run it, and rank 0 gets the solution; 0: rank 0 alone does */
} solver;

/* In solve.c. Fails with SGDMFT_ERR_MEMORY if the machine has less to offer. */
sgdmft_status solver_check_memory(sgdmft_context *ctx, const sgdmft_cost *cost);

#endif
