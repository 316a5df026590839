/* Two consequences of Stein's lemma at the last node, as checks of a replica (docs/solver.md). */
#ifndef SGDMFT_SOLVERS_DMFT_IDENTITY_H
#define SGDMFT_SOLVERS_DMFT_IDENTITY_H

#include "solvers/dmft/replica.h"

/* Adds a cell to the integrals over time of the right-hand sides of (9) and of (8) at s = 0; in the end turns them into
   defects at the last node. */
void identity_cell(replica *rep, int cell, const double *now, const double *next);
void identity_finish(replica *rep, int node);

#endif
