/* The repetitions of a simulation are independent: data, start and order of visits differ. Repetition r is a function
   of (numerics.seed, r) alone, whatever the number of threads. Each thread has the memory of one repetition. Where an
   accuracy is asked for and the number of repetitions is not given, they are added until standard errors meet it. */
#include "sgdmft/simulate.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <time.h>

#include "core/memory.h"
#include "model/model.h"
#include "solvers/common/audit.h"
#include "solvers/common/output_times.h"
#include "solvers/common/worst_error.h"
#include "validation/simulator/results.h"

/* Share of the available memory that repetitions may take; the rest is for files, the page cache and other programs. */
static const double MEMORY_SHARE = 0.9;

/* Rough costs in nanoseconds: per coordinate, of drawing an entry, of moving theta_a along a row and of the product of
   a row with one theta_a; and of the gradient of a sample. */
static const double ENTRY_COST = 0.7, VISIT_COST = 0.25, PRODUCT_COST = 0.03, GRADIENT_COST = 100;

/* ---- cost ---- */

static double cpu_seconds(const simulator_plan *plan)
{
    double d = (double)plan->length, k = plan->shape.k, tests = (double)plan->tests, stops = (double)plan->stops;
    double visits = integrator_of(plan)->visits(plan), drawn = plan->n > 0 ? (double)plan->n : visits;
    double data = ENTRY_COST * (drawn + tests) * d, run = visits * (VISIT_COST * k * d + GRADIENT_COST);
    double observe = stops * k * PRODUCT_COST * ((double)plan->n + tests) * d;
    return 1e-9 * (data + run + observe) * plan->problem->simulate.repetitions;
}

/* Repetitions that run at the same time: one on each thread, fewer if memory is short, 0 if there is none for a single
   one. `available` bytes, 0 if unknown. */
static int concurrency(const simulator_plan *plan, int threads, double available)
{
    int repetitions = plan->problem->simulate.repetitions, more = problem_leaves_repetitions(plan->problem);
    int most = threads < repetitions || more ? threads : repetitions;
    while (available > 0 && most > 0 && most * repetition_bytes(plan) > MEMORY_SHARE * available)
        most--;
    return most;
}

static void cost_of(const simulator_plan *plan, int threads, sgdmft_cost *out)
{
    int repetitions = plan->problem->simulate.repetitions;
    double available = memory_available();
    int concurrent = concurrency(plan, threads, available);
    if (concurrent < 1)
        concurrent = 1;
    *out = (sgdmft_cost){.memory_bytes = concurrent * repetition_bytes(plan) + simulator_results_bytes(plan),
                         .available_bytes = available,
                         .cpu_seconds = cpu_seconds(plan)};
    int rounds = (repetitions + concurrent - 1) / concurrent;
    out->wall_seconds = out->cpu_seconds * rounds / repetitions;
}

static sgdmft_status too_large(sgdmft_context *ctx, const simulator_plan *plan, double available)
{
    return context_fail(
        ctx, SGDMFT_ERR_MEMORY,
        "%s: simulate.d: one repetition with n = %zu samples of d = %zu coordinates would need %.3g GiB "
        "of memory, but %.3g GiB are available; hint: lower simulate.d, which must be large only "
        "compared to 1",
        plan->problem->source, plan->n, plan->d, repetition_bytes(plan) / 1073741824.0, available / 1073741824.0);
}

sgdmft_status sgdmft_simulate_cost(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_cost *out)
{
    simulator_plan plan;
    context_clear(ctx);
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (!status)
        status = simulator_plan_init(ctx, problem, &plan);
    if (status)
        return status;
    cost_of(&plan, sgdmft_context_threads(ctx), out);
    if (concurrency(&plan, 1, out->available_bytes) < 1)
        status = too_large(ctx, &plan, out->available_bytes);
    simulator_plan_clear(&plan);
    return status;
}

/* ---- all repetitions ---- */

/* The memory of all threads, and where their results go. */
typedef struct simulation {
    sgdmft_problem *problem; /* whose number of repetitions grows where it follows from the accuracy */
    repetitions_shared shared;
    sgdmft_context alone; /* other ranks neither take part nor stop this */
    repetition *rep;      /* [concurrent] */
    int concurrent;
    int done; /* repetitions of earlier calls */
    simulator_results results;
} simulation;

