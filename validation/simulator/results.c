#include "validation/simulator/results.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"

/* ---- storage ---- */

static size_t curves_size(const simulator_plan *plan)
{
    return output_times_count(plan->problem) * plan->columns.count;
}

double simulator_results_bytes(const simulator_plan *plan)
{
    return plan->problem->simulate.repetitions * (8.0 * (double)curves_size(plan) + sizeof(repetition_result));
}

sgdmft_status simulator_results_init(sgdmft_context *ctx, const simulator_plan *plan, simulator_results *out)
{
    size_t repetitions = (size_t)plan->problem->simulate.repetitions;
    *out = (simulator_results){.plan = plan};
    out->result = memory_zeroed(repetitions, sizeof *out->result);
    out->curves = memory_doubles(repetitions * curves_size(plan));
    if (out->result && out->curves)
        return SGDMFT_OK;
    simulator_results_clear(out);
    return context_out_of_memory(ctx, "the curves of all repetitions", simulator_results_bytes(plan));
}

sgdmft_status simulator_results_grow(sgdmft_context *ctx, int from, simulator_results *results)
{
    size_t before = (size_t)from, size = curves_size(results->plan);
    size_t repetitions = (size_t)results->plan->problem->simulate.repetitions;
    repetition_result *result = realloc(results->result, repetitions * sizeof *result);
    if (result)
        results->result = result;
    double *curves = result ? realloc(results->curves, repetitions * size * sizeof *curves) : NULL;
    if (!curves)
        return context_out_of_memory(ctx, "the curves of all repetitions", simulator_results_bytes(results->plan));
    results->curves = curves;
    memset(result + before, 0, (repetitions - before) * sizeof *result);
    return SGDMFT_OK;
}

int simulator_results_leading(const simulator_results *results)
{
    const sgdmft_problem *problem = results->plan->problem;
    int number = 0;
    while (number < problem->simulate.repetitions && results->result[number].started &&
           results->result[number].reached == output_times_count(problem))
        number++;
    return number;
}

void simulator_results_clear(simulator_results *results)
{
    free(results->result);
    free(results->curves);
    *results = (simulator_results){.plan = NULL};
}

void simulator_results_keep(simulator_results *results, const repetition *rep)
{
    const simulator_system *sys = &rep->system;
    size_t size = curves_size(results->plan);
    results->result[sys->repetition] = (repetition_result){.started = 1,
                                                           .reached = rep->observer.reached,
                                                           .status = sys->status,
                                                           .visits = sys->visits,
                                                           .data_seconds = sys->data_seconds,
                                                           .run_seconds = rep->run_seconds,
                                                           .observe_seconds = rep->observer.seconds};
    memcpy(results->curves + sys->repetition * size, rep->observer.curves, size * sizeof *results->curves);
}

/* ---- curves ---- */

/* The repetitions that the curves are averages over, and the output times up to which they are. */
typedef struct selection {
    int *number;
    size_t count, times;
} selection;

/* All repetitions that ran, up to the output time that all of them reached. After an interrupt, the finished ones alone
   if they are at least two. */
static void select_repetitions(const simulator_results *results, selection *out)
{
    const sgdmft_problem *problem = results->plan->problem;
    size_t times = output_times_count(problem);
    int finished = 0;
    for (int i = 0; i < problem->simulate.repetitions; i++)
        finished += results->result[i].started && results->result[i].reached == times;
    int finished_only = results->interrupted && finished >= 2;
    out->times = times;
    for (int i = 0; i < problem->simulate.repetitions; i++) {
        const repetition_result *r = &results->result[i];
        if (!r->started || (finished_only && r->reached < times))
            continue;
        out->number[out->count++] = i;
        out->times = r->reached < out->times ? r->reached : out->times;
    }
    if (out->count < 2)
        out->times = 0; /* there would be no standard error */
}

/* Standard errors of q and m up to this one are due to rounding in single precision: the start of a repetition, among
   others, is exact. */
static double rounding_of(const simulator_plan *plan, size_t column)
{
    const sgdmft_problem *problem = plan->problem;
    double scale = 0;
    if (column < plan->columns.q || column >= plan->columns.observables)
        return 0;
    for (int a = 0; a < plan->shape.k; a++)
        scale = fmax(scale, problem->initial.q[a * plan->shape.k + a]);
    for (int b = 0; b < plan->shape.kstar; b++)
        scale = fmax(scale, problem->initial.rho[b * plan->shape.kstar + b]);
    return (double)FLT_EPSILON * scale;
}

/* `x` has room for a value of each repetition. */
static void fill_curve(const simulator_results *results, const selection *chosen, size_t column, double *x,
                       sgdmft_solution *solution)
{
    const simulator_plan *plan = results->plan;
    sgdmft_curve *curve = &solution->curves[column];
    double rounding = rounding_of(plan, column);
    for (size_t i = 0; i < solution->n_times; i++) {
        for (size_t r = 0; r < chosen->count; r++)
            x[r] = results->curves[(size_t)chosen->number[r] * curves_size(plan) + i * plan->columns.count + column];
        mean_and_error(chosen->count, x, &curve->value[i], &curve->se[i]);
        if (curve->se[i] <= rounding)
            curve->se[i] = 0;
    }
}

