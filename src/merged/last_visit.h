/* Averages over paths as they are, integrated over the last visit (paths/last_visit.h), with a merged history. The
   visits that are inserted at the nodes of the last units of time fall into cells that are not merged yet. The moments
   of an inserted kick in its cell follow from its place: with hat(u) the part of a node in the integral over the place
   u of the last visit,

     E[g K_a] gets   g kick   at the node times   int density hat phi_a. */
#ifndef SGDMFT_MERGED_LAST_VISIT_H
#define SGDMFT_MERGED_LAST_VISIT_H

#include "merged/block.h"

/* As last_visit_averages, after merged_block_advance to node i + 1. */
int merged_last_visit(const merged_block *block, const path_block *base, const path_plan *plan,
                      const merged_kernels *kern, int i, path_workspace *s, double *sums, double *observed);

#endif
