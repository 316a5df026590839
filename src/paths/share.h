/* Who works on which paths of a replica. Its blocks are dealt out to PATH_PARTS parts, and the parts to the ranks of a
   group. Sums over paths are made in each part, then of pairs of parts, pairs of pairs and so on: the order does not
   depend on the number of ranks and threads, and so neither does any digit.

   Parts p and p + n / 2 make one of n / 2 parts. Rank r of G has the parts r, r + G, ...: with G a power of two it
   joins its own ones down to a single one before it tells the others, otherwise it tells them all its parts. */
#ifndef SGDMFT_PATHS_SHARE_H
#define SGDMFT_PATHS_SHARE_H

#include <stddef.h>

#include "core/ranks.h"

enum { PATH_PARTS = 64 };

/* A NULL pointer: everything, with one thread. */
typedef struct path_share {
    rank_group *ranks; /* of the group, not more than PATH_PARTS; NULL: this process has all parts */
    int threads;
} path_share;

static inline int share_threads(const path_share *s)
{
    return s && s->threads > 1 ? s->threads : 1;
}

static inline rank_group *share_ranks(const path_share *s)
{
    return s ? s->ranks : NULL;
}

static inline size_t share_size(const path_share *s)
{
    return (size_t)ranks_size(share_ranks(s));
}

/* The first part of this rank; the next one is share_size later. */
static inline size_t share_first(const path_share *s)
{
    return (size_t)ranks_rank(share_ranks(s));
}

/* How many parts this rank has. */
static inline size_t share_count(const path_share *s)
{
    return (PATH_PARTS - share_first(s) + share_size(s) - 1) / share_size(s);
}

static inline int share_owns(const path_share *s, size_t block)
{
    return block % PATH_PARTS % share_size(s) == share_first(s);
}

/* Room for joining sums of up to `width` numbers. */
typedef struct share_room {
    size_t width;
    double *message; /* [PATH_PARTS][width] and one number from each rank */
    size_t *first;   /* [ranks + 1] */
} share_room;

sgdmft_status share_room_new(sgdmft_context *ctx, const path_share *s, size_t width, share_room *out);
void share_room_clear(share_room *room);

/* Together: joins sums. parts[share_count][width] holds those of this rank and is overwritten; out[2][width]
   becomes the sums over the even and the odd parts. `flags` are bits; returns those of all ranks,
   SHARE_LOST among them if a message was lost. */
enum { SHARE_FAILED = 1, SHARE_STOP = 2, SHARE_LOST = 4 };
int share_join(const path_share *s, share_room *room, double *parts, size_t width, int flags, double *out);

#endif
