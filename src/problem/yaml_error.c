#include "problem/yaml_error.h"

#include <string.h>

#include "core/origin.h"

/* Advice for a part of a message of libyaml. The first match counts. */
typedef struct advice {
    const char *said, *hint;
} advice;

static const char *advice_for(const char *said)
{
    static const advice list[] = {
        {"mapping values are not allowed",
         "check the indentation and the colon of the line before; a value that contains ': ' needs double quotes"},
        {"could not find expected ':'", "every setting is written 'key: value', with a blank after the colon"},
        {"cannot start any token", "put a value that starts with %, @ or ` between double quotes"},
        {"sequence entries are not allowed", "check the indentation of the list"},
        {"unexpected end of stream", "a closing quote is missing"},
        {"unknown escape", "between double quotes write \\\\ for a backslash"},
        {"expected comment or line break", "put a value that starts with | or > between double quotes"},
        {"expected key", "keys of one section must start in the same column"},
        {"expected ',' or ']'", "a list is written [a, b, c]; check that every bracket is closed"},
        {"expected ',' or '}'", "an inline section is written {key: value}; check that every brace is closed"},
        {"expected '-' indicator", "items of one list must start in the same column"},
        {"expected node content", "put a value that starts with a comma or a bracket between double quotes"},
        {"expected alphabetic or numeric", "put an expression that starts with * or & between double quotes"},
        {"UTF-8", "a problem file is plain text in UTF-8"},
        {"control characters", "a problem file is plain text in UTF-8; this looks like something else"},
        {"invalid Unicode character", "a problem file is plain text in UTF-8"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (strstr(said, list[i].said))
            return list[i].hint;
    return "`sgdmft reference` prints a complete problem file";
}

/* 1 if that line has a tab among its leading blanks. */
static int indented_with_tab(const yaml_source *source, int line)
{
    const char *p = source->text, *end = source->text + source->size;
    for (int i = 1; i < line && p < end; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return 0;
        p++;
    }
    for (; p < end && (*p == ' ' || *p == '\t'); p++)
        if (*p == '\t')
            return 1;
    return 0;
}

static origin place(const yaml_source *source, const yaml_mark_t *mark)
{
    origin where = {source->name, (int)mark->line + 1, (int)mark->column + 1, NULL};
    if (mark->line == 0)
        where.column += source->column;
    return where;
}

/* The reader stops at a byte, not at a mark: count lines and characters up to it. */
static sgdmft_status reader_error(sgdmft_context *ctx, const yaml_source *source, const yaml_parser_t *parser)
{
    size_t stop = parser->problem_offset < source->size ? parser->problem_offset : source->size;
    yaml_mark_t mark = {.line = 0, .column = 0};
    for (size_t i = 0; i < stop; i++) {
        unsigned char byte = (unsigned char)source->text[i];
        if (byte == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (byte >> 6 != 0x2) {
            mark.column++;
        }
    }
    origin where = place(source, &mark);
    return origin_fail(ctx, SGDMFT_ERR_YAML, &where, "not readable as text: %s (byte 0x%02X); %s", parser->problem,
                        stop < source->size ? (unsigned)(unsigned char)source->text[stop] : 0u,
                        advice_for(parser->problem));
}

static size_t count_characters(const yaml_source *source)
{
    size_t n = 0;
    for (size_t i = 0; i < source->size; i++)
        n += (unsigned char)source->text[i] >> 6 != 0x2;
    return n;
}

/* 1 if the place where the parser gave up, such as the end of the text, says less than where the construct began. */
static int begins_better(const yaml_source *source, const yaml_parser_t *parser)
{
    return parser->context && (strstr(parser->problem, "could not find expected ':'") ||
                               parser->problem_mark.index >= count_characters(source));
}

sgdmft_status yaml_error(sgdmft_context *ctx, const yaml_source *source, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return context_out_of_memory(ctx, "the problem file", (double)source->size);
    if (parser->error == YAML_READER_ERROR)
        return reader_error(ctx, source, parser);
    const char *said = parser->problem ? parser->problem : "not well-formed";
    int at_start = parser->problem && begins_better(source, parser);
    origin where = place(source, at_start ? &parser->context_mark : &parser->problem_mark);
    const char *hint = advice_for(said);
    if (indented_with_tab(source, where.line))
        hint = "indent with blanks: YAML does not allow tabs there";
    if (!parser->context)
        return origin_fail(ctx, SGDMFT_ERR_YAML, &where, "not well-formed YAML: %s; %s", said, hint);
    return origin_fail(ctx, SGDMFT_ERR_YAML, &where, "not well-formed YAML: %s (%s, begun in line %d); %s", said,
                        parser->context, (int)parser->context_mark.line + 1, hint);
}
