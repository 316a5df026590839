/* VECTOR_CLONES compiles a function once per x86-64 vector width; the widest that the processor has is chosen when the
   program is loaded. Elsewhere, and under the thread sanitizer (which cannot run that choice), there is one version.
   Loops so marked use integer operations and uncontracted IEEE arithmetic only, so every version gives the same bytes. */
#ifndef SGDMFT_CORE_SIMD_H
#define SGDMFT_CORE_SIMD_H

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define VECTOR_CLONES
#endif

/* Copies a few values by the library's memcpy. Where gcc knows a bound of the size it writes `rep movs` instead, which
   takes longer to start than the whole copy; so the size is hidden from it. */
static inline void copy_few(size_t n, const double *from, double *to)
{
    size_t bytes = n * sizeof *to;
    __asm__("" : "+r"(bytes));
    memcpy(to, from, bytes);
}

#endif
