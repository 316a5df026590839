/* Simulator kernels that every processor runs. */
#define VEC_LANES 4
#define TILE_COLUMNS 2
#define KERNEL_SET simulator_kernels_base
#define SET_NAME "base"

static int set_supported(void)
{
    return 1;
}

#include "validation/simulator/loops_body.h"
