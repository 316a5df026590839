/* Which part of the paths of a replica each rank works on. The blocks of a replica are distributed over PATH_PARTS
   parts, and the parts over the ranks of a group. Sums over paths are formed within each part, then over pairs of
   parts, pairs of pairs and so on. This order depends neither on the number of ranks nor on that of threads, and so
   neither does any digit of a sum.

   Parts p and p + n / 2 make one of n / 2 parts. Rank r of G has the parts r, r + G, ... If G is a power of two, a rank
   adds its own parts up to a single one before it sends that to the others; otherwise it sends all its parts. */
#ifndef SGDMFT_PATHS_SHARE_H
#define SGDMFT_PATHS_SHARE_H

#include <stddef.h>

#include "core/ranks.h"

enum { PATH_PARTS = 64 };

/* The share of this rank. A NULL pointer means all paths on one thread. */
typedef struct path_share {
    rank_group *ranks; /* the group, of at most PATH_PARTS ranks; NULL: this rank has all parts */
    int threads;
} path_share;

static inline int share_threads(const path_share *share)
{
    return share && share->threads > 1 ? share->threads : 1;
}

static inline rank_group *share_ranks(const path_share *share)
{
    return share ? share->ranks : NULL;
}

/* The number of ranks in the group. */
static inline size_t share_size(const path_share *share)
{
    return (size_t)ranks_size(share_ranks(share));
}

/* The first part of this rank; the next one is share_size later. */
static inline size_t share_first(const path_share *share)
{
    return (size_t)ranks_rank(share_ranks(share));
}

/* The number of parts of this rank. */
static inline size_t share_count(const path_share *share)
{
    return (PATH_PARTS - share_first(share) + share_size(share) - 1) / share_size(share);
}

/* 1 if the block belongs to a part of this rank. */
static inline int share_owns(const path_share *share, size_t block)
{
    return block % PATH_PARTS % share_size(share) == share_first(share);
}

/* Scratch memory for joining sums of up to `width` numbers. */
typedef struct share_room {
    size_t width;
    double *message; /* [PATH_PARTS][width] and one number from each rank */
    size_t *first;   /* [ranks + 1] where the message of each rank begins */
} share_room;

sgdmft_status share_room_new(sgdmft_context *ctx, const path_share *share, size_t width, share_room *out);
void share_room_clear(share_room *room);

/* Adds up the sums of all parts. parts[share_count][width] holds the sums of the parts of this rank and is overwritten;
   out[2][width] becomes the sums over the even and over the odd parts. Returns the bits of `flags` of all ranks, and
   SHARE_LOST if a message was lost. Collective call: every rank of the share makes it. */
enum { SHARE_FAILED = 1, SHARE_STOP = 2, SHARE_LOST = 4 };
int share_join(const path_share *share, share_room *room, double *parts, size_t width, int flags, double *out);

#endif