static void simulation_clear(simulation *all)
{
    for (int i = 0; all->rep && i < all->concurrent; i++)
        repetition_clear(&all->rep[i]);
    free(all->rep);
    simulator_results_clear(&all->results);
}

/* *all must be cleared, on failure too. It must not be moved. */
static sgdmft_status simulation_init(sgdmft_context *ctx, const simulator_plan *plan, sgdmft_problem *problem,
                                     int concurrent, simulation *all)
{
    *all = (simulation){.problem = problem, .alone = *ctx, .concurrent = concurrent};
    all->alone.ranks = NULL;
    all->shared = (repetitions_shared){.progress = {.ctx = &all->alone}, .needed = output_times_count(problem)};
    if (problem_leaves_repetitions(problem) && problem->numerics.time_limit > 0)
        all->shared.progress.deadline = clock_seconds() + problem->numerics.time_limit;
    all->rep = calloc((size_t)concurrent, sizeof *all->rep);
    sgdmft_status status = simulator_results_init(ctx, plan, &all->results);
    if (!status && !all->rep)
        status = context_out_of_memory(ctx, "the repetitions", (double)concurrent * sizeof *all->rep);
    for (int i = 0; i < concurrent && !status; i++)
        status = repetition_init(ctx, plan, &all->shared, &all->rep[i]);
    return status;
}

/* A replica_job. */
static sgdmft_status do_repetition(sgdmft_context *ctx, void *user, int number, int threads)
{
    simulation *all = user;
    repetition *rep = &all->rep[omp_get_thread_num()];
    (void)threads;
    if (solve_progress_stopped(&all->shared.progress))
        return SGDMFT_OK;
    repetition_do(rep, (uint32_t)(all->done + number));
    if (rep->system.status == SGDMFT_ERR_PLUGIN)
        return context_fail(ctx, SGDMFT_ERR_PLUGIN, "model: a call-back asked to stop (repetition %d)",
                            all->done + number + 1);
    simulator_results_keep(&all->results, rep);
    if (rep->system.status) {
#pragma omp critical(sgdmft_simulator_needed)
        if (rep->observer.reached < all->shared.needed)
            all->shared.needed = rep->observer.reached;
    }
    return SGDMFT_OK;
}

/* Does the repetitions that the problem has and earlier calls have not done, and makes the solution of all of them. */
static sgdmft_status do_repetitions(sgdmft_context *ctx, simulation *all, sgdmft_solution **out)
{
    int repetitions = all->problem->simulate.repetitions;
    replica_pool pool = {.replicas = repetitions - all->done,
                         .at_once = all->concurrent,
                         .threads = 1,
                         .progress = &all->shared.progress};
    all->shared.progress.done = (double)all->done / repetitions;
    sgdmft_status status = replica_pool_run(ctx, &pool, do_repetition, all);
    all->done = repetitions;
    all->results.interrupted = solve_progress_stopped(&all->shared.progress);
    return status ? status : simulator_results_solution(ctx, &all->results, out);
}

/* ---- the accuracy ---- */

/* Repetitions at most, as for simulate.repetitions, and how many times more at once. */
enum { REPETITIONS_MOST = 1000000, GROWTH_MOST = 4 };

/* The number of repetitions that the accuracy seems to need, a little above, as standard errors scatter. */
static int enough(int repetitions, double relative, double accuracy)
{
    double more = 1.03 * (relative / accuracy) * (relative / accuracy) * repetitions;
    double most = fmin(REPETITIONS_MOST, (double)GROWTH_MOST * repetitions);
    return (int)fmin(fmax(ceil(more), repetitions + 2.0), most);
}

/* Records the accuracy; if it was not reached, the status says so and what was in the way. */
static sgdmft_status record(sgdmft_context *ctx, const simulation *all, const worst_error *worst, int late,
                            sgdmft_solution *solution)
{
    double asked = all->problem->numerics.accuracy;
    solution->info.accuracy = asked;
    solution->info.accuracy_reached = worst->relative;
    if (solution->status || worst->relative <= asked)
        return SGDMFT_OK;
    char *text = worst_error_message(solution, worst, asked,
                                     late ? "numerics.time_limit is over" : "1000000 repetitions are the most",
                                     "hint: a larger simulate.d has less noise");
    sgdmft_status status = text ? solution_set_status(ctx, solution, SGDMFT_ERR_ACCURACY, text)
                                : context_out_of_memory(ctx, "a message", 300);
    free(text);
    return status;
}

