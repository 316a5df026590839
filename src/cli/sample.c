/* sgdmft sample: paths of the limiting processes from a saved run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "cli/progress.h"
#include "cli/sample_rows.h"
#include "columns/solution.h"
#include "core/context.h"
#include "io/hdf5_read.h"
#include "io/save.h"
#include "problem/problem.h"
#include "sgdmft/version.h"

/* More of a variance than rounding and Monte-Carlo error leave below zero. */
static const double NEGATIVE_LIMIT = 1e-6;
static const double PATHS_MOST = 1e12;

typedef enum kinds { KIND_COORDINATES = 1, KIND_PREACTIVATIONS = 2, KIND_BOTH = 3 } kinds;

typedef struct sample {
    const arguments *args;
    job s; /* with the problem of the run */
    sgdmft_solution *run;
    two_time x;
    kinds what;
    size_t *node;
    double *t;
    sample_plan plan;
    coordinate_process *coordinates;
    preactivation_process *preactivations;
    char *csv, *command;
} sample;

static sgdmft_status check_arrays(sgdmft_context *ctx, const char *path, const sgdmft_solution *run)
{
    size_t k = (size_t)run->k, n = run->n_grid;
    if (n < 2)
        return context_fail(ctx, SGDMFT_ERR_MISSING,
                            "%s: has no two-time arrays, as after a simulation, which does not know them; needed: the "
                            "HDF5 file of 'sgdmft solve'",
                            path);
    for (size_t i = 0; i < n * n * k * k; i++)
        if (!isfinite(run->R[i]))
            return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: /R holds a value that is not finite", path);
    return SGDMFT_OK;
}

static int read_run(sample *j)
{
    const char *path = j->args->operands[0];
    int code = job_check_readable(path);
    if (code)
        return code;
    sgdmft_status status = hdf5_read(j->s.ctx, path, &j->run);
    if (!status)
        status = check_arrays(j->s.ctx, path, j->run);
    if (!status)
        status = sgdmft_problem_parse(j->s.ctx, path, sgdmft_solution_problem(j->run), NULL, 0, &j->s.problem);
    if (status)
        return report_status(j->s.ctx, status, NULL);
    j->x = two_time_of(j->run);
    if (j->x.k != j->s.problem->model.students || j->x.kstar != j->s.problem->model.teachers) {
        print_error("%s: its arrays are not of its problem's number of students and teachers", path);
        return CODE_USAGE;
    }
    sgdmft_status ended = sgdmft_solution_status(j->run);
    if (ended != SGDMFT_OK)
        print_warning("%s: the solve ended early (%s), at t = %g", path, sgdmft_status_word(ended), j->x.t[j->x.n - 1]);
    return 0;
}

static int read_what(sample *j)
{
    static const char *const names[] = {"coordinates", "preactivations", "both"};
    const char *text = arguments_value(j->args, "what");
    j->what = KIND_BOTH;
    for (int i = 0; text && i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            j->what = (kinds)(i + 1);
            return 0;
        }
    return text ? usage_error(j->args->command, "--what: '%s' is not allowed; give coordinates, preactivations or both",
                              text)
                : 0;
}

static int read_numbers(sample *j)
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
static int check_visits(sample *j)
{
    if (!arguments_has(j->args, "seed"))
        j->plan.seed = j->s.problem->numerics.seed;
    j->plan.visits = arguments_has(j->args, "visits");
    if (!j->plan.visits)
        return 0;
    if (!(j->what & KIND_PREACTIVATIONS))
        return usage_error(j->args->command, "--visits belongs to pre-activations, but --what is coordinates");
    if (j->s.problem->process->events != EVENTS_VISITS)
        return usage_error(j->args->command, "--visits: only dynamics: sgd has visits");
    return 0;
}

static void add_node(sample *j, size_t node)
{
    size_t at = j->plan.n;
    while (at > 0 && j->node[at - 1] > node)
        at--;
    if (at > 0 && j->node[at - 1] == node)
        return;
    memmove(j->node + at + 1, j->node + at, (j->plan.n - at) * sizeof *j->node);
    j->node[at] = node;
    j->plan.n++;
}

static int add_times(sample *j, const char *text)
{
    double last = j->x.t[j->x.n - 1];
    for (;;) {
        char *end = NULL;
        double t = strtod(text, &end);
        if (end == text || (*end != '\0' && *end != ',') || !(t >= 0 && t <= last * (1 + 1e-9)))
            return usage_error(j->args->command,
                               "--times: '%s' is not allowed; give numbers from 0 to %g, with commas "
                               "between them",
                               text, last);
        add_node(j, two_time_nearest(&j->x, t));
        if (*end == '\0')
            return 0;
        text = end + 1;
    }
}

