/* sgdmft solve: problem file in, curves and two-time arrays out. */
#include <stdio.h>

#include "columns/solution.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/outputs.h"
#include "cli/processes.h"
#include "cli/setup.h"
#include "cli/solving.h"
#include "cli/summary.h"
#include "sgdmft/solve.h"

static int announce(const arguments *args, const setup *s)
{
    sgdmft_cost cost;
    sgdmft_status status = sgdmft_estimate_cost(s->ctx, s->problem, &cost);
    if (status != SGDMFT_OK)
        return report_failure(s->ctx, status);
    if (arguments_has(args, "quiet"))
        return 0;
    printf("%s: ", args->operands[0]);
    announce_cost(&cost);
    return 0;
}

static int solve(const arguments *args, const setup *s, const outputs *o)
{
    solving result;
    int code = solve_and_write(args, s, o, "", NULL, &result);
    if (result.solution && !arguments_has(args, "quiet")) {
        print_summary(result.solution);
        if (result.written)
            printf("  %-22s  %s, %s%s%s\n", result.status == SGDMFT_OK ? "written" : "written (incomplete)", o->hdf5,
                   o->csv, result.solution->histograms ? ", " : "",
                   result.solution->histograms ? o->histograms : "");
    }
    sgdmft_solution_free(result.solution);
    return code;
}

static int run(const arguments *args)
{
    setup s;
    outputs o = {0};
    int code = setup_problem(args, &s);
    if (code == 0) {
        if (args->processes->rank == 0)
            code = outputs_plan(args, &s, &o);
        interrupt_catch();
        code = processes_agree(args->processes, s.ctx->ranks, code);
    }
    if (code == 0)
        code = processes_agree(args->processes, s.ctx->ranks, announce(args, &s));
    if (code == 0)
        code = solve(args, &s, &o);
    outputs_free(&o);
    setup_free(&s);
    return code;
}

static const option_spec options[] = {OPTION_OUTPUT, OPTION_CSV,   OPTION_SET,  OPTION_THREADS,
                                      OPTION_FORCE,  OPTION_QUIET, OPTION_HELP, OPTIONS_END};

const command command_solve = {
    .name = "solve",
    .operands = "PROBLEM.yaml",
    .summary = "solve the limiting equations of a problem file",
    .details = "Solves the dynamical mean-field equations of the problem and writes the curves with one standard\n"
               "error each (CSV), and with them the two-time correlation and response (HDF5). The exit code is 3 if\n"
               "the dynamics diverge or the tolerance is not reached, 130 after Ctrl-C or SIGTERM; what was computed\n"
               "until then is written and marked.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .together = 1,
    .run = run,
};
