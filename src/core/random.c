/* Philox streams, uniform numbers from them, and the normal quantile that turns these into normals. */
#include "core/random.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <Random123/philox.h>

#if defined(SIMD_X86) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define VECTOR_FILLS
#include <immintrin.h>
#endif
#endif

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* gcc contracts nothing under -std=c11 */
#endif

/* The finaliser of SplitMix64: a bijection that spreads every input bit over the word. */
static uint64_t mix64(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Streams of different (replica, purpose) never have the same key for one seed, nor do those of different seeds for one
   (replica, purpose). */
random_stream random_stream_new(random_key key, uint64_t item)
{
    uint64_t use = (uint64_t)key.replica << 32 | key.purpose;
    return (random_stream){.key = mix64(mix64(key.seed + 0x9e3779b97f4a7c15u) ^ use), .item = item};
}

void random_block(random_stream stream, uint64_t block, uint32_t words[4])
{
    philox4x32_ctr_t counter = {
        {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream.item, (uint32_t)(stream.item >> 32)}};
    philox4x32_key_t key = {{(uint32_t)stream.key, (uint32_t)(stream.key >> 32)}};
    philox4x32_ctr_t out = philox4x32(counter, key);
    for (int w = 0; w < 4; w++)
        words[w] = out.v[w];
}

static void fill_portable(random_stream stream, uint64_t block, size_t groups, double *out)
{
    for (size_t i = 0; i < groups * (RANDOM_GROUP / 2); i++) {
        uint32_t words[4];
        random_block(stream, block + i, words);
        out[2 * i] = uniform_from_bits((uint64_t)words[1] << 32 | words[0]);
        out[2 * i + 1] = uniform_from_bits((uint64_t)words[3] << 32 | words[2]);
    }
}

#ifdef VECTOR_FILLS

/* Vectors keep one 32-bit word per 64-bit lane. The multiplier reads the lower half of a lane only, so what a product
   leaves in the upper half does no harm until the words are joined at the end. The compiler makes a full 64-bit product
   of the same loop in plain C, which takes twice as long. */
typedef uint64_t lanes4 __attribute__((vector_size(32)));
typedef uint64_t lanes8 __attribute__((vector_size(64)));
typedef double doubles4 __attribute__((vector_size(32)));
typedef double doubles8 __attribute__((vector_size(64)));

/* uniform_from_bits of every lane. It is a macro because targets differ in how they pass vectors to functions. */
#define UNIFORMS(doubles, bits, out)                                                                                   \
    do {                                                                                                               \
        doubles uniforms = (doubles)((bits) >> 12 | 0x3ff0000000000000u) - (1.0 - 0x1p-53);                            \
        memcpy(out, &uniforms, sizeof uniforms);                                                                       \
    } while (0)

__attribute__((target("avx2"))) static void fill_avx2(random_stream stream, uint64_t block, size_t groups, double *out)
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

__attribute__((target("avx512f"))) static void fill_avx512(random_stream stream, uint64_t block, size_t groups,
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

void random_fill(instruction_set set, random_stream stream, uint64_t block, size_t groups, double *out)
{
    switch (set) {
#ifdef VECTOR_FILLS
    case SIMD_AVX512: fill_avx512(stream, block, groups, out); break;
    case SIMD_AVX2: fill_avx2(stream, block, groups, out); break;
#endif
    default: fill_portable(stream, block, groups, out); break;
    }
}

/* Draws skip .. skip + n - 1 of the group that starts at `block`. */
static void part_of_group(instruction_set set, random_stream stream, uint64_t block, size_t skip, size_t n, double *out)
{
    _Alignas(64) double group[RANDOM_GROUP];
    random_fill(set, stream, block, 1, group);
    copy_few(n, group + skip, out);
}

void random_uniforms(random_key key, uint64_t item, uint64_t first, size_t n, double *out)
{
    random_stream stream = random_stream_new(key, item);
    instruction_set set = simd_best();
    uint64_t block = first / 2;
    if (n > 0 && first % 2) {
        size_t taken = n < RANDOM_GROUP - 1 ? n : RANDOM_GROUP - 1;
        part_of_group(set, stream, block, 1, taken, out);
        block += RANDOM_GROUP / 2;
        out += taken;
        n -= taken;
    }
    size_t groups = n / RANDOM_GROUP, left = n % RANDOM_GROUP;
    random_fill(set, stream, block, groups, out);
    if (left)
        part_of_group(set, stream, block + groups * (RANDOM_GROUP / 2), 0, left, out + groups * RANDOM_GROUP);
}

/* The normal quantile in three pieces, for the smaller of u and 1 - u, called p below:

       p >= 2^-9            z = (1/2 - p) P(w),  w = -log(4 p (1 - p))       all but 0.4 % of the draws
       exp(-36) <= p < 2^-9 z = N(v) / D(v),     v = sqrt(-log p)
       p < exp(-36)         the same with other coefficients, down to the smallest double

   In the first piece z / (1/2 - p) is a smooth function of w, since 4 p (1 - p) is one minus the square of 1 - 2p: one
   polynomial, no branch, and full relative accuracy at u = 1/2. The coefficients are fits to 50 digits of the quantile:
   P by Chebyshev interpolation (relative error 4e-17), the others by reweighted rational least squares (2e-17).

   The logarithm is our own, and every product and sum is rounded by itself, so that results have the same bits on every
   machine and in every vector width. */
#define CENTRAL_LIMIT 0x1p-9 /* p from which P is used */
#define FAR_LIMIT 5.5        /* v from which the last piece is used */
#define LN2 0x1.62e42fefa39efp-1

static inline double quad(double c0, double c1, double c2, double c3, double y, double y2)
{
    return (c0 + c1 * y) + (c2 + c3 * y) * y2;
}

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* -log x for a positive normal x: x = 2^e m with m in [sqrt(1/2), sqrt 2), log m = 2 atanh((m - 1) / (m + 1)). */
static inline double minus_log(double x)
{
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcdu, one = 0x3ff0000000000000u, field = 0x000fffffffffffffu;
    uint64_t shifted = bits_of(x) - sqrt_half + one; /* takes sqrt(1/2) to 1: the exponent field is now e + 1023 */
    double m = double_of((shifted & field) + sqrt_half);
    double e = double_of(shifted >> 52 | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double s = (m - 1.0) / (m + 1.0), t = s * s;
    double t2 = t * t;
    double a = quad(0.11111717273758953, 0.09060967215607607, 0.08418829985340244, 0.0, t, t2);
    a = a * (t2 * t2) + quad(1.0000000000000002, 0.3333333333327646, 0.20000000030870807, 0.14285708010553835, t, t2);
    return -(e * LN2) - 2.0 * s * a;
}

/* u below 1/2, otherwise 1 - u: neither is rounded. The choice is made by bits because gcc does not vectorise a
   conditional here. */
static inline double smaller_tail(double u)
{
    uint64_t below = 0 - (bits_of(u - 0.5) >> 63);
    return double_of((bits_of(u) & below) | (bits_of(1.0 - u) & ~below));
}

/* -z for CENTRAL_LIMIT <= p <= 1/2. */
static inline double central(double p)
{
    double w = minus_log(4.0 * p * (1.0 - p)), y = w - 2.4375;
    double y2 = y * y, y4 = y2 * y2;
    double a = 6.911512776902686e-18;
    a = a * y4 +
        quad(-1.4699402159506902e-14, 5.434795129969526e-15, -2.024058025875455e-16, -6.948780916885339e-17, y, y2);
    a = a * y4 +
        quad(-8.951353367082799e-11, 1.1550990389015356e-12, 1.7151283618629337e-12, -2.0193497851642958e-13, y, y2);
    a = a * y4 +
        quad(5.5665248682144473e-08, -3.224654960512606e-08, 2.310841399976333e-09, 4.049556188188229e-10, y, y2);
    a = a * y4 +
        quad(0.0006211431638988987, -1.0396679714601774e-05, -1.0251263082582951e-05, 1.3306718112897638e-06, y, y2);
    a = a * y4 + quad(4.202981402172632, 0.6990388279907416, -0.011136389722065106, -0.0036980233549749344, y, y2);
    return (0.5 - p) * a;
}

static double polynomial(const double *coefficients, int degree, double x)
{
    double a = coefficients[degree];
    for (int i = degree - 1; i >= 0; i--)
        a = a * x + coefficients[i];
    return a;
}

/* -z for p < CENTRAL_LIMIT. */
static double tail(double p)
{
    static const double near_top[] = {2.889307899530208,    5.829024789470881,   4.534720799533396,
                                      1.7133587693672347,   0.32556657742598333, 0.028729362646461785,
                                      0.0008808199430763893};
    static const double near_bottom[] = {1.0,
                                         1.4733294610600738,
                                         0.783504800755318,
                                         0.18498407935246858,
                                         0.01876460143617804,
                                         0.0006227506606759471,
                                         8.295661526193997e-10};
    static const double far_top[] = {7.390976407744011,      5.5888916598755936,    1.6908424399826152,
                                     0.2616924023652209,     0.021954927122462928,  0.000971930242257623,
                                     2.0231170658190406e-05, 1.4453725577838806e-07};
    static const double far_bottom[] = {1.0,
                                        0.5583106616419018,
                                        0.11922896346432424,
                                        0.01219470785400493,
                                        0.0006120224835421929,
                                        1.3743726025137984e-05,
                                        1.0220263028487572e-07,
                                        1.3922439410223665e-15};
    if (!(p > 0.0))
        return p == 0.0 ? (double)INFINITY : (double)NAN;
    double v = sqrt(p < DBL_MIN ? minus_log(p * 0x1p60) + 60.0 * LN2 : minus_log(p));
    if (v < FAR_LIMIT)
        return polynomial(near_top, 6, v - 2.5) / polynomial(near_bottom, 6, v - 2.5);
    return polynomial(far_top, 7, v - FAR_LIMIT) / polynomial(far_bottom, 7, v - FAR_LIMIT);
}

double normal_quantile(double u)
{
    double p = smaller_tail(u);
    return copysign(p >= CENTRAL_LIMIT ? central(p) : tail(p), u - 0.5);
}

enum { LANES = 16, GROUPS = 16, CHUNK = LANES * GROUPS };

/* Fills z as if all of u were central and marks the groups of LANES values that are not. The inner loop has a fixed
   length so that compilers use whole vectors. */
VECTOR_CLONES
static void central_groups(size_t groups, const double *restrict u, double *restrict z, uint64_t *restrict has_tail)
{
    for (size_t group = 0; group < groups; group++, u += LANES, z += LANES) {
        uint64_t any = 0;
        for (size_t j = 0; j < LANES; j++) {
            double p = smaller_tail(u[j]);
            any |= bits_of(p - CENTRAL_LIMIT) >> 63;
            z[j] = copysign(central(p), u[j] - 0.5);
        }
        has_tail[group] = any;
    }
}

/* Whole groups, at most GROUPS; z may be u. */
static void quantile_chunk(size_t groups, const double *u, double *z)
{
    double out[CHUNK];
    uint64_t has_tail[GROUPS];
    central_groups(groups, u, out, has_tail);
    for (size_t group = 0; group < groups; group++)
        if (has_tail[group])
            for (size_t j = group * LANES; j < (group + 1) * LANES; j++)
                if (smaller_tail(u[j]) < CENTRAL_LIMIT)
                    out[j] = normal_quantile(u[j]);
    copy_few(groups * LANES, out, z);
}

void normal_quantiles(size_t n, const double *u, double *z)
{
    size_t groups = n / LANES, whole = groups * LANES, left = n - whole;
    for (size_t done = 0; done < groups; done += GROUPS)
        quantile_chunk(groups - done < GROUPS ? groups - done : GROUPS, u + done * LANES, z + done * LANES);
    if (left == 0)
        return;
    double padded[LANES];
    for (size_t j = 0; j < LANES; j++)
        padded[j] = 0.5;
    copy_few(left, u + whole, padded);
    quantile_chunk(1, padded, padded);
    copy_few(left, padded, z + whole);
}

void random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out)
{
    enum { BLOCK = 1024 }; /* stays in the nearest cache between the two passes; even, so blocks start on whole pairs */
    for (size_t done = 0; done < n; done += BLOCK) {
        size_t count = n - done < BLOCK ? n - done : BLOCK;
        random_uniforms(key, item, first + done, count, out + done);
        normal_quantiles(count, out + done, out + done);
    }
}
