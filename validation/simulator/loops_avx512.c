/* Simulator kernels for AVX-512. */
#if defined(__x86_64__)

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif

#define VEC_LANES 16
#define TILE_COLUMNS 4
#define KERNEL_SET simulator_kernels_avx512
#define SET_NAME "avx512"

static int set_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
}

#include "validation/simulator/loops_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
