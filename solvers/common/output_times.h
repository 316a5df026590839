/* The output times of a problem, and interpolation of values at grid nodes to these times. They are evenly spaced, the
   first is 0 and the last exactly the horizon. Where the dynamics are discrete, they are the steps nearest to times
   that are evenly spaced up to the last step, and no step is taken twice. */
#ifndef SGDMFT_SOLVERS_COMMON_OUTPUT_TIMES_H
#define SGDMFT_SOLVERS_COMMON_OUTPUT_TIMES_H

#include <stddef.h>

#include "kernels/grid.h"
#include "sgdmft/problem.h"

/* The number of output times: problem->output.times, or one for each step if there are fewer steps. */
size_t output_times_count(const sgdmft_problem *problem);

/* Output time i, 0 <= i < output_times_count(problem). */
double output_time(const sgdmft_problem *problem, size_t i);

/* Sets wanted[steps + 1] to 1 at the nodes from which values at output times are interpolated. */
void output_times_mark(const sgdmft_problem *problem, const time_grid *grid, char *wanted);

/* Output times whose interpolation needs none but the first `nodes` nodes. */
size_t output_times_reached(const sgdmft_problem *problem, const time_grid *grid, int nodes);

/* Value at time t of column `column` of values[steps + 1][columns], by local cubic interpolation. */
double value_at_time(const time_grid *grid, double t, const double *values, size_t columns, size_t column);

#endif
