#include "columns/solution_arrays.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/arrays.h"

#define GRID(field) OWNER_GRID, 0, offsetof(sgdmft_solution, field)
#define HISTOGRAM(field) OWNER_HISTOGRAMS, 0, offsetof(solution_histograms, field)
#define SAMPLED_HISTOGRAM(field) OWNER_HISTOGRAMS, 1, offsetof(solution_histograms, field)
#define COORDINATES(field) OWNER_COORDINATES, 0, offsetof(solution_coordinates, field)
#define RENEWAL(field) OWNER_COORDINATES, 1, offsetof(solution_coordinates, field)

static const array_kind kinds[] = {
    {"t", GRID(t), 1, {SIDE_NODES}},
    {"C", GRID(C), 4, {SIDE_NODES, SIDE_NODES, SIDE_K, SIDE_K}},
    {"R", GRID(R), 4, {SIDE_NODES, SIDE_NODES, SIDE_K, SIDE_K}},
    {"m", GRID(m), 3, {SIDE_NODES, SIDE_K, SIDE_KSTAR}},
    {"residual", GRID(residual), 1, {SIDE_NODES}},
    {"histograms/t", HISTOGRAM(t), 1, {SIDE_TIMES}},
    {"histograms/edges", HISTOGRAM(edges), 2, {SIDE_K, SIDE_EDGES}},
    {"histograms/density", HISTOGRAM(density), 3, {SIDE_TIMES, SIDE_K, SIDE_BINS}},
    {"histograms/se", SAMPLED_HISTOGRAM(se), 3, {SIDE_TIMES, SIDE_K, SIDE_BINS}},
    {"coordinates/L", COORDINATES(L), 4, {SIDE_CELLS, SIDE_CELLS, SIDE_K, SIDE_K}},
    {"coordinates/onto_teacher", COORDINATES(onto_teacher), 3, {SIDE_NODES, SIDE_K, SIDE_KSTAR}},
    {"coordinates/onto_start", COORDINATES(onto_start), 3, {SIDE_NODES, SIDE_K, SIDE_K}},
    {"coordinates/V", COORDINATES(V), 4, {SIDE_NODES, SIDE_CELLS, SIDE_K, SIDE_K}},
    {"coordinates/V_inverse", COORDINATES(V_inverse), 3, {SIDE_CELLS, SIDE_K, SIDE_K}},
    {"coordinates/drift_teacher", COORDINATES(drift_teacher), 3, {SIDE_NODES, SIDE_K, SIDE_KSTAR}},
    {"coordinates/drift_start", COORDINATES(drift_start), 3, {SIDE_NODES, SIDE_K, SIDE_K}},
    {"coordinates/memory_kernel", COORDINATES(memory_kernel), 4, {SIDE_NODES, SIDE_NODES, SIDE_K, SIDE_K}},
    {"coordinates/eta_start", COORDINATES(eta_start), 1, {SIDE_CELLS}},
    {"coordinates/eta_end", COORDINATES(eta_end), 1, {SIDE_CELLS}},
    {"coordinates/drift_teacher_after", RENEWAL(drift_teacher_after), 3, {SIDE_NODES, SIDE_K, SIDE_KSTAR}},
    {"coordinates/drift_start_after", RENEWAL(drift_start_after), 3, {SIDE_NODES, SIDE_K, SIDE_K}},
    {"coordinates/memory_kernel_after", RENEWAL(memory_kernel_after), 4, {SIDE_NODES, SIDE_NODES, SIDE_K, SIDE_K}},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *solution_arrays_group(array_owner owner)
{
    static const char *const groups[OWNERS] = {"", "histograms", "coordinates"};
    return groups[owner];
}

/* The structure that the offsets of an owner count from, or NULL if the solution lacks it. */
static const void *base_of(const sgdmft_solution *solution, array_owner owner)
{
    switch (owner) {
    case OWNER_GRID: return solution->n_grid > 0 ? solution : NULL;
    case OWNER_HISTOGRAMS: return solution->histograms;
    case OWNER_COORDINATES: return solution->coordinates;
    case OWNERS: break;
    }
    return NULL;
}

static size_t length_of(const sgdmft_solution *solution, array_side side)
{
    const solution_histograms *h = solution->histograms;
    switch (side) {
    case SIDE_NODES: return solution->n_grid;
    case SIDE_CELLS: return solution->n_grid > 0 ? solution->n_grid - 1 : 0;
    case SIDE_K: return (size_t)solution->k;
    case SIDE_KSTAR: return (size_t)solution->kstar;
    case SIDE_TIMES: return h ? h->n_times : 0;
    case SIDE_BINS: return h ? h->n_bins : 0;
    case SIDE_EDGES: return h ? h->n_bins + 1 : 0;
    }
    return 0;
}

/* Shape alone. The size is SIZE_MAX if it does not fit into a number. */
static solution_array shape_of(const sgdmft_solution *solution, const array_kind *kind)
{
    solution_array out = {.kind = kind, .size = 1};
    int overflow = 0;
    for (int x = 0; x < kind->rank; x++) {
        out.extent[x] = length_of(solution, kind->side[x]);
        overflow |= __builtin_mul_overflow(out.size, out.extent[x], &out.size);
    }
    if (overflow)
        out.size = SIZE_MAX;
    return out;
}

int solution_arrays_get(const sgdmft_solution *solution, size_t index, solution_array *out)
{
    if (index >= KINDS)
        return 0;
    const char *base = base_of(solution, kinds[index].owner);
    *out = shape_of(solution, &kinds[index]);
    if (base)
        out->values = *(double *const *)(base + kinds[index].offset);
    return 1;
}

/* The pointers of the required (optional = 0) or the optional arrays of an owner. A grid that was cut to nothing still
   has arrays. Returns their number. */
static size_t rows_of(sgdmft_solution *solution, array_owner owner, int optional, array_row rows[KINDS])
{
    char *base = owner == OWNER_GRID ? (char *)solution : (char *)base_of(solution, owner);
    size_t n = 0;
    for (size_t i = 0; i < KINDS && base; i++)
        if (kinds[i].owner == owner && kinds[i].optional == optional)
            rows[n++] =
                (array_row){.data = (double **)(base + kinds[i].offset), .count = shape_of(solution, &kinds[i]).size};
    return n;
}

sgdmft_status solution_arrays_allocate(sgdmft_context *ctx, sgdmft_solution *solution, array_owner owner, int optional,
                                       const char *what)
{
    array_row rows[KINDS];
    size_t n = rows_of(solution, owner, optional, rows);
    return arrays_allocate(rows, n) ? context_out_of_memory(ctx, what, arrays_bytes(rows, n)) : SGDMFT_OK;
}

void solution_arrays_free(sgdmft_solution *solution, array_owner owner)
{
    array_row rows[KINDS];
    for (int optional = 0; optional < 2; optional++)
        arrays_free(rows, rows_of(solution, owner, optional, rows));
}

void solution_arrays_describe_shape(const array_kind *kind, char out[32])
{
    static const char *const names[] = {
        [SIDE_NODES] = "N", [SIDE_CELLS] = "N-1", [SIDE_K] = "k",           [SIDE_KSTAR] = "k*",
        [SIDE_TIMES] = "n", [SIDE_BINS] = "bins", [SIDE_EDGES] = "bins + 1"};
    size_t used = 0;
    out[0] = '\0';
    for (int x = 0; x < kind->rank; x++)
        used += (size_t)snprintf(out + used, 32 - used, "%s%s", x ? ", " : "", names[kind->side[x]]);
}
