/* The self-consistent solver.

   Data side, one path per sample, k-vectors, left limits:
     w(t) = R(t,0) w(0) + F(t) w* - sqrt(delta) int_0^t R(t,v) dU(v),    F = (m - R(.,0) m(0)) rho^{-1}      (5)
     r(t) = w(t) - int_0^t R(t,v) eta g(r(v-), y) dZ(v)                                                      (1)
   Parameter side, closed by averages over paths given a visit at t:
     dm/dt      = - lambda m - delta E_A[eta g w*^T]                                                         (3)
     dR(t,s)/dt = - lambda R - delta E_A[eta G(t) J(t,s)],   J(t,s) = R(t,s) - int_s^t R(t,v) eta G(v) J(v,s) dZ(v)
                                                                                                          (4), (2)
     E dU dU^T  = E[eta g dZ (eta g dZ)^T]                                                                   (6)
   with G = dg/dr and the process Z of the problem (process/process.h).

   A replica draws its paths once, then solves on the grid of the problem and, with the same paths, on every second
   node. The difference estimates the time-step error with little noise, and removes its leading order. It also solves
   on every fourth node: the change of the extrapolated value, and the order that the three grids show, bound the error
   that is left. Where paths, replicas and steps are not all given, they are chosen for an accuracy, by pilots and by
   runs that begin again or go on. The files of this directory:

     plan.h        problem -> grids, laws, averages            nested.h    one replica on its grids
     pilot.h       axes along which normals are drawn          replica.h   kernels, paths and averages on one grid
     merged.h      the same with a merged history            predict.h   averages at the next node, as a first guess
     replicas.h    all replicas, threads and ranks             march.h, picard.h   two ways to make them consistent
     collect.h     replicas from other ranks                   statistics.h, curve_errors.h   replicas -> solution
     accuracy.h    errors against the accuracy asked for       choice.h, automatic.h   numbers that reach it */
#include "solvers/dmft/dmft.h"

#include <stdlib.h>

#include "core/ranks.h"
#include "solvers/dmft/accuracy.h"
#include "solvers/dmft/automatic.h"
#include "solvers/dmft/choice.h"
#include "solvers/dmft/cost.h"
#include "solvers/dmft/replicas.h"
#include "solvers/dmft/statistics.h"

static const char *cannot_solve(const sgdmft_problem *problem)
{
    return problem->process->events == EVENTS_FRESH
               ? "samples that are visited only once have no memory, so there is nothing to make self-consistent"
               : NULL;
}

/* A problem that is ready to be solved. Where its numbers are left open, the plan is that of a guess. */
typedef struct dmft_solve {
    const sgdmft_problem *problem;
    sgdmft_problem guess; /* its texts belong to the original */
    dmft_plan plan;
    int open;
} dmft_solve;

static int is_open(const sgdmft_problem *problem)
{
    return problem_leaves(problem, PIN_PATHS) || problem_leaves(problem, PIN_REPLICAS) ||
           problem_leaves(problem, PIN_STEPS);
}

/* Makes the plan again with numbers that are nearer to those of the solve, so that memory and time are. */
static sgdmft_status guess_plan(sgdmft_context *ctx, dmft_solve *solve)
{
    choice_task task = choice_task_of(solve->problem, &solve->plan);
    choice guess = choice_guess(&task);
    dmft_plan_clear(&solve->plan);
    return choice_plan(ctx, &task, &guess, &solve->guess, &solve->plan);
}

static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **out)
{
    dmft_solve *solve = calloc(1, sizeof *solve);
    if (!solve)
        return context_out_of_memory(ctx, "the solver", sizeof *solve);
    *solve = (dmft_solve){.problem = problem, .open = is_open(problem)};
    sgdmft_status status = dmft_plan_init(ctx, problem, &solve->plan);
    if (!status && solve->open)
        status = guess_plan(ctx, solve);
    if (status)
        free(solve);
    else
        *out = solve;
    return status;
}

static void release(void *prepared)
{
    dmft_solve *solve = prepared;
    dmft_plan_clear(&solve->plan);
    free(solve);
}

/* All trials together take about as long again as the last one. */
static void cost(const void *prepared, int threads, int ranks, sgdmft_cost *out)
{
    const dmft_solve *solve = prepared;
    dmft_cost(&solve->plan, threads, ranks, out);
    out->cpu_seconds *= solve->open ? 2 : 1;
    out->wall_seconds *= solve->open ? 2 : 1;
}

/* Solves with the numbers of the problem file. */
static sgdmft_status run_given(sgdmft_context *ctx, const dmft_plan *plan, sgdmft_solution **out)
{
    replica_set set;
    curve_errors errors = {0};
    char *wanted = NULL;
    sgdmft_status status = replica_set_new(ctx, plan->problem->numerics.replicas, &set);
    if (!status)
        status = accuracy_columns(ctx, plan->problem, &plan->on_grid[GRID_FINE].shape, &wanted);
    status = ranks_agree(ctx, ctx->ranks, status);
    if (!status)
        status = replica_set_solve(ctx, plan, &set);
    if (!status && ranks_rank(ctx->ranks) == 0)
        status = replica_statistics(ctx, plan, &set, &errors, out);
    if (!status && *out) {
        double accuracy = plan->problem->numerics.accuracy;
        accuracy_view view = accuracy_look(&errors, wanted, accuracy, &set, plan, *out);
        accuracy_call call = plan->problem->numerics.given & PIN_ACCURACY ? ACCURACY_ASKED : ACCURACY_UNASKED;
        statistics_warn(ctx, plan->problem, &(*out)->info);
        status = accuracy_record(ctx, plan->problem, &view, call, NULL, *out);
        if (status) {
            sgdmft_solution_free(*out);
            *out = NULL;
        }
    }
    curve_errors_clear(&errors);
    replica_set_clear(&set);
    free(wanted);
    return status;
}

static sgdmft_status run(sgdmft_context *ctx, const void *prepared, sgdmft_solution **out)
{
    const dmft_solve *solve = prepared;
    return solve->open ? automatic_solve(ctx, solve->problem, &solve->plan, out) : run_given(ctx, &solve->plan, out);
}

const solver dmft_solver = {.name = "self-consistent",
                            .cannot_solve = cannot_solve,
                            .prepare = prepare,
                            .release = release,
                            .cost = cost,
                            .run = run,
                            .all_ranks = 1};
