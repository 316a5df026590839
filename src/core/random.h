/* Random numbers without state: each one is a function of its address, so that any of them can be asked for in any
   order, from any thread, in blocks of any size, and is always the same. A simulation that draws by address gives the
   same results at any number of threads, and two solves that share a key share their noise.

   An address is (seed, replica, purpose), the key, then an item (a path, a sample, a coordinate) and a draw within it:

       random_key key = {.seed = seed, .replica = replica, .purpose = PURPOSE_VISITS};
       random_normals(key, path, step, 1, &z);

   Different addresses give independent numbers. The same address gives the same number to every function below that
   draws: random_normals is the quantile of what random_uniforms returns. Sobol' scrambles never share bits with draws.

   Streams are Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011). */
#ifndef SGDMFT_CORE_RANDOM_H
#define SGDMFT_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_key {
    uint64_t seed;    /* numerics.seed of the problem */
    uint32_t replica; /* independent solves, repetitions */
    uint32_t purpose; /* a small integer that names one use; no two uses in a solve share it */
} random_key;

/* out[j] = uniform in (0,1), draw first + j of `item`: the centres (k + 1/2) 2^-52 of 2^52 equal cells, so that 0 and 1
   never occur and u and 1 - u are equally likely. Costs least for n of a few tens or more. */
void random_uniforms(random_key key, uint64_t item, uint64_t first, size_t n, double *out);

/* out[j] = standard normal, draw first + j of `item`: normal_quantile of the uniform at the same address. */
void random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out);

/* The u-quantile of the standard normal law, for every double u in (0,1): relative error below 1e-15, non-decreasing up
   to rounding (two results may be out of order by no more than that error), and exactly odd: normal_quantile(1 - u) ==
   -normal_quantile(u) where 1 - u is exact. -inf at 0, +inf at 1, NaN outside [0,1]. */
double normal_quantile(double u);

/* z[j] = normal_quantile(u[j]), the same bits as one by one. z == u is allowed, other overlaps are not. */
void normal_quantiles(size_t n, const double *u, double *z);

enum { SOBOL_DIMENSIONS = 256 };
#define SOBOL_POINTS ((uint64_t)1 << 32)

/* Coordinate `dimension` of the Sobol' points first .. first + n - 1, Owen-scrambled, in (0,1). Natural order: for every
   m, each aligned block of 2^m points has exactly one point in each interval of length 2^-m, in every dimension; joint
   equidistribution over dimensions is that of Joe & Kuo's numbers (the first two dimensions are a (0,2)-sequence).

   The scramble is nested uniform: digit k of a point is flipped by a random bit that belongs to its first k - 1 digits.
   Digits 1..32 are scrambled Sobol' digits and 33..52 random ones, so points lie on no lattice. Dimensions are
   scrambled independently of each other, and so are keys: replicas are independent randomisations, and each point by
   itself is uniform.

   `dimension` must be below SOBOL_DIMENSIONS and first + n at most SOBOL_POINTS; otherwise all of out is NaN. */
void sobol_points(random_key key, unsigned dimension, uint64_t first, size_t n, double *out);

/* The unscrambled points, as the 32 binary digits of each (most significant first). Same limits; zeros beyond them. */
void sobol_digits(unsigned dimension, uint64_t first, size_t n, uint32_t *out);

#endif
