/* What every subcommand that reads a problem file starts with. */
#ifndef SGDMFT_CLI_SETUP_H
#define SGDMFT_CLI_SETUP_H

#include "core/context.h"
#include "cli/arguments.h"
#include "sgdmft/context.h"
#include "sgdmft/problem.h"

typedef struct setup {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    rank_group *others; /* that may ask to stop although they do not solve together; or NULL, borrowed */
} setup;

/* A context that obeys --threads and prints warnings on standard error. Returns 0 or an exit code after printing
   what is wrong. */
int setup_context(const arguments *args, setup *out);

/* The same, and the problem file named by the first operand with every --set applied. */
int setup_problem(const arguments *args, setup *out);

void setup_free(setup *s);

/* Reads the problem file with every --set and then `more` overrides applied. A failure is reported after `what`, if
   that is not NULL. Returns 0 or an exit code. */
int setup_read(const arguments *args, sgdmft_context *ctx, const char *const *more, size_t n_more, const char *what,
               sgdmft_problem **out);

/* 0 if the file can be opened for reading, otherwise CODE_USAGE after saying why not. */
int check_readable(const char *path);

#endif
