/* The program: finds the subcommand and runs it. Printing and exiting happen in src/cli only. */
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

/* A standard stream that the caller closed would lend its number to the next file opened, and messages would end in
   a result. Take the number with something that cannot be written to, so that output fails and is noticed. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* Replicas and grids take memory of the same sizes one after the other. What one gives back waits for the next, instead of
   going through the system, which clears it again. */
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
         "Exact high-dimensional dynamics of multi-pass SGD in multi-index models: a problem file in, theory curves\n"
         "with error bars out.\n\n"
         "subcommands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    puts("\n'sgdmft SUBCOMMAND --help' tells more; 'sgdmft --version' prints the version.\n\n"
         "exit codes: 0 done; 1 a comparison says no; 2 usage or bad input; 3 the problem has no trustworthy\n"
         "solution (what was computed is kept and marked); 4 system (disk, memory, I/O); 130 interrupted.");
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

static int complain_unknown(const char *word)
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
    arguments args;
    if (p->rank > 0 && !cmd->together)
        return CODE_DONE;
    int code = arguments_parse(cmd, argc, argv, 2, &args);
    args.processes = p;
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
    return cmd ? run_command(cmd, argc, argv, p) : complain_unknown(argv[1]);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    keep_memory();
    gsl_set_error_handler_off(); /* its default aborts; failures come back as status codes */
    processes p;
    int code = processes_start(&p);
    if (code == CODE_DONE)
        code = run(argc, argv, &p);
    return processes_end(&p, finish_output(code));
}
