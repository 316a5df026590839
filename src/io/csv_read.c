#include "io/csv_read.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/csv_table.h"
#include "io/provenance.h"

/* Appends a line of the problem to *text, which is owned by the caller. */
static sgdmft_status add_problem_line(sgdmft_context *ctx, const char *line, size_t length, char **text)
{
    size_t before = strlen(*text);
    char *grown = realloc(*text, before + length + 2);
    if (!grown)
        return context_out_of_memory(ctx, "the problem of a run", (double)(before + length));
    memcpy(grown + before, line, length);
    memcpy(grown + before + length, "\n", 2);
    *text = grown;
    return SGDMFT_OK;
}

/* The value of a comment as a fact of that kind; returns 0 if it is not one. `text` is changed and kept by the fact. */
static int parse_fact(fact_kind kind, const char *text, fact *out)
{
    char *end = NULL;
    *out = (fact){.kind = kind, .text = text};
    errno = 0;
    if (kind == FACT_COUNT)
        out->count = strtoull(text, &end, 10);
    else if (kind == FACT_NUMBER)
        out->number = strtod(text, &end);
    return kind == FACT_TEXT || (end != text && *end == '\0' && errno == 0);
}

/* One comment, "key: value". */
static sgdmft_status take_comment(sgdmft_context *ctx, const char *line, size_t length, sgdmft_solution *solution)
{
    static const char problem[] = "problem: ";
    fact_kind kind;
    const char *key;
    if (strncmp(line, problem, sizeof problem - 1) == 0)
        return add_problem_line(ctx, line + sizeof problem - 1, length - (sizeof problem - 1), &solution->problem);
    for (size_t i = 0; (key = provenance_key(i, &kind)); i++) {
        size_t n = strlen(key);
        if (length < n + 2 || strncmp(line, key, n) != 0 || line[n] != ':' || line[n + 1] != ' ')
            continue;
        char *text = strndup(line + n + 2, length - n - 2);
        if (!text)
            return context_out_of_memory(ctx, "the provenance of a run", (double)length);
        fact value;
        sgdmft_status status = parse_fact(kind, text, &value) ? provenance_set(ctx, solution, i, &value) : SGDMFT_OK;
        free(text);
        return status;
    }
    return SGDMFT_OK;
}

/* Numbers of the comments have a decimal point, whatever the caller's locale. */
static sgdmft_status take_comments(sgdmft_context *ctx, const char *comments, sgdmft_solution *solution)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return context_out_of_memory(ctx, "a locale", 0);
    locale_t before = uselocale(plain);
    sgdmft_status status = SGDMFT_OK;
    for (const char *line = comments; *line && !status;) {
        size_t length = strcspn(line, "\n");
        status = take_comment(ctx, line, length, solution);
        line += length + (line[length] == '\n');
    }
    uselocale(before);
    freelocale(plain);
    return status;
}

static size_t count_quantities(const csv_table *table)
{
    size_t n = 0;
    for (size_t c = 0; c < table->n_columns; c++)
        n += (size_t)csv_table_is_quantity(table->columns[c].name);
    return n;
}

static sgdmft_status fill_curve(sgdmft_context *ctx, const csv_table *table, const csv_column *column, size_t index,
                                sgdmft_solution *solution)
{
    size_t bytes = solution->n_times * sizeof(double);
    sgdmft_curve *curve = &solution->curves[index];
    char *se_name = NULL;
    sgdmft_status status = solution_name_curve(ctx, solution, index, column->name);
    if (status)
        return status;
    if (asprintf(&se_name, "%s_se", column->name) < 0)
        return context_out_of_memory(ctx, "a column name", 64.0);
    const double *se = csv_table_values(table, se_name);
    free(se_name);
    memcpy(curve->value, column->value, bytes);
    if (se) {
        memcpy(curve->se, se, bytes);
    } else {
        free(curve->se);
        curve->se = NULL;
    }
    return SGDMFT_OK;
}

static sgdmft_status fill_curves(sgdmft_context *ctx, const csv_table *table, sgdmft_solution *solution)
{
    size_t index = 0;
    sgdmft_status status = SGDMFT_OK;
    memcpy(solution->times, csv_table_values(table, "t"), solution->n_times * sizeof(double));
    for (size_t c = 0; c < table->n_columns && !status; c++)
        if (csv_table_is_quantity(table->columns[c].name))
            status = fill_curve(ctx, table, &table->columns[c], index++, solution);
    return status;
}

static sgdmft_status infer_shape(sgdmft_context *ctx, const csv_table *table, solution_shape *shape)
{
    const char **names = calloc(table->n_columns, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the names of columns", 8.0 * (double)table->n_columns);
    for (size_t c = 0; c < table->n_columns; c++)
        names[c] = table->columns[c].name;
    *shape = (solution_shape){.n_times = table->n_rows};
    columns_infer_shape(table->n_columns, names, &shape->k, &shape->kstar);
    free(names);
    return SGDMFT_OK;
}

static sgdmft_status take_title(sgdmft_context *ctx, const char *comments, sgdmft_solution *solution)
{
    char *title = strndup(comments, strcspn(comments, "\n"));
    if (!title)
        return context_out_of_memory(ctx, "the title of a run", (double)strlen(comments));
    free(solution->title);
    solution->title = title;
    return SGDMFT_OK;
}

/* Takes over the table. */
static sgdmft_status convert(sgdmft_context *ctx, csv_table *table, sgdmft_solution **out)
{
    solution_shape shape;
    sgdmft_status status = infer_shape(ctx, table, &shape);
    if (!status)
        status = solution_new_nameless(ctx, &shape, count_quantities(table), out);
    if (!status)
        status = take_title(ctx, table->comments, *out);
    if (!status)
        status = take_comments(ctx, table->comments, *out);
    if (!status)
        status = fill_curves(ctx, table, *out);
    csv_table_free(table);
    if (status) {
        sgdmft_solution_free(*out);
        *out = NULL;
    }
    return status;
}

sgdmft_status csv_read(sgdmft_context *ctx, const char *path, sgdmft_solution **out)
{
    csv_table *table = NULL;
    *out = NULL;
    sgdmft_status status = csv_table_read(ctx, path, &table);
    return status ? status : convert(ctx, table, out);
}

sgdmft_status csv_read_text(sgdmft_context *ctx, const char *name, const char *text, sgdmft_solution **out)
{
    csv_table *table = NULL;
    *out = NULL;
    sgdmft_status status = csv_table_parse(ctx, name, text, &table);
    return status ? status : convert(ctx, table, out);
}
