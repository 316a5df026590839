#include "paths/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "paths/gaussians.h"
#include "paths/visits.h"

path_ensemble *path_ensemble_empty(size_t n_blocks)
{
    path_ensemble *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->block = calloc(n_blocks, sizeof *e->block);
    if (!e->block) {
        free(e);
        return NULL;
    }
    e->n_blocks = n_blocks;
    return e;
}

void path_ensemble_free(path_ensemble *e)
{
    if (!e)
        return;
    for (size_t b = 0; b < e->n_blocks; b++)
        inputs_clear(&e->block[b]);
    free(e->block);
    free(e);
}

size_t path_block_lanes(int k, int steps, int64_t paths)
{
    enum { CACHE_NUMBERS = 1 << 18, MOST = 768, LEAST = 96 };
    size_t lanes = MOST;
    while (lanes > LEAST && lanes * (size_t)k * (size_t)steps > CACHE_NUMBERS)
        lanes /= 2;
    while (lanes > LEAST && (int64_t)lanes * 8 > paths)
        lanes /= 2;
    return lanes - 8; /* rows whose length is a power of two would all fall into the same cache sets */
}

size_t source_lanes(const path_source *source, const time_grid *grid)
{
    int64_t paths = source->problem->numerics.paths;
    size_t lanes = path_block_lanes(source->shape.k, grid->steps, paths);
    if (process_keeps_places(source->process)) {
        size_t batch = (size_t)ceil((double)paths * grid->h[0]), least = 64;
        batch = batch > least ? batch : least;
        lanes = lanes < batch ? lanes : batch;
    }
    return lanes;
}

/* The largest number of quasi-random visits of a path. More do harm: with 35 (T = 20) the variance of the averages was
   six times the one with 12. */
static const unsigned QUASI_VISITS = 12;

/* The number of quasi-random modes where paths are few, and the number of paths for each further mode. Many
   quasi-random modes together with the matching of moments bias fourth moments: with 1024 paths and 48 modes the fourth
   moment of w(T) was 1% too small, with 16 modes the bias was below the noise. */
static const unsigned FEW_MODES = 16, PATHS_PER_MODE = 64;

/* The number of principal directions whose dimensions come before those of the visits. The modes of Brownian bridges
   all come before the visits, or all after them where the noise of visits is not integrated out (last_visit.h). */
static const unsigned LEADING_DIRECTIONS = 2;

/* The number of quasi-random modes of each component. */
static unsigned plan_modes(unsigned components, size_t paths, unsigned steps)
{
    unsigned modes = (unsigned)(paths / PATHS_PER_MODE), most = quasi_modes(components);
    modes = modes < FEW_MODES ? FEW_MODES : modes;
    modes = modes < most ? modes : most;
    return modes < steps ? modes : steps;
}

static dimension_plan plan_dimensions(const draw *d)
{
    model_shape shape = d->shape;
    const sample_process *process = d->source->process;
    dimension_plan plan = {.fields = (unsigned)(shape.kstar + shape.k + shape.noises)};
    double useful =
        process->visits ? ceil(process->visits->count(d->grid->t[d->grid->steps], 3, d->grid->h[0])) + 1 : 0;
    if (process->visits && process->batch != BATCH_FULL) /* in full batches nothing is random */
        plan.visits = process_keeps_places(process) ? 1 : useful < QUASI_VISITS ? (unsigned)useful : QUASI_VISITS;
    plan.modes = plan_modes((unsigned)(shape.k + (process->diffuses)), (size_t)d->source->problem->numerics.paths,
                            (unsigned)d->grid->steps);
    plan.lead = d->source->by_visits ? 0 : plan.modes;
    if (d->source->field && plan.lead > LEADING_DIRECTIONS)
        plan.lead = LEADING_DIRECTIONS;
    return plan;
}

/* Sorts the paths by their numbers of visits: order[q] is the path at position q. NULL if memory runs out. */
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

/* A path and the time of its first visit. */
typedef struct placed_path {
    double time;
    size_t path;
} placed_path;

static int compare_places(const void *a, const void *b)
{
    const placed_path *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->path < y->path ? -1 : x->path > y->path;
}

/* Sorts the paths by their place in an epoch. NULL if memory runs out. */
static size_t *sort_by_place(const visit_list *visits)
{
    placed_path *list = memory_zeroed(visits->paths, sizeof *list);
    size_t *order = memory_zeroed(visits->paths, sizeof *order);
    for (size_t p = 0; p < visits->paths && list && order; p++) {
        size_t first = visits->first[p];
        list[p] = (placed_path){first < visits->first[p + 1] ? visits->time[first] : HUGE_VAL, p};
    }
    if (list && order) {
        qsort(list, visits->paths, sizeof *list, compare_places);
        for (size_t p = 0; p < visits->paths; p++)
            order[p] = list[p].path;
    } else {
        free(order);
        order = NULL;
    }
    free(list);
    return order;
}

