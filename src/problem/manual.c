/* The manual's page on the problem file. Its tables come from the table of options and the table of functions. */
#include <stdio.h>
#include <stdlib.h>

#include "expr/functions.h"
#include "problem/reference.h"

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
    const char *preset = reference_preset(o);
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
    "<!-- Generated from the tables of options and functions: do not edit. `meson compile -C BUILD update-docs` writes "
    "it\n"
    "anew, and a test compares. -->\n"
    "\n"
    "A problem file is a short YAML text in UTF-8: keys at the top level, and sections of indented keys. Every key "
    "that\n"
    "has a default may be left out. `sgdmft reference` prints a complete commented file, `sgdmft check FILE` the\n"
    "effective settings.\n"
    "\n"
    "- Anything that cannot be meant is an error which names file, line, column and key: unknown keys (with the "
    "nearest\n"
    "  valid name), keys given twice, values of the wrong type, shape or range.\n"
    "- Numbers are written in decimal: `2`, `0.5`, `1.0e-8`; integers may have an exponent (`2e4`). Truth values are\n"
    "  `true`, `false`, `yes`, `no`, `on`, `off`.\n"
    "- Expressions are text, best put between double quotes: YAML gives a meaning of its own to a leading `*`, `&`, "
    "`!`,\n"
    "  `|`, `>`, `%`, `@`, to `: ` and ` #`, and inside a list to commas.\n"
    "- A matrix is a list of rows, `[[1.0, 0.2], [0.2, 1.0]]`; a number will do if it is 1 x 1. k is "
    "`model.students`,\n"
    "  k\\* is `model.teachers`.\n"
    "- `--set KEY=VALUE` on the command line replaces or adds one setting under its dotted key, for example\n"
    "  `--set numerics.steps=200` or `--set 'initial.q=[[1, 0], [0, 1]]'`. VALUE is read as YAML; `null` takes a "
    "setting\n"
    "  of the file back; of several the last one counts.\n"
    "- `penalty` excludes a `lambda` other than 0. `model.plugin` and `model.callbacks` exclude each other and\n"
    "  `model.label`, `model.predict` and `model.loss`.\n"
    "- `initial.teacher` and `initial.student` exclude `initial.q`, `initial.m` and `initial.rho`; `initial.samples` "
    "excludes\n"
    "  all five.\n"
    "- YAML anchors, aliases, tags and several documents in one file are refused.\n";

static const char expressions[] =
    "\n## Expressions\n"
    "\n"
    "| where | variables |\n"
    "|---|---|\n"
    "| `eta` | `t` |\n"
    "| `penalty` | `th1` .. `thk` |\n"
    "| `initial.teacher` | `z1` .. `z16`, `u1` .. `u16` |\n"
    "| `initial.student` | these and `ths1` .. `thsk*` |\n"
    "| `model.label` | `s1` .. `sk*`, `eps1` .. `eps8` |\n"
    "| `model.predict` | `r1` .. `rk`, `t` |\n"
    "| `model.loss` | `r1` .. `rk`, `f1`, `f2`, ..., `y1`, `y2`, ..., `t` |\n"
    "| `observables` | all of the three rows above |\n"
    "\n"
    "Where there is only one, `s`, `r`, `f` and `y` stand for `s1`, `r1`, `f1` and `y1`; `eps`, `z` and `u` are "
    "`eps1`,\n"
    "`z1` and `u1`. The teacher's pre-activations `s` and the student's `r` are those of one sample, `eps` is standard "
    "normal\n"
    "noise of its label. `z` (standard normal) and `u` (uniform on (0,1)) are independent, and the same in all "
    "expressions of\n"
    "`initial`: one draw of them makes one coordinate of teachers and students.\n"
    "\n"
    "Operators, from loose to tight: comparisons `< <= > >= == !=` (1 if true, 0 if not), `+ -`, `* /`, sign, `^` (to "
    "the\n"
    "right). `if(c, a, b)` is a where c is not 0, else b. `pi` is a constant. Derivatives are exact; at kinks relu'(0) "
    "=\n"
    "abs'(0) = 0, sign and comparisons have derivative 0, min and max take the first argument on a tie. A loss whose\n"
    "gradient jumps in r is refused by gradient-flow. Functions:\n"
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
    fputs("\n## A complete file\n\nWhat `sgdmft reference` prints:\n\n```yaml\n", out);
    if (!reference_write(out))
        return 0;
    fputs("```\n", out);
    return 1;
}

sgdmft_status reference_markdown(sgdmft_context *ctx, char **out)
{
    return reference_text(ctx, write_markdown, out);
}
