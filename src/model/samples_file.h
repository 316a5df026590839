/* The file initial.samples of a problem: a CSV file with a header th1, .., thk, ths1, .., thsk* in any order, and one
   sample of the coordinates per row. Empty lines and lines that begin with # do not count. */
#ifndef SGDMFT_MODEL_SAMPLES_FILE_H
#define SGDMFT_MODEL_SAMPLES_FILE_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/problem.h"

/* *sample[k + k*][*rows]: theta0, then theta*; owned by the caller (free). Errors: SGDMFT_ERR_IO,
   SGDMFT_ERR_UNKNOWN_KEY, SGDMFT_ERR_DUPLICATE_KEY, SGDMFT_ERR_MISSING, SGDMFT_ERR_SHAPE, SGDMFT_ERR_TYPE,
   SGDMFT_ERR_RANGE, SGDMFT_ERR_MEMORY. */
sgdmft_status samples_file_read(sgdmft_context *ctx, const sgdmft_problem *problem, double **sample, size_t *rows);

#endif
