/* sgdmft sample: paths of the limiting processes from a saved run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/save.h"
#include "problem/problem.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/progress.h"
#include "cli/sample_rows.h"
#include "cli/setup.h"
#include "sgdmft/io.h"
#include "sgdmft/version.h"

static const double PATHS_MOST = 1e12;

typedef struct job {
    const arguments *args;
    setup s; /* the problem of the run */
    sgdmft_solution *run;
    sgdmft_sample_parts parts;
    double *times; /* [n_times] of --times, or NULL */
    size_t n_times;
    sgdmft_sampler *sampler;
    sample_plan plan;
    char *csv, *command;
} job;

static int fail_memory(void)
{
    complain("out of memory");
    return CODE_SYSTEM;
}

/* The end of the time grid. */
static double last_time(const job *j)
{
    return sgdmft_solution_grid(j->run)[sgdmft_solution_n_grid(j->run) - 1];
}

static int read_run(job *j)
{
    const char *path = j->args->operands[0];
    int code = check_readable(path);
    if (code)
        return code;
    sgdmft_status status = sgdmft_solution_read(j->s.ctx, path, &j->s.problem, &j->run);
    if (status)
        return report_failure(j->s.ctx, status);
    if (sgdmft_solution_n_grid(j->run) < 2) {
        complain("%s: has no two-time arrays, as it is not an HDF5 file, or after a simulation, which does not know them; "
                 "needed: the HDF5 file of 'sgdmft solve'",
                 path);
        return CODE_USAGE;
    }
    sgdmft_status ended = sgdmft_solution_status(j->run);
    if (ended)
        complain("warning: %s: the solve ended early (%s), at t = %g", path, sgdmft_status_word(ended), last_time(j));
    return 0;
}

static int read_what(job *j)
{
    static const char *const names[] = {"coordinates", "preactivations", "both"};
    const char *text = arguments_value(j->args, "what");
    j->parts = SGDMFT_SAMPLE_BOTH;
    for (int i = 0; text && i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            j->parts = (sgdmft_sample_parts)(i + 1);
            return 0;
        }
    return text ? usage_error(j->args->command, "--what: '%s' is not allowed; give coordinates, preactivations or both",
                              text)
                : 0;
}

static int read_numbers(job *j)
{
    double paths = 0;
    long seed = -1;
    if (!arguments_has(j->args, "paths"))
        return usage_error(j->args->command, "--paths N is needed: how many paths to draw");
    int code = arguments_number(j->args, "paths", 1, PATHS_MOST, &paths);
    if (!code && paths != floor(paths))
        code = usage_error(j->args->command, "--paths: '%s' is not a whole number", arguments_value(j->args, "paths"));
    if (!code)
        code = arguments_integer(j->args, "seed", 0, INT64_MAX, &seed);
    j->plan.paths = (uint64_t)paths;
    j->plan.seed = (uint64_t)seed;
    return code;
}

/* Known once the run has been read. */
static int check_visits(job *j)
{
    if (!arguments_has(j->args, "seed"))
        j->plan.seed = j->s.problem->numerics.seed;
    j->plan.visits = arguments_has(j->args, "visits");
    if (!j->plan.visits)
        return 0;
    if (!(j->parts & SGDMFT_SAMPLE_PREACTIVATIONS))
        return usage_error(j->args->command, "--visits belongs to pre-activations, but --what is coordinates");
    return 0;
}

/* Numbers with commas between them into j->times; checked here, as the message then names the option. */
static int read_times(job *j)
{
    const char *text = arguments_value(j->args, "times");
    double last = last_time(j);
    if (!text)
        return CODE_DONE;
    j->times = malloc((strlen(text) + 1) * sizeof *j->times);
    if (!j->times)
        return fail_memory();
    for (;;) {
        char *end = NULL;
        double t = strtod(text, &end);
        if (end == text || (*end != '\0' && *end != ',') || !(t >= 0 && t <= last * (1 + 1e-9)))
            return usage_error(j->args->command,
                               "--times: '%s' is not allowed; give numbers from 0 to %g, with commas "
                               "between them",
                               text, last);
        j->times[j->n_times++] = t;
        if (*end == '\0')
            return CODE_DONE;
        text = end + 1;
    }
}

static char *default_name(const char *run)
{
    const char *slash = strrchr(run, '/'), *name = slash ? slash + 1 : run;
    size_t length = strlen(name);
    char *out = NULL;
    if (length > 3 && strcmp(name + length - 3, ".h5") == 0)
        length -= 3;
    return asprintf(&out, "%.*s_paths.csv", (int)length, name) < 0 ? NULL : out;
}

