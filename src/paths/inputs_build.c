#include "paths/inputs_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

path_ensemble *ensemble_allocate(size_t n_blocks)
{
    path_ensemble *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->block = calloc(n_blocks, sizeof *e->block);
    if (!e->block) {
        free(e);
        return NULL;
    }
    e->n_blocks = n_blocks;
    return e;
}

void inputs_clear(path_inputs *in)
{
    free(in->wstar); /* holds z0, eps, xi and noise too */
    free(in->y);
    free(in->time);
    free(in->place);
    free(in->weight);
    free(in->cell);
    free(in->visits);
    free(in->bridge);
    free(in->slots_before);
    free(in->group_first);
    free(in->groups);
    free(in->visit_slot);
    free(in->visit_lane);
    free(in->visit_time); /* holds place, weight and bridge too */
    memset(in, 0, sizeof *in);
}

void path_ensemble_free(path_ensemble *e)
{
    if (!e)
        return;
    for (size_t b = 0; b < e->n_blocks; b++)
        inputs_clear(&e->block[b]);
    free(e->block);
    free(e);
}

static int allocate_visits(path_inputs *in, size_t k)
{
    size_t visits = (size_t)in->slots * in->n;
    in->time = memory_doubles(visits);
    in->place = memory_doubles(visits);
    in->weight = memory_doubles(visits);
    in->cell = memory_zeroed(visits, sizeof *in->cell);
    in->visits = memory_zeroed(in->n, sizeof *in->visits);
    in->group_first = memory_zeroed((size_t)in->steps + 1, sizeof *in->group_first);
    in->visit_slot = memory_zeroed(visits, sizeof *in->visit_slot);
    in->visit_lane = memory_zeroed(visits, sizeof *in->visit_lane);
    in->visit_time = memory_doubles((3 + k) * visits);
    in->visit_place = in->visit_time + visits;
    in->visit_weight = in->visit_place + visits;
    in->visit_bridge = in->visit_weight + visits;
    return in->time && in->place && in->weight && in->cell && in->visits && in->group_first && in->visit_slot &&
           in->visit_lane && in->visit_time;
}

/* Event c in cell c. */
static void one_event_per_cell(path_inputs *in)
{
    for (int i = 0; i <= in->steps; i++)
        in->slots_before[i] = i;
}

size_t inputs_rows(model_shape shape, const path_driver *driver, int steps)
{
    size_t noise = driver->per_cell && driver->singular ? (size_t)steps : 0;
    return (size_t)(shape.kstar + shape.k + shape.noises) + (size_t)steps * (size_t)shape.k + noise;
}

sgdmft_status inputs_allocate(sgdmft_context *ctx, model_shape shape, const path_driver *driver, int steps, size_t n,
                              int slots, path_inputs *out)
{
    size_t k = (size_t)shape.k, rows = inputs_rows(shape, driver, steps);
    path_inputs in = {.n = n, .slots = driver->per_cell ? steps : slots, .steps = steps};
    in.wstar = memory_doubles(rows * n);
    in.y = memory_doubles((size_t)shape.labels * n);
    in.bridge = driver->singular ? memory_doubles((size_t)in.slots * n * k) : NULL;
    in.slots_before = memory_zeroed((size_t)steps + 1, sizeof *in.slots_before);
    int failed = !in.wstar || !in.y || (driver->singular && !in.bridge) || !in.slots_before;
    if (!failed && driver->per_cell)
        one_event_per_cell(&in);
    else if (!failed)
        failed = !allocate_visits(&in, k);
    *out = in;
    if (failed) {
        inputs_clear(out);
        return context_out_of_memory(ctx, "a block of paths", 8.0 * (double)((rows + (4 + k) * (size_t)in.slots) * n));
    }
    out->z0 = in.wstar + (size_t)shape.kstar * n;
    out->eps = out->z0 + k * n;
    out->xi = out->eps + (size_t)shape.noises * n;
    out->noise = driver->per_cell && driver->singular ? out->xi + (size_t)steps * k * n : NULL;
    return SGDMFT_OK;
}

static int append_group(path_inputs *in, size_t *used, size_t *capacity, visit_group group)
{
    if (*used == *capacity) {
        *capacity = 2 * *capacity + 64;
        visit_group *grown = realloc(in->groups, *capacity * sizeof *grown);
        if (!grown)
            return -1;
        in->groups = grown;
    }
    in->groups[(*used)++] = group;
    return 0;
}

/* Takes the next visit of every lane that lies in `cell`, one per lane; returns their number. */
static size_t take_rank(path_inputs *in, int cell, int *next, size_t first)
{
    size_t count = 0;
    for (size_t p = 0; p < in->n; p++) {
        size_t at = (size_t)next[p] * in->n + p;
        if (next[p] >= in->visits[p] || in->cell[at] != cell)
            continue;
        in->visit_slot[first + count] = next[p]++;
        in->visit_lane[first + count] = (int)p;
        count++;
    }
    return count;
}

static void gather_group(path_inputs *in, size_t k, const visit_group *group)
{
    for (size_t v = group->first; v < group->first + group->count; v++) {
        size_t slot = (size_t)in->visit_slot[v], lane = (size_t)in->visit_lane[v], at = slot * in->n + lane;
        in->visit_time[v] = in->time[at];
        in->visit_place[v] = in->place[at];
        in->visit_weight[v] = in->weight[at];
        for (size_t c = 0; c < k; c++)
            in->visit_bridge[k * group->first + c * group->count + v - group->first] =
                in->bridge[(slot * k + c) * in->n + lane];
    }
}

sgdmft_status inputs_group_visits(sgdmft_context *ctx, int k, path_inputs *in)
{
    size_t used = 0, capacity = 0, visits = 0;
    int *next = memory_zeroed(in->n, sizeof *next), failed = !next;
    for (int cell = 0; cell < in->steps && !failed; cell++) {
        in->group_first[cell] = used;
        size_t count;
        for (int rank = 0; !failed && (count = take_rank(in, cell, next, visits)) > 0; rank++) {
            visit_group group = {visits, count, rank};
            gather_group(in, (size_t)k, &group);
            failed = append_group(in, &used, &capacity, group);
            visits += count;
        }
        int most = 0;
        for (size_t p = 0; p < in->n && !failed; p++)
            if (next[p] > most)
                most = next[p];
        in->slots_before[cell + 1] = most;
    }
    in->group_first[in->steps] = used;
    free(next);
    return failed ? context_out_of_memory(ctx, "the visits", 16.0 * (double)used) : SGDMFT_OK;
}
