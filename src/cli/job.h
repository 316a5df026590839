/* What a subcommand works on: its arguments, a context, and the problem file that its first operand names. */
#ifndef SGDMFT_CLI_JOB_H
#define SGDMFT_CLI_JOB_H

#include "cli/arguments.h"
#include "sgdmft/context.h"
#include "sgdmft/problem.h"

typedef struct job {
    const arguments *args; /* borrowed */
    sgdmft_context *ctx;
    sgdmft_problem *problem; /* NULL in subcommands that read none */
} job;

/* Makes a context that obeys --threads and prints warnings. Returns 0, or an exit code after printing what is wrong;
   job_close releases the job in either case, as for job_open_problem. */
int job_open(const arguments *args, job *out);

/* Collective call of the ranks that run the subcommand: the same, and reads the problem file with every --set. The
   ranks then solve together in this context. */
int job_open_problem(const arguments *args, job *out);

void job_close(job *j);

/* Reads the problem file with every --set and then the `n` overrides of `more`. A failure is reported after
   "SUBJECT: ", unless that is NULL. Returns 0 or an exit code; the caller frees *out. */
int job_read_problem(const job *j, const char *const *more, size_t n, const char *subject, sgdmft_problem **out);

/* 0 if the file can be opened for reading, otherwise CODE_USAGE after printing why not. */
int job_check_readable(const char *path);

#endif
