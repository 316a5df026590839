#include "cli/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/processes.h"

static void log_warning(void *user, sgdmft_log_level level, const char *line)
{
    (void)user;
    if (level == SGDMFT_LOG_WARNING)
        print_warning("%s", line);
}

static void log_all(void *user, sgdmft_log_level level, const char *line)
{
    log_warning(user, level, line);
    if (level == SGDMFT_LOG_INFO)
        fprintf(stderr, "sgdmft: %s\n", line);
}

int job_check_readable(const char *path)
{
    struct stat info;
    int error = stat(path, &info) != 0 || access(path, R_OK) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
    if (!error)
        return 0;
    print_error("cannot read '%s': %s", path, strerror(error));
    return CODE_USAGE;
}

int job_open(const arguments *args, job *out)
{
    *out = (job){.args = args};
    long threads = 0;
    int code = arguments_integer(args, "threads", 1, 4096, &threads);
    if (code)
        return code;
    if (sgdmft_context_new(&out->ctx) != SGDMFT_OK)
        return report_out_of_memory();
    sgdmft_context_set_logger(out->ctx, arguments_has(args, "verbose") ? log_all : log_warning, NULL);
    return report_status(out->ctx, sgdmft_context_set_threads(out->ctx, (int)threads), NULL);
}

int job_read_problem(const job *j, const char *const *more, size_t n, const char *subject, sgdmft_problem **out)
{
    const char **sets = calloc(j->args->n_given + n + 1, sizeof *sets);
    if (!sets)
        return report_out_of_memory();
    size_t n_sets = arguments_settings(j->args, sets);
    for (size_t i = 0; i < n; i++)
        sets[n_sets++] = more[i];
    sgdmft_status status = sgdmft_problem_read(j->ctx, j->args->operands[0], sets, n_sets, out);
    free(sets);
    return report_status(j->ctx, status, subject);
}

int job_open_problem(const arguments *args, job *out)
{
    int code = processes_agree(args->processes, job_open(args, out));
    if (code)
        return code;
    code = report_status(out->ctx, processes_join(args->processes, out->ctx), NULL);
    if (code == 0)
        code = job_check_readable(args->operands[0]);
    if (code == 0)
        code = job_read_problem(out, NULL, 0, NULL, &out->problem);
    return processes_agree(args->processes, code);
}

void job_close(job *j)
{
    sgdmft_problem_free(j->problem);
    sgdmft_context_free(j->ctx);
    *j = (job){0};
}
