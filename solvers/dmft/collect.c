/* A solution on a grid travels as a header, from which rank 0 makes an empty solution of the same shape, and then array
   by array without copies. All solutions are made before any array travels, so that rank 0 can report a lack of memory
   before the others send. */
#include "solvers/dmft/collect.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/ranks.h"

/* The numbers of a solution on a grid. They are sent as they are in memory, since all ranks run the same program. */
typedef struct header {
    int present;
    int nodes, steps, passes_max;
    double passes, visits;
    int status;
    size_t message; /* bytes of the message with its final zero; 0: there is none */
} header;

/* One array of a solution. */
typedef struct piece {
    void *data;
    size_t bytes;
} piece;

enum { MOST_PIECES = 24 + KERNELS_ARRAYS_MOST };

static void add(piece *list, size_t *n, double *data, size_t count)
{
    list[(*n)++] = (piece){data, sizeof *data * count};
}

/* The arrays of a solution on a grid that statistics.c and coordinates.c read. */
static size_t pieces_of(const grid_solution *on_grid, piece list[MOST_PIECES])
{
    const grid_shape *shape = &on_grid->shape;
    size_t nodes = (size_t)shape->steps + 1, kk = (size_t)(shape->k * shape->k), n = 0;
    size_t marks = (size_t)shape->marks;
    array_row rows[KERNELS_ARRAYS_MOST];
    size_t count = on_grid->kern ? kernels_arrays(on_grid->kern, rows) : 0;
    add(list, &n, on_grid->observed, nodes * on_grid->observables);
    add(list, &n, on_grid->residual, nodes);
    add(list, &n, on_grid->C, nodes * kk);
    add(list, &n, on_grid->m, nodes * (size_t)(shape->k * shape->kstar));
    add(list, &n, on_grid->R, nodes * kk);
    add(list, &n, on_grid->Q, nodes * kk);
    add(list, &n, on_grid->C_marks, marks * marks * kk);
    add(list, &n, on_grid->R_marks, marks * marks * kk);
    add(list, &n, on_grid->identity, 2 * kk);
    add(list, &n, on_grid->identity_scale, 2 * kk);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kept)
            add(list, &n, *rows[i].data, rows[i].count);
    if (on_grid->record) {
        count = coordinate_record_arrays(on_grid->record, rows);
        for (size_t i = 0; i < count; i++)
            add(list, &n, *rows[i].data, rows[i].count);
    }
    return n;
}

static header header_of(const replica_result *result, int grid)
{
    const grid_solution *on_grid = result->on_grid[grid];
    if (!on_grid)
        return (header){.visits = result->visits};
    return (header){.present = 1,
                    .nodes = on_grid->nodes,
                    .steps = on_grid->steps,
                    .passes_max = on_grid->passes_max,
                    .passes = on_grid->passes,
                    .visits = result->visits,
                    .status = on_grid->status,
                    .message = on_grid->message ? strlen(on_grid->message) + 1 : 0};
}

/* On rank 0: an empty solution of the shape that the header states. */
static sgdmft_status make_grid_solution(sgdmft_context *ctx, const dmft_plan *plan, int grid, const header *head,
                                        replica_result *result)
{
    result->visits = head->visits;
    if (!head->present)
        return SGDMFT_OK;
    sgdmft_status status = nested_grid_solution(ctx, plan, grid, &result->on_grid[grid]);
    if (status)
        return status;
    grid_solution *on_grid = result->on_grid[grid];
    if (on_grid->kern && on_grid->kern->sampled == NULL && plan->penalty)
        status = kernels_set_sampled(ctx, on_grid->kern);
    on_grid->nodes = head->nodes;
    on_grid->steps = head->steps;
    on_grid->passes_max = head->passes_max;
    on_grid->passes = head->passes;
    on_grid->status = (sgdmft_status)head->status;
    if (!status && head->message && !(on_grid->message = calloc(head->message, 1)))
        status = context_out_of_memory(ctx, "a message", (double)head->message);
    return status;
}

/* The rank that this one sends to or receives from. */
typedef struct channel {
    rank_group *ranks;
    int other;    /* rank */
    int receives; /* 1: this rank receives */
} channel;

/* Sends or receives one block of bytes. */
static sgdmft_status pass(sgdmft_context *ctx, const channel *c, void *data, size_t bytes)
{
    return c->receives ? ranks_receive(ctx, c->ranks, c->other, data, bytes)
                       : ranks_send(ctx, c->ranks, c->other, data, bytes);
}

static sgdmft_status pass_grid_solution(sgdmft_context *ctx, const channel *c, grid_solution *on_grid, size_t message)
{
    piece list[MOST_PIECES];
    size_t n = pieces_of(on_grid, list);
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < n && !status; i++)
        status = pass(ctx, c, list[i].data, list[i].bytes);
    if (!status && message)
        status = pass(ctx, c, on_grid->message, message);
    return status;
}

/* Passes the headers of all replicas to rank 0, or their arrays if `arrays` is 1. `head` is [asked][GRIDS]. */
static sgdmft_status pass_all(sgdmft_context *ctx, const dmft_plan *plan, const rank_layout *layout, replica_set *set,
                              header *head, int arrays)
{
    rank_group *all = ctx->ranks;
    sgdmft_status status = SGDMFT_OK, made = SGDMFT_OK;
    for (int r = set->solved; r < set->asked && !status; r++) {
        int owner = rank_layout_leader(layout, all->size, (r - set->solved) % layout->groups);
        channel c = {all, all->rank == 0 ? owner : 0, all->rank == 0};
        if (owner == 0 || (all->rank != 0 && all->rank != owner))
            continue;
        for (int grid = 0; grid < GRIDS && !status; grid++) {
            header *h = &head[r * GRIDS + grid];
            if (arrays) {
                if (h->present)
                    status = pass_grid_solution(ctx, &c, set->result[r].on_grid[grid], h->message);
                continue;
            }
            *h = header_of(&set->result[r], grid);
            status = pass(ctx, &c, h, sizeof *h);
            if (!status && !made && c.receives)
                made = make_grid_solution(ctx, plan, grid, h, &set->result[r]);
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
