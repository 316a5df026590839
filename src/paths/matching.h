/* Moment matching: makes the empirical mean of the driving normals exactly 0 and their empirical covariance exactly
   the identity, in a fixed order, so that the sampled Gaussian field has exactly the covariance of the kernels. */
#ifndef SGDMFT_MATCHING_H
#define SGDMFT_MATCHING_H

#include <stddef.h>

#include "base/context.h"

/* block[b] holds rows x n[b] numbers, row-major, lanes fastest. Only the leading rows are matched when there are
   fewer than 4 lanes per row in all. Sums run over blocks in order. */
sgdmft_status matching_apply(sgdmft_context *ctx, size_t rows, size_t n_blocks, double *const *block, const size_t *n);

#endif
