#include "model/callbacks.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/origin.h"
#include "model/callbacks_probe.h"
#include "model/model.h"
#include "model/plugin.h"

int callbacks_wanted(const sgdmft_problem *problem)
{
    return problem->model.plugin || problem->model.callbacks;
}

sgdmft_status callbacks_fail(sgdmft_context *ctx, const sgdmft_problem *problem, const char *subject,
                             const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return context_out_of_memory(ctx, "a message", 0);
    sgdmft_status status;
    if (problem->model.plugin)
        status = origin_fail_at(ctx, SGDMFT_ERR_PLUGIN, &problem->model.plugin_where, problem->model.plugin, 0,
                                "%s: %s", subject, text);
    else
        status = context_fail(ctx, SGDMFT_ERR_PLUGIN, "%s: %s: %s", problem->source, subject, text);
    free(text);
    return status;
}

int callbacks_find_defect(const sgdmft_model *table, char text[128])
{
    const struct {
        const char *name;
        int value, least;
    } counts[] = {{"students", table->students, 1},
                  {"teachers", table->teachers, 1},
                  {"noises", table->noises, 0},
                  {"labels", table->labels, 1}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i].value < counts[i].least || counts[i].value > MODEL_MOST) {
            snprintf(text, 128, "field %s is %d; allowed: %d to %d", counts[i].name, counts[i].value, counts[i].least,
                     MODEL_MOST);
            return 1;
        }
    if (table->label && table->loss)
        return 0;
    snprintf(text, 128, "call-back %s is NULL; both label and loss are required", table->label ? "loss" : "label");
    return 1;
}

static sgdmft_status check_match(sgdmft_context *ctx, const sgdmft_problem *problem, const callbacks *c,
                                 const char *what, int value, int wanted)
{
    if (value == wanted)
        return SGDMFT_OK;
    return callbacks_fail(ctx, problem, c->subject, "it is made for %d %s, but model.%s is %d; set model.%s: %d", value,
                          what, what, wanted, what, value);
}

static sgdmft_status check_table(sgdmft_context *ctx, const sgdmft_problem *problem, const callbacks *c)
{
    char defect[128];
    sgdmft_status status = check_match(ctx, problem, c, "students", c->table.students, problem->model.students);
    if (status == SGDMFT_OK)
        status = check_match(ctx, problem, c, "teachers", c->table.teachers, problem->model.teachers);
    if (status == SGDMFT_OK && callbacks_find_defect(&c->table, defect))
        status = callbacks_fail(ctx, problem, c->subject, "%s", defect);
    return status == SGDMFT_OK ? callbacks_probe(ctx, problem, c) : status;
}

/* The table that the program gave for the name in the problem. */
static sgdmft_status take_table(sgdmft_context *ctx, const sgdmft_problem *problem, callbacks *c)
{
    if (problem->table.abi == 0)
        return origin_fail_at(ctx, SGDMFT_ERR_MISSING, &problem->model.callbacks_where, problem->model.callbacks, 0,
                              "the label and loss of the model '%s' are functions of a program, which this problem was "
                              "not given; only that program can use it further (sgdmft_problem_set_model)",
                              problem->model.callbacks);
    c->table = problem->table;
    if (asprintf(&c->subject, "model '%s'", problem->model.callbacks) >= 0)
        return SGDMFT_OK;
    c->subject = NULL;
    return context_out_of_memory(ctx, "the model", 0);
}

sgdmft_status callbacks_new(sgdmft_context *ctx, const sgdmft_problem *problem, callbacks **out)
{
    callbacks *c = calloc(1, sizeof *c);
    if (!c)
        return context_out_of_memory(ctx, "the model", sizeof *c);
    sgdmft_status status = (problem->model.plugin ? plugin_load : take_table)(ctx, problem, c);
    if (status == SGDMFT_OK)
        status = check_table(ctx, problem, c);
    if (status == SGDMFT_OK)
        *out = c;
    else
        callbacks_free(c);
    return status;
}

void callbacks_free(callbacks *c)
{
    if (!c)
        return;
    if (c->handle)
        dlclose(c->handle);
    free(c->subject);
    free(c);
}
