/* Sampled paths as rows of a CSV file, in blocks: memory does not grow with the number of paths. */
#ifndef SGDMFT_CLI_SAMPLE_ROWS_H
#define SGDMFT_CLI_SAMPLE_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "sample/coordinates.h"
#include "sample/preactivations.h"

typedef struct sample_plan {
    const coordinate_process *coordinates;       /* NULL: not wanted */
    const preactivation_process *preactivations; /* NULL: not wanted */
    size_t n;                                    /* times */
    const size_t *node;                          /* [n] of the grid */
    const double *t;                             /* [n] */
    int visits;                                  /* 1: rows just before and just after each visit, too */
    uint64_t seed, paths;
} sample_plan;

/* The header line and all rows, in the order of paths. The text does not depend on the number of threads, and that of
   a path not on how many there are. A failed write shows in ferror(to). Errors: 304, 401, 403, 500. */
sgdmft_status sample_write(sgdmft_context *ctx, const sample_plan *plan, FILE *to);

#endif
