/* sgdmft simulate: runs finite systems on synthetic data, to be compared with the limit. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/run.h"
#include "sgdmft/simulate.h"

static sgdmft_status compute(sgdmft_context *ctx, sgdmft_problem *problem, void *report, sgdmft_solution **out)
{
    return sgdmft_simulate(ctx, problem, report, out);
}

static void print_summary(const sgdmft_solution *solution, const void *report)
{
    const sgdmft_simulation_report *r = report;
    const sgdmft_solve_info *info = sgdmft_solution_info(solution);
    double total = r->data_seconds + r->run_seconds + r->observe_seconds;
    printf("  repetitions             %zu of d = %zu", info->replicas, r->d);
    if (r->n > 0)
        printf(", n = %zu", r->n);
    printf("; %d at a time\n", r->concurrent);
    printf("  visits                  %.0f\n", r->visits);
    if (r->visits > 0)
        printf("  time per visit          %.3g ns of CPU for each of the %zu coordinates (%s)\n",
               1e9 * r->run_seconds / (r->visits * (double)r->d), r->d, r->instruction_set);
    if (total > 0)
        printf("  shares of CPU time      data %.0f %%, visits %.0f %%, averages at output times %.0f %%\n",
               100 * r->data_seconds / total, 100 * r->run_seconds / total, 100 * r->observe_seconds / total);
    if (info->accuracy > 0)
        printf("  accuracy                %.2g asked, %.2g reached\n", info->accuracy, info->accuracy_reached);
    printf("  largest standard error  %.2g %% of the scale of its curve\n", 100.0 * info->se_max);
    printf("  time                    %.3g s wall, %.3g s CPU\n", info->wall_seconds, info->cpu_seconds);
}

static const run_kind simulate_run = {
    .estimate = sgdmft_simulate_cost, .compute = compute, .print_summary = print_summary};

static int run(const arguments *args)
{
    sgdmft_simulation_report report;
    return run_problem(args, &simulate_run, &report);
}

static const option_spec options[] = {OPTION_OUTPUT,  OPTION_CSV,   OPTION_ACCURACY, OPTION_SET,  OPTION_THREADS,
                                      OPTION_VERBOSE, OPTION_FORCE, OPTION_QUIET,    OPTION_HELP, OPTIONS_END};

const command command_simulate = {
    .name = "simulate",
    .operands = "PROBLEM.yaml",
    .summary = "run the dynamics of a problem file on finite synthetic data",
    .details =
        "Runs the dynamics of the problem on synthetic data in dimension simulate.d, simulate.repetitions times.\n"
        "Writes the mean curves, each with its standard error (CSV and HDF5), in the same columns as 'sgdmft\n"
        "solve', so that 'sgdmft compare' can compare the two. Where numerics.accuracy or --accuracy is given, and\n"
        "simulate.repetitions is not, repetitions are added until all standard errors are below it. The exit code\n"
        "is 3 if the dynamics diverge or the accuracy is not reached, and 130 after Ctrl-C or SIGTERM; the times\n"
        "that all repetitions reached are written and marked as incomplete.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
