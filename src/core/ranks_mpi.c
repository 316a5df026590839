/* Ranks as processes of MPI. No other file of the library uses MPI. */
#include <mpi.h>
#include <stdlib.h>

#include "core/ranks.h"
#include "sgdmft/mpi.h"

enum { TAG_DATA = 1, TAG_FLAG = 2 };
/* Bytes of one message: MPI counts them by ints. */
enum { MOST_BYTES = 1 << 30 };

typedef struct mpi_ranks {
    rank_group base;
    MPI_Comm comm;
    int *count, *start;     /* [size] of an allgather */
    int flagged;            /* 1: some rank raised the flag */
    int raised_here;        /* 1: this rank raised it */
    int flags_seen;         /* flags of other ranks that have arrived */
    MPI_Request *flag_sent; /* [size] */
} mpi_ranks;

static inline mpi_ranks *of(rank_group *r)
{
    return (mpi_ranks *)r;
}

static void mpi_free(rank_group *r)
{
    mpi_ranks *m = of(r);
    if (m->comm != MPI_COMM_NULL)
        MPI_Comm_free(&m->comm);
    free(m->base.per_rank);
    free(m->base.first);
    free(m->count);
    free(m->start);
    free(m->flag_sent);
    free(m);
}

static int ranks_here(MPI_Comm comm)
{
    MPI_Comm machine;
    int n = 1;
    if (MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine))
        return 1;
    MPI_Comm_size(machine, &n);
    MPI_Comm_free(&machine);
    return n;
}

static const ranks_transport over_mpi;

/* Takes over `comm`. Collective calls come first, so that a rank without memory does not keep the others waiting. */
static rank_group *mpi_ranks_of(MPI_Comm comm)
{
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    int here = ranks_here(comm);
    mpi_ranks *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (mpi_ranks){.comm = comm, .base = {.via = &over_mpi, .here = here}};
    MPI_Comm_rank(comm, &m->base.rank);
    MPI_Comm_size(comm, &m->base.size);
    size_t n = (size_t)m->base.size;
    m->base.per_rank = calloc(n, sizeof *m->base.per_rank);
    m->base.first = calloc(n + 1, sizeof *m->base.first);
    m->count = calloc(n, sizeof *m->count);
    m->start = calloc(n, sizeof *m->start);
    m->flag_sent = calloc(n, sizeof *m->flag_sent);
    if (m->base.per_rank && m->base.first && m->count && m->start && m->flag_sent)
        return &m->base;
    mpi_free(&m->base);
    return NULL;
}

static int mpi_split(rank_group *all, int colour, rank_group **out)
{
    MPI_Comm comm;
    if (MPI_Comm_split(of(all)->comm, colour, all->rank, &comm))
        return 1;
    *out = mpi_ranks_of(comm);
    return 0;
}

static int mpi_allgather(rank_group *r, double *data, const size_t *first)
{
    mpi_ranks *m = of(r);
    for (int i = 0; i < r->size; i++) {
        m->start[i] = (int)first[i];
        m->count[i] = (int)(first[i + 1] - first[i]);
    }
    return MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, m->count, m->start, MPI_DOUBLE, m->comm);
}

/* Transfers one piece of a long message. */
typedef int (*piece_fn)(mpi_ranks *m, int other, char *data, int bytes);

static int in_pieces(rank_group *r, int other, void *data, size_t bytes, piece_fn act)
{
    for (size_t done = 0; done < bytes; done += MOST_BYTES) {
        size_t left = bytes - done;
        if (act(of(r), other, (char *)data + done, (int)(left < MOST_BYTES ? left : MOST_BYTES)))
            return 1;
    }
    return 0;
}

static int broadcast_piece(mpi_ranks *m, int root, char *data, int bytes)
{
    return MPI_Bcast(data, bytes, MPI_BYTE, root, m->comm);
}

static int send_piece(mpi_ranks *m, int to, char *data, int bytes)
{
    return MPI_Send(data, bytes, MPI_BYTE, to, TAG_DATA, m->comm);
}

