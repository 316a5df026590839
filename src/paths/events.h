/* How the events of a block of paths are carried out. There are three kinds (process/process.h): visits, which every
   path has at times of its own; steps, one in the middle of every cell and at the same time for all paths; and batches,
   with visits at the nodes. */
#ifndef SGDMFT_PATHS_EVENTS_H
#define SGDMFT_PATHS_EVENTS_H

#include "paths/block.h"

typedef struct path_events {
    /* Carries out the events of `cell`: computes their kicks, the sum S and the moment B of the kicks and, for pathwise
       responses, the chains of (2). Non-zero if a call-back asked to stop. */
    int (*advance)(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s);

    /* 1 if nothing happens to the block at a node: averages do not run over its paths, and the step that follows does
       not kick them. NULL: something always happens. */
    int (*is_idle)(const path_block *block, const path_plan *plan, int node);

    /* Adds all averages at a node, where they are not those that path_block_advance takes by itself; otherwise NULL. */
    int (*at_node)(path_block *block, const path_plan *plan, const kernels *kern, int node, path_workspace *s,
                   double *sums);

    /* For pathwise responses, over the events before node `history`.
         derive       s->GK = dg/dw(T_b): the derivative of g at the node with respect to w at each event b
         average      adds the rows of averages.h that are made from s->GK
         interpolate  s->rho: a kernel row, linear between nodes, at the events of every lane */
    void (*derive)(const path_block *block, const path_plan *plan, const kernels *kern, int node, int history,
                   path_workspace *s);
    void (*average)(const path_block *block, const path_plan *plan, int history, path_workspace *s, double *sums);
    void (*interpolate)(const path_block *block, const path_plan *plan, const kernels *kern, response_row row,
                        int history, path_workspace *s);
} path_events;

#endif
