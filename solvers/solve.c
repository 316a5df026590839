/* Dispatch: which way of solving a problem asks for, and what it would cost. */
#include "sgdmft/solve.h"

#include <time.h>

#include "base/context.h"
#include "problem/problem.h"
#include "sgdmft/version.h"
#include "solvers/linear.h"
#include "solvers/online.h"
#include "solvers/selfconsistent.h"
#include "solvers/way.h"

static sgdmft_status check_supported(sgdmft_context *ctx, const sgdmft_problem *problem)
{
    if (problem->penalty.text && problem->dynamics == DYNAMICS_ONLINE)
        return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED,
                            "%s:%d:%d: penalty: general penalties cannot be solved by version %s; allowed: a ridge, "
                            "key lambda",
                            problem->penalty.where.source, problem->penalty.where.line, problem->penalty.where.column,
                            sgdmft_version());
    return SGDMFT_OK;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The way of solving that a problem asks for. */
static const solve_way *way_of(const sgdmft_problem *problem)
{
    if (problem->numerics.method == METHOD_LINEAR)
        return &linear_way;
    if (problem->dynamics == DYNAMICS_ONLINE)
        return &online_way;
    return &selfconsistent_way;
}

static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **setup, sgdmft_cost *cost)
{
    sgdmft_status status = way_of(problem) == &linear_way ? SGDMFT_OK : check_supported(ctx, problem);
    if (!status)
        status = way_of(problem)->prepare(ctx, problem, setup);
    if (!status)
        way_of(problem)->cost(*setup, sgdmft_context_threads(ctx), cost);
    return status;
}

sgdmft_status sgdmft_estimate_cost(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_cost *out)
{
    void *setup;
    sgdmft_status status = prepare(ctx, problem, &setup, out);
    if (!status)
        way_of(problem)->release(setup);
    return status;
}

sgdmft_status way_check_memory(sgdmft_context *ctx, const sgdmft_cost *cost)
{
    if (cost->available_bytes <= 0 || cost->memory_bytes <= cost->available_bytes)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_MEMORY,
                        "the problem would need %.3g GiB of memory, but %.3g GiB are available; hint: lower "
                        "numerics.paths or numerics.steps, or use fewer threads",
                        cost->memory_bytes / 1073741824.0, cost->available_bytes / 1073741824.0);
}

sgdmft_status sgdmft_solve(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    void *setup;
    sgdmft_cost cost;
    *out = NULL;
    context_clear(ctx);
    sgdmft_status status = prepare(ctx, problem, &setup, &cost);
    if (status)
        return status;
    status = way_check_memory(ctx, &cost);
    if (!status)
        status = way_of(problem)->run(ctx, setup, out);
    way_of(problem)->release(setup);
    if (status)
        return status;
    sgdmft_solution *solution = *out;
    solution->info.memory_bytes = cost.memory_bytes;
    solution->info.wall_seconds = seconds(CLOCK_MONOTONIC) - wall;
    solution->info.cpu_seconds = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return solution->status ? context_fail(ctx, solution->status, "%s", solution->message) : SGDMFT_OK;
}
