/* The pilot: a solve with few paths on the coarse grid, which finds the directions of start and innovations that move
   the field most. The normals of all replicas are then drawn along these axes, so that the first quasi-random
   dimensions serve the most important directions (kernels/principal.h). The law of the paths does not change, only the
   noise. */
#ifndef SGDMFT_SOLVERS_DMFT_PILOT_H
#define SGDMFT_SOLVERS_DMFT_PILOT_H

#include "kernels/principal.h"
#include "solvers/dmft/plan.h"

/* The axes of the field, found by rank 0 for all ranks; NULL if a pilot does not pay or its dynamics end early. *axes
   is owned by the caller (principal_axes_free). Collective call: every rank of the context makes it. */
sgdmft_status pilot_axes(sgdmft_context *ctx, const dmft_plan *plan, principal_axes **axes);

#endif
