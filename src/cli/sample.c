/* sgdmft sample: draws paths of the limiting processes of a saved run and writes them as rows of a CSV file. */
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "io/save.h"
#include "sgdmft/io.h"
#include "sgdmft/sample.h"
#include "sgdmft/version.h"

enum { LANES = SGDMFT_SAMPLE_LANES };

static const double PATHS_MAX = 1e12;

typedef struct sample {
    job job; /* with the problem of the run */
    sgdmft_solution *solution;
    sgdmft_sample_parts parts;
    double *times; /* [n_times] of --times, or NULL */
    size_t n_times;
    int visits; /* 1: with rows just before and just after each visit */
    uint64_t seed, paths;
    sgdmft_sampler *sampler;
    char *csv, *command;
} sample;

static void sample_free(sample *x)
{
    sgdmft_sampler_free(x->sampler);
    sgdmft_solution_free(x->solution);
    free(x->times);
    free(x->csv);
    free(x->command);
    job_close(&x->job);
}

/* --- arguments and the run --------------------------------------------------------------------------------------- */

static int read_parts(sample *x)
{
    static const char *const names[] = {"coordinates", "preactivations", "both"};
    static const sgdmft_sample_parts parts[] = {SGDMFT_SAMPLE_COORDINATES, SGDMFT_SAMPLE_PREACTIVATIONS,
                                                SGDMFT_SAMPLE_BOTH};
    const arguments *args = x->job.args;
    const char *text = arguments_value(args, "what");
    x->parts = SGDMFT_SAMPLE_BOTH;
    x->visits = arguments_has(args, "visits");
    int known = !text;
    for (int i = 0; text && i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            x->parts = parts[i];
            known = 1;
        }
    if (!known)
        return usage_error(args->command, "--what: '%s' is not allowed; give coordinates, preactivations or both",
                           text);
    if (x->visits && !(x->parts & SGDMFT_SAMPLE_PREACTIVATIONS))
        return usage_error(args->command, "--visits needs preactivations, but --what is coordinates");
    return 0;
}

static int read_paths(sample *x)
{
    const arguments *args = x->job.args;
    double paths = 0;
    if (!arguments_has(args, "paths"))
        return usage_error(args->command, "the number of paths is missing; give --paths N");
    int code = arguments_number(args, "paths", 1, PATHS_MAX, &paths);
    if (!code && paths != floor(paths))
        return usage_error(args->command, "--paths: '%s' is not a whole number", arguments_value(args, "paths"));
    x->paths = (uint64_t)paths;
    return code;
}

static int read_run(sample *x)
{
    job *j = &x->job;
    const char *path = j->args->operands[0];
    int code = job_check_readable(path);
    if (code == 0)
        code = report_status(j->ctx, sgdmft_solution_read(j->ctx, path, &j->problem, &x->solution), NULL);
    if (code)
        return code;
    size_t n = sgdmft_solution_n_grid(x->solution);
    if (n == 0) {
        print_error(
            "%s: has no two-time arrays; needed: the HDF5 file of 'sgdmft solve' (CSV files and simulations have "
            "none)",
            path);
        return CODE_USAGE;
    }
    sgdmft_status ended = sgdmft_solution_status(x->solution);
    if (ended != SGDMFT_OK)
        print_warning("%s: the solve ended early (%s), at t = %g", path, sgdmft_status_word(ended),
                      sgdmft_solution_grid(x->solution)[n - 1]);
    return 0;
}

/* The seed is the one of --seed, or that of the run. */
static int choose_seed(sample *x)
{
    job *j = &x->job;
    long seed = -1;
    int code = arguments_integer(j->args, "seed", 0, INT64_MAX, &seed);
    x->seed = (uint64_t)seed;
    if (code || seed >= 0)
        return code;
    char *text = NULL;
    code = report_status(j->ctx, sgdmft_problem_get(j->ctx, j->problem, "numerics.seed", &text), NULL);
    if (code == 0)
        x->seed = strtoull(text, NULL, 10);
    free(text);
    return code;
}

