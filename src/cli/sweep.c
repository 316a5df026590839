/* sgdmft sweep: solves one problem file for every combination of values of some of its keys. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "cli/outputs.h"
#include "cli/processes.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/solve.h"
#include "cli/sweep_points.h"
#include "cli/sweep_table.h"

typedef struct sweep {
    job job; /* without a problem; each rank solves alone in its context */
    processes *processes;
    sweep_grid grid;
    sweep_points points;
    char *directory;
    char *table; /* file name */
    int replace_table;
    char *command;      /* the command line to record */
    char *last_warning; /* points tend to repeat it */
} sweep;

static void sweep_free(sweep *w)
{
    sweep_points_free(&w->points);
    sweep_grid_free(&w->grid);
    free(w->directory);
    free(w->table);
    free(w->command);
    free(w->last_warning);
    job_close(&w->job);
}

static void warn_once(sweep *w, const char *text)
{
    if (w->last_warning && strcmp(w->last_warning, text) == 0)
        return;
    print_warning("%s", text);
    free(w->last_warning);
    w->last_warning = strdup(text);
}

static void log_warning(void *user, sgdmft_log_level level, const char *line)
{
    if (level == SGDMFT_LOG_WARNING)
        warn_once(user, line);
}

/* --- before the first solve -------------------------------------------------------------------------------------- */

static int read_grid(sweep *w)
{
    const arguments *args = w->job.args;
    const char **overs = calloc(args->n_given + 1, sizeof *overs), **sets = calloc(args->n_given + 1, sizeof *sets);
    int code = 0;
    if (!overs || !sets) {
        code = report_out_of_memory();
    } else {
        size_t n_overs = arguments_values(args, "over", overs), n_sets = arguments_settings(args, sets);
        if (n_overs == 0)
            code = usage_error(args->command, "no key to sweep; name one and its values, for example --over "
                                              "eta=0.5,1,2");
        else
            code = sweep_grid_init(args->command, overs, n_overs, sets, n_sets, &w->grid);
    }
    free(overs);
    free(sets);
    return code;
}

/* The problem file is read once for each point. */
static int check_rereadable(const char *path)
{
    struct stat info;
    int code = job_check_readable(path);
    if (code || (stat(path, &info) == 0 && S_ISREG(info.st_mode)))
        return code;
    print_error("'%s' is not a regular file; a sweep reads its problem file more than once", path);
    return CODE_USAGE;
}

/* The directory is the one of -o, without slashes at its end, or PROBLEM-sweep. */
static int name_files(sweep *w)
{
    const arguments *args = w->job.args;
    const char *given = arguments_value(args, "output");
    if (given && given[0] == '\0')
        return usage_error(args->command, "-o: the name of the directory is empty");
    if (given) {
        w->directory = strdup(given);
        for (size_t n = strlen(given); w->directory && n > 1 && given[n - 1] == '/'; n--)
            w->directory[n - 1] = '\0';
    } else {
        char *stem = outputs_stem(args->operands[0]);
        if (!stem || asprintf(&w->directory, "%s-sweep", stem) < 0)
            w->directory = NULL;
        free(stem);
    }
    w->command = arguments_command_line(args);
    if (!w->directory || !w->command || asprintf(&w->table, "%s/sweep.csv", w->directory) < 0) {
        w->table = NULL;
        return report_out_of_memory();
    }
    return sweep_points_name(args, w->directory, &w->points);
}

static int read_points(sweep *w)
{
    int code = read_grid(w);
    if (code == 0)
        code = check_rereadable(w->job.args->operands[0]);
    if (code == 0)
        code = sweep_points_read(&w->job, &w->grid, &w->points);
    return code ? code : name_files(w);
}

static int make_directory(const char *path)
{
    struct stat info;
    int error = mkdir(path, 0777) == 0 ? 0 : errno;
    if (error == EEXIST)
        error = stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    if (error == 0)
        return 0;
    print_error("output directory '%s': cannot create: %s", path, strerror(error));
    return CODE_SYSTEM;
}

/* With --resume the table of a sweep is replaced, but no other file of its name. */
static int check_outputs(sweep *w)
{
    const arguments *args = w->job.args;
    int resume = arguments_has(args, "resume");
    int code = make_directory(w->directory);
    w->replace_table = arguments_has(args, "force") || (resume && sweep_table_recognise(w->table));
    if (code == 0)
        code = outputs_check(&w->job, w->table, w->replace_table);
    if (code == 0)
        code = sweep_points_check(&w->job, &w->points);
    if (code == CODE_SYSTEM && !resume && sweep_table_recognise(w->table))
        print_error("'%s' contains a sweep; use --resume to keep its complete points", w->directory);
    return code;
}

