#include "io/csv_table.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the reader stands. */
typedef struct reader {
    sgdmft_context *ctx;
    csv_table *table;
    locale_t plain; /* a decimal point whatever the caller's locale */
    size_t line;
    size_t capacity; /* rows allocated */
    size_t comments_length;
} reader;

void csv_table_free(csv_table *table)
{
    if (!table)
        return;
    for (size_t c = 0; c < table->n_columns; c++) {
        free(table->columns[c].name);
        free(table->columns[c].value);
    }
    free(table->columns);
    free(table->comments);
    free(table->path);
    free(table);
}

int csv_table_is_quantity(const char *name)
{
    size_t length = strlen(name);
    return strcmp(name, "t") != 0 && !(length > 3 && strcmp(name + length - 3, "_se") == 0);
}

const double *csv_table_values(const csv_table *table, const char *name)
{
    for (size_t c = 0; c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, name) == 0)
            return table->columns[c].value;
    return NULL;
}

static sgdmft_status out_of_memory(reader *r)
{
    return context_out_of_memory(r->ctx, r->table->path, (double)(r->capacity * r->table->n_columns * sizeof(double)));
}

/* Cuts the line end and blanks around the text. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static sgdmft_status take_comment(reader *r, const char *line)
{
    const char *text = line + 1;
    if (*text == ' ')
        text++;
    size_t length = strlen(text);
    char *grown = realloc(r->table->comments, r->comments_length + length + 2);
    if (!grown)
        return out_of_memory(r);
    r->table->comments = grown;
    memcpy(grown + r->comments_length, text, length);
    r->comments_length += length;
    grown[r->comments_length++] = '\n';
    grown[r->comments_length] = '\0';
    return SGDMFT_OK;
}

static size_t count_fields(const char *line)
{
    size_t n = 1;
    for (const char *c = line; *c; c++)
        n += *c == ',';
    return n;
}

static sgdmft_status take_header(reader *r, char *line)
{
    csv_table *table = r->table;
    table->columns = calloc(count_fields(line), sizeof *table->columns);
    if (!table->columns)
        return out_of_memory(r);
    for (char *field = strsep(&line, ","); field; field = strsep(&line, ",")) {
        char *name = trim(field);
        if (name[0] == '\0' || strchr(name, '"') || (!isalpha((unsigned char)name[0]) && name[0] != '_'))
            return context_fail(r->ctx, SGDMFT_ERR_TYPE,
                                "%s:%zu: column %zu of the header is '%s'; expected a plain name, as in \"t,train_loss,"
                                "train_loss_se,...\"",
                                table->path, r->line, table->n_columns + 1, name);
        if (csv_table_values(table, name))
            return context_fail(r->ctx, SGDMFT_ERR_DUPLICATE_KEY, "%s:%zu: column '%s' appears twice in the header",
                                table->path, r->line, name);
        csv_column *column = &table->columns[table->n_columns++];
        column->name = strdup(name);
        column->value = malloc(sizeof *column->value); /* a place, so that csv_values sees the column */
        if (!column->name || !column->value)
            return out_of_memory(r);
    }
    if (!csv_table_values(table, "t"))
        return context_fail(r->ctx, SGDMFT_ERR_MISSING, "%s:%zu: the header has no column 't'", table->path, r->line);
    return SGDMFT_OK;
}

static sgdmft_status make_room(reader *r)
{
    csv_table *table = r->table;
    if (table->n_rows < r->capacity)
        return SGDMFT_OK;
    size_t capacity = r->capacity ? 2 * r->capacity : 64;
    for (size_t c = 0; c < table->n_columns; c++) {
        double *grown = realloc(table->columns[c].value, capacity * sizeof *grown);
        if (!grown)
            return out_of_memory(r);
        table->columns[c].value = grown;
    }
    r->capacity = capacity;
    return SGDMFT_OK;
}

static sgdmft_status take_number(reader *r, csv_column *column, const char *field)
{
    char *end = NULL;
    double value = strtod_l(field, &end, r->plain);
    if (end == field || *end != '\0')
        return context_fail(r->ctx, SGDMFT_ERR_TYPE, "%s:%zu: column '%s': '%s' is not a number", r->table->path,
                            r->line, column->name, field);
    column->value[r->table->n_rows] = value;
    return SGDMFT_OK;
}

