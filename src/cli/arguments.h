/* Command lines: what a subcommand accepts, and what was given. Strict: nothing unknown, no value given twice. */
#ifndef SGDMFT_CLI_ARGUMENTS_H
#define SGDMFT_CLI_ARGUMENTS_H

#include <stddef.h>

typedef struct option_spec {
    const char *name;  /* without dashes */
    char letter;       /* 0: no short form */
    const char *value; /* what stands for its value in the help text; NULL: a flag */
    int repeats;       /* 1: may be given more than once */
    const char *help;
} option_spec;

/* Options that mean the same in every subcommand that has them. */
#define OPTION_HELP {"help", 'h', NULL, 0, "print this text"}
#define OPTION_SET {"set", 0, "KEY=VALUE", 1, "override a key of the problem file, e.g. --set delta=4; repeatable"}
#define OPTION_THREADS {"threads", 0, "N", 0, "threads to use (default: all; results do not depend on it)"}
#define OPTION_FORCE {"force", 0, NULL, 0, "replace existing output files"}
#define OPTION_QUIET {"quiet", 0, NULL, 0, "print warnings and errors only"}
#define OPTIONS_END {NULL, 0, NULL, 0, NULL}

struct command;
struct processes;

typedef struct arguments {
    const struct command *command;
    struct processes *processes; /* that run it */
    int argc; /* of the whole program */
    char **argv;
    size_t n_operands;
    const char **operands;
    size_t n_given;
    struct given_option {
        const option_spec *spec;
        const char *value; /* NULL for a flag */
    } *given;
} arguments;

/* Takes apart argv from argv[first] on. Returns 0, or an exit code after printing what is wrong. --help among the
   options wins over everything else that may be wrong. All memory is released by arguments_free. */
int arguments_parse(const struct command *command, int argc, char **argv, int first, arguments *out);
void arguments_free(arguments *args);

int arguments_has(const arguments *args, const char *name);
/* The value of an option, or NULL if it was not given. */
const char *arguments_value(const arguments *args, const char *name);
/* All values of a repeatable option, in order; returns how many there are. `values` has room for args->n_given. */
size_t arguments_values(const arguments *args, const char *name, const char **values);

/* The value of an option as a number within [low, high]; *out stays as it is if the option was not given.
   Return 0, or an exit code after printing what is wrong. */
int arguments_integer(const arguments *args, const char *name, long low, long high, long *out);
int arguments_number(const arguments *args, const char *name, double low, double high, double *out);

/* The command line as text that a shell would take apart the same way; the program's name without its directory.
   NULL if out of memory; the caller frees it. */
char *arguments_command_line(const arguments *args);

#endif
