#include "solvers/dmft/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"
#include "solvers/dmft/coordinates.h"

/* Standard errors above NOISY, in units of the scale of their curve, are themselves unreliable. Their cause is the
   number of steps if the step error is more than MOSTLY of them, otherwise the number of paths. */
static const double NOISY = 0.2, MOSTLY = 0.7;

void statistics_warn(sgdmft_context *ctx, const sgdmft_problem *problem, const sgdmft_solve_info *info)
{
    double largest = 100 * info->se_max;
    if (info->se_max <= NOISY)
        return;
    if (info->step_error_max > MOSTLY * info->se_max)
        context_log(
            ctx, SGDMFT_LOG_WARNING,
            "%s: standard errors reach %.0f %% of the scale of a curve: %zu steps are too few up to t = %g; hint: "
            "raise numerics.steps",
            problem->source, largest, info->steps, problem->horizon);
    else
        context_log(
            ctx, SGDMFT_LOG_WARNING,
            "%s: standard errors reach %.0f %% of the scale of a curve: %zu paths are too few for %zu steps up to "
            "t = %g; hint: raise numerics.paths",
            problem->source, largest, info->paths, info->steps, problem->horizon);
}

/* C(t_i, t_j) and R(t_i, t_j) of one replica, j <= i, for entries i and j of the two-time arrays. */
static void two_time(const path_plan *plan, const grid_solution *on_grid, size_t i, size_t j, double *C, double *R)
{
    size_t kk = (size_t)(plan->shape.k * plan->shape.k);
    if (!on_grid->kern) {
        size_t at = (i * (size_t)on_grid->shape.marks + j) * kk;
        memcpy(C, on_grid->C_marks + at, sizeof *C * kk);
        memcpy(R, on_grid->R_marks + at, sizeof *R * kk);
        return;
    }
    kernels_correlation(on_grid->kern, plan->q0, plan->rho, (int)i, (int)j, C);
    kernels_block(on_grid->kern, (int)i, (int)j, R);
}

/* Adds `share` times row i of the two-time arrays of one replica. */
static void add_row(const path_plan *plan, const grid_solution *on_grid, size_t i, double share,
                    sgdmft_solution *solution)
{
    size_t k = (size_t)plan->shape.k, kk = k * k, n = solution->n_grid;
    size_t overlap = k * (size_t)plan->shape.kstar;
    size_t node = on_grid->kern ? i : (size_t)on_grid->mark[i];
    for (size_t j = 0; j <= i; j++) {
        double C[MATRIX_MAX * MATRIX_MAX], R[MATRIX_MAX * MATRIX_MAX];
        two_time(plan, on_grid, i, j, C, R);
        for (size_t c = 0; c < kk; c++) {
            size_t transposed = c % k * k + c / k;
            solution->C[(i * n + j) * kk + c] += share * C[c];
            if (j < i)
                solution->C[(j * n + i) * kk + transposed] += share * C[c];
            solution->R[(i * n + j) * kk + c] += share * R[c];
        }
    }
    for (size_t c = 0; c < overlap; c++)
        solution->m[i * overlap + c] += share * on_grid->m[node * overlap + c];
    solution->residual[i] = fmax(solution->residual[i], on_grid->residual[node]);
}

/* The number of nodes with two-time arrays, of the nodes that were reached. */
static size_t two_time_nodes(const dmft_plan *plan, int reached)
{
    size_t n = 0;
    if (!plan->merged)
        return (size_t)reached;
    while (n < (size_t)plan->n_marks && plan->mark[n] < reached)
        n++;
    return n;
}

static void fill_two_time(const dmft_plan *plan, const replica_set *set, int threads, sgdmft_solution *solution)
{
    for (size_t i = 0; i < solution->n_grid; i++)
        solution->t[i] = plan->grid[GRID_FINE]->t[plan->merged ? (size_t)plan->mark[i] : i];
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < solution->n_grid; i++)
        for (int r = 0; r < set->count; r++)
            add_row(&plan->on_grid[GRID_FINE], set->result[r].on_grid[GRID_FINE], i, 1.0 / set->count, solution);
}

