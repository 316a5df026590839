#include "cli/outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "columns/solution.h"
#include "io/save.h"
#include "problem/problem.h"
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

static int same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return strcmp(a, b) == 0;
}

int outputs_check(const arguments *args, sgdmft_context *ctx, const char *path, int force)
{
    const char *problem = args->operands[0];
    if (same_file(path, problem))
        return usage_error(args->command, "the problem file '%s' would be overwritten; choose another output", problem);
    sgdmft_status status = save_check(ctx, path, force);
    return status == SGDMFT_OK ? 0 : report_failure(ctx, status);
}

static int check_names(const arguments *args, const setup *s, const outputs *o)
{
    if (same_file(o->hdf5, o->csv))
        return usage_error(args->command, "-o and --csv name the same file '%s'", o->csv);
    int code = outputs_check(args, s->ctx, o->hdf5, o->force);
    if (!code)
        code = outputs_check(args, s->ctx, o->csv, o->force);
    if (!code && args->command == &command_solve && s->problem->output.histograms.n > 0)
        code = outputs_check(args, s->ctx, o->histograms, o->force);
    return code;
}

int outputs_name(const arguments *args, const char *stem, const char *hdf5, const char *csv, outputs *out)
{
    *out = (outputs){.hdf5 = name_file(hdf5, stem, ".h5"),
                     .csv = name_file(csv, stem, ".csv"),
                     .force = arguments_has(args, "force"),
                     .command = arguments_command_line(args)};
    if (out->csv)
        out->histograms = name_histograms(out->csv);
    if (out->hdf5 && out->csv && out->histograms && out->command)
        return 0;
    complain("out of memory");
    return CODE_SYSTEM;
}

int outputs_plan(const arguments *args, const setup *s, outputs *out)
{
    char *stem = outputs_stem(args->operands[0]);
    if (!stem) {
        complain("out of memory");
        return CODE_SYSTEM;
    }
    int code = outputs_name(args, stem, arguments_value(args, "output"), arguments_value(args, "csv"), out);
    free(stem);
    return code ? code : check_names(args, s, out);
}

int outputs_write(const outputs *o, const setup *s, const sgdmft_solution *solution)
{
    sgdmft_status hdf5 = sgdmft_write_hdf5(s->ctx, solution, o->command, o->hdf5, o->force);
    if (hdf5 != SGDMFT_OK) {
        int code = report_failure(s->ctx, hdf5);
        if (o->paired)
            return code;
    }
    sgdmft_status csv = sgdmft_write_csv(s->ctx, solution, o->command, o->csv, o->force);
    if (csv != SGDMFT_OK)
        report_failure(s->ctx, csv);
    sgdmft_status densities = SGDMFT_OK;
    if (solution->histograms)
        densities = sgdmft_write_histograms(s->ctx, solution, o->command, o->histograms, o->force);
    if (densities != SGDMFT_OK)
        report_failure(s->ctx, densities);
    return exit_code_of(hdf5 != SGDMFT_OK ? hdf5 : csv != SGDMFT_OK ? csv : densities);
}

void outputs_free(outputs *o)
{
    free(o->hdf5);
    free(o->csv);
    free(o->histograms);
    free(o->command);
    *o = (outputs){0};
}
