#include "solvers/dmft/grid_solution.h"

#include <stdlib.h>

#include "core/memory.h"

sgdmft_status grid_solution_new(sgdmft_context *ctx, const grid_shape *shape, kernels *kern, grid_solution **out)
{
    size_t nodes = (size_t)shape->steps + 1, kk = (size_t)(shape->k * shape->k), marks = (size_t)shape->marks;
    grid_solution *solution = calloc(1, sizeof *solution);
    if (!solution)
        return context_out_of_memory(ctx, "a solution on a grid", sizeof *solution);
    solution->shape = *shape;
    solution->observables = shape->observables;
    solution->observed = memory_doubles(nodes * shape->observables);
    solution->C = memory_doubles(nodes * kk);
    solution->m = memory_doubles(nodes * (size_t)(shape->k * shape->kstar));
    solution->R = memory_doubles(nodes * kk);
    solution->Q = memory_doubles(nodes * kk);
    solution->wanted = memory_zeroed(nodes, 1);
    solution->residual = memory_doubles(nodes);
    solution->identity = memory_doubles(2 * kk);
    solution->identity_scale = memory_doubles(2 * kk);
    solution->mark = memory_zeroed(marks, sizeof *solution->mark);
    solution->C_marks = memory_doubles(marks * marks * kk);
    solution->R_marks = memory_doubles(marks * marks * kk);
    if (!solution->observed || !solution->wanted || !solution->residual || !solution->identity || !solution->C ||
        !solution->m || !solution->R || !solution->Q || !solution->identity_scale || !solution->mark ||
        !solution->C_marks || !solution->R_marks) {
        grid_solution_free(solution);
        return context_out_of_memory(ctx, "a solution on a grid",
                                     8.0 * (double)(nodes * (shape->observables + 4 * kk)));
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
    free(solution->C);
    free(solution->m);
    free(solution->R);
    free(solution->Q);
    free(solution->mark);
    free(solution->C_marks);
    free(solution->R_marks);
    free(solution->wanted);
    free(solution->residual);
    free(solution->identity);
    free(solution->identity_scale);
    kernels_free(solution->kern);
    coordinate_record_free(solution->record);
    free(solution->message);
    free(solution);
}
