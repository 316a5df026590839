#include "problem/reference.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/functions.h"

enum { LINE_WIDTH = 100 };

/* Writes a paragraph as comment lines. */
static void write_comment(FILE *out, const char *indent, const char *text)
{
    size_t room = LINE_WIDTH - strlen(indent) - 2;
    while (*text) {
        size_t length = strlen(text);
        if (length > room) {
            length = room;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = strcspn(text, " ");
        }
        fprintf(out, "%s# %.*s\n", indent, (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

const char *reference_preset(const option *o)
{
    return o->preset ? o->preset : o->preset_words;
}

static int is_text(const option *o)
{
    return o->type == OPTION_EXPRESSION || o->type == OPTION_EXPRESSIONS || o->type == OPTION_PATH || o->type == OPTION_NAME ||
           o->type == OPTION_NAMED;
}

static char *format_text(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

static int write_facts(FILE *out, const char *indent, const option *o)
{
    char *allowed = option_allowed(o, 1);
    if (!allowed)
        return 0;
    const char *preset = reference_preset(o);
    char *line =
        format_text("[%s; %s%s%s%s]", allowed, o->unit ? o->unit : "", o->unit ? "; " : "", preset ? "default: " : "",
                    preset        ? preset
                    : o->required ? o->required
                                  : "no default");
    free(allowed);
    if (!line)
        return 0;
    write_comment(out, indent, line);
    free(line);
    return 1;
}

static int write_option(FILE *out, option_id id, int first_of_section)
{
    const option *o = option_get(id);
    int named = o->type == OPTION_NAMED;
    const char *indent = option_section_of(id) ? "  " : "";
    const char *quote = is_text(o) ? "\"" : "";
    if (!first_of_section)
        fputc('\n', out);
    char *doc = option_doc(o);
    if (!doc)
        return 0;
    write_comment(out, indent, doc);
    free(doc);
    if (!write_facts(out, indent, o))
        return 0;
    /* what is optional and has no default is shown as a comment; predict belongs to the example of the loss */
    int shown = reference_preset(o) || o->required || id == OPT_PREDICT;
    fprintf(out, "%s%s%s: %s%s%s\n", indent, shown ? "" : "# ", named ? "margin" : option_leaf(id), quote,
            o->preset ? o->preset : o->example, quote);
    return 1;
}

/* Says what expressions are made of. */
static char *functions(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fputs("Keys with a default may be left out. Expressions know + - * / ^, parentheses, < <= > >= == !=, pi and", out);
    for (expr_op op = 0; op < OP_COUNT; op++)
        if (function_of(op)->callable)
            fprintf(out, " %s", function_of(op)->name);
    fputs(". Derivatives are exact.", out);
    int failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

int reference_write(FILE *out)
{
    write_comment(out, "", "Problem file of sgdmft: every key, with what it means, [what is allowed; its default].");
    char *expressions = functions();
    if (!expressions)
        return 0;
    write_comment(out, "", expressions);
    free(expressions);
    int section = 0;
    for (option_id id = 0; id < OPTION_COUNT; id++) {
        int opens = option_section_of(id) != section;
        if (opens) {
            section = option_section_of(id);
            fputc('\n', out);
            write_comment(out, "", option_get_section(section)->doc);
            fprintf(out, "%s:\n", option_get_section(section)->name);
        }
        if (!write_option(out, id, opens))
            return 0;
    }
    return 1;
}

sgdmft_status reference_text(sgdmft_context *ctx, int (*write)(FILE *), char **out)
{
    *out = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return context_out_of_memory(ctx, "the reference", 0);
    int complete = write(stream);
    int failed = ferror(stream);
    if (fclose(stream) != 0 || failed || !complete) {
        free(text);
        return context_out_of_memory(ctx, "the reference", (double)size);
    }
    *out = text;
    return SGDMFT_OK;
}

sgdmft_status sgdmft_problem_reference(sgdmft_context *ctx, char **out)
{
    if (out)
        *out = NULL;
    if (!ctx || !out)
        return SGDMFT_ERR_ARGUMENT;
    return reference_text(ctx, reference_write, out);
}
