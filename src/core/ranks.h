/* The processes that solve together, and the messages between them. One process alone is a NULL pointer, for which
   every function here does nothing and succeeds. "Collective call" marks what every rank of the group must call, in the
   same order. Only the thread that made the context may call any of this. */
#ifndef SGDMFT_CORE_RANKS_H
#define SGDMFT_CORE_RANKS_H

#include <stddef.h>

#include "core/context.h"

/* How messages travel. Every function but `free` returns 0, or non-zero if a message was lost. */
typedef struct ranks_transport {
    /* Collective call: ranks of the same colour form a new group, in the same order; *out is NULL if there is no
       memory. */
    int (*split)(rank_group *all, int colour, rank_group **out);
    void (*free)(rank_group *r);
    /* Collective call: rank r provides data[first[r]] .. data[first[r + 1] - 1], and every rank gets all of it. */
    int (*allgather)(rank_group *r, double *data, const size_t *first);
    /* Collective call: bytes from rank `root` to all others. */
    int (*broadcast)(rank_group *r, int root, void *data, size_t bytes);
    int (*send)(rank_group *r, int to, const void *data, size_t bytes);
    int (*receive)(rank_group *r, int from, void *data, size_t bytes);
    /* A flag that any rank may raise at any time. The others see it the next time that they ask whether it is
       raised. */
    int (*raise)(rank_group *r);
    int (*raised)(rank_group *r);
    /* Collective call: lowers the flag on all ranks. */
    int (*lower)(rank_group *r);
} ranks_transport;

/* A transport makes this the first member of a structure of its own. */
struct rank_group {
    const ranks_transport *via;
    int rank, size;
    int here;         /* ranks on this machine */
    int lost;         /* 1 once a message was lost: no more are sent */
    double *per_rank; /* [size] room for one number from each rank, for functions that must not fail */
    size_t *first;    /* [size + 1] */
};

static inline int ranks_rank(const rank_group *r)
{
    return r ? r->rank : 0;
}

static inline int ranks_size(const rank_group *r)
{
    return r ? r->size : 1;
}

/* Collective call. *out is the group of the ranks with this colour, NULL for a rank that is alone in it; ranks_free
   frees it. */
sgdmft_status ranks_split(sgdmft_context *ctx, rank_group *all, int colour, rank_group **out);
void ranks_free(rank_group *r);

/* Collective call, as in the transport. Non-zero if a message was lost, now or earlier. */
int ranks_allgather(rank_group *r, double *data, const size_t *first);

/* Collective call: all[size] gets one number from each rank. Non-zero if a message was lost. */
int ranks_allgather_one(rank_group *r, double mine, double *all);

/* Collective call: returns the number that rank 0 has. */
double ranks_take_first(rank_group *r, double mine);

/* Collective call: returns the failure of the lowest rank that has one, with its message; SGDMFT_OK if none has. */
sgdmft_status ranks_agree(sgdmft_context *ctx, rank_group *r, sgdmft_status status);

/* Collective call: bytes from rank 0 to all others. */
sgdmft_status ranks_broadcast(sgdmft_context *ctx, rank_group *r, void *data, size_t bytes);

sgdmft_status ranks_send(sgdmft_context *ctx, rank_group *r, int to, const void *data, size_t bytes);
sgdmft_status ranks_receive(sgdmft_context *ctx, rank_group *r, int from, void *data, size_t bytes);

void ranks_raise(rank_group *r);
int ranks_raised(rank_group *r);
void ranks_lower(rank_group *r);

#endif