/* After the time limit: the repetitions from the first on that are complete are all there are. Without two of them,
   the solution stays that of an interrupt. */
static sgdmft_status cut(sgdmft_context *ctx, simulation *all, sgdmft_solution **out)
{
    int leading = simulator_results_leading(&all->results);
    if (leading < 2)
        return SGDMFT_OK;
    sgdmft_solution_free(*out);
    *out = NULL;
    all->problem->simulate.repetitions = all->done = leading;
    all->results.interrupted = 0;
    return simulator_results_solution(ctx, &all->results, out);
}

/* Adds repetitions until the accuracy is met. */
static sgdmft_status add_repetitions(sgdmft_context *ctx, simulation *all, sgdmft_solution **out)
{
    double asked = all->problem->numerics.accuracy, deadline = all->shared.progress.deadline;
    for (;;) {
        worst_error worst = {0};
        int late = deadline > 0 && clock_seconds() >= deadline, repetitions = all->problem->simulate.repetitions;
        sgdmft_status status = late && all->results.interrupted ? cut(ctx, all, out) : SGDMFT_OK;
        if (!status)
            status = worst_error_find(ctx, *out, all->problem->initial.rho, &worst);
        if (status)
            return status;
        if ((*out)->n_times > 0)
            context_log(ctx, SGDMFT_LOG_INFO,
                        "%d repetitions: largest standard error %.2g of the scale of %s at t = %.4g",
                        all->problem->simulate.repetitions, worst.relative, (*out)->curves[worst.curve].name,
                        (*out)->times[worst.time]);
        if ((*out)->status || worst.relative <= asked || late || repetitions >= REPETITIONS_MOST)
            return record(ctx, all, &worst, late, *out);
        all->problem->simulate.repetitions = enough(repetitions, worst.relative, asked);
        sgdmft_solution_free(*out);
        *out = NULL;
        status = simulator_results_grow(ctx, repetitions, &all->results);
        if (!status)
            status = do_repetitions(ctx, all, out);
        if (status)
            return status;
    }
}

/* `problem` is that of the plan. */
static sgdmft_status run(sgdmft_context *ctx, const simulator_plan *plan, sgdmft_problem *problem,
                         sgdmft_simulation_report *report, sgdmft_solution **out)
{
    sgdmft_cost cost;
    int more = problem_leaves_repetitions(problem);
    cost_of(plan, sgdmft_context_threads(ctx), &cost);
    int concurrent = concurrency(plan, sgdmft_context_threads(ctx), cost.available_bytes);
    if (concurrent < 1)
        return too_large(ctx, plan, cost.available_bytes);
    simulation all;
    sgdmft_status status = simulation_init(ctx, plan, problem, concurrent, &all);
    if (!status)
        status = do_repetitions(ctx, &all, out);
    if (!status && more)
        status = add_repetitions(ctx, &all, out);
    problem->numerics.given |= PIN_REPETITIONS;
    if (!status && more)
        status = solution_set_problem(ctx, *out, problem);
    if (!status) {
        (*out)->info.memory_bytes = cost.memory_bytes;
        if (report)
            *report = simulator_results_report(&all.results, concurrent);
    } else {
        sgdmft_solution_free(*out);
        *out = NULL;
    }
    simulation_clear(&all);
    return status;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

sgdmft_status sgdmft_simulate(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_simulation_report *report,
                              sgdmft_solution **out)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    simulator_plan plan;
    *out = NULL;
    context_clear(ctx);
    context_begin(ctx);
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    sgdmft_problem used = *problem; /* its texts belong to the original */
    if (!status)
        status = simulator_plan_init(ctx, &used, &plan);
    if (status)
        return status;
    model_warn_of_limit(ctx, plan.model, problem);
    status = run(ctx, &plan, &used, report, out);
    simulator_plan_clear(&plan);
    if (!status && (status = solution_audit(ctx, problem, *out))) {
        sgdmft_solution_free(*out);
        *out = NULL;
    }
    if (status)
        return status;
    (*out)->info.wall_seconds = seconds(CLOCK_MONOTONIC) - wall;
    (*out)->info.cpu_seconds = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return (*out)->status ? context_fail(ctx, (*out)->status, "%s", (*out)->message) : SGDMFT_OK;
}