static void count_work(const dmft_plan *plan, const replica_set *set, sgdmft_solve_info *info)
{
    double steps = 0;
    info->paths = (size_t)plan->problem->numerics.paths;
    info->replicas = (size_t)set->count;
    info->steps = (size_t)plan->grid[GRID_FINE]->steps;
    info->extrapolated = plan->problem->numerics.extrapolate && plan->grid[GRID_COARSE];
    for (int r = 0; r < set->count; r++) {
        info->visits += set->result[r].visits;
        for (int grid = 0; grid < dmft_plan_grids_least(plan); grid++) {
            const grid_solution *on_grid = set->result[r].on_grid[grid];
            info->passes += on_grid->passes;
            steps += on_grid->steps;
            if ((size_t)on_grid->passes_max > info->passes_max)
                info->passes_max = (size_t)on_grid->passes_max;
            for (int i = 0; i < on_grid->nodes; i++)
                info->residual_max = fmax(info->residual_max, on_grid->residual[i]);
        }
    }
    info->passes /= steps > 0 ? steps : 1;
}

/* The status of the solution: that of the first replica that stopped early, or else a message if replicas are left
   out. */
static sgdmft_status take_status(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                 sgdmft_solution *solution)
{
    for (int r = 0; r < set->count; r++)
        for (int grid = dmft_plan_grids_least(plan) - 1; grid >= 0; grid--) {
            const grid_solution *on_grid = set->result[r].on_grid[grid];
            if (on_grid->status)
                return solution_set_status(ctx, solution, on_grid->status, on_grid->message ? on_grid->message : "");
        }
    if (set->count == set->asked)
        return SGDMFT_OK;
    char *message = NULL;
    if (asprintf(&message, "interrupted: %d of %d replicas were complete; the curves are means over these", set->count,
                 set->asked) < 0)
        return context_out_of_memory(ctx, "a message", 100);
    sgdmft_status status = solution_set_status(ctx, solution, SGDMFT_ERR_INTERRUPTED, message);
    free(message);
    return status;
}

static sgdmft_status fill_solution(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                   const solution_columns *col, sgdmft_solution *solution, curve_errors *errors)
{
    int nodes = curve_nodes_reached(plan, set, GRID_FINE);
    size_t times = output_times_reached(plan->problem, plan->grid[GRID_FINE], nodes);
    for (size_t i = 0; i < solution->n_times; i++)
        solution->times[i] = output_time(plan->problem, i);
    for (int grid = GRID_COARSE; grid < dmft_plan_grids_least(plan); grid++) {
        size_t coarse = output_times_reached(plan->problem, plan->grid[grid], curve_nodes_reached(plan, set, grid));
        times = times < coarse ? times : coarse;
    }
    solution_truncate(solution, times, two_time_nodes(plan, nodes));
    sgdmft_status status = curve_errors_fill(ctx, plan, set, col, solution, errors);
    if (!status)
        status = set_worst_errors(ctx, plan->problem, solution);
    if (!status) {
        fill_two_time(plan, set, sgdmft_context_threads(ctx), solution);
        count_work(plan, set, &solution->info);
        status = take_status(ctx, plan, set, solution);
    }
    if (!status && plan->penalty)
        status = dmft_coordinates_fill(ctx, plan, set, solution);
    return status;
}

sgdmft_status replica_statistics(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                 curve_errors *errors, sgdmft_solution **out)
{
    model_shape shape = plan->on_grid[GRID_FINE].shape;
    size_t count = (size_t)shape.observables;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)count);
    for (size_t i = 0; i < count; i++)
        names[i] = plan->problem->observables.item[i].name;
    solution_shape want = {.k = shape.k,
                           .kstar = shape.kstar,
                           .n_times = output_times_count(plan->problem),
                           .n_grid = two_time_nodes(plan, plan->grid[GRID_FINE]->steps + 1),
                           .n_observables = count,
                           .observables = names,
                           .response = 1};
    solution_columns col = solution_columns_of(&want);
    sgdmft_solution *solution = NULL;
    curve_errors own = {0};
    sgdmft_status status = solution_new(ctx, &want, &solution);
    free(names);
    if (!status)
        status = fill_solution(ctx, plan, set, &col, solution, errors ? errors : &own);
    curve_errors_clear(&own);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}
