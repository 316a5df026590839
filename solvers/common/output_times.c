#include "solvers/common/output_times.h"

#include <string.h>

#include "problem/problem.h"

size_t output_times_count(const sgdmft_problem *problem)
{
    int64_t wanted = problem->output.times;
    if (problem_is_discrete(problem) && problem_discrete_steps(problem) + 1 < wanted)
        return (size_t)problem_discrete_steps(problem) + 1;
    return (size_t)wanted;
}

/* Whole numbers throughout, so that neighbouring output times cannot be rounded to the same step. */
static double discrete_time(const sgdmft_problem *problem, uint64_t i, uint64_t last)
{
    uint64_t steps = (uint64_t)problem_discrete_steps(problem), step = (2 * i * steps + last) / (2 * last);
    return (double)step * problem->batch_fraction;
}

double output_time(const sgdmft_problem *problem, size_t i)
{
    size_t last = output_times_count(problem) - 1;
    if (problem_is_discrete(problem))
        return discrete_time(problem, i, last);
    return i == last ? problem->horizon : problem->horizon * (double)i / (double)last;
}

void output_times_mark(const sgdmft_problem *problem, const time_grid *grid, char *wanted)
{
    double weights[4];
    for (size_t i = 0, times = output_times_count(problem); i < times; i++) {
        int count, first = time_grid_stencil(grid, output_time(problem, i), &count, weights);
        memset(wanted + first, 1, (size_t)count);
    }
}

size_t output_times_reached(const sgdmft_problem *problem, const time_grid *grid, int nodes)
{
    double weights[4];
    size_t reached = 0, times = output_times_count(problem);
    for (; reached < times; reached++) {
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