static int prepare(job *j)
{
    sgdmft_status status = sgdmft_sampler_new(j->s.ctx, j->s.problem, j->run, j->parts, j->times, j->n_times,
                                              &j->sampler);
    if (status)
        return report_failure(j->s.ctx, status);
    j->plan.sampler = j->sampler;
    if (j->plan.visits && !sgdmft_sampler_has_visits(j->sampler))
        return usage_error(j->args->command, "--visits: only dynamics: sgd has visits");
    return CODE_DONE;
}

static void put_comments(const job *j, FILE *to)
{
    fprintf(to,
            "# program: sample\n# version: %s\n# command: %s\n# run: %s\n# seed: %" PRIu64 "\n# paths: %" PRIu64 "\n",
            sgdmft_version(), j->command, j->args->operands[0], j->plan.seed, j->plan.paths);
    for (const char *line = sgdmft_solution_problem(j->run); *line;) {
        size_t length = strcspn(line, "\n");
        fprintf(to, "# problem: %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static int write(job *j)
{
    save_output out;
    progress meter;
    sgdmft_status status = save_open(j->s.ctx, j->csv, arguments_has(j->args, "force"), &out);
    if (status)
        return report_failure(j->s.ctx, status);
    progress_start(&meter, "", arguments_has(j->args, "quiet"));
    j->plan.meter = &meter;
    j->plan.threads = sgdmft_context_threads(j->s.ctx);
    put_comments(j, out.stream);
    int code = sample_write(&j->plan, out.stream);
    progress_end(&meter);
    status = save_close(j->s.ctx, &out, code == 0);
    if (status)
        code = report_failure(j->s.ctx, status);
    size_t n;
    const double *t = sgdmft_sampler_times(j->sampler, &n);
    if (!code && !arguments_has(j->args, "quiet"))
        printf("%s: %" PRIu64 " path%s at %zu time%s, t = %.6g to %.6g\n", j->csv, j->plan.paths,
               j->plan.paths == 1 ? "" : "s", n, n == 1 ? "" : "s", t[0], t[n - 1]);
    return code;
}

static int name_output(job *j)
{
    const char *given = arguments_value(j->args, "csv");
    j->csv = given ? strdup(given) : default_name(j->args->operands[0]);
    j->command = arguments_command_line(j->args);
    if (!j->csv || !j->command)
        return fail_memory();
    sgdmft_status status = save_check(j->s.ctx, j->csv, arguments_has(j->args, "force"));
    return status ? report_failure(j->s.ctx, status) : 0;
}

static void clear(job *j)
{
    sgdmft_sampler_free(j->sampler);
    sgdmft_solution_free(j->run);
    free(j->times);
    free(j->csv);
    free(j->command);
    setup_free(&j->s);
}

static int run(const arguments *args)
{
    job j = {.args = args};
    int code = setup_context(args, &j.s);
    if (!code)
        code = read_what(&j);
    if (!code)
        code = read_numbers(&j);
    if (!code)
        code = read_run(&j);
    if (!code)
        code = check_visits(&j);
    if (!code)
        code = read_times(&j);
    if (!code)
        code = name_output(&j);
    if (!code)
        code = prepare(&j);
    if (!code) {
        interrupt_catch();
        code = write(&j);
    }
    clear(&j);
    return code;
}

static const option_spec options[] = {
    {"paths", 0, "N", 0, "how many paths to draw"},
    {"csv", 0, "FILE", 0, "CSV file with the paths (default: RUN_paths.csv here)"},
    {"what", 0, "KIND", 0, "coordinates, preactivations or both (default)"},
    {"times", 0, "T1,T2,...", 0, "times, moved to the nearest grid nodes (default: those of the curves)"},
    {"visits", 0, NULL, 0, "rows just before and after every visit, too"},
    {"seed", 0, "SEED", 0, "seed of the draws (default: numerics.seed of the run)"},
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
        "Reads the two-time arrays of a run of 'sgdmft solve' and draws paths: of a coordinate (columns th1, ...,\n"
        "and ths1, ... of the teacher), and of a sample's pre-activations (w1, ... as if never trained on, r1,\n"
        "... as trained on, s1, ... of the teacher, y1, ... the label). Path number i is the same whatever the\n"
        "number of paths and threads. Coordinates of path i and pre-activations of path i are independent.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
