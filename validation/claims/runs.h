/* Problems solved, simulated or looked up for the claims: each distinct one once, whoever asks for it. */
#ifndef SGDMFT_VALIDATION_CLAIMS_RUNS_H
#define SGDMFT_VALIDATION_CLAIMS_RUNS_H

#include "core/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"

/* How much is computed. */
typedef struct run_sizes {
    int paths, replicas, steps; /* of sampled solves */
    int d, repetitions;         /* of simulations that are compared with the limit */
    int small_repetitions; /* of simulations in small dimension, whose deviations are looked at, for each dimension */
    int accurate;          /* 1: rows that need a very accurate limit are there */
} run_sizes;

extern const run_sizes run_sizes_full, run_sizes_quick;

/* One set of curves. `solution` is NULL if there is none; then `message` says why. */
typedef struct run {
    char *label; /* problem and what was changed in it, e.g. "tanh_sgd_eta2, lambda=0.3" */
    char *key;   /* what it is looked up by */
    sgdmft_problem *problem;
    sgdmft_solution *solution;
    sgdmft_status status; /* of the solve; SGDMFT_OK if the solution is complete and to be trusted */
    char *message;
} run;

typedef struct runs {
    sgdmft_context *ctx; /* not owned */
    run_sizes sizes;
    size_t n;
    run **item;
    /* The first failure that says nothing about a claim: memory, files, an interrupt. Then nothing more is run, and
       every run that is asked for comes without a solution. */
    sgdmft_status fatal;
} runs;

void runs_init(sgdmft_context *ctx, const run_sizes *sizes, runs *out);
void runs_clear(runs *all);

/* The problem file NAME of validation/problems with `changes`, a printf format for KEY=VALUE separated by blanks, which
   come after the sizes of `runs`. Never NULL; owned by `runs`. Simulations have a seed of their own for each set of
   changes: they are independent of each other and of the solver. */
const run *runs_solve(runs *all, const char *name, const char *changes, ...) __attribute__((format(printf, 3, 4)));
const run *runs_simulate(runs *all, const char *name, const char *changes, ...) __attribute__((format(printf, 3, 4)));

/* The curves of validation/reference/NAME.csv; the run has no problem. */
const run *runs_reference(runs *all, const char *name);

/* 1 if the run failed for a reason that says nothing about a claim: this version cannot do it. */
int run_is_unsupported(const run *r);

#endif
