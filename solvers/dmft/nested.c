#include "solvers/dmft/nested.h"

#include <stdlib.h>
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
    const path_plan *on_grid = &plan->on_grid[grid];
    grid_shape shape = {.k = on_grid->shape.k,
                        .kstar = on_grid->shape.kstar,
                        .steps = plan->grid[grid]->steps,
                        .observables = 2 + 2 * (size_t)on_grid->shape.observables,
                        .marks = plan->merged && grid == GRID_FINE ? plan->n_marks : 0};
    sgdmft_status status = plan->merged ? SGDMFT_OK : dmft_plan_kernels(ctx, plan, plan->grid[grid], &kern);
    if (status)
        return status;
    status = grid_solution_new(ctx, &shape, kern, out);
    if (!status && shape.marks)
        memcpy((*out)->mark, plan->mark, sizeof *plan->mark * (size_t)plan->n_marks);
    if (status) {
        kernels_free(kern);
        return status;
    }
    output_times_mark(plan->problem, plan->grid[grid], (*out)->wanted);
    return plan->penalty && grid == GRID_FINE ? dmft_coordinates_record(ctx, plan, &(*out)->record) : SGDMFT_OK;
}

/* Completes the replica. */
static void complete(const dmft_plan *plan, const replica_environment *environment, replica *rep)
{
    rep->tolerance = attainable_tolerance(plan->problem, plan->on_grid[GRID_FINE].shape.jumps);
    rep->passes_max = plan->problem->numerics.passes_max;
    rep->monitor = environment->monitor;
    rep->stop_requested = environment->stop_requested;
    rep->group_stopping = environment->group_stopping;
}

/* Marches or iterates. */
static sgdmft_status run(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                         coordinate_ensemble *coordinates, replica *rep)
{
    complete(plan, environment, rep);
    rep->coordinates = coordinates;
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
        status = replica_new(
            ctx, &(replica_source){&plan->on_grid[grid], in->paths, *out, plan->grid[grid], share, NULL}, &rep);
    status = ranks_agree(ctx, share->ranks, status);
    if (!status)
        status = run(ctx, plan, environment, coordinates, rep);
    replica_free(rep);
    coordinate_ensemble_free(coordinates);
    return status;
}

/* A replica with a merged history on all its grids, which march side by side through the same windows. */
typedef struct side_by_side {
    sgdmft_context *ctx;
    const dmft_plan *plan;
    const replica_environment *environment;
    window_source source;
    const time_grid *grid[WINDOW_GRIDS];
    path_ensemble *start;
    path_window *window; /* [blocks] */
    replica *rep[GRIDS];
    marcher *march[GRIDS];
} side_by_side;

static sgdmft_status windows_new(side_by_side *all)
{
    size_t blocks = all->start->n_blocks, paths = 0;
    all->window = calloc(blocks, sizeof *all->window);
    if (!all->window)
        return context_out_of_memory(all->ctx, "the inputs of paths", 100.0 * (double)blocks);
    sgdmft_status status = SGDMFT_OK;
    for (size_t b = 0; b < blocks && !status; b++) {
        size_t n = all->start->block[b].n;
        if (share_owns(&all->environment->share, b))
            status = path_window_new(all->ctx, &all->source, n, paths, &all->window[b]);
        paths += n;
    }
    return status;
}

static sgdmft_status march_new(side_by_side *all, int grid, grid_solution **out)
{
    const dmft_plan *plan = all->plan;
    merged_source merged = {.window = all->window, .level = grid};
    dmft_plan_merged(plan, grid, &merged.kernels);
    sgdmft_status status = nested_grid_solution(all->ctx, plan, grid, out);
    if (!status)
        status = replica_new(all->ctx,
                             &(replica_source){&plan->on_grid[grid], all->start, *out, plan->grid[grid],
                                               &all->environment->share, &merged},
                             &all->rep[grid]);
    status = ranks_agree(all->ctx, all->environment->share.ranks, status);
    if (status)
        return status;
    complete(plan, all->environment, all->rep[grid]);
    return marcher_new(all->ctx, all->rep[grid], &all->march[grid]);
}

/* Draws a window of all blocks. */
static sgdmft_status draw_window(side_by_side *all, int index)
{
    int failed = 0, stopped = 0, threads = share_threads(&all->environment->share);
    size_t blocks = all->start->n_blocks;
#pragma omp parallel for schedule(static, 1) num_threads(threads) reduction(| : failed, stopped) if (threads > 1)
    for (size_t b = 0; b < blocks; b++) {
        stopped |= context_stop_now(all->ctx);
        if (stopped || !share_owns(&all->environment->share, b))
            continue;
        sgdmft_status status = path_window_draw(all->ctx, &all->source, &all->window[b], index,
                                                all->rep[GRID_FINE]->merged->block[b].g_last);
        stopped |= status == SGDMFT_ERR_INTERRUPTED;
        failed |= status == SGDMFT_ERR_MEMORY;
    }
    if (stopped)
        return context_interrupted(all->ctx, "paths were drawn");
    return failed ? context_out_of_memory(all->ctx, "the inputs of paths", 0) : SGDMFT_OK;
}

static void side_by_side_clear(side_by_side *all)
{
    for (int grid = 0; grid < GRIDS; grid++) {
        marcher_free(all->march[grid]);
        replica_free(all->rep[grid]);
    }
    for (size_t b = 0; all->window && b < all->start->n_blocks; b++)
        path_window_clear(&all->window[b]);
    free(all->window);
    path_ensemble_free(all->start);
}

static double visits_of(const side_by_side *all)
{
    double sum = 0;
    for (size_t b = 0; b < all->start->n_blocks; b++)
        sum += all->window[b].visits;
    return sum;
}

static sgdmft_status solve_merged(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                                  uint32_t stream, replica_result *out)
{
    path_source paths = shared_source(plan, environment);
    side_by_side all = {.ctx = ctx, .plan = plan, .environment = environment};
    int grids = dmft_plan_grids(plan), windows = plan->grid[GRID_FINE]->steps / WINDOW_CELLS;
    for (int grid = 0; grid < GRIDS; grid++)
        all.grid[grid] = plan->grid[grid];
    all.source = (window_source){.paths = &paths, .grid = all.grid, .replica = stream};
    sgdmft_status status = path_ensemble_start(ctx, &paths, stream, &all.start);
    if (!status)
        status = ranks_agree(ctx, environment->share.ranks, windows_new(&all));
    for (int grid = 0; grid < grids && !status; grid++)
        status = march_new(&all, grid, &out->on_grid[grid]);
    for (int w = 0; w < windows && !status; w++) {
        status = ranks_agree(ctx, environment->share.ranks, draw_window(&all, w));
        if (status == SGDMFT_ERR_INTERRUPTED) {
            for (int grid = 0; grid < grids; grid++)
                marcher_interrupt(all.march[grid]);
            if (environment->group_stopping)
                *environment->group_stopping = 1;
            status = SGDMFT_OK; /* the nodes up to here are results */
            break;
        }
        for (int grid = 0; grid < grids && !status; grid++)
            for (int c = 0; c < WINDOW_CELLS >> grid; c++)
                marcher_step(all.march[grid]);
    }
    if (!status)
        out->visits = visits_of(&all);
    side_by_side_clear(&all);
    return status;
}

sgdmft_status nested_solve(sgdmft_context *ctx, const dmft_plan *plan, const replica_environment *environment,
                           uint32_t stream, int index, replica_result *out)
{
    if (plan->merged)
        return solve_merged(ctx, plan, environment, stream + (uint32_t)index, out);
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
