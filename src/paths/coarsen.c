/* The same paths on every second node. A coarse innovation is the normalised sum of two fine ones, and so is a coarse
   increment of the driver; the coarse bridge at a visit is the fine bridge plus the tent by which the middle node leaves
   the coarse chord. The event of a coarse cell is at that middle node, where the fine bridge is zero. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths/inputs_build.h"

/* width numbers for each cell */
static void coarsen_increments(const double *fine, const time_grid *grid, size_t width, int steps, double *out)
{
    for (int c = 0; c < steps; c++) {
        double h1 = grid->h[2 * c], h2 = grid->h[2 * c + 1];
        double a = sqrt(h1 / (h1 + h2)), b = sqrt(h2 / (h1 + h2));
        const double *first = fine + (size_t)(2 * c) * width, *second = first + width;
        for (size_t p = 0; p < width; p++)
            out[(size_t)c * width + p] = a * first[p] + b * second[p];
    }
}

/* How far the middle node of a coarse cell is above the chord, in units of the rate: what a tent of height 1 carries. */
static double middle_excess(const path_inputs *fine, const time_grid *grid, int left, size_t row, size_t k, size_t p)
{
    double h1 = grid->h[left], h2 = grid->h[left + 1];
    double first = sqrt(h1) * fine->xi[((size_t)left * k + row) * fine->n + p];
    double second = sqrt(h2) * fine->xi[((size_t)(left + 1) * k + row) * fine->n + p];
    return (h2 * first - h1 * second) / (h1 + h2);
}

static void coarsen_events(const path_inputs *fine, const time_grid *fine_grid, size_t k, path_inputs *out)
{
    for (int c = 0; out->bridge && c < out->steps; c++)
        for (size_t row = 0; row < k; row++)
            for (size_t p = 0; p < out->n; p++)
                out->bridge[((size_t)c * k + row) * out->n + p] = middle_excess(fine, fine_grid, 2 * c, row, k, p);
}

static void coarsen_visits(const path_inputs *fine, const time_grid *fine_grid, const time_grid *grid, size_t k,
                           path_inputs *out)
{
    size_t n = fine->n;
    for (size_t p = 0; p < n; p++)
        for (int a = 0; a < fine->visits[p]; a++) {
            size_t at = (size_t)a * n + p;
            int small = fine->cell[at], left = small & ~1, cell = small / 2;
            double tent = small == left ? fine->place[at] : 1 - fine->place[at];
            out->cell[at] = cell;
            out->place[at] = (fine->time[at] - grid->t[cell]) / grid->h[cell];
            for (size_t c = 0; c < k; c++) {
                size_t here = ((size_t)a * k + c) * n + p;
                out->bridge[here] = fine->bridge[here] + tent * middle_excess(fine, fine_grid, left, c, k, p);
            }
        }
}

static sgdmft_status coarsen_block(sgdmft_context *ctx, const path_inputs *fine, model_shape shape,
                                   const path_driver *driver, const time_grid *fine_grid, const time_grid *grid,
                                   path_inputs *out)
{
    size_t n = fine->n, visits = (size_t)fine->slots * n, k = (size_t)shape.k;
    sgdmft_status status = inputs_allocate(ctx, shape, driver, grid->steps, n, fine->slots, out);
    if (status)
        return status;
    memcpy(out->wstar, fine->wstar, sizeof(double) * (size_t)(fine->xi - fine->wstar));
    memcpy(out->y, fine->y, sizeof(double) * (size_t)shape.labels * n);
    coarsen_increments(fine->xi, fine_grid, k * n, out->steps, out->xi);
    if (fine->noise)
        coarsen_increments(fine->noise, fine_grid, n, out->steps, out->noise);
    if (driver->per_cell) {
        coarsen_events(fine, fine_grid, k, out);
        return SGDMFT_OK;
    }
    memcpy(out->time, fine->time, sizeof(double) * visits);
    memcpy(out->weight, fine->weight, sizeof(double) * visits);
    memcpy(out->visits, fine->visits, sizeof(int) * n);
    coarsen_visits(fine, fine_grid, grid, k, out);
    return inputs_group_visits(ctx, shape.k, out);
}

sgdmft_status path_ensemble_coarsen(sgdmft_context *ctx, const path_ensemble *fine, const path_source *source,
                                    const time_grid *fine_grid, const time_grid *coarse_grid, path_ensemble **out)
{
    path_ensemble *e = ensemble_allocate(fine->n_blocks);
    if (!e)
        return context_out_of_memory(ctx, "the paths", sizeof(path_inputs) * (double)fine->n_blocks);
    e->paths = fine->paths;
    e->visits = source->driver->per_cell ? 0.5 * fine->visits : fine->visits;
    sgdmft_status status = SGDMFT_OK;
    for (size_t b = 0; b < fine->n_blocks && !status; b++)
        status =
            coarsen_block(ctx, &fine->block[b], source->shape, source->driver, fine_grid, coarse_grid, &e->block[b]);
    if (status)
        path_ensemble_free(e);
    else
        *out = e;
    return status;
}
