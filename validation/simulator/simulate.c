/* The repetitions of a simulation are independent: data, start and order of visits differ. Repetition r is a function
   of (numerics.seed, r) alone, whatever the number of threads. Each thread has the memory of one repetition. */
#include "sgdmft/simulate.h"

#include <omp.h>
#include <stdlib.h>
#include <time.h>

#include "core/memory.h"
#include "model/model.h"
#include "solvers/common/audit.h"
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
    int repetitions = plan->problem->simulate.repetitions, most = threads < repetitions ? threads : repetitions;
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
    repetitions_shared shared;
    repetition *rep; /* [threads] */
    simulator_results *results;
} simulation;

/* A replica_job. */
static sgdmft_status do_repetition(sgdmft_context *ctx, void *user, int number, int threads)
{
    simulation *all = user;
    repetition *rep = &all->rep[omp_get_thread_num()];
    if (solve_progress_stopped(&all->shared.progress))
        return SGDMFT_OK;
    repetition_do(rep, (uint32_t)number);
    if (rep->system.status == SGDMFT_ERR_PLUGIN)
        return context_fail(ctx, SGDMFT_ERR_PLUGIN, "model: a call-back asked to stop (repetition %d)", number + 1);
    simulator_results_keep(all->results, rep);
    if (rep->system.status) {
#pragma omp critical(sgdmft_simulator_needed)
        if (rep->observer.reached < all->shared.needed)
            all->shared.needed = rep->observer.reached;
    }
    return SGDMFT_OK;
}

static sgdmft_status do_repetitions(sgdmft_context *ctx, const simulator_plan *plan, int concurrent,
                                    simulator_results *results)
{
    sgdmft_context alone = *ctx; /* other ranks neither take part nor stop this */
    alone.ranks = NULL;
    simulation all = {.shared = {.progress = {.ctx = &alone}, .needed = (size_t)plan->problem->output.times},
                      .rep = calloc((size_t)concurrent, sizeof *all.rep),
                      .results = results};
    if (!all.rep)
        return context_out_of_memory(ctx, "the repetitions", (double)concurrent * sizeof *all.rep);
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < concurrent && !status; i++)
        status = repetition_init(ctx, plan, &all.shared, &all.rep[i]);
    replica_pool pool = {.replicas = plan->problem->simulate.repetitions,
                         .at_once = concurrent,
                         .threads = 1,
                         .progress = &all.shared.progress};
    if (!status)
        status = replica_pool_run(ctx, &pool, do_repetition, &all);
    for (int i = 0; i < concurrent; i++)
        repetition_clear(&all.rep[i]);
    free(all.rep);
    results->interrupted = solve_progress_stopped(&all.shared.progress);
    return status;
}

static sgdmft_status run(sgdmft_context *ctx, const simulator_plan *plan, sgdmft_simulation_report *report,
                         sgdmft_solution **out)
{
    sgdmft_cost cost;
    cost_of(plan, sgdmft_context_threads(ctx), &cost);
    int concurrent = concurrency(plan, sgdmft_context_threads(ctx), cost.available_bytes);
    if (concurrent < 1)
        return too_large(ctx, plan, cost.available_bytes);
    simulator_results results;
    sgdmft_status status = simulator_results_init(ctx, plan, &results);
    if (!status)
        status = do_repetitions(ctx, plan, concurrent, &results);
    if (!status)
        status = simulator_results_solution(ctx, &results, out);
    if (!status) {
        (*out)->info.memory_bytes = cost.memory_bytes;
        if (report)
            *report = simulator_results_report(&results, concurrent);
    }
    simulator_results_clear(&results);
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
    if (!status)
        status = simulator_plan_init(ctx, problem, &plan);
    if (status)
        return status;
    model_warn_of_limit(ctx, plan.model, problem);
    status = run(ctx, &plan, report, out);
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
