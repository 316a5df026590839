/* The processes that solve together, and what they may say to each other. One process alone is a NULL pointer, for
   which every function here does nothing and succeeds. Anything that all ranks have to call, in the same order, is
   marked "together"; only the thread that made the context may call any of this. */
#ifndef SGDMFT_CORE_RANKS_H
#define SGDMFT_CORE_RANKS_H

#include <stddef.h>

#include "core/context.h"

/* How messages travel. Each returns 0, or non-zero if a message was lost. */
typedef struct ranks_transport {
    /* Together: ranks of the same colour make a new group, in the same order; NULL if there is no memory for it. */
    int (*split)(rank_group *all, int colour, rank_group **out);
    void (*free)(rank_group *r);
    /* Together: rank r provides data[first[r]] .. data[first[r + 1] - 1], everyone gets all. */
    int (*allgather)(rank_group *r, double *data, const size_t *first);
    /* Together. */
    int (*broadcast)(rank_group *r, int root, void *data, size_t bytes);
    int (*send)(rank_group *r, int to, const void *data, size_t bytes);
    int (*receive)(rank_group *r, int from, void *data, size_t bytes);
    /* A flag that any rank may raise at any time and that the others see at their next look. */
    int (*raise)(rank_group *r);
    int (*raised)(rank_group *r);
    /* Together: lowers the flag on all ranks. */
    int (*lower)(rank_group *r);
} ranks_transport;

/* An implementation puts this first in a structure of its own. */
struct rank_group {
    const ranks_transport *via;
    int rank, size;
    int here;      /* ranks on this machine */
    int lost;      /* 1 once a message was lost: no more are sent */
    double *said;  /* [size] room for ranks_agree, which must not fail */
    size_t *first; /* [size + 1] */
};

static inline int ranks_rank(const rank_group *r)
{
    return r ? r->rank : 0;
}

static inline int ranks_size(const rank_group *r)
{
    return r ? r->size : 1;
}

/* Together: NULL for a rank that is alone in its group. */
sgdmft_status ranks_split(sgdmft_context *ctx, rank_group *all, int colour, rank_group **out);
void ranks_free(rank_group *r);

/* As the transport. Non-zero if a message was lost, now or earlier. */
int ranks_allgather(rank_group *r, double *data, const size_t *first);

/* Together: one number from everyone, all[size]. */
int ranks_allgather_one(rank_group *r, double mine, double *all);

/* Together: the number that rank 0 has. */
double ranks_follow(rank_group *r, double mine);

/* Together: the failure of the lowest rank that has one, with its message; OK if none has. */
sgdmft_status ranks_agree(sgdmft_context *ctx, rank_group *r, sgdmft_status status);

/* Together, with rank 0: bytes from there to everyone. */
sgdmft_status ranks_broadcast(sgdmft_context *ctx, rank_group *r, void *data, size_t bytes);

sgdmft_status ranks_send(sgdmft_context *ctx, rank_group *r, int to, const void *data, size_t bytes);
sgdmft_status ranks_receive(sgdmft_context *ctx, rank_group *r, int from, void *data, size_t bytes);

void ranks_raise(rank_group *r);
int ranks_raised(rank_group *r);
void ranks_lower(rank_group *r);

#endif
