/* Random numbers without state. Each number is a function of its address: it can be drawn in any order, from any
   thread, in blocks of any size, and is always the same. Hence results do not depend on the number of threads, and two
   solves that share a key share their noise.

   An address is (seed, replica, purpose), the key, then an item (a path, a sample, a coordinate) and a draw within it:

       random_key key = {.seed = seed, .replica = replica, .purpose = PURPOSE_VISITS};
       random_normals(key, path, step, 1, &z);

   Different addresses give independent numbers. Draws of both kinds share addresses: random_normals is the normal
   quantile of random_uniforms at the same address. Scrambles of Sobol' points (sobol.h) never share bits with draws.

   Streams are Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011). */
#ifndef SGDMFT_CORE_RANDOM_H
#define SGDMFT_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/simd.h"

typedef struct random_key {
    uint64_t seed;    /* numerics.seed of the problem */
    uint32_t replica; /* independent solves, repetitions */
    uint32_t purpose; /* a small integer for one use of random numbers; no two uses in a solve share it */
} random_key;

/* out[j] = uniform in (0,1), draw first + j of `item`: the centres (k + 1/2) 2^-52 of 2^52 equal cells, so that 0 and 1
   never occur and u and 1 - u are equally likely. The cost per number is lowest for n of a few tens or more. */
void random_uniforms(random_key key, uint64_t item, uint64_t first, size_t n, double *out);

/* out[j] = standard normal, draw first + j of `item`: normal_quantile of the uniform at the same address. */
void random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out);

/* The u-quantile of the standard normal law, for every double u in (0,1): relative error below 1e-15, non-decreasing up
   to rounding (two results may be out of order by no more than that error), and exactly odd: normal_quantile(1 - u) ==
   -normal_quantile(u) where 1 - u is exact. -inf at 0, +inf at 1, NaN outside [0,1]. */
double normal_quantile(double u);

/* z[j] = normal_quantile(u[j]), the same bits as one by one. z == u is allowed, other overlaps are not. */
void normal_quantiles(size_t n, const double *u, double *z);

/* The bits from which draws are made. Block b of an item is Philox4x32-10 of the counter words (b mod 2^32, b / 2^32,
   item mod 2^32, item / 2^32) under the two halves of the stream's 64-bit key, low half first. Draws 2b and 2b + 1 are
   the upper 52 bits of its word pairs (1, 0) and (3, 2). Draws reach only blocks below 2^63; those above are free for
   other uses of the same key. */
typedef struct random_stream {
    uint64_t key, item;
} random_stream;

random_stream random_stream_new(random_key key, uint64_t item);
void random_block(random_stream stream, uint64_t block, uint32_t words[4]);

enum { RANDOM_GROUP = 16 }; /* draws in a group: the smallest number that the widest vectors make at once */

/* The draws of `groups` * RANDOM_GROUP / 2 consecutive blocks, by the code for a supported instruction set. All sets
   give the same bytes. */
void random_fill(instruction_set set, random_stream stream, uint64_t block, size_t groups, double *out);

/* The centre of cell k of 2^52 equal cells of (0,1), where k is the number in the upper 52 bits. Nothing is rounded: it
   is (1 + k 2^-52) - (1 - 2^-53). */
static inline double uniform_from_bits(uint64_t bits)
{
    uint64_t pattern = bits >> 12 | 0x3ff0000000000000u;
    double one_to_two;
    memcpy(&one_to_two, &pattern, sizeof one_to_two);
    return one_to_two - (1.0 - 0x1p-53);
}

#endif
