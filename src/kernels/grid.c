#include "kernels/grid.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"

/* One-sided values of eta are taken this far inside a cell, relative to its width. */
static const double ONE_SIDED = 1e-9;

/* Two times are the same if they differ by no more than this fraction of the horizon. */
static const double SAME_TIME = 1e-9;

/* A relative change of eta at a node above this is a jump. A smooth eta changes much less over 2 ONE_SIDED cells. */
static const double CORNER = 1e-6;

/* Up to this grading cells are of similar length, and an event is in the middle of its cell, which makes the rule
   symmetric. The larger the grading, the longer are late cells in units of the fastest relaxation. A position in the
   middle would then change its sign from cell to cell without decaying; with one behind it, it decays. */
static const double UNDAMPED_GRADING = 2, DAMPING = 0.5;

/* Everything that follows from the nodes and the middles. Frees the grid on failure. */
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
        grid->corner[i] = grid->renewal[i] || fabs(after - before) > CORNER * (fabs(before) + fabs(after));
    }
    for (int i = 0; i < grid->steps; i++)
        grid->event[i] = fmin(0.5 + grid->damping * grid->h[i] / grid->t[i + 1], 1);
    *out = grid;
    return SGDMFT_OK;
}

/* The same in discrete time, where a step has one eta. */
static sgdmft_status finish_discrete(sgdmft_context *ctx, time_grid *grid, const schedule *eta, time_grid **out)
{
    sgdmft_status status = finish(ctx, grid, eta, out);
    for (int i = 0; i < grid->steps && !status; i++) {
        grid->eta_end[i] = grid->eta_middle[i] = grid->eta_start[i];
        grid->corner[i] = 1;
    }
    return status;
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
    grid->event = memory_doubles(n);
    grid->corner = memory_zeroed(n + 1, sizeof *grid->corner);
    grid->renewal = memory_zeroed(n + 1, sizeof *grid->renewal);
    grid->history = memory_zeroed(n + 1, sizeof *grid->history);
    if (grid->t && grid->h && grid->eta_start && grid->eta_end && grid->middle && grid->eta_middle && grid->event &&
        grid->corner && grid->renewal && grid->history)
        return grid;
    time_grid_free(grid);
    return NULL;
}

/* Maps nodes from .. to linearly such that node `from` stays and node `to` moves to `target`. */
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

/* The times in (0, horizon) that must be nodes: jumps of eta and beginnings of epochs. A jump where an epoch begins
   counts as the beginning of the epoch alone. *times is owned by the caller. */
static sgdmft_status find_breaks(sgdmft_context *ctx, double horizon, const schedule *eta, double epoch, double **times,
                                 size_t *count)
{
    eta_jump *jump = NULL;
    size_t jumps = 0, epochs = 0, n = 0, next = 0;
    sgdmft_status status = schedule_jumps(ctx, eta, horizon, &jump, &jumps);
    if (status)
        return status;
    while (epoch > 0 && (double)(epochs + 1) * epoch < horizon * (1 - SAME_TIME))
        epochs++;
    double *out = memory_doubles(jumps + epochs + 1);
    for (size_t e = 1; e <= epochs + 1 && out; e++) {
        double begin = e <= epochs ? (double)e * epoch : HUGE_VAL;
        while (next < jumps && jump[next].after < begin - SAME_TIME * horizon)
            out[n++] = jump[next++].after;
        while (next < jumps && jump[next].after <= begin + SAME_TIME * horizon)
            next++;
        if (e <= epochs)
            out[n++] = begin;
    }
    free(jump);
    *times = out;
    *count = n;
    return out ? SGDMFT_OK : context_out_of_memory(ctx, "the time grid", 8.0 * (double)(jumps + epochs));
}

/* Moves nodes to the given times. Only nodes whose index is a multiple of `smallest`, or of twice that if there are
   enough such nodes, are moved there, so that the times are nodes of the coarser grids. The nodes between two times are
   mapped linearly. */
