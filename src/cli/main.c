/* The program: finds the subcommand that is asked for and runs it. The library neither prints nor exits; all of that
   happens in src/cli. */
#include <fcntl.h>
#include <gsl/gsl_errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/processes.h"
#include "sgdmft/version.h"

static const command *const commands[] = {&command_solve,     &command_sweep,    &command_sample, &command_simulate,
                                          &command_compare,   &command_validate, &command_plot,   &command_check,
                                          &command_reference, &command_cite};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* If the caller closed a standard stream, the next file to be opened would get its number, and messages would be
   written into results. Its number is given to a file that cannot be written to, so that the lost output is noticed. */
static void occupy_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* Replicas and grids allocate blocks of the same sizes one after the other. The program keeps what one releases for
   the next: from the system it would come cleared, which takes time. */
static void keep_memory(void)
{
#ifdef __GLIBC__
    enum { MIB = 1 << 20 };
    mallopt(M_MMAP_THRESHOLD, 32 * MIB);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_TOP_PAD, 16 * MIB);
#endif
}

static int print_help(void)
{
    puts("usage: sgdmft SUBCOMMAND ...\n\n"
         "Computes the exact high-dimensional dynamics of multi-pass SGD in multi-index models: reads a problem file\n"
         "and writes the theory curves with their standard errors.\n\n"
         "subcommands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    puts("\n'sgdmft SUBCOMMAND --help' explains a subcommand; 'sgdmft --version' prints the version.\n\n"
         "exit codes: 0 success; 1 curves differ (compare) or a check fails (validate); 2 wrong usage or input; 3 the\n"
         "dynamics diverge or the solution does not converge (results up to then are written and marked as\n"
         "incomplete); 4 system error (memory, files); 130 interrupted.");
    return CODE_DONE;
}

static int print_version(void)
{
    printf("sgdmft %s\n%s\n", sgdmft_version(), sgdmft_build_info());
    return CODE_DONE;
}

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown_word(const char *word)
{
    const char *names[N_COMMANDS + 2] = {"--help", "--version"};
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[2 + i] = commands[i]->name;
    const char *nearest = nearest_name(word, names, N_COMMANDS + 2);
    const char *kind = word[0] == '-' ? "option" : "subcommand";
    if (nearest)
        return usage_error(NULL, "unknown %s '%s'; did you mean '%s'?", kind, word, nearest);
    return usage_error(NULL, "unknown %s '%s'", kind, word);
}

static int run_command(const command *cmd, int argc, char **argv, processes *p)
{
    processes alone = {.size = 1};
    if (p->rank > 0 && !cmd->collective)
        return CODE_DONE;
    arguments args;
    int code = arguments_parse(cmd, argc, argv, 2, &args);
    args.processes = cmd->collective ? p : &alone;
    code = processes_agree(args.processes, code);
    if (code == CODE_DONE && arguments_has(&args, "help"))
        print_usage(cmd);
    else if (code == CODE_DONE)
        code = cmd->run(&args);
    arguments_free(&args);
    return code;
}

static int run(int argc, char **argv, processes *p)
{
    if (argc < 2)
        return usage_error(NULL, "no subcommand is given");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    const command *cmd = find_command(argv[1]);
    return cmd ? run_command(cmd, argc, argv, p) : unknown_word(argv[1]);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    keep_memory();
    gsl_set_error_handler_off(); /* by default GSL aborts; now its failures are status codes */
    processes p;
    int code = processes_start(&p);
    if (code == CODE_DONE)
        code = run(argc, argv, &p);
    return processes_end(&p, finish_output(code));
}
