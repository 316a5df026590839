#include "paths/inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

void inputs_clear(path_inputs *in)
{
    free(in->rows);
    free(in->own_y);
    free(in->own_test);
    free(in->bridge);
    free(in->slots_before);
    free(in->group_first);
    free(in->groups);
    free(in->visit_lane);  /* holds visit_slot too */
    free(in->visit_place); /* holds the other numbers of visits too */
    memset(in, 0, sizeof *in);
}

/* Event c is in cell c. */
static void one_event_per_cell(path_inputs *in)
{
    for (int i = 0; i <= in->steps; i++)
        in->slots_before[i] = i;
}

size_t inputs_rows(model_shape shape, const sample_process *process, int steps)
{
    size_t noise = process->diffuses ? (size_t)steps : 0;
    return (size_t)(shape.kstar + shape.k + shape.noises) + (size_t)steps * (size_t)shape.k + noise;
}

path_inputs inputs_of_other_rank(const sample_process *process, int steps, size_t n, int slots)
{
    return (path_inputs){.n = n, .slots = process->events == EVENTS_STEPS ? steps : slots, .steps = steps};
}

sgdmft_status inputs_allocate(sgdmft_context *ctx, model_shape shape, const sample_process *process, int steps,
                              size_t n, int slots, inputs_share share, path_inputs *out)
{
    size_t k = (size_t)shape.k, fields = (size_t)(shape.kstar + shape.noises) + k;
    size_t rows = inputs_rows(shape, process, steps) - (share == INPUTS_SHARE ? fields : 0);
    path_inputs in = {.n = n, .slots = process->events == EVENTS_STEPS ? steps : slots, .steps = steps};
    in.rows = memory_raw(rows * n, sizeof *in.rows);
    in.own_y = share == INPUTS_OWN ? memory_doubles((size_t)shape.labels * n) : NULL;
    in.bridge = process->diffuses ? memory_doubles((size_t)steps * n * k) : NULL;
    in.slots_before = memory_zeroed((size_t)steps + 1, sizeof *in.slots_before);
    *out = in;
    if (!in.rows || !in.slots_before || (share == INPUTS_OWN && !in.own_y) || (process->diffuses && !in.bridge)) {
        inputs_clear(out);
        return context_out_of_memory(ctx, "a block of paths", 8.0 * (double)((rows + k * (size_t)in.slots) * n));
    }
    if (process->events == EVENTS_STEPS)
        one_event_per_cell(out);
    if (share == INPUTS_OWN) {
        out->wstar = out->rows;
        out->z0 = out->wstar + (size_t)shape.kstar * n;
        out->eps = out->z0 + k * n;
        out->test = out->z0;
        out->y = out->own_y;
    }
    out->xi = out->rows + (share == INPUTS_OWN ? fields * n : 0);
    out->noise = process->diffuses ? out->xi + (size_t)steps * k * n : NULL;
    return SGDMFT_OK;
}

sgdmft_status visit_sorter_new(sgdmft_context *ctx, path_inputs *in, int k, visit_sorter *out)
{
    enum { RANKS = 8 };
    visit_sorter s = {.in = in, .k = (size_t)k, .ranks = RANKS};
    s.at = memory_zeroed((size_t)in->steps * (size_t)s.ranks, sizeof *s.at);
    s.cell = memory_zeroed(3 * in->n, sizeof *s.cell);
    *out = s;
    if (!s.at || !s.cell) {
        visit_sorter_clear(out);
        return context_out_of_memory(ctx, "the visits", 8.0 * (double)in->steps * RANKS);
    }
    out->rank = s.cell + in->n;
    out->slot = out->rank + in->n;
    for (size_t p = 0; p < in->n; p++)
        out->cell[p] = -1;
    return SGDMFT_OK;
}

void visit_sorter_clear(visit_sorter *sorter)
{
    free(sorter->at);
    free(sorter->cell);
    *sorter = (visit_sorter){0};
}

/* The entry of sorter->at for the group of the next visit of a lane. */
static inline size_t *next_group(visit_sorter *sorter, size_t lane, int cell)
{
    sorter->rank[lane] = sorter->cell[lane] == cell ? sorter->rank[lane] + 1 : 0;
    sorter->cell[lane] = cell;
    return &sorter->at[(size_t)cell * (size_t)sorter->ranks + (size_t)sorter->rank[lane]];
}

