/* sgdmft validate: checks claims about the limiting equations, and writes a table, figures and a page. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "cli/progress.h"
#include "cli/script.h"
#include "io/save.h"
#include "sgdmft/version.h"
#include "validation/claims/claims.h"
#include "validation/claims/report.h"

enum { CLAIMS_MAX = 32 };

typedef struct validation {
    const arguments *args;
    job job;
    const char *directory;
    int force;
    size_t n;
    const claim_spec *spec[CLAIMS_MAX];
    claim claims[CLAIMS_MAX];
    int has_figure[CLAIMS_MAX];
} validation;

/* --- before anything runs ---------------------------------------------------------------------------------------- */

static int choose_claims(validation *v)
{
    const char *only = arguments_value(v->args, "only");
    const char *names[CLAIMS_MAX];
    size_t n = 0;
    for (const claim_spec *s = claims_all; s->name && n < CLAIMS_MAX; s++) {
        names[n++] = s->name;
        if (!only || strcmp(only, s->name) == 0)
            v->spec[v->n++] = s;
    }
    if (v->n > 0)
        return 0;
    const char *nearest = nearest_name(only, names, n);
    if (nearest)
        return usage_error(v->args->command, "--only: there is no claim '%s'; did you mean '%s'?", only, nearest);
    return usage_error(v->args->command, "--only: there is no claim '%s'; 'sgdmft validate --help' lists them", only);
}

/* The file DIRECTORY/NAMEENDING. The caller frees it; NULL after printing that memory has run out. */
static char *path_of(const validation *v, const char *name, const char *ending)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s%s", v->directory, name, ending) >= 0)
        return path;
    report_out_of_memory();
    return NULL;
}

static int check_file(const validation *v, const char *name, const char *ending)
{
    char *path = path_of(v, name, ending);
    if (!path)
        return CODE_SYSTEM;
    int code = report_status(v->job.ctx, save_check(v->job.ctx, path, v->force), NULL);
    free(path);
    return code;
}

/* Makes the directory if need be, and checks that no file would be overwritten. */
static int plan_files(const validation *v)
{
    if (mkdir(v->directory, 0777) != 0 && errno != EEXIST) {
        print_error("cannot create the directory '%s': %s", v->directory, strerror(errno));
        return CODE_SYSTEM;
    }
    int code = check_file(v, "index", ".html");
    if (!code)
        code = check_file(v, "validation", ".csv");
    for (size_t i = 0; i < v->n && !code; i++) {
        code = check_file(v, v->spec[i]->name, ".csv");
        if (!code)
            code = check_file(v, v->spec[i]->name, ".svg");
    }
    return code;
}

/* --- running ----------------------------------------------------------------------------------------------------- */

/* Saves and frees the text; NULL stands for memory that has run out. */
static int save_text(const validation *v, const char *name, const char *ending, char *text)
{
    char *path = path_of(v, name, ending);
    int code = CODE_SYSTEM;
    if (!text)
        report_out_of_memory();
    else if (path)
        code = report_status(v->job.ctx, save_bytes(v->job.ctx, path, text, strlen(text), v->force), NULL);
    free(path);
    free(text);
    return code;
}

static int check_claims(validation *v)
{
    runs all;
    progress meter;
    runs_init(v->job.ctx, arguments_has(v->args, "quick") ? &run_sizes_quick : &run_sizes_full, &all);
    progress_start(&meter, v->job.ctx, v->args, "");
    report_print_head(stdout);
    int code = 0;
    for (size_t i = 0; i < v->n && !code; i++) {
        sgdmft_status status = claim_check(v->spec[i], &all, &v->claims[i]);
        progress_clear(&meter);
        code = report_status(v->job.ctx, status, NULL);
        if (code)
            break;
        report_print_rows(stdout, &v->claims[i]);
        fflush(stdout); /* so that the rows are seen while the next claim is checked */
        code = save_text(v, v->spec[i]->name, ".csv", report_series(&v->claims[i]));
    }
    progress_end(&meter, v->job.ctx);
    runs_clear(&all);
    return code;
}

/* --- figures and page -------------------------------------------------------------------------------------------- */