static int read_times(sample *x)
{
    const char *text = arguments_value(x->job.args, "times");
    double last = sgdmft_solution_grid(x->solution)[sgdmft_solution_n_grid(x->solution) - 1];
    if (!text)
        return 0;
    x->times = calloc(strlen(text) + 1, sizeof *x->times);
    if (!x->times)
        return report_out_of_memory();
    for (;;) {
        char *end = NULL;
        double t = strtod(text, &end);
        if (end == text || (*end != '\0' && *end != ',') || !(t >= 0 && t <= last * (1 + 1e-9)))
            return usage_error(x->job.args->command,
                               "--times: '%s' is not allowed; give numbers from 0 to %g, separated by commas", text,
                               last);
        x->times[x->n_times++] = t;
        if (*end == '\0')
            return 0;
        text = end + 1;
    }
}

static int make_sampler(sample *x)
{
    job *j = &x->job;
    int code = report_status(
        j->ctx, sgdmft_sampler_new(j->ctx, j->problem, x->solution, x->parts, x->times, x->n_times, &x->sampler), NULL);
    if (code == 0 && x->visits && !sgdmft_sampler_has_visits(x->sampler))
        return usage_error(j->args->command, "--visits: the samples of these dynamics are not visited one by one");
    return code;
}

/* RUN_paths.csv */
static char *default_name(const char *run)
{
    const char *slash = strrchr(run, '/'), *name = slash ? slash + 1 : run;
    size_t length = strlen(name);
    char *out = NULL;
    if (length > 3 && strcmp(name + length - 3, ".h5") == 0)
        length -= 3;
    return asprintf(&out, "%.*s_paths.csv", (int)length, name) < 0 ? NULL : out;
}

static int name_output(sample *x)
{
    const job *j = &x->job;
    const char *given = arguments_value(j->args, "csv");
    x->csv = given ? strdup(given) : default_name(j->args->operands[0]);
    x->command = arguments_command_line(j->args);
    if (!x->csv || !x->command)
        return report_out_of_memory();
    return report_status(j->ctx, sgdmft_write_check(j->ctx, x->csv, arguments_has(j->args, "force")), NULL);
}