/* Scratch memory for the events of one block. */
typedef struct event_space {
    double *normals;  /* of one path */
    double *time;     /* of the visits of a block, in order of groups */
    double *schedule; /* for schedule_values */
    int *cell;        /* of the visits of a block, path by path */
    model_work *model;
} event_space;

/* The number of visits of the path in lane p of the block that begins at position `start`, and their times. */
static inline size_t lane_visits(const draw *d, const visit_list *visits, size_t start, size_t p, const double **time)
{
    size_t path = draw_path(d, start + p), first = visits->first[path];
    *time = visits->time + first;
    return visits->first[path + 1] - first;
}

/* The first run of the sorter over the visits of a block; stores the cell of each visit. */
static void count_visits(const draw *d, const visit_list *visits, size_t start, visit_sorter *sorter, int *cell)
{
    const time_grid *grid = d->grid;
    for (size_t p = 0; p < sorter->in->n; p++) {
        const double *time;
        size_t count = lane_visits(d, visits, start, p, &time);
        int at = 0;
        for (size_t a = 0; a < count; a++) {
            while (at < grid->steps - 1 && time[a] >= grid->t[at + 1])
                at++;
            *cell++ = at;
            visit_sorter_count(sorter, p, at);
        }
    }
}

/* Puts the visits of one path in their places. The unit-rate Brownian bridge of a cell is drawn at its visits in order
   of time, each given the one before. */
static void place_path(const draw *d, visit_sorter *sorter, size_t p, size_t count, const double *time, const int *cell,
                       const double *normals, double *group_time)
{
    path_inputs *in = sorter->in;
    size_t k = sorter->k;
    double before[MATRIX_MAX];
    for (size_t a = 0; a < count; a++) {
        visit_address to = visit_sorter_next(sorter, p, cell[a]);
        int follows = a > 0 && cell[a - 1] == cell[a];
        double start = d->grid->t[cell[a]], end = d->grid->t[cell[a] + 1], since = follows ? time[a - 1] : start;
        double shrink = (end - time[a]) / (end - since), deviation = sqrt((time[a] - since) * shrink);
        group_time[to.at] = time[a];
        in->visit_place[to.at] = (time[a] - start) / d->grid->h[cell[a]];
        for (size_t c = 0; c < k; c++) {
            before[c] = shrink * (follows ? before[c] : 0) + deviation * normals[a * k + c];
            in->visit_bridge[to.bridge + c * to.count] = before[c];
        }
    }
}

/* The second run of the sorter over the visits of a block. */
static void place_visits(const draw *d, const visit_list *visits, size_t start, visit_sorter *sorter,
                         const event_space *space)
{
    const int *cell = space->cell;
    for (size_t p = 0; p < sorter->in->n; p++) {
        const double *time;
        size_t count = lane_visits(d, visits, start, p, &time);
        random_normals(draw_key(d, PURPOSE_BRIDGE), draw_path(d, start + p), 0, count * sorter->k, space->normals);
        place_path(d, sorter, p, count, time, cell, space->normals, space->time);
        cell += count;
    }
    schedule_values(d->source->eta, space->schedule, sorter->in->visits, space->time, sorter->in->visit_step);
}

/* Unit-rate Brownian bridges at the middle of every cell. */
static void draw_middle_bridges(const draw *d, path_inputs *in, size_t start, double *normals)
{
    size_t k = (size_t)d->shape.k, count = (size_t)in->steps * k;
    for (size_t p = 0; p < in->n; p++) {
        random_normals(draw_key(d, PURPOSE_BRIDGE), draw_path(d, start + p), 0, count, normals);
        for (size_t j = 0; j < count; j++) {
            double x = d->grid->middle[j / k];
            in->bridge[j * in->n + p] = sqrt(d->grid->h[j / k] * x * (1 - x)) * normals[j];
        }
    }
}

/* Turns the drawn normals into z* and eps, z* into w*, and computes the labels. */
static sgdmft_status label_block(sgdmft_context *ctx, const draw *d, path_inputs *in, model_work *work)
{
    size_t n = in->n;
    if (d->source->label)
        label_axes_apply(d->source->label, d->shape.kstar, n, in->wstar, in->eps);
    data_law_signals(d->source->law, n, in->wstar);
    if (model_label(d->source->m, work, n, in->wstar, in->eps, in->y))
        return context_fail(ctx, SGDMFT_ERR_PLUGIN, "model: the label call-back asked to stop");
    for (size_t p = 0; p < n * (size_t)d->shape.labels; p++)
        if (!isfinite(in->y[p]))
            return context_fail(ctx, SGDMFT_ERR_NON_FINITE,
                                "model.label: the label is not a finite number (%g) at s = %g; allowed: finite for all "
                                "Gaussian s and eps",
                                in->y[p], in->wstar[p % n]);
    return SGDMFT_OK;
}

