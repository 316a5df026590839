/* The same paths on every second node. A coarse innovation is the normalised sum of two fine ones, and so is a coarse increment of
   the process; the coarse bridge at a visit is the fine bridge plus the tent by which the middle node leaves the coarse chord. The
   event of a coarse cell is at that middle node, where the fine bridge is zero. */
#ifndef SGDMFT_PATHS_COARSEN_H
#define SGDMFT_PATHS_COARSEN_H

#include "paths/ensemble.h"

/* The same paths seen on the grid of every second node: the same visits, fields and labels, in part those of `fine`,
   which has to live longer. It sends no messages. */
sgdmft_status path_ensemble_coarsen(sgdmft_context *ctx, const path_ensemble *fine, const path_source *source,
                                    const time_grid *fine_grid, const time_grid *coarse_grid, path_ensemble **out);

#endif
