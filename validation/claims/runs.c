#include "validation/claims/runs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/csv_read.h"
#include "problem/problem.h"
#include "sgdmft/simulate.h"
#include "sgdmft/solve.h"

const run_sizes run_sizes_full = {.paths = 20000,
                                  .replicas = 16,
                                  .steps = 100,
                                  .d = 4000,
                                  .repetitions = 60,
                                  .small_repetitions = 800,
                                  .accurate = 1};
const run_sizes run_sizes_quick = {
    .paths = 6000, .replicas = 16, .steps = 50, .d = 2000, .repetitions = 30, .small_repetitions = 250};

enum { CHANGES_MAX = 32 };

typedef enum run_kind { RUN_SOLVE, RUN_SIMULATE, RUN_REFERENCE } run_kind;

/* In the place of a run for which there was no memory. */
static const run no_run = {
    .label = (char *)"?", .key = (char *)"", .status = SGDMFT_ERR_MEMORY, .message = (char *)"out of memory"};

void runs_init(sgdmft_context *ctx, const run_sizes *sizes, runs *out)
{
    *out = (runs){.ctx = ctx, .sizes = *sizes};
}

static void run_free(run *r)
{
    if (!r)
        return;
    sgdmft_solution_free(r->solution);
    sgdmft_problem_free(r->problem);
    free(r->label);
    free(r->key);
    free(r->message);
    free(r);
}

void runs_clear(runs *all)
{
    for (size_t i = 0; i < all->n; i++)
        run_free(all->item[i]);
    free(all->item);
    *all = (runs){.ctx = all->ctx};
}

int run_is_unsupported(const run *r)
{
    return r->status == SGDMFT_ERR_UNSUPPORTED;
}

/* ---- files of the program ---- */

const char *embedded_text(const char *stem, const char *ending)
{
    size_t length = strlen(stem);
    for (const embedded_file *f = embedded_files; f->name; f++)
        if (strncmp(f->name, stem, length) == 0 && strcmp(f->name + length, ending) == 0)
            return f->text;
    return NULL;
}

/* The number of repetitions, which the comments give as "reps=NUMBER"; 0 if they do not. */
static size_t repetitions_in(const char *comments)
{
    const char *found = strstr(comments, "reps=");
    return found ? strtoul(found + strlen("reps="), NULL, 10) : 0;
}

/* *out is owned by the caller (sgdmft_solution_free). */
static sgdmft_status reference_curves(sgdmft_context *ctx, const char *name, sgdmft_solution **out)
{
    const char *text = embedded_text(name, ".csv");
    *out = NULL;
    if (!text)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "the program contains no reference curves '%s'", name);
    sgdmft_status status = csv_read_text(ctx, name, text, out);
    if (status)
        return status;
    (*out)->info.simulated = 1;
    (*out)->info.replicas = repetitions_in((*out)->title);
    return SGDMFT_OK;
}

/* ---- runs ---- */

/* Failures of the machine, and interrupts. */
static int is_fatal(sgdmft_status status)
{
    return status == SGDMFT_ERR_INTERRUPTED || status >= SGDMFT_ERR_MEMORY;
}

static const run *out_of_memory(runs *all)
{
    if (!all->fatal)
        all->fatal = context_out_of_memory(all->ctx, "the runs of the claims", sizeof(run));
    return &no_run;
}

/* A seed from a text: its FNV-1a hash, cut to the range of numerics.seed. */
static uint64_t seed_of(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash >> 20;
}

/* Cuts `text` at its blanks into words[]; returns their number. */
static size_t cut(char *text, const char **words)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word && n < CHANGES_MAX; word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    return n;
}

static sgdmft_status parse(runs *all, const char *name, const char *changes, sgdmft_problem **out)
{
    const char *words[CHANGES_MAX], *text = embedded_text(name, ".yaml");
    char *copy = strdup(changes);
    if (!copy)
        return context_out_of_memory(all->ctx, "changes of a problem", (double)strlen(changes));
    sgdmft_status status;
    if (text)
        status = sgdmft_problem_parse(all->ctx, name, text, words, cut(copy, words), out);
    else
        status = context_fail(all->ctx, SGDMFT_ERR_ARGUMENT, "the program contains no problem '%s'", name);
    free(copy);
    return status;
}

/* 1 if the problem determines the number of steps, so that there is none to choose. */
static int has_own_steps(runs *all, const char *name, const char *changes)
{
    sgdmft_problem *problem = NULL;
    int own = !parse(all, name, changes, &problem) && problem_is_discrete(problem);
    sgdmft_problem_free(problem);
    return own;
}

