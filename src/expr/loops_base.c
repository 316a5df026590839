/* Loops of expressions that every processor runs: SSE2 on x86-64, the C library lane by lane elsewhere. */
#include "expr/loops.h"

#define VEC_LANES 2
#define LOOPS expr_loops_base
#define vec_fma(a, b, c) ((a) * (b) + (c))

#ifdef SIMD_X86

#include <emmintrin.h>

#define SLEEF(name, accuracy) Sleef_cinz_##name##d2_##accuracy##sse2
#define vec_min(a, b) _mm_min_pd(a, b)
#define vec_max(a, b) _mm_max_pd(a, b)
#define vec_sqrt(x) _mm_sqrt_pd(x)

#else

#include <math.h>

#define EACH(f, x) ((vec){f((x)[0]), f((x)[1])})
#define vec_log(x) EACH(log, x)
#define vec_log1p(x) EACH(log1p, x)
#define vec_sqrt(x) EACH(sqrt, x)
#define vec_sinh_small(x) EACH(sinh, x)
#define vec_sin(x) EACH(sin, x)
#define vec_cos(x) EACH(cos, x)
#define vec_tan(x) EACH(tan, x)
#define vec_atan(x) EACH(atan, x)
#define vec_erfc(x) EACH(erfc, x)
#define vec_pow(x, y) ((vec){pow((x)[0], (y)[0]), pow((x)[1], (y)[1])})

#endif

#include "expr/loops_body.h"
