#include "cli/outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "sgdmft/io.h"

char *outputs_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    static const char *const endings[] = {".yaml", ".yml"};
    for (size_t i = 0; i < 2; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(name + length - ending, endings[i]) == 0)
            return strndup(name, length - ending);
    }
    return strdup(name);
}

static char *name_file(const char *given, const char *stem, const char *ending)
{
    char *name = NULL;
    if (given)
        return strdup(given);
    return asprintf(&name, "%s%s", stem, ending) < 0 ? NULL : name;
}

/* CURVES_histograms.csv beside CURVES.csv */
static char *name_histograms(const char *csv)
{
    size_t length = strlen(csv);
    char *name = NULL;
    if (length > 4 && strcmp(csv + length - 4, ".csv") == 0)
        length -= 4;
    return asprintf(&name, "%.*s_histograms.csv", (int)length, csv) < 0 ? NULL : name;
}

int outputs_name(const arguments *args, const char *stem, const char *hdf5, const char *csv, outputs *out)
{
    *out = (outputs){.hdf5 = name_file(hdf5, stem, ".h5"),
                     .csv = name_file(csv, stem, ".csv"),
                     .force = arguments_has(args, "force"),
                     .command = arguments_command_line(args)};
    if (out->csv)
        out->histograms = name_histograms(out->csv);
    return out->hdf5 && out->csv && out->histograms && out->command ? 0 : report_out_of_memory();
}

void outputs_free(outputs *o)
{
    free(o->hdf5);
    free(o->csv);
    free(o->histograms);
    free(o->command);
    *o = (outputs){0};
}

static int same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return strcmp(a, b) == 0;
}

int outputs_check(const job *j, const char *path, int force)
{
    const char *problem = j->args->operands[0];
    if (same_file(path, problem))
        return usage_error(j->args->command, "the problem file '%s' would be overwritten; choose another output file",
                           problem);
    return report_status(j->ctx, sgdmft_write_check(j->ctx, path, force), NULL);
}

static int check_all(const job *j, int with_histograms, const outputs *o)
{
    if (same_file(o->hdf5, o->csv))
        return usage_error(j->args->command, "-o and --csv name the same file '%s'", o->csv);
    int code = outputs_check(j, o->hdf5, o->force);
    if (!code)
        code = outputs_check(j, o->csv, o->force);
    if (!code && with_histograms)
        code = outputs_check(j, o->histograms, o->force);
    return code;
}

int outputs_plan(const job *j, int with_histograms, outputs *out)
{
    const arguments *args = j->args;
    char *stem = outputs_stem(args->operands[0]);
    if (!stem)
        return report_out_of_memory();
    int code = outputs_name(args, stem, arguments_value(args, "output"), arguments_value(args, "csv"), out);
    free(stem);
    return code ? code : check_all(j, with_histograms, out);
}

int outputs_have_histograms(const sgdmft_solution *solution)
{
    int rank;
    size_t extent[SGDMFT_RANK_MAX];
    return sgdmft_solution_array(solution, "histograms/density", &rank, extent) != NULL;
}

int outputs_write(const outputs *o, sgdmft_context *ctx, const sgdmft_solution *solution)
{
    int hdf5 = report_status(ctx, sgdmft_write_hdf5(ctx, solution, o->command, o->hdf5, o->force), NULL);
    if (hdf5 && o->paired)
        return hdf5;
    int csv = report_status(ctx, sgdmft_write_csv(ctx, solution, o->command, o->csv, o->force), NULL), histograms = 0;
    if (outputs_have_histograms(solution))
        histograms =
            report_status(ctx, sgdmft_write_histograms(ctx, solution, o->command, o->histograms, o->force), NULL);
    return hdf5 ? hdf5 : csv ? csv : histograms;
}

void outputs_put_comment(FILE *to, const char *key, const char *text)
{
    fprintf(to, "# %s: ", key);
    for (; *text; text++)
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, to);
    fputc('\n', to);
}
