/* The choice of the solver, the estimate of its cost, and the solve itself. */
#include "sgdmft/solve.h"

#include <time.h>

#include "columns/solution.h"
#include "core/context.h"
#include "core/ranks.h"
#include "problem/problem.h"
#include "sample/histograms.h"
#include "solvers/common/audit.h"
#include "solvers/dmft/dmft.h"
#include "solvers/linear/linear.h"
#include "solvers/online/online.h"
#include "solvers/solver.h"

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* In the order in which they are asked whether they can solve a problem. */
static const solver *const solvers[] = {&linear_solver, &online_solver, &dmft_solver};

enum { SOLVERS = sizeof solvers / sizeof *solvers };

size_t sgdmft_solver_count(void)
{
    return SOLVERS;
}

const char *sgdmft_solver_name(size_t index)
{
    return index < SOLVERS ? solvers[index]->name : NULL;
}

const char *sgdmft_solver_cannot_solve(size_t index, const sgdmft_problem *problem)
{
    if (index >= SOLVERS)
        return "there is no such solver";
    return problem_is_checked(problem) ? solvers[index]->cannot_solve(problem) : "the problem has not been checked";
}

/* The first solver that can solve the problem, or NULL. */
static const solver *solver_of(const sgdmft_problem *problem)
{
    for (size_t i = 0; i < SOLVERS; i++)
        if (!solvers[i]->cannot_solve(problem))
            return solvers[i];
    return NULL;
}

/* 1 if the problem leaves all numerics to the solver and is the linear model, which is then solved exactly; *plan is
   its plan. The linear solver says why it refuses a problem, which is of no interest here. */
static int is_exact(sgdmft_context *ctx, const sgdmft_problem *problem, void **plan)
{
    unsigned pins = PIN_PATHS | PIN_REPLICAS | PIN_STEPS | PIN_METHOD;
    if (!problem->given || problem->numerics.given & pins || problem->numerics.response != RESPONSE_AUTO ||
        problem->process->events == EVENTS_FRESH)
        return 0;
    sgdmft_log_fn log = ctx->log;
    ctx->log = NULL;
    int exact = linear_solver.prepare(ctx, problem, plan) == SGDMFT_OK;
    ctx->log = log;
    context_clear(ctx);
    if (!exact)
        *plan = NULL;
    return exact;
}

/* Chooses a solver, and makes its plan and its cost. */
static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, const solver **out, void **plan,
                             sgdmft_cost *cost)
{
    sgdmft_status status = SGDMFT_OK;
    *cost = (sgdmft_cost){0}; /* a solver sets the members that mean something for it */
    *out = is_exact(ctx, problem, plan) ? &linear_solver : solver_of(problem);
    if (!*out)
        return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED, "%s: no solver can solve this problem", problem->source);
    if (!*plan)
        status = (*out)->prepare(ctx, problem, plan);
    if (!status)
        (*out)->cost(*plan, sgdmft_context_threads(ctx), ranks_size(ctx->ranks), cost);
    return status;
}

const char *sgdmft_solver_chosen(sgdmft_context *ctx, sgdmft_problem *problem)
{
    void *plan = NULL;
    const solver *chosen = NULL;
    if (sgdmft_problem_check(ctx, problem))
        return NULL;
    if (is_exact(ctx, problem, &plan)) {
        linear_solver.release(plan);
        return linear_solver.name;
    }
    chosen = solver_of(problem);
    return chosen ? chosen->name : NULL;
}

sgdmft_status sgdmft_estimate_cost(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_cost *out)
{
    const solver *chosen;
    void *plan = NULL;
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (!status)
        status = prepare(ctx, problem, &chosen, &plan, out);
    if (!status)
        chosen->release(plan);
    return status;
}

sgdmft_status sgdmft_check_memory(sgdmft_context *ctx, const sgdmft_cost *cost)
{
    double available = cost->available_bytes / (ctx->ranks ? ctx->ranks->here : 1);
    if (available <= 0 || cost->memory_bytes <= available)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_MEMORY,
                        "the problem would need %.3g GiB of memory, but %.3g GiB are available; hint: lower "
                        "numerics.paths or numerics.steps, or use fewer threads",
                        cost->memory_bytes / 1073741824.0, available / 1073741824.0);
}

/* Runs the solver on this rank, if it has anything to do there. */
static sgdmft_status run_solver(sgdmft_context *ctx, const solver *chosen, const void *plan, sgdmft_solution **out)
{
    if (chosen->all_ranks)
        return chosen->run(ctx, plan, out);
    rank_group *all = ctx->ranks;
    if (ranks_rank(all) > 0)
        return SGDMFT_OK;
    ctx->ranks = NULL;
    sgdmft_status status = chosen->run(ctx, plan, out);
    ctx->ranks = all;
    return status;
}

/* The seconds of all ranks, from those of this one; if a message is lost, the latter. */
static double add_up(rank_group *all, double mine)
{
    double sum = mine;
    if (all && !ranks_allgather_one(all, mine, all->per_rank)) {
        sum = 0;
        for (int r = 0; r < all->size; r++)
            sum += all->per_rank[r];
    }
    return sum;
}

/* Adds the densities that the problem asks for, unless the solver has made them. Without them the solution is still
   useful, so a failure is a warning. */
static void add_histograms(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution)
{
    histogram_plan plan = histogram_plan_of(problem, solution->n_grid, solution->t);
    if (solution->histograms || plan.n_times == 0)
        return;
    if (histograms_from_moments(ctx, problem, &plan, solution))
        context_log(ctx, SGDMFT_LOG_WARNING, "no histograms: %s", sgdmft_context_message(ctx));
    context_clear(ctx);
}

/* Records the problem, with all values that were used. */
static sgdmft_status set_problem(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_problem *problem,
                                 const solver *by)
{
    sgdmft_problem used = *problem;
    used.numerics.given = problem_asks_accuracy(problem) ? PIN_ALL : PIN_ALL & ~PIN_ACCURACY;
    if (by == &linear_solver)
        used.numerics.method = METHOD_LINEAR;
    return solution_set_problem(ctx, solution, &used);
}

sgdmft_status sgdmft_solve(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_solution **out)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    void *plan = NULL;
    const solver *chosen = NULL;
    sgdmft_cost cost;
    *out = NULL;
    context_clear(ctx);
    context_begin(ctx);
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (!status)
        status = prepare(ctx, problem, &chosen, &plan, &cost);
    if (!status)
        status = sgdmft_check_memory(ctx, &cost);
    status = ranks_agree(ctx, ctx->ranks, status);
    if (!status)
        status = run_solver(ctx, chosen, plan, out);
    if (!status && *out && (status = solution_audit(ctx, problem, *out))) {
        sgdmft_solution_free(*out);
        *out = NULL;
    }
    if (plan)
        chosen->release(plan);
    if (!status && *out)
        add_histograms(ctx, problem, *out);
    cpu = add_up(ctx->ranks, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    sgdmft_solution *solution = *out;
    if (!status && solution && !solution->problem[0] && (status = set_problem(ctx, solution, problem, chosen))) {
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
