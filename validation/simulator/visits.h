/* Steps of SGD and of online dynamics: visits of single samples or of batches. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_VISITS_H
#define SGDMFT_VALIDATION_SIMULATOR_VISITS_H

#include "validation/simulator/integrator.h"

extern const integrator integrator_visits;

/* When a penalty that is an expression acts during the steps first .. last - 1: these are divided into `windows` parts
   that are as equal as possible, and in the middle of each part one impulse stands for all its steps. Where the limit
   is discrete in time as well, every step has an impulse. */
typedef struct penalty_impulses {
    uint64_t first, steps, windows;
    uint64_t next; /* window of the next impulse */
    uint64_t at;   /* step of the next impulse */
    double duration;
} penalty_impulses;

/* `duration` is that of a step. Impulses are at most `apart` apart, or in every step if that is shorter. */
penalty_impulses penalty_impulses_of(double duration, double apart, uint64_t first, uint64_t last);

#endif
