#include "problem/echo.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/number.h"
#include "core/text.h"
#include "model/coordinates_law.h"
#include "problem/options.h"
#include "problem/settings.h"

static void write_quoted(FILE *out, const char *text)
{
    size_t size = strlen(text), at = 0;
    fputc('"', out);
    while (at < size) {
        uint32_t code = 0;
        size_t length = text_decode((const unsigned char *)text + at, size - at, &code);
        if (length == 0) {
            length = 1; /* malformed UTF-8, which the YAML reader refuses */
            code = 0xFFFD;
        }
        if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (int)code);
        else if (code == '\n')
            fputs("\\n", out);
        else if (text_printable(code))
            fwrite(text + at, 1, length, out);
        else
            fprintf(out, code < 0x100 ? "\\x%02" PRIX32 : "\\u%04" PRIX32, code);
        at += length;
    }
    fputc('"', out);
}

static int is_number(const char *text)
{
    double value;
    return number_read(text, &value) == NUMBER_OK;
}

static void write_rate(FILE *out, const problem_text *rate)
{
    if (is_number(rate->text))
        fputs(rate->text, out);
    else
        write_quoted(out, rate->text);
}

static void write_texts(FILE *out, const problem_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        fputs(i ? ", " : texts->n > 1 ? "[" : "", out);
        write_quoted(out, texts->item[i].text);
    }
    fputs(texts->n > 1 ? "]" : "", out);
}

static void write_reals(FILE *out, const problem_reals *reals)
{
    for (size_t i = 0; i < reals->n; i++)
        fprintf(out, "%s%s", i ? ", " : "[", number_write(reals->value[i]).text);
    fputc(']', out);
}

static void write_matrix(FILE *out, const double *a, int rows, int columns)
{
    for (int i = 0; i < rows; i++) {
        fputs(i ? ", [" : "[[", out);
        for (int j = 0; j < columns; j++)
            fprintf(out, "%s%s", j ? ", " : "", number_write(a[i * columns + j]).text);
        fputc(']', out);
    }
    fputc(']', out);
}

/* Names that other YAML readers would take for a truth value or for null. */
static int needs_quotes(const char *name)
{
    static const char *const words[] = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i], name) == 0)
            return 1;
    return 0;
}

static void write_named(FILE *out, const problem_texts *texts)
{
    fputs(texts->n ? "observables:\n" : "observables: {}\n", out);
    for (size_t i = 0; i < texts->n; i++) {
        const char *name = texts->item[i].name;
        fprintf(out, needs_quotes(name) ? "  \"%s\": " : "  %s: ", name);
        write_quoted(out, texts->item[i].text);
        fputc('\n', out);
    }
}

static void write_integer(FILE *out, const void *field, size_t width)
{
    uint64_t value = 0;
    if (width == sizeof value) {
        memcpy(&value, field, sizeof value);
    } else {
        int narrow;
        memcpy(&narrow, field, sizeof narrow);
        value = (uint64_t)narrow;
    }
    fprintf(out, "%" PRIu64, value);
}

/* 1 if the solver will choose the value of the option. */
static int is_left(const sgdmft_problem *problem, option_id id)
{
    switch (id) {
    case OPT_PATHS: return problem_leaves(problem, PIN_PATHS);
    case OPT_REPLICAS: return problem_leaves(problem, PIN_REPLICAS);
    case OPT_STEPS: return problem_leaves(problem, PIN_STEPS);
    case OPT_GRADING:
        return problem->process->midpoint && !problem->penalty.text && problem_leaves(problem, PIN_GRADING);
    case OPT_TOLERANCE: return problem_leaves(problem, PIN_TOLERANCE);
    case OPT_REPETITIONS: return problem_leaves_repetitions(problem);
    default: return 0;
    }
}

static int is_present(const sgdmft_problem *problem, option_id id)
{
    switch (id) {
    case OPT_SAMPLING: return problem->process->sampling != NULL;
    case OPT_BATCH_FRACTION: return problem->process->sampling != NULL;
    case OPT_MOMENTUM_RATE: return problem->momentum.rate > 0;
    case OPT_MOMENTUM_BETA: return problem->momentum.beta > 0;
    case OPT_DELTA: return isfinite(problem->delta);
    case OPT_LAMBDA: return problem->penalty.text == NULL;
    case OPT_PENALTY: return problem->penalty.text != NULL;
    case OPT_LABEL: return problem->model.label.n > 0;
    case OPT_PREDICT: return problem->model.predict.n > 0;
    case OPT_LOSS: return problem->model.loss.n > 0;
    case OPT_PLUGIN: return problem->model.plugin != NULL;
    case OPT_CALLBACKS: return problem->model.callbacks != NULL;
    case OPT_TEACHER_LAW: return problem->initial.teacher.n > 0;
    case OPT_STUDENT_LAW: return problem->initial.student.n > 0;
    case OPT_SAMPLES: return problem->initial.samples != NULL;
    case OPT_CONTROL: return problem->numerics.control.n > 0;
    case OPT_TIME_LIMIT: return problem->numerics.time_limit > 0;
    case OPT_STEPS:
    case OPT_GRADING:
    case OPT_EXTRAPOLATE:
    case OPT_BATCH: return !problem_is_discrete(problem); /* steps and batches are those of the dynamics */
    case OPT_HISTOGRAMS: return problem->output.histograms.n > 0;
    default: return 1;
    }
}

/* 1 for an accuracy that is not asked for, since paths, replicas or steps are given and it is not: as a setting it
   would ask for it. */
static int is_unasked(const sgdmft_problem *problem, option_id id)
{
    return id == OPT_ACCURACY && !problem_asks_accuracy(problem);
}

