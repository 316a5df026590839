#include "expr/message.h"

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

int expr_column(const char *text, size_t offset)
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

/* A text of several lines (a YAML block) counts columns within the text: its indentation is not known here. */
static void write_place(FILE *stream, const char *text, size_t offset, const origin *where)
{
    if (where->source)
        fprintf(stream, "%s:", where->source);
    int lines = count_lines(text, offset), column = expr_column(text, offset);
    if (where->line > 0 && lines > 0)
        fprintf(stream, "%d:%d:", where->line + lines, column);
    else if (where->line > 0)
        fprintf(stream, "%d:%d:", where->line, where->column + column - 1);
    if (where->source || where->line > 0)
        fputc(' ', stream);
    if (where->key)
        fprintf(stream, "%s: ", where->key);
    if (where->line <= 0)
        fprintf(stream, "character %d: ", column);
}

sgdmft_status expr_fail_at(sgdmft_context *ctx, sgdmft_status status, const char *text, size_t offset,
                           const origin *where, const char *format, ...)
{
    char *message = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&message, &length);
    if (!stream)
        return context_out_of_memory(ctx, "a message", 0);
    write_place(stream, text, offset, where);
    va_list args;
    va_start(args, format);
    vfprintf(stream, format, args);
    va_end(args);
    if (fclose(stream) == 0 && message)
        status = context_fail(ctx, status, "%s", message);
    else
        status = context_out_of_memory(ctx, "a message", 0);
    free(message);
    return status;
}
