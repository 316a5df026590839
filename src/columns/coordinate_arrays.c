#include "columns/coordinate_arrays.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "columns/solution.h"

void coordinate_arrays(const sgdmft_solution *solution, sgdmft_coordinates *coordinates,
                       coordinate_array out[PARAMETERS_ARRAYS])
{
    size_t k = (size_t)solution->k, kstar = (size_t)solution->kstar, n = solution->n_grid, cells = n > 0 ? n - 1 : 0;
    const coordinate_array all[PARAMETERS_ARRAYS] = {
        {"L", 4, {cells, cells, k, k}, 0, &coordinates->L},
        {"onto_teacher", 3, {n, k, kstar}, 0, &coordinates->onto_teacher},
        {"onto_start", 3, {n, k, k}, 0, &coordinates->onto_start},
        {"V", 4, {n, cells, k, k}, 0, &coordinates->V},
        {"V_inverse", 3, {cells, k, k}, 0, &coordinates->V_inverse},
        {"drift_teacher", 3, {n, k, kstar}, 0, &coordinates->drift_teacher},
        {"drift_start", 3, {n, k, k}, 0, &coordinates->drift_start},
        {"memory_kernel", 4, {n, n, k, k}, 0, &coordinates->memory_kernel},
        {"eta_start", 1, {cells}, 0, &coordinates->eta_start},
        {"eta_end", 1, {cells}, 0, &coordinates->eta_end},
    };
    memcpy(out, all, sizeof all);
    for (int i = 0; i < PARAMETERS_ARRAYS; i++) {
        out[i].size = 1;
        for (int x = 0; x < out[i].rank; x++)
            out[i].size *= out[i].extent[x];
    }
}

void coordinate_arrays_free(sgdmft_solution *solution)
{
    coordinate_array arrays[PARAMETERS_ARRAYS];
    if (!solution->coordinates)
        return;
    coordinate_arrays(solution, solution->coordinates, arrays);
    for (int i = 0; i < PARAMETERS_ARRAYS; i++)
        free(*arrays[i].values);
    free(solution->coordinates);
    solution->coordinates = NULL;
}

sgdmft_status solution_add_coordinates(sgdmft_context *ctx, sgdmft_solution *solution)
{
    coordinate_array arrays[PARAMETERS_ARRAYS];
    double bytes = 0;
    solution->coordinates = calloc(1, sizeof *solution->coordinates);
    int failed = !solution->coordinates;
    if (!failed)
        coordinate_arrays(solution, solution->coordinates, arrays);
    for (int i = 0; i < PARAMETERS_ARRAYS && !failed; i++) {
        bytes += 8.0 * (double)arrays[i].size;
        failed = !(*arrays[i].values = memory_doubles(arrays[i].size));
    }
    return failed ? context_out_of_memory(ctx, "the process of the coordinates", bytes) : SGDMFT_OK;
}
