/* Kernels for AVX-512. */
#if defined(__x86_64__)

#include "expr/loops.h"

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif

#define VEC_LANES 8
#define KERNEL_SET kernels_avx512
#define SET_NAME "avx512"
#define SLEEF(name, accuracy) Sleef_finz_##name##d8_##accuracy##avx512f
#define vec_fma(a, b, c) _mm512_fmadd_pd(a, b, c)
#define vec_scale(x, k) _mm512_scalef_pd(x, k)
#define vec_min(a, b) _mm512_min_pd(a, b)
#define vec_max(a, b) _mm512_max_pd(a, b)
#define vec_sqrt(x) _mm512_sqrt_pd(x)

#include "expr/loops_x86.h"

static int set_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
}

#include "expr/loops_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
