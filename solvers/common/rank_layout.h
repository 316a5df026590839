/* Which rank solves which replica. Replicas are distributed over groups of ranks first; the ranks of a group then share
   the paths of each of its replicas. */
#ifndef SGDMFT_SOLVERS_COMMON_RANK_LAYOUT_H
#define SGDMFT_SOLVERS_COMMON_RANK_LAYOUT_H

#include <stddef.h>

typedef struct rank_layout {
    int groups; /* replica r is solved by group r % groups */
    int size;   /* ranks that work in each group; the first of a group leads it, ranks beyond `size` are idle */
} rank_layout;

/* The layout with the smallest number of path blocks on the busiest rank, for a problem whose replicas have `blocks`
   blocks of paths each. If `whole` is 1, the paths of a replica stay on one rank. */
rank_layout rank_layout_plan(int ranks, int replicas, size_t blocks, int whole);

/* The group in which a rank works, or -1 if it is idle. */
int rank_layout_group(const rank_layout *layout, int ranks, int rank);

/* The rank that leads a group. */
int rank_layout_leader(const rank_layout *layout, int ranks, int group);

#endif
