#include "solvers/dmft/nested.h"

#include <string.h>

#include "coordinates/draw.h"
#include "coordinates/ensemble.h"
#include "core/ranks.h"
#include "paths/coarsen.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"
#include "solvers/dmft/coordinates.h"
#include "solvers/dmft/march.h"
#include "solvers/dmft/picard.h"

/* The random inputs of a replica on one grid. */
typedef struct grid_inputs {
    path_ensemble *paths;       /* samples */
    path_ensemble *coordinates; /* NULL for a ridge */
} grid_inputs;

static void grid_inputs_clear(grid_inputs *in)
{
    path_ensemble_free(in->paths);
    path_ensemble_free(in->coordinates);
    *in = (grid_inputs){NULL, NULL};
}

/* The source of the paths, with the share of this rank in its group. */
static path_source shared_source(const dmft_plan *plan, const replica_environment *environment)
{
    path_source source = plan->source;
    source.share = &environment->share;
    return source;
}

/* Draws the inputs for a grid. */
static sgdmft_status draw(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment, int grid,
                          uint32_t stream, grid_inputs *out)
{
    path_source source = shared_source(plan, environment), coordinates = coordinate_source(&source);
    sgdmft_status status = path_ensemble_new(ctx, &source, plan->grid[grid], stream, &out->paths);
    if (!status && plan->penalty)
        status = coordinates_draw(ctx, &coordinates, plan->grid[grid], stream, &out->coordinates);
    return status;
}

/* The inputs for a grid from those for the next finer one. */
static sgdmft_status coarsen(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                             int grid, const grid_inputs *fine, grid_inputs *out)
{
    const time_grid *from = plan->grid[grid - 1], *to = plan->grid[grid];
    path_source source = shared_source(plan, environment), coordinates = coordinate_source(&source);
    sgdmft_status status = path_ensemble_coarsen(ctx, fine->paths, &source, from, to, &out->paths);
    if (!status && plan->penalty)
        status = path_ensemble_coarsen(ctx, fine->coordinates, &coordinates, from, to, &out->coordinates);
    return status;
}

sgdmft_status nested_grid_solution(sgdmft_context *ctx, const dmft_plan *plan, int grid, grid_solution **out)
{
    kernels *kern = NULL;
    sgdmft_status status = dmft_plan_kernels(ctx, plan, plan->grid[grid], &kern);
    if (status)
        return status;
    status = grid_solution_new(ctx, kern, 2 + 2 * (size_t)plan->on_grid[grid].shape.observables, out);
    if (status) {
        kernels_free(kern);
        return status;
    }
    output_times_mark(plan->problem, plan->grid[grid], (*out)->wanted);
    return plan->penalty && grid == GRID_FINE ? dmft_coordinates_record(ctx, plan, &(*out)->record) : SGDMFT_OK;
}

/* Completes the replica and marches or iterates it. */
static sgdmft_status run(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                         coordinate_ensemble *coordinates, replica *rep)
{
    rep->coordinates = coordinates;
    rep->tolerance = attainable_tolerance(plan->problem, plan->on_grid[GRID_FINE].shape.jumps);
    rep->passes_max = plan->problem->numerics.passes_max;
    rep->monitor = environment->monitor;
    rep->stop_requested = environment->stop_requested;
    rep->group_stopping = environment->group_stopping;
    return plan->problem->numerics.method == METHOD_PICARD ? picard_solve(ctx, rep) : march_solve(ctx, rep);
}

/* Solves on one grid from the given inputs. */
static sgdmft_status solve_grid(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                                int grid, const grid_inputs *in, grid_solution **out)
{
    const path_share *share = &environment->share;
    coordinate_ensemble *coordinates = NULL;
    replica *rep = NULL;
    sgdmft_status status = nested_grid_solution(ctx, plan, grid, out);
    if (!status && plan->penalty) {
        status = coordinate_ensemble_new(ctx, plan->penalty, &plan->start, in->coordinates, (*out)->kern,
                                         share_threads(share), &coordinates);
        if (!status && (*out)->record)
            coordinate_ensemble_keep(coordinates, (*out)->record);
    }
    if (!status)
        status = replica_new(ctx, &plan->on_grid[grid], in->paths, *out, plan->grid[grid], share, &rep);
    status = ranks_agree(ctx, share->ranks, status);
    if (!status)
        status = run(ctx, plan, environment, coordinates, rep);
    replica_free(rep);
    coordinate_ensemble_free(coordinates);
    return status;
}

sgdmft_status nested_solve(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                           uint32_t stream, int index, replica_result *out)
{
    grid_inputs in[GRIDS] = {{NULL, NULL}};
    int grids = dmft_plan_grids(plan);
    sgdmft_status status = draw(ctx, plan, environment, GRID_FINE, stream + (uint32_t)index, &in[GRID_FINE]);
    for (int grid = GRID_COARSE; grid < grids && !status; grid++)
        status =
            ranks_agree(ctx, environment->share.ranks, coarsen(ctx, plan, environment, grid, &in[grid - 1], &in[grid]));
    for (int grid = grids - 1; grid >= 0; grid--) {
        if (!status)
            status = solve_grid(ctx, plan, environment, grid, &in[grid], &out->on_grid[grid]);
        if (!status && grid == GRID_FINE)
            out->visits = in[GRID_FINE].paths->visits;
        grid_inputs_clear(&in[grid]);
    }
    return status;
}

sgdmft_status nested_solve_one(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                               int grid, uint32_t stream, grid_solution **out)
{
    grid_inputs in = {NULL, NULL};
    sgdmft_status status = draw(ctx, plan, environment, grid, stream, &in);
    if (!status)
        status = solve_grid(ctx, plan, environment, grid, &in, out);
    grid_inputs_clear(&in);
    return status;
}

void replica_result_clear(replica_result *result)
{
    for (int grid = 0; grid < GRIDS; grid++)
        grid_solution_free(result->on_grid[grid]);
    memset(result, 0, sizeof *result);
}
