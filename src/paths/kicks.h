/* What a driver without jumps does to a path over one cell, with the field held fixed: the change of

     d rho = - eta g(rho, y) dZ,   rho = r at first,   kick = r - rho at the end. */
#ifndef SGDMFT_PATHS_KICKS_H
#define SGDMFT_PATHS_KICKS_H

#include "paths/block.h"

typedef struct kick_cell {
    size_t n;            /* lanes */
    double t, eta, h;    /* middle of the cell, eta there, width */
    const double *noise; /* [n] standard normals: the increment of B is sqrt(h) noise; NULL for a drift */
    const double *r, *y; /* [k][n], [labels][n] */
} kick_cell;

/* kick[k][n] and, unless NULL, D[k][k][n], its derivative in r. Scratch: s->t, s->visit. Non-zero if a plug-in asked to
   stop. */

/* Z = t: explicit midpoint rule, order 2. */
int kick_drift(const path_plan *plan, const kick_cell *cell, path_workspace *s, double *kick, double *D);

/* Z = t + B, Ito: Platen's explicit scheme of weak order 2 for one Brownian motion (Kloeden and Platen, Numerical
   Solution of Stochastic Differential Equations, 15.1). D must be NULL. */
int kick_brownian(const path_plan *plan, const kick_cell *cell, path_workspace *s, double *kick, double *D);

#endif
