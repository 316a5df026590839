/* sgdmft sweep: one problem file, solved for every combination of values of some of its keys. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "columns/solution.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/outputs.h"
#include "cli/processes.h"
#include "cli/setup.h"
#include "cli/solving.h"
#include "cli/summary.h"
#include "cli/sweep_points.h"
#include "cli/sweep_spread.h"
#include "cli/sweep_table.h"

typedef struct sweep {
    setup s; /* without a problem; its context solves on one rank */
    processes *processes;
    rank_group *all; /* NULL for one process alone */
    sweep_grid grid;
    sweep_points points;
    char *directory;
    char *table; /* file name */
    int replace_table;
    char *command; /* command line to record */
    char *warned;  /* last warning; points tend to repeat it */
} sweep;

static int out_of_memory(void)
{
    complain("out of memory");
    return CODE_SYSTEM;
}

static void sweep_free(sweep *w)
{
    sweep_points_free(&w->points);
    sweep_grid_free(&w->grid);
    free(w->directory);
    free(w->table);
    free(w->command);
    free(w->warned);
    ranks_free(w->all);
    setup_free(&w->s);
}

static void warn_once(void *user, sgdmft_log_level level, const char *line)
{
    sweep *w = user;
    if (level != SGDMFT_LOG_WARNING || (w->warned && strcmp(w->warned, line) == 0))
        return;
    complain("warning: %s", line);
    free(w->warned);
    w->warned = strdup(line);
}

/* --- before the first solve -------------------------------------------------------------------------------------- */

static int read_grid(const arguments *args, sweep *w)
{
    const char **overs = calloc(args->n_given + 1, sizeof *overs), **sets = calloc(args->n_given + 1, sizeof *sets);
    int code = overs && sets ? 0 : out_of_memory();
    if (code == 0) {
        size_t n_overs = arguments_values(args, "over", overs), n_sets = arguments_values(args, "set", sets);
        if (n_overs == 0) {
            code = usage_error(args->command, "nothing is swept; name a key and its values: --over eta=0.5,1,2");
        } else {
            sgdmft_status status = sweep_grid_init(w->s.ctx, overs, n_overs, sets, n_sets, &w->grid);
            code = status == SGDMFT_OK ? 0 : report_failure(w->s.ctx, status);
        }
    }
    free(overs);
    free(sets);
    return code;
}

/* The problem file is read once for each point. */
static int check_rereadable(const char *path)
{
    struct stat info;
    int code = check_readable(path);
    if (code || (stat(path, &info) == 0 && S_ISREG(info.st_mode)))
        return code;
    complain("'%s' is not a plain file; a sweep reads its problem file more than once", path);
    return CODE_USAGE;
}

/* -o without slashes at its end, or PROBLEM-sweep. */
static int name_directory(const arguments *args, sweep *w)
{
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
        return out_of_memory();
    }
    return 0;
}

static int make_directory(const char *path)
{
    struct stat info;
    int error = mkdir(path, 0777) == 0 ? 0 : errno;
    if (error == EEXIST)
        error = stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    if (error == 0)
        return 0;
    complain("output directory '%s': cannot create: %s", path, strerror(error));
    return CODE_SYSTEM;
}

/* A resumed sweep replaces its table, but nobody else's file of that name. */
static int plan_outputs(const arguments *args, sweep *w)
{
    int resume = arguments_has(args, "resume");
    int code = sweep_points_name(args, w->directory, &w->points);
    if (code || w->processes->rank > 0)
        return code;
    code = make_directory(w->directory);
    w->replace_table = arguments_has(args, "force") || (resume && sweep_table_recognise(w->table));
    if (code == 0)
        code = outputs_check(args, w->s.ctx, w->table, w->replace_table);
    if (code == 0)
        code = sweep_points_plan(args, w->s.ctx, &w->points);
    if (code == CODE_SYSTEM && !resume && sweep_table_recognise(w->table))
        complain("'%s' holds a sweep; --resume keeps the points that are complete", w->directory);
    return code;
}

static int read_points(const arguments *args, sweep *w)
{
    int code = read_grid(args, w);
    if (code == 0)
        code = check_rereadable(args->operands[0]);
    if (code == 0)
        code = sweep_points_read(args, w->s.ctx, &w->grid, &w->points);
    if (code == 0)
        code = name_directory(args, w);
    return code;
}

