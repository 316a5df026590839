/* sgdmft simulate: finite systems of synthetic data, to be compared with the limit. */
#include <stdio.h>

#include "columns/solution.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/setup.h"
#include "cli/summary.h"
#include "sgdmft/simulate.h"

static int announce(const arguments *args, const setup *s)
{
    sgdmft_cost cost;
    sgdmft_status status = sgdmft_simulate_cost(s->ctx, s->problem, &cost);
    if (status != SGDMFT_OK)
        return report_failure(s->ctx, status);
    if (arguments_has(args, "quiet"))
        return 0;
    printf("%s: ", args->operands[0]);
    announce_cost(&cost);
    return 0;
}

static void print_report(const sgdmft_simulation_report *r, const sgdmft_solution *solution)
{
    const sgdmft_solve_info *info = &solution->info;
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
    printf("  largest standard error  %.2g %% of the scale of its curve\n", 100.0 * info->se_max);
    printf("  time                    %.3g s wall, %.3g s CPU\n", info->wall_seconds, info->cpu_seconds);
}

/* Writes and reports what came back; a solution may come with a failure. Returns the exit code. */
static int finish(const arguments *args, const setup *s, const outputs *o, const sgdmft_simulation_report *report,
                  const sgdmft_solution *solution, sgdmft_status status)
{
    int code = status == SGDMFT_OK ? CODE_DONE : report_failure(s->ctx, status);
    if (!solution)
        return code;
    int written = outputs_write(o, s, solution);
    if (!arguments_has(args, "quiet")) {
        print_report(report, solution);
        if (written == CODE_DONE)
            printf("  %-22s  %s, %s\n", status == SGDMFT_OK ? "written" : "written (incomplete)", o->hdf5, o->csv);
    }
    return written == CODE_DONE ? code : written;
}

static int simulate(const arguments *args, const setup *s, const outputs *o)
{
    progress meter;
    progress_start(&meter, "", arguments_has(args, "quiet"));
    sgdmft_context_set_progress(s->ctx, progress_report, &meter);
    sgdmft_simulation_report report;
    sgdmft_solution *solution = NULL;
    sgdmft_status status = sgdmft_simulate(s->ctx, s->problem, &report, &solution);
    progress_end(&meter);
    int code = finish(args, s, o, &report, solution, status);
    sgdmft_solution_free(solution);
    return code;
}

static int run(const arguments *args)
{
    setup s;
    outputs o = {0};
    int code = setup_problem(args, &s);
    if (code == 0)
        code = outputs_plan(args, &s, &o);
    if (code == 0) {
        interrupt_catch();
        code = announce(args, &s);
    }
    if (code == 0)
        code = simulate(args, &s, &o);
    outputs_free(&o);
    setup_free(&s);
    return code;
}

static const option_spec options[] = {OPTION_OUTPUT, OPTION_CSV,   OPTION_SET,  OPTION_THREADS,
                                      OPTION_FORCE,  OPTION_QUIET, OPTION_HELP, OPTIONS_END};

const command command_simulate = {
    .name = "simulate",
    .operands = "PROBLEM.yaml",
    .summary = "simulate finite systems of synthetic data of a problem file",
    .details =
        "Runs the dynamics of the problem on synthetic data in dimension simulate.d, simulate.repetitions times,\n"
        "and writes the mean curves with one standard error each (CSV and HDF5), in the columns of 'sgdmft\n"
        "solve', so that 'sgdmft compare' works on the two. The exit code is 3 if the dynamics diverge, 130\n"
        "after Ctrl-C or SIGTERM; what all repetitions reached until then is written and marked.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
