/* What an earlier run left in the place of a point. */
#ifndef SGDMFT_CLI_SWEEP_RESUME_H
#define SGDMFT_CLI_SWEEP_RESUME_H

#include "cli/outputs.h"
#include "cli/setup.h"
#include "cli/sweep_row.h"

typedef enum sweep_found {
    FOUND_NOTHING,
    FOUND_COMPLETE,   /* both files, of the same effective problem and program version, and the solve had ended */
    FOUND_UNFINISHED, /* of the same problem and version, but interrupted or without its HDF5 file */
    FOUND_OTHER       /* anything else */
} sweep_found;

/* Looks at the files of a point whose problem is s->problem. With FOUND_COMPLETE, `row` is filled from the curves.
   Error: SGDMFT_ERR_MEMORY. */
sgdmft_status sweep_resume(const setup *s, const outputs *files, sweep_row *row, sweep_found *out);

#endif
