/* sgdmft validate: what the theory says about the limiting equations, checked; table, figures and a page. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/save.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/progress.h"
#include "cli/script.h"
#include "cli/setup.h"
#include "sgdmft/version.h"
#include "validation/claims/claims.h"
#include "validation/claims/report.h"

#define SCRIPT "sgdmft_validation.py"

enum { CLAIMS_MAX = 32 };

typedef struct validation {
    const arguments *args;
    setup s;
    const char *directory;
    int force;
    size_t n;
    const claim_spec *spec[CLAIMS_MAX];
    claim claims[CLAIMS_MAX];
    int has_figure[CLAIMS_MAX];
} validation;

/* ---- before anything runs ---- */

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

/* DIRECTORY/NAME ENDING; NULL after saying that memory is out. */
static char *place(const validation *v, const char *name, const char *ending)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s%s", v->directory, name, ending) >= 0)
        return path;
    complain("out of memory");
    return NULL;
}

static int check_file(const validation *v, const char *name, const char *ending)
{
    char *path = place(v, name, ending);
    if (!path)
        return CODE_SYSTEM;
    sgdmft_status status = save_check(v->s.ctx, path, v->force);
    free(path);
    return status == SGDMFT_OK ? 0 : report_failure(v->s.ctx, status);
}

/* The directory exists in the end, and no file would be overwritten. */
static int plan_files(const validation *v)
{
    if (mkdir(v->directory, 0777) != 0 && errno != EEXIST) {
        complain("cannot create the directory '%s': %s", v->directory, strerror(errno));
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

/* ---- running ---- */

/* One progress line for many runs: each starts anew. */
typedef struct meters {
    progress line;
    double fraction;
} meters;

static int report_progress(void *user, double fraction, double t)
{
    meters *m = user;
    if (fraction < m->fraction) {
        progress_end(&m->line);
        progress_start(&m->line, "", 0);
    }
    m->fraction = fraction;
    return progress_report(&m->line, fraction, t);
}

static int save_text(const validation *v, const char *name, const char *ending, char *text)
{
    char *path = place(v, name, ending);
    int code = CODE_SYSTEM;
    if (!text)
        complain("out of memory");
    else if (path) {
        sgdmft_status status = save_bytes(v->s.ctx, path, text, strlen(text), v->force);
        code = status == SGDMFT_OK ? 0 : report_failure(v->s.ctx, status);
    }
    free(path);
    free(text);
    return code;
}

static int check_claims(validation *v)
{
    runs all;
    meters m = {.fraction = 2};
    runs_init(v->s.ctx, arguments_has(v->args, "quick") ? &run_sizes_quick : &run_sizes_full, &all);
    sgdmft_context_set_progress(v->s.ctx, report_progress, &m);
    report_print_head(stdout);
    int code = 0;
    for (size_t i = 0; i < v->n && !code; i++) {
        sgdmft_status status = claim_check(v->spec[i], &all, &v->claims[i]);
        progress_end(&m.line);
        if (status)
            code = report_failure(v->s.ctx, status);
        else {
            report_print_rows(stdout, &v->claims[i]);
            fflush(stdout); /* the reader sees it while the next claim is checked */
            code = save_text(v, v->spec[i]->name, ".csv", report_series(&v->claims[i]));
        }
    }
    runs_clear(&all);
    return code;
}

/* ---- figures and page ---- */

/* PYTHON -B SCRIPT FILES: each claim's series beside their data. Without Python there are no figures. */
static int draw(validation *v)
{
    const char *python = script_python("matplotlib,numpy");
    char *script = python ? script_find(SCRIPT) : NULL, *argv[CLAIMS_MAX + 4] = {NULL};
    if (python && !script)
        complain("the script " SCRIPT " is not installed: no figures");
    if (!script)
        return 0;
    size_t n = 0;
    argv[n++] = strdup(python);
    argv[n++] = strdup("-B");
    argv[n++] = script;
    for (size_t i = 0; i < v->n; i++)
        argv[n++] = place(v, v->spec[i]->name, ".csv");
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
                 "Version %s, %s sizes. Every row can fail; what each claim means and how the bounds are chosen "
                 "is told in docs/validation.md.",
                 sgdmft_version(), arguments_has(v->args, "quick") ? "quick" : "full") < 0) {
        complain("out of memory");
        return CODE_SYSTEM;
    }
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
    if (!v) {
        complain("out of memory");
        return CODE_SYSTEM;
    }
    const char *directory = arguments_value(args, "output");
    v->args = args;
    v->directory = directory ? directory : "sgdmft-validation";
    v->force = arguments_has(args, "force");
    int code = choose_claims(v);
    if (!code)
        code = setup_context(args, &v->s);
    if (!code)
        code = plan_files(v);
    if (!code) {
        interrupt_catch();
        code = validate(v);
    }
    for (size_t i = 0; i < v->n; i++)
        claim_clear(&v->claims[i]);
    setup_free(&v->s);
    free(v);
    return code;
}

static const option_spec options[] = {
    {"quick", 0, NULL, 0, "smaller sizes: under 3 minutes on two cores instead of 40"},
    {"output", 'o', "DIR", 0, "directory for tables, figures and the page (default: sgdmft-validation)"},
    {"only", 0, "NAME", 0, "check one claim"},
    OPTION_THREADS,
    OPTION_FORCE,
    OPTION_HELP,
    OPTIONS_END};

const command command_validate = {
    .name = "validate",
    .operands = "",
    .summary = "check what the theory says about the limiting equations",
    .details =
        "Checks the solver against simulations, exact results and limits, prints one row for each number with its\n"
        "bound and verdict, and writes the data, a figure for each claim and a page (index.html) that shows all.\n"
        "Figures need Python 3 with Matplotlib; the rest does not. The exit code is 1 if a row fails or was not\n"
        "run. Claims: sgd-simulation, batch, sme, linear, eta-to-zero, delta-to-infinity, universality,\n"
        "identities, reference.\n",
    .options = options,
    .run = run_validation,
};
