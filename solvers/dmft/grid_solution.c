#include "solvers/dmft/grid_solution.h"

#include <stdlib.h>

#include "core/memory.h"

sgdmft_status grid_solution_new(sgdmft_context *ctx, kernels *kern, size_t observables, grid_solution **out)
{
    size_t nodes = (size_t)kern->steps + 1, kk = (size_t)(kern->k * kern->k);
    grid_solution *tr = calloc(1, sizeof *tr);
    if (!tr)
        return context_out_of_memory(ctx, "a trajectory", sizeof *tr);
    tr->observables = observables;
    tr->observed = memory_doubles(nodes * observables);
    tr->wanted = memory_zeroed(nodes, 1);
    tr->residual = memory_doubles(nodes);
    tr->identity = memory_doubles(2 * kk);
    tr->identity_scale = memory_doubles(2 * kk);
    if (!tr->observed || !tr->wanted || !tr->residual || !tr->identity || !tr->identity_scale) {
        grid_solution_free(tr);
        return context_out_of_memory(ctx, "a trajectory", 8.0 * (double)(nodes * observables));
    }
    tr->kern = kern;
    *out = tr;
    return SGDMFT_OK;
}

void grid_solution_free(grid_solution *tr)
{
    if (!tr)
        return;
    free(tr->observed);
    free(tr->wanted);
    free(tr->residual);
    free(tr->identity);
    free(tr->identity_scale);
    kernels_free(tr->kern);
    coordinate_record_free(tr->record);
    free(tr->message);
    free(tr);
}
