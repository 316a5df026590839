/* One run of a problem, as `solve`, `simulate` and each point of `sweep` make it: the estimate of its cost, the
   computation under a progress line, the files, the summary. */
#ifndef SGDMFT_CLI_RUN_H
#define SGDMFT_CLI_RUN_H

#include <stdio.h>

#include "cli/outputs.h"
#include "sgdmft/solve.h"

/* The functions in which solving and simulating differ. */
typedef struct run_kind {
    sgdmft_status (*estimate)(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_cost *out);
    /* `report` is passed on to print_summary. A solution may come with a failure; the caller frees it. */
    sgdmft_status (*compute)(sgdmft_context *ctx, sgdmft_problem *problem, void *report, sgdmft_solution **out);
    void (*print_summary)(const sgdmft_solution *solution, const void *report);
    int histograms; /* 1: the solution has the histograms that the problem asks for */
} run_kind;

typedef struct run_result {
    sgdmft_status status;
    sgdmft_solution *solution; /* NULL if there is none; owned by the caller. May come with a failure */
    int written;               /* 1: all its files are written */
} run_result;

/* The whole subcommand, from the problem file to the summary. Returns the exit code. */
int run_problem(const arguments *args, const run_kind *kind, void *report);

/* Computes and writes the files. The progress line starts with `label`, and failures are reported after "SUBJECT: ",
   unless that is NULL. Returns the exit code. */
int run_and_write(const job *j, const run_kind *kind, void *report, const outputs *o, const char *label,
                  const char *subject, run_result *out);

/* Prints "estimated " and the cost, and ends the line. */
void run_print_estimate(const sgdmft_cost *cost);

/* E.g. "310 MiB of memory (3.9 GiB available), about 12 s". */
void run_put_cost(FILE *to, const sgdmft_cost *cost);

/* Write a time and a size with their units, e.g. "3 min 05 s" and "310 MiB". */
void run_put_seconds(FILE *to, double seconds);
void run_put_bytes(FILE *to, double bytes);

#endif
