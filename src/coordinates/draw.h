/* The random numbers of a replica's coordinates: theta*, u = theta(0) - A theta*, and the normals xi of the
   innovations. Law and layout are those of paths (paths/inputs.h), without events and labels. */
#ifndef SGDMFT_COORDINATES_DRAW_H
#define SGDMFT_COORDINATES_DRAW_H

#include "paths/ensemble.h"

/* The source of coordinates that belongs to a source of samples. */
path_source coordinate_source(const path_source *samples);

/* Draws coordinates: in each block, wstar is theta*, z0 is u, and xi are the normals that drive theta. Their empirical
   second moments are exactly those of the problem. The ensemble can be coarsened (path_ensemble_coarsen). *out is owned
   by the caller (path_ensemble_free). Errors: SGDMFT_ERR_RANGE if the sampled coordinates are too few for their law,
   those of coordinates_law_new, SGDMFT_ERR_MEMORY. */
sgdmft_status coordinates_draw(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                               path_ensemble **out);

#endif
