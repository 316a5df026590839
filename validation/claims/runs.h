/* Problems that are solved, simulated or looked up for the claims, each one only once. */
#ifndef SGDMFT_VALIDATION_CLAIMS_RUNS_H
#define SGDMFT_VALIDATION_CLAIMS_RUNS_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"

/* How much is computed. */
typedef struct run_sizes {
    int paths, replicas, steps; /* of sampled solves */
    int d, repetitions;         /* of simulations that are compared with the limit */
    int small_repetitions;      /* of simulations in small dimension d, in units of d repetitions */
    int accurate;               /* 1: rows that need a very accurate limit are checked */
} run_sizes;

extern const run_sizes run_sizes_full, run_sizes_quick;

/* One set of curves. `solution` is NULL if there is none; `message` then gives the reason. */
typedef struct run {
    char *label;             /* problem and what was changed in it, e.g. "tanh_sgd_eta2, lambda=0.3" */
    char *key;               /* by which it is found again */
    sgdmft_problem *problem; /* NULL for reference curves */
    sgdmft_solution *solution;
    sgdmft_status status; /* SGDMFT_OK if the solution is complete and reliable */
    char *message;
} run;

typedef struct runs {
    sgdmft_context *ctx; /* not owned */
    run_sizes sizes;
    size_t n;
    run **item;
    /* The first failure that is no evidence for or against a claim: memory, files, an interrupt. After it nothing is
       run any more, and runs come without a solution. */
    sgdmft_status fatal;
} runs;

void runs_init(sgdmft_context *ctx, const run_sizes *sizes, runs *out);
void runs_clear(runs *all);

/* The problem file NAME of validation/problems with `changes`: KEY=VALUE separated by blanks, after formatting as by
   printf. They take precedence over the sizes of `runs`. Never NULL; owned by `runs`. The seed of a simulation is a
   function of the name and the changes, so that simulations are independent of each other and of the solver. */
const run *runs_solve(runs *all, const char *name, const char *changes, ...) __attribute__((format(printf, 3, 4)));
const run *runs_simulate(runs *all, const char *name, const char *changes, ...) __attribute__((format(printf, 3, 4)));

/* The curves of validation/reference/NAME.csv. Never NULL; owned by `runs`. */
const run *runs_reference(runs *all, const char *name);

/* 1 if the run failed because this version cannot solve the problem. */
int run_is_unsupported(const run *r);

/* The files of validation/problems and validation/reference, which are part of the program. The table is generated at
   build time and ended by an entry without a name. */
typedef struct embedded_file {
    const char *name; /* without its directory */
    const char *text;
} embedded_file;

extern const embedded_file embedded_files[];

/* The text of the file whose name is `stem` and `ending` together, or NULL. */
const char *embedded_text(const char *stem, const char *ending);

#endif
