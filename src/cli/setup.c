#include "cli/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/processes.h"

static void print_warning(void *user, sgdmft_log_level level, const char *line)
{
    (void)user;
    if (level == SGDMFT_LOG_WARNING)
        complain("warning: %s", line);
}

int check_readable(const char *path)
{
    struct stat info;
    int error = stat(path, &info) != 0 || access(path, R_OK) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
    if (!error)
        return 0;
    complain("cannot read '%s': %s", path, strerror(error));
    return CODE_USAGE;
}

int setup_context(const arguments *args, setup *out)
{
    *out = (setup){0};
    long threads = 0;
    int code = arguments_integer(args, "threads", 1, 4096, &threads);
    if (code)
        return code;
    sgdmft_status status = sgdmft_context_new(&out->ctx);
    if (status != SGDMFT_OK) {
        complain("%s", sgdmft_status_string(status));
        return exit_code_of(status);
    }
    sgdmft_context_set_logger(out->ctx, print_warning, NULL);
    status = sgdmft_context_set_threads(out->ctx, (int)threads);
    if (status == SGDMFT_OK && args->command->together)
        status = processes_join(args->processes, out->ctx);
    return status == SGDMFT_OK ? 0 : report_failure(out->ctx, status);
}

int setup_read(const arguments *args, sgdmft_context *ctx, const char *const *more, size_t n_more, const char *what,
               sgdmft_problem **out)
{
    const char **sets = calloc(args->n_given + n_more + 1, sizeof *sets);
    if (!sets) {
        complain("out of memory");
        return CODE_SYSTEM;
    }
    size_t n_sets = arguments_values(args, "set", sets);
    for (size_t i = 0; i < n_more; i++)
        sets[n_sets++] = more[i];
    sgdmft_status status = sgdmft_problem_read(ctx, args->operands[0], sets, n_sets, out);
    free(sets);
    return status == SGDMFT_OK ? 0 : report_failure_of(ctx, status, what);
}

int setup_problem(const arguments *args, setup *out)
{
    int code = setup_context(args, out);
    if (code)
        return code;
    code = check_readable(args->operands[0]);
    if (code == 0)
        code = setup_read(args, out->ctx, NULL, 0, NULL, &out->problem);
    return processes_agree(args->processes, out->ctx->ranks, code);
}

void setup_free(setup *s)
{
    sgdmft_problem_free(s->problem);
    sgdmft_context_free(s->ctx);
    *s = (setup){0};
}
