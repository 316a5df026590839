/* One repetition after the other, in the memory of one thread: data, dynamics, averages. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_REPETITION_H
#define SGDMFT_VALIDATION_SIMULATOR_REPETITION_H

#include "validation/simulator/integrator.h"
#include "validation/simulator/observe.h"

/* Shared by the threads of a simulation. */
typedef struct repetitions_shared {
    solve_progress progress;
    size_t needed; /* output times that all repetitions so far have reached; later ones will not be in the curves */
} repetitions_shared;

typedef struct repetition {
    const simulator_plan *plan;
    repetitions_shared *shared;
    simulator_system system;
    const integrator *integrator;
    void *state; /* of the integrator */
    observer observer;
    double run_seconds; /* CPU time of the dynamics */
} repetition;

/* The integrator for the process of a problem. */
const integrator *integrator_of(const simulator_plan *plan);

double repetition_bytes(const simulator_plan *plan);

/* *out must be cleared, on failure too. */
sgdmft_status repetition_init(sgdmft_context *ctx, const simulator_plan *plan, repetitions_shared *shared,
                              repetition *out);
void repetition_clear(repetition *rep);

/* All of repetition `number`. Its results are observer.curves, observer.reached and system.status, which is SGDMFT_OK
   also if the caller asked to stop or if later output times are not needed. */
void repetition_do(repetition *rep, uint32_t number);

/* Parts of it: from nothing to t = 0, and from one stop to the next. Non-zero if the repetition cannot go on. */
int repetition_start(repetition *rep, uint32_t number);
int repetition_advance(repetition *rep, const simulator_stop *from, const simulator_stop *to);

#endif
