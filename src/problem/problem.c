#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "problem/checks.h"
#include "problem/convert.h"
#include "model/coordinates_law.h"
#include "model/law_moments.h"
#include "problem/settings.h"
#include "problem/source_file.h"
#include "core/origin.h"

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

void sgdmft_problem_free(sgdmft_problem *problem)
{
    if (!problem)
        return;
    free(problem->source);
    free_text(&problem->eta);
    free_text(&problem->penalty);
    free_texts(&problem->model.label);
    free_texts(&problem->model.predict);
    free_texts(&problem->model.loss);
    free(problem->model.plugin);
    free(problem->initial.q);
    free(problem->initial.m);
    free(problem->initial.rho);
    free_texts(&problem->initial.teacher);
    free_texts(&problem->initial.student);
    free(problem->initial.samples);
    free_texts(&problem->observables);
    free(problem->output.histograms.value);
    free(problem);
}

/* The row of the table of processes that the keys name, and the defaults that it has of its own. */
static sgdmft_status choose_process(sgdmft_context *ctx, const settings *s, sgdmft_problem *problem)
{
    problem->process = process_find(problem->dynamics, problem->sampling);
    if (!problem->process) {
        origin where = settings_origin(s, OPT_SAMPLING);
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &where,
                            "value %s cannot be combined with dynamics: %s, which visits samples in a way of its own; "
                            "allowed: dynamics: %s, or no sampling",
                            process_sampling(problem->sampling), process_dynamics(problem->dynamics),
                            process_dynamics(0));
    }
    if (problem->process->default_steps && !s->value[OPT_STEPS].node)
        problem->numerics.steps = problem->process->default_steps;
    return SGDMFT_OK;
}

/* Table order is conversion order: matrices come after the numbers of students and teachers. */
static sgdmft_status interpret(sgdmft_context *ctx, const settings *s, sgdmft_problem *problem)
{
    problem->delta = INFINITY;
    sgdmft_status status = SGDMFT_OK;
    for (option_id id = 0; id < OPTION_COUNT && status == SGDMFT_OK; id++)
        status = convert_option(ctx, s, id, problem);
    if (status == SGDMFT_OK)
        status = choose_process(ctx, s, problem);
    if (status == SGDMFT_OK)
        status = convert_observables(ctx, s, problem);
    if (status == SGDMFT_OK)
        status = check_presence(ctx, s, problem);
    if (status == SGDMFT_OK && problem_has_law(problem))
        status = law_fill_moments(ctx, problem);
    if (status == SGDMFT_OK)
        status = check_initial(ctx, s, problem);
    return status;
}

static sgdmft_status read_text(sgdmft_context *ctx, const char *name, const char *text, size_t size,
                               const char *const *sets, size_t n_sets, sgdmft_problem **out)
{
    sgdmft_problem *problem = calloc(1, sizeof *problem);
    char *source = strdup(name);
    if (!problem || !source) {
        free(problem);
        free(source);
        return context_out_of_memory(ctx, "the problem", (double)sizeof *problem);
    }
    problem->source = source;
    settings given;
    yaml_source yaml = {source, text, size, 0};
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* a byte order mark */
        yaml.text += 3;
        yaml.size -= 3;
    }
    sgdmft_status status = settings_read(ctx, &yaml, &given);
    if (status == SGDMFT_OK)
        status = settings_override(ctx, sets, n_sets, &given);
    if (status == SGDMFT_OK)
        status = interpret(ctx, &given, problem);
    settings_free(&given);
    if (status != SGDMFT_OK) {
        sgdmft_problem_free(problem);
        return status;
    }
    *out = problem;
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
    sgdmft_status status = source_file_read(ctx, path, &text, &size);
    if (status != SGDMFT_OK)
        return status;
    status = read_text(ctx, path, text, size, sets, n_sets, out);
    free(text);
    return status;
}
