#include "expr/loops.h"

const expr_loops *expr_loops_for(instruction_set set)
{
    static const expr_loops *const table[SIMD_SETS] = {
        [SIMD_BASE] = &expr_loops_base,
#ifdef SIMD_X86
        [SIMD_AVX2] = &expr_loops_avx2,
        [SIMD_AVX512] = &expr_loops_avx512,
#endif
    };
    return table[set];
}
