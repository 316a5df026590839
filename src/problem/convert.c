#include "problem/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "problem/convert_matrix.h"
#include "problem/convert_text.h"
#include "core/number.h"
#include "core/origin.h"
#include "core/text.h"

_Static_assert(sizeof(method_kind) == sizeof(unsigned), "choices are stored as unsigned int");
_Static_assert(sizeof(response_choice) == sizeof(unsigned), "choices are stored as unsigned int");
_Static_assert(sizeof(entries_kind) == sizeof(unsigned), "choices are stored as unsigned int");

static sgdmft_status fail_allowed(sgdmft_context *ctx, sgdmft_status status, const origin *where, const option *o,
                                  const char *problem, const char *text, const char *hint)
{
    char *allowed = option_allowed(o, 1);
    if (!allowed)
        return context_out_of_memory(ctx, "a message", 0);
    origin_fail(ctx, status, where, "value %s %s; allowed: %s%s", text_show(text).text, problem, allowed, hint);
    free(allowed);
    return status;
}

/* Numbers, choices and switches are plain scalars. */
static sgdmft_status need_plain(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o)
{
    const char *kind = option_type_name(o);
    if (node->kind != TREE_SCALAR)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "a single value (%s) is needed, found %s", kind,
                            tree_kind_name(node));
    if (tree_is_null(node, 1))
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "a value (%s) is needed, found nothing", kind);
    if (node->style != TREE_PLAIN && o->type != OPTION_CHOICE)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where,
                            "a value (%s) is needed, found the text \"%s\"; remove the quotes", kind,
                            text_show(node->text).text);
    return SGDMFT_OK;
}

static sgdmft_status convert_choice(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                    void *field)
{
    enum { CHOICES_MOST = 32 };
    const char *choices[CHOICES_MOST];
    unsigned count = 0;
    for (; count < CHOICES_MOST && o->choice(count); count++) {
        choices[count] = o->choice(count);
        if (strcmp(choices[count], node->text) == 0) {
            memcpy(field, &count, sizeof count);
            return SGDMFT_OK;
        }
    }
    int near = text_nearest(node->text, choices, count);
    char *hint = NULL;
    if (near >= 0 && asprintf(&hint, "; did you mean '%s'?", choices[near]) < 0)
        return context_out_of_memory(ctx, "a message", 0);
    sgdmft_status status = fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o, "is not known", node->text, hint ? hint : "");
    free(hint);
    return status;
}

static int in_range(const option *o, double value)
{
    int above = o->low_open ? value > o->low : value >= o->low;
    int below = o->high_open ? value < o->high : value <= o->high;
    return above && below;
}

static sgdmft_status convert_real(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                  double *out)
{
    double value = 0;
    switch (number_read(node->text, &value)) {
    case NUMBER_OK: break;
    case NUMBER_NOT_FINITE:
        return fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o, "is not a finite number", node->text, "");
    default: return fail_allowed(ctx, SGDMFT_ERR_TYPE, where, o, "is not a number", node->text, "");
    }
    if (!in_range(o, value))
        return fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o, "is out of range", node->text, "");
    *out = value;
    return SGDMFT_OK;
}

static sgdmft_status convert_integer(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                     void *field)
{
    uint64_t value = 0;
    switch (number_read_integer(node->text, &value)) {
    case NUMBER_OK: break;
    case NUMBER_NONE: return fail_allowed(ctx, SGDMFT_ERR_TYPE, where, o, "is not an integer", node->text, "");
    case NUMBER_FRACTION:
        return fail_allowed(ctx, SGDMFT_ERR_TYPE, where, o, "is not an integer but a fraction", node->text, "");
    case NUMBER_NOT_FINITE:
        return fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o, "is not a finite number", node->text, "");
    case NUMBER_TOO_LARGE:
        return fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o,
                            "is too large, or too large to be given with a point or an exponent", node->text, "");
    case NUMBER_NEGATIVE: return fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o, "is out of range", node->text, "");
    }
    if (value < o->min || value > o->max)
        return fail_allowed(ctx, SGDMFT_ERR_RANGE, where, o, "is out of range", node->text, "");
    if (o->width == sizeof(uint64_t)) {
        memcpy(field, &value, sizeof value);
    } else {
        int narrow = (int)value; /* the table's range fits */
        memcpy(field, &narrow, sizeof narrow);
    }
    return SGDMFT_OK;
}

static sgdmft_status convert_bool(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                  int *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i], node->text) == 0) {
            *out = (int)(i % 2);
            return SGDMFT_OK;
        }
    return fail_allowed(ctx, SGDMFT_ERR_TYPE, where, o, "is neither true nor false", node->text,
                        " (or yes, no, on, off)");
}

