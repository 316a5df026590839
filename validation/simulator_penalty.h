/* The gradient of a separable penalty, from its expression in th1 .. thk. Immutable, shared by threads. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_PENALTY_H
#define SGDMFT_VALIDATION_SIMULATOR_PENALTY_H

#include <stddef.h>

#include "base/context.h"
#include "sgdmft/problem.h"

typedef struct simulator_penalty simulator_penalty;

/* *out stays NULL if the problem has no `penalty`. Errors: 300..302, 500. */
sgdmft_status simulator_penalty_new(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_penalty **out);
void simulator_penalty_free(simulator_penalty *p);

/* Doubles of work space of one thread. */
size_t simulator_penalty_work(const simulator_penalty *p);

/* target_a += factor d penalty / d th_a at theta, for every coordinate: the k vectors of `theta` and of `target` follow
   each other at distance `length`, d coordinates count. `theta` may be `target`. */
void simulator_penalty_add(const simulator_penalty *p, double *work, size_t d, size_t length, double factor,
                           const float *theta, float *target);

#endif