static int spread_points(sweep *w)
{
    sgdmft_status status = w->all ? sweep_spread_plan(w->s.ctx, w->all, &w->points) : SGDMFT_OK;
    if (status == SGDMFT_OK)
        status = sweep_spread(w->s.ctx, ranks_size(w->all), &w->points);
    return status == SGDMFT_OK ? 0 : report_failure(w->s.ctx, status);
}

static int prepare(const arguments *args, sweep *w)
{
    w->processes = args->processes;
    int code = setup_context(args, &w->s);
    if (code)
        return code;
    w->all = w->s.ctx->ranks;
    w->s.ctx->ranks = NULL;
    sgdmft_context_set_logger(w->s.ctx, warn_once, w);
    code = processes_agree(w->processes, w->all, read_points(args, w));
    if (code == 0)
        code = processes_agree(w->processes, w->all, plan_outputs(args, w));
    return code ? code : processes_agree(w->processes, w->all, spread_points(w));
}

/* --- solving ----------------------------------------------------------------------------------------------------- */

static void announce(const arguments *args, const sweep *w)
{
    sgdmft_cost cost;
    size_t n = w->points.n, left = sweep_points_left(&w->points, &cost);
    printf("%s: %zu point%s", args->operands[0], n, n == 1 ? "" : "s");
    if (left < n)
        printf(", %zu of them complete", n - left);
    fputs(left > 0 ? ", " : "\n", stdout);
    if (left > 0)
        announce_cost(&cost);
    sweep_table_print_header(&w->grid);
}

static int solve_point(const arguments *args, sweep *w, size_t i, sweep_news *news)
{
    sweep_point *point = &w->points.point[i];
    char *label = NULL;
    if (asprintf(&label, "point %zu of %zu ", i + 1, w->points.n) < 0)
        return out_of_memory();
    setup s = {.ctx = w->s.ctx, .problem = point->problem, .others = w->all};
    solving result;
    int code = solve_and_write(args, &s, &point->files, label, point->label, &result);
    free(label);
    news->status = result.status;
    if (result.solution) {
        news->has_solution = 1;
        news->has_times = result.solution->n_times > 0;
        sgdmft_status status = sweep_row_take(w->s.ctx, result.solution, &point->row);
        if (status != SGDMFT_OK)
            code = report_failure(w->s.ctx, status);
    }
    sgdmft_solution_free(result.solution);
    return code;
}

/* A point kept from before has no message of its own. */
static void recall(const sweep_point *point)
{
    if (!sweep_row_trusted(&point->row))
        complain("%s: %s when it was solved before; kept", point->label, point->row.status);
}

static void print_row(const arguments *args, const sweep *w, size_t i)
{
    if (!arguments_has(args, "quiet"))
        sweep_table_print_row(&w->grid, i, &w->points.point[i].row, w->points.point[i].kept);
}

/* Goes on after points without a trustworthy solution; anything else ends the sweep. */
static int ends_sweep(int code)
{
    return code != CODE_DONE && code != CODE_UNTRUSTED;
}

/* One point after the other, those of this rank. */
static int solve_own_points(const arguments *args, sweep *w)
{
    int ended = 0, rank = w->processes->rank;
    for (size_t i = 0; i < w->points.n; i++) {
        sweep_point *point = &w->points.point[i];
        sweep_news news = {.code = ended ? ended : CODE_DONE};
        if (point->owner != rank)
            continue;
        if (!ended && (interrupt_requested() || ranks_raised(w->all))) {
            news.code = CODE_INTERRUPTED;
        } else if (!ended) {
            news.code = point->kept ? CODE_DONE : solve_point(args, w, i, &news);
            if (point->kept)
                recall(point);
            if (rank == 0)
                print_row(args, w, i);
        }
        if (!ended && ends_sweep(news.code)) {
            ended = news.code;
            ranks_raise(w->all);
        }
        if (rank > 0 && sweep_news_send(w->s.ctx, w->all, w->processes, news) != SGDMFT_OK)
            return report_failure(w->s.ctx, SGDMFT_ERR_IO);
    }
    return ended;
}

/* Line by line, without warnings that were said before. */
static void repeat_complaints(sweep *w, char *text)
{
    static const char start[] = "sgdmft: warning: ";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, start, sizeof start - 1) == 0)
            warn_once(w, SGDMFT_LOG_WARNING, line + sizeof start - 1);
        else
            fprintf(stderr, "%s\n", line);
}