static sgdmft_status convert_reals(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                   problem_reals *out)
{
    int list = node->kind == TREE_LIST;
    size_t n = list ? node->n : 1;
    if (n < o->min || n > o->max)
        return origin_fail(ctx, SGDMFT_ERR_SHAPE, where, "%zu numbers; allowed: %zu to %zu", n, (size_t)o->min,
                            (size_t)o->max);
    out->value = calloc(n, sizeof *out->value);
    if (!out->value)
        return context_out_of_memory(ctx, where->key, (double)(n * sizeof *out->value));
    for (size_t i = 0; i < n; i++) {
        const tree_node *one = list ? node->item[i] : node;
        origin here = {where->source, one->line, one->column, where->key};
        sgdmft_status status = need_plain(ctx, &here, one, o);
        if (status == SGDMFT_OK)
            status = convert_real(ctx, &here, one, o, &out->value[i]);
        if (status != SGDMFT_OK)
            return status;
        if (i > 0 && out->value[i] <= out->value[i - 1])
            return origin_fail(ctx, SGDMFT_ERR_RANGE, &here,
                                "value %s is not above the one before it; needed: numbers "
                                "in ascending order",
                                text_show(one->text).text);
        out->n = i + 1;
    }
    return SGDMFT_OK;
}

/* A number is checked and kept in the form in which it is echoed; anything else is an expression. */
static sgdmft_status convert_rate(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                  problem_text *out)
{
    double value = 0;
    if (node->kind != TREE_SCALAR || number_read(node->text, &value) == NUMBER_NONE)
        return convert_text(ctx, where, node, "a number or an expression", out);
    sgdmft_status status = convert_real(ctx, where, node, o, &value);
    if (status != SGDMFT_OK)
        return status;
    out->where = *where;
    out->text = strdup(number_write(value).text);
    return out->text ? SGDMFT_OK : context_out_of_memory(ctx, where->key, 0);
}

static sgdmft_status convert_node(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                  sgdmft_problem *problem)
{
    void *field = (char *)problem + o->offset;
    switch (o->type) {
    case OPTION_EXPRESSION: return convert_text(ctx, where, node, "an expression", field);
    case OPTION_RATE: return convert_rate(ctx, where, node, o, field);
    case OPTION_EXPRESSIONS: return convert_texts(ctx, where, node, o, field);
    case OPTION_PATH:
        *(field == &problem->model.plugin ? &problem->model.plugin_where : &problem->initial.samples_where) = *where;
        return convert_name(ctx, where, node, "a file name", field);
    case OPTION_NAME: problem->model.callbacks_where = *where; return convert_name(ctx, where, node, "a name", field);
    case OPTION_MATRIX: return convert_matrix(ctx, where, node, o, problem, field);
    case OPTION_REALS: return convert_reals(ctx, where, node, o, field);
    case OPTION_NAMED: return SGDMFT_OK; /* see convert_observables */
    default: break;
    }
    sgdmft_status status = need_plain(ctx, where, node, o);
    if (status != SGDMFT_OK)
        return status;
    switch (o->type) {
    case OPTION_CHOICE: return convert_choice(ctx, where, node, o, field);
    case OPTION_REAL: return convert_real(ctx, where, node, o, field);
    case OPTION_INTEGER: return convert_integer(ctx, where, node, o, field);
    default: return convert_bool(ctx, where, node, o, field);
    }
}

/* Defaults take the way of values, so that the table's text is what they are. */
static sgdmft_status convert_preset(sgdmft_context *ctx, const option *o, sgdmft_problem *problem)
{
    origin where = {"default", 0, 0, o->key};
    char *text = strdup(o->preset);
    if (!text)
        return context_out_of_memory(ctx, o->key, 0);
    tree_node node = {.kind = TREE_SCALAR, .style = TREE_PLAIN, .text = text};
    sgdmft_status status = convert_node(ctx, &where, &node, o, problem);
    free(text);
    return status;
}

sgdmft_status convert_option(sgdmft_context *ctx, const settings *s, option_id id, sgdmft_problem *problem)
{
    const option *o = option_get(id);
    origin where = settings_origin(s, id);
    if (s->value[id].node)
        return convert_node(ctx, &where, s->value[id].node, o, problem);
    if (o->preset)
        return convert_preset(ctx, o, problem);
    if (o->type == OPTION_MATRIX)
        return convert_matrix(ctx, &where, NULL, o, problem, (double **)(void *)((char *)problem + o->offset));
    return SGDMFT_OK;
}

static sgdmft_status convert_observable(sgdmft_context *ctx, const named_setting *given, problem_text *out)
{
    out->name = strdup(given->name);
    if (asprintf(&out->key, "%s.%s", option_get(OPT_OBSERVABLES)->key, given->name) < 0)
        out->key = NULL;
    if (!out->name || !out->key)
        return context_out_of_memory(ctx, "the observables", 0);
    const tree_node *node = given->value.node;
    origin where = {given->value.source, node->line, node->column, out->key};
    return convert_text(ctx, &where, node, "an expression", out);
}

sgdmft_status convert_observables(sgdmft_context *ctx, const settings *s, sgdmft_problem *problem)
{
    problem_texts *all = &problem->observables;
    if (s->n_observables == 0)
        return SGDMFT_OK;
    all->item = calloc(s->n_observables, sizeof *all->item);
    if (!all->item)
        return context_out_of_memory(ctx, "the observables", (double)(s->n_observables * sizeof *all->item));
    all->n = s->n_observables;
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < s->n_observables && status == SGDMFT_OK; i++)
        status = convert_observable(ctx, &s->observable[i], &all->item[i]);
    return status;
}
