/* sgdmft check: what a problem file says once every default is filled in, and what solving it would take. */
#include <stdio.h>
#include <stdlib.h>

#include "problem/problem.h"
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/setup.h"
#include "cli/summary.h"
#include "sgdmft/solve.h"
#include "solvers/linear/linear.h"

static int echo_problem(const setup *s)
{
    char *yaml = NULL;
    sgdmft_status status = sgdmft_problem_to_yaml(s->ctx, s->problem, &yaml);
    if (status != SGDMFT_OK)
        return report_failure(s->ctx, status);
    fputs(yaml, stdout);
    free(yaml);
    return 0;
}

/* Problems that need no sampling are pointed out. */
static void offer_exact(const setup *s)
{
    if (s->problem->numerics.method != METHOD_LINEAR && linear_applies(s->problem))
        puts("# exact: this is the linear model; numerics.method: linear solves it without sampling, to ten digits");
}

static int print_estimate(const setup *s)
{
    sgdmft_cost cost;
    sgdmft_status status = sgdmft_estimate_cost(s->ctx, s->problem, &cost);
    if (status != SGDMFT_OK)
        return report_failure(s->ctx, status);
    fputs("# estimated: ", stdout); /* a comment: all that is printed is a problem file again */
    put_cost(stdout, &cost);
    printf(" on %d thread%s\n", sgdmft_context_threads(s->ctx), sgdmft_context_threads(s->ctx) == 1 ? "" : "s");
    return 0;
}

static int run(const arguments *args)
{
    setup s;
    int code = setup_problem(args, &s);
    if (code == 0)
        code = echo_problem(&s);
    if (code == 0)
        offer_exact(&s);
    if (code == 0)
        code = print_estimate(&s);
    setup_free(&s);
    return code;
}

static const option_spec options[] = {OPTION_SET, OPTION_THREADS, OPTION_HELP, OPTIONS_END};

const command command_check = {
    .name = "check",
    .operands = "PROBLEM.yaml",
    .summary = "show every effective setting of a problem file, with memory and time",
    .details = "Reads and checks the problem, prints it with every default filled in, and estimates the memory and\n"
               "time of 'sgdmft solve'. Nothing is run. The output is itself a problem file.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
