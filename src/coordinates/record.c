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

static size_t describe(coordinate_record *record, size_t kept, size_t paths, array_row rows[RECORD_ARRAYS_MOST])
{
    size_t nodes = (size_t)record->steps + 1, k = (size_t)record->k, n = 0;
    drift_coefficients *sides[] = {&record->before, &record->after};
    rows[n++] = (array_row){&record->theta.theta, kept * k * paths, 1};
    for (int side = 0; side <= record->renews; side++) {
        rows[n++] = (array_row){&sides[side]->drift_teacher, nodes * k * (size_t)record->kstar, 1};
        rows[n++] = (array_row){&sides[side]->drift_start, nodes * k * k, 1};
        rows[n++] = (array_row){&sides[side]->memory_kernel, nodes * nodes * k * k, 1};
    }
    return n;
}

size_t coordinate_record_arrays(coordinate_record *record, array_row rows[RECORD_ARRAYS_MOST])
{
    return describe(record, record->theta.kept, record->theta.paths, rows);
}

double coordinate_record_bytes(int k, int kstar, const time_grid *grid, size_t paths, size_t kept)
{
    coordinate_record shape = {
        .k = k, .kstar = kstar, .steps = grid->steps, .renews = grid->epoch > 0 && !grid->discrete};
    array_row rows[RECORD_ARRAYS_MOST];
    return arrays_bytes(rows, describe(&shape, kept, paths, rows));
}

sgdmft_status coordinate_record_new(sgdmft_context *ctx, int k, int kstar, const time_grid *grid, size_t paths,
                                    const char *wanted, coordinate_record **out)
{
    array_row rows[RECORD_ARRAYS_MOST];
    *out = NULL;
    coordinate_record *record = calloc(1, sizeof *record);
    if (!record)
        return context_out_of_memory(ctx, "a record of coordinates", sizeof *record);
    *record =
        (coordinate_record){.k = k, .kstar = kstar, .steps = grid->steps, .renews = grid->epoch > 0 && !grid->discrete};
    sgdmft_status status = choose_nodes(ctx, k, (size_t)grid->steps + 1, paths, wanted, &record->theta);
    size_t n = coordinate_record_arrays(record, rows);
    if (!status && arrays_allocate(rows, n))
        status = context_out_of_memory(ctx, "a record of coordinates", arrays_bytes(rows, n));
    if (status)
        coordinate_record_free(record);
    else
        *out = record;
    return status;
}

void coordinate_record_free(coordinate_record *record)
{
    array_row rows[RECORD_ARRAYS_MOST];
    if (!record)
        return;
    arrays_free(rows, coordinate_record_arrays(record, rows));
    coordinate_snapshots_clear(&record->theta);
    free(record);
}

static void take_theta(size_t n_blocks, const coordinate_block *block, const coordinate_snapshots *s, double *theta)
{
    for (size_t b = 0, first = 0; b < n_blocks; first += block[b].in->n, b++)
        for (size_t a = 0; a < (size_t)s->k; a++)
            memcpy(theta + a * s->paths + first, block[b].theta + a * block[b].in->n, sizeof *theta * block[b].in->n);
}

static void take_coefficients(const coordinate_record *record, int node, const coordinate_step *step, int on_path,
                              const drift_coefficients *out)
{
    size_t k = (size_t)record->k, kk = k * k, width = k * (size_t)record->kstar, i = (size_t)node;
    double *memory = out->memory_kernel + i * ((size_t)record->steps + 1) * kk;
    memcpy(out->drift_teacher + i * width, step->drift_teacher, sizeof(double) * width);
    memcpy(out->drift_start + i * kk, step->drift_start, sizeof(double) * kk);
    if (node > 0)
        coordinate_row_to_blocks(record->k, node, step->memory_kernel, kk, memory);
    if (node > 0 && on_path)
        memcpy(memory + i * kk, step->memory_end, sizeof *memory * kk);
}

void coordinate_record_node(coordinate_record *record, int node, const coordinate_step *step, size_t n_blocks,
                            const coordinate_block *block)
{
    double *theta = coordinate_snapshots_at(&record->theta, (size_t)node);
    take_coefficients(record, node, step, block[0].past != NULL, &record->before);
    if (record->renews)
        coordinate_record_renewal(record, node, step);
    if (theta)
        take_theta(n_blocks, block, &record->theta, theta);
}

void coordinate_record_renewal(coordinate_record *record, int node, const coordinate_step *step)
{
    take_coefficients(record, node, step, 0, &record->after);
}
