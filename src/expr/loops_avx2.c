/* Loops of expressions for AVX2. */
#include "expr/loops.h"

#ifdef SIMD_X86

#include <immintrin.h>

SIMD_TARGET_BEGIN(SIMD_AVX2_FEATURES)

#define VEC_LANES 4
#define LOOPS expr_loops_avx2
#define SLEEF(name, accuracy) Sleef_finz_##name##d4_##accuracy##avx2
#define vec_fma(a, b, c) _mm256_fmadd_pd(a, b, c)
#define vec_min(a, b) _mm256_min_pd(a, b)
#define vec_max(a, b) _mm256_max_pd(a, b)
#define vec_sqrt(x) _mm256_sqrt_pd(x)

#include "expr/loops_body.h"

SIMD_TARGET_END

#endif
