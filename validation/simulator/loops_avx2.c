/* Simulator kernels for AVX2. */
#if defined(__x86_64__)

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define VEC_LANES 8
#define TILE_COLUMNS 2
#define KERNEL_SET simulator_kernels_avx2
#define SET_NAME "avx2"

static int set_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#include "validation/simulator/loops_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
