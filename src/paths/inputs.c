#include "paths/inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "paths/draws.h"
#include "paths/inputs_build.h"
#include "paths/matching.h"
#include "paths/visits.h"

size_t path_block_lanes(int k, int steps, int64_t paths)
{
    enum { CACHE_DOUBLES = 1 << 17, MOST = 512, LEAST = 64 };
    size_t lanes = MOST;
    while (lanes > LEAST && lanes * (size_t)k * (size_t)steps > CACHE_DOUBLES)
        lanes /= 2;
    while (lanes > LEAST && (int64_t)lanes * 8 > paths)
        lanes /= 2;
    return lanes - 8; /* rows of a power of two would all fall into the same cache sets */
}

/* How the Sobol' dimensions are dealt out: first what fixes the sample, then visits, then coarse innovations. */
typedef struct dimension_plan {
    unsigned fields;     /* z*, z0 and eps: dimensions 0 .. fields - 1 */
    unsigned visits;     /* waiting times */
    unsigned modes;      /* leading Brownian-bridge modes of the innovations, per component */
} dimension_plan;

static dimension_plan plan_dimensions(model_shape shape, double horizon, int steps)
{
    dimension_plan plan = {.fields = (unsigned)(shape.kstar + shape.k + shape.noises)};
    unsigned left = SOBOL_DIMENSIONS - plan.fields;
    double useful = ceil(horizon + 3 * sqrt(horizon)) + 1;
    plan.visits = useful < left / 2 ? (unsigned)useful : left / 2;
    plan.modes = (left - plan.visits) / (unsigned)shape.k;
    if (plan.modes > 16)
        plan.modes = 16;
    if (plan.modes > (unsigned)steps)
        plan.modes = (unsigned)steps;
    return plan;
}

/* Where a path went after sorting: order[q] is the path at lane q % lanes of block q / lanes. */
static size_t *sort_by_visits(const visit_list *visits)
{
    size_t most = 0;
    for (size_t p = 0; p < visits->paths; p++)
        if (visits->first[p + 1] - visits->first[p] > most)
            most = visits->first[p + 1] - visits->first[p];
    size_t *start = memory_zeroed(most + 2, sizeof *start), *order = memory_zeroed(visits->paths, sizeof *order);
    if (start && order) {
        for (size_t p = 0; p < visits->paths; p++)
            start[visits->first[p + 1] - visits->first[p] + 1]++;
        for (size_t c = 0; c < most; c++)
            start[c + 1] += start[c];
        for (size_t p = 0; p < visits->paths; p++)
            order[start[visits->first[p + 1] - visits->first[p]]++] = p;
    } else {
        free(order);
        order = NULL;
    }
    free(start);
    return order;
}

/* What all stages of a draw share. */
typedef struct draw {
    const sgdmft_problem *problem;
    const model *m;
    const initial_law *law;
    const schedule *eta;
    const time_grid *grid;
    model_shape shape;
    dimension_plan plan;
    uint32_t replica;
    size_t lanes;
    const size_t *order;
    const visit_list *visits;
    path_ensemble *ensemble;
} draw;

static random_key key_of(const draw *d, uint32_t purpose)
{
    return (random_key){d->problem->numerics.seed, d->replica, purpose};
}

/* One Sobol' dimension as standard normals into row `row` of the Gaussian rows of every block. */
static void quasi_row(const draw *d, unsigned dimension, size_t row, double *column)
{
    sobol_points(key_of(d, DRAW_SOBOL), dimension, 0, d->ensemble->paths, column);
    normal_quantiles(d->ensemble->paths, column, column);
    for (size_t q = 0; q < d->ensemble->paths; q++) {
        path_inputs *in = &d->ensemble->block[q / d->lanes];
        inputs_gaussian(in)[row * in->n + q % d->lanes] = column[d->order[q]];
    }
}

/* Fine modes of the innovations of one block from the counter-based generator. */
static void pseudo_modes(const draw *d, path_inputs *in, size_t start, double *buffer)
{
    size_t k = (size_t)d->shape.k, first = d->plan.modes * k, count = (size_t)in->steps * k - first;
    for (size_t p = 0; p < in->n; p++) {
        random_normals(key_of(d, DRAW_INNOVATIONS), d->order[start + p], 0, count, buffer);
        for (size_t j = 0; j < count; j++)
            in->xi[(first + j) * in->n + p] = buffer[j];
    }
}

/* Turns Brownian-bridge modes (in xi) into increments over the cells: mode 0 is the whole interval, each further mode
   splits one interval, breadth first. Orthonormal, so normals stay independent standard normals. */
