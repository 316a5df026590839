#include "solvers/dmft/grid_solution.h"

#include <stdlib.h>

#include "core/memory.h"

sgdmft_status grid_solution_new(sgdmft_context *ctx, kernels *kern, size_t observables, grid_solution **out)
{
    size_t nodes = (size_t)kern->steps + 1, kk = (size_t)(kern->k * kern->k);
    grid_solution *solution = calloc(1, sizeof *solution);
    if (!solution)
        return context_out_of_memory(ctx, "a solution on a grid", sizeof *solution);
    solution->observables = observables;
    solution->observed = memory_doubles(nodes * observables);
    solution->wanted = memory_zeroed(nodes, 1);
    solution->residual = memory_doubles(nodes);
    solution->identity = memory_doubles(2 * kk);
    solution->identity_scale = memory_doubles(2 * kk);
    if (!solution->observed || !solution->wanted || !solution->residual || !solution->identity ||
        !solution->identity_scale) {
        grid_solution_free(solution);
        return context_out_of_memory(ctx, "a solution on a grid", 8.0 * (double)(nodes * observables));
    }
    solution->kern = kern;
    *out = solution;
    return SGDMFT_OK;
}

void grid_solution_free(grid_solution *solution)
{
    if (!solution)
        return;
    free(solution->observed);
    free(solution->wanted);
    free(solution->residual);
    free(solution->identity);
    free(solution->identity_scale);
    kernels_free(solution->kern);
    coordinate_record_free(solution->record);
    free(solution->message);
    free(solution);
}
