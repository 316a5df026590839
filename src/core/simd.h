/* Vector instruction sets: which of them this processor has, and how code for each of them is compiled.

   Loops come in two kinds. Those marked VECTOR_CLONES are compiled by the compiler once for each width, and the dynamic
   loader picks one. Those that need intrinsics, or that round differently in each set, stand in one file per set and
   are reached through a table with an entry for each instruction_set, from which simd_best() picks. */
#ifndef SGDMFT_CORE_SIMD_H
#define SGDMFT_CORE_SIMD_H

#include <stddef.h>
#include <string.h>

/* From the narrowest vectors to the widest. SIMD_BASE is what every processor has that the program is compiled for. */
typedef enum instruction_set { SIMD_BASE, SIMD_AVX2, SIMD_AVX512, SIMD_SETS } instruction_set;

/* 1 if this processor has the set and this program has code for it. */
int simd_supported(instruction_set set);

/* The widest supported set. */
instruction_set simd_best(void);

/* "base", "avx2", "avx512" */
const char *simd_name(instruction_set set);

/* Defined where SIMD_AVX2 and SIMD_AVX512 can be compiled for. */
#if defined(__x86_64__)
#define SIMD_X86
#endif

/* Functions between SIMD_TARGET_BEGIN(SIMD_AVX2_FEATURES) and SIMD_TARGET_END are compiled for that set. */
#define SIMD_AVX2_FEATURES "avx2,fma"
#define SIMD_AVX512_FEATURES "avx512f,avx2,fma"

#define SIMD_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define SIMD_TARGET_BEGIN(features)                                                                                    \
    SIMD_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define SIMD_TARGET_END SIMD_PRAGMA(clang attribute pop)
#else
#define SIMD_TARGET_BEGIN(features) SIMD_PRAGMA(GCC push_options) SIMD_PRAGMA(GCC target(features))
#define SIMD_TARGET_END SIMD_PRAGMA(GCC pop_options)
#endif

/* Compiles a function once per x86-64 vector width; the widest that the processor has is chosen when the program is
   loaded. Elsewhere, and under the thread sanitizer (which cannot run that choice), there is one version. Loops so
   marked use integer operations and uncontracted IEEE arithmetic only, so every version gives the same bytes. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define VECTOR_CLONES
#endif

/* Copies a few values by the library's memcpy. Where gcc knows a bound of the size, it emits `rep movs` instead, whose
   start takes longer than the whole copy; the empty asm hides the size from it. */
static inline void copy_few(size_t n, const double *from, double *to)
{
    size_t bytes = n * sizeof *to;
    __asm__("" : "+r"(bytes));
    memcpy(to, from, bytes);
}

#endif
