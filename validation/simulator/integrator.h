/* An integrator moves theta from one stop to the next. There is one for each kind of driving process: visits.h,
   diffusion.h, flow.h. Its state belongs to one thread and is used for one repetition after the other. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_INTEGRATOR_H
#define SGDMFT_VALIDATION_SIMULATOR_INTEGRATOR_H

#include "validation/simulator/system.h"

typedef struct integrator {
    /* Memory of a state, and a new state, which is released by free(); NULL if there is no memory for it. */
    double (*bytes)(const simulator_plan *plan);
    void *(*create)(const simulator_plan *plan);

    /* Prepares for the repetition for which sys was started. Non-zero if it cannot go on, as in system.h. */
    int (*start)(void *state, simulator_system *sys);
    /* Moves theta from stop `from` to stop `to`. The first move of a repetition begins at t = 0, and each later one at
       the end of the move before it. Non-zero as above. */
    int (*advance)(void *state, simulator_system *sys, const simulator_stop *from, const simulator_stop *to);

    /* Steps of a repetition, or 0 if their number is not known beforehand. */
    size_t (*steps)(const simulator_plan *plan);
    /* Expected number of rows along which theta is moved in a repetition. */
    double (*visits)(const simulator_plan *plan);
} integrator;

#endif
