/* The subcommands that compute nothing and print: check, reference, cite. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "cli/run.h"
#include "sgdmft/solve.h"
#include "sgdmft/version.h"

/* --- sgdmft check: the problem with every default filled in, its solver and its cost ----------------------------- */

/* The lines after the problem are comments, so that the output is a problem file again. */

/* Names the solver that would run, and says why the others are not used. */
static void print_solvers(const job *j)
{
    const char *chosen = sgdmft_solver_chosen(j->ctx, j->problem);
    if (chosen)
        printf("# solver: %s\n", chosen);
    for (size_t i = 0; i < sgdmft_solver_count(); i++) {
        const char *reason = sgdmft_solver_cannot_solve(i, j->problem);
        if (reason && (!chosen || strcmp(chosen, sgdmft_solver_name(i)) != 0))
            printf("# not used: %s, as %s\n", sgdmft_solver_name(i), reason);
    }
}

/* 1 if this problem, given as YAML, can be solved exactly, which its numerics keep it from. */
static int could_be_exact(const job *j, const char *yaml)
{
    static const char *const exact_method[] = {"numerics.method=linear"};
    sgdmft_context *silent = NULL; /* without a logger, as all warnings have been printed */
    sgdmft_problem *exact = NULL;
    sgdmft_cost cost;
    char *method = NULL;
    const char *chosen = sgdmft_solver_chosen(j->ctx, j->problem), *other = NULL;
    int could = sgdmft_context_new(&silent) == SGDMFT_OK &&
                sgdmft_problem_get(silent, j->problem, "numerics.method", &method) == SGDMFT_OK &&
                strcmp(method, "linear") != 0 &&
                sgdmft_problem_parse(silent, j->args->operands[0], yaml, exact_method, 1, &exact) == SGDMFT_OK &&
                sgdmft_estimate_cost(silent, exact, &cost) == SGDMFT_OK;
    if (could)
        other = sgdmft_solver_chosen(silent, exact);
    could = could && chosen && other && strcmp(chosen, other) != 0;
    free(method);
    sgdmft_problem_free(exact);
    sgdmft_context_free(silent);
    return could;
}

static int print_cost(const job *j)
{
    sgdmft_cost cost;
    int code = report_status(j->ctx, sgdmft_estimate_cost(j->ctx, j->problem, &cost), NULL);
    if (code)
        return code;
    int threads = sgdmft_context_threads(j->ctx);
    if (cost.averages[0])
        printf("# averages: %s\n", cost.averages);
    fputs("# estimated: ", stdout);
    run_put_cost(stdout, &cost);
    printf(" on %d thread%s\n", threads, threads == 1 ? "" : "s");
    return 0;
}

static int run_check(const arguments *args)
{
    job j;
    char *yaml = NULL;
    int code = job_open_problem(args, &j);
    if (code == 0)
        code = report_status(j.ctx, sgdmft_problem_to_yaml(j.ctx, j.problem, &yaml), NULL);
    if (code == 0) {
        fputs(yaml, stdout);
        print_solvers(&j);
        if (could_be_exact(&j, yaml))
            puts("# exact: this is the linear model, which numerics.method: linear solves without sampling");
        code = print_cost(&j);
    }
    free(yaml);
    job_close(&j);
    return code;
}

static const option_spec check_options[] = {OPTION_ACCURACY, OPTION_SET, OPTION_THREADS, OPTION_HELP, OPTIONS_END};

const command command_check = {
    .name = "check",
    .operands = "PROBLEM.yaml",
    .summary = "show all settings of a problem file, its solver, and the memory and time it needs",
    .details =
        "Reads and checks the problem and prints it with every default filled in, followed by the solver that\n"
        "'sgdmft solve' would use and the memory and time it would need. Nothing is solved. The output is itself\n"
        "a problem file.\n",
    .options = check_options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_check,
};

/* --- sgdmft reference: every key of a problem file --------------------------------------------------------------- */

static int run_reference(const arguments *args)
{
    job j;
    char *text = NULL;
    int code = job_open(args, &j);
    if (code == 0)
        code = report_status(j.ctx, sgdmft_problem_reference(j.ctx, &text), NULL);
    if (code == 0)
        fputs(text, stdout);
    free(text);
    job_close(&j);
    return code;
}

static const option_spec help_only[] = {OPTION_HELP, OPTIONS_END};

const command command_reference = {
    .name = "reference",
    .operands = "",
    .summary = "print a commented problem file with every key, default and range",
    .details = "Prints a complete problem file; comments give the meaning, unit, default and permitted range of each\n"
               "key.\n",
    .options = help_only,
    .run = run_reference,
};

/* --- sgdmft cite: the paper and the software to cite ------------------------------------------------------------- */

static const char theory[] =
    "The equations:\n"
    "  Z. Fan and L. Wang, High-dimensional learning dynamics of multi-pass Stochastic Gradient Descent in\n"
    "  multi-index models, arXiv:2601.21093 (2026).\n\n";

static const char software[] = "This program:\n"
                               "  sgdmft %s: exact high-dimensional dynamics of multi-pass SGD, version %s.\n\n";

static const char entries[] =
    "@misc{FanWang2026,\n"
    "  author = {Fan, Zhou and Wang, Leda},\n"
    "  title = {High-dimensional learning dynamics of multi-pass {Stochastic Gradient Descent} in multi-index\n"
    "           models},\n"
    "  year = {2026},\n"
    "  eprint = {2601.21093},\n"
    "  archivePrefix = {arXiv},\n"
    "  primaryClass = {stat.ML}\n"
    "}\n\n"
    "@software{sgdmft,\n"
    "  author = {{The sgdmft authors}},\n"
    "  title = {sgdmft: exact high-dimensional dynamics of multi-pass {SGD}},\n"
    "  version = {%s},\n"
    "  year = {2026}\n"
    "}\n\n";

static const char libraries[] =
    "The program uses the GNU Scientific Library, OpenBLAS and LAPACK, SLEEF, SUNDIALS, HDF5, libyaml and the Philox\n"
    "generator of Random123 (Salmon, Moraes, Dror and Shaw, SC 2011); Matplotlib (Hunter, 2007) draws the figures.\n";

static int run_cite(const arguments *args)
{
    (void)args;
    fputs(theory, stdout);
    printf(software, sgdmft_version(), sgdmft_version());
    fputs("BibTeX:\n\n", stdout);
    printf(entries, sgdmft_version());
    fputs(libraries, stdout);
    return CODE_DONE;
}

const command command_cite = {
    .name = "cite",
    .operands = "",
    .summary = "print the references to cite, as text and as BibTeX",
    .details = "Prints the reference of the paper whose equations are solved and that of this program, as text and as\n"
               "BibTeX entries.\n",
    .options = help_only,
    .run = run_cite,
};
