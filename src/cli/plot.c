/* sgdmft plot: a figure of one or several runs, drawn by a Python script. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "cli/script.h"

static int ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

/* The script checks whether the figure can be written. */
static int check_files(const arguments *args, const char *figure)
{
    if (!figure)
        return usage_error(args->command, "no figure is named; give -o FIGURE.svg, .pdf or .png");
    if (!ends_with(figure, ".svg") && !ends_with(figure, ".pdf") && !ends_with(figure, ".png"))
        return usage_error(args->command, "the file name '%s' of the figure must end in .svg, .pdf or .png", figure);
    for (size_t i = 0; i < args->n_operands; i++)
        if (job_check_readable(args->operands[i]))
            return CODE_USAGE;
    return 0;
}

static int needs_h5py(const arguments *args)
{
    for (size_t i = 0; i < args->n_operands; i++)
        if (!ends_with(args->operands[i], ".csv"))
            return 1;
    return 0;
}

/* Runs PYTHON -B SCRIPT -o FIGURE [--force] -- FILES; with -B Python writes no cache beside the script. */
static int draw(const arguments *args, const char *python, const char *script, const char *figure)
{
    const char **argv = calloc(args->n_operands + 8, sizeof *argv);
    if (!argv)
        return report_out_of_memory();
    size_t n = 0;
    argv[n++] = python;
    argv[n++] = "-B";
    argv[n++] = script;
    argv[n++] = "-o";
    argv[n++] = figure;
    if (arguments_has(args, "force"))
        argv[n++] = "--force";
    argv[n++] = "--";
    memcpy(argv + n, args->operands, args->n_operands * sizeof *argv);
    int code = script_run((char *const *)(uintptr_t)argv);
    free(argv);
    return code;
}

static int run(const arguments *args)
{
    const char *figure = arguments_value(args, "output");
    int code = check_files(args, figure);
    if (code)
        return code;
    const char *python = script_python(needs_h5py(args) ? "matplotlib,numpy,h5py" : "matplotlib,numpy");
    if (!python)
        return CODE_SYSTEM;
    char *script = script_find("sgdmft_plot.py");
    code = script ? draw(args, python, script, figure) : CODE_SYSTEM;
    free(script);
    return code;
}

static const option_spec options[] = {{"output", 'o', "FIGURE", 0, "the figure; its ending chooses SVG, PDF or PNG"},
                                      OPTION_FORCE,
                                      OPTION_HELP,
                                      OPTIONS_END};

const command command_plot = {
    .name = "plot",
    .operands = "RUN.h5|CURVES.csv... -o FIGURE.svg|.pdf|.png",
    .summary = "draw curves with error bands, of one or several files",
    .details =
        "Draws losses, overlaps, observables and the response R(t,0). All files are drawn into one figure: theory\n"
        "as lines with bands of two standard errors, simulations as points with bars of the same height.\n"
        "The table of a sweep, DIR/sweep.csv, stands for the curves of all its points.\n"
        "Needs Python 3 with NumPy and Matplotlib, and h5py for HDF5 files. The environment variable\n"
        "SGDMFT_PYTHON chooses the Python.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = run,
};
