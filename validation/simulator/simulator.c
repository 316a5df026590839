#include "validation/simulator/simulator.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "validation/simulator/repetition.h"
#include "validation/simulator/statistics.h"

/* Of the available memory; the rest is for the files, the page cache and others. */
static const double MEMORY_SHARE = 0.9;

/* Rough costs in nanoseconds per coordinate: making an entry, moving theta along a row for each student, the product
   of a row with one theta; and per sample and gradient. */
static const double ENTRY_COST = 0.7, VISIT_COST = 0.25, PRODUCT_COST = 0.03, GRADIENT_COST = 100;

/* Passes over the data per unit of time that gradient flow takes on an ordinary problem. */
static const double FLOW_PASSES = 60;

static double rows_moved_along(const simulator_setting *set)
{
    const sgdmft_problem *problem = set->problem;
    double n = (double)set->n;
    switch (problem->process->events) {
    case EVENTS_FRESH: return problem->horizon * (double)set->d;
    case EVENTS_STEPS:
        return n * problem->horizon * (problem->process->diffuses ? 1 / problem->simulate.step : FLOW_PASSES);
    default: return n * problem->horizon;
    }
}

static double cpu_seconds(const simulator_setting *set)
{
    double d = (double)set->length, k = set->shape.k, visits = rows_moved_along(set), tests = (double)set->tests;
    double made = set->n > 0 ? (double)set->n : visits, looks = (double)set->stops * k;
    double data = ENTRY_COST * (made + tests) * d, run = visits * (VISIT_COST * k * d + GRADIENT_COST);
    double observe = looks * PRODUCT_COST * ((double)set->n + tests) * d;
    return 1e-9 * (data + run + observe) * set->problem->simulate.repetitions;
}

/* How many repetitions run at the same time: as many as there are threads, as memory allows; 0: not even one. */
static int concurrency(const simulator_setting *set, int threads, double available)
{
    int most = threads < set->problem->simulate.repetitions ? threads : set->problem->simulate.repetitions;
    if (available <= 0)
        return most;
    while (most > 0 && most * repetition_bytes(set) > MEMORY_SHARE * available)
        most--;
    return most;
}

static double results_bytes(const simulator_setting *set)
{
    const sgdmft_problem *problem = set->problem;
    return 8.0 * problem->simulate.repetitions * (double)problem->output.times * (double)set->columns.count;
}

static void cost_of(const simulator_setting *set, int threads, sgdmft_cost *out)
{
    double available = memory_available();
    int concurrent = concurrency(set, threads, available);
    if (concurrent < 1)
        concurrent = 1;
    *out = (sgdmft_cost){.memory_bytes = concurrent * repetition_bytes(set) + results_bytes(set),
                         .available_bytes = available,
                         .cpu_seconds = cpu_seconds(set)};
    int rounds = (set->problem->simulate.repetitions + concurrent - 1) / concurrent;
    out->wall_seconds = out->cpu_seconds * rounds / set->problem->simulate.repetitions;
}

static sgdmft_status too_large(sgdmft_context *ctx, const simulator_setting *set, double available)
{
    return context_fail(
        ctx, SGDMFT_ERR_MEMORY,
        "%s: simulate.d: one repetition with n = %zu samples of d = %zu coordinates would need %.3g GiB "
        "of memory, but %.3g GiB are available; hint: lower simulate.d, which must be large only "
        "compared to 1",
        set->problem->source, set->n, set->d, repetition_bytes(set) / 1073741824.0, available / 1073741824.0);
}

sgdmft_status simulator_cost(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_cost *out)
{
    simulator_setting set;
    sgdmft_status status = simulator_setting_init(ctx, problem, &set);
    if (status)
        return status;
    cost_of(&set, sgdmft_context_threads(ctx), out);
    if (concurrency(&set, 1, out->available_bytes) < 1)
        status = too_large(ctx, &set, out->available_bytes);
    simulator_setting_clear(&set);
    return status;
}

