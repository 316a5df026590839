/* sgdmft cite: what to cite. */
#include <stdio.h>

#include "cli/command.h"
#include "sgdmft/version.h"

static const char theory[] =
    "The equations:\n"
    "  Z. Fan and L. Wang, High-dimensional learning dynamics of multi-pass Stochastic Gradient Descent in\n"
    "  multi-index models, arXiv:2601.21093 (2026).\n\n";

static const char software[] = "This program:\n"
                               "  sgdmft %s: exact high-dimensional dynamics of multi-pass SGD, version %s.\n\n";

static const char entries[] =
    "@misc{FanWang2026,\n"
    "  author = {Fan, Zhou and Wang, Leda},\n"
    "  title = {High-dimensional learning dynamics of multi-pass {Stochastic Gradient Descent} in multi-index\n"
    "           models},\n"
    "  year = {2026},\n"
    "  eprint = {2601.21093},\n"
    "  archivePrefix = {arXiv},\n"
    "  primaryClass = {stat.ML}\n"
    "}\n\n"
    "@software{sgdmft,\n"
    "  author = {{The sgdmft authors}},\n"
    "  title = {sgdmft: exact high-dimensional dynamics of multi-pass {SGD}},\n"
    "  version = {%s},\n"
    "  year = {2026}\n"
    "}\n\n";

static const char libraries[] =
    "It stands on the GNU Scientific Library, OpenBLAS and LAPACK, SLEEF, HDF5, libyaml and the Philox generator of\n"
    "Random123 (Salmon, Moraes, Dror and Shaw, SC 2011); figures are drawn by Matplotlib (Hunter, 2007).\n";

static int run(const arguments *args)
{
    (void)args;
    fputs(theory, stdout);
    printf(software, sgdmft_version(), sgdmft_version());
    fputs("BibTeX:\n\n", stdout);
    printf(entries, sgdmft_version());
    fputs(libraries, stdout);
    return CODE_DONE;
}

static const option_spec options[] = {OPTION_HELP, OPTIONS_END};

const command command_cite = {
    .name = "cite",
    .operands = "",
    .summary = "print what to cite, plain and as BibTeX",
    .details = "Prints the paper whose equations are solved and this program, plain and as BibTeX entries.\n",
    .options = options,
    .run = run,
};
