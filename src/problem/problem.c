#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/origin.h"
#include "core/text.h"
#include "model/callbacks.h"
#include "model/coordinates_law.h"
#include "problem/checks.h"
#include "problem/convert.h"
#include "problem/settings.h"

static void free_text(problem_text *text)
{
    free(text->name);
    free(text->text);
    free(text->key);
}

static void free_texts(problem_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free_text(&texts->item[i]);
    free(texts->item);
}

/* Back to what was given alone. */
static void clear_values(sgdmft_problem *problem)
{
    free_text(&problem->eta);
    free_text(&problem->penalty);
    free_texts(&problem->model.label);
    free_texts(&problem->model.predict);
    free_texts(&problem->model.loss);
    free(problem->model.plugin);
    free(problem->model.callbacks);
    free(problem->initial.q);
    free(problem->initial.m);
    free(problem->initial.rho);
    free_texts(&problem->initial.teacher);
    free_texts(&problem->initial.student);
    free(problem->initial.samples);
    free_texts(&problem->observables);
    free_texts(&problem->numerics.control);
    free(problem->output.histograms.value);
    *problem = (sgdmft_problem){.source = problem->source, .given = problem->given, .table = problem->table};
}

void sgdmft_problem_free(sgdmft_problem *problem)
{
    if (!problem)
        return;
    clear_values(problem);
    if (problem->given)
        settings_free(problem->given);
    free(problem->given);
    free(problem->source);
    free(problem);
}

/* The row of the table of processes that the keys name, and the defaults that it has of its own. */
static sgdmft_status choose_process(sgdmft_context *ctx, const settings *s, sgdmft_problem *problem)
{
    double b = problem->batch_fraction;
    batch_size size = b == 0 ? BATCH_SMALL : b < 1 ? BATCH_FRACTION : BATCH_FULL;
    problem->process = process_find(problem->dynamics, problem->sampling, size);
    if (!problem->process && process_find(problem->dynamics, problem->sampling, BATCH_SMALL)) {
        origin where = settings_origin(s, OPT_BATCH_FRACTION);
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &where,
                           "value %g cannot be combined with dynamics: %s, which have no batches; allowed: dynamics: "
                           "%s, or batch_fraction: 0",
                           b, process_dynamics(problem->dynamics), process_dynamics(0));
    }
    if (!problem->process) {
        origin where = settings_origin(s, OPT_SAMPLING);
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &where,
                           "value %s cannot be combined with dynamics: %s, which leave no choice of the sampling; "
                           "allowed: dynamics: %s, or no sampling",
                           process_sampling(problem->sampling), process_dynamics(problem->dynamics),
                           process_dynamics(0));
    }
    if (problem_is_discrete(problem))
        problem->numerics.steps = (int)fmin((double)problem_discrete_steps(problem), INT_MAX);
    if (problem->process->default_steps && !s->value[OPT_STEPS].node)
        problem->numerics.steps = problem->process->default_steps;
    return SGDMFT_OK;
}

/* Which of the numerics the user gave. */
static unsigned given_numerics(const settings *s)
{
    static const struct {
        option_id id;
        numerics_pin pin;
    } pins[] = {{OPT_ACCURACY, PIN_ACCURACY},       {OPT_PATHS, PIN_PATHS},
                {OPT_REPLICAS, PIN_REPLICAS},       {OPT_STEPS, PIN_STEPS},
                {OPT_TOLERANCE, PIN_TOLERANCE},     {OPT_METHOD, PIN_METHOD},
                {OPT_REPETITIONS, PIN_REPETITIONS}, {OPT_GRADING, PIN_GRADING}};
    unsigned given = 0;
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        if (s->value[pins[i].id].node)
            given |= pins[i].pin;
    return given;
}

/* Options are converted in the order of the table, in which matrices come after the numbers of students and
   teachers. */
static sgdmft_status interpret(sgdmft_context *ctx, const settings *s, sgdmft_problem *problem)
{
    problem->delta = INFINITY;
    sgdmft_status status = SGDMFT_OK;
    for (option_id id = 0; id < OPTION_COUNT && status == SGDMFT_OK; id++)
        status = convert_option(ctx, s, id, problem);
    if (status == SGDMFT_OK)
        status = choose_process(ctx, s, problem);
    problem->numerics.given = given_numerics(s);
    if (status == SGDMFT_OK)
        status = convert_observables(ctx, s, problem);
    if (status == SGDMFT_OK)
        status = check_presence(ctx, s, problem);
    if (status == SGDMFT_OK && coordinates_law_is_given(problem))
        status = coordinates_law_fill_moments(ctx, problem);
    if (status == SGDMFT_OK)
        status = check_initial(ctx, s, problem);
    return status;
}