static int prepare(const arguments *args, sample *x)
{
    int code = job_open(args, &x->job);
    if (code == 0)
        code = read_parts(x);
    if (code == 0)
        code = read_paths(x);
    if (code == 0)
        code = read_run(x);
    if (code == 0)
        code = choose_seed(x);
    if (code == 0)
        code = read_times(x);
    if (code == 0)
        code = name_output(x);
    return code ? code : make_sampler(x);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

/* The values of the column `visit`. */
enum { AT_TIME, BEFORE_VISIT, AFTER_VISIT };

/* The columns of quantities, in order: NAME1, NAME2, ... */
static const struct column {
    const char *name;
    sgdmft_path_quantity quantity;
    int at_visits; /* 0: empty in rows of visits */
} columns[] = {
    {"th", SGDMFT_PATH_THETA, 0},        {"ths", SGDMFT_PATH_THETA_STAR, 0}, {"w", SGDMFT_PATH_FIELD, 1},
    {"r", SGDMFT_PATH_PREACTIVATION, 1}, {"s", SGDMFT_PATH_SIGNAL, 1},       {"y", SGDMFT_PATH_LABEL, 1},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static size_t components(const sample *x, int column)
{
    return sgdmft_sampler_rows(x->sampler, columns[column].quantity);
}

static void put_comments(const sample *x, FILE *to)
{
    fputs("# program: sample\n", to);
    outputs_put_comment(to, "version", sgdmft_version());
    outputs_put_comment(to, "command", x->command);
    outputs_put_comment(to, "run", x->job.args->operands[0]);
    fprintf(to, "# seed: %" PRIu64 "\n# paths: %" PRIu64 "\n", x->seed, x->paths);
    for (const char *line = sgdmft_solution_problem(x->solution); *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(to, "# problem: %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

static void put_header(const sample *x, FILE *to)
{
    fputs(x->parts & SGDMFT_SAMPLE_PREACTIVATIONS ? "path,t,visit" : "path,t", to);
    for (int c = 0; c < N_COLUMNS; c++)
        for (size_t i = 1; i <= components(x, c); i++)
            fprintf(to, ",%s%zu", columns[c].name, i);
    fputc('\n', to);
}

/* Writes a row just before and a row just after a visit. Coordinates have no visits, so that their columns are empty. */
static void put_visit(const sample *x, FILE *to, const sgdmft_paths *paths, uint64_t path, size_t lane, size_t visit)
{
    const double *kick = sgdmft_paths_at_visit(paths, SGDMFT_PATH_KICK, visit);
    for (int row = BEFORE_VISIT; row <= AFTER_VISIT; row++) {
        fprintf(to, "%" PRIu64 ",%.12g,%d", path, sgdmft_paths_visit_time(paths, lane, visit), row);
        for (int c = 0; c < N_COLUMNS; c++) {
            const double *values = sgdmft_paths_at_visit(paths, columns[c].quantity, visit);
            int kicked = columns[c].quantity == SGDMFT_PATH_PREACTIVATION && row == AFTER_VISIT;
            for (size_t i = 0; i < components(x, c); i++)
                if (columns[c].at_visits)
                    fprintf(to, ",%.10g", values[i * LANES + lane] - (kicked ? kick[i * LANES + lane] : 0.0));
                else
                    fputc(',', to);
        }
        fputc('\n', to);
    }
}

static void put_time(const sample *x, FILE *to, const sgdmft_paths *paths, uint64_t path, size_t lane, double t,
                     size_t index)
{
    fprintf(to, "%" PRIu64 ",%.12g", path, t);
    if (x->parts & SGDMFT_SAMPLE_PREACTIVATIONS)
        fprintf(to, ",%d", AT_TIME);
    for (int c = 0; c < N_COLUMNS; c++) {
        const double *values = sgdmft_paths_at(paths, columns[c].quantity, index);
        for (size_t i = 0; i < components(x, c); i++)
            fprintf(to, ",%.10g", values[i * LANES + lane]);
    }
    fputc('\n', to);
}

static void put_path(const sample *x, FILE *to, const sgdmft_paths *paths, uint64_t path, size_t lane)
{
    size_t n_times, visit = 0, n_visits = x->visits ? sgdmft_paths_visits(paths, lane) : 0;
    const double *t = sgdmft_sampler_times(x->sampler, &n_times);
    for (size_t i = 0; i < n_times; i++) {
        for (; visit < n_visits && sgdmft_paths_visit_time(paths, lane, visit) < t[i]; visit++)
            put_visit(x, to, paths, path, lane, visit);
        put_time(x, to, paths, path, lane, t[i], i);
    }
}

/* --- blocks of paths, on all threads ----------------------------------------------------------------------------- */

/* The memory of one thread. */
typedef struct workspace {
    sgdmft_context *ctx;
    sgdmft_paths *paths;
} workspace;

static void workspaces_free(workspace *own, int n)
{
    for (int i = 0; own && i < n; i++) {
        sgdmft_paths_free(own[i].paths);
        sgdmft_context_free(own[i].ctx);
    }
    free(own);
}

/* Returns 0 or an exit code; workspaces_free releases *out in either case. */
static int workspaces_new(const sample *x, int n, workspace **out)
{
    workspace *own = *out = calloc((size_t)n, sizeof *own);
    int code = own ? 0 : report_out_of_memory();
    for (int i = 0; i < n && code == 0; i++) {
        if (sgdmft_context_new(&own[i].ctx) != SGDMFT_OK)
            code = report_out_of_memory();
        else
            code = report_status(own[i].ctx, sgdmft_paths_new(own[i].ctx, x->sampler, &own[i].paths), NULL);
    }
    return code;
}

/* The rows of a block that has been drawn, as text that the caller frees; NULL if out of memory. */
static char *block_text(const sample *x, const sgdmft_paths *paths, uint64_t block, size_t *size)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, size);
    if (!to)
        return NULL;
    for (size_t lane = 0; lane < LANES && block * LANES + lane < x->paths; lane++)
        put_path(x, to, paths, block * LANES + lane, lane);
    int failed = ferror(to);
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* Draws a block and makes its rows, as text that the caller frees. */
static sgdmft_status make_block(const sample *x, const workspace *own, uint64_t block, char **text, size_t *size)
{
    sgdmft_status status = sgdmft_paths_draw(own->ctx, own->paths, x->seed, block);
    if (status != SGDMFT_OK)
        return status;
    *text = block_text(x, own->paths, block, size);
    return *text ? SGDMFT_OK : SGDMFT_ERR_MEMORY;
}

/* Draws blocks in parallel and writes them in order, so that the file does not depend on the number of threads, and
   memory does not grow with the number of paths. */
static int write_blocks(const sample *x, const workspace *own, int threads, progress *meter, FILE *to)
{
    int code = 0;
    int64_t n = (int64_t)((x->paths + LANES - 1) / LANES);
#pragma omp parallel for ordered schedule(static, 1) num_threads(threads)
    for (int64_t block = 0; block < n; block++) {
        const workspace *mine = &own[omp_get_thread_num()];
        sgdmft_status status = SGDMFT_OK;
        char *text = NULL;
        size_t size = 0;
        int ended;
#pragma omp atomic read
        ended = code;
        if (!ended)
            status = make_block(x, mine, (uint64_t)block, &text, &size);
#pragma omp ordered
        if (!code) {
            int failed = report_status(mine->ctx, status, NULL);
            if (!failed) {
                fwrite(text, 1, size, to);
                if (progress_report(meter, (double)(block + 1) / (double)n, 0))
                    failed = CODE_INTERRUPTED;
            }
#pragma omp atomic write
            code = failed;
        }
        free(text);
    }
    if (code == CODE_INTERRUPTED)
        print_error("interrupted: no paths were written");
    return code;
}

static int write_paths(const sample *x, FILE *to)
{
    int threads = sgdmft_context_threads(x->job.ctx);
    progress meter;
    workspace *own = NULL;
    int code = workspaces_new(x, threads, &own);
    if (code == 0) {
        put_comments(x, to);
        put_header(x, to);
        progress_start(&meter, x->job.ctx, x->job.args, "");
        code = write_blocks(x, own, threads, &meter, to);
        progress_end(&meter, x->job.ctx);
    }
    workspaces_free(own, threads);
    return code;
}

/* --- the subcommand ---------------------------------------------------------------------------------------------- */

static int write_file(const sample *x)
{
    sgdmft_context *ctx = x->job.ctx;
    save_output out;
    int code = report_status(ctx, save_open(ctx, x->csv, arguments_has(x->job.args, "force"), &out), NULL);
    if (code)
        return code;
    code = write_paths(x, out.stream);
    sgdmft_status status = save_close(ctx, &out, code == 0);
    if (code == 0)
        code = report_status(ctx, status, NULL);
    if (code || arguments_has(x->job.args, "quiet"))
        return code;
    size_t n;
    const double *t = sgdmft_sampler_times(x->sampler, &n);
    printf("%s: %" PRIu64 " path%s at %zu time%s, t = %.6g to %.6g\n", x->csv, x->paths, x->paths == 1 ? "" : "s", n,
           n == 1 ? "" : "s", t[0], t[n - 1]);
    return 0;
}

static int run(const arguments *args)
{
    sample x = {.csv = NULL};
    int code = prepare(args, &x);
    if (code == 0) {
        progress_catch_signals();
        code = write_file(&x);
    }
    sample_free(&x);
    return code;
}

static const option_spec options[] = {
    {"paths", 0, "N", 0, "number of paths"},
    {"csv", 0, "FILE", 0, "CSV file to write (default: RUN_paths.csv)"},
    {"what", 0, "KIND", 0, "coordinates, preactivations or both (default)"},
    {"times", 0, "T1,T2,...", 0, "times, moved to the nearest grid nodes (default: those of the curves)"},
    {"visits", 0, NULL, 0, "also write rows just before and just after every visit"},
    {"seed", 0, "SEED", 0, "seed of the paths (default: numerics.seed of the run)"},
    OPTION_THREADS,
    OPTION_FORCE,
    OPTION_QUIET,
    OPTION_HELP,
    OPTIONS_END};

const command command_sample = {
    .name = "sample",
    .operands = "RUN.h5 --paths N",
    .summary = "draw paths of the limiting processes of a solved problem",
    .details =
        "Draws paths from the two-time arrays of a run of 'sgdmft solve': of a coordinate of the students (columns\n"
        "th1, ...) and of the teachers (ths1, ...), and of a training sample: its field (w1, ...), which would be its\n"
        "preactivation if it were never visited, its preactivation (r1, ...), the signal of the teachers (s1, ...) "
        "and\n"
        "the label (y1, ...). Path number i is the same whatever the number of paths and threads. Its coordinates and\n"
        "its sample are independent of each other.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
