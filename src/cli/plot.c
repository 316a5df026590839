/* sgdmft plot: a figure of one or several runs, drawn by the Python script that comes with the program. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/save.h"
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/script.h"
#include "cli/setup.h"

#define SCRIPT "sgdmft_plot.py"

static int ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

/* Everything that can be found wrong before Python starts. */
static int check_files(const arguments *args, const char *figure)
{
    if (!figure)
        return usage_error(args->command, "no figure is named: -o FIGURE.svg, .pdf or .png");
    if (!ends_with(figure, ".svg") && !ends_with(figure, ".pdf") && !ends_with(figure, ".png"))
        return usage_error(args->command, "the figure '%s' has no known type; allowed endings: .svg, .pdf, .png",
                           figure);
    for (size_t i = 0; i < args->n_operands; i++)
        if (check_readable(args->operands[i]))
            return CODE_USAGE;
    setup s;
    int code = setup_context(args, &s);
    if (code == 0) {
        sgdmft_status status = save_check(s.ctx, figure, arguments_has(args, "force"));
        code = status == SGDMFT_OK ? 0 : report_failure(s.ctx, status);
    }
    setup_free(&s);
    return code;
}

static int needs_h5py(const arguments *args)
{
    for (size_t i = 0; i < args->n_operands; i++)
        if (!ends_with(args->operands[i], ".csv"))
            return 1;
    return 0;
}

/* PYTHON -B SCRIPT -o FIGURE [--force] -- FILES; -B: nothing is written beside the script. */
static int draw(const arguments *args, const char *python, const char *script, const char *figure)
{
    const char **argv = calloc(args->n_operands + 8, sizeof *argv);
    if (!argv) {
        complain("out of memory");
        return CODE_SYSTEM;
    }
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
    char *script = script_find(SCRIPT);
    if (script)
        code = draw(args, python, script, figure);
    else
        complain("the drawing script " SCRIPT " is not installed with the program");
    code = script ? code : CODE_SYSTEM;
    free(script);
    return code;
}

static const option_spec options[] = {
    {"output", 'o', "FIGURE", 0, "file to draw; its ending chooses SVG, PDF or PNG"}, OPTION_FORCE, OPTION_HELP,
    OPTIONS_END};

const command command_plot = {
    .name = "plot",
    .operands = "RUN.h5|CURVES.csv... -o FIGURE.svg|.pdf|.png",
    .summary = "draw curves with error bands; several files overlay",
    .details = "Draws losses, overlaps, observables and the response R(t,0). Several files share one figure: theory\n"
               "as lines with bands of two standard errors, simulations as points with bars of the same height.\n"
               "The table of a sweep, DIR/sweep.csv, stands for the curves of all its points.\n"
               "Needs Python 3 with Matplotlib, and h5py for HDF5 files; SGDMFT_PYTHON chooses another Python.\n",
    .options = options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = run,
};
