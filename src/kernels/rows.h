/* One row of the kernels after the other: from the averages over paths at two nodes to everything at the later one, in
   the order innovations (innovations.h), response (response.h), overlap and field (filter.h). */
#ifndef SGDMFT_KERNELS_ROWS_H
#define SGDMFT_KERNELS_ROWS_H

#include "kernels/averages.h"
#include "kernels/kernels.h"

/* Completes node 0 from its averages. */
void kernels_start(kernels *kern, const averages_layout *at, const double *first);

/* Advances to node i + 1 from the averages just after node i (`now`) and just before node i + 1 (`next`, from the last
   pass or predicted): R, Q, m, F, L row i, V row i + 1 and the bridge of cell i. Rows up to i must be final. Returns
   the largest change of the new row relative to its scale (the residual of the pass), or NaN when something is not
   finite. */
double kernels_advance(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* At a node where an epoch begins: what changes of row i with the averages just after the node. */
void kernels_renew(kernels *kern, int i, const averages_layout *at, const double *after);

#endif
