/* The events of the newest cell of a block with a merged history (block.h): the kicks of its visits, or of the one
   event in the middle of the cell, and their moments. */
#ifndef SGDMFT_MERGED_EVENTS_H
#define SGDMFT_MERGED_EVENTS_H

#include "merged/block.h"

/* Sets block->K. base->r is the position at the end of the cell without it, base->r_last that at its start. Non-zero if
   a call-back asked to stop. */
int merged_events_advance(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                          int i, const window_cell *cell, path_workspace *s);

#endif
