/* The plan of the exact method: the reduced model, its times and its steps. Immutable once made. */
#ifndef SGDMFT_SOLVERS_LINEAR_PLAN_H
#define SGDMFT_SOLVERS_LINEAR_PLAN_H

#include <stddef.h>

#include "core/context.h"
#include "model/schedule.h"
#include "sgdmft/solve.h"
#include "solvers/linear/model.h"

/* Ascending times of the problem, and the same in the time of the modes, which differs from it for a schedule:
   s = int_0^t eta. */
typedef struct time_points {
    size_t n;
    double *t, *s;
} time_points;

typedef struct linear_plan {
    const sgdmft_problem *problem; /* not owned */
    linear_model model;
    time_points output, grid; /* output times; nodes of the two-time arrays */

    /* Of ROUTE_BATCHES, and of ROUTE_SMALL_BATCHES with the fewest steps, whose nodes up to the horizon are `grid`. */
    size_t steps;    /* the last is at the horizon or, for small batches, a little beyond */
    double per_unit; /* steps in a unit of time; whole if there are epochs */
    schedule *eta;   /* of the problem file; NULL on ROUTE_SPECTRUM */
} linear_plan;

/* Fails as linear_model_init and linear_risk_check do, and if there would be too many steps. Emptied with
   linear_plan_clear; empty on failure. */
sgdmft_status linear_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_plan *out);
void linear_plan_clear(linear_plan *plan);

/* eta(t) of the problem file; t is moved into [0, horizon]. */
sgdmft_status linear_plan_eta(sgdmft_context *ctx, const linear_plan *plan, size_t n, const double *t, double *eta);

/* The most steps with which small batches are solved to reach an accuracy, and the number up to which it is not worth
   stopping earlier. */
enum { SMALL_BATCHES_STEPS_MOST = 4096, SMALL_BATCHES_STEPS_CHEAP = 1000 };

/* The nodes from which columns of small batches at a time between nodes are interpolated. */
enum { SMALL_BATCHES_POINTS = 8 };

/* The end of the time of the modes. */
double linear_plan_horizon(const linear_plan *plan);

void linear_plan_cost(const linear_plan *plan, int threads, sgdmft_cost *out);

#endif
