/* Loops of expressions for AVX-512. */
#include "expr/loops.h"

#ifdef SIMD_X86

#include <immintrin.h>

SIMD_TARGET_BEGIN(SIMD_AVX512_FEATURES)

#define VEC_LANES 8
#define LOOPS expr_loops_avx512
#define SLEEF(name, accuracy) Sleef_finz_##name##d8_##accuracy##avx512f
#define vec_fma(a, b, c) _mm512_fmadd_pd(a, b, c)
#define vec_scale(x, k) _mm512_scalef_pd(x, k)
#define vec_min(a, b) _mm512_min_pd(a, b)
#define vec_max(a, b) _mm512_max_pd(a, b)
#define vec_sqrt(x) _mm512_sqrt_pd(x)

#include "expr/loops_body.h"

SIMD_TARGET_END

#endif
