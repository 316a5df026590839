/* The results of all repetitions, and the solution that is made from them: means and standard errors. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_RESULTS_H
#define SGDMFT_VALIDATION_SIMULATOR_RESULTS_H

#include "sgdmft/simulate.h"
#include "validation/simulator/repetition.h"

typedef struct repetition_result {
    int started;
    size_t reached; /* output times */
    sgdmft_status status;
    double visits, data_seconds, run_seconds, observe_seconds;
} repetition_result;

typedef struct simulator_results {
    const simulator_plan *plan;
    repetition_result *result; /* [repetitions] */
    double *curves;            /* [repetitions][output times][columns] */
    int interrupted;           /* 1 if the caller asked to stop */
} simulator_results;

double simulator_results_bytes(const simulator_plan *plan);

sgdmft_status simulator_results_init(sgdmft_context *ctx, const simulator_plan *plan, simulator_results *out);
/* Makes room for the repetitions that the problem of the plan has now; it had `from` before. */
sgdmft_status simulator_results_grow(sgdmft_context *ctx, int from, simulator_results *results);

/* How many repetitions, counted from the first, are complete up to the first that is not. */
int simulator_results_leading(const simulator_results *results);

void simulator_results_clear(simulator_results *results);

/* Stores the results of a repetition. Different repetitions may be stored at the same time. */
void simulator_results_keep(simulator_results *results, const repetition *rep);

/* The status of *out is the reason to stop early, if there is one. */
sgdmft_status simulator_results_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution **out);

/* `concurrent` repetitions ran at the same time. */
sgdmft_simulation_report simulator_results_report(const simulator_results *results, int concurrent);

#endif