sgdmft_status sgdmft_problem_check(sgdmft_context *ctx, sgdmft_problem *problem)
{
    if (problem_is_checked(problem))
        return SGDMFT_OK;
    clear_values(problem);
    sgdmft_status status = interpret(ctx, problem->given, problem);
    problem->checked = status == SGDMFT_OK;
    return status;
}

/* A problem for which nothing is given yet; `name` stands for its file. */
static sgdmft_status new_problem(sgdmft_context *ctx, const char *name, sgdmft_problem **out)
{
    sgdmft_problem *problem = calloc(1, sizeof *problem);
    if (problem) {
        problem->source = strdup(name);
        problem->given = calloc(1, sizeof *problem->given);
    }
    if (!problem || !problem->source || !problem->given) {
        sgdmft_problem_free(problem);
        return context_out_of_memory(ctx, "the problem", (double)sizeof *problem);
    }
    problem->given->source = problem->source;
    *out = problem;
    return SGDMFT_OK;
}

static sgdmft_status read_text(sgdmft_context *ctx, const char *name, const char *text, size_t size,
                               const char *const *sets, size_t n_sets, sgdmft_problem **out)
{
    sgdmft_problem *problem = NULL;
    sgdmft_status status = new_problem(ctx, name, &problem);
    if (status != SGDMFT_OK)
        return status;
    yaml_source yaml = {problem->source, text, size, 0};
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* a byte order mark */
        yaml.text += 3;
        yaml.size -= 3;
    }
    status = settings_read(ctx, &yaml, problem->given);
    if (status == SGDMFT_OK)
        status = settings_override(ctx, sets, n_sets, problem->given);
    if (status == SGDMFT_OK)
        status = sgdmft_problem_check(ctx, problem);
    if (status != SGDMFT_OK) {
        sgdmft_problem_free(problem);
        return status;
    }
    *out = problem;
    return SGDMFT_OK;
}

/* Larger files are not problem files; the bound also limits what a device or pipe can feed us. */
enum { LARGEST_FILE = 1 << 20 };

static sgdmft_status fail_io(sgdmft_context *ctx, const char *path, const char *why, const char *hint)
{
    return context_fail(ctx, SGDMFT_ERR_IO, "%s: cannot read the problem file: %s%s", path, why, hint);
}

static sgdmft_status read_stream(sgdmft_context *ctx, FILE *in, const char *path, char *buffer, size_t *size)
{
    *size = fread(buffer, 1, LARGEST_FILE + 1, in);
    if (ferror(in))
        return fail_io(ctx, path, strerror(errno), "");
    if (*size > LARGEST_FILE)
        return fail_io(ctx, path, "it is larger than 1 MiB", "; a problem file is a short text");
    return SGDMFT_OK;
}

/* *text (not terminated) holds *size bytes. The caller frees *text. */
static sgdmft_status read_file(sgdmft_context *ctx, const char *path, char **text, size_t *size)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return fail_io(ctx, path, strerror(errno),
                       errno == ENOENT ? "; `sgdmft reference` prints a file to start from" : "");
    struct stat about;
    if (fstat(fileno(in), &about) == 0 && S_ISDIR(about.st_mode)) {
        fclose(in);
        return fail_io(ctx, path, "it is a directory", "; give a file in it");
    }
    char *buffer = malloc(LARGEST_FILE + 1);
    sgdmft_status status =
        buffer ? read_stream(ctx, in, path, buffer, size) : context_out_of_memory(ctx, path, LARGEST_FILE);
    fclose(in);
    if (status != SGDMFT_OK) {
        free(buffer);
        return status;
    }
    *text = buffer;
    return SGDMFT_OK;
}

static int valid_sets(const char *const *sets, size_t n_sets)
{
    if (n_sets > 0 && !sets)
        return 0;
    for (size_t i = 0; i < n_sets; i++)
        if (!sets[i])
            return 0;
    return 1;
}

sgdmft_status sgdmft_problem_parse(sgdmft_context *ctx, const char *name, const char *text, const char *const *sets,
                                   size_t n_sets, sgdmft_problem **out)
{
    if (out)
        *out = NULL;
    if (!ctx || !out)
        return SGDMFT_ERR_ARGUMENT;
    if (!name || !text || !valid_sets(sets, n_sets))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "problem: name, text or an override is NULL");
    return read_text(ctx, name, text, strlen(text), sets, n_sets, out);
}

