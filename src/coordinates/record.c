#include "coordinates/record.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

double coordinate_record_bytes(int k, int kstar, int steps, double paths, double wanted)
{
    double n = steps + 1.0;
    return 8.0 * (k * paths * wanted + n * k * (k * n + kstar));
}

sgdmft_status coordinate_record_new(sgdmft_context *ctx, int k, int kstar, int steps, size_t paths, const char *wanted,
                                    coordinate_record **out)
{
    size_t nodes = (size_t)steps + 1, kk = (size_t)(k * k), count = 0;
    *out = NULL;
    coordinate_record *record = calloc(1, sizeof *record);
    if (!record)
        return context_out_of_memory(ctx, "a record of coordinates", sizeof *record);
    *record = (coordinate_record){.k = k, .kstar = kstar, .steps = steps, .paths = paths};
    record->theta = calloc(nodes, sizeof *record->theta);
    record->teacher = memory_doubles(nodes * (size_t)(k * kstar));
    record->start = memory_doubles(nodes * kk);
    record->memory_kernel = memory_doubles(nodes * nodes * kk);
    int failed = !record->theta || !record->teacher || !record->start || !record->memory_kernel;
    for (size_t i = 0; i < nodes && !failed; i++)
        if (wanted[i]) {
            failed = !(record->theta[i] = memory_doubles((size_t)k * paths));
            count++;
        }
    if (failed) {
        coordinate_record_free(record);
        return context_out_of_memory(ctx, "a record of coordinates",
                                     coordinate_record_bytes(k, kstar, steps, (double)paths, (double)count));
    }
    *out = record;
    return SGDMFT_OK;
}

void coordinate_record_free(coordinate_record *record)
{
    if (!record)
        return;
    for (int i = 0; record->theta && i <= record->steps; i++)
        free(record->theta[i]);
    free(record->theta);
    free(record->teacher);
    free(record->start);
    free(record->memory_kernel);
    free(record);
}

static void take_theta(const coordinate_record *record, size_t n_blocks, const coordinate_block *block, double *theta)
{
    for (size_t b = 0, first = 0; b < n_blocks; first += block[b].in->n, b++)
        for (size_t a = 0; a < (size_t)record->k; a++)
            memcpy(theta + a * record->paths + first, block[b].theta + a * block[b].in->n,
                   sizeof *theta * block[b].in->n);
}

void coordinate_record_node(coordinate_record *record, int node, const coordinate_step *step, size_t n_blocks,
                            const coordinate_block *block)
{
    size_t k = (size_t)record->k, kk = k * k, width = k * (size_t)record->kstar, i = (size_t)node;
    memcpy(record->teacher + i * width, step->teacher, sizeof(double) * width);
    memcpy(record->start + i * kk, step->start, sizeof(double) * kk);
    double *answer = record->memory_kernel + i * ((size_t)record->steps + 1) * kk;
    for (size_t j = 0; j < i; j++)
        for (size_t c = 0; c < kk; c++)
            answer[j * kk + c] = step->memory_kernel[c / k * k * i + j * k + c % k];
    if (i > 0 && block[0].past)
        memcpy(answer + i * kk, step->own, sizeof *answer * kk);
    if (record->theta[i])
        take_theta(record, n_blocks, block, record->theta[i]);
}
