#include "problem/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/number.h"
#include "core/origin.h"
#include "core/text.h"

_Static_assert(sizeof(method_kind) == sizeof(unsigned), "choices are stored as unsigned int");
_Static_assert(sizeof(response_choice) == sizeof(unsigned), "choices are stored as unsigned int");
_Static_assert(sizeof(history_choice) == sizeof(unsigned), "choices are stored as unsigned int");
_Static_assert(sizeof(averages_choice) == sizeof(unsigned), "choices are stored as unsigned int");
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
                               "value %s is not above the one before it; needed: numbers in ascending order",
                               text_show(one->text).text);
        out->n = i + 1;
    }
    return SGDMFT_OK;
}

/* Text: expressions, lists of them, paths. On failure, too, the fields hold only what sgdmft_problem_free can free. */

static size_t length_without_trailing_blanks(const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        length--;
    return length;
}

static char *copy_trimmed(const char *text)
{
    return strndup(text, length_without_trailing_blanks(text));
}

static sgdmft_status need_scalar(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *what)
{
    if (node->kind != TREE_SCALAR)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "%s is needed, found %s%s", what, tree_kind_name(node),
                           node->kind == TREE_MAP ? "; text that contains ': ' or starts with { needs double quotes"
                                                  : "");
    if (tree_is_null(node, 1) || node->text[strspn(node->text, " \t\r\n")] == '\0')
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "%s is needed, found nothing", what);
    return SGDMFT_OK;
}

/* YAML reads [max(s1, s2)] as a list of the two items `max(s1` and `s2)`. This message is clearer than that of the
   parser of expressions would be. */
static sgdmft_status check_cut_by_comma(sgdmft_context *ctx, const origin *where, const tree_node *node)
{
    if (!node->in_flow || node->style != TREE_PLAIN)
        return SGDMFT_OK;
    int open = 0, closed_early = 0;
    for (const char *p = node->text; *p; p++) {
        open += (*p == '(') - (*p == ')');
        closed_early |= open < 0;
    }
    if (open == 0 && !closed_early)
        return SGDMFT_OK;
    return origin_fail(ctx, SGDMFT_ERR_SYNTAX, where,
                       "parentheses of '%s' do not match: inside [...] a comma separates items; put expressions that "
                       "contain commas between double quotes",
                       text_show(node->text).text);
}

static sgdmft_status convert_text(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *what,
                                  problem_text *out)
{
    sgdmft_status status = need_scalar(ctx, where, node, what);
    if (status == SGDMFT_OK)
        status = check_cut_by_comma(ctx, where, node);
    if (status != SGDMFT_OK)
        return status;
    out->where = *where;
    out->text = copy_trimmed(node->text);
    return out->text ? SGDMFT_OK : context_out_of_memory(ctx, where->key, (double)strlen(node->text));
}

static sgdmft_status convert_texts(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                   problem_texts *out)
{
    int list = node->kind == TREE_LIST;
    size_t n = list ? node->n : 1;
    if (list && o->max == 1 && n != 1)
        return origin_fail(ctx, SGDMFT_ERR_SHAPE, where, "one expression is needed, found a list of %zu", n);
    if (n < o->min || n > o->max)
        return origin_fail(ctx, SGDMFT_ERR_SHAPE, where, "%zu expressions; allowed: %zu to %zu", n, (size_t)o->min,
                           (size_t)o->max);
    out->item = calloc(n, sizeof *out->item);
    if (!out->item)
        return context_out_of_memory(ctx, where->key, (double)(n * sizeof *out->item));
    for (size_t i = 0; i < n; i++) {
        const tree_node *one = list ? node->item[i] : node;
        origin here = {where->source, one->line, one->column, where->key};
        sgdmft_status status = convert_text(ctx, &here, one, "an expression", &out->item[i]);
        if (status != SGDMFT_OK)
            return status;
        out->n = i + 1;
    }
    return SGDMFT_OK;
}

/* A text that is no expression; `wanted` says in messages what it is. */
static sgdmft_status convert_name(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *wanted,
                                  char **out)
{
    sgdmft_status status = need_scalar(ctx, where, node, wanted);
    if (status != SGDMFT_OK)
        return status;
    *out = copy_trimmed(node->text);
    return *out ? SGDMFT_OK : context_out_of_memory(ctx, where->key, (double)strlen(node->text));
}

/* Matrices: lists of rows. */

/* Products of larger entries would overflow. */
static const double entry_limit = 1e100;
/* Mirrored entries of a symmetric matrix may differ by the rounding of the program that wrote them. */
static const double symmetry_tolerance = 1e-12;

static int side(const sgdmft_problem *problem, option_side s)
{
    return s == SIDE_STUDENTS ? problem->model.students : problem->model.teachers;
}

static const char *side_words(option_side s)
{
    return s == SIDE_STUDENTS ? "model.students" : "model.teachers";
}