static void move_to_times(time_grid *grid, int smallest, const double *times, int count)
{
    int steps = grid->steps, from = 0, twice = 2 * smallest;
    double horizon = grid->t[steps];
    int stride = steps % twice == 0 && steps / twice > count ? twice : smallest;
    for (int i = 0; i < count; i++) {
        int last = (steps - stride * (count - i)) / stride * stride;
        if (from + stride > last)
            break;
        int node = nearest(grid->t, from + stride, last, stride, times[i]);
        double old = grid->t[node], shrink = (horizon - times[i]) / (horizon - old);
        for (int j = node + 1; j <= steps; j++)
            grid->t[j] = j == steps ? horizon : horizon - shrink * (horizon - grid->t[j]);
        stretch(grid->t, from, node, times[i]);
        from = node;
    }
}

/* 1 if t is a multiple of the length of an epoch; 0 if there are no epochs. */
static int begins_epoch(double t, double epoch)
{
    double place = epoch > 0 ? t / epoch : 0;
    return epoch > 0 && fabs(place - round(place)) <= SAME_TIME * (1 + place);
}

/* Marks the nodes at which epochs begin. */
static void mark_renewals(time_grid *grid, double epoch)
{
    grid->epoch = epoch;
    for (int i = 0; i <= grid->steps; i++)
        grid->renewal[i] = begins_epoch(grid->t[i], epoch);
}

/* The smallest number of steps with which each of `count` times is a node of the grid coarsened twice. */
static int steps_needed(size_t count)
{
    return 4 * ((int)count + 1);
}

sgdmft_status time_grid_least_steps(sgdmft_context *ctx, double horizon, const schedule *eta, double epoch, int *least)
{
    double *times = NULL;
    size_t count = 0;
    sgdmft_status status = find_breaks(ctx, horizon, eta, epoch, &times, &count);
    free(times);
    *least = steps_needed(count);
    return status;
}

/* The grid is coarsened from one of twice the steps, so that the middles of its cells are placed as on the coarser
   grids. Otherwise the errors on different grids would not follow one series in the step, and could not be
   extrapolated. */
sgdmft_status time_grid_new(sgdmft_context *ctx, int steps, double horizon, double grading, const schedule *eta,
                            double epoch, time_grid **out)
{
    int halves = 2 * steps;
    double *times = NULL;
    size_t count = 0;
    sgdmft_status status = find_breaks(ctx, horizon, eta, epoch, &times, &count);
    if (status)
        return status;
    if (epoch > 0 && steps < steps_needed(count)) {
        free(times);
        return context_fail(
            ctx, SGDMFT_ERR_CONFLICT,
            "numerics.steps: value %d is too small for the epochs and the jumps of eta, which cut the time into %zu "
            "pieces of four steps or more; allowed: %d or more",
            steps, count + 1, steps_needed(count));
    }
    time_grid *finer = grid_alloc(halves);
    if (!finer) {
        free(times);
        return context_out_of_memory(ctx, "the time grid", 32.0 * halves);
    }
    finer->damping = DAMPING * fmax(1 - UNDAMPED_GRADING / grading, 0);
    for (int i = 0; i <= halves; i++)
        finer->t[i] = horizon * pow((double)i / halves, grading);
    move_to_times(finer, epoch > 0 ? 8 : 4, times, (int)count);
    free(times);
    for (int i = 0; i < halves; i++)
        finer->h[i] = finer->t[i + 1] - finer->t[i];
    mark_renewals(finer, epoch);
    status = time_grid_coarsen(ctx, finer, eta, out);
    time_grid_free(finer);
    return status;
}

