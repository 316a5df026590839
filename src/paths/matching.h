/* Moment matching: transforms the sampled normals so that their empirical mean is exactly 0 and their empirical
   covariance exactly the identity. The field made from them then has exactly the covariance of the kernels. */
#ifndef SGDMFT_PATHS_MATCHING_H
#define SGDMFT_PATHS_MATCHING_H

#include <stddef.h>

#include "core/context.h"
#include "paths/share.h"

/* block[b] holds [rows][n[b]] numbers. With fewer than 4 lanes per row in all, only as many leading rows are matched as
   there are lanes for. SGDMFT_ERR_NON_FINITE if the empirical covariance is singular. */
sgdmft_status matching_apply(sgdmft_context *ctx, size_t rows, size_t n_blocks, double *const *block, const size_t *n);

/* The same for the blocks of a group of ranks: those of other ranks are not read, but n[b] is given for all. Collective
   call: every rank of the share makes it. */
sgdmft_status matching_apply_shared(sgdmft_context *ctx, const path_share *share, size_t rows, size_t n_blocks,
                                    double *const *block, const size_t *n);

#endif