static int receive_piece(mpi_ranks *m, int from, char *data, int bytes)
{
    MPI_Status status;
    int got = 0;
    return MPI_Recv(data, bytes, MPI_BYTE, from, TAG_DATA, m->comm, &status) ||
           MPI_Get_count(&status, MPI_BYTE, &got) || got != bytes;
}

static int mpi_broadcast(rank_group *r, int root, void *data, size_t bytes)
{
    return in_pieces(r, root, data, bytes, broadcast_piece);
}

static int mpi_send(rank_group *r, int to, const void *data, size_t bytes)
{
    return in_pieces(r, to, (void *)data, bytes, send_piece);
}

static int mpi_receive(rank_group *r, int from, void *data, size_t bytes)
{
    return in_pieces(r, from, data, bytes, receive_piece);
}

/* The flag is an empty message to every other rank. */
static int mpi_raise(rank_group *r)
{
    mpi_ranks *m = of(r);
    int failed = 0;
    m->flagged = 1;
    for (int i = 0; i < r->size && !m->raised_here; i++)
        if (i == r->rank)
            m->flag_sent[i] = MPI_REQUEST_NULL;
        else
            failed |= MPI_Isend(NULL, 0, MPI_BYTE, i, TAG_FLAG, m->comm, &m->flag_sent[i]);
    m->raised_here = 1;
    return failed;
}

static int take_flag(mpi_ranks *m)
{
    m->flagged = 1;
    m->flags_seen++;
    return MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, TAG_FLAG, m->comm, MPI_STATUS_IGNORE);
}

static int mpi_raised(rank_group *r)
{
    mpi_ranks *m = of(r);
    int waiting = 0;
    if (!m->flagged && !MPI_Iprobe(MPI_ANY_SOURCE, TAG_FLAG, m->comm, &waiting, MPI_STATUS_IGNORE) && waiting &&
        take_flag(m))
        return 1;
    return m->flagged;
}

static int mpi_lower(rank_group *r)
{
    mpi_ranks *m = of(r);
    int all = 0, failed = MPI_Allreduce(&m->raised_here, &all, 1, MPI_INT, MPI_SUM, m->comm);
    while (!failed && m->flags_seen < all - m->raised_here)
        failed = take_flag(m);
    if (!failed && m->raised_here)
        failed = MPI_Waitall(r->size, m->flag_sent, MPI_STATUSES_IGNORE);
    m->flagged = m->raised_here = m->flags_seen = 0;
    return failed;
}

static const ranks_transport over_mpi = {.split = mpi_split,
                                         .free = mpi_free,
                                         .allgather = mpi_allgather,
                                         .broadcast = mpi_broadcast,
                                         .send = mpi_send,
                                         .receive = mpi_receive,
                                         .raise = mpi_raise,
                                         .raised = mpi_raised,
                                         .lower = mpi_lower};

sgdmft_status sgdmft_context_use_mpi(sgdmft_context *ctx, const void *comm)
{
    MPI_Comm own;
    int running = 0, size = 0;
    MPI_Initialized(&running);
    if (!running || !comm)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT,
                            "sgdmft_context_use_mpi: %s; allowed: the address of a communicator after MPI_Init_thread",
                            running ? "the communicator is NULL" : "MPI is not initialised");
    ranks_free(ctx->ranks);
    ctx->ranks = NULL;
    MPI_Comm_size(*(const MPI_Comm *)comm, &size);
    if (size == 1)
        return SGDMFT_OK;
    if (MPI_Comm_dup(*(const MPI_Comm *)comm, &own))
        return context_fail(ctx, SGDMFT_ERR_IO, "sgdmft_context_use_mpi: the communicator of %d ranks cannot be copied",
                            size);
    ctx->ranks = mpi_ranks_of(own);
    return ctx->ranks ? SGDMFT_OK : context_out_of_memory(ctx, "the ranks", 20.0 * size);
}
