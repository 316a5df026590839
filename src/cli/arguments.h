/* Command lines: the options a subcommand accepts, and those that were given. Unknown options are refused, and so is
   a value given twice. */
#ifndef SGDMFT_CLI_ARGUMENTS_H
#define SGDMFT_CLI_ARGUMENTS_H

#include <stddef.h>

typedef struct option_spec {
    const char *name;  /* without dashes */
    char letter;       /* the short form; 0 if there is none */
    const char *value; /* the word that stands for its value in the help text; NULL for a flag */
    int repeats;       /* 1: may be given more than once */
    const char *help;
} option_spec;

/* Options that mean the same in every subcommand that has them. */
/* clang-format off */
#define OPTION_HELP {"help", 'h', NULL, 0, "print this text"}
#define OPTION_SET {"set", 0, "KEY=VALUE", 1, "override a key of the problem file, e.g. --set delta=4; repeatable"}
#define OPTION_ACCURACY {"accuracy", 0, "A", 0, "short for --set numerics.accuracy=A"}
#define OPTION_VERBOSE {"verbose", 0, NULL, 0, "say how steps, paths, replicas and repetitions are chosen"}
#define OPTION_THREADS {"threads", 0, "N", 0, "number of threads (default: all cores; results do not depend on it)"}
#define OPTION_FORCE {"force", 0, NULL, 0, "replace existing output files"}
#define OPTION_QUIET {"quiet", 0, NULL, 0, "print nothing but warnings and errors"}
#define OPTIONS_END {NULL, 0, NULL, 0, NULL}
/* clang-format on */

struct command;
struct processes;

typedef struct arguments {
    const struct command *command;
    struct processes *processes; /* the ranks that run the command */
    int argc;                    /* of the whole program, as is argv */
    char **argv;
    size_t n_operands;
    const char **operands;
    size_t n_given;
    struct given_option {
        const option_spec *spec;
        const char *value; /* NULL for a flag */
    } * given;
    char *accuracy; /* the setting that --accuracy stands for; NULL if it was not given */
} arguments;

/* Parses argv from argv[first] on. If --help is given, everything else is ignored, right or wrong. Returns 0, or an
   exit code after printing what is wrong; arguments_free releases the memory in either case. */
int arguments_parse(const struct command *command, int argc, char **argv, int first, arguments *out);
void arguments_free(arguments *args);

/* 1 if the option was given. */
int arguments_has(const arguments *args, const char *name);

/* The value of an option, or NULL if it was not given. */
const char *arguments_value(const arguments *args, const char *name);

/* All values of a repeatable option, in the order given, in values[args->n_given]. Returns how many there are. */
size_t arguments_values(const arguments *args, const char *name, const char **values);

/* The settings "KEY=VALUE" of --set, and after them that of --accuracy, in settings[args->n_given]. Returns how many
   there are. */
size_t arguments_settings(const arguments *args, const char **settings);

/* The value of an option as a number within [low, high]; *out keeps its value if the option was not given. Both
   return 0, or an exit code after printing what is wrong. */
int arguments_integer(const arguments *args, const char *name, long low, long high, long *out);
int arguments_number(const arguments *args, const char *name, double low, double high, double *out);

/* The command line as text that a shell would split into the same words, with the program's name in place of its
   path. The caller frees it; NULL if out of memory. */
char *arguments_command_line(const arguments *args);

#endif
