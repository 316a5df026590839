#include "solvers/common/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "columns/solution.h"
#include "core/context.h"
#include "core/memory.h"
#include "problem/problem.h"

/* Standard errors below this part of the mean are rounding. */
static const double ROUNDING = 1e-13;

/* The error of Y_h in units of Y_2h - Y_h. With smooth gradients it was seen to lie between 1/15, the fourth order, and
   1/5. Where gradients jump, some curves are of first order, and two thirds of their error survive extrapolation: there
   the whole change counts (docs/solver.md). */
static const double PART_SMOOTH = 0.2, PART_JUMPS = 1, FOURTH_ORDER = 1.0 / 15;

/* The series in h shows if the mean square of Y_2h - Y_h is less than this part of that of X_2h - Y_2h. Where X_h is
   already right and X_2h is not, the two are equal. */
static const double SERIES_SHOWS = 0.5;

/* Step errors count at all times this near, as a part of the horizon. */
static const double NEARBY = 0.2;

void mean_and_error(size_t n, const double *x, double *mean, double *se)
{
    double sum = 0, squares = 0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / count;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *se = n > 1 ? sqrt(squares / (count * (count - 1))) : 0;
    if (*se < ROUNDING * fabs(*mean))
        *se = 0;
}

double step_error_of(double fine, double coarse)
{
    return (coarse - fine) / 3;
}

double extrapolated(double fine, double coarse)
{
    return fine - step_error_of(fine, coarse);
}

void grid_changes_add(grid_changes *x, double fine, double coarse, double coarsest)
{
    double next = extrapolated(coarse, coarsest);
    x->change += next - extrapolated(fine, coarse);
    x->before += coarse - next;
    x->count++;
}

static double sum_of_squares(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

double fourth_order_part(int jumps, size_t n, const double *change, const double *before)
{
    return jumps || sum_of_squares(n, change) > SERIES_SHOWS * sum_of_squares(n, before) ? 0 : FOURTH_ORDER;
}

double step_error_part(int jumps)
{
    return jumps ? PART_JUMPS : PART_SMOOTH;
}

void add_step_errors(size_t n, const double *times, double horizon, const double *step_error, double *se)
{
    for (size_t i = 0; i < n; i++) {
        double largest = fabs(step_error[i]);
        for (size_t j = 0; i > 0 && j < n; j++)
            if (fabs(times[j] - times[i]) <= NEARBY * horizon)
                largest = fmax(largest, fabs(step_error[j]));
        se[i] = hypot(se[i], largest);
    }
}

sgdmft_status set_worst_errors(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution)
{
    sgdmft_solve_info *info = &solution->info;
    double *scale = memory_doubles(solution->n_times);
    if (!scale)
        return context_out_of_memory(ctx, "the scales of curves", 8.0 * (double)solution->n_times);
    for (size_t c = 0; c < solution->n_curves; c++) {
        const sgdmft_curve *curve = &solution->curves[c];
        solution_natural_scale(solution, problem->initial.rho, c, scale);
        for (size_t i = 0; i < solution->n_times; i++) {
            if (!(scale[i] > 0))
                continue;
            info->se_max = fmax(info->se_max, curve->se[i] / scale[i]);
            info->step_error_max = fmax(info->step_error_max, fabs(curve->step_error[i]) / scale[i]);
        }
    }
    free(scale);
    return SGDMFT_OK;
}

/* An average over a sample jumps by the share of one path when that path changes sides, so that two passes cannot agree
   better than that. */
double attainable_tolerance(const sgdmft_problem *problem, int jumps)
{
    return jumps ? fmax(problem->numerics.tolerance, 2.0 / (double)problem->numerics.paths)
                 : problem->numerics.tolerance;
}
