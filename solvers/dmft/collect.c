/* A trajectory travels as a header, from which rank 0 makes an empty one of the same shape, then array by array without
   copies. Everything is made before anything travels: a rank 0 without memory tells the others in time. */
#include "solvers/dmft/collect.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/ranks.h"

/* Numbers of a trajectory; as it is in memory, all ranks running the same program. */
typedef struct header {
    int present;
    int nodes, steps, passes_max;
    double passes, visits;
    int status;
    size_t message; /* bytes with the final zero; 0: none */
} header;

typedef struct piece {
    void *data;
    size_t bytes;
} piece;

enum { MOST_PIECES = 16 + KERNELS_ARRAYS_MOST };

static void add(piece *list, size_t *n, double *data, size_t count)
{
    list[(*n)++] = (piece){data, sizeof *data * count};
}

/* The arrays of a solution on a grid that statistics.c and coordinates.c look at. */
static size_t pieces_of(const grid_solution *tr, piece list[MOST_PIECES])
{
    kernels *kern = tr->kern;
    size_t cells = (size_t)kern->steps, nodes = cells + 1, kk = (size_t)(kern->k * kern->k), n = 0;
    array_row rows[KERNELS_ARRAYS_MOST];
    size_t count = kernels_arrays(kern, rows);
    add(list, &n, tr->observed, nodes * tr->observables);
    add(list, &n, tr->residual, nodes);
    add(list, &n, tr->identity, 2 * kk);
    add(list, &n, tr->identity_scale, 2 * kk);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kept)
            add(list, &n, *rows[i].data, rows[i].count);
    if (tr->record) {
        count = coordinate_record_arrays(tr->record, rows);
        for (size_t i = 0; i < count; i++)
            add(list, &n, *rows[i].data, rows[i].count);
    }
    return n;
}

static header header_of(const replica_result *result, int level)
{
    const grid_solution *tr = result->on_grid[level];
    if (!tr)
        return (header){.visits = result->visits};
    return (header){.present = 1,
                    .nodes = tr->nodes,
                    .steps = tr->steps,
                    .passes_max = tr->passes_max,
                    .passes = tr->passes,
                    .visits = result->visits,
                    .status = tr->status,
                    .message = tr->message ? strlen(tr->message) + 1 : 0};
}

static sgdmft_status make_grid_solution(sgdmft_context *ctx, const dmft_plan *plan, int level, const header *head,
                                     replica_result *result)
{
    result->visits = head->visits;
    if (!head->present)
        return SGDMFT_OK;
    sgdmft_status status = nested_grid_solution(ctx, plan, level, &result->on_grid[level]);
    if (status)
        return status;
    grid_solution *tr = result->on_grid[level];
    if (tr->kern->sampled == NULL && plan->penalty)
        status = kernels_set_sampled(ctx, tr->kern);
    tr->nodes = head->nodes;
    tr->steps = head->steps;
    tr->passes_max = head->passes_max;
    tr->passes = head->passes;
    tr->status = (sgdmft_status)head->status;
    if (!status && head->message && !(tr->message = calloc(head->message, 1)))
        status = context_out_of_memory(ctx, "a message", (double)head->message);
    return status;
}

/* Sends or receives one block of bytes. */
typedef struct channel {
    rank_group *ranks;
    int other;
    int receives;
} channel;

static sgdmft_status pass(sgdmft_context *ctx, const channel *c, void *data, size_t bytes)
{
    return c->receives ? ranks_receive(ctx, c->ranks, c->other, data, bytes)
                       : ranks_send(ctx, c->ranks, c->other, data, bytes);
}

static sgdmft_status pass_trajectory(sgdmft_context *ctx, const channel *c, grid_solution *tr, size_t message)
{
    piece list[MOST_PIECES];
    size_t n = pieces_of(tr, list);
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < n && !status; i++)
        status = pass(ctx, c, list[i].data, list[i].bytes);
    if (!status && message)
        status = pass(ctx, c, tr->message, message);
    return status;
}

/* The first half, headers, or the second, arrays, of all replicas. `head` is [asked][GRIDS]. */
static sgdmft_status pass_all(sgdmft_context *ctx, const dmft_plan *plan, const rank_layout *layout, replica_set *set,
                              header *head, int arrays)
{
    rank_group *all = ctx->ranks;
    sgdmft_status status = SGDMFT_OK, made = SGDMFT_OK;
    for (int r = 0; r < set->asked && !status; r++) {
        int owner = rank_layout_leader(layout, all->size, r % layout->groups);
        channel c = {all, all->rank == 0 ? owner : 0, all->rank == 0};
        if (owner == 0 || (all->rank != 0 && all->rank != owner))
            continue;
        for (int level = 0; level < GRIDS && !status; level++) {
            header *h = &head[r * GRIDS + level];
            if (arrays) {
                if (h->present)
                    status = pass_trajectory(ctx, &c, set->result[r].on_grid[level], h->message);
                continue;
            }
            *h = header_of(&set->result[r], level);
            status = pass(ctx, &c, h, sizeof *h);
            if (!status && !made && c.receives)
                made = make_grid_solution(ctx, plan, level, h, &set->result[r]);
        }
    }
    return status ? status : made;
}

sgdmft_status collect_replicas(sgdmft_context *ctx, const dmft_plan *plan, const rank_layout *layout, replica_set *set)
{
    if (!ctx->ranks)
        return SGDMFT_OK;
    header *head = memory_zeroed((size_t)set->asked * GRIDS, sizeof *head);
    sgdmft_status status =
        head ? SGDMFT_OK : context_out_of_memory(ctx, "the replicas", (double)set->asked * GRIDS * sizeof *head);
    status = ranks_agree(ctx, ctx->ranks, status);
    for (int arrays = 0; arrays < 2 && !status; arrays++)
        status = ranks_agree(ctx, ctx->ranks, pass_all(ctx, plan, layout, set, head, arrays));
    free(head);
    return status;
}
