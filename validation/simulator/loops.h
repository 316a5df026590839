/* The inner loops of the simulator, one set per instruction set; chosen when a simulation starts.

   Vectors of the d coordinates are single precision, 64-byte aligned, and padded by zeros to `length`, a multiple of
   SIMULATOR_PAD; vectors that belong together (the k students) follow each other at that distance. Sets round
   differently (fused multiply-add, order of sums), so the last digits of a simulation depend on the processor. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_LOOPS_H
#define SGDMFT_VALIDATION_SIMULATOR_LOOPS_H

#include <stddef.h>
#include <stdint.h>

enum { SIMULATOR_PAD = 32, SIMULATOR_LANES = 16, SIMULATOR_STUDENTS = 8 };

/* SIMULATOR_LANES independent xoshiro128++ generators (Blackman, Vigna: Scrambled linear pseudorandom number
   generators; ACM TOMS 2021) side by side. */
typedef struct word_stream {
    _Alignas(64) uint32_t s[4][SIMULATOR_LANES];
} word_stream;

typedef struct simulator_kernels {
    const char *name;
    int (*supported)(void);

    /* One visit and a look at the next, in one pass: theta_a -= coef[a] cur, then r[a] = theta_a . next, a < k.
       `ahead` is brought nearer meanwhile. */
    void (*visit)(int k, size_t length, const float *cur, const float *coef, const float *next, const float *ahead,
                  float *theta, float *r);

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
} simulator_kernels;

extern const simulator_kernels simulator_kernels_base;
#if defined(__x86_64__)
extern const simulator_kernels simulator_kernels_avx2;
extern const simulator_kernels simulator_kernels_avx512;
#endif

/* Set number `i` from best to worst, or NULL past the end; the last one is always supported. */
const simulator_kernels *simulator_kernels_number(size_t i);

/* The best supported set. */
const simulator_kernels *simulator_kernels_best(void);

#endif
