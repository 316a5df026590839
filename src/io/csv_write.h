/* A solution as the text of a CSV file. */
#ifndef SGDMFT_IO_CSV_WRITE_H
#define SGDMFT_IO_CSV_WRITE_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/solution.h"

/* Comments with the provenance, then the curves. The text has a decimal point whatever the locale; the caller frees it.
   `command` replaces the recorded command line, if it is not NULL. */
sgdmft_status csv_curves(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command, char **text,
                         size_t *size);

/* Comments with the provenance, then the histograms, which the solution must have. */
sgdmft_status csv_histograms(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command, char **text,
                             size_t *size);

#endif
