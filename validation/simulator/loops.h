/* The inner loops of the simulator, compiled once for each instruction set; chosen when a simulation starts.

   Vectors of the d coordinates are single precision, 64-byte aligned, and padded by zeros to `length`, a multiple of
   SIMULATOR_PAD; vectors that belong together (the k students) follow each other at that distance. Instruction sets round
   differently (fused multiply-add, order of sums), so the last digits of a simulation depend on the processor. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_LOOPS_H
#define SGDMFT_VALIDATION_SIMULATOR_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "core/simd.h"

enum { SIMULATOR_PAD = 32, SIMULATOR_LANES = 16, SIMULATOR_STUDENTS = 8 };

/* SIMULATOR_LANES independent xoshiro128++ generators (Blackman, Vigna: Scrambled linear pseudorandom number
   generators; ACM TOMS 2021) side by side. */
typedef struct word_stream {
    _Alignas(64) uint32_t s[4][SIMULATOR_LANES];
} word_stream;

typedef struct simulator_loops {
    /* One visit and a look at the next, in one pass: theta_a -= coef[a] cur, then r[a] = theta_a . next, a < k.
       `ahead` is fetched into the cache meanwhile. */
    void (*visit)(int k, size_t length, const float *cur, const float *coef, const float *next, const float *ahead,
                  float *theta, float *r);

    /* The same with momentum: velocity_a -= brake velocity_a + shrink theta_a + coef[a] cur, then
       theta_a += velocity_a, then r[a]. */
    void (*coast)(int k, size_t length, const float *cur, const float *coef, float brake, float shrink,
                  const float *next, const float *ahead, float *velocity, float *theta, float *r);

    /* out[i * columns + c] = row_i . vector_c */
    void (*project)(size_t rows, const float *const *row, size_t length, size_t columns, const float *vectors,
                    float *out);

    /* target_a -= sum_i coef[i * k + a] row_i, a < k */
    void (*accumulate)(size_t rows, const float *const *row, size_t length, int k, const float *coef, float *target);

    /* The next groups * SIMULATOR_LANES words. */
    void (*words)(word_stream *stream, size_t groups, uint32_t *out);

    /* Entries of standard deviation sigma. normals: from groups * 2 * SIMULATOR_LANES words as many numbers (Box and
       Muller); uniforms: groups * SIMULATOR_LANES; signs: from groups * SIMULATOR_LANES words 32 times as many. */
    void (*normals)(size_t groups, float sigma, const uint32_t *words, float *out);
    void (*uniforms)(size_t groups, float sigma, const uint32_t *words, float *out);
    void (*signs)(size_t groups, float sigma, const uint32_t *words, float *out);
} simulator_loops;

/* The loops for a supported instruction set. */
const simulator_loops *simulator_loops_for(instruction_set set);

extern const simulator_loops simulator_loops_base;
#ifdef SIMD_X86
extern const simulator_loops simulator_loops_avx2, simulator_loops_avx512;
#endif

#endif
