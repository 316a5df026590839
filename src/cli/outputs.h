/* The files that a run writes: curves and two-time arrays (HDF5), the curves alone (CSV), and histograms if the
   problem asks for them. */
#ifndef SGDMFT_CLI_OUTPUTS_H
#define SGDMFT_CLI_OUTPUTS_H

#include <stdio.h>

#include "cli/job.h"
#include "sgdmft/solution.h"

/* clang-format off */
#define OPTION_OUTPUT {"output", 'o', "RUN.h5", 0, "HDF5 file to write (default: PROBLEM.h5)"}
#define OPTION_CSV {"csv", 0, "CURVES.csv", 0, "CSV file to write (default: PROBLEM.csv)"}
/* clang-format on */

typedef struct outputs {
    char *hdf5, *csv, *histograms; /* file names; `histograms` is used if the solution has some */
    char *command;                 /* the command line, which every file records */
    int force;                     /* 1: existing files are replaced */
    int paired;                    /* 1: the CSV file is written only if the HDF5 file could be */
} outputs;

/* The name of the problem file without its directory and without .yaml or .yml. The caller frees it; NULL if out of
   memory. */
char *outputs_stem(const char *path);

/* Names the files: `hdf5` and `csv`, or STEM.h5 and STEM.csv in place of NULL. Returns 0 or an exit code;
   outputs_free releases the names in either case. */
int outputs_name(const arguments *args, const char *stem, const char *hdf5, const char *csv, outputs *out);
void outputs_free(outputs *o);

/* Checks that a file can be written later: that it does not exist, unless `force` is 1, that its directory does, and
   that it is not the problem file. Returns 0, or an exit code after printing what is wrong. */
int outputs_check(const job *j, const char *path, int force);

/* Names the files of a run after -o, --csv and the problem file, and checks each of them. */
int outputs_plan(const job *j, int with_histograms, outputs *out);

/* 1 if the solution has histograms. */
int outputs_have_histograms(const sgdmft_solution *solution);

/* Writes all files, the later ones even if an earlier one fails, unless they are `paired`. Returns 0 or an exit
   code. */
int outputs_write(const outputs *o, sgdmft_context *ctx, const sgdmft_solution *solution);

/* Writes a comment line "# KEY: TEXT" of a CSV file, with blanks in place of line breaks. */
void outputs_put_comment(FILE *to, const char *key, const char *text);

#endif
