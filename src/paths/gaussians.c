#include "paths/gaussians.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "paths/matching.h"

/* The number of first cells of a smooth process that have modes of their own. */
enum { FIRST_CELLS = 8 };

static int owns(const draw *d, size_t block)
{
    return share_owns(d->source->share, block);
}

/* The points of one Sobol' dimension for paths first .. first + n - 1, as standard normals. */
static void quasi_normals(const draw *d, unsigned dimension, size_t first, size_t n, double *out)
{
    sobol_points(draw_key(d, PURPOSE_SOBOL), dimension, first, n, out);
    normal_quantiles(n, out, out);
}

/* Fills row `row` of the Gaussian rows of every block from one Sobol' dimension. `column` has room for all paths if
   they are in an order of their own. */
static void quasi_row(const draw *d, unsigned dimension, size_t row, double *column)
{
    if (d->order)
        quasi_normals(d, dimension, 0, d->ensemble->paths, column);
    for (size_t b = 0; b < d->ensemble->n_blocks; b++) {
        path_inputs *in = &d->ensemble->block[b];
        size_t start = b * d->lanes;
        if (!owns(d, b))
            continue;
        double *to = inputs_gaussian(in) + row * in->n;
        for (size_t p = 0; p < in->n && d->order; p++)
            to[p] = column[d->order[start + p]];
        if (!d->order)
            quasi_normals(d, dimension, start, in->n, to);
    }
}

/* Increments of Brownian motions over the cells of the grid, drawn by modes: Gaussian rows from `first` on, `width`
   rows for each mode. The leading modes are quasi-random, the others come from the stream `purpose`. */
typedef struct increments {
    size_t first, width;
    uint32_t purpose;
    unsigned dimension;         /* of the first mode */
    size_t lead;                /* numbers of the leading modes, which take the dimensions before the gap */
    unsigned gap;               /* dimensions that are used for something else */
    const principal_axes *axes; /* the axes of the modes; NULL: Brownian bridges */
} increments;

/* Draws the fine modes of one block from the counter-based generator. */
static void pseudo_modes(const draw *d, const increments *inc, path_inputs *in, size_t start, double *buffer)
{
    size_t first = d->plan.modes * inc->width, count = (size_t)in->steps * inc->width - first;
    double *rows = inputs_gaussian(in) + (inc->first + first) * in->n;
    for (size_t p = 0; p < in->n; p++) {
        random_normals(draw_key(d, inc->purpose), draw_path(d, start + p), 0, count, buffer);
        for (size_t j = 0; j < count; j++)
            rows[j * in->n + p] = buffer[j];
    }
}

/* Turns the modes x[steps][width] of Brownian bridges into increments over the cells, in place. Mode 0 is the increment
   over the whole interval; each further mode splits one interval, breadth first. The transformation is orthogonal, so
   independent standard normals remain so. */
static void modes_to_cells(int cells, const double *t, size_t width, int (*split)[3], double *sums, double *x)
{
    double root = sqrt(t[cells] - t[0]);
    for (size_t p = 0; p < width; p++)
        sums[p] = root * x[p];
    for (int mode = 1; mode < cells; mode++) {
        int low = split[mode][0], middle = split[mode][1], high = split[mode][2];
        double left = t[middle] - t[low], right = t[high] - t[middle];
        double share = left / (left + right), deviation = sqrt(left * right / (left + right));
        const double *z = x + (size_t)mode * width;
        double *a = sums + (size_t)low * width, *b = sums + (size_t)middle * width;
        for (size_t p = 0; p < width; p++) {
            double part = share * a[p] + deviation * z[p];
            b[p] = a[p] - part;
            a[p] = part;
        }
    }
    for (int c = 0; c < cells; c++) {
        double scale = 1 / sqrt(t[c + 1] - t[c]);
        for (size_t p = 0; p < width; p++)
            x[(size_t)c * width + p] = scale * sums[(size_t)c * width + p];
    }
}

/* Breadth-first bisection of the cells: mode `mode` splits cells low .. high - 1 at node middle, split[mode] =
   {low, middle, high}. */
static void plan_bisection(int steps, int (*split)[3])
{
    int filled = 1, next = 1;
    int(*queue)[3] = split; /* an interval waits in the place of its own split */
    split[0][0] = 0;
    split[0][1] = steps / 2;
    split[0][2] = steps;
    if (steps > 1) {
        memcpy(queue[1], split[0], sizeof split[0]);
        filled = 2;
    }
    for (; next < filled; next++) {
        int low = split[next][0], middle = split[next][1], high = split[next][2];
        int ends[2][2] = {{low, middle}, {middle, high}};
        for (int side = 0; side < 2; side++)
            if (ends[side][1] - ends[side][0] > 1) {
                split[filled][0] = ends[side][0];
                split[filled][1] = (ends[side][0] + ends[side][1]) / 2;
                split[filled][2] = ends[side][1];
                filled++;
            }
    }
}

/* Matches the moments of the Gaussian rows; `status` is that of this rank so far. Collective call: every rank of the
   share makes it. */
