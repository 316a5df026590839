/* Steps of SGD and of online dynamics: visits of single samples or of batches. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_VISITS_H
#define SGDMFT_VALIDATION_SIMULATOR_VISITS_H

#include "validation/simulator/integrator.h"

extern const integrator integrator_visits;

/* When a penalty that is an expression acts on the steps first .. last - 1: they are divided into `windows` parts that
   are as equal as possible, and amid each part one kick stands for all its steps. */
typedef struct penalty_kicks {
    uint64_t first, steps, windows;
    uint64_t next; /* window of the next kick */
    uint64_t at;   /* step of the next kick */
    double duration;
} penalty_kicks;

/* `duration` is that of a step. */
penalty_kicks penalty_kicks_of(double duration, uint64_t first, uint64_t last);

#endif