sgdmft_status time_grid_discrete(sgdmft_context *ctx, int steps, double b, const schedule *eta, double epoch,
                                 time_grid **out)
{
    time_grid *grid = grid_alloc(steps);
    if (!grid)
        return context_out_of_memory(ctx, "the time grid", 32.0 * steps);
    grid->discrete = 1;
    grid->epoch = epoch;
    for (int i = 0; i <= steps; i++)
        grid->t[i] = i * b;
    for (int i = 0; i < steps; i++)
        grid->middle[i] = 0.5;
    int length = epoch > 0 ? (int)round(epoch / b) : 1;
    for (int i = 0; i <= steps; i++) {
        grid->history[i] = i - i % length;
        grid->renewal[i] = epoch > 0 && grid->history[i] == i;
    }
    return finish_discrete(ctx, grid, eta, out);
}

/* Points of the midpoint rule for a part of a step in which eta is smooth. */
enum { MEAN_POINTS = 8 };

/* The integral of eta from `low` to `high`. `work` is that of the schedule. */
static double eta_between(const schedule *eta, double *work, double low, double high)
{
    double t[MEAN_POINTS], value[MEAN_POINTS], sum = 0;
    for (int p = 0; p < MEAN_POINTS; p++)
        t[p] = low + (high - low) * (p + 0.5) / MEAN_POINTS;
    schedule_values(eta, work, MEAN_POINTS, t, value);
    for (int p = 0; p < MEAN_POINTS; p++)
        sum += value[p];
    return sum * (high - low) / MEAN_POINTS;
}

sgdmft_status time_grid_small_steps(sgdmft_context *ctx, const schedule *eta, double epoch, time_grid *grid)
{
    eta_jump *jump = NULL;
    size_t jumps = 0, next = 0;
    sgdmft_status status = schedule_jumps(ctx, eta, grid->t[grid->steps], &jump, &jumps);
    double *work = memory_doubles(schedule_work(eta) + 1);
    if (!status && !work)
        status = context_out_of_memory(ctx, "the time grid", 8.0 * (double)schedule_work(eta));
    for (int i = 0; i <= grid->steps; i++)
        grid->corner[i] = begins_epoch(grid->t[i], epoch);
    for (int i = 0; i < grid->steps && !status; i++) {
        double low = grid->t[i], sum = 0;
        if (next < jumps && jump[next].after < grid->t[i + 1])
            grid->corner[i] = grid->corner[i + 1] = 1;
        for (; next < jumps && jump[next].after < grid->t[i + 1]; next++) {
            sum += eta_between(eta, work, low, jump[next].before);
            low = jump[next].after;
        }
        sum += eta_between(eta, work, low, grid->t[i + 1]);
        grid->eta_start[i] = grid->eta_end[i] = grid->eta_middle[i] = sum / grid->h[i];
    }
    free(work);
    free(jump);
    return status;
}

/* The node since which a path that is visited just before a node has not been visited. */
static void set_history(time_grid *grid)
{
    for (int i = 1; i <= grid->steps; i++) {
        int begin = grid->epoch > 0 ? i - 1 : i;
        while (grid->epoch > 0 && begin > 0 && !grid->renewal[begin])
            begin--;
        grid->history[i] = begin;
    }
}

sgdmft_status time_grid_coarsen(sgdmft_context *ctx, const time_grid *fine, const schedule *eta, time_grid **out)
{
    time_grid *grid = grid_alloc(fine->steps / 2);
    if (!grid)
        return context_out_of_memory(ctx, "the time grid", 16.0 * fine->steps);
    grid->epoch = fine->epoch;
    grid->damping = fine->damping;
    for (int i = 0; i <= grid->steps; i++) {
        grid->t[i] = fine->t[2 * i];
        grid->renewal[i] = fine->renewal[2 * i];
    }
    for (int i = 0; i < grid->steps; i++)
        grid->middle[i] = fine->h[2 * i] / (fine->h[2 * i] + fine->h[2 * i + 1]);
    set_history(grid);
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
    free(grid->event);
    free(grid->corner);
    free(grid->renewal);
    free(grid->history);
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
