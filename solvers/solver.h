/* The solver seam: a problem goes in, a solution comes out. Each solver says which problems it cannot solve, and why.
   */
#ifndef SGDMFT_SOLVERS_SOLVER_H
#define SGDMFT_SOLVERS_SOLVER_H

#include "core/context.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"

typedef struct solver {
    const char *name; /* in one or two words */

    /* NULL if this solver is for the problem, otherwise why it is not, as a phrase; static storage. A solver for the
       problem may still refuse it in `prepare`, with a message that names key and line. */
    const char *(*cannot_solve)(const sgdmft_problem *problem);

    /* Compiles and checks everything that does not take long. *plan is released by the caller, on success only; the
       problem must outlive it. */
    sgdmft_status (*prepare)(sgdmft_context *ctx, const sgdmft_problem *problem, void **plan);
    void (*release)(void *plan);

    /* Memory of each rank and time, on that many ranks with that many threads each. */
    void (*cost)(const void *plan, int threads, int ranks, sgdmft_cost *out);

    /* As sgdmft_solve; a reason to stop early is in the status of the solution, the return value reports failures
       without a solution. */
    sgdmft_status (*run)(sgdmft_context *ctx, const void *plan, sgdmft_solution **out);

    int all_ranks; /* 1: all ranks run it, and rank 0 gets the solution; 0: rank 0 runs it alone */
} solver;

#endif