static void modes_to_cells(const time_grid *grid, int k, path_inputs *in, int (*split)[3], double *sums)
{
    size_t n = in->n, width = (size_t)k * n;
    double root = sqrt(grid->t[grid->steps] - grid->t[0]);
    for (size_t p = 0; p < width; p++)
        sums[p] = root * in->xi[p];
    for (int mode = 1; mode < grid->steps; mode++) {
        int low = split[mode][0], middle = split[mode][1], high = split[mode][2];
        double left = grid->t[middle] - grid->t[low], right = grid->t[high] - grid->t[middle];
        double share = left / (left + right), spread = sqrt(left * right / (left + right));
        const double *z = in->xi + (size_t)mode * width;
        double *a = sums + (size_t)low * width, *b = sums + (size_t)middle * width;
        for (size_t p = 0; p < width; p++) {
            double part = share * a[p] + spread * z[p];
            b[p] = a[p] - part;
            a[p] = part;
        }
    }
    for (int c = 0; c < grid->steps; c++) {
        double scale = 1 / sqrt(grid->h[c]);
        for (size_t p = 0; p < width; p++)
            in->xi[(size_t)c * width + p] = scale * sums[(size_t)c * width + p];
    }
}

/* Breadth-first bisection of cells 0 .. steps - 1: split[mode] = {low, middle, high}. */
static void plan_bisection(int steps, int (*split)[3])
{
    int filled = 1, next = 1;
    int (*queue)[3] = split; /* intervals waiting are stored where their own split will be written */
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

static sgdmft_status draw_gaussians(sgdmft_context *ctx, const draw *d)
{
    size_t k = (size_t)d->shape.k, steps = (size_t)d->grid->steps, paths = d->ensemble->paths;
    double *column = memory_doubles(paths), *sums = memory_doubles(steps * k * d->lanes);
    int(*split)[3] = memory_zeroed(steps + 1, sizeof *split);
    if (!column || !sums || !split) {
        free(column);
        free(sums);
        free(split);
        return context_out_of_memory(ctx, "the innovations", 8.0 * (double)(paths + steps * k * d->lanes));
    }
    unsigned dimension = 0;
    size_t row = 0;
    for (; dimension < d->plan.fields; dimension++)
        quasi_row(d, dimension, row++, column);
    dimension += d->plan.visits;
    for (unsigned j = 0; j < d->plan.modes * (unsigned)k; j++)
        quasi_row(d, dimension++, row++, column);
    plan_bisection(d->grid->steps, split);
    for (size_t b = 0; b < d->ensemble->n_blocks; b++) {
        path_inputs *in = &d->ensemble->block[b];
        pseudo_modes(d, in, b * d->lanes, sums);
        modes_to_cells(d->grid, d->shape.k, in, split, sums);
    }
    free(column);
    free(sums);
    free(split);
    return SGDMFT_OK;
}

static sgdmft_status match_gaussians(sgdmft_context *ctx, const draw *d)
{
    size_t blocks = d->ensemble->n_blocks;
    double **rows = calloc(blocks, sizeof *rows);
    size_t *n = calloc(blocks, sizeof *n);
    sgdmft_status status = SGDMFT_OK;
    if (!rows || !n) {
        status = context_out_of_memory(ctx, "moment matching", 16.0 * (double)blocks);
    } else {
        for (size_t b = 0; b < blocks; b++) {
            rows[b] = inputs_gaussian(&d->ensemble->block[b]);
            n[b] = d->ensemble->block[b].n;
        }
        size_t count = d->plan.fields + (size_t)d->grid->steps * (size_t)d->shape.k;
        status = matching_apply(ctx, count, blocks, rows, n);
    }
    free(rows);
    free(n);
    return status;
}

static void place_visits(const draw *d, path_inputs *in, size_t start)
{
    for (size_t p = 0; p < in->n; p++) {
        size_t path = d->order[start + p], first = d->visits->first[path];
        int count = (int)(d->visits->first[path + 1] - first);
        in->visits[p] = count;
        for (int a = 0; a < count; a++) {
            double time = d->visits->time[first + (size_t)a];
            int cell = time_grid_cell(d->grid, time);
            size_t at = (size_t)a * in->n + p;
            in->time[at] = time;
            in->cell[at] = cell;
            in->place[at] = (time - d->grid->t[cell]) / d->grid->h[cell];
        }
    }
}

/* Unit-rate Brownian bridges over the cells, at the visits one after the other. */
static void draw_bridges(const draw *d, path_inputs *in, size_t start, double *normals)
{
    size_t k = (size_t)d->shape.k;
    for (size_t p = 0; p < in->n; p++) {
        random_normals(key_of(d, DRAW_BRIDGE), d->order[start + p], 0, (size_t)in->visits[p] * k, normals);
        for (int a = 0; a < in->visits[p]; a++) {
            size_t at = (size_t)a * in->n + p;
            int cell = in->cell[at], follows = a > 0 && in->cell[at - in->n] == cell;
            double since = follows ? in->time[at - in->n] : d->grid->t[cell], end = d->grid->t[cell + 1];
            double shrink = (end - in->time[at]) / (end - since);
            double spread = sqrt((in->time[at] - since) * shrink);
            for (size_t c = 0; c < k; c++) {
                size_t here = ((size_t)a * k + c) * in->n + p;
                double before = follows ? in->bridge[here - k * in->n] : 0;
                in->bridge[here] = shrink * before + spread * normals[(size_t)a * k + c];
            }
        }
    }
}

/* w* = chol(rho) z*, in place, then the labels. */
static sgdmft_status label_block(sgdmft_context *ctx, const draw *d, path_inputs *in, model_work *work)
{
    size_t n = in->n;
    for (int a = d->shape.kstar - 1; a >= 0; a--) {
        const double *row = d->law->chol_rho + a * d->shape.kstar;
        for (size_t p = 0; p < n; p++) {
            double sum = 0;
            for (int b = 0; b <= a; b++)
                sum += row[b] * in->wstar[(size_t)b * n + p];
            in->wstar[(size_t)a * n + p] = sum;
        }
    }
    if (model_label(d->m, work, n, in->wstar, in->eps, in->y))
        return context_fail(ctx, SGDMFT_ERR_PLUGIN, "model.plugin: the label call-back asked to stop");
    for (size_t p = 0; p < n * (size_t)d->shape.labels; p++)
        if (!isfinite(in->y[p]))
            return context_fail(ctx, SGDMFT_ERR_NON_FINITE,
                                "model.label: the label is not a finite number (%g) at s = %g; allowed: finite for all "
                                "Gaussian s and eps",
                                in->y[p], in->wstar[p % n]);
    return SGDMFT_OK;
}

static sgdmft_status finish_blocks(sgdmft_context *ctx, const draw *d)
{
    size_t most = 1;
    for (size_t b = 0; b < d->ensemble->n_blocks; b++)
        if ((size_t)d->ensemble->block[b].slots > most)
            most = (size_t)d->ensemble->block[b].slots;
    double *buffer = memory_doubles(most * d->lanes * (size_t)d->shape.k);
    double *schedule_space = memory_doubles(schedule_work(d->eta));
    model_work *work = NULL;
    sgdmft_status status = model_work_new(ctx, d->m, d->lanes, &work);
    if (!status && (!buffer || !schedule_space))
        status = context_out_of_memory(ctx, "the visits", 8.0 * (double)(most * d->lanes));
    for (size_t b = 0; b < d->ensemble->n_blocks && !status; b++) {
        path_inputs *in = &d->ensemble->block[b];
        place_visits(d, in, b * d->lanes);
        draw_bridges(d, in, b * d->lanes, buffer);
        schedule_values(d->eta, schedule_space, (size_t)in->slots * in->n, in->time, in->weight);
        status = label_block(ctx, d, in, work);
        if (!status)
            status = inputs_group_visits(ctx, in);
    }
    model_work_free(work);
    free(buffer);
    free(schedule_space);
    return status;
}

static sgdmft_status allocate_blocks(sgdmft_context *ctx, const draw *d)
{
    path_ensemble *e = d->ensemble;
    for (size_t b = 0; b < e->n_blocks; b++) {
        size_t start = b * d->lanes, n = e->paths - start < d->lanes ? e->paths - start : d->lanes;
        /* sorted by number of visits: the last lane has the most */
        size_t last = d->order[start + n - 1];
        int slots = (int)(d->visits->first[last + 1] - d->visits->first[last]);
        sgdmft_status status = inputs_allocate(ctx, d->shape, d->grid->steps, n, slots, &e->block[b]);
        if (status)
            return status;
    }
    return SGDMFT_OK;
}

sgdmft_status path_ensemble_new(sgdmft_context *ctx, const sgdmft_problem *problem, const model *m,
                                const initial_law *law, const schedule *eta, const time_grid *grid, uint32_t replica,
                                path_ensemble **out)
{
    size_t paths = (size_t)problem->numerics.paths;
    draw d = {.problem = problem, .m = m, .law = law, .eta = eta, .grid = grid, .replica = replica};
    d.shape = model_get_shape(m);
    d.plan = plan_dimensions(d.shape, grid->t[grid->steps], grid->steps);
    d.lanes = path_block_lanes(d.shape.k, grid->steps, problem->numerics.paths);
    visit_list visits = {0};
    size_t *order = NULL;
    sgdmft_status status = visit_list_poisson(ctx, problem->numerics.seed, replica, paths, grid->t[grid->steps],
                                              d.plan.fields, d.plan.visits, &visits);
    if (!status) {
        order = sort_by_visits(&visits);
        d.ensemble = ensemble_allocate((paths + d.lanes - 1) / d.lanes);
        if (!order || !d.ensemble)
            status = context_out_of_memory(ctx, "the paths", 8.0 * (double)paths);
    }
    if (!status) {
        d.order = order;
        d.visits = &visits;
        d.ensemble->paths = paths;
        d.ensemble->visits = (double)visits.first[paths];
        status = allocate_blocks(ctx, &d);
    }
    if (!status)
        status = draw_gaussians(ctx, &d);
    if (!status)
        status = match_gaussians(ctx, &d);
    if (!status)
        status = finish_blocks(ctx, &d);
    free(order);
    visit_list_clear(&visits);
    if (status)
        path_ensemble_free(d.ensemble);
    else
        *out = d.ensemble;
    return status;
}
