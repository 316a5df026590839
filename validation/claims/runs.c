#include "validation/claims/runs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sgdmft/solve.h"
#include "validation/claims/reference.h"
#include "validation/simulator/simulator.h"
#include "validation/claims/texts.h"

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

/* Stands for a run that there was no memory for. */
static run no_run = {
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

/* Failures that are a fault of the machine or a wish of the user. */
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

/* FNV-1a: a seed from the text of what is simulated, within what a problem file may say. */
static uint64_t seed_of(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash >> 20;
}

/* The settings that a kind of run starts from, before `changes`; NULL if out of memory. */
static char *base_settings(const run_sizes *sizes, run_kind kind, const char *name, const char *changes)
{
    char *text = NULL, *seeded = NULL;
    int failed = 0;
    if (kind == RUN_SOLVE) {
        failed = asprintf(&text, "numerics.paths=%d numerics.replicas=%d numerics.steps=%d", sizes->paths,
                          sizes->replicas, sizes->steps) < 0;
    } else {
        failed = asprintf(&seeded, "%s %s", name, changes) < 0 ||
                 asprintf(&text, "simulate.d=%d simulate.repetitions=%d output.times=11 numerics.seed=%" PRIu64,
                          sizes->d, sizes->repetitions, seed_of(seeded)) < 0;
        free(seeded);
    }
    return failed ? NULL : text;
}

/* Cuts `text` at its blanks into sets[]; returns how many there are. */
static size_t cut(char *text, const char **sets)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word && n < CHANGES_MAX; word = strtok_r(NULL, " ", &rest))
        sets[n++] = word;
    return n;
}

static sgdmft_status parse(runs *all, const char *name, const char *settings, sgdmft_problem **out)
{
    const char *sets[CHANGES_MAX], *text = embedded_find(name, ".yaml");
    char *words = strdup(settings);
    if (!words)
        return context_out_of_memory(all->ctx, "settings", (double)strlen(settings));
    sgdmft_status status;
    if (text)
        status = sgdmft_problem_parse(all->ctx, name, text, sets, cut(words, sets), out);
    else
        status = context_fail(all->ctx, SGDMFT_ERR_ARGUMENT, "there is no problem '%s' in the program", name);
    free(words);
    return status;
}

static void compute(runs *all, run_kind kind, const char *name, const char *settings, run *r)
{
    sgdmft_context *ctx = all->ctx;
    if (kind == RUN_REFERENCE) {
        r->status = reference_curves(ctx, name, &r->solution);
    } else {
        r->status = parse(all, name, settings, &r->problem);
        if (!r->status && kind == RUN_SOLVE)
            r->status = sgdmft_solve(ctx, r->problem, &r->solution);
        else if (!r->status)
            r->status = simulator_run(ctx, r->problem, NULL, &r->solution);
    }
    if (!r->status)
        return;
    const char *message = sgdmft_context_message(ctx);
    r->message = strdup(message[0] ? message : sgdmft_status_string(r->status));
    sgdmft_solution_free(r->solution); /* what stops early is no evidence */
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

/* Puts a new run into the table; takes over `key`. */
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
    char *base = kind == RUN_REFERENCE ? strdup("") : base_settings(&all->sizes, kind, name, changes), *key = NULL;
    if (!base || asprintf(&key, "%s %s %s %s", words[kind], name, base, changes) < 0) {
        free(base);
        return out_of_memory(all);
    }
    free(base);
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
