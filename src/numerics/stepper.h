/* Adaptive integration of an ordinary differential equation dy/dt = f(t, y), by CVODE of SUNDIALS: multistep methods of
   variable step and order with dense output. */
#ifndef SGDMFT_NUMERICS_STEPPER_H
#define SGDMFT_NUMERICS_STEPPER_H

#include <stddef.h>

#include "core/context.h"

typedef struct stepper stepper;

typedef struct stepper_problem {
    size_t size;
    /* dy = f(t, y). Returns 0, a positive number if y is outside of the domain of f, where a smaller step may help, or
       a negative one to give up. */
    int (*value)(void *user, double t, const double *y, double *dy);
    /* weight[size] of the components of y: the root mean square of weight times local error is kept below 1. */
    void (*weights)(void *user, const double *y, double *weight);
    void *user;
} stepper_problem;

/* STEPPER_ADAMS: orders up to 12, with a fixed-point iteration, for smooth problems. STEPPER_BDF: orders up to 5, with
   Newton's method and a dense Jacobian from differences, for stiff problems. */
typedef enum stepper_method { STEPPER_ADAMS, STEPPER_BDF } stepper_method;

sgdmft_status stepper_new(sgdmft_context *ctx, const stepper_problem *problem, stepper_method method, stepper **out);
void stepper_free(stepper *st);

/* Starts at (t, y); no step goes beyond `stop` > t. May be called again at any time. */
sgdmft_status stepper_start(sgdmft_context *ctx, stepper *st, double t, const double *y, double stop);

/* Makes one step, which ends at *t. Returns 0, or non-zero if no step can be made. */
int stepper_step(stepper *st, double *t);

/* y[size] at a time t within the last step. */
void stepper_dense(const stepper *st, double t, double *y);

/* Steps, and evaluations of f, since the stepper was made. */
size_t stepper_steps(const stepper *st);
size_t stepper_evaluations(const stepper *st);

#endif
