/* Loops of the simulator for AVX2. */
#include "validation/simulator/loops.h"

#ifdef SIMD_X86

#include <math.h>
#include <string.h>

SIMD_TARGET_BEGIN(SIMD_AVX2_FEATURES)

#define VEC_LANES 8
#define TILE_COLUMNS 2
#define LOOPS simulator_loops_avx2

#include "validation/simulator/loops_body.h"

SIMD_TARGET_END

#endif
