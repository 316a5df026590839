/* The gradient of a separable penalty on vectors in single precision. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_PENALTY_H
#define SGDMFT_VALIDATION_SIMULATOR_PENALTY_H

#include <stddef.h>

#include "model/penalty.h"

/* Doubles of work space of one thread. */
size_t simulator_penalty_work(const penalty *p, int k);

/* target_a += factor d penalty / d th_a at theta, for every coordinate: the k vectors of `theta` and of `target` follow
   each other at distance `length`, d coordinates count. `theta` may be `target`. */
void simulator_penalty_add(const penalty *p, int k, double *work, size_t d, size_t length, double factor,
                           const float *theta, float *target);

#endif
