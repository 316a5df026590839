/* Moment matching: makes the empirical mean of the driving normals exactly 0 and their empirical covariance exactly
   the identity, in a fixed order, so that the sampled Gaussian field has exactly the covariance of the kernels. */
#ifndef SGDMFT_PATHS_MATCHING_H
#define SGDMFT_PATHS_MATCHING_H

#include <stddef.h>

#include "core/context.h"
#include "paths/share.h"

/* block[b] holds rows x n[b] numbers, row-major, lanes fastest. Only the leading rows are matched when there are
   fewer than 4 lanes per row in all. */
sgdmft_status matching_apply(sgdmft_context *ctx, size_t rows, size_t n_blocks, double *const *block, const size_t *n);

/* Together: the same for blocks that are shared out; those of other ranks are not looked at, but n[b] is known of all. */
sgdmft_status matching_apply_shared(sgdmft_context *ctx, const path_share *share, size_t rows, size_t n_blocks,
                                    double *const *block, const size_t *n);

#endif
