#include "problem/reference.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/functions.h"
#include "problem/options.h"

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

static const char *preset_in_words(const option *o)
{
    return o->preset ? o->preset : o->preset_words;
}

static int is_text(const option *o)
{
    return o->type == OPTION_EXPRESSION || o->type == OPTION_EXPRESSIONS || o->type == OPTION_PATH ||
           o->type == OPTION_NAME || o->type == OPTION_NAMED;
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
    const char *preset = preset_in_words(o);
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

/* What follows from the accuracy where it is not given: a setting would keep the solver from choosing it. */
static int follows_from_accuracy(option_id id)
{
    return id == OPT_PATHS || id == OPT_REPLICAS || id == OPT_STEPS || id == OPT_TOLERANCE;
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
    /* optional keys without a default are commented out, but predict belongs to the example of the loss */
    int shown = (preset_in_words(o) && !follows_from_accuracy(id)) || o->required || id == OPT_PREDICT;
    fprintf(out, "%s%s%s: %s%s%s\n", indent, shown ? "" : "# ", named ? "margin" : option_leaf(id), quote,
            o->preset ? o->preset : o->example, quote);
    return 1;
}

/* The paragraph on expressions, which lists the functions. The caller frees it; NULL if out of memory. */
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

static int write_reference(FILE *out)
{
    write_comment(out, "", "Problem file of sgdmft: every key with its meaning and [permitted values; unit; default].");
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

/* The manual's page. */

/* Text inside a table cell. */
static void write_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '*' || *text == '_' || *text == '<' || *text == '[' || *text == ']')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static int write_row(FILE *out, option_id id)
{
    const option *o = option_get(id);
    char *allowed = option_allowed(o, 0), *doc = option_doc(o);
    if (!allowed || !doc) {
        free(allowed);
        free(doc);
        return 0;
    }
    fprintf(out, "| `%s%s` | %s | ", o->key, o->type == OPTION_NAMED ? ".NAME" : "", option_type_name(o));
    write_cell(out, allowed);
    free(allowed);
    const char *preset = preset_in_words(o);
    const char *tick = o->preset ? "`" : "";
    fprintf(out, " | %s%s%s | %s | ", tick,
            preset        ? preset
            : o->required ? o->required
                          : "none",
            tick, o->unit ? o->unit : "");
    write_cell(out, doc);
    free(doc);
    fputs(" |\n", out);
    return 1;
}

static const char rules[] =
    "# The problem file\n"
    "\n"
    "<!-- Generated from the tables of options and functions: do not edit. `meson compile -C BUILD update-docs`\n"
    "writes it anew, and a test compares it with the tables. -->\n"
    "\n"
    "A problem file is a short YAML text in UTF-8 with keys at the top level and sections of indented keys. Every key\n"
    "that has a default may be left out. `sgdmft reference` prints a complete file with comments, and\n"
    "`sgdmft check FILE` prints a file with all defaults filled in.\n"
    "\n"
    "- Mistakes are errors that name file, line, column and key: unknown keys (with the nearest valid name), keys "
    "given\n"
    "  twice, values of the wrong type, shape or range.\n"
    "- Numbers are decimal: `2`, `0.5`, `1.0e-8`; integers may have an exponent (`2e4`). Truth values are\n"
    "  `true`, `false`, `yes`, `no`, `on`, `off`.\n"
    "- Expressions are text and best written between double quotes, because YAML itself uses a leading `*`, `&`, `!`,\n"
    "  `|`, `>`, `%`, `@`, the combinations `: ` and ` #`, and commas inside a list.\n"
    "- A matrix is a list of rows, `[[1.0, 0.2], [0.2, 1.0]]`; a 1 x 1 matrix may be a number. k stands for\n"
    "  `model.students`, k\\* for `model.teachers`.\n"
    "- `--set KEY=VALUE` on the command line replaces or adds one setting under its dotted key, for example\n"
    "  `--set numerics.steps=200` or `--set 'initial.q=[[1, 0], [0, 1]]'`. VALUE is YAML; `null` removes a setting of\n"
    "  the file. If a key is set several times, the last value counts.\n"
    "- `penalty` excludes a `lambda` other than 0. `model.plugin` and `model.callbacks` exclude each other and\n"
    "  `model.label`, `model.predict` and `model.loss`.\n"
    "- `initial.teacher` and `initial.student` exclude `initial.q`, `initial.m` and `initial.rho`; `initial.samples`\n"
    "  excludes all five.\n"
    "- YAML anchors, aliases, tags and several documents in one file are refused.\n";

static const char expressions[] =
    "\n"
    "## Expressions\n"
    "\n"
    "| where | variables |\n"
    "|---|---|\n"
    "| `eta` | `t` |\n"
    "| `penalty` | `th1` .. `thk` |\n"
    "| `initial.teacher` | `z1` .. `z16`, `u1` .. `u16` |\n"
    "| `initial.student` | the same and `ths1` .. `thsk*` |\n"
    "| `model.label` | `s1` .. `sk*`, `eps1` .. `eps8` |\n"
    "| `model.predict` | `r1` .. `rk`, `t` |\n"
    "| `model.loss` | `r1` .. `rk`, `f1`, `f2`, ..., `y1`, `y2`, ..., `t` |\n"
    "| `observables` | all variables of the three rows above |\n"
    "\n"
    "Where there is only one of a kind, `s`, `r`, `f` and `y` stand for `s1`, `r1`, `f1` and `y1`; `eps`, `z` and `u`\n"
    "always stand for `eps1`, `z1` and `u1`. The signals `s` and the preactivations `r` are those of one sample, and\n"
    "`eps` is the standard normal noise of its label. `z` (standard normal) and `u` (uniform on (0,1)) are "
    "independent,\n"
    "and the same in all expressions of `initial`: one draw of them gives one coordinate of teachers and students.\n"
    "\n"
    "Operators, from loose to tight: comparisons `< <= > >= == !=` (1 if true, 0 if not), `+ -`, `* /`, sign, `^` (to\n"
    "the right). `if(c, a, b)` is a where c is not 0, else b. `pi` is a constant. Derivatives are exact; at kinks\n"
    "relu'(0) = abs'(0) = 0, sign and comparisons have derivative 0, min and max take the first argument on a tie.\n"
    "gradient-flow refuses a loss whose gradient jumps in r. Functions:\n"
    "\n";

static void write_functions(FILE *out)
{
    fputs("| function | arguments |\n|---|---|\n", out);
    for (expr_op op = 0; op < OP_COUNT; op++) {
        const function_row *f = function_of(op);
        if (f->callable && f->most > f->least)
            fprintf(out, "| `%s` | %d to %d |\n", f->name, f->least, f->most);
        else if (f->callable)
            fprintf(out, "| `%s` | %d |\n", f->name, f->least);
    }
}

static int write_markdown(FILE *out)
{
    fputs(rules, out);
    int section = -1;
    for (option_id id = 0; id < OPTION_COUNT; id++) {
        if (option_section_of(id) != section) {
            section = option_section_of(id);
            const option_section *about = option_get_section(section);
            fprintf(out, "\n## %s\n\n%s\n\n", section ? about->name : "Top level", about->doc);
            fputs("| key | type | allowed | default | unit | meaning |\n|---|---|---|---|---|---|\n", out);
        }
        if (!write_row(out, id))
            return 0;
    }
    fputs(expressions, out);
    write_functions(out);
    fputs("\n## A complete file\n\n`sgdmft reference` prints this file:\n\n```yaml\n", out);
    if (!write_reference(out))
        return 0;
    fputs("```\n", out);
    return 1;
}

static sgdmft_status make_text(sgdmft_context *ctx, int (*write)(FILE *), char **out)
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
    return make_text(ctx, write_reference, out);
}

sgdmft_status reference_markdown(sgdmft_context *ctx, char **out)
{
    return make_text(ctx, write_markdown, out);
}
