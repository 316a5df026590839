/* Writers: a solution to files. */
#ifndef SGDMFT_OUTPUT_H
#define SGDMFT_OUTPUT_H

#include "context.h"
#include "problem.h"
#include "solution.h"

SGDMFT_BEGIN_DECLS

/* Writes the curves as CSV: "# key: value" lines with the provenance, a header line, one row per output time.
   `command` is the command line to record, or NULL. An existing file is replaced only if `force` is non-zero.
   A failed write leaves no partial file behind. Errors: 501, 502. */
SGDMFT_API sgdmft_status sgdmft_write_csv(sgdmft_context *ctx, const sgdmft_solution *solution,
                                          const sgdmft_problem *problem, const char *command, const char *path,
                                          int force);

/* Writes curves and two-time arrays as HDF5: /t (N), /C and /R (N,N,k,k), /m (N,k,k*), /curves/...; the effective
   problem in the attribute "problem", provenance attributes beside it. Errors: 501, 502. */
SGDMFT_API sgdmft_status sgdmft_write_hdf5(sgdmft_context *ctx, const sgdmft_solution *solution,
                                           const sgdmft_problem *problem, const char *command, const char *path,
                                           int force);

/* Writes the histograms as CSV, after the same comments: columns t, coordinate (1 .. k), left, right, density. The
   solution must have histograms. Errors: 501, 502. */
SGDMFT_API sgdmft_status sgdmft_write_histograms(sgdmft_context *ctx, const sgdmft_solution *solution,
                                                 const sgdmft_problem *problem, const char *command, const char *path,
                                                 int force);

SGDMFT_END_DECLS

#endif
