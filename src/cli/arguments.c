#include "cli/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/messages.h"

void arguments_free(arguments *args)
{
    free(args->operands);
    free(args->given);
    free(args->accuracy);
    args->accuracy = NULL;
    args->operands = NULL;
    args->given = NULL;
}

static const option_spec *find_long(const command *cmd, const char *name, size_t length)
{
    for (const option_spec *spec = cmd->options; spec->name; spec++)
        if (strlen(spec->name) == length && strncmp(spec->name, name, length) == 0)
            return spec;
    return NULL;
}

static const option_spec *find_short(const command *cmd, char letter)
{
    for (const option_spec *spec = cmd->options; spec->name; spec++)
        if (spec->letter == letter)
            return spec;
    return NULL;
}

static int unknown_option(const command *cmd, const char *word)
{
    size_t n = 0;
    const char *names[32];
    for (const option_spec *spec = cmd->options; spec->name && n < 32; spec++)
        names[n++] = spec->name;
    char *name = strndup(word + strspn(word, "-"), strcspn(word + strspn(word, "-"), "="));
    const char *nearest = name ? nearest_name(name, names, n) : NULL;
    free(name);
    int length = (int)strcspn(word, "=");
    if (nearest)
        return usage_error(cmd, "unknown option '%.*s'; did you mean '--%s'?", length, word, nearest);
    return usage_error(cmd, "unknown option '%.*s'", length, word);
}

static int add_option(arguments *out, const option_spec *spec, const char *value)
{
    if (spec->value && !spec->repeats && arguments_has(out, spec->name))
        return usage_error(out->command, "option '--%s' is given twice", spec->name);
    out->given[out->n_given].spec = spec;
    out->given[out->n_given++].value = value;
    return 0;
}

/* Parses --name, --name=value or --name value at argv[*at], and moves *at to the last word used. */
static int parse_long(arguments *out, int *at)
{
    const char *word = out->argv[*at] + 2;
    size_t length = strcspn(word, "=");
    const option_spec *spec = find_long(out->command, word, length);
    if (!spec)
        return unknown_option(out->command, out->argv[*at]);
    if (!spec->value) {
        if (word[length] == '=')
            return usage_error(out->command, "option '--%s' takes no value, but '%s' is given", spec->name,
                               word + length + 1);
        return add_option(out, spec, NULL);
    }
    if (word[length] == '=')
        return add_option(out, spec, word + length + 1);
    if (*at + 1 >= out->argc)
        return usage_error(out->command, "option '--%s' needs a value: --%s %s", spec->name, spec->name, spec->value);
    return add_option(out, spec, out->argv[++*at]);
}

/* Parses -x, -xvalue or -x value likewise. */
static int parse_short(arguments *out, int *at)
{
    const char *word = out->argv[*at];
    const option_spec *spec = find_short(out->command, word[1]);
    if (!spec || (!spec->value && word[2] != '\0'))
        return unknown_option(out->command, word);
    if (!spec->value)
        return add_option(out, spec, NULL);
    if (word[2] != '\0')
        return add_option(out, spec, word + 2);
    if (*at + 1 >= out->argc)
        return usage_error(out->command, "option '-%c' needs a value: -%c %s", word[1], word[1], spec->value);
    return add_option(out, spec, out->argv[++*at]);
}

static int check_operands(const arguments *out)
{
    const command *cmd = out->command;
    if (out->n_operands < cmd->operands_min)
        return usage_error(cmd, "%s; usage: sgdmft %s %s",
                           out->n_operands ? "a file name is missing" : "no file name is given", cmd->name,
                           cmd->operands);
    if (out->n_operands > cmd->operands_max)
        return usage_error(cmd, "'%s' is one argument too many; usage: sgdmft %s%s%s", out->operands[cmd->operands_max],
                           cmd->name, cmd->operands[0] ? " " : "", cmd->operands);
    return 0;
}

static int parse_all(arguments *out, int first)
{
    int only_operands = 0, code = 0;
    for (int i = first; i < out->argc && code == 0; i++) {
        const char *word = out->argv[i];
        if (only_operands || word[0] != '-' || word[1] == '\0')
            out->operands[out->n_operands++] = word;
        else if (strcmp(word, "--") == 0)
            only_operands = 1;
        else
            code = word[1] == '-' ? parse_long(out, &i) : parse_short(out, &i);
    }
    return code ? code : check_operands(out);
}

/* 1 if --help or -h stands anywhere before "--". */
static int asks_for_help(int argc, char **argv, int first)
{
    for (int i = first; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

int arguments_parse(const command *cmd, int argc, char **argv, int first, arguments *out)
{
    size_t room = (size_t)argc + 1;
    *out = (arguments){.command = cmd, .argc = argc, .argv = argv};
    out->operands = calloc(room, sizeof *out->operands);
    out->given = calloc(room, sizeof *out->given);
    if (!out->operands || !out->given)
        return report_out_of_memory();
    if (asks_for_help(argc, argv, first))
        return add_option(out, find_long(cmd, "help", 4), NULL);
    int code = parse_all(out, first);
    const char *accuracy = arguments_value(out, "accuracy");
    if (code == 0 && accuracy && asprintf(&out->accuracy, "numerics.accuracy=%s", accuracy) < 0)
        out->accuracy = NULL;
    return code == 0 && accuracy && !out->accuracy ? report_out_of_memory() : code;
}

int arguments_has(const arguments *args, const char *name)
{
    for (size_t i = 0; i < args->n_given; i++)
        if (strcmp(args->given[i].spec->name, name) == 0)
            return 1;
    return 0;
}

size_t arguments_values(const arguments *args, const char *name, const char **values)
{
    size_t n = 0;
    for (size_t i = 0; i < args->n_given; i++)
        if (strcmp(args->given[i].spec->name, name) == 0)
            values[n++] = args->given[i].value;
    return n;
}

size_t arguments_settings(const arguments *args, const char **settings)
{
    size_t n = arguments_values(args, "set", settings);
    if (args->accuracy)
        settings[n++] = args->accuracy;
    return n;
}

const char *arguments_value(const arguments *args, const char *name)
{
    for (size_t i = 0; i < args->n_given; i++)
        if (strcmp(args->given[i].spec->name, name) == 0)
            return args->given[i].value;
    return NULL;
}

int arguments_integer(const arguments *args, const char *name, long low, long high, long *out)
{
    const char *text = arguments_value(args, name);
    if (!text)
        return 0;
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno == ERANGE || value < low || value > high)
        return usage_error(args->command, "--%s: '%s' is not allowed; give a whole number from %ld to %ld", name, text,
                           low, high);
    *out = value;
    return 0;
}

int arguments_number(const arguments *args, const char *name, double low, double high, double *out)
{
    const char *text = arguments_value(args, name);
    if (!text)
        return 0;
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high))
        return usage_error(args->command, "--%s: '%s' is not allowed; give a number from %g to %g", name, text, low,
                           high);
    *out = value;
    return 0;
}

/* Writes one word with the quotes that a shell needs to read it back. */
static void put_word(FILE *to, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,/:@%";
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0') {
        fputs(word, to);
        return;
    }
    fputc('\'', to);
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            fputs("'\\''", to);
        else
            fputc(*c, to);
    fputc('\'', to);
}

char *arguments_command_line(const arguments *args)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs("sgdmft", to);
    for (int i = 1; i < args->argc; i++) {
        fputc(' ', to);
        put_word(to, args->argv[i]);
    }
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
