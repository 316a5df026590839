/* Sampling a Gaussian vector through the symmetric root of its covariance. A covariance estimated from paths, or one that
   is singular, has eigenvalues that are zero up to errors: negative ones are taken for zero. The symmetric root, unlike a
   triangular factor or one made of eigenvectors, then depends on the covariance continuously, so that paths do not change
   with rounding. */
#ifndef SGDMFT_SAMPLE_GAUSSIAN_ROOT_H
#define SGDMFT_SAMPLE_GAUSSIAN_ROOT_H

#include <stddef.h>

#include "core/context.h"

typedef struct gaussian_root {
    size_t n;
    double *root;    /* [n][n] symmetric */
    double negative; /* sum of the negative eigenvalues relative to the trace, as a number >= 0 */
} gaussian_root;

/* Takes over covariance[n][n], allocated by malloc; its upper triangle is not read. Errors: 402, 500. */
sgdmft_status gaussian_root_new(sgdmft_context *ctx, size_t n, double *covariance, gaussian_root *out);
void gaussian_root_clear(gaussian_root *root);

/* x[n][lanes] = root z[n][lanes]. A lane does not depend on the others, as long as `lanes` is the same. */
void gaussian_root_apply(const gaussian_root *root, size_t lanes, const double *z, double *x);

#endif
