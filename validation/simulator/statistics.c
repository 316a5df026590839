#include "validation/simulator/statistics.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns/solution.h"
#include "validation/simulator/repetition.h"

void simulator_results_clear(simulator_results *results)
{
    free(results->result);
    free(results->curves);
    *results = (simulator_results){.set = NULL};
}

/* Which repetitions count, and up to where. */
typedef struct selection {
    int *number; /* of the repetitions that count */
    int count;
    size_t times;
} selection;

/* After an interrupt the finished repetitions, if they are two; otherwise all that ran, as far as all of them came. */
static void select_repetitions(const simulator_results *results, selection *out)
{
    const sgdmft_problem *problem = results->set->problem;
    size_t times = (size_t)problem->output.times;
    int finished = 0;
    for (int i = 0; i < problem->simulate.repetitions; i++)
        finished += results->result[i].started && results->result[i].reached == times;
    int complete_only = results->interrupted && finished >= 2;
    out->times = times;
    for (int i = 0; i < problem->simulate.repetitions; i++) {
        const simulator_result *r = &results->result[i];
        if (!r->started || (complete_only && r->reached < times))
            continue;
        out->number[out->count++] = i;
        out->times = r->reached < out->times ? r->reached : out->times;
    }
    if (out->count < 2)
        out->times = 0; /* no standard error */
}

/* Differences of single-precision rounding are none: the start, which is exact, among others. */
static double exact_below(const simulator_results *results, size_t curve)
{
    const simulator_setting *set = results->set;
    const sgdmft_problem *problem = set->problem;
    double scale = 0;
    if (curve < set->columns.q || curve >= set->columns.observables)
        return 0;
    for (int a = 0; a < set->shape.k; a++)
        scale = fmax(scale, problem->initial.q[a * set->shape.k + a]);
    for (int b = 0; b < set->shape.kstar; b++)
        scale = fmax(scale, problem->initial.rho[b * set->shape.kstar + b]);
    return (double)FLT_EPSILON * scale;
}

static void fill_curve(const simulator_results *results, const selection *chosen, size_t curve,
                       sgdmft_solution *solution)
{
    size_t stride = results->set->columns.count, size = (size_t)results->set->problem->output.times * stride;
    double rounding = exact_below(results, curve), n = chosen->count;
    for (size_t i = 0; i < solution->n_times; i++) {
        const double *x = results->curves + i * stride + curve;
        double sum = 0, squares = 0;
        for (int r = 0; r < chosen->count; r++)
            sum += x[(size_t)chosen->number[r] * size];
        double mean = sum / n;
        for (int r = 0; r < chosen->count; r++) {
            double off = x[(size_t)chosen->number[r] * size] - mean;
            squares += off * off;
        }
        double se = sqrt(squares / (n * (n - 1)));
        solution->curves[curve].value[i] = mean;
        solution->curves[curve].se[i] = se <= rounding || se < 1e-13 * fabs(mean) ? 0 : se;
    }
}

static void fill_info(const simulator_results *results, const selection *chosen, sgdmft_solution *solution)
{
    const simulator_setting *set = results->set;
    const sgdmft_problem *problem = set->problem;
    sgdmft_solve_info *info = &solution->info;
    info->simulated = 1;
    info->paths = set->n > 0 ? set->n : set->tests;
    info->replicas = (size_t)chosen->count;
    if (problem->process->events != EVENTS_STEPS)
        info->steps = (size_t)set->stop[set->stops - 1].step;
    else if (problem->process->diffuses)
        info->steps = (size_t)ceil(problem->horizon / problem->simulate.step * (1 - 1e-9));
    for (int i = 0; i < problem->simulate.repetitions; i++)
        info->visits += results->result[i].visits;
    for (size_t c = 0; c < solution->n_curves; c++) {
        double scale = solution_curve_scale(solution, &solution->curves[c]);
        for (size_t i = 0; i < solution->n_times && scale > 0; i++)
            info->se_max = fmax(info->se_max, solution->curves[c].se[i] / scale);
    }
}

static const char *what_happened(sgdmft_status status)
{
    return status == SGDMFT_ERR_DIVERGED ? "the dynamics diverge: theta grows without bound, or is not finite"
                                         : "the loss is not finite";
}

