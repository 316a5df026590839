#include "validation/simulator/loops.h"

const simulator_loops *simulator_loops_for(instruction_set set)
{
    static const simulator_loops *const table[SIMD_SETS] = {
        [SIMD_BASE] = &simulator_loops_base,
#ifdef SIMD_X86
        [SIMD_AVX2] = &simulator_loops_avx2,
        [SIMD_AVX512] = &simulator_loops_avx512,
#endif
    };
    return table[set];
}
