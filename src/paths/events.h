/* The events of a block of paths, by their kind (process/process.h): visits, which every path has at times of its own, or one step
   in the middle of every cell, the same for all paths. */
#ifndef SGDMFT_PATHS_EVENTS_H
#define SGDMFT_PATHS_EVENTS_H

#include "paths/block.h"

typedef struct path_events {
    /* The events in `cell`: kicks, their sum and moment and, for pathwise responses, their chains. Non-zero if a plug-in
       asked to stop. */
    int (*advance)(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s);

    /* For pathwise responses, for the events before node `history`. derive: s->GK, the change of g at the node per change of w at
       each event. average: adds the rows of averages.h that belong to s->GK. interpolate: s->rho, a kernel row (linear between
       nodes) at the events of every lane. */
    void (*derive)(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                   path_workspace *s);
    void (*average)(const path_block *block, const path_plan *plan, int history, path_workspace *s, double *sums);
    void (*interpolate)(const path_block *block, const path_plan *plan, const kernels *kern, response_row row,
                        int history, path_workspace *s);
} path_events;

#endif
