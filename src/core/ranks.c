#include "core/ranks.h"

#include <stdio.h>

static sgdmft_status lost_message(sgdmft_context *ctx, const rank_group *r)
{
    return context_fail(ctx, SGDMFT_ERR_IO,
                        "ranks: rank %d of %d lost a message, as another rank or the network has failed; the output of "
                        "mpirun says more",
                        r->rank, r->size);
}

/* Records a loss. After one, messages no longer pair up, so whatever arrives may be another message than the one that
   is expected. */
static int note(rank_group *r, int failed)
{
    r->lost |= failed != 0;
    return r->lost;
}

sgdmft_status ranks_split(sgdmft_context *ctx, rank_group *all, int colour, rank_group **out)
{
    *out = NULL;
    if (!all)
        return SGDMFT_OK;
    if (note(all, all->lost || all->via->split(all, colour, out)))
        return lost_message(ctx, all);
    if (!*out)
        return context_out_of_memory(ctx, "the ranks", 20.0 * all->size);
    if ((*out)->size == 1) {
        ranks_free(*out);
        *out = NULL;
    }
    return SGDMFT_OK;
}

void ranks_free(rank_group *r)
{
    if (r)
        r->via->free(r);
}

int ranks_allgather(rank_group *r, double *data, const size_t *first)
{
    return r ? note(r, r->lost || r->via->allgather(r, data, first)) : 0;
}

int ranks_allgather_one(rank_group *r, double mine, double *all)
{
    all[ranks_rank(r)] = mine;
    if (!r)
        return 0;
    for (int i = 0; i <= r->size; i++)
        r->first[i] = (size_t)i;
    return ranks_allgather(r, all, r->first);
}

double ranks_take_first(rank_group *r, double mine)
{
    if (r)
        note(r, r->lost || r->via->broadcast(r, 0, &mine, sizeof mine));
    return mine;
}

/* Longer error messages are cut. */
enum { LONGEST_MESSAGE = 4096 };

/* All ranks fail with the status and the error message of rank `root`. */
static sgdmft_status take_message(sgdmft_context *ctx, rank_group *r, int root, sgdmft_status status)
{
    char text[LONGEST_MESSAGE] = "";
    if (r->rank == root)
        snprintf(text, sizeof text, "%s", sgdmft_context_message(ctx));
    if (note(r, r->via->broadcast(r, root, text, sizeof text)))
        return lost_message(ctx, r);
    return r->rank == root ? status : context_fail(ctx, status, "%s", text);
}

sgdmft_status ranks_agree(sgdmft_context *ctx, rank_group *r, sgdmft_status status)
{
    if (!r)
        return status;
    if (ranks_allgather_one(r, status, r->per_rank))
        return lost_message(ctx, r);
    for (int root = 0; root < r->size; root++)
        if (r->per_rank[root] != SGDMFT_OK)
            return take_message(ctx, r, root, (sgdmft_status)r->per_rank[root]);
    return SGDMFT_OK;
}

sgdmft_status ranks_broadcast(sgdmft_context *ctx, rank_group *r, void *data, size_t bytes)
{
    return r && note(r, r->lost || r->via->broadcast(r, 0, data, bytes)) ? lost_message(ctx, r) : SGDMFT_OK;
}

sgdmft_status ranks_send(sgdmft_context *ctx, rank_group *r, int to, const void *data, size_t bytes)
{
    return note(r, r->lost || r->via->send(r, to, data, bytes)) ? lost_message(ctx, r) : SGDMFT_OK;
}

sgdmft_status ranks_receive(sgdmft_context *ctx, rank_group *r, int from, void *data, size_t bytes)
{
    return note(r, r->lost || r->via->receive(r, from, data, bytes)) ? lost_message(ctx, r) : SGDMFT_OK;
}

void ranks_raise(rank_group *r)
{
    if (r)
        note(r, r->lost || r->via->raise(r));
}

int ranks_raised(rank_group *r)
{
    return r && (r->lost || r->via->raised(r));
}

void ranks_lower(rank_group *r)
{
    if (r)
        note(r, r->lost || r->via->lower(r));
}
