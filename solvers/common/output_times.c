#include "solvers/common/output_times.h"

#include <string.h>

#include "problem/problem.h"

double output_time(const sgdmft_problem *problem, size_t i)
{
    size_t last = (size_t)problem->output.times - 1;
    return i == last ? problem->horizon : problem->horizon * (double)i / (double)last;
}

void output_times_mark(const sgdmft_problem *problem, const time_grid *grid, char *wanted)
{
    double weights[4];
    for (size_t i = 0; i < (size_t)problem->output.times; i++) {
        int count, first = time_grid_stencil(grid, output_time(problem, i), &count, weights);
        memset(wanted + first, 1, (size_t)count);
    }
}

size_t output_times_reached(const sgdmft_problem *problem, const time_grid *grid, int nodes)
{
    double weights[4];
    size_t reached = 0;
    for (; reached < (size_t)problem->output.times; reached++) {
        int count, first = time_grid_stencil(grid, output_time(problem, reached), &count, weights);
        if (first + count > nodes)
            break;
    }
    return reached;
}

double value_at_time(const time_grid *grid, double t, const double *values, size_t columns, size_t column)
{
    double weights[4], sum = 0;
    int count, first = time_grid_stencil(grid, t, &count, weights);
    for (int i = 0; i < count; i++)
        sum += weights[i] * values[(size_t)(first + i) * columns + column];
    return sum;
}
