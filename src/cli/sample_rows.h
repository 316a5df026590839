/* Sampled paths as rows of a CSV file, in blocks: memory does not grow with the number of paths. */
#ifndef SGDMFT_CLI_SAMPLE_ROWS_H
#define SGDMFT_CLI_SAMPLE_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "cli/progress.h"
#include "sgdmft/sample.h"

typedef struct sample_plan {
    const sgdmft_sampler *sampler;
    int visits; /* 1: with rows just before and just after each visit */
    uint64_t seed, paths;
    int threads;
    progress *meter;
} sample_plan;

/* Writes the header line and all rows, in the order of paths. The text does not depend on the number of threads, and that
   of a path not on the number of paths. A failed write shows in ferror(to). Reports other failures, and returns an exit
   code. */
int sample_write(const sample_plan *plan, FILE *to);

#endif