/* Runs PYTHON -B SCRIPT FILES, which draws a figure beside the series of each claim. Without Python there are none. */
static int draw(validation *v)
{
    const char *python = script_python("matplotlib,numpy");
    char *script = python ? script_find("sgdmft_validation.py") : NULL, *argv[CLAIMS_MAX + 4] = {NULL};
    if (!script)
        return 0;
    size_t n = 0;
    argv[n++] = strdup(python);
    argv[n++] = strdup("-B");
    argv[n++] = script;
    for (size_t i = 0; i < v->n; i++)
        argv[n++] = path_of(v, v->spec[i]->name, ".csv");
    int complete = 1;
    for (size_t i = 0; i < n; i++)
        complete = complete && argv[i];
    int code = complete ? script_run(argv) : CODE_SYSTEM;
    for (size_t i = 0; i < v->n; i++)
        v->has_figure[i] = code == 0;
    for (size_t i = 0; i < n; i++)
        free(argv[i]);
    return code;
}

static int write_page(const validation *v)
{
    char *heading = NULL;
    if (asprintf(&heading,
                 "Version %s, %s sizes. docs/validation.md explains what each claim means and how its bounds are "
                 "chosen.",
                 sgdmft_version(), arguments_has(v->args, "quick") ? "quick" : "full") < 0)
        return report_out_of_memory();
    char *page = report_page(v->claims, v->n, v->has_figure, heading);
    free(heading);
    return save_text(v, "index", ".html", page);
}

static int conclude(const validation *v)
{
    size_t count[3] = {0};
    for (size_t i = 0; i < v->n; i++)
        for (verdict w = VERDICT_HOLDS; w <= VERDICT_NOT_RUN; w++)
            count[w] += claim_count(&v->claims[i], w);
    printf("\n%zu rows hold, %zu fail, %zu not run; written: %s/index.html\n", count[VERDICT_HOLDS],
           count[VERDICT_FAILS], count[VERDICT_NOT_RUN], v->directory);
    return count[VERDICT_FAILS] + count[VERDICT_NOT_RUN] > 0 ? CODE_DIFFERS : CODE_DONE;
}

static int validate(validation *v)
{
    int code = check_claims(v), drawn;
    if (code)
        return code;
    drawn = draw(v);
    code = save_text(v, "validation", ".csv", report_table(v->claims, v->n));
    if (!code)
        code = write_page(v);
    if (!code)
        code = conclude(v);
    return drawn ? drawn : code;
}

static int run_validation(const arguments *args)
{
    validation *v = calloc(1, sizeof *v);
    if (!v)
        return report_out_of_memory();
    const char *directory = arguments_value(args, "output");
    v->args = args;
    v->directory = directory ? directory : "sgdmft-validation";
    v->force = arguments_has(args, "force");
    int code = choose_claims(v);
    if (!code)
        code = job_open(args, &v->job);
    if (!code)
        code = plan_files(v);
    if (!code) {
        progress_catch_signals();
        code = validate(v);
    }
    for (size_t i = 0; i < v->n; i++)
        claim_clear(&v->claims[i]);
    job_close(&v->job);
    free(v);
    return code;
}

static const option_spec options[] = {
    {"quick", 0, NULL, 0, "smaller sizes, which take 3 minutes on two cores instead of 40"},
    {"output", 'o', "DIR", 0, "directory for tables, figures and the page (default: sgdmft-validation)"},
    {"only", 0, "NAME", 0, "check this claim alone"},
    OPTION_THREADS,
    OPTION_FORCE,
    OPTION_HELP,
    OPTIONS_END};

const command command_validate = {
    .name = "validate",
    .operands = "",
    .summary = "check the solver against simulations, exact results and limits",
    .details =
        "Checks claims about the limiting equations by numbers: simulations, exact results, limits and identities.\n"
        "Prints one row for each number with its bound and verdict, and writes the data, a figure for each claim\n"
        "and a page with all of it (index.html). Only the figures need Python 3 with Matplotlib. The exit code is 1\n"
        "if a row fails or was not run. The claims are sgd-simulation, batch, sme, linear, eta-to-zero,\n"
        "delta-to-infinity, orders, first-epoch, batch-fraction, momentum, gradient-descent, universality, identities,\n"
        "reference.\n",
    .options = options,
    .run = run_validation,
};
