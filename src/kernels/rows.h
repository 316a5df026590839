/* A row of the kernels from the averages over paths at two nodes, in the order innovations (innovations.h), response
   (response.h), overlap and field (filter.h). */
#ifndef SGDMFT_KERNELS_ROWS_H
#define SGDMFT_KERNELS_ROWS_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

/* Completes node 0 from the averages there. */
void kernels_start(kernels *kern, const averages_layout *at, const double *first);

/* Computes node i + 1 from the averages just after node i (`now`) and just before node i + 1 (`next`, predicted or from
   the last pass): R, Q, m and F there, row i of L, row i + 1 of V, and the bridge of cell i. Nodes up to i must be
   final. May be repeated. Returns the largest change of the new row relative to its scale, which is the residual of the
   pass, or NaN if a number is not finite. */
double kernels_advance(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* At a node i where an epoch begins, updates the part of its row that depends on the averages just after the node. */
void kernels_renew(kernels *kern, int i, const averages_layout *at, const double *after);

#endif
