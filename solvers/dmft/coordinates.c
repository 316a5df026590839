/* What a solve with a penalty other than the ridge gives on the coordinates: densities, means over replicas, and the
   process, which is that of the first replica. Its averages are not linear in the process: there is no mean process. */
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sample/snapshots.h"
#include "solvers/dmft/dmft.h"
#include "kernels/rows.h"

static void take_regressions(const kernels *kern, const sgdmft_solution *solution, solution_coordinates *p)
{
    size_t n = solution->n_grid, k = (size_t)kern->k, kk = k * k, kstar = (size_t)kern->kstar;
    memcpy(p->onto_start, kern->sampled->onto_start, sizeof(double) * n * kk);
    memcpy(p->V_inverse, kern->sampled->V_inverse, sizeof(double) * (n - 1) * kk);
    for (size_t i = 0; i < n * k; i++)
        for (size_t b = 0; b < kstar; b++)
            for (size_t c = 0; c < kstar; c++)
                p->onto_teacher[i * kstar + b] += kern->m[i * kstar + c] * kern->rho_inverse[c * kstar + b];
}

static void take_two_time(const grid_solution *tr, const sgdmft_solution *solution, solution_coordinates *p)
{
    const kernels *kern = tr->kern;
    size_t n = solution->n_grid, cells = n - 1, k = (size_t)kern->k, kk = k * k, steps = (size_t)kern->steps;
    for (size_t i = 0; i < cells; i++)
        memcpy(p->L + i * cells * kk, kernels_L(kern, (int)i, 0), sizeof(double) * (i + 1) * kk);
    for (size_t i = 0; i < n; i++) {
        memcpy(p->memory_kernel + i * n * kk, tr->record->memory_kernel + i * (steps + 1) * kk, sizeof(double) * (i + 1) * kk);
        for (size_t j = 0; j < i; j++)
            for (size_t a = 0; a < k; a++)
                memcpy(p->V + ((i * cells + j) * k + a) * k, kernels_V(kern, (int)i, (int)a) + j * k,
                       sizeof(double) * k);
    }
}

static void take_process(const grid_solution *tr, const time_grid *grid, sgdmft_solution *solution)
{
    solution_coordinates *p = solution->coordinates;
    const coordinate_record *record = tr->record;
    size_t n = solution->n_grid, k = (size_t)record->k;
    take_regressions(tr->kern, solution, p);
    take_two_time(tr, solution, p);
    memcpy(p->drift_teacher, record->teacher, sizeof(double) * n * k * (size_t)record->kstar);
    memcpy(p->drift_start, record->start, sizeof(double) * n * k * k);
    memcpy(p->eta_start, grid->eta_start, sizeof(double) * (n - 1));
    memcpy(p->eta_end, grid->eta_end, sizeof(double) * (n - 1));
}

sgdmft_status dmft_coordinates(sgdmft_context *ctx, const dmft_plan *s, const replica_set *set,
                                         sgdmft_solution *solution)
{
    const time_grid *grid = s->grid[GRID_FINE];
    if (solution->n_grid < 2)
        return SGDMFT_OK;
    const coordinate_record **record = calloc((size_t)set->count, sizeof *record);
    if (!record)
        return context_out_of_memory(ctx, "histograms", (double)set->count * sizeof *record);
    for (int r = 0; r < set->count; r++)
        record[r] = set->result[r].level[GRID_FINE]->record;
    sgdmft_status status = snapshots_fill(ctx, s->problem, grid, (size_t)set->count, record, solution);
    if (!status)
        status = solution_add_coordinates(ctx, solution);
    if (!status)
        take_process(set->result[0].level[GRID_FINE], grid, solution);
    free(record);
    return status;
}
