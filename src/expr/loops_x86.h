/* Elementary functions of an x86 kernel set that kernels_elementary.h does not have: SLEEF's reproducible family, named
   SLEEF(function, accuracy).

   Only that family decides lane by lane; the faster one picks a formula for a whole vector by its largest argument, so
   that a lane would depend on its neighbours. It also gives equal bits with AVX2 and AVX-512. */
#ifndef SGDMFT_EXPR_LOOPS_X86_H
#define SGDMFT_EXPR_LOOPS_X86_H

typedef double sleef_vec __attribute__((vector_size(8 * VEC_LANES)));

/* sleef.h declares a function only if the whole file is compiled for its instruction set. */
#define DECLARE(name, accuracy) sleef_vec SLEEF(name, accuracy)(sleef_vec);
DECLARE(log, u10)
DECLARE(log1p, u10)
DECLARE(sinh, u35)
DECLARE(sin, u10)
DECLARE(cos, u10)
DECLARE(tan, u10)
DECLARE(atan, u10)
DECLARE(erfc, u15)
sleef_vec SLEEF(pow, u10)(sleef_vec, sleef_vec);
#undef DECLARE

#define vec_log(x) SLEEF(log, u10)(x)
#define vec_log1p(x) SLEEF(log1p, u10)(x)
#define vec_sinh_small(x) SLEEF(sinh, u35)(x)
#define vec_sin(x) SLEEF(sin, u10)(x)
#define vec_cos(x) SLEEF(cos, u10)(x)
#define vec_tan(x) SLEEF(tan, u10)(x)
#define vec_atan(x) SLEEF(atan, u10)(x)
#define vec_erfc(x) SLEEF(erfc, u15)(x)
#define vec_pow(x, y) SLEEF(pow, u10)(x, y)

#endif
