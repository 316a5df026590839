#include "solvers/dmft/pilot.h"

#include "core/ranks.h"
#include "paths/purposes.h"
#include "solvers/common/replica_pool.h"
#include "solvers/dmft/nested.h"

/* The number of paths of the pilot: at least PATHS_LEAST, and PATHS_PER_STEP for each step and student. The pilot pays
   only if that is less than 1 / PATHS_FRACTION of the paths of all replicas, of which no more than REPLICAS_MOST count:
   replicas may be added later and must then be of the same kind. */
enum { PATHS_LEAST = 1024, PATHS_PER_STEP = 16, PATHS_FRACTION = 16, REPLICAS_MOST = 8 };

/* The grid of the pilot. */
static int pilot_grid(const dmft_plan *plan)
{
    return plan->grid[GRID_COARSE] ? GRID_COARSE : GRID_FINE;
}

/* The number of paths of the pilot, or 0 if it does not pay. With a penalty there is none, because coordinates would
   have to be drawn for it as well. For a smooth process there is none either: axes are those of increments in time,
   while its innovations have directions of their own (paths/gaussians.c). */
static int64_t pilot_paths(const dmft_plan *plan)
{
    int replicas = plan->problem->numerics.replicas < REPLICAS_MOST ? plan->problem->numerics.replicas : REPLICAS_MOST;
    int64_t all = plan->problem->numerics.paths * replicas;
    int64_t paths = (int64_t)PATHS_PER_STEP * plan->grid[pilot_grid(plan)]->steps * plan->source.shape.k;
    paths = paths > PATHS_LEAST ? paths : PATHS_LEAST;
    int pays = paths * PATHS_FRACTION <= all && plan->problem->process->white_noise;
    return plan->penalty || plan->merged || !pays ? 0 : paths;
}

/* The pilot does not count in the progress that the caller sees, but the caller may interrupt it. */
static int report(void *user, double work, double t)
{
    (void)work;
    return solve_progress_report(user, 0, t);
}

static sgdmft_status run(sgdmft_context *ctx, const dmft_plan *plan, int64_t paths, principal_axes **axes)
{
    sgdmft_problem problem = *plan->problem;
    dmft_plan small = *plan;
    solve_progress progress = {.ctx = ctx};
    replica_environment environment = {.share = {.threads = sgdmft_context_threads(ctx)},
                                       .monitor = {report, &progress}};
    grid_solution *on_grid = NULL;
    problem.numerics.paths = paths;
    small.problem = small.source.problem = &problem;
    sgdmft_status status =
        nested_solve_one(ctx, &small, &environment, pilot_grid(plan), PURPOSE_PILOT_REPLICA, &on_grid);
    if (!status && !on_grid->status)
        status = principal_axes_new(ctx, on_grid->kern, plan->law.start_root, axes);
    grid_solution_free(on_grid);
    return status;
}

sgdmft_status pilot_axes(sgdmft_context *ctx, const dmft_plan *plan, principal_axes **axes)
{
    int64_t paths = pilot_paths(plan);
    sgdmft_status status = SGDMFT_OK;
    *axes = NULL;
    if (paths == 0)
        return SGDMFT_OK;
    if (ranks_rank(ctx->ranks) == 0)
        status = run(ctx, plan, paths, axes);
    status = ranks_agree(ctx, ctx->ranks, status);
    if (!status)
        status = principal_axes_broadcast(ctx, axes);
    return status;
}