static int prepare(const arguments *args, sweep *w)
{
    processes *p = args->processes;
    w->processes = p;
    int code = processes_agree(p, job_open(args, &w->job));
    if (code)
        return code;
    sgdmft_context_set_logger(w->job.ctx, log_warning, w);
    code = processes_agree(p, read_points(w));
    if (code == 0)
        code = processes_agree(p, p->rank == 0 ? check_outputs(w) : 0);
    return code ? code : sweep_points_assign(p, &w->points);
}

/* --- solving ----------------------------------------------------------------------------------------------------- */

/* How a point ended. Ranks other than 0 send theirs to rank 0 when they have solved all their points, as rank 0
   receives nothing before it has solved its own. */
typedef struct point_report {
    int code;                    /* exit code */
    sgdmft_status status;        /* of the solve */
    int has_solution, has_times; /* 1: there is a solution; and it has reached an output time */
    char messages[PROCESSES_TEXT];
} point_report;

static void solve_point(sweep *w, size_t i, point_report *report)
{
    sweep_point *point = &w->points.point[i];
    char *label = NULL;
    if (asprintf(&label, "point %zu of %zu ", i + 1, w->points.n) < 0) {
        report->code = report_out_of_memory();
        return;
    }
    job j = {.args = w->job.args, .ctx = w->job.ctx, .problem = point->problem};
    run_result result;
    report->code = run_and_write(&j, &solve_run, NULL, &point->files, label, point->label, &result);
    free(label);
    report->status = result.status;
    if (result.solution) {
        report->has_solution = 1;
        report->has_times = sgdmft_solution_n_times(result.solution) > 0;
        if (sweep_row_from_solution(result.solution, &point->row))
            report->code = CODE_SYSTEM;
    }
    sgdmft_solution_free(result.solution);
}

static void print_row(const sweep *w, size_t i)
{
    if (!arguments_has(w->job.args, "quiet"))
        sweep_table_print_row(&w->grid, i, &w->points.point[i].row, w->points.point[i].kept);
}

/* The sweep goes on after a point that diverges or does not converge; any other failure ends it. */
static int ends_sweep(int code)
{
    return code != CODE_DONE && code != CODE_UNTRUSTED;
}

/* Solves a point of this rank, unless it is kept or the sweep is to stop. */
static void finish_point(sweep *w, size_t i, point_report *report)
{
    const sweep_point *point = &w->points.point[i];
    if (progress_signalled() || processes_stop_asked(w->processes)) {
        report->code = CODE_INTERRUPTED;
        return;
    }
    if (!point->kept)
        solve_point(w, i, report);
    else if (!point->row.succeeded)
        print_error("%s: %s when it was solved before; kept", point->label, point->row.status);
    if (w->processes->rank == 0)
        print_row(w, i);
}

/* Solves the points of this rank one after the other, and fills their entries of reports[points.n]. Returns the exit
   code that ended the sweep, or CODE_DONE. */
static int solve_own_points(sweep *w, point_report *reports)
{
    int ended = CODE_DONE;
    for (size_t i = 0; i < w->points.n; i++) {
        point_report *report = &reports[i];
        if (w->points.point[i].rank != w->processes->rank)
            continue;
        report->code = ended;
        if (!ended)
            finish_point(w, i, report);
        if (!ended && ends_sweep(report->code)) {
            ended = report->code;
            processes_ask_stop(w->processes);
        }
        processes_take_messages(w->processes, report->messages);
    }
    return ended;
}

/* Prints the messages of another rank, line by line, without repeated warnings. */
static void print_messages(sweep *w, char *text)
{
    static const char start[] = "sgdmft: warning: ";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, start, sizeof start - 1) == 0)
            warn_once(w, line + sizeof start - 1);
        else
            fprintf(stderr, "%s\n", line);
}

/* Handles the report of a point that another rank has solved, and reads its row from the file of its curves. Returns
   the exit code of the point. */
static int receive_point(sweep *w, size_t i, point_report *report)
{
    sweep_point *point = &w->points.point[i];
    processes_receive(w->processes, point->rank, report, sizeof *report);
    print_messages(w, report->messages);
    if (!report->has_solution)
        return report->code;
    if (!report->has_times)
        point->row = sweep_row_without_values(report->status);
    else if (sweep_points_read_row(&w->job, point))
        return CODE_SYSTEM;
    print_row(w, i);
    return report->code;
}