/* What other ranks made of a point. */
static int hear_of_point(const arguments *args, sweep *w, size_t i)
{
    sweep_point *point = &w->points.point[i];
    sweep_news news;
    char *complaints;
    sgdmft_status status = sweep_news_receive(w->s.ctx, w->all, point->owner, &news, &complaints);
    if (complaints)
        repeat_complaints(w, complaints);
    free(complaints);
    if (status == SGDMFT_OK)
        status = sweep_news_row(w->s.ctx, &news, point);
    if (status != SGDMFT_OK)
        return report_failure_of(w->s.ctx, status, point->label);
    if (news.has_solution)
        print_row(args, w, i);
    return news.code;
}

/* Of two codes, the one that says more: a failure before an interruption that may be due to it. */
static int worse(int a, int b)
{
    if (!ends_sweep(a) || (a == CODE_INTERRUPTED && ends_sweep(b)))
        return b == CODE_DONE ? a : b;
    return a;
}

static int solve_points(const arguments *args, sweep *w)
{
    int code = solve_own_points(args, w);
    for (size_t i = 0; i < w->points.n && w->processes->rank == 0; i++) {
        const sweep_point *point = &w->points.point[i];
        if (point->owner > 0)
            code = worse(code, hear_of_point(args, w, i));
    }
    ranks_lower(w->all);
    for (size_t i = 0; i < w->points.n && code == CODE_DONE; i++)
        if (!sweep_row_trusted(&w->points.point[i].row))
            code = CODE_UNTRUSTED;
    return code;
}

static int write_table(const arguments *args, const sweep *w)
{
    size_t n = w->points.n;
    const sweep_row **rows = calloc(n, sizeof *rows);
    if (!rows)
        return out_of_memory();
    for (size_t i = 0; i < n; i++)
        rows[i] = &w->points.point[i].row;
    sgdmft_status status =
        sweep_table_write(w->s.ctx, &w->grid, rows, args->operands[0], w->command, w->table, w->replace_table);
    free(rows);
    return status == SGDMFT_OK ? CODE_DONE : report_failure(w->s.ctx, status);
}

static int solve_all(const arguments *args, sweep *w)
{
    int quiet = arguments_has(args, "quiet");
    interrupt_catch();
    if (!quiet)
        announce(args, w);
    int code = solve_points(args, w);
    if (w->processes->rank > 0)
        return code;
    int written = write_table(args, w);
    if (!quiet && written == CODE_DONE)
        printf("  %-22s  %s; curves and arrays of each point beside it\n",
               code == CODE_DONE || code == CODE_UNTRUSTED ? "written" : "written (incomplete)", w->table);
    if (code == CODE_INTERRUPTED)
        complain("the sweep is not complete; the same command with --resume goes on from here");
    return code == CODE_DONE || code == CODE_UNTRUSTED ? (written ? written : code) : code;
}

static int run(const arguments *args)
{
    sweep w = {.directory = NULL};
    int code = prepare(args, &w);
    if (code == 0)
        code = solve_all(args, &w);
    sweep_free(&w);
    return code;
}

static const option_spec options[] = {
    {"over", 0, "KEY=VALUES", 1, "values of a key: V1,V2,... or LO:HI:N or LO:HI:Nlog; repeatable"},
    {"output", 'o', "DIR", 0, "directory for all files (default: PROBLEM-sweep here)"},
    {"resume", 0, NULL, 0, "keep the points in DIR that are complete and of the same problem"},
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
    .details = "Solves the problem for each of the values of a key, as 'sgdmft solve --set KEY=VALUE' would:\n"
               "\n"
               "  --over eta=0.5,1,2            a list; values may be words or expressions\n"
               "  --over delta=1:4:7            7 equally spaced numbers from 1 to 4\n"
               "  --over lambda=0.01:10:4log    4 numbers from 0.01 to 10 with equal ratios\n"
               "\n"
               "Several --over give all combinations, the last one changing fastest. Every point is read and checked\n"
               "before the first is solved. DIR then holds 001.csv and 001.h5, ... as 'sgdmft solve' writes them, and\n"
               "sweep.csv, a table with one row per point: its values, how it ended, and all curves at the last time.\n"
               "The exit code is 3 if some point has no trustworthy solution: what was computed is kept and marked,\n"
               "and the sweep goes on. After Ctrl-C (130) the same command with --resume goes on where it stopped.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .together = 1,
    .run = run,
};
