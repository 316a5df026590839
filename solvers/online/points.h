/* Point sets for averages over independent standard normal variables: tensor products of Gauss-Hermite rules, and
   randomised quasi-Monte Carlo. */
#ifndef SGDMFT_SOLVERS_ONLINE_POINTS_H
#define SGDMFT_SOLVERS_ONLINE_POINTS_H

#include <stddef.h>

#include "core/context.h"
#include "core/random.h"

enum { ONLINE_LANES = 504, ONLINE_DIMS_MAX = 24 };

/* Points lie in blocks of lanes, as model functions want them. */
typedef struct online_points {
    int dims;
    size_t n; /* points */
    size_t n_blocks;
    size_t *lanes;  /* [n_blocks] at most ONLINE_LANES */
    double **block; /* [n_blocks] [dims + 1][lanes]: coordinates, then the weights, whose sum over all blocks is 1 */
} online_points;

/* Number of points of the product of Gauss-Hermite rules with order[d] nodes in coordinate d, where points in the far
   tails, whose weights are below rounding errors, are left out. The count stops at most + 1. */
sgdmft_status online_points_count(sgdmft_context *ctx, int dims, const int *order, size_t most, size_t *out);

/* These points. *out is emptied with online_points_clear; on failure it is empty. */
sgdmft_status online_points_hermite(sgdmft_context *ctx, int dims, const int *order, online_points *out);

/* n scrambled Sobol' points as normal quantiles, matched to mean 0 and covariance 1, of equal weight. */
sgdmft_status online_points_sobol(sgdmft_context *ctx, random_key key, int dims, size_t n, online_points *out);

void online_points_clear(online_points *points);

/* Bytes of n points. */
double online_points_bytes(int dims, size_t n);

#endif