/* The more telling of two codes: a failure tells more than an interruption, which may be its consequence. */
static int worse_of(int a, int b)
{
    if (!ends_sweep(a) || (a == CODE_INTERRUPTED && ends_sweep(b)))
        return b == CODE_DONE ? a : b;
    return a;
}

static int solve_points(sweep *w)
{
    size_t n = w->points.n;
    int rank = w->processes->rank;
    point_report *reports = calloc(n, sizeof *reports);
    int code = processes_agree(w->processes, reports ? 0 : report_out_of_memory());
    if (code == 0) {
        code = solve_own_points(w, reports);
        for (size_t i = 0; i < n; i++)
            if (w->points.point[i].rank == 0)
                continue;
            else if (rank == 0)
                code = worse_of(code, receive_point(w, i, &reports[i]));
            else if (w->points.point[i].rank == rank)
                processes_send(w->processes, &reports[i], sizeof reports[i]);
        processes_clear_stop(w->processes);
    }
    free(reports);
    for (size_t i = 0; i < n && code == CODE_DONE; i++)
        if (!w->points.point[i].row.succeeded)
            code = CODE_UNTRUSTED;
    return code;
}

static void print_head(const sweep *w)
{
    sgdmft_cost cost;
    size_t n = w->points.n, left = sweep_points_left(&w->points, &cost);
    printf("%s: %zu point%s", w->job.args->operands[0], n, n == 1 ? "" : "s");
    if (left < n)
        printf(", %zu of them complete", n - left);
    fputs(left > 0 ? ", " : "\n", stdout);
    if (left > 0)
        run_print_estimate(&cost);
    sweep_table_print_header(&w->grid);
}

static int write_table(const sweep *w)
{
    size_t n = w->points.n;
    const sweep_row **rows = calloc(n, sizeof *rows);
    if (!rows)
        return report_out_of_memory();
    for (size_t i = 0; i < n; i++)
        rows[i] = &w->points.point[i].row;
    int code = sweep_table_write(&w->job, &w->grid, rows, w->command, w->table, w->replace_table);
    free(rows);
    return code;
}

static int solve_and_write(sweep *w)
{
    int quiet = arguments_has(w->job.args, "quiet");
    progress_catch_signals();
    if (!quiet)
        print_head(w);
    int code = solve_points(w);
    if (w->processes->rank > 0)
        return code;
    int failed = write_table(w);
    if (!quiet && !failed)
        printf("  %-22s  %s, beside the curves and arrays of each point\n",
               ends_sweep(code) ? "written (incomplete)" : "written", w->table);
    if (code == CODE_INTERRUPTED)
        print_error("the sweep is not complete; to continue it, repeat the command with --resume");
    return ends_sweep(code) || !failed ? code : failed;
}

static int run(const arguments *args)
{
    sweep w = {.directory = NULL};
    int code = prepare(args, &w);
    if (code == 0)
        code = solve_and_write(&w);
    sweep_free(&w);
    return code;
}

static const option_spec options[] = {
    {"over", 0, "KEY=VALUES", 1, "the values of a key: V1,V2,... or LO:HI:N or LO:HI:Nlog; repeatable"},
    {"output", 'o', "DIR", 0, "directory for all files (default: PROBLEM-sweep)"},
    {"resume", 0, NULL, 0, "keep the points in DIR that are complete and of the same problem"},
    OPTION_ACCURACY,
    OPTION_SET,
    OPTION_THREADS,
    OPTION_FORCE,
    OPTION_QUIET,
    OPTION_HELP,
    OPTIONS_END};

const command command_sweep = {
    .name = "sweep",
    .operands = "PROBLEM.yaml --over KEY=VALUES...",
    .summary = "solve a problem for many values of its keys",
    .details =
        "Solves the problem for each value of a key, as 'sgdmft solve --set KEY=VALUE' would:\n"
        "\n"
        "  --over eta=0.5,1,2            a list; values may be words or expressions\n"
        "  --over delta=1:4:7            7 equally spaced numbers from 1 to 4\n"
        "  --over lambda=0.01:10:4log    4 numbers from 0.01 to 10 with equal ratios\n"
        "\n"
        "Several --over give all combinations; the last key changes fastest. All points are read and checked\n"
        "before the first is solved. DIR then contains 001.csv and 001.h5, ... as 'sgdmft solve' writes them, and\n"
        "sweep.csv, a table with one row for each point: its values, how it ended, and all curves at the last\n"
        "time. A point that diverges or does not converge is written as far as it got and marked; the sweep\n"
        "goes on and ends with exit code 3. After Ctrl-C (exit code 130), repeat the command with --resume to\n"
        "continue.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .collective = 1,
    .run = run,
};