sgdmft_status sgdmft_problem_read(sgdmft_context *ctx, const char *path, const char *const *sets, size_t n_sets,
                                  sgdmft_problem **out)
{
    if (out)
        *out = NULL;
    if (!ctx || !out)
        return SGDMFT_ERR_ARGUMENT;
    if (!path || !valid_sets(sets, n_sets))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "problem: path or an override is NULL");
    char *text = NULL;
    size_t size = 0;
    sgdmft_status status = read_file(ctx, path, &text, &size);
    if (status != SGDMFT_OK)
        return status;
    status = read_text(ctx, path, text, size, sets, n_sets, out);
    free(text);
    return status;
}

sgdmft_status sgdmft_problem_new(sgdmft_context *ctx, sgdmft_problem **out)
{
    if (out)
        *out = NULL;
    if (!ctx || !out)
        return SGDMFT_ERR_ARGUMENT;
    return new_problem(ctx, "problem", out);
}

/* Type and range of a value by itself. Shapes of matrices depend on other options and wait for sgdmft_problem_check. */
static sgdmft_status check_value(sgdmft_context *ctx, const sgdmft_problem *problem, option_id id)
{
    sgdmft_problem scratch = {.source = problem->source};
    if (option_get(id)->type == OPTION_MATRIX || !problem->given->value[id].node)
        return SGDMFT_OK;
    sgdmft_status status = convert_option(ctx, problem->given, id, &scratch);
    clear_values(&scratch);
    return status;
}

sgdmft_status sgdmft_problem_set(sgdmft_context *ctx, sgdmft_problem *problem, const char *key, const char *value)
{
    if (!ctx || !problem || !key || !value)
        return ctx ? context_fail(ctx, SGDMFT_ERR_ARGUMENT, "problem: problem, key or value is NULL")
                   : SGDMFT_ERR_ARGUMENT;
    option_id id = option_by_key(key);
    setting before = id < OPTION_COUNT ? problem->given->value[id] : (setting){NULL, NULL};
    sgdmft_status status = settings_set(ctx, key, value, problem->given);
    if (status == SGDMFT_OK && id < OPTION_COUNT && (status = check_value(ctx, problem, id)) != SGDMFT_OK)
        problem->given->value[id] = before;
    if (status == SGDMFT_OK)
        problem->checked = 0;
    return status;
}

static sgdmft_status set_count(sgdmft_context *ctx, sgdmft_problem *problem, option_id id, int count)
{
    char text[16];
    snprintf(text, sizeof text, "%d", count);
    return sgdmft_problem_set(ctx, problem, option_get(id)->key, text);
}

/* The name as a YAML text in double quotes. */
static sgdmft_status set_name(sgdmft_context *ctx, sgdmft_problem *problem, const char *name)
{
    char *quoted = NULL;
    if (name[0] == '\0' || strpbrk(name, "\"\\\n\r"))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT,
                            "model: the name '%s' is empty or has quotes, backslashes or line breaks",
                            text_show(name).text);
    if (asprintf(&quoted, "\"%s\"", name) < 0)
        return context_out_of_memory(ctx, "the name of a model", (double)strlen(name));
    sgdmft_status status = sgdmft_problem_set(ctx, problem, option_get(OPT_CALLBACKS)->key, quoted);
    free(quoted);
    return status;
}

sgdmft_status sgdmft_problem_set_model(sgdmft_context *ctx, sgdmft_problem *problem, const sgdmft_model *model)
{
    if (!ctx || !problem)
        return ctx ? context_fail(ctx, SGDMFT_ERR_ARGUMENT, "problem: NULL has no model") : SGDMFT_ERR_ARGUMENT;
    if (!model) {
        problem->table = (sgdmft_model){.abi = 0};
        return sgdmft_problem_set(ctx, problem, option_get(OPT_CALLBACKS)->key, "null");
    }
    if (model->abi != SGDMFT_MODEL_ABI)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT,
                            "model: field abi is %d, but this library has version %d of the interface; set abi to "
                            "SGDMFT_MODEL_ABI and build against this library's sgdmft/model.h",
                            model->abi, SGDMFT_MODEL_ABI);
    char defect[128];
    if (callbacks_find_defect(model, defect))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "model: %s", defect);
    sgdmft_status status = set_name(ctx, problem, model->name ? model->name : "unnamed");
    if (status == SGDMFT_OK)
        status = set_count(ctx, problem, OPT_STUDENTS, model->students);
    if (status == SGDMFT_OK)
        status = set_count(ctx, problem, OPT_TEACHERS, model->teachers);
    if (status != SGDMFT_OK)
        return status;
    problem->table = *model;
    problem->table.name = NULL; /* the caller's text may go; the copy is among the settings */
    return SGDMFT_OK;
}
