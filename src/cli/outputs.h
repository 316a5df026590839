/* The files a run leaves behind: two-time arrays (HDF5) and curves (CSV). */
#ifndef SGDMFT_CLI_OUTPUTS_H
#define SGDMFT_CLI_OUTPUTS_H

#include "cli/arguments.h"
#include "cli/setup.h"
#include "sgdmft/solution.h"

#define OPTION_OUTPUT \
    {"output", 'o', "RUN.h5", 0, "HDF5 file with curves and two-time arrays (default: PROBLEM.h5 here)"}
#define OPTION_CSV {"csv", 0, "CURVES.csv", 0, "CSV file with the curves (default: PROBLEM.csv here)"}

typedef struct outputs {
    char *hdf5, *csv; /* file names */
    char *histograms; /* file name, for solutions that have some */
    char *command;    /* command line to record */
    int force;
    int paired; /* 1: no CSV file unless its HDF5 file could be written */
} outputs;

/* The name of the problem file without directory and without .yaml or .yml; NULL if out of memory, freed by the
   caller. */
char *outputs_stem(const char *path);

/* Names only: `hdf5` and `csv`, or STEM.h5 and STEM.csv in place of NULL. Returns 0 or an exit code. */
int outputs_name(const arguments *args, const char *stem, const char *hdf5, const char *csv, outputs *out);

/* Makes sure that a file can be written later and is not the problem file. Returns 0 or an exit code. */
int outputs_check(const arguments *args, sgdmft_context *ctx, const char *path, int force);

/* Decides on the names and makes sure that both files can be written later: they do not exist (unless --force), their
   directories do, and neither is the problem file. Returns 0 or an exit code after printing what is wrong. */
int outputs_plan(const arguments *args, const setup *s, outputs *out);

/* Writes all files; the later ones also if an earlier one fails, unless they are `paired`. Returns 0 or an exit code. */
int outputs_write(const outputs *o, const setup *s, const sgdmft_solution *solution);

void outputs_free(outputs *o);

#endif
