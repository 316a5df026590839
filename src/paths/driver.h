/* The drivers: SGD, SME and gradient flow differ in the scalar process Z alone, through which a path is kicked,
   r(t) = w(t) - int R(t,v) eta g(v) dZ(v). A driver says at which events and how strongly; all else is common.

     poisson    Z jumps by 1 at the times of a Poisson process of rate 1, the visits; kick = eta g
     brownian   Z = t + B. One event in the middle of every cell carries the kick of the whole cell: the change of rho,
                d rho = - eta g(rho) dZ, over the cell from the position at its middle. With the field on both sides of
                it this is a symmetric splitting, of weak order 2 as the scheme for the change is
     drift      Z = t, likewise; order 2 */
#ifndef SGDMFT_PATHS_DRIVER_H
#define SGDMFT_PATHS_DRIVER_H

#include "paths/block.h"

typedef struct path_driver {
    int singular; /* 1 if dU has white noise */
    int per_cell; /* 1: the events are the same for all paths, event c in cell c; 0: every path has its own */

    /* The events in `cell`: kicks, their sum and moment and, for pathwise responses, their chains. Non-zero if a plug-in
       asked to stop. */
    int (*advance)(path_block *block, const path_plan *plan, const kernels *kern, int cell, path_workspace *s);

    /* For pathwise responses. derive: s->GK, the change of g at the node per change of w at each event. average: adds the
       rows of estimates.h that belong to s->GK. interpolate: s->rho, a kernel row (linear between nodes) at the events of
       every lane. */
    void (*derive)(path_block *block, const path_plan *plan, const kernels *kern, int node, path_workspace *s);
    void (*average)(const path_block *block, const path_plan *plan, int node, path_workspace *s, double *sums);
    void (*interpolate)(const path_block *block, const path_plan *plan, const kernels *kern, response_row row,
                        int node, path_workspace *s);
} path_driver;

extern const path_driver driver_poisson, driver_brownian, driver_drift;

#endif
