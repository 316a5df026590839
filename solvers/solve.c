/* Dispatch: which way of solving a problem asks for, and what it would cost. */
#include "sgdmft/solve.h"

#include <time.h>

#include "columns/solution.h"
#include "core/context.h"
#include "core/ranks.h"
#include "problem/problem.h"
#include "sample/histograms.h"
#include "solvers/linear/linear.h"
#include "solvers/online/online.h"
#include "solvers/dmft/dmft.h"
#include "solvers/solver.h"

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The way of solving that a problem asks for. */
static const solver *solver_of(const sgdmft_problem *problem)
{
    if (problem->numerics.method == METHOD_LINEAR)
        return &linear_solver;
    if (problem->process->events == EVENTS_FRESH)
        return &online_solver;
    return &dmft_solver;
}

static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **setup, sgdmft_cost *cost)
{
    sgdmft_status status = solver_of(problem)->prepare(ctx, problem, setup);
    if (!status)
        solver_of(problem)->cost(*setup, sgdmft_context_threads(ctx), ranks_size(ctx->ranks), cost);
    return status;
}

sgdmft_status sgdmft_estimate_cost(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_cost *out)
{
    void *setup;
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (!status)
        status = prepare(ctx, problem, &setup, out);
    if (!status)
        solver_of(problem)->release(setup);
    return status;
}

sgdmft_status solver_check_memory(sgdmft_context *ctx, const sgdmft_cost *cost)
{
    double available = cost->available_bytes / (ctx->ranks ? ctx->ranks->here : 1);
    if (available <= 0 || cost->memory_bytes <= available)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_MEMORY,
                        "the problem would need %.3g GiB of memory, but %.3g GiB are available; hint: lower "
                        "numerics.paths or numerics.steps, or use fewer threads",
                        cost->memory_bytes / 1073741824.0, available / 1073741824.0);
}

/* On this rank, if it has anything to do. */
static sgdmft_status run_solver(sgdmft_context *ctx, const solver *way, const void *setup, sgdmft_solution **out)
{
    if (way->together)
        return way->run(ctx, setup, out);
    rank_group *all = ctx->ranks;
    if (ranks_rank(all) > 0)
        return SGDMFT_OK;
    ctx->ranks = NULL;
    sgdmft_status status = way->run(ctx, setup, out);
    ctx->ranks = all;
    return status;
}

/* Seconds of all ranks. */
static double add_up(rank_group *all, double mine)
{
    double sum = mine;
    if (all && !ranks_allgather_one(all, mine, all->said)) {
        sum = 0;
        for (int r = 0; r < all->size; r++)
            sum += all->said[r];
    }
    return sum;
}

/* The densities that the problem asks for, unless the solver has made them. A solution is worth having without them. */
static void add_histograms(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution)
{
    histogram_plan plan = histogram_plan_of(problem, solution->n_grid, solution->t);
    if (solution->histograms || plan.n_times == 0)
        return;
    if (histograms_from_moments(ctx, problem, &plan, solution))
        context_log(ctx, SGDMFT_LOG_WARNING, "no histograms: %s", sgdmft_context_message(ctx));
    context_clear(ctx);
}

sgdmft_status sgdmft_solve(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_solution **out)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    void *setup = NULL;
    sgdmft_cost cost;
    *out = NULL;
    context_clear(ctx);
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (!status)
        status = prepare(ctx, problem, &setup, &cost);
    if (!status)
        status = solver_check_memory(ctx, &cost);
    status = ranks_agree(ctx, ctx->ranks, status);
    if (!status)
        status = run_solver(ctx, solver_of(problem), setup, out);
    if (setup)
        solver_of(problem)->release(setup);
    if (!status && *out)
        add_histograms(ctx, problem, *out);
    cpu = add_up(ctx->ranks, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    sgdmft_solution *solution = *out;
    if (!status && solution && (status = solution_set_problem(ctx, solution, problem))) {
        sgdmft_solution_free(solution);
        *out = NULL;
    }
    if (!status && solution) {
        solution->info.memory_bytes = cost.memory_bytes;
        solution->info.wall_seconds = seconds(CLOCK_MONOTONIC) - wall;
        solution->info.cpu_seconds = cpu;
        if (solution->status)
            status = context_fail(ctx, solution->status, "%s", solution->message);
    }
    return ranks_agree(ctx, ctx->ranks, status);
}