/* Moments that follow from a law are shown as comments: as settings they would contradict the law. */
static int is_derived(const sgdmft_problem *problem, option_id id)
{
    return coordinates_law_is_given(problem) && (id == OPT_Q || id == OPT_M || id == OPT_RHO);
}

static void write_value(FILE *out, const sgdmft_problem *problem, const option *o)
{
    const void *field = (const char *)problem + o->offset;
    int side[] = {problem->model.students, problem->model.teachers};
    switch (o->type) {
    case OPTION_CHOICE: fputs(o->choice(*(const unsigned *)field), out); break;
    case OPTION_REAL: fputs(number_write(*(const double *)field).text, out); break;
    case OPTION_REALS: write_reals(out, field); break;
    case OPTION_INTEGER: write_integer(out, field, o->width); break;
    case OPTION_BOOL: fputs(*(const int *)field ? "true" : "false", out); break;
    case OPTION_EXPRESSION: write_quoted(out, ((const problem_text *)field)->text); break;
    case OPTION_RATE: write_rate(out, field); break;
    case OPTION_EXPRESSIONS: write_texts(out, field); break;
    case OPTION_PATH:
    case OPTION_NAME: write_quoted(out, *(char *const *)field); break;
    case OPTION_MATRIX: write_matrix(out, *(double *const *)field, side[o->rows], side[o->columns]); break;
    case OPTION_NAMED: break; /* a section of its own */
    }
}

static void write_origin_of_moments(FILE *out, const sgdmft_problem *problem)
{
    fputs("  # second moments of the law below", out);
    if (problem->initial.moments_se > 0)
        fprintf(out, ", relative standard error %.1e", problem->initial.moments_se);
    fputs(":\n", out);
}

static void write_option(FILE *out, const sgdmft_problem *problem, option_id id)
{
    write_value(out, problem, option_get(id));
}

/* 1 if the section of the option has something to show. Momentum is a section that most problems do without. */
static int has_section(const sgdmft_problem *problem, option_id id)
{
    return option_section_of(id) != option_section_of(OPT_MOMENTUM_RATE) || problem_has_momentum(problem);
}

/* All options; `all` is not used. */
static void write_problem(FILE *out, const sgdmft_problem *problem, option_id all)
{
    int section = 0;
    for (option_id id = 0; id < OPTION_COUNT; id++) {
        if (id == OPT_OBSERVABLES) {
            write_named(out, &problem->observables);
            continue;
        }
        if (!has_section(problem, id))
            continue;
        if (option_section_of(id) != section) {
            section = option_section_of(id);
            fprintf(out, "%s:\n", option_get_section(section)->name);
        }
        if (is_left(problem, id))
            fprintf(out, "  # %s: chosen by the solver\n", option_leaf(id));
        if (!is_present(problem, id) || is_left(problem, id))
            continue;
        if (id == OPT_Q && is_derived(problem, id))
            write_origin_of_moments(out, problem);
        int comment = is_derived(problem, id) || is_unasked(problem, id);
        fprintf(out, "%s%s%s: ", section ? "  " : "", comment ? "# " : "", option_leaf(id));
        write_value(out, problem, option_get(id));
        fputs(is_unasked(problem, id) ? ", not asked for, as others are given\n" : "\n", out);
    }
}

/* The output of `write` for option `id` as text, which the caller frees. */
static sgdmft_status make_text(sgdmft_context *ctx, const sgdmft_problem *problem, option_id id,
                               void (*write)(FILE *out, const sgdmft_problem *problem, option_id id), char **out)
{
    char *text = NULL;
    size_t size = 0;
    *out = NULL;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return context_out_of_memory(ctx, "the text of the problem", 0);
    write(stream, problem, id);
    int failed = ferror(stream);
    if (fclose(stream) != 0 || failed) {
        free(text);
        return context_out_of_memory(ctx, "the text of the problem", (double)size);
    }
    *out = text;
    return SGDMFT_OK;
}

sgdmft_status problem_echo(sgdmft_context *ctx, const sgdmft_problem *problem, char **out)
{
    return make_text(ctx, problem, OPTION_COUNT, write_problem, out);
}

sgdmft_status sgdmft_problem_to_yaml(sgdmft_context *ctx, sgdmft_problem *problem, char **out)
{
    if (out)
        *out = NULL;
    if (!ctx || !out)
        return SGDMFT_ERR_ARGUMENT;
    if (!problem)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "problem: NULL cannot be written as YAML");
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    return status ? status : problem_echo(ctx, problem, out);
}

sgdmft_status sgdmft_problem_get(sgdmft_context *ctx, sgdmft_problem *problem, const char *key, char **out)
{
    static const char observables[] = "observables.";
    if (out)
        *out = NULL;
    if (!ctx || !out)
        return SGDMFT_ERR_ARGUMENT;
    if (!problem || !key)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "problem: problem or key is NULL");
    origin where = {problem->source, 0, 0, NULL};
    option_id id = option_by_key(key);
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (status)
        return status;
    if (id < OPTION_COUNT)
        return is_present(problem, id) && !is_left(problem, id) ? make_text(ctx, problem, id, write_option, out)
                                                                : SGDMFT_OK;
    if (strncmp(key, observables, sizeof observables - 1) != 0)
        return settings_unknown_key(ctx, &where, key);
    for (size_t i = 0; i < problem->observables.n; i++)
        if (strcmp(problem->observables.item[i].name, key + sizeof observables - 1) == 0 &&
            !(*out = strdup(problem->observables.item[i].text)))
            return context_out_of_memory(ctx, "an observable", 0);
    return SGDMFT_OK;
}
