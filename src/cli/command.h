/* The subcommands of the program: each is a `command`, defined in the file that implements it and listed in main.c. */
#ifndef SGDMFT_CLI_COMMAND_H
#define SGDMFT_CLI_COMMAND_H

#include "cli/arguments.h"

/* Exit codes of the program. */
enum { CODE_DONE = 0, CODE_DIFFERS = 1, CODE_USAGE = 2, CODE_UNTRUSTED = 3, CODE_SYSTEM = 4, CODE_INTERRUPTED = 130 };

typedef struct command {
    const char *name;
    const char *operands;       /* as the usage line shows them */
    const char *summary;        /* one line */
    const char *details;        /* the paragraphs of --help, each line ended by \n */
    const option_spec *options; /* ended by an entry without a name */
    size_t operands_min, operands_max;
    int collective;                    /* 1: every rank runs it; 0: rank 0 runs it alone */
    int (*run)(const arguments *args); /* returns the exit code */
} command;

extern const command command_solve, command_simulate, command_check, command_reference, command_compare, command_plot,
    command_cite, command_sweep, command_sample, command_validate;

#endif
