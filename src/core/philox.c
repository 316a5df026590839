#include "core/philox.h"

#if defined(__x86_64__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define VECTOR_KERNELS
#include <immintrin.h>
#endif
#endif

/* The finaliser of SplitMix64: a bijection that spreads every input bit over the word. */
static uint64_t mix64(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* For one seed, different (replica, purpose) never give the same key; nor do different seeds for one (replica, purpose). */
philox_stream philox_stream_new(random_key key, uint64_t item)
{
    uint64_t use = (uint64_t)key.replica << 32 | key.purpose;
    return (philox_stream){.key = mix64(mix64(key.seed + 0x9e3779b97f4a7c15u) ^ use), .item = item};
}

static void kernel_portable(philox_stream stream, uint64_t block, size_t groups, double *out)
{
    for (size_t i = 0; i < groups * (PHILOX_GROUP / 2); i++) {
        philox4x32_ctr_t words = philox_block(stream, block + i);
        out[2 * i] = uniform_from_bits((uint64_t)words.v[1] << 32 | words.v[0]);
        out[2 * i + 1] = uniform_from_bits((uint64_t)words.v[3] << 32 | words.v[2]);
    }
}

#ifdef VECTOR_KERNELS

/* Vector kernels keep one 32-bit word per 64-bit lane. The multiplier reads the lower half of a lane only, so what a
   product leaves in the upper half does no harm until the words are joined at the end. The compiler makes a full 64-bit
   product of the same loop in plain C, which takes twice as long. */
typedef uint64_t lanes4 __attribute__((vector_size(32)));
typedef uint64_t lanes8 __attribute__((vector_size(64)));
typedef double doubles4 __attribute__((vector_size(32)));
typedef double doubles8 __attribute__((vector_size(64)));

/* uniform_from_bits of every lane; a macro because vectors are not passed to functions alike in all targets. */
#define UNIFORMS(doubles, bits, out)                                                                                   \
    do {                                                                                                               \
        doubles uniforms = (doubles)((bits) >> 12 | 0x3ff0000000000000u) - (1.0 - 0x1p-53);                            \
        memcpy(out, &uniforms, sizeof uniforms);                                                                       \
    } while (0)

__attribute__((target("avx2"))) static void kernel_avx2(philox_stream stream, uint64_t block, size_t groups,
                                                        double *out)
{
    const lanes4 zero = {0}, lane = {0, 1, 2, 3};
    const __m256i m0 = (__m256i)(zero + PHILOX_M4x32_0), m1 = (__m256i)(zero + PHILOX_M4x32_1);
    for (size_t half = 0; half < 2 * groups; half++, block += 4, out += 8) {
        lanes4 x0 = lane + block, x1 = x0 >> 32, x2 = zero + stream.item, x3 = x2 >> 32;
        uint32_t k0 = (uint32_t)stream.key, k1 = (uint32_t)(stream.key >> 32);
        for (unsigned round = 0; round < philox4x32_rounds; round++) {
            lanes4 p0 = (lanes4)_mm256_mul_epu32((__m256i)x0, m0), p1 = (lanes4)_mm256_mul_epu32((__m256i)x2, m1);
            x0 = p1 >> 32 ^ x1 ^ k0;
            x1 = p1;
            x2 = p0 >> 32 ^ x3 ^ k1;
            x3 = p0;
            k0 += PHILOX_W32_0;
            k1 += PHILOX_W32_1;
        }
        lanes4 even = x1 << 32 | (x0 & 0xffffffffu), odd = x3 << 32 | (x2 & 0xffffffffu);
        lanes4 low = __builtin_shufflevector(even, odd, 0, 4, 1, 5);
        lanes4 high = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
        UNIFORMS(doubles4, low, out);
        UNIFORMS(doubles4, high, out + 4);
    }
}

__attribute__((target("avx512f"))) static void kernel_avx512(philox_stream stream, uint64_t block, size_t groups,
                                                             double *out)
{
    const lanes8 zero = {0}, lane = {0, 1, 2, 3, 4, 5, 6, 7};
    const __m512i m0 = (__m512i)(zero + PHILOX_M4x32_0), m1 = (__m512i)(zero + PHILOX_M4x32_1);
    for (size_t group = 0; group < groups; group++, block += 8, out += 16) {
        lanes8 x0 = lane + block, x1 = x0 >> 32, x2 = zero + stream.item, x3 = x2 >> 32;
        uint32_t k0 = (uint32_t)stream.key, k1 = (uint32_t)(stream.key >> 32);
        for (unsigned round = 0; round < philox4x32_rounds; round++) {
            lanes8 p0 = (lanes8)_mm512_mul_epu32((__m512i)x0, m0), p1 = (lanes8)_mm512_mul_epu32((__m512i)x2, m1);
            x0 = p1 >> 32 ^ x1 ^ k0;
            x1 = p1;
            x2 = p0 >> 32 ^ x3 ^ k1;
            x3 = p0;
            k0 += PHILOX_W32_0;
            k1 += PHILOX_W32_1;
        }
        lanes8 even = x1 << 32 | (x0 & 0xffffffffu), odd = x3 << 32 | (x2 & 0xffffffffu);
        lanes8 low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
        lanes8 high = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
        UNIFORMS(doubles8, low, out);
        UNIFORMS(doubles8, high, out + 8);
    }
}

#endif

philox_kernel *philox_kernel_ranked(unsigned rank)
{
#ifdef VECTOR_KERNELS
    if (__builtin_cpu_supports("avx512f") && rank-- == 0)
        return kernel_avx512;
    if (__builtin_cpu_supports("avx2") && rank-- == 0)
        return kernel_avx2;
#endif
    return rank == 0 ? kernel_portable : NULL;
}
