/* Kernels for AVX2. */
#if defined(__x86_64__)

#include "expr/loops.h"

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define VEC_LANES 4
#define KERNEL_SET kernels_avx2
#define SET_NAME "avx2"
#define SLEEF(name, accuracy) Sleef_finz_##name##d4_##accuracy##avx2
#define vec_fma(a, b, c) _mm256_fmadd_pd(a, b, c)
#define vec_min(a, b) _mm256_min_pd(a, b)
#define vec_max(a, b) _mm256_max_pd(a, b)
#define vec_sqrt(x) _mm256_sqrt_pd(x)

#include "expr/loops_x86.h"

static int set_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#include "expr/loops_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