static sgdmft_status read_entry(sgdmft_context *ctx, const origin *outer, const tree_node *node, double *out)
{
    origin where = {outer->source, node->line, node->column, outer->key};
    if (node->kind != TREE_SCALAR || node->style != TREE_PLAIN || tree_is_null(node, 1))
        return origin_fail(ctx, SGDMFT_ERR_TYPE, &where, "a number is needed, found %s",
                           tree_is_null(node, 1) ? "nothing" : tree_kind_name(node));
    number_verdict verdict = number_read(node->text, out);
    if (verdict == NUMBER_NOT_FINITE || (verdict == NUMBER_OK && fabs(*out) > entry_limit))
        return origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "entry %s is out of range; allowed: finite, at most 1e100",
                           text_show(node->text).text);
    if (verdict != NUMBER_OK)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, &where, "entry '%s' is not a number", text_show(node->text).text);
    return SGDMFT_OK;
}

/* "a row of 3 numbers" */
typedef struct found_text {
    char text[80];
} found_text;

static found_text counted(const char *holder, size_t n, const char *what)
{
    found_text found;
    snprintf(found.text, sizeof found.text, "%s of %zu %s%s", holder, n, what, n == 1 ? "" : "s");
    return found;
}

static sgdmft_status fail_shape(sgdmft_context *ctx, const origin *where, const option *o, int rows, int columns,
                                const char *found)
{
    const char *wide = rows > 1 ? "[[a, b], [c, d]]" : "[[a, b]]";
    const char *narrow = rows > 1 ? "[[a], [b]]" : "[[a]], or a number";
    return origin_fail(ctx, SGDMFT_ERR_SHAPE, where,
                       "found %s; needed: a %d x %d matrix (%s x %s), a list of rows such as %s", found, rows, columns,
                       side_words(o->rows), side_words(o->columns), columns > 1 ? wide : narrow);
}

static sgdmft_status read_row(sgdmft_context *ctx, const origin *outer, const tree_node *node, const option *o,
                              int rows, int columns, double *out)
{
    origin where = {outer->source, node->line, node->column, outer->key};
    if (node->kind != TREE_LIST)
        return fail_shape(ctx, &where, o, rows, columns, "a single value in place of a row");
    if (node->n != (size_t)columns)
        return fail_shape(ctx, &where, o, rows, columns, counted("a row", node->n, "number").text);
    sgdmft_status status = SGDMFT_OK;
    for (int j = 0; j < columns && status == SGDMFT_OK; j++)
        status = read_entry(ctx, outer, node->item[j], &out[j]);
    return status;
}

static sgdmft_status read_rows(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                               int rows, int columns, double *out)
{
    if (node->kind == TREE_SCALAR && rows == 1 && columns == 1)
        return read_entry(ctx, where, node, out);
    if (node->kind != TREE_LIST)
        return fail_shape(ctx, where, o, rows, columns, tree_is_null(node, 1) ? "nothing" : tree_kind_name(node));
    if (node->n != (size_t)rows)
        return fail_shape(ctx, where, o, rows, columns, counted("a list", node->n, "item").text);
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < rows && status == SGDMFT_OK; i++)
        status = read_row(ctx, where, node->item[i], o, rows, columns, out + (size_t)i * (size_t)columns);
    return status;
}

/* Exactly symmetric afterwards. */
static sgdmft_status symmetrise(sgdmft_context *ctx, const origin *outer, const tree_node *node, int n, double *a)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            double lower = a[i * n + j], upper = a[j * n + i];
            if (fabs(lower - upper) > symmetry_tolerance * fmax(fabs(lower), fabs(upper))) {
                const tree_node *entry = node->item[i]->item[j];
                origin where = {outer->source, entry->line, entry->column, outer->key};
                return origin_fail(ctx, SGDMFT_ERR_RANGE, &where,
                                   "not symmetric: entry (%d,%d) is %s, but entry (%d,%d) is %s; they must be equal",
                                   i + 1, j + 1, number_write(lower).text, j + 1, i + 1, number_write(upper).text);
            }
            a[i * n + j] = a[j * n + i] = lower + (upper - lower) / 2;
        }
    return SGDMFT_OK;
}

static sgdmft_status convert_matrix(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                                    const sgdmft_problem *problem, double **out)
{
    int rows = side(problem, o->rows), columns = side(problem, o->columns);
    *out = calloc((size_t)rows * (size_t)columns, sizeof **out);
    if (!*out)
        return context_out_of_memory(ctx, o->key, (double)rows * columns * sizeof **out);
    if (!node) {
        for (int i = 0; i < rows && o->identity; i++)
            (*out)[i * columns + i] = 1;
        return SGDMFT_OK;
    }
    sgdmft_status status = read_rows(ctx, where, node, o, rows, columns, *out);
    if (status == SGDMFT_OK && o->symmetric && rows > 1)
        status = symmetrise(ctx, where, node, rows, *out);
    return status;
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

/* Defaults are converted like values, so that the text in the table is the only place that has them. */
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
