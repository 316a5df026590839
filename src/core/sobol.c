/* Owen-scrambled Sobol' points.

   Point i has the digits XOR_{k: bit k of i} V_k with the direction numbers V_k. V_k has its last digit 1 at place k + 1,
   so the first m digits run through all 2^m values over any aligned block of 2^m points.

   A nested uniform scramble flips digit k + 1 of a point by a random bit that is a function of digits 1..k: one bit for
   each node of a binary tree. Here the tree is cut into layers of four levels. The part of a layer below one node has 15
   nodes, whose bits are 15 bits of a hash of the digits above, keyed by (key, dimension, layer). Eight layers make 32
   digits. As no two points below 2^32 share all of these, the digits after them would be flipped by bits that are used
   once only: they are bits of one more hash, of the whole point. */
#include "core/random.h"

#include <math.h>

#include "core/philox.h"
#include "core/simd.h"
#include "core/sobol_table.h"

enum { DIGITS = 32, BLOCK_BITS = 8, BLOCK = 1 << BLOCK_BITS, LAYERS = 8, LANES = 16 };

/* Philox blocks from here on are never reached by draws. */
#define SCRAMBLE_BLOCKS ((uint64_t)1 << 63)

typedef struct hash_key {
    uint32_t words[4];
} hash_key;

static void direction_numbers(unsigned dimension, uint32_t v[DIGITS])
{
    const sobol_entry *entry = &sobol_table[dimension];
    unsigned s = entry->degree;
    for (unsigned k = 0; k < DIGITS; k++) {
        if (s == 0)
            v[k] = (uint32_t)1 << (DIGITS - 1 - k);
        else if (k < s)
            v[k] = (uint32_t)entry->initial[k] << (DIGITS - 1 - k);
        else {
            v[k] = v[k - s] ^ v[k - s] >> s;
            for (unsigned j = 1; j < s; j++)
                if (entry->inner >> (s - 1 - j) & 1)
                    v[k] ^= v[k - j];
        }
    }
}

/* The digits of the first BLOCK points: each bit of the index doubles what is there. */
static void first_block(const uint32_t v[DIGITS], uint32_t low[BLOCK])
{
    low[0] = 0;
    for (unsigned k = 0; k < BLOCK_BITS; k++)
        for (unsigned j = 0; j < 1u << k; j++)
            low[j + (1u << k)] = low[j] ^ v[k];
}

/* What the index bits above a block add to all of its points. */
static uint32_t block_offset(const uint32_t v[DIGITS], uint64_t block)
{
    uint32_t digits = 0;
    for (unsigned k = BLOCK_BITS; k < DIGITS; k++)
        if (block >> (k - BLOCK_BITS) & 1)
            digits ^= v[k];
    return digits;
}

static int in_range(unsigned dimension, uint64_t first, size_t n)
{
    return dimension < SOBOL_DIMENSIONS && first <= SOBOL_POINTS && n <= SOBOL_POINTS - first;
}

void sobol_digits(unsigned dimension, uint64_t first, size_t n, uint32_t *out)
{
    if (!in_range(dimension, first, n)) {
        for (size_t j = 0; j < n; j++)
            out[j] = 0;
        return;
    }
    uint32_t v[DIGITS], low[BLOCK];
    direction_numbers(dimension, v);
    first_block(v, low);
    for (size_t done = 0; done < n;) {
        uint64_t index = first + done;
        size_t start = index % BLOCK, count = BLOCK - start < n - done ? BLOCK - start : n - done;
        uint32_t offset = block_offset(v, index / BLOCK);
        for (size_t j = 0; j < count; j++)
            out[done + j] = low[start + j] ^ offset;
        done += count;
    }
}

/* A bijection of 32-bit words in which every output bit depends on every bit of x (the three rounds of Wellons' triple32),
   with a key between the rounds. */
static inline uint32_t keyed_hash(uint32_t x, const uint32_t key[4])
{
    x ^= key[0];
    x = (x ^ x >> 17) * 0xed5ad4bbu + key[1];
    x = (x ^ x >> 11) * 0xac4c1b51u + key[2];
    x = (x ^ x >> 15) * 0x31848babu + key[3];
    return x ^ x >> 14;
}

/* Uniforms from whole groups of LANES unscrambled points. */
VECTOR_CLONES
static void scramble(const hash_key keys[LAYERS + 1], size_t groups, const uint32_t *restrict digits,
                     double *restrict out)
{
    for (size_t group = 0; group < groups; group++, digits += LANES, out += LANES) {
        uint32_t scrambled[LANES] = {0};
        for (unsigned layer = 0; layer < LAYERS; layer++) {
            unsigned shift = DIGITS - 4 - 4 * layer;
            for (size_t j = 0; j < LANES; j++) {
                uint32_t prefix = digits[j] >> shift, hash = keyed_hash(prefix >> 4, keys[layer].words);
                /* Leading 1 and the four digits of this layer; without its last 4, 3, 2, 1 digits it numbers the nodes
                   passed: 1, then 2-3, 4-7, 8-15. */
                uint32_t path = (prefix & 15) | 16;
                uint32_t flips = (hash >> (path >> 4) & 1) << 3 | (hash >> (path >> 3) & 1) << 2 |
                                 (hash >> (path >> 2) & 1) << 1 | (hash >> (path >> 1) & 1);
                scrambled[j] = scrambled[j] << 4 | ((prefix & 15) ^ flips);
            }
        }
        for (size_t j = 0; j < LANES; j++) {
            uint32_t beyond = keyed_hash(digits[j], keys[LAYERS].words);
            out[j] = uniform_from_bits((uint64_t)scrambled[j] << 32 | beyond);
        }
    }
}

static void scramble_keys(random_key key, unsigned dimension, hash_key keys[LAYERS + 1])
{
    philox_stream stream = philox_stream_new(key, dimension);
    for (unsigned layer = 0; layer <= LAYERS; layer++) {
        philox4x32_ctr_t words = philox_block(stream, SCRAMBLE_BLOCKS + layer);
        for (int w = 0; w < 4; w++)
            keys[layer].words[w] = words.v[w];
    }
}

void sobol_points(random_key key, unsigned dimension, uint64_t first, size_t n, double *out)
{
    if (!in_range(dimension, first, n)) {
        for (size_t j = 0; j < n; j++)
            out[j] = NAN;
        return;
    }
    hash_key keys[LAYERS + 1];
    uint32_t v[DIGITS], low[BLOCK], digits[BLOCK] = {0};
    double points[BLOCK];
    scramble_keys(key, dimension, keys);
    direction_numbers(dimension, v);
    first_block(v, low);
    for (size_t done = 0; done < n;) {
        uint64_t index = first + done;
        size_t start = index % BLOCK, count = BLOCK - start < n - done ? BLOCK - start : n - done;
        uint32_t offset = block_offset(v, index / BLOCK);
        for (size_t j = 0; j < count; j++)
            digits[j] = low[start + j] ^ offset;
        scramble(keys, (count + LANES - 1) / LANES, digits, points);
        copy_few(count, points, out + done);
        done += count;
    }
}