static void fill_info(const simulator_results *results, const selection *chosen, sgdmft_solution *solution)
{
    const simulator_plan *plan = results->plan;
    sgdmft_solve_info *info = &solution->info;
    info->simulated = 1;
    info->paths = plan->n > 0 ? plan->n : plan->tests;
    info->replicas = chosen->count;
    info->steps = integrator_of(plan)->steps(plan);
    for (int i = 0; i < plan->problem->simulate.repetitions; i++)
        info->visits += results->result[i].visits;
}

/* ---- status ---- */

/* The repetition that stopped at the earliest time because of an error, or -1. */
static int first_failed(const simulator_results *results)
{
    int first = -1;
    for (int i = 0; i < results->plan->problem->simulate.repetitions; i++) {
        const repetition_result *r = &results->result[i];
        if (r->started && r->status && (first < 0 || r->reached < results->result[first].reached))
            first = i;
    }
    return first;
}

static char *failure_message(const simulator_results *results, int failed)
{
    const repetition_result *r = &results->result[failed];
    const char *what = r->status == SGDMFT_ERR_DIVERGED
                           ? "the dynamics diverge: theta grows without bound, or is not finite"
                           : "the loss is not finite";
    double t = output_time(results->plan->problem, r->reached);
    char *text = NULL;
    int written = asprintf(&text, "%s at t = %.6g in repetition %d; hint: lower eta, or shorten horizon to below %.6g",
                           what, t, failed + 1, t);
    return written < 0 ? NULL : text;
}

static char *interrupt_message(const simulator_results *results, const selection *chosen, size_t times)
{
    const sgdmft_problem *problem = results->plan->problem;
    char *text = NULL;
    int written = asprintf(&text, "interrupted: %zu of %d repetitions are kept, up to output time %zu of %zu",
                           chosen->count, problem->simulate.repetitions, times, output_times_count(problem));
    return written < 0 ? NULL : text;
}

/* An error takes precedence over an interrupt. */
static sgdmft_status set_status(sgdmft_context *ctx, const simulator_results *results, const selection *chosen,
                                sgdmft_solution *solution)
{
    int failed = first_failed(results);
    if (failed < 0 && !results->interrupted)
        return SGDMFT_OK;
    char *text = failed >= 0 ? failure_message(results, failed) : interrupt_message(results, chosen, solution->n_times);
    sgdmft_status reason = failed >= 0 ? results->result[failed].status : SGDMFT_ERR_INTERRUPTED;
    sgdmft_status status =
        text ? solution_set_status(ctx, solution, reason, text) : context_out_of_memory(ctx, "a message", 128);
    free(text);
    return status;
}

/* ---- solution ---- */

static sgdmft_status new_solution(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution **out)
{
    size_t count = problem->observables.n;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)count);
    for (size_t i = 0; i < count; i++)
        names[i] = problem->observables.item[i].name;
    solution_shape shape = {.k = problem->model.students,
                            .kstar = problem->model.teachers,
                            .n_times = output_times_count(problem),
                            .n_observables = count,
                            .observables = names};
    sgdmft_status status = solution_new(ctx, &shape, out);
    free(names);
    return status;
}

static sgdmft_status fill_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution *solution)
{
    const sgdmft_problem *problem = results->plan->problem;
    size_t repetitions = (size_t)problem->simulate.repetitions;
    selection chosen = {.number = calloc(repetitions, sizeof *chosen.number)};
    double *x = calloc(repetitions, sizeof *x);
    sgdmft_status status;
    if (chosen.number && x) {
        select_repetitions(results, &chosen);
        for (size_t i = 0; i < solution->n_times; i++)
            solution->times[i] = output_time(problem, i);
        solution_truncate(solution, chosen.times, 0);
        for (size_t c = 0; c < solution->n_curves; c++)
            fill_curve(results, &chosen, c, x, solution);
        fill_info(results, &chosen, solution);
        status = set_worst_errors(ctx, problem, solution);
        if (!status)
            status = set_status(ctx, results, &chosen, solution);
    } else {
        status = context_out_of_memory(ctx, "the curves", 12.0 * (double)repetitions);
    }
    free(chosen.number);
    free(x);
    return status;
}

sgdmft_status simulator_results_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution **out)
{
    sgdmft_solution *solution = NULL;
    sgdmft_status status = new_solution(ctx, results->plan->problem, &solution);
    if (!status)
        status = fill_solution(ctx, results, solution);
    if (!status)
        status = solution_set_problem(ctx, solution, results->plan->problem);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}

sgdmft_simulation_report simulator_results_report(const simulator_results *results, int concurrent)
{
    const simulator_plan *plan = results->plan;
    sgdmft_simulation_report report = {.d = plan->d,
                                       .n = plan->n,
                                       .tests = plan->tests,
                                       .concurrent = concurrent,
                                       .instruction_set = simd_name(plan->instructions)};
    for (int i = 0; i < plan->problem->simulate.repetitions; i++) {
        const repetition_result *r = &results->result[i];
        report.visits += r->visits;
        report.data_seconds += r->data_seconds;
        report.run_seconds += r->run_seconds;
        report.observe_seconds += r->observe_seconds;
    }
    return report;
}