static sgdmft_status check_time(reader *r)
{
    const double *t = csv_table_values(r->table, "t");
    size_t last = r->table->n_rows - 1;
    if (!isfinite(t[last]))
        return context_fail(r->ctx, SGDMFT_ERR_RANGE, "%s:%zu: t is %g; it must be finite", r->table->path, r->line,
                            t[last]);
    if (last > 0 && !(t[last] > t[last - 1]))
        return context_fail(r->ctx, SGDMFT_ERR_RANGE, "%s:%zu: t is %.12g after %.12g; times must increase",
                            r->table->path, r->line, t[last], t[last - 1]);
    return SGDMFT_OK;
}

static sgdmft_status take_row(reader *r, char *line)
{
    csv_table *table = r->table;
    size_t n = count_fields(line);
    if (n != table->n_columns)
        return context_fail(r->ctx, SGDMFT_ERR_SHAPE, "%s:%zu: %zu values in this row, but the header has %zu columns",
                            table->path, r->line, n, table->n_columns);
    sgdmft_status status = make_room(r);
    for (size_t c = 0; c < n && status == SGDMFT_OK; c++)
        status = take_number(r, &table->columns[c], trim(strsep(&line, ",")));
    if (status != SGDMFT_OK)
        return status;
    table->n_rows++;
    return check_time(r);
}

static sgdmft_status take_line(reader *r, char *line, size_t length)
{
    r->line++;
    if (memchr(line, '\0', length))
        return context_fail(r->ctx, SGDMFT_ERR_TYPE, "%s:%zu: binary data; expected a curves file (CSV)",
                            r->table->path, r->line);
    char *text = trim(line);
    if (text[0] == '\0')
        return SGDMFT_OK;
    if (text[0] == '#')
        return take_comment(r, text);
    return r->table->columns ? take_row(r, text) : take_header(r, text);
}

static sgdmft_status read_lines(reader *r, FILE *from)
{
    char *line = NULL;
    size_t room = 0;
    sgdmft_status status = SGDMFT_OK;
    for (ssize_t length; status == SGDMFT_OK && (length = getline(&line, &room, from)) >= 0;)
        status = take_line(r, line, (size_t)length);
    int error = feof(from) ? 0 : errno;
    free(line);
    if (status == SGDMFT_OK && error)
        status = context_fail(r->ctx, SGDMFT_ERR_IO, "cannot read '%s': %s", r->table->path, strerror(error));
    if (status == SGDMFT_OK && !r->table->columns)
        status = context_fail(r->ctx, SGDMFT_ERR_MISSING, "%s: no header line; expected \"t,train_loss,...\"",
                              r->table->path);
    if (status == SGDMFT_OK && r->table->n_rows == 0)
        status = context_fail(r->ctx, SGDMFT_ERR_MISSING, "%s: there are no rows below the header", r->table->path);
    return status;
}

static sgdmft_status read_stream(sgdmft_context *ctx, const char *path, FILE *from, csv_table **out)
{
    reader r = {.ctx = ctx, .table = calloc(1, sizeof *r.table), .plain = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (r.table) {
        r.table->path = strdup(path);
        r.table->comments = strdup("");
    }
    sgdmft_status status;
    if (!r.table || !r.table->path || !r.table->comments || !r.plain)
        status = context_out_of_memory(ctx, "a curves file", 4096.0);
    else
        status = read_lines(&r, from);
    if (r.plain)
        freelocale(r.plain);
    if (status == SGDMFT_OK)
        *out = r.table;
    else
        csv_table_free(r.table);
    return status;
}

sgdmft_status csv_table_read(sgdmft_context *ctx, const char *path, csv_table **out)
{
    *out = NULL;
    FILE *from = fopen(path, "re");
    if (!from)
        return context_fail(ctx, SGDMFT_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    sgdmft_status status = read_stream(ctx, path, from, out);
    fclose(from);
    return status;
}

sgdmft_status csv_table_parse(sgdmft_context *ctx, const char *name, const char *text, csv_table **out)
{
    *out = NULL;
    FILE *from = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    if (!from)
        return context_out_of_memory(ctx, "a curves file", (double)strlen(text));
    sgdmft_status status = read_stream(ctx, name, from, out);
    fclose(from);
    return status;
}