/* The repetition that got into trouble at the earliest time, or -1. */
static int first_in_trouble(const simulator_results *results)
{
    int worst = -1;
    for (int i = 0; i < results->set->problem->simulate.repetitions; i++) {
        const simulator_result *r = &results->result[i];
        if (r->started && r->status && (worst < 0 || r->reached < results->result[worst].reached))
            worst = i;
    }
    return worst;
}

/* Trouble comes first; then the caller's wish to stop. */
static sgdmft_status take_status(sgdmft_context *ctx, const simulator_results *results, const selection *chosen,
                                 sgdmft_solution *solution)
{
    const sgdmft_problem *problem = results->set->problem;
    int worst = first_in_trouble(results), written = 0;
    sgdmft_status status = worst >= 0 ? results->result[worst].status : SGDMFT_OK;
    char *text = NULL;
    if (status) {
        double t = simulator_time(problem, results->result[worst].reached);
        written = asprintf(&text, "%s at t = %.6g in repetition %d; hint: lower eta, or shorten horizon to below %.6g",
                           what_happened(status), t, worst + 1, t);
    } else if (results->interrupted) {
        status = SGDMFT_ERR_INTERRUPTED;
        written = asprintf(&text, "interrupted: %d of %d repetitions are kept, up to output time %zu of %d",
                           chosen->count, problem->simulate.repetitions, solution->n_times, problem->output.times);
    }
    if (!status)
        return SGDMFT_OK;
    sgdmft_status failure =
        written < 0 ? context_out_of_memory(ctx, "a message", 128) : solution_set_status(ctx, solution, status, text);
    free(written < 0 ? NULL : text);
    return failure;
}

static sgdmft_status new_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution **out)
{
    const sgdmft_problem *problem = results->set->problem;
    size_t count = problem->observables.n;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)count);
    for (size_t i = 0; i < count; i++)
        names[i] = problem->observables.item[i].name;
    solution_shape shape = {.k = problem->model.students,
                            .kstar = problem->model.teachers,
                            .n_times = (size_t)problem->output.times,
                            .n_observables = count,
                            .observables = names};
    sgdmft_status status = solution_new(ctx, &shape, out);
    free(names);
    return status;
}

static sgdmft_status fill_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution *solution)
{
    const sgdmft_problem *problem = results->set->problem;
    selection chosen = {.number = calloc((size_t)problem->simulate.repetitions, sizeof *chosen.number)};
    if (!chosen.number)
        return context_out_of_memory(ctx, "the curves", 4.0 * problem->simulate.repetitions);
    select_repetitions(results, &chosen);
    for (size_t i = 0; i < solution->n_times; i++)
        solution->times[i] = simulator_time(problem, i);
    solution_truncate(solution, chosen.times, 0);
    for (size_t c = 0; c < solution->n_curves; c++)
        fill_curve(results, &chosen, c, solution);
    fill_info(results, &chosen, solution);
    sgdmft_status status = take_status(ctx, results, &chosen, solution);
    free(chosen.number);
    return status;
}

sgdmft_status simulator_solution(sgdmft_context *ctx, const simulator_results *results, sgdmft_solution **out)
{
    for (int i = 0; i < results->set->problem->simulate.repetitions; i++)
        if (results->result[i].status == SGDMFT_ERR_PLUGIN)
            return context_fail(ctx, SGDMFT_ERR_PLUGIN, "model.plugin: a call-back asked to abort (repetition %d)",
                                i + 1);
    sgdmft_solution *solution = NULL;
    sgdmft_status status = new_solution(ctx, results, &solution);
    if (!status)
        status = fill_solution(ctx, results, solution);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}

simulator_report simulator_report_of(const simulator_results *results, int concurrent)
{
    const simulator_setting *set = results->set;
    simulator_report report = {
        .d = set->d, .n = set->n, .tests = set->tests, .concurrent = concurrent, .kernels = simd_name(simd_best())};
    for (int i = 0; i < set->problem->simulate.repetitions; i++) {
        const simulator_result *r = &results->result[i];
        report.visits += r->visits;
        report.data_seconds += r->data_seconds;
        report.run_seconds += r->run_seconds;
        report.observe_seconds += r->observe_seconds;
    }
    return report;
}
