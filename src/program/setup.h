/* What every subcommand that reads a problem file starts with. */
#ifndef SGDMFT_PROGRAM_SETUP_H
#define SGDMFT_PROGRAM_SETUP_H

#include "program/arguments.h"
#include "sgdmft/context.h"
#include "sgdmft/problem.h"

typedef struct setup {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
} setup;

/* A context that obeys --threads and prints warnings on standard error. Returns 0 or an exit code after printing
   what is wrong. */
int setup_context(const arguments *args, setup *out);

/* The same, and the problem file named by the first operand with every --set applied. */
int setup_problem(const arguments *args, setup *out);

void setup_free(setup *s);

/* 0 if the file can be opened for reading, otherwise CODE_USAGE after saying why not. */
int check_readable(const char *path);

#endif
