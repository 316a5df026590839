#include "solvers/dmft/coordinates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "kernels/kernels.h"
#include "sample/histograms.h"

sgdmft_status dmft_coordinates_record(sgdmft_context *ctx, const dmft_plan *plan, coordinate_record **out)
{
    const time_grid *grid = plan->grid[GRID_FINE];
    model_shape shape = plan->on_grid[GRID_FINE].shape;
    size_t nodes = (size_t)grid->steps + 1;
    histogram_plan histograms = histogram_plan_of(plan->problem, nodes, grid->t);
    char *wanted = calloc(nodes, 1);
    if (!wanted)
        return context_out_of_memory(ctx, "a record of coordinates", (double)nodes);
    histogram_plan_nodes(&histograms, nodes, grid->t, wanted);
    sgdmft_status status =
        coordinate_record_new(ctx, shape.k, shape.kstar, grid, (size_t)plan->problem->numerics.paths, wanted, out);
    free(wanted);
    return status;
}

double dmft_coordinates_bytes(const dmft_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    model_shape shape = plan->on_grid[GRID_FINE].shape;
    const time_grid *grid = plan->grid[GRID_FINE];
    size_t nodes = (size_t)grid->steps + 1, around = 2 * problem->output.histograms.n,
           kept = around < nodes ? around : nodes;
    double records = problem->numerics.replicas *
                     coordinate_record_bytes(shape.k, shape.kstar, grid, (size_t)problem->numerics.paths, kept);
    return records + 24.0 * (double)(nodes * nodes) * shape.k * shape.k;
}

/* The coefficients of theta(0) - A theta* and theta* in theta(t_i); onto_teacher = m rho^{-1}. */
static void fill_regressions(const kernels *kern, size_t n, solution_coordinates *p)
{
    size_t k = (size_t)kern->k, kk = k * k, kstar = (size_t)kern->kstar;
    memcpy(p->onto_start, kern->sampled->onto_start, sizeof(double) * n * kk);
    memcpy(p->V_inverse, kern->sampled->V_inverse, sizeof(double) * (n - 1) * kk);
    for (size_t i = 0; i < n * k; i++)
        for (size_t b = 0; b < kstar; b++)
            for (size_t c = 0; c < kstar; c++)
                p->onto_teacher[i * kstar + b] += kern->m[i * kstar + c] * kern->rho_inverse[c * kstar + b];
}

/* L and V, of which the solution has the first n nodes. */
static void fill_innovations(const kernels *kern, size_t n, solution_coordinates *p)
{
    size_t cells = n - 1, k = (size_t)kern->k, kk = k * k;
    for (size_t i = 0; i < cells; i++)
        memcpy(p->L + i * cells * kk, kernels_L(kern, (int)i, 0), sizeof(double) * (i + 1) * kk);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t a = 0; a < k; a++)
                memcpy(p->V + ((i * cells + j) * k + a) * k, kernels_V(kern, (int)i, (int)a) + j * k,
                       sizeof(double) * k);
}

/* The first n nodes of the coefficients of X. */
static void fill_drift(const coordinate_record *record, const drift_coefficients *from, size_t n, double *teacher,
                       double *start, double *memory)
{
    size_t k = (size_t)record->k, kk = k * k;
    memcpy(teacher, from->drift_teacher, sizeof(double) * n * k * (size_t)record->kstar);
    memcpy(start, from->drift_start, sizeof(double) * n * kk);
    for (size_t i = 0; i < n; i++)
        memcpy(memory + i * n * kk, from->memory_kernel + i * ((size_t)record->steps + 1) * kk,
               sizeof(double) * (i + 1) * kk);
}

static void fill_process(const grid_solution *first, const time_grid *grid, sgdmft_solution *solution)
{
    solution_coordinates *p = solution->coordinates;
    const coordinate_record *record = first->record;
    size_t n = solution->n_grid;
    fill_regressions(first->kern, n, p);
    fill_innovations(first->kern, n, p);
    fill_drift(record, &record->before, n, p->drift_teacher, p->drift_start, p->memory_kernel);
    if (record->renews)
        fill_drift(record, &record->after, n, p->drift_teacher_after, p->drift_start_after, p->memory_kernel_after);
    memcpy(p->eta_start, grid->eta_start, sizeof(double) * (n - 1));
    memcpy(p->eta_end, grid->eta_end, sizeof(double) * (n - 1));
}

static sgdmft_status fill_histograms(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                     sgdmft_solution *solution)
{
    histogram_plan histograms = histogram_plan_of(plan->problem, solution->n_grid, solution->t);
    if (histograms.n_times == 0)
        return SGDMFT_OK;
    const coordinate_snapshots **snapshots = calloc((size_t)set->count, sizeof *snapshots);
    if (!snapshots)
        return context_out_of_memory(ctx, "histograms", (double)set->count * sizeof *snapshots);
    for (int r = 0; r < set->count; r++)
        snapshots[r] = &set->result[r].on_grid[GRID_FINE]->record->theta;
    sgdmft_status status = histograms_from_snapshots(ctx, &histograms, (size_t)set->count, snapshots, solution);
    free(snapshots);
    return status;
}

sgdmft_status dmft_coordinates_fill(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                    sgdmft_solution *solution)
{
    if (solution->n_grid < 2)
        return SGDMFT_OK;
    sgdmft_status status = fill_histograms(ctx, plan, set, solution);
    if (!status)
        status = solution_add_coordinates(ctx, solution);
    if (!status && plan->grid[GRID_FINE]->epoch > 0 && !plan->grid[GRID_FINE]->discrete)
        status = solution_add_renewals(ctx, solution);
    if (!status)
        fill_process(set->result[0].on_grid[GRID_FINE], plan->grid[GRID_FINE], solution);
    return status;
}