/* The sizes of a solve, as changes of its problem; NULL if out of memory. */
static char *solve_sizes(runs *all, const char *name, const char *changes)
{
    const run_sizes *sizes = &all->sizes;
    char *text = NULL, steps[48] = "";
    if (!has_own_steps(all, name, changes))
        snprintf(steps, sizeof steps, " numerics.steps=%d", sizes->steps);
    int failed = asprintf(&text, "numerics.paths=%d numerics.replicas=%d%s", sizes->paths, sizes->replicas, steps) < 0;
    return failed ? NULL : text;
}

/* The sizes and the seed of a simulation. */
static char *simulation_sizes(const run_sizes *sizes, const char *name, const char *changes)
{
    char *text = NULL, *seeded = NULL;
    int failed = asprintf(&seeded, "%s %s", name, changes) < 0 ||
                 asprintf(&text, "simulate.d=%d simulate.repetitions=%d output.times=11 numerics.seed=%" PRIu64,
                          sizes->d, sizes->repetitions, seed_of(seeded)) < 0;
    free(seeded);
    return failed ? NULL : text;
}

static char *size_changes(runs *all, run_kind kind, const char *name, const char *changes)
{
    if (kind == RUN_REFERENCE)
        return strdup("");
    return kind == RUN_SOLVE ? solve_sizes(all, name, changes) : simulation_sizes(&all->sizes, name, changes);
}

static void compute(runs *all, run_kind kind, const char *name, const char *changes, run *r)
{
    sgdmft_context *ctx = all->ctx;
    if (kind == RUN_REFERENCE) {
        r->status = reference_curves(ctx, name, &r->solution);
    } else {
        r->status = parse(all, name, changes, &r->problem);
        if (!r->status && kind == RUN_SOLVE)
            r->status = sgdmft_solve(ctx, r->problem, &r->solution);
        else if (!r->status)
            r->status = sgdmft_simulate(ctx, r->problem, NULL, &r->solution);
    }
    if (!r->status)
        return;
    const char *message = sgdmft_context_message(ctx);
    r->message = strdup(message[0] ? message : sgdmft_status_string(r->status));
    sgdmft_solution_free(r->solution); /* curves that end early are no evidence */
    r->solution = NULL;
    if (is_fatal(r->status))
        all->fatal = r->status;
}

static const run *find(const runs *all, const char *key)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->item[i]->key, key) == 0)
            return all->item[i];
    return NULL;
}

/* Adds an empty run to the table, which becomes the owner of `key`. */
static run *add(runs *all, char *key, const char *name, const char *changes)
{
    run **grown = realloc(all->item, (all->n + 1) * sizeof *grown);
    if (grown)
        all->item = grown;
    run *r = grown ? calloc(1, sizeof *r) : NULL;
    if (!r || asprintf(&r->label, "%s%s%s", name, changes[0] ? ", " : "", changes) < 0) {
        free(r);
        free(key);
        return NULL;
    }
    r->key = key;
    return all->item[all->n++] = r;
}

static const run *provide(runs *all, run_kind kind, const char *name, const char *changes)
{
    static const char *const words[] = {"solve", "simulate", "reference"};
    char *sizes = size_changes(all, kind, name, changes), *key = NULL;
    if (!sizes || asprintf(&key, "%s %s %s %s", words[kind], name, sizes, changes) < 0) {
        free(sizes);
        return out_of_memory(all);
    }
    free(sizes);
    const run *known = find(all, key);
    if (known) {
        free(key);
        return known;
    }
    if (all->fatal) {
        free(key);
        return &no_run;
    }
    run *r = add(all, key, name, changes);
    if (!r)
        return out_of_memory(all);
    compute(all, kind, name, key + strlen(words[kind]) + strlen(name) + 2, r);
    return r;
}

static const run *provide_formatted(runs *all, run_kind kind, const char *name, const char *format, va_list args)
{
    char *changes = NULL;
    if (vasprintf(&changes, format, args) < 0)
        return out_of_memory(all);
    const run *r = provide(all, kind, name, changes);
    free(changes);
    return r;
}

const run *runs_solve(runs *all, const char *name, const char *changes, ...)
{
    va_list args;
    va_start(args, changes);
    const run *r = provide_formatted(all, RUN_SOLVE, name, changes, args);
    va_end(args);
    return r;
}

const run *runs_simulate(runs *all, const char *name, const char *changes, ...)
{
    va_list args;
    va_start(args, changes);
    const run *r = provide_formatted(all, RUN_SIMULATE, name, changes, args);
    va_end(args);
    return r;
}

const run *runs_reference(runs *all, const char *name)
{
    return provide(all, RUN_REFERENCE, name, "");
}
