/* Owen-scrambled Sobol' points: quasi-random numbers by address, under the keys of random.h. Their scrambles never
   share bits with the draws of random.h. */
#ifndef SGDMFT_CORE_SOBOL_H
#define SGDMFT_CORE_SOBOL_H

#include "core/random.h"

enum { SOBOL_DIMENSIONS = 256 };
#define SOBOL_POINTS ((uint64_t)1 << 32)

/* Coordinate `dimension` of the Sobol' points first .. first + n - 1, Owen-scrambled, in (0,1). Natural order: for
   every m, each aligned block of 2^m points has exactly one point in each interval of length 2^-m, in every dimension;
   joint equidistribution over dimensions is that of Joe & Kuo's numbers (the first two dimensions are a
   (0,2)-sequence).

   The scramble is nested uniform: digit k of a point is flipped by a random bit that belongs to its first k - 1 digits.
   Digits 1..32 are scrambled Sobol' digits and 33..52 random ones, so points lie on no lattice. Dimensions are
   scrambled independently of each other, and so are keys: replicas are independent randomisations, and each point by
   itself is uniform.

   `dimension` must be below SOBOL_DIMENSIONS and first + n at most SOBOL_POINTS; otherwise all of out is NaN. */
void sobol_points(random_key key, unsigned dimension, uint64_t first, size_t n, double *out);

/* The unscrambled points, as the 32 binary digits of each (most significant first). Same limits; zeros beyond them. */
void sobol_digits(unsigned dimension, uint64_t first, size_t n, uint32_t *out);

#endif
