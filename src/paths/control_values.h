/* The control variable of block.h, lane by lane, for a node whose g, G and GK are in the scratch space. */
#ifndef SGDMFT_PATHS_CONTROL_VALUES_H
#define SGDMFT_PATHS_CONTROL_VALUES_H

#include "paths/block.h"

/* D = tr(g~ u^T) - tr(G dr/du) into s->control. */
void control_values(const path_block *block, const path_plan *plan, const kernels *kern, const path_control *control,
                    path_workspace *s);

/* Adds all averages weighted by D, then D and D^2 (see path_block_advance_controlled). Destroys g, G and GK. */
void control_averages(const path_block *block, const path_plan *plan, int node, path_workspace *s, double *sums);

#endif
