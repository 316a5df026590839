/* sgdmft solve: solves the limiting equations of a problem file and writes curves and two-time arrays. */
#include "cli/solve.h"

#include <math.h>
#include <stdio.h>

#include "cli/command.h"

static sgdmft_status compute(sgdmft_context *ctx, sgdmft_problem *problem, void *report, sgdmft_solution **out)
{
    (void)report;
    return sgdmft_solve(ctx, problem, out);
}

static void print_identity(const sgdmft_identity *x)
{
    printf("  identity %-15s t = %.4g: defect %.2e, se %.2e", x->name, x->t, x->defect, x->se);
    if (x->se > 0.0)
        printf(", z = %.1f", fabs(x->defect) / x->se);
    if (x->scale > 0.0)
        printf(" (%.2g %% of its terms)", 100.0 * fabs(x->defect) / x->scale);
    putchar('\n');
}

static void print_summary(const sgdmft_solution *solution, const void *report)
{
    (void)report;
    const sgdmft_solve_info *info = sgdmft_solution_info(solution);
    if (info->accuracy > 0.0)
        printf("  accuracy                %.2g asked, %.2g reached\n", info->accuracy, info->accuracy_reached);
    printf("  paths                   %zu in each of %zu replicas\n", info->paths, info->replicas);
    printf("  visits                  %.0f\n", info->visits);
    printf("  steps                   %zu%s\n", info->steps, info->extrapolated ? ", extrapolated to zero step" : "");
    printf("  passes per step         %.2f on average, at most %zu\n", info->passes, info->passes_max);
    printf("  largest residual        %.1e\n", info->residual_max);
    printf("  largest standard error  %.2g %% of the scale of its curve\n", 100.0 * info->se_max);
    printf("  largest step error      %.2g %% of the scale of its curve, included in the standard error\n",
           100.0 * info->step_error_max);
    for (size_t i = 0; i < sgdmft_solution_n_identities(solution); i++)
        print_identity(sgdmft_solution_identity(solution, i));
    fputs("  memory                  ", stdout);
    run_put_bytes(stdout, info->memory_bytes);
    fputs("\n  time                    ", stdout);
    run_put_seconds(stdout, info->wall_seconds);
    fputs(" wall, ", stdout);
    run_put_seconds(stdout, info->cpu_seconds);
    fputs(" CPU\n", stdout);
}

const run_kind solve_run = {
    .estimate = sgdmft_estimate_cost, .compute = compute, .print_summary = print_summary, .histograms = 1};

static int run(const arguments *args)
{
    return run_problem(args, &solve_run, NULL);
}

static const option_spec options[] = {OPTION_OUTPUT,  OPTION_CSV,   OPTION_ACCURACY, OPTION_SET,  OPTION_THREADS,
                                      OPTION_VERBOSE, OPTION_FORCE, OPTION_QUIET,    OPTION_HELP, OPTIONS_END};

const command command_solve = {
    .name = "solve",
    .operands = "PROBLEM.yaml",
    .summary = "solve the limiting equations of a problem file",
    .details =
        "Solves the dynamical mean-field equations of the problem. Writes the curves, each with its standard\n"
        "error (CSV), and the curves with the two-time correlation and response (HDF5), into the current\n"
        "directory unless -o and --csv say otherwise. Steps, paths and replicas are chosen such that all standard\n"
        "errors are below the accuracy of the problem file, or of --accuracy. The exit code is 3 if that is not\n"
        "reached, the dynamics diverge or the tolerance is not met, and 130 after Ctrl-C or SIGTERM; the results\n"
        "up to then are written and marked.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .collective = 1,
    .run = run,
};
