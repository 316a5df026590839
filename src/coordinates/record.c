#include "coordinates/record.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* All of *out but the array of values. */
static sgdmft_status choose_nodes(sgdmft_context *ctx, int k, size_t nodes, size_t paths, const char *wanted,
                                  coordinate_snapshots *out)
{
    *out = (coordinate_snapshots){.k = k, .nodes = nodes, .paths = paths};
    out->place = malloc(nodes * sizeof *out->place);
    if (!out->place)
        return context_out_of_memory(ctx, "the values of coordinates", (double)(nodes * sizeof *out->place));
    for (size_t i = 0; i < nodes; i++)
        out->kept += wanted[i] != 0;
    for (size_t i = 0, next = 0; i < nodes; i++)
        out->place[i] = wanted[i] ? next++ : out->kept;
    return SGDMFT_OK;
}

sgdmft_status coordinate_snapshots_new(sgdmft_context *ctx, int k, size_t nodes, size_t paths, const char *wanted,
                                       coordinate_snapshots *out)
{
    sgdmft_status status = choose_nodes(ctx, k, nodes, paths, wanted, out);
    size_t size = out->kept * (size_t)k * paths;
    if (!status && !(out->theta = memory_doubles(size)))
        status = context_out_of_memory(ctx, "the values of coordinates", 8.0 * (double)size);
    return status;
}

void coordinate_snapshots_clear(coordinate_snapshots *s)
{
    free(s->place);
    free(s->theta);
    *s = (coordinate_snapshots){.k = s->k};
}

double *coordinate_snapshots_at(const coordinate_snapshots *s, size_t node)
{
    return s->place[node] < s->kept ? s->theta + s->place[node] * (size_t)s->k * s->paths : NULL;
}

static void describe(coordinate_record *record, size_t kept, size_t paths, array_row rows[RECORD_ARRAYS])
{
    size_t nodes = (size_t)record->steps + 1, k = (size_t)record->k;
    const array_row all[RECORD_ARRAYS] = {
        {&record->theta.theta, kept * k * paths, 1},
        {&record->drift_teacher, nodes * k * (size_t)record->kstar, 1},
        {&record->drift_start, nodes * k * k, 1},
        {&record->memory_kernel, nodes * nodes * k * k, 1},
    };
    memcpy(rows, all, sizeof all);
}

void coordinate_record_arrays(coordinate_record *record, array_row rows[RECORD_ARRAYS])
{
    describe(record, record->theta.kept, record->theta.paths, rows);
}

double coordinate_record_bytes(int k, int kstar, int steps, size_t paths, size_t kept)
{
    coordinate_record shape = {.k = k, .kstar = kstar, .steps = steps};
    array_row rows[RECORD_ARRAYS];
    describe(&shape, kept, paths, rows);
    return arrays_bytes(rows, RECORD_ARRAYS);
}

sgdmft_status coordinate_record_new(sgdmft_context *ctx, int k, int kstar, int steps, size_t paths, const char *wanted,
                                    coordinate_record **out)
{
    array_row rows[RECORD_ARRAYS];
    *out = NULL;
    coordinate_record *record = calloc(1, sizeof *record);
    if (!record)
        return context_out_of_memory(ctx, "a record of coordinates", sizeof *record);
    *record = (coordinate_record){.k = k, .kstar = kstar, .steps = steps};
    sgdmft_status status = choose_nodes(ctx, k, (size_t)steps + 1, paths, wanted, &record->theta);
    coordinate_record_arrays(record, rows);
    if (!status && arrays_allocate(rows, RECORD_ARRAYS))
        status = context_out_of_memory(ctx, "a record of coordinates", arrays_bytes(rows, RECORD_ARRAYS));
    if (status)
        coordinate_record_free(record);
    else
        *out = record;
    return status;
}

void coordinate_record_free(coordinate_record *record)
{
    array_row rows[RECORD_ARRAYS];
    if (!record)
        return;
    coordinate_record_arrays(record, rows);
    arrays_free(rows, RECORD_ARRAYS);
    coordinate_snapshots_clear(&record->theta);
    free(record);
}

static void take_theta(size_t n_blocks, const coordinate_block *block, const coordinate_snapshots *s, double *theta)
{
    for (size_t b = 0, first = 0; b < n_blocks; first += block[b].in->n, b++)
        for (size_t a = 0; a < (size_t)s->k; a++)
            memcpy(theta + a * s->paths + first, block[b].theta + a * block[b].in->n, sizeof *theta * block[b].in->n);
}

void coordinate_record_node(coordinate_record *record, int node, const coordinate_step *step, size_t n_blocks,
                            const coordinate_block *block)
{
    size_t k = (size_t)record->k, kk = k * k, width = k * (size_t)record->kstar, i = (size_t)node;
    double *theta = coordinate_snapshots_at(&record->theta, i);
    double *memory = record->memory_kernel + i * ((size_t)record->steps + 1) * kk;
    memcpy(record->drift_teacher + i * width, step->drift_teacher, sizeof(double) * width);
    memcpy(record->drift_start + i * kk, step->drift_start, sizeof(double) * kk);
    if (node > 0)
        coordinate_row_to_blocks(record->k, node, step->memory_kernel, kk, memory);
    if (node > 0 && block[0].past)
        memcpy(memory + i * kk, step->memory_end, sizeof *memory * kk);
    if (theta)
        take_theta(n_blocks, block, &record->theta, theta);
}
