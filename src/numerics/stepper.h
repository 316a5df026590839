/* Adaptive integration of an ordinary differential equation dy/dt = f(t, y), by CVODE of SUNDIALS: multistep methods of
   variable step and order with dense output. */
#ifndef SGDMFT_NUMERICS_STEPPER_H
#define SGDMFT_NUMERICS_STEPPER_H

#include <stddef.h>

#include "core/context.h"

typedef struct stepper stepper;

typedef struct stepper_problem {
    size_t size;
    /* 0; positive if y is out of the domain of f (a smaller step may help); negative to give up */
    int (*value)(void *user, double t, const double *y, double *dy);
    /* The root mean square of weight times local error is kept below 1. */
    void (*weights)(void *user, const double *y, double *weight);
    void *user;
} stepper_problem;

/* STEPPER_ADAMS: order up to 12, explicit at heart; for smooth problems. STEPPER_BDF: order up to 5, Newton iteration
   with a dense Jacobian from differences; for stiff ones. */
typedef enum stepper_method { STEPPER_ADAMS, STEPPER_BDF } stepper_method;

sgdmft_status stepper_new(sgdmft_context *ctx, const stepper_problem *problem, stepper_method method, stepper **out);
void stepper_free(stepper *st);

/* Starts at (t, y), not to pass `stop` > t. May be called again at any time. */
sgdmft_status stepper_start(sgdmft_context *ctx, stepper *st, double t, const double *y, double stop);

/* One step; *t is where it ends. 0, or non-zero if no step can be made. */
int stepper_step(stepper *st, double *t);

/* y at a time within the last step. */
void stepper_dense(const stepper *st, double t, double *y);

/* Since the stepper was made. */
size_t stepper_steps(const stepper *st);
size_t stepper_evaluations(const stepper *st);

#endif
