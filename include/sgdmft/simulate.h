/* Simulating: the finite system of docs/theory.md, section 1, on synthetic data. Its curves converge to those of
   sgdmft_solve as the dimension grows. Section `simulate` of the problem says how large the system is; docs/simulate.md
   describes what is simulated.

   Repetitions are independent: data, start and order of visits differ. Curves are means over repetitions, with their
   standard errors. They are a function of the problem and numerics.seed, whatever the number of threads. */
#ifndef SGDMFT_SIMULATE_H
#define SGDMFT_SIMULATE_H

#include <stddef.h>

#include "context.h"
#include "problem.h"
#include "solution.h"
#include "solve.h"

SGDMFT_BEGIN_DECLS

/* How a simulation went. Its wall time, CPU time and standard errors are in the `info` of the solution. */
typedef struct sgdmft_simulation_report {
    size_t d;                    /* coordinates */
    size_t n;                    /* training samples of a repetition; 0 if every sample is used once only */
    size_t tests;                /* fresh samples of a repetition over which test averages are taken */
    int concurrent;              /* repetitions that ran at the same time */
    const char *instruction_set; /* of the inner loops, e.g. "avx512"; static storage */
    double visits;               /* rows along which theta was moved, in all repetitions together */
    double data_seconds;         /* CPU time of drawing what theta learns from, */
    double run_seconds;          /* of the dynamics, */
    double observe_seconds;      /* and of the averages at output times */
} sgdmft_simulation_report;

/* Memory and rough time of a simulation, without running it. Errors: those of sgdmft_simulate that are not in the
   dynamics. */
SGDMFT_API sgdmft_status sgdmft_simulate_cost(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_cost *out);

/* Simulates. The solution has the curves of sgdmft_solve without the response, and no two-time arrays; the caller frees
   it. `report` may be NULL.

   If a repetition diverges (SGDMFT_ERR_DIVERGED), if a loss is not a finite number (SGDMFT_ERR_NON_FINITE) or if the
   caller interrupts (SGDMFT_ERR_INTERRUPTED), *out holds the output times that all repetitions reached; after an
   interrupt the finished repetitions alone, if they are at least two. Where repetitions are added until an accuracy is
   met, and it is not (SGDMFT_ERR_ACCURACY), *out has all of them. On any other failure *out is NULL:
   SGDMFT_ERR_RANGE and SGDMFT_ERR_CONFLICT for sizes that make no system, those of sgdmft_problem_check and of the model
   as for sgdmft_solve, and SGDMFT_ERR_MEMORY if not even one repetition fits. */
SGDMFT_API sgdmft_status sgdmft_simulate(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_simulation_report *report,
                                         sgdmft_solution **out);

SGDMFT_END_DECLS

#endif
