/* From theta at the stops to the curves of a repetition: the second moments q and m, and averages over training and
   fresh samples: train_loss, test_loss and the observables. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_OBSERVE_H
#define SGDMFT_VALIDATION_SIMULATOR_OBSERVE_H

#include "validation/simulator/system.h"

typedef struct observer {
    const simulator_plan *plan;
    double *curves;       /* [output times][columns.count] */
    size_t reached;       /* output times of which all values are there */
    double seconds;       /* CPU time of the averages over samples */
    samples fresh;        /* a block */
    float *snapshot;      /* [snapshots][k][length] thetas whose averages over samples are still to be taken */
    simulator_stop *stop; /* [snapshots] the stops they belong to */
    size_t waiting;       /* their number */
    double *lanes;        /* [components][WORKSPACE_LANES] */
    void *memory;
} observer;

double observer_bytes(const simulator_plan *plan);

/* *out must be cleared, on failure too. */
sgdmft_status observer_init(sgdmft_context *ctx, const simulator_plan *plan, observer *out);
void observer_clear(observer *o);

/* Begins a repetition, which is expected to reach all output times. */
void observer_start(observer *o);

/* The repetition does not reach output time number `time`. */
void observer_lower(observer *o, size_t time);

/* Takes the values of a stop from theta as it is. Non-zero if the repetition cannot go on, as for system.h. */
int observer_take(observer *o, simulator_system *sys, const simulator_stop *stop);

/* Takes the averages over samples for all stops so far. Non-zero as above. */
int observer_finish(observer *o, simulator_system *sys);

#endif