/* The nodes nearest to the wanted times, without --times to those of the curves. */
static int choose_times(sample *j)
{
    const char *text = arguments_value(j->args, "times");
    int code = 0, times = j->s.problem->output.times;
    double last = j->x.t[j->x.n - 1];
    j->node = calloc(j->x.n + 1, sizeof *j->node);
    j->t = calloc(j->x.n + 1, sizeof *j->t);
    if (!j->node || !j->t)
        return report_out_of_memory();
    if (text)
        code = add_times(j, text);
    for (int i = 0; !text && i < times; i++) {
        double t = j->s.problem->horizon * i / (times - 1);
        if (t <= last * (1 + 1e-9))
            add_node(j, two_time_nearest(&j->x, t));
    }
    for (size_t i = 0; i < j->plan.n; i++)
        j->t[i] = j->x.t[j->node[i]];
    j->plan.node = j->node;
    j->plan.t = j->t;
    return code;
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

static void warn_negative(const char *what, double negative)
{
    if (negative > NEGATIVE_LIMIT)
        print_error(
            "warning: %.2g of the variance of %s is negative and was set to zero; more paths or steps in the solve "
            "would help",
            negative, what);
}

static int prepare(sample *j)
{
    sgdmft_status status = SGDMFT_OK;
    if (j->what & KIND_COORDINATES)
        status = coordinate_process_new(j->s.ctx, j->s.problem, &j->x, j->plan.n, j->node, &j->coordinates);
    if (!status && (j->what & KIND_PREACTIVATIONS))
        status = preactivation_process_new(j->s.ctx, j->s.problem, &j->x, &j->preactivations);
    if (status)
        return report_status(j->s.ctx, status, NULL);
    if (j->coordinates)
        warn_negative("theta", j->coordinates->rest.negative);
    if (j->preactivations)
        warn_negative("w", j->preactivations->field.negative);
    j->plan.coordinates = j->coordinates;
    j->plan.preactivations = j->preactivations;
    return 0;
}

static void put_comments(const sample *j, FILE *to)
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

static int write(sample *j)
{
    save_output out;
    progress meter;
    sgdmft_status status = save_open(j->s.ctx, j->csv, arguments_has(j->args, "force"), &out);
    if (status)
        return report_status(j->s.ctx, status, NULL);
    progress_start(&meter, j->s.ctx, j->args, "");
    put_comments(j, out.stream);
    status = sample_write(j->s.ctx, &j->plan, out.stream);
    progress_end(&meter, j->s.ctx);
    int code = status ? report_status(j->s.ctx, status, NULL) : 0;
    status = save_close(j->s.ctx, &out, code == 0);
    if (status)
        code = report_status(j->s.ctx, status, NULL);
    if (!code && !arguments_has(j->args, "quiet"))
        printf("%s: %" PRIu64 " path%s at %zu time%s, t = %.6g to %.6g\n", j->csv, j->plan.paths,
               j->plan.paths == 1 ? "" : "s", j->plan.n, j->plan.n == 1 ? "" : "s", j->t[0], j->t[j->plan.n - 1]);
    return code;
}

static int name_output(sample *j)
{
    const char *given = arguments_value(j->args, "csv");
    j->csv = given ? strdup(given) : default_name(j->args->operands[0]);
    j->command = arguments_command_line(j->args);
    if (!j->csv || !j->command)
        return report_out_of_memory();
    sgdmft_status status = save_check(j->s.ctx, j->csv, arguments_has(j->args, "force"));
    return status ? report_status(j->s.ctx, status, NULL) : 0;
}

static void clear(sample *j)
{
    coordinate_process_free(j->coordinates);
    preactivation_process_free(j->preactivations);
    sgdmft_solution_free(j->run);
    free(j->node);
    free(j->t);
    free(j->csv);
    free(j->command);
    job_close(&j->s);
}

static int run(const arguments *args)
{
    sample j = {.args = args};
    int code = job_open(args, &j.s);
    if (!code)
        code = read_what(&j);
    if (!code)
        code = read_numbers(&j);
    if (!code)
        code = read_run(&j);
    if (!code)
        code = check_visits(&j);
    if (!code)
        code = choose_times(&j);
    if (!code)
        code = name_output(&j);
    if (!code)
        code = prepare(&j);
    if (!code) {
        progress_catch_signals();
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