/* Test averages depend on k normals beside the signal and the label noise, so these should have the best dimensions:
   the leading coordinates of the field. */
static sgdmft_status test_block(sgdmft_context *ctx, const draw *d, path_inputs *in)
{
    size_t k = (size_t)d->shape.k;
    if (!d->source->field)
        return SGDMFT_OK;
    in->own_test = memory_doubles(k * in->n);
    if (!in->own_test)
        return context_out_of_memory(ctx, "the test law", 8.0 * (double)(k * in->n));
    principal_axes_leading(d->source->field, d->grid, k, in->n, in->z0, in->xi, in->own_test);
    in->test = in->own_test;
    return SGDMFT_OK;
}

static sgdmft_status draw_events(sgdmft_context *ctx, const draw *d, const visit_list *visits, size_t b,
                                 const event_space *space)
{
    path_inputs *in = &d->ensemble->block[b];
    size_t start = b * d->lanes;
    if (d->source->process->events == EVENTS_STEPS) {
        if (in->bridge)
            draw_middle_bridges(d, in, start, space->normals);
        return SGDMFT_OK;
    }
    visit_sorter sorter;
    sgdmft_status status = visit_sorter_new(ctx, in, d->shape.k, &sorter);
    if (status)
        return status;
    count_visits(d, visits, start, &sorter, space->cell);
    status = visit_sorter_lay_out(ctx, &sorter);
    if (!status)
        place_visits(d, visits, start, &sorter, space);
    visit_sorter_clear(&sorter);
    return status;
}

static void event_space_clear(event_space *space)
{
    model_work_free(space->model);
    free(space->normals);
    free(space->time);
    free(space->schedule);
    free(space->cell);
}

static sgdmft_status event_space_new(sgdmft_context *ctx, const draw *d, event_space *out)
{
    size_t most = 1, visits;
    for (size_t b = 0; b < d->ensemble->n_blocks; b++)
        if ((size_t)d->ensemble->block[b].slots > most)
            most = (size_t)d->ensemble->block[b].slots;
    visits = most * d->lanes;
    *out = (event_space){.normals = memory_doubles(most * (size_t)d->shape.k),
                         .schedule = memory_doubles(schedule_work(d->source->eta))};
    if (d->source->process->visits) {
        out->time = memory_doubles(visits);
        out->cell = memory_zeroed(visits, sizeof *out->cell);
    }
    sgdmft_status status = model_work_new(ctx, d->source->m, d->lanes, &out->model);
    if (!status && (!out->normals || !out->schedule || (d->source->process->visits && (!out->time || !out->cell))))
        status = context_out_of_memory(ctx, "the events", 12.0 * (double)visits);
    if (status)
        event_space_clear(out);
    return status;
}

static sgdmft_status finish_blocks(sgdmft_context *ctx, const draw *d, const visit_list *visits)
{
    event_space space;
    sgdmft_status status = event_space_new(ctx, d, &space);
    if (status)
        return status;
    for (size_t b = 0; b < d->ensemble->n_blocks && !status; b++) {
        if (!share_owns(d->source->share, b))
            continue;
        if (context_stop_now(ctx))
            status = context_interrupted(ctx, "paths were drawn");
        if (!status)
            status = draw_events(ctx, d, visits, b, &space);
        if (!status)
            status = label_block(ctx, d, &d->ensemble->block[b], space.model);
        if (!status)
            status = test_block(ctx, d, &d->ensemble->block[b]);
    }
    event_space_clear(&space);
    return status;
}

/* The largest number of visits of a path at positions start .. start + n - 1. */
static int most_visits(const draw *d, const visit_list *visits, size_t start, size_t n)
{
    size_t most = 0;
    for (size_t p = 0; p < n && visits->paths > 0; p++) {
        size_t path = draw_path(d, start + p), count = visits->first[path + 1] - visits->first[path];
        if (count > most)
            most = count;
    }
    return (int)most;
}

static sgdmft_status allocate_blocks(sgdmft_context *ctx, const draw *d, const visit_list *visits)
{
    path_ensemble *e = d->ensemble;
    for (size_t b = 0; b < e->n_blocks; b++) {
        size_t start = b * d->lanes, n = e->paths - start < d->lanes ? e->paths - start : d->lanes;
        int slots = most_visits(d, visits, start, n);
        if (!share_owns(d->source->share, b)) {
            e->block[b] = inputs_of_other_rank(d->source->process, d->grid->steps, n, slots);
            continue;
        }
        sgdmft_status status =
            inputs_allocate(ctx, d->shape, d->source->process, d->grid->steps, n, slots, INPUTS_OWN, &e->block[b]);
        if (status)
            return status;
    }
    return SGDMFT_OK;
}