static sgdmft_status match_gaussians(sgdmft_context *ctx, const draw *d, sgdmft_status status)
{
    size_t blocks = d->ensemble->n_blocks;
    double **rows = calloc(blocks, sizeof *rows);
    size_t *n = calloc(blocks, sizeof *n);
    if (!status && (!rows || !n))
        status = context_out_of_memory(ctx, "moment matching", 16.0 * (double)blocks);
    status = ranks_agree(ctx, share_ranks(d->source->share), status);
    for (size_t b = 0; b < blocks && !status; b++) {
        rows[b] = inputs_gaussian(&d->ensemble->block[b]);
        n[b] = d->ensemble->block[b].n;
    }
    size_t count = inputs_rows(d->shape, d->source->process, d->grid->steps);
    if (!status)
        status = matching_apply_shared(ctx, d->source->share, count, blocks, rows, n);
    free(rows);
    free(n);
    return status;
}

/* Scratch memory. */
typedef struct gaussian_space {
    double *column;  /* one row of all paths */
    double *sums;    /* increments of one block */
    double *numbers; /* [steps + 1] 0, 1, 2, ... */
    int (*split)[3];
} gaussian_space;

/* The same for a smooth process. Whatever the number of cells, its innovations have most of their variance in the
   directions of the first ones, which keep the leading modes. What new directions there are later comes from paths that
   change suddenly, much as from a Brownian motion of the number of the cell. */
static void modes_to_later_cells(int steps, size_t width, const gaussian_space *space, double *x)
{
    if (steps > FIRST_CELLS)
        modes_to_cells(steps - FIRST_CELLS, space->numbers, width, space->split, space->sums,
                       x + (size_t)FIRST_CELLS * width);
}

/* Draws one kind of increments in all blocks, unless the caller asks to stop. */
static void draw_increments(sgdmft_context *ctx, const draw *d, const increments *inc, const gaussian_space *space)
{
    for (size_t j = 0; j < d->plan.modes * inc->width && !context_stop_now(ctx); j++)
        quasi_row(d, inc->dimension + (unsigned)j + (j < inc->lead ? 0 : inc->gap), inc->first + j, space->column);
    for (size_t b = 0; b < d->ensemble->n_blocks && !context_stop_now(ctx); b++) {
        path_inputs *in = &d->ensemble->block[b];
        if (!owns(d, b))
            continue;
        double *x = inputs_gaussian(in) + inc->first * in->n;
        pseudo_modes(d, inc, in, b * d->lanes, space->sums);
        if (!d->source->process->white_noise)
            modes_to_later_cells(d->grid->steps, inc->width * in->n, space, x);
        else if (inc->axes)
            principal_axes_apply(inc->axes, d->grid, inc->width, in->n, space->sums, in->z0, x);
        else
            modes_to_cells(d->grid->steps, d->grid->t, inc->width * in->n, space->split, space->sums, x);
    }
}

static void draw_rows(sgdmft_context *ctx, const draw *d, const gaussian_space *space)
{
    const dimension_plan *plan = &d->plan;
    size_t k = (size_t)d->shape.k, steps = (size_t)d->grid->steps;
    for (unsigned j = 0; j < plan->fields; j++)
        quasi_row(d, j, j, space->column);
    int smooth = !d->source->process->white_noise, cells = d->grid->steps;
    if (cells == 0) /* the start alone (path_ensemble_start) */
        return;
    if (!smooth || cells > FIRST_CELLS)
        plan_bisection(smooth ? cells - FIRST_CELLS : cells, space->split);
    increments field = {.first = plan->fields,
                        .width = k,
                        .purpose = PURPOSE_INNOVATIONS,
                        .dimension = plan->fields,
                        .lead = plan->lead * k,
                        .gap = plan->visits,
                        .axes = d->source->field};
    increments diffusion = {.first = plan->fields + steps * k,
                            .width = 1,
                            .purpose = PURPOSE_DIFFUSION,
                            .dimension = plan->fields + plan->modes * (unsigned)k + plan->visits};
    draw_increments(ctx, d, &field, space);
    if (d->source->process->diffuses)
        draw_increments(ctx, d, &diffusion, space);
}

sgdmft_status draw_gaussians(sgdmft_context *ctx, const draw *d)
{
    size_t k = (size_t)d->shape.k, steps = (size_t)d->grid->steps, paths = d->ensemble->paths;
    gaussian_space space = {.column = memory_doubles(d->order ? paths : 1),
                            .sums = memory_doubles((steps + 1) * k * d->lanes),
                            .numbers = memory_doubles(steps + 1),
                            .split = memory_zeroed(steps + 1, sizeof *space.split)};
    sgdmft_status status = SGDMFT_OK;
    for (size_t c = 0; c <= steps && space.numbers; c++)
        space.numbers[c] = (double)c;
    if (!space.column || !space.sums || !space.numbers || !space.split) {
        status = context_out_of_memory(ctx, "the innovations", 8.0 * (double)(paths + steps * k * d->lanes));
    } else {
        draw_rows(ctx, d, &space);
        if (context_stop_now(ctx))
            status = context_interrupted(ctx, "paths were drawn");
    }
    status = match_gaussians(ctx, d, status);
    free(space.column);
    free(space.sums);
    free(space.numbers);
    free(space.split);
    return status;
}
