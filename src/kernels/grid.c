#include "kernels/grid.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"

/* How far inside a cell, relative to its width, one-sided values of eta are taken. */
static const double ONE_SIDED = 1e-9;

/* A relative change of eta at a node that counts as a jump: far above what eta does in 2 ONE_SIDED cells. */
static const double CORNER = 1e-6;

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
    for (int i = 0; i < grid->steps; i++)
        at[i] = grid->t[i] + grid->middle[i] * grid->h[i];
    schedule_values(eta, work, n, at, grid->eta_middle);
    free(work);
    for (int i = 1; i < grid->steps; i++) {
        double before = grid->eta_end[i - 1], after = grid->eta_start[i];
        grid->corner[i] = fabs(after - before) > CORNER * (fabs(before) + fabs(after));
    }
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
    grid->middle = memory_doubles(n);
    grid->eta_middle = memory_doubles(n);
    grid->corner = memory_zeroed(n + 1, 1);
    if (grid->t && grid->h && grid->eta_start && grid->eta_end && grid->middle && grid->eta_middle && grid->corner)
        return grid;
    time_grid_free(grid);
    return NULL;
}

/* Maps nodes from .. to linearly so that node `to` lands on `target`; node `from` stays. */
static void stretch(double *t, int from, int to, double target)
{
    double origin = t[from], scale = (target - origin) / (t[to] - origin);
    for (int i = from + 1; i <= to; i++)
        t[i] = i == to ? target : origin + scale * (t[i] - origin);
}

/* The node nearest to `time` among low, low + stride, .. high. */
static int nearest(const double *t, int low, int high, int stride, double time)
{
    int best = low;
    for (int i = low; i <= high; i += stride)
        if (fabs(t[i] - time) < fabs(t[best] - time))
            best = i;
    return best;
}

/* Moves nodes whose index is a multiple of the smallest stride, or of twice that if there are enough of them, to jumps. */
static sgdmft_status move_to_jumps(sgdmft_context *ctx, time_grid *grid, int smallest, const schedule *eta)
{
    int steps = grid->steps, from = 0;
    double horizon = grid->t[steps];
    eta_jump *jump = NULL;
    size_t count = 0;
    sgdmft_status status = schedule_jumps(ctx, eta, horizon, &jump, &count);
    int twice = 2 * smallest, stride = steps % twice == 0 && steps / twice > (int)count ? twice : smallest;
    for (size_t i = 0; i < count && !status; i++) {
        int last = (steps - stride * (int)(count - i)) / stride * stride;
        if (from + stride > last)
            break;
        /* Nodes before the jump are pulled to it, those after it are spread over what is left. */
        int node = nearest(grid->t, from + stride, last, stride, jump[i].after);
        double old = grid->t[node], shrink = (horizon - jump[i].after) / (horizon - old);
        for (int j = node + 1; j <= steps; j++)
            grid->t[j] = j == steps ? horizon : horizon - shrink * (horizon - grid->t[j]);
        stretch(grid->t, from, node, jump[i].after);
        from = node;
    }
    free(jump);
    return status;
}

/* Coarsened from a grid of twice the steps, so that middles are placed as they are on the coarser grids: otherwise errors on
   different grids would not be of one series in the step. */
sgdmft_status time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                            time_grid **out)
{
    int halves = 2 * steps;
    time_grid *finer = grid_alloc(halves);
    if (!finer)
        return context_out_of_memory(ctx, "the time grid", 32.0 * halves);
    for (int i = 0; i <= halves; i++)
        finer->t[i] = horizon * pow((double)i / halves, grading);
    sgdmft_status status = move_to_jumps(ctx, finer, 4, eta);
    for (int i = 0; i < halves; i++)
        finer->h[i] = finer->t[i + 1] - finer->t[i];
    if (!status)
        status = time_grid_coarsen(ctx, finer, eta, out);
    time_grid_free(finer);
    return status;
}

sgdmft_status time_grid_coarsen(sgdmft_context *ctx, const time_grid *fine, const schedule *eta, time_grid **out)
{
    time_grid *grid = grid_alloc(fine->steps / 2);
    if (!grid)
        return context_out_of_memory(ctx, "the time grid", 16.0 * fine->steps);
    for (int i = 0; i <= grid->steps; i++)
        grid->t[i] = fine->t[2 * i];
    for (int i = 0; i < grid->steps; i++)
        grid->middle[i] = fine->h[2 * i] / (fine->h[2 * i] + fine->h[2 * i + 1]);
    return finish(ctx, grid, eta, out);
}

cell_halves time_grid_halves(const time_grid *fine, size_t c)
{
    double h1 = fine->h[2 * c], h2 = fine->h[2 * c + 1];
    return (cell_halves){sqrt(h1 / (h1 + h2)), sqrt(h2 / (h1 + h2))};
}

void time_grid_free(time_grid *grid)
{
    if (!grid)
        return;
    free(grid->t);
    free(grid->h);
    free(grid->eta_start);
    free(grid->eta_end);
    free(grid->middle);
    free(grid->eta_middle);
    free(grid->corner);
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
    int low = cell, high = cell + 1;
    while (low > 0 && !grid->corner[low])
        low--;
    while (high < grid->steps && !grid->corner[high])
        high++;
    int n = high - low + 1 < 4 ? high - low + 1 : 4, first = cell - 1;
    if (first > high + 1 - n)
        first = high + 1 - n;
    if (first < low)
        first = low;
    for (int i = 0; i < n; i++) {
        weights[i] = 1;
        for (int j = 0; j < n; j++)
            if (j != i)
                weights[i] *= (t - grid->t[first + j]) / (grid->t[first + i] - grid->t[first + j]);
    }
    *count = n;
    return first;
}
