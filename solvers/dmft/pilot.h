/* The pilot of a solve: with few paths on the coarse grid it finds out which directions of start and innovations move
   the field most. These then get the first quasi-random dimensions of all replicas (kernels/principal.h). No law
   changes by this, only the noise. */
#ifndef SGDMFT_SOLVERS_DMFT_PILOT_H
#define SGDMFT_SOLVERS_DMFT_PILOT_H

#include "kernels/principal.h"
#include "solvers/dmft/plan.h"

/* The axes of the field, found by rank 0 for all ranks; NULL if a pilot does not pay or its dynamics end early.
   Collective call: every rank of the context makes it. *axes is owned by the caller. */
sgdmft_status pilot_axes(sgdmft_context *ctx, const dmft_plan *plan, principal_axes **axes);

#endif