/* Sorting by the number of visits needs the visits of all paths on every rank; otherwise a rank draws those of its own
   paths. */
static sgdmft_status draw_visits(sgdmft_context *ctx, const draw *d, size_t paths, visit_list *out)
{
    const path_source *source = d->source;
    uint64_t seed = source->problem->numerics.seed;
    double horizon = d->grid->t[d->grid->steps];
    unsigned dimension = draw_visits_dimension(d);
    if (source->by_visits || share_size(source->share) == 1)
        return visit_list_draw(ctx, source->process->visits, seed, d->replica, paths, horizon, d->grid->h[0], dimension,
                               d->plan.visits, out);
    return visit_list_draw_shared(ctx, source->process->visits, source->share, d->lanes, seed, d->replica, paths,
                                  horizon, d->grid->h[0], dimension, d->plan.visits, out);
}

/* Draws the visits and allocates the blocks. The caller calls end_draw, on failure too. */
static sgdmft_status prepare_draw(sgdmft_context *ctx, const path_source *source, const time_grid *grid,
                                  uint32_t replica, visit_list *visits, draw *d)
{
    const sgdmft_problem *problem = source->problem;
    size_t paths = (size_t)problem->numerics.paths;
    int per_cell = source->process->events == EVENTS_STEPS;
    *visits = (visit_list){0};
    *d = (draw){.source = source, .grid = grid, .replica = replica, .shape = source->shape};
    d->plan = plan_dimensions(d);
    d->lanes = source_lanes(source, grid);
    sgdmft_status status = SGDMFT_OK;
    if (!per_cell)
        status = draw_visits(ctx, d, paths, visits);
    if (status)
        return status;
    if (source->by_visits && !per_cell)
        d->order = process_keeps_places(source->process) ? sort_by_place(visits) : sort_by_visits(visits);
    d->ensemble = path_ensemble_empty((paths + d->lanes - 1) / d->lanes);
    if ((source->by_visits && !per_cell && !d->order) || !d->ensemble)
        return context_out_of_memory(ctx, "the paths", 8.0 * (double)paths);
    d->ensemble->paths = paths;
    d->ensemble->visits = per_cell ? (double)paths * grid->steps : (double)visits->first[paths];
    return allocate_blocks(ctx, d, visits);
}

/* The number of visits on all ranks, from the number on this one. */
static double all_visits(const path_source *source, double mine)
{
    rank_group *all = share_ranks(source->share);
    if (!all || source->by_visits || source->process->events == EVENTS_STEPS ||
        ranks_allgather_one(all, mine, all->per_rank))
        return mine;
    double sum = 0;
    for (int r = 0; r < all->size; r++)
        sum += all->per_rank[r];
    return sum;
}

/* Everything except events and labels. */
static sgdmft_status begin_draw(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                                visit_list *visits, draw *d)
{
    sgdmft_status status = prepare_draw(ctx, source, grid, replica, visits, d);
    status = ranks_agree(ctx, share_ranks(source->share), status);
    if (status)
        return status;
    d->ensemble->visits = all_visits(source, d->ensemble->visits);
    return draw_gaussians(ctx, d);
}

/* Releases what only the drawing needs, and hands over the ensemble unless there was a failure. */
static void end_draw(sgdmft_status status, draw *d, visit_list *visits, path_ensemble **out)
{
    free(d->order);
    visit_list_clear(visits);
    if (status)
        path_ensemble_free(d->ensemble);
    else
        *out = d->ensemble;
}

sgdmft_status path_ensemble_new(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                                path_ensemble **out)
{
    draw d;
    visit_list visits;
    sgdmft_status status = begin_draw(ctx, source, grid, replica, &visits, &d);
    if (!status)
        status = ranks_agree(ctx, share_ranks(source->share), finish_blocks(ctx, &d, &visits));
    end_draw(status, &d, &visits, out);
    return status;
}

sgdmft_status path_ensemble_start(sgdmft_context *ctx, const path_source *source, uint32_t replica, path_ensemble **out)
{
    double t = 0, h = 1; /* there is no step, but the laws of visits ask for its length */
    int none[2] = {0, 0};
    time_grid empty = {.steps = 0, .t = &t, .h = &h, .history = none};
    return path_ensemble_new(ctx, source, &empty, replica, out);
}

sgdmft_status path_ensemble_normals(sgdmft_context *ctx, const path_source *source, const time_grid *grid,
                                    uint32_t replica, path_ensemble **out)
{
    draw d;
    visit_list visits;
    sgdmft_status status = begin_draw(ctx, source, grid, replica, &visits, &d);
    end_draw(status, &d, &visits, out);
    return status;
}
