/* Files: a solution written as CSV and HDF5, and read back. docs/output.md describes both formats. */
#ifndef SGDMFT_IO_H
#define SGDMFT_IO_H

#include "context.h"
#include "problem.h"
#include "solution.h"

SGDMFT_BEGIN_DECLS

/* All writers: `command` is the command line to record; NULL records what the solution knows of it, which is nothing
   unless it was read from a file. An existing file is replaced only if `force` is non-zero. A failed write leaves no
   partial file behind. Errors: SGDMFT_ERR_EXISTS, SGDMFT_ERR_IO, SGDMFT_ERR_MEMORY; SGDMFT_ERR_ARGUMENT if a curve
   has a name that cannot be a column. */

/* Writes the curves as CSV: "# key: value" lines with the provenance and the problem, a header line, one row per output
   time with twelve digits. */
SGDMFT_API sgdmft_status sgdmft_write_csv(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                                          const char *path, int force);

/* Writes all of the solution as HDF5: /t (N), /C and /R (N,N,k,k), /m (N,k,k*), /curves/...; the effective problem
   in the attribute "problem", the provenance in attributes beside it. */
SGDMFT_API sgdmft_status sgdmft_write_hdf5(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                                           const char *path, int force);

/* Writes the histograms as CSV, after the same comments: columns t, coordinate (1 .. k), left, right, density, and
   density_se if densities were sampled. SGDMFT_ERR_ARGUMENT if the solution has no histograms. */
SGDMFT_API sgdmft_status sgdmft_write_histograms(sgdmft_context *ctx, const sgdmft_solution *solution,
                                                 const char *command, const char *path, int force);

/* Checks, before any work is done, that a file can be written later. Fails with SGDMFT_ERR_EXISTS if it exists and
   `force` is 0, and with SGDMFT_ERR_IO if its directory is missing or not writable, if `path` is a directory, or if it
   ends in ".h5" and the HDF5 library cannot be loaded. */
SGDMFT_API sgdmft_status sgdmft_write_check(sgdmft_context *ctx, const char *path, int force);

/* Reads a file that sgdmft_write_hdf5 or sgdmft_write_csv has written; the content tells the two apart. A CSV file
   gives the curves, without step errors, and the provenance; identities and two-time arrays are in HDF5 files alone.
   Other CSV files of curves can be read, too, if they have a column t. The standard errors of a column X are in the
   column X_se; without it, the curve has none.

   *solution is owned by the caller. If `problem` is not NULL, *problem is the problem that the file holds
   (sgdmft_problem_free), ready to be solved again or sampled; if its model was given by call-backs, the file has the
   model's name alone, and sgdmft_problem_set_model must give it again first.

   Errors: SGDMFT_ERR_IO if the file cannot be read; SGDMFT_ERR_TYPE if it is not the file of a solution, or one of
   an older version; SGDMFT_ERR_SHAPE if arrays do not fit together; SGDMFT_ERR_RANGE if they hold values that are
   not finite; SGDMFT_ERR_MISSING if something is not there, as the problem of a file of other origin;
   SGDMFT_ERR_DUPLICATE_KEY; SGDMFT_ERR_MEMORY; and those of sgdmft_problem_parse. */
SGDMFT_API sgdmft_status sgdmft_solution_read(sgdmft_context *ctx, const char *path, sgdmft_problem **problem,
                                              sgdmft_solution **solution);

SGDMFT_END_DECLS

#endif
