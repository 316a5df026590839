/* Philox blocks as laid out by this library. Block b of an item is Philox4x32-10 of the counter words
   (b mod 2^32, b / 2^32, item mod 2^32, item / 2^32) under the two halves of the stream's 64-bit key, low half first.
   Draws 2b and 2b + 1 are the upper 52 bits of its word pairs (1,0) and (3,2). Draws reach only blocks below 2^63;
   those above are free for other uses of the same key. */
#ifndef SGDMFT_CORE_PHILOX_H
#define SGDMFT_CORE_PHILOX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <Random123/philox.h>

#include "core/random.h"

typedef struct philox_stream {
    uint64_t key, item;
} philox_stream;

enum { PHILOX_GROUP = 16 }; /* draws in a group: the least that the vector kernels make at once */

philox_stream philox_stream_new(random_key key, uint64_t item);

/* Writes the draws of `groups` * PHILOX_GROUP / 2 consecutive blocks. */
typedef void philox_kernel(philox_stream stream, uint64_t block, size_t groups, double *out);

/* The kernels that this processor can run, fastest first, NULL after the last. All write the same bytes. */
philox_kernel *philox_kernel_ranked(unsigned rank);

static inline philox4x32_ctr_t philox_block(philox_stream stream, uint64_t block)
{
    philox4x32_ctr_t counter = {
        {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream.item, (uint32_t)(stream.item >> 32)}};
    philox4x32_key_t key = {{(uint32_t)stream.key, (uint32_t)(stream.key >> 32)}};
    return philox4x32(counter, key);
}

/* The centre of cell k of 2^52 equal cells of (0,1), for k = the upper 52 bits. Exact: 1 + k 2^-52 less 1 - 2^-53. */
static inline double uniform_from_bits(uint64_t bits)
{
    uint64_t pattern = bits >> 12 | 0x3ff0000000000000u;
    double one_to_two;
    memcpy(&one_to_two, &pattern, sizeof one_to_two);
    return one_to_two - (1.0 - 0x1p-53);
}

#endif
