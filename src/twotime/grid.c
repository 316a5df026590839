#include "twotime/grid.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* How far inside a cell, relative to its width, one-sided values of eta are taken. */
static const double ONE_SIDED = 1e-9;

static sgdmft_status finish(sgdmft_context *ctx, time_grid *grid, const schedule *eta, time_grid **out)
{
    double *work = memory_doubles(schedule_work(eta) + (size_t)grid->steps);
    if (!work) {
        sgdmft_status status = context_out_of_memory(ctx, "the time grid", 8.0 * grid->steps);
        time_grid_free(grid);
        return status;
    }
    double *at = work + schedule_work(eta);
    size_t n = (size_t)grid->steps;
    for (int i = 0; i < grid->steps; i++) {
        grid->h[i] = grid->t[i + 1] - grid->t[i];
        at[i] = grid->t[i] + ONE_SIDED * grid->h[i];
    }
    schedule_values(eta, work, n, at, grid->eta_start);
    for (int i = 0; i < grid->steps; i++)
        at[i] = grid->t[i + 1] - ONE_SIDED * grid->h[i];
    schedule_values(eta, work, n, at, grid->eta_end);
    free(work);
    *out = grid;
    return SGDMFT_OK;
}

static time_grid *grid_alloc(int steps)
{
    time_grid *grid = calloc(1, sizeof *grid);
    if (!grid)
        return NULL;
    size_t n = (size_t)steps;
    grid->steps = steps;
    grid->t = memory_doubles(n + 1);
    grid->h = memory_doubles(n);
    grid->eta_start = memory_doubles(n);
    grid->eta_end = memory_doubles(n);
    if (grid->t && grid->h && grid->eta_start && grid->eta_end)
        return grid;
    time_grid_free(grid);
    return NULL;
}

sgdmft_status time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                            time_grid **out)
{
    time_grid *grid = grid_alloc(steps);
    if (!grid)
        return context_out_of_memory(ctx, "the time grid", 32.0 * steps);
    for (int i = 0; i <= steps; i++)
        grid->t[i] = horizon * pow((double)i / steps, grading);
    return finish(ctx, grid, eta, out);
}

sgdmft_status time_grid_coarsen(sgdmft_context *ctx, const time_grid *fine, const schedule *eta, time_grid **out)
{
    time_grid *grid = grid_alloc(fine->steps / 2);
    if (!grid)
        return context_out_of_memory(ctx, "the time grid", 16.0 * fine->steps);
    for (int i = 0; i <= grid->steps; i++)
        grid->t[i] = fine->t[2 * i];
    return finish(ctx, grid, eta, out);
}

void time_grid_free(time_grid *grid)
{
    if (!grid)
        return;
    free(grid->t);
    free(grid->h);
    free(grid->eta_start);
    free(grid->eta_end);
    free(grid);
}

int time_grid_cell(const time_grid *grid, double t)
{
    int low = 0, high = grid->steps - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (grid->t[middle] <= t)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

int time_grid_stencil(const time_grid *grid, double t, int *count, double weights[4])
{
    int cell = time_grid_cell(grid, t);
    double tiny = 1e-9 * grid->h[cell];
    for (int side = 0; side < 2; side++)
        if (fabs(t - grid->t[cell + side]) <= tiny) {
            *count = 1;
            weights[0] = 1;
            return cell + side;
        }
    int n = grid->steps + 1 < 4 ? grid->steps + 1 : 4;
    int first = cell - 1;
    if (first > grid->steps + 1 - n)
        first = grid->steps + 1 - n;
    if (first < 0)
        first = 0;
    for (int i = 0; i < n; i++) {
        weights[i] = 1;
        for (int j = 0; j < n; j++)
            if (j != i)
                weights[i] *= (t - grid->t[first + j]) / (grid->t[first + i] - grid->t[first + j]);
    }
    *count = n;
    return first;
}
