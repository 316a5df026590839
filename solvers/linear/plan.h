/* The plan of the exact method: the reduced model and the times. Immutable once made. */
#ifndef SGDMFT_SOLVERS_LINEAR_PLAN_H
#define SGDMFT_SOLVERS_LINEAR_PLAN_H

#include <stddef.h>

#include "core/context.h"
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
} linear_plan;

/* Fails as linear_model_init and linear_risk_check do. Emptied with linear_plan_clear; empty on failure. */
sgdmft_status linear_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_plan *out);
void linear_plan_clear(linear_plan *plan);

/* The end of the time of the modes. */
double linear_plan_horizon(const linear_plan *plan);

void linear_plan_cost(const linear_plan *plan, int threads, sgdmft_cost *out);

#endif
