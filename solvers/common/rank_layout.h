/* Which rank solves which replica: replicas are spread first, then the paths of one over a group of ranks. */
#ifndef SGDMFT_SOLVERS_COMMON_RANK_LAYOUT_H
#define SGDMFT_SOLVERS_COMMON_RANK_LAYOUT_H

#include <stddef.h>

typedef struct rank_layout {
    int groups; /* replica r is solved by group r % groups */
    int size;   /* ranks of the smallest group; the first of each group leads it */
} rank_layout;

/* For a problem with `blocks` blocks of paths; `whole`: paths are not split. The fewest path blocks that any rank has
   to carry decide. */
rank_layout rank_layout_plan(int ranks, int replicas, size_t blocks, int whole);

/* The group of a rank, or -1 for one that has nothing to do; and the rank that leads a group. */
int rank_layout_group(const rank_layout *s, int ranks, int rank);
int rank_layout_leader(const rank_layout *s, int ranks, int group);

#endif
