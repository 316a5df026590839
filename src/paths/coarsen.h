/* The same paths on every second node of their grid. With h1 and h2 the widths of the two fine cells in a coarse one,

     coarse innovation   xi = (sqrt(h1) xi_1 + sqrt(h2) xi_2) / sqrt(h1 + h2), also for the increments of the process,
     coarse bridge       fine bridge + tent * (displacement of the dropped node from the coarse chord),

   where the tent rises from 0 at the ends of the coarse cell to 1 at the dropped node. The step of a coarse cell is at
   that node, where the fine bridge is zero. */
#ifndef SGDMFT_PATHS_COARSEN_H
#define SGDMFT_PATHS_COARSEN_H

#include "paths/ensemble.h"

/* The paths of `fine` on the grid of every second node, with the same visits, fields and labels. They share arrays with
   `fine`, which must outlive them. No rank sends a message. */
sgdmft_status path_ensemble_coarsen(sgdmft_context *ctx, const path_ensemble *fine, const path_source *source,
                                    const time_grid *fine_grid, const time_grid *coarse_grid, path_ensemble **out);

#endif
