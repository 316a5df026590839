#include "model/samples_file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/matrix.h"
#include "core/number.h"
#include "core/origin.h"
#include "core/text.h"
#include "problem/problem.h"

/* As for entries of initial.q, squares must not overflow. */
static const double value_limit = 1e100;

typedef struct reader {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    FILE *in;
    char *line;
    size_t room;
    int number; /* of the line, from 1 */
    int k, columns;
    int column_of[2 * MATRIX_MAX]; /* field -> coordinate */
    size_t rows, rows_room;
    double *row; /* [rows][columns] */
} reader;

static sgdmft_status fail(const reader *r, sgdmft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static sgdmft_status fail(const reader *r, sgdmft_status status, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    const char *name = r->problem->initial.samples;
    const char *why = text ? text : sgdmft_status_string(status);
    if (r->number > 0)
        origin_fail(r->ctx, status, &r->problem->initial.samples_where, "%s, line %d: %s", text_show(name).text,
                    r->number, why);
    else
        origin_fail(r->ctx, status, &r->problem->initial.samples_where, "%s: %s", text_show(name).text, why);
    free(text);
    return status;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* The next line that is neither empty nor a comment; NULL at the end. */
static char *next_line(reader *r)
{
    while (getline(&r->line, &r->room, r->in) >= 0) {
        r->number++;
        char *text = r->line;
        if (r->number == 1 && strncmp(text, "\xEF\xBB\xBF", 3) == 0) /* a byte order mark */
            text += 3;
        text = trim(text);
        if (text[0] != '\0' && text[0] != '#')
            return text;
    }
    return NULL;
}

/* Cuts the next field off *rest; NULL if there is none. */
static char *next_field(char **rest)
{
    if (!*rest)
        return NULL;
    char *field = *rest, *comma = strchr(field, ',');
    *rest = comma ? comma + 1 : NULL;
    if (comma)
        *comma = '\0';
    return trim(field);
}

static void write_name(char name[16], int k, int coordinate)
{
    if (coordinate < k)
        snprintf(name, 16, "th%d", coordinate + 1);
    else
        snprintf(name, 16, "ths%d", coordinate - k + 1);
}

/* The coordinate of that name, or -1. The number may be left out where there is only one. */
static int find_coordinate(const reader *r, const char *field)
{
    int kstar = r->columns - r->k;
    for (int c = 0; c < r->columns; c++) {
        char name[16];
        write_name(name, r->k, c);
        if (strcmp(name, field) == 0)
            return c;
    }
    if (r->k == 1 && strcmp(field, "th") == 0)
        return 0;
    return kstar == 1 && strcmp(field, "ths") == 0 ? r->k : -1;
}

static sgdmft_status fail_column(const reader *r, const char *field)
{
    char last[16], first[16];
    write_name(first, r->k, r->k - 1);
    write_name(last, r->k, r->columns - 1);
    return fail(r, SGDMFT_ERR_UNKNOWN_KEY, "unknown column '%s'; allowed: th1 to %s and ths1 to %s",
                text_show(field).text, first, last);
}

static sgdmft_status read_header(reader *r)
{
    int seen[2 * MATRIX_MAX] = {0}, fields = 0;
    char *rest = next_line(r), *field;
    if (!rest)
        return fail(r, SGDMFT_ERR_MISSING, "the file is empty; needed: a header line and rows of numbers");
    while ((field = next_field(&rest))) {
        int c = find_coordinate(r, field);
        if (c < 0)
            return fail_column(r, field);
        if (seen[c]++)
            return fail(r, SGDMFT_ERR_DUPLICATE_KEY, "the header has column '%s' twice", field);
        r->column_of[fields++] = c;
    }
    for (int c = 0; c < r->columns; c++)
        if (!seen[c]) {
            char name[16];
            write_name(name, r->k, c);
            return fail(r, SGDMFT_ERR_MISSING, "the header has no column '%s'", name);
        }
    return SGDMFT_OK;
}

static sgdmft_status make_room(reader *r)
{
    if (r->rows < r->rows_room)
        return SGDMFT_OK;
    size_t room = r->rows_room ? 2 * r->rows_room : 1024;
    double *grown = realloc(r->row, room * (size_t)r->columns * sizeof *grown);
    if (!grown)
        return context_out_of_memory(r->ctx, "the samples of the coordinates", (double)room * r->columns * 8);
    r->row = grown;
    r->rows_room = room;
    return SGDMFT_OK;
}

static sgdmft_status read_value(reader *r, const char *field, double *out)
{
    number_verdict verdict = number_read(field, out);
    if (verdict == NUMBER_NOT_FINITE || (verdict == NUMBER_OK && fabs(*out) > value_limit))
        return fail(r, SGDMFT_ERR_RANGE, "%s is out of range; allowed: finite, at most 1e100", text_show(field).text);
    if (verdict != NUMBER_OK)
        return fail(r, SGDMFT_ERR_TYPE, "'%s' is not a number", text_show(field).text);
    return SGDMFT_OK;
}

static sgdmft_status read_row(reader *r, char *rest)
{
    sgdmft_status status = make_room(r);
    char *field;
    int fields = 0;
    while (!status && (field = next_field(&rest))) {
        if (fields < r->columns)
            status = read_value(r, field, &r->row[r->rows * (size_t)r->columns + (size_t)r->column_of[fields]]);
        fields++;
    }
    if (!status && fields != r->columns)
        return fail(r, SGDMFT_ERR_SHAPE, "%d value%s, but the header has %d column%s", fields, fields == 1 ? "" : "s",
                    r->columns, r->columns == 1 ? "" : "s");
    r->rows++;
    return status;
}

static sgdmft_status read_rows(reader *r)
{
    sgdmft_status status = SGDMFT_OK;
    char *line;
    while (!status && (line = next_line(r)))
        status = read_row(r, line);
    if (status)
        return status;
    if (ferror(r->in))
        return fail(r, SGDMFT_ERR_IO, "cannot be read: %s", strerror(errno));
    return r->rows > 0 ? SGDMFT_OK : fail(r, SGDMFT_ERR_MISSING, "no rows after the header");
}

static sgdmft_status open_file(reader *r)
{
    struct stat about;
    r->in = fopen(r->problem->initial.samples, "rb");
    if (!r->in)
        return fail(r, SGDMFT_ERR_IO, "cannot be read: %s", strerror(errno));
    if (fstat(fileno(r->in), &about) == 0 && S_ISDIR(about.st_mode))
        return fail(r, SGDMFT_ERR_IO, "cannot be read: it is a directory");
    return SGDMFT_OK;
}

static sgdmft_status transpose(const reader *r, double **sample)
{
    *sample = calloc(r->rows * (size_t)r->columns, sizeof **sample);
    if (!*sample)
        return context_out_of_memory(r->ctx, "the samples of the coordinates", (double)r->rows * r->columns * 8);
    for (size_t i = 0; i < r->rows; i++)
        for (int c = 0; c < r->columns; c++)
            (*sample)[(size_t)c * r->rows + i] = r->row[i * (size_t)r->columns + (size_t)c];
    return SGDMFT_OK;
}

sgdmft_status samples_file_read(sgdmft_context *ctx, const sgdmft_problem *problem, double **sample, size_t *rows)
{
    int k = problem->model.students;
    reader r = {.ctx = ctx, .problem = problem, .k = k, .columns = k + problem->model.teachers};
    sgdmft_status status = open_file(&r);
    if (!status)
        status = read_header(&r);
    if (!status)
        status = read_rows(&r);
    if (!status)
        status = transpose(&r, sample);
    if (r.in)
        fclose(r.in);
    free(r.line);
    free(r.row);
    *rows = r.rows;
    return status;
}
