#include "core/simd.h"

int simd_supported(instruction_set set)
{
    switch (set) {
    case SIMD_BASE: return 1;
#ifdef SIMD_X86
    case SIMD_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case SIMD_AVX512: return __builtin_cpu_supports("avx512f") && simd_supported(SIMD_AVX2);
#endif
    default: return 0;
    }
}

instruction_set simd_best(void)
{
    instruction_set set = SIMD_SETS - 1;
    while (!simd_supported(set))
        set--;
    return set;
}

const char *simd_name(instruction_set set)
{
    static const char *const names[SIMD_SETS] = {[SIMD_BASE] = "base", [SIMD_AVX2] = "avx2", [SIMD_AVX512] = "avx512"};
    return names[set];
}
