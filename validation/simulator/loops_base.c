/* Loops of the simulator that every processor runs. */
#define VEC_LANES 4
#define TILE_COLUMNS 2
#define LOOPS simulator_loops_base

#include "validation/simulator/loops_body.h"
