#include "core/origin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int count_lines(const char *text, size_t offset)
{
    int lines = 0;
    for (size_t i = 0; i < offset; i++)
        lines += text[i] == '\n';
    return lines;
}

int origin_column(const char *text, size_t offset)
{
    int column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n')
            column = 1;
        else if (((unsigned char)text[i] & 0xC0) != 0x80) /* not the middle of a UTF-8 character */
            column++;
    }
    return column;
}

/* A value of several lines (a YAML block) counts columns within itself: its indentation is not known here. */
static void write_place(FILE *out, const origin *where, const char *text, size_t offset)
{
    int lines = text ? count_lines(text, offset) : 0, column = text ? origin_column(text, offset) : 1;
    if (where->source)
        fprintf(out, "%s:", where->source);
    if (where->line > 0)
        fprintf(out, "%d:%d:", where->line + lines, lines > 0 ? column : where->column + column - 1);
    if (where->source || where->line > 0)
        fputc(' ', out);
    if (where->key)
        fprintf(out, "%s: ", where->key);
    if (where->line <= 0 && text)
        fprintf(out, "character %d: ", column);
}

static sgdmft_status fail(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *text,
                          size_t offset, const char *format, va_list args)
{
    char *message = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&message, &length);
    if (!out)
        return context_out_of_memory(ctx, "a message", 0);
    write_place(out, where, text, offset);
    vfprintf(out, format, args);
    if (fclose(out) == 0 && message)
        status = context_fail(ctx, status, "%s", message);
    else
        status = context_out_of_memory(ctx, "a message", 0);
    free(message);
    return status;
}

sgdmft_status origin_fail(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = fail(ctx, status, where, NULL, 0, format, args);
    va_end(args);
    return status;
}

sgdmft_status origin_fail_at(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *text,
                             size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = fail(ctx, status, where, text, offset, format, args);
    va_end(args);
    return status;
}
