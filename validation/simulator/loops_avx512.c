/* Loops of the simulator for AVX-512. */
#include "validation/simulator/loops.h"

#ifdef SIMD_X86

#include <math.h>
#include <string.h>

SIMD_TARGET_BEGIN(SIMD_AVX512_FEATURES)

#define VEC_LANES 16
#define TILE_COLUMNS 4
#define LOOPS simulator_loops_avx512

#include "validation/simulator/loops_body.h"

SIMD_TARGET_END

#endif
