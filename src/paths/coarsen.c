/* The same paths on every second node. A coarse innovation is the normalised sum of two fine ones; the coarse bridge
   at a visit is the fine bridge plus the tent by which the middle node leaves the coarse chord. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths/inputs_build.h"

static void coarsen_innovations(const path_inputs *fine, const time_grid *grid, size_t width, path_inputs *out)
{
    for (int c = 0; c < out->steps; c++) {
        double h1 = grid->h[2 * c], h2 = grid->h[2 * c + 1];
        double a = sqrt(h1 / (h1 + h2)), b = sqrt(h2 / (h1 + h2));
        const double *first = fine->xi + (size_t)(2 * c) * width, *second = first + width;
        for (size_t p = 0; p < width; p++)
            out->xi[(size_t)c * width + p] = a * first[p] + b * second[p];
    }
}

static void coarsen_visits(const path_inputs *fine, const time_grid *fine_grid, const time_grid *grid, size_t k,
                           path_inputs *out)
{
    size_t n = fine->n;
    for (size_t p = 0; p < n; p++)
        for (int a = 0; a < fine->visits[p]; a++) {
            size_t at = (size_t)a * n + p;
            int small = fine->cell[at], left = small & ~1, cell = small / 2;
            double h1 = fine_grid->h[left], h2 = fine_grid->h[left + 1];
            double tent = small == left ? fine->place[at] : 1 - fine->place[at];
            out->cell[at] = cell;
            out->place[at] = (fine->time[at] - grid->t[cell]) / grid->h[cell];
            for (size_t c = 0; c < k; c++) {
                double first = sqrt(h1) * fine->xi[((size_t)left * k + c) * n + p];
                double second = sqrt(h2) * fine->xi[((size_t)(left + 1) * k + c) * n + p];
                size_t here = ((size_t)a * k + c) * n + p;
                out->bridge[here] = fine->bridge[here] + tent * (h2 * first - h1 * second) / (h1 + h2);
            }
        }
}

static sgdmft_status coarsen_block(sgdmft_context *ctx, const path_inputs *fine, model_shape shape,
                                   const time_grid *fine_grid, const time_grid *grid, path_inputs *out)
{
    size_t n = fine->n, visits = (size_t)fine->slots * n, k = (size_t)shape.k;
    sgdmft_status status = inputs_allocate(ctx, shape, grid->steps, n, fine->slots, out);
    if (status)
        return status;
    memcpy(out->wstar, fine->wstar, sizeof(double) * (size_t)(fine->xi - fine->wstar));
    memcpy(out->y, fine->y, sizeof(double) * (size_t)shape.labels * n);
    memcpy(out->time, fine->time, sizeof(double) * visits);
    memcpy(out->weight, fine->weight, sizeof(double) * visits);
    memcpy(out->visits, fine->visits, sizeof(int) * n);
    coarsen_innovations(fine, fine_grid, k * n, out);
    coarsen_visits(fine, fine_grid, grid, k, out);
    return inputs_group_visits(ctx, out);
}

sgdmft_status path_ensemble_coarsen(sgdmft_context *ctx, const path_ensemble *fine, const model *m,
                                    const time_grid *fine_grid, const time_grid *coarse_grid, path_ensemble **out)
{
    path_ensemble *e = ensemble_allocate(fine->n_blocks);
    if (!e)
        return context_out_of_memory(ctx, "the paths", sizeof(path_inputs) * (double)fine->n_blocks);
    e->paths = fine->paths;
    e->visits = fine->visits;
    sgdmft_status status = SGDMFT_OK;
    for (size_t b = 0; b < fine->n_blocks && !status; b++)
        status = coarsen_block(ctx, &fine->block[b], model_get_shape(m), fine_grid, coarse_grid, &e->block[b]);
    if (status)
        path_ensemble_free(e);
    else
        *out = e;
    return status;
}