/* Results of all repetitions; those that never ran have reached no output time. */
static sgdmft_status results_init(sgdmft_context *ctx, const simulator_setting *set, simulator_results *out)
{
    size_t repetitions = (size_t)set->problem->simulate.repetitions;
    *out = (simulator_results){.set = set};
    out->result = memory_zeroed(repetitions, sizeof *out->result);
    out->curves = memory_doubles(repetitions * (size_t)set->problem->output.times * set->columns.count);
    if (out->result && out->curves)
        return SGDMFT_OK;
    simulator_results_clear(out);
    return context_out_of_memory(ctx, "the curves of all repetitions", results_bytes(set));
}

static void keep_result(simulator_results *results, simulator_monitor *monitor, const repetition *rep)
{
    size_t size = (size_t)results->set->problem->output.times * results->set->columns.count;
    results->result[rep->number] = (simulator_result){.reached = rep->reached,
                                                      .started = 1,
                                                      .status = rep->status,
                                                      .visits = rep->visits,
                                                      .data_seconds = rep->data_seconds,
                                                      .run_seconds = rep->run_seconds,
                                                      .observe_seconds = rep->observe_seconds};
    memcpy(results->curves + rep->number * size, rep->curves, size * sizeof *rep->curves);
    if (rep->status == SGDMFT_ERR_PLUGIN) {
#pragma omp atomic write
        monitor->stop = 1;
    }
    if (rep->status) {
#pragma omp critical(sgdmft_simulator_reached)
        if (rep->reached < monitor->reached)
            monitor->reached = rep->reached;
    }
}

static void run_all(const simulator_setting *set, repetition *reps, int concurrent, simulator_monitor *monitor,
                    simulator_results *results)
{
#pragma omp parallel for schedule(dynamic, 1) num_threads(concurrent)
    for (int i = 0; i < set->problem->simulate.repetitions; i++) {
        repetition *rep = &reps[omp_get_thread_num()];
        int stop;
#pragma omp atomic read
        stop = monitor->stop;
        if (stop)
            continue;
        repetition_do(rep, (uint32_t)i);
        keep_result(results, monitor, rep);
    }
}

static sgdmft_status run_repetitions(sgdmft_context *ctx, const simulator_setting *set, int concurrent,
                                     simulator_results *results)
{
    simulator_monitor monitor = {
        .ctx = ctx, .total = set->problem->simulate.repetitions, .reached = (size_t)set->problem->output.times};
    repetition *reps = calloc((size_t)concurrent, sizeof *reps);
    if (!reps)
        return context_out_of_memory(ctx, "the repetitions", (double)concurrent * sizeof *reps);
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < concurrent && !status; i++)
        status = repetition_init(ctx, set, &monitor, &reps[i]);
    if (!status)
        run_all(set, reps, concurrent, &monitor, results);
    for (int i = 0; i < concurrent; i++)
        repetition_clear(&reps[i]);
    free(reps);
    results->interrupted = monitor.stop;
    return status;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static sgdmft_status run(sgdmft_context *ctx, const simulator_setting *set, simulator_report *report,
                         sgdmft_solution **out)
{
    sgdmft_cost cost;
    cost_of(set, sgdmft_context_threads(ctx), &cost);
    int concurrent = concurrency(set, sgdmft_context_threads(ctx), cost.available_bytes);
    if (concurrent < 1)
        return too_large(ctx, set, cost.available_bytes);
    simulator_results results;
    sgdmft_status status = results_init(ctx, set, &results);
    if (!status)
        status = run_repetitions(ctx, set, concurrent, &results);
    if (!status)
        status = simulator_solution(ctx, &results, out);
    if (!status)
        status = solution_set_problem(ctx, *out, set->problem);
    if (!status) {
        (*out)->info.memory_bytes = cost.memory_bytes;
        if (report)
            *report = simulator_report_of(&results, concurrent);
    }
    simulator_results_clear(&results);
    return status;
}

sgdmft_status simulator_run(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_report *report,
                            sgdmft_solution **out)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    simulator_setting set;
    *out = NULL;
    context_clear(ctx);
    sgdmft_status status = simulator_setting_init(ctx, problem, &set);
    if (status)
        return status;
    status = run(ctx, &set, report, out);
    simulator_setting_clear(&set);
    if (status)
        return status;
    (*out)->info.wall_seconds = seconds(CLOCK_MONOTONIC) - wall;
    (*out)->info.cpu_seconds = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return (*out)->status ? context_fail(ctx, (*out)->status, "%s", (*out)->message) : SGDMFT_OK;
}
