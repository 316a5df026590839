/* What the exact method is asked for: the reduced model and the times. Immutable. */
#ifndef SGDMFT_SOLVERS_LINEAR_SETUP_H
#define SGDMFT_SOLVERS_LINEAR_SETUP_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/solve.h"
#include "solvers/linear/model.h"

/* Ascending times, also in the units in which the modes run: they differ for a schedule. */
typedef struct time_points {
    size_t n;
    double *t, *s;
} time_points;

typedef struct linear_setup {
    const sgdmft_problem *problem;
    linear_model model;
    time_points output, grid; /* output times; nodes of the two-time arrays */
} linear_setup;

/* Fails like linear_model_init. linear_setup_clear empties it again, on failure it is empty. */
sgdmft_status linear_setup_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_setup *out);
void linear_setup_clear(linear_setup *setup);

/* The end of time, in the units of the modes. */
double linear_setup_horizon(const linear_setup *setup);

void linear_cost(const linear_setup *setup, int threads, sgdmft_cost *out);

#endif
