/* Point sets for averages over independent standard normal variables: tensor products of Gauss-Hermite rules, and
   randomised quasi-Monte Carlo. Points lie in blocks of lanes as model functions want them. */
#ifndef SGDMFT_NUMERICS_GAUSS_H
#define SGDMFT_NUMERICS_GAUSS_H

#include <stddef.h>

#include "core/context.h"
#include "core/random.h"

enum { GAUSS_LANES = 504, GAUSS_ORDER_MAX = 512, GAUSS_DIMS_MAX = 24 };

typedef struct gauss_points {
    int dims;
    size_t n; /* points */
    size_t n_blocks;
    size_t *lanes; /* [n_blocks] at most GAUSS_LANES */
    double *
        *block; /* [n_blocks] rows of lanes: coordinate 0 .. dims - 1, then the weights, whose sum over blocks is 1 */
} gauss_points;

/* The Gauss-Hermite rule for the standard normal law: E f(z) = sum weight f(node), exact for polynomials of degree
   below 2 order. Nodes ascend and are exactly symmetric. 1 <= order <= GAUSS_ORDER_MAX. Returns 0, or -1 if the
   eigenvalue solver fails. */
int gauss_hermite(int order, double *node, double *weight);

/* Product of Gauss-Hermite rules, order[d] nodes in coordinate d, without the points in the far tails, whose weights
   do not reach rounding errors. The count stops at most + 1. */
sgdmft_status gauss_tensor_count(sgdmft_context *ctx, int dims, const int *order, size_t most, size_t *out);
sgdmft_status gauss_tensor_new(sgdmft_context *ctx, int dims, const int *order, gauss_points *out);

/* n scrambled Sobol' points as normal quantiles, matched to mean 0 and covariance 1. */
sgdmft_status gauss_sobol_new(sgdmft_context *ctx, random_key key, int dims, size_t n, gauss_points *out);

void gauss_points_clear(gauss_points *points);

/* Bytes of n points. */
double gauss_points_bytes(int dims, size_t n);

#endif
