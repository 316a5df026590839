/* Reading a solution's HDF5 file back: the two-time arrays and the problem. */
#ifndef SGDMFT_IO_RUN_READ_H
#define SGDMFT_IO_RUN_READ_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/solution.h"

typedef struct run_file {
    char *problem;             /* YAML text */
    char *ended;               /* how the solve ended, "ok" or another word */
    sgdmft_solution *solution; /* k, k*, t, C, R, m, coordinates if any; no curves */
} run_file;

/* *out is owned by the caller. Errors: 202 if this is not a solution's file, 203 if its arrays do not fit together, 205 if
   it has no two-time arrays, 204 if they hold values that are not finite, 500. */
sgdmft_status run_read(sgdmft_context *ctx, const char *path, run_file **out);
void run_free(run_file *run);

#endif
