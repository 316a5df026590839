#include "output/parameters_arrays.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "output/solution.h"

void parameters_arrays(const sgdmft_solution *solution, sgdmft_parameters *parameters,
                       parameters_array out[PARAMETERS_ARRAYS])
{
    size_t k = (size_t)solution->k, kstar = (size_t)solution->kstar, n = solution->n_grid, cells = n > 0 ? n - 1 : 0;
    const parameters_array all[PARAMETERS_ARRAYS] = {
        {"L", 4, {cells, cells, k, k}, 0, &parameters->L},
        {"onto_teacher", 3, {n, k, kstar}, 0, &parameters->onto_teacher},
        {"onto_start", 3, {n, k, k}, 0, &parameters->onto_start},
        {"V", 4, {n, cells, k, k}, 0, &parameters->V},
        {"V_inverse", 3, {cells, k, k}, 0, &parameters->V_inverse},
        {"answer_teacher", 3, {n, k, kstar}, 0, &parameters->answer_teacher},
        {"answer_start", 3, {n, k, k}, 0, &parameters->answer_start},
        {"answer", 4, {n, n, k, k}, 0, &parameters->answer},
        {"eta_start", 1, {cells}, 0, &parameters->eta_start},
        {"eta_end", 1, {cells}, 0, &parameters->eta_end},
    };
    memcpy(out, all, sizeof all);
    for (int i = 0; i < PARAMETERS_ARRAYS; i++) {
        out[i].size = 1;
        for (int x = 0; x < out[i].rank; x++)
            out[i].size *= out[i].extent[x];
    }
}

void parameters_arrays_free(sgdmft_solution *solution)
{
    parameters_array arrays[PARAMETERS_ARRAYS];
    if (!solution->parameters)
        return;
    parameters_arrays(solution, solution->parameters, arrays);
    for (int i = 0; i < PARAMETERS_ARRAYS; i++)
        free(*arrays[i].values);
    free(solution->parameters);
    solution->parameters = NULL;
}

sgdmft_status solution_add_parameters(sgdmft_context *ctx, sgdmft_solution *solution)
{
    parameters_array arrays[PARAMETERS_ARRAYS];
    double bytes = 0;
    solution->parameters = calloc(1, sizeof *solution->parameters);
    int failed = !solution->parameters;
    if (!failed)
        parameters_arrays(solution, solution->parameters, arrays);
    for (int i = 0; i < PARAMETERS_ARRAYS && !failed; i++) {
        bytes += 8.0 * (double)arrays[i].size;
        failed = !(*arrays[i].values = memory_doubles(arrays[i].size));
    }
    return failed ? context_out_of_memory(ctx, "the process of the coordinates", bytes) : SGDMFT_OK;
}
