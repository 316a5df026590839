/* Kicks by batches that are a fraction of the data: the event of a path in step i, if it is in that batch, is at node i,
   and its kick is in the position from node i + 1 on (kernels/recursion.h). A step needs the gradient at its beginning,
   so g and G are computed once at every node, for the averages there and for the kicks of the step that follows. */
#ifndef SGDMFT_PATHS_BATCH_EVENTS_H
#define SGDMFT_PATHS_BATCH_EVENTS_H

#include "paths/block.h"

struct path_events;
extern const struct path_events batch_events;

#endif
