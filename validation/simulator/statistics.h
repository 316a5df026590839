/* From repetitions to a solution. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_STATISTICS_H
#define SGDMFT_VALIDATION_SIMULATOR_STATISTICS_H

#include "validation/simulator/simulator.h"
#include "validation/simulator/setting.h"

typedef struct simulator_result {
    size_t reached; /* output times */
    int started;
    sgdmft_status status;
    double visits, data_seconds, run_seconds, observe_seconds;
} simulator_result;

typedef struct simulator_results {
    const simulator_setting *set;
    simulator_result *result; /* [repetitions] */
    double *curves;           /* [repetitions][output times][columns] */
    int interrupted;
} simulator_results;

void simulator_results_clear(simulator_results *results);

/* *out has the reason to stop early, if there is one, as its status. A plug-in that asked to abort is a failure. */
sgdmft_status simulator_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution **out);

simulator_report simulator_report_of(const simulator_results *results, int concurrent);

#endif
