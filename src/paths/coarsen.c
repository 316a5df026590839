#include "paths/coarsen.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"

/* Combines the increments of the two halves of every coarse cell, `width` numbers for each. */
static void coarsen_increments(const double *fine, const time_grid *grid, size_t width, int steps, double *out)
{
    for (int c = 0; c < steps; c++) {
        cell_halves half = time_grid_halves(grid, (size_t)c);
        const double *first = fine + (size_t)(2 * c) * width, *second = first + width;
        for (size_t p = 0; p < width; p++)
            out[(size_t)c * width + p] = half.a * first[p] + half.b * second[p];
    }
}

/* The displacement of the dropped node of a coarse cell from the chord between its ends, for a Brownian motion of unit
   rate: first * xi_1 - second * xi_2 with the normals of the two fine cells. */
typedef struct displacement {
    double first, second;
    const double *xi; /* [2][k][n] */
    size_t n, width;  /* lanes, k n */
} displacement;

static displacement displacement_of(const path_inputs *fine, const time_grid *grid, int left, size_t k)
{
    double h1 = grid->h[left], h2 = grid->h[left + 1];
    size_t width = k * fine->n;
    return (displacement){.first = h2 * sqrt(h1) / (h1 + h2),
                          .second = h1 * sqrt(h2) / (h1 + h2),
                          .xi = fine->xi + (size_t)left * width,
                          .n = fine->n,
                          .width = width};
}

static inline double middle_displacement(const displacement *d, size_t row, size_t p)
{
    const double *xi = d->xi + row * d->n + p;
    return d->first * xi[0] - d->second * xi[d->width];
}

static void coarsen_events(const path_inputs *fine, const time_grid *fine_grid, size_t k, path_inputs *out)
{
    for (int c = 0; out->bridge && c < out->steps; c++) {
        displacement middle = displacement_of(fine, fine_grid, 2 * c, k);
        for (size_t row = 0; row < k; row++)
            for (size_t p = 0; p < out->n; p++)
                out->bridge[((size_t)c * k + row) * out->n + p] = middle_displacement(&middle, row, p);
    }
}

/* The first run of the sorter, over the visits of `fine` in order of groups, in which the visits of a lane ascend in
   time. */
static void count_visits(const path_inputs *fine, visit_sorter *sorter)
{
    for (int cell = 0; cell < fine->steps; cell++)
        for (size_t g = fine->group_first[cell]; g < fine->group_first[cell + 1]; g++)
            for (size_t v = 0; v < fine->groups[g].count; v++)
                visit_sorter_count(sorter, (size_t)fine->visit_lane[fine->groups[g].first + v], cell / 2);
}

/* The second run over the visits of one group: place and bridge in the coarse cell. */
static void place_group(const path_inputs *fine, const time_grid *grid, int cell, const visit_group *group,
                        visit_sorter *sorter)
{
    path_inputs *out = sorter->in;
    size_t k = sorter->k;
    int left = cell & ~1;
    double before = cell == left ? 0 : grid->h[left], length = grid->h[left] + grid->h[left + 1];
    displacement middle = displacement_of(fine, grid, left, k);
    for (size_t v = 0; v < group->count; v++) {
        size_t from = group->first + v, lane = (size_t)fine->visit_lane[from];
        visit_address to = visit_sorter_next(sorter, lane, cell / 2);
        double place = fine->visit_place[from], tent = cell == left ? place : 1 - place;
        out->visit_place[to.at] = (before + place * grid->h[cell]) / length;
        out->visit_step[to.at] = fine->visit_step[from];
        for (size_t c = 0; c < k; c++)
            out->visit_bridge[to.bridge + c * to.count] = fine->visit_bridge[k * group->first + c * group->count + v] +
                                                          tent * middle_displacement(&middle, c, lane);
    }
}

static sgdmft_status coarsen_visits(sgdmft_context *ctx, const path_inputs *fine, const time_grid *fine_grid, int k,
                                    path_inputs *out)
{
    visit_sorter sorter;
    sgdmft_status status = visit_sorter_new(ctx, out, k, &sorter);
    if (status)
        return status;
    count_visits(fine, &sorter);
    status = visit_sorter_lay_out(ctx, &sorter);
    for (int cell = 0; cell < fine->steps && !status; cell++) {
        if (context_stop_now(ctx))
            status = context_interrupted(ctx, "visits were carried over to a coarser grid");
        for (size_t g = fine->group_first[cell]; g < fine->group_first[cell + 1]; g++)
            place_group(fine, fine_grid, cell, &fine->groups[g], &sorter);
    }
    visit_sorter_clear(&sorter);
    return status;
}

static sgdmft_status coarsen_block(sgdmft_context *ctx, const path_inputs *fine, model_shape shape,
                                   const sample_process *process, const time_grid *fine_grid, const time_grid *grid,
                                   path_inputs *out)
{
    size_t n = fine->n, k = (size_t)shape.k;
    sgdmft_status status = inputs_allocate(ctx, shape, process, grid->steps, n, fine->slots, INPUTS_SHARE, out);
    if (status)
        return status;
    out->wstar = fine->wstar;
    out->z0 = fine->z0;
    out->test = fine->test;
    out->eps = fine->eps;
    out->y = fine->y;
    coarsen_increments(fine->xi, fine_grid, k * n, out->steps, out->xi);
    if (fine->noise)
        coarsen_increments(fine->noise, fine_grid, n, out->steps, out->noise);
    if (process->visits)
        return coarsen_visits(ctx, fine, fine_grid, shape.k, out);
    coarsen_events(fine, fine_grid, k, out);
    return SGDMFT_OK;
}

sgdmft_status path_ensemble_coarsen(sgdmft_context *ctx, const path_ensemble *fine, const path_source *source,
                                    const time_grid *fine_grid, const time_grid *coarse_grid, path_ensemble **out)
{
    path_ensemble *e = path_ensemble_empty(fine->n_blocks);
    if (!e)
        return context_out_of_memory(ctx, "the paths", sizeof(path_inputs) * (double)fine->n_blocks);
    e->paths = fine->paths;
    e->visits = source->process->events == EVENTS_STEPS ? 0.5 * fine->visits : fine->visits;
    sgdmft_status status = SGDMFT_OK;
    for (size_t b = 0; b < fine->n_blocks && !status; b++) {
        const path_inputs *in = &fine->block[b];
        if (context_stop_now(ctx))
            status = context_interrupted(ctx, "paths were carried over to a coarser grid");
        else if (share_owns(source->share, b))
            status = coarsen_block(ctx, in, source->shape, source->process, fine_grid, coarse_grid, &e->block[b]);
        else
            e->block[b] = inputs_of_other_rank(source->process, coarse_grid->steps, in->n, in->slots);
    }
    if (status)
        path_ensemble_free(e);
    else
        *out = e;
    return status;
}
