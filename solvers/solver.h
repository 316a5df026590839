/* The solver seam: a problem goes in, a solution comes out. Each solver states which problems it cannot solve, and
   why. */
#ifndef SGDMFT_SOLVERS_SOLVER_H
#define SGDMFT_SOLVERS_SOLVER_H

#include "core/context.h"
#include "problem/problem.h"
#include "sgdmft/solve.h"

typedef struct solver {
    const char *name; /* in one or two words */

    /* NULL if this solver can solve the problem, otherwise the reason why not, as a phrase in static storage. A solver
       that can solve problems of this kind may still refuse one in `prepare`, with a message that names key and
       line. */
    const char *(*cannot_solve)(const sgdmft_problem *problem);

    /* Compiles and checks everything that does not take long. On success the caller releases *plan; the problem must
       outlive it. */
    sgdmft_status (*prepare)(sgdmft_context *ctx, const sgdmft_problem *problem, void **plan);
    void (*release)(void *plan);

    /* The memory of each rank and the time, on `ranks` ranks with `threads` threads each. */
    void (*cost)(const void *plan, int threads, int ranks, sgdmft_cost *out);

    /* As sgdmft_solve. If the solve ends early, the reason is in the status of the solution; the return value reports
       failures that leave no solution. */
    sgdmft_status (*run)(sgdmft_context *ctx, const void *plan, sgdmft_solution **out);

    int all_ranks; /* 1: all ranks run it, and rank 0 gets the solution; 0: rank 0 runs it alone */
} solver;

#endif
