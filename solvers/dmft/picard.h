/* Global fixed-point (Picard) iteration: each sweep carries all paths over the whole of [0, T] with the kernels of the
   sweep before, then computes all kernel rows from the new averages. With the same random numbers it has the same fixed
   point as marching, but the later a time, the more sweeps its values need. It serves as a check. */
#ifndef SGDMFT_SOLVERS_DMFT_PICARD_H
#define SGDMFT_SOLVERS_DMFT_PICARD_H

#include "solvers/dmft/replica.h"

/* Fills rep->out, which also says why a solve ended early; the return value reports system failures only. */
sgdmft_status picard_solve(sgdmft_context *ctx, replica *rep);

#endif