/* Makes room for twice as many visits of a lane in one cell. */
static void double_ranks(visit_sorter *sorter)
{
    size_t steps = (size_t)sorter->in->steps, ranks = (size_t)sorter->ranks;
    size_t *wider = memory_zeroed(2 * steps * ranks, sizeof *wider);
    sorter->failed = !wider;
    if (!wider)
        return;
    for (size_t cell = 0; cell < steps; cell++)
        memcpy(wider + 2 * cell * ranks, sorter->at + cell * ranks, sizeof *wider * ranks);
    free(sorter->at);
    sorter->at = wider;
    sorter->ranks *= 2;
}

void visit_sorter_count(visit_sorter *sorter, size_t lane, int cell)
{
    if (sorter->cell[lane] == cell && sorter->rank[lane] + 1 == sorter->ranks)
        double_ranks(sorter);
    if (sorter->failed)
        return;
    (*next_group(sorter, lane, cell))++;
    sorter->in->visits++;
    sorter->slot[lane]++;
    if (sorter->slot[lane] > sorter->in->slots_before[cell + 1])
        sorter->in->slots_before[cell + 1] = sorter->slot[lane];
}

static sgdmft_status allocate_visits(sgdmft_context *ctx, size_t groups, size_t k, path_inputs *in)
{
    size_t visits = in->visits;
    in->group_first = memory_zeroed((size_t)in->steps + 1, sizeof *in->group_first);
    in->groups = memory_zeroed(groups + 1, sizeof *in->groups);
    in->visit_lane = memory_raw(2 * visits + 1, sizeof *in->visit_lane);
    in->visit_place = memory_raw((2 + k) * visits + 1, sizeof *in->visit_place);
    if (!in->group_first || !in->groups || !in->visit_lane || !in->visit_place)
        return context_out_of_memory(ctx, "the visits", 8.0 * (double)((3 + k) * visits));
    in->visit_slot = in->visit_lane + visits;
    in->visit_step = in->visit_place + visits;
    in->visit_bridge = in->visit_step + visits;
    return SGDMFT_OK;
}

sgdmft_status visit_sorter_lay_out(sgdmft_context *ctx, visit_sorter *sorter)
{
    path_inputs *in = sorter->in;
    size_t groups = 0, used = 0;
    for (size_t g = 0; g < (size_t)in->steps * (size_t)sorter->ranks; g++)
        groups += sorter->at[g] > 0;
    if (sorter->failed)
        return context_out_of_memory(ctx, "the visits", 16.0 * (double)in->steps * sorter->ranks);
    sgdmft_status status = allocate_visits(ctx, groups, sorter->k, in);
    if (status)
        return status;
    groups = 0;
    for (int cell = 0; cell < in->steps; cell++) {
        in->group_first[cell] = groups;
        if (in->slots_before[cell + 1] < in->slots_before[cell])
            in->slots_before[cell + 1] = in->slots_before[cell];
        for (int rank = 0; rank < sorter->ranks; rank++) {
            size_t *at = &sorter->at[(size_t)cell * (size_t)sorter->ranks + (size_t)rank], count = *at;
            if (count > 0)
                in->groups[groups++] = (visit_group){used, count, rank};
            *at = used;
            used += count;
        }
    }
    in->group_first[in->steps] = groups;
    for (size_t p = 0; p < in->n; p++) {
        sorter->cell[p] = -1;
        sorter->slot[p] = 0;
    }
    return SGDMFT_OK;
}

visit_address visit_sorter_next(visit_sorter *sorter, size_t lane, int cell)
{
    path_inputs *in = sorter->in;
    size_t at = (*next_group(sorter, lane, cell))++;
    const visit_group *group = &in->groups[in->group_first[cell] + (size_t)sorter->rank[lane]];
    in->visit_lane[at] = (int)lane;
    in->visit_slot[at] = sorter->slot[lane]++;
    return (visit_address){at, sorter->k * group->first + at - group->first, group->count};
}
