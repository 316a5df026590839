#include "merged/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/random.h"
#include "merged/moments.h"
#include "paths/purposes.h"

/* Draws of one window have items from index << SLOT_BITS on. */
enum { SLOT_BITS = 16, SLOTS_LEAST = 8 };

/* Visits that are sorted between two looks at the caller's wish to stop. */
enum { VISITS_BETWEEN = 1 << 16 };

/* The golden ratio, less one. */
static const double GOLDEN = 0.6180339887498948482;

typedef struct lane_order {
    double key;
    size_t lane;
} lane_order;

static int cells_of(int grid)
{
    return WINDOW_CELLS >> grid;
}

static random_key key_of(const window_source *source, uint32_t purpose)
{
    return (random_key){source->paths->problem->numerics.seed, source->replica, purpose};
}

static int grow_slots(path_window *w, int most)
{
    size_t n = w->n, old = (size_t)w->most_slots;
    int *fine = memory_raw((size_t)most * n, sizeof *fine);
    uint32_t *list = memory_raw((size_t)most * n, sizeof *list);
    size_t *count = memory_raw((size_t)(WINDOW_CELLS * most), sizeof *count);
    double *time = memory_raw((size_t)most * n, sizeof *time), *eta = memory_raw((size_t)most * n, sizeof *eta);
    double *path = memory_raw((size_t)most * w->k * n, sizeof *path);
    if (!time || !eta || !path || !fine || !list || !count) {
        free(count);
        free(fine);
        free(list);
        free(time);
        free(eta);
        free(path);
        return -1;
    }
    if (old > 0) {
        memcpy(time, w->time, sizeof *time * old * n);
        memcpy(eta, w->eta, sizeof *eta * old * n);
        memcpy(fine, w->fine, sizeof *fine * old * n);
        memcpy(list, w->list, sizeof *list * w->listed);
        memcpy(path, w->path, sizeof *path * old * w->k * n);
    }
    free(w->count);
    free(w->fine);
    free(w->list);
    free(w->time);
    free(w->eta);
    free(w->path);
    w->count = count;
    w->fine = fine;
    w->list = list;
    w->time = time;
    w->eta = eta;
    w->path = path;
    w->most_slots = most;
    return 0;
}

/* Doubles per lane of the cells of all grids. */
static size_t rows_of(size_t k, const sample_process *process)
{
    size_t cells = 0;
    for (int g = 0; g < WINDOW_GRIDS; g++)
        cells += (size_t)cells_of(g);
    return cells * (MOMENTS * k + (process->diffuses ? 1 + k : 0));
}

double path_window_bytes(size_t k, double visits_per_window)
{
    double slots = visits_per_window + 4 * sqrt(visits_per_window) + 2;
    return 8 * (7 * (MOMENTS + 1) * (double)k + (WINDOW_CELLS + 1.0) * (double)k + slots * (2 + 4.0 * (double)k) + 4 +
                (double)k);
}

sgdmft_status path_window_new(sgdmft_context *ctx, const window_source *source, size_t n, uint64_t first,
                              path_window *out)
{
    const path_source *paths = source->paths;
    const sample_process *process = paths->process;
    size_t k = (size_t)paths->shape.k;
    path_window w = {.k = k, .n = n, .first = first};
    double *at = w.rows = memory_doubles(rows_of(k, process) * n);
    w.sums = memory_doubles((WINDOW_CELLS + 1) * k * n);
    w.last = memory_zeroed(2 * n, sizeof *w.last);
    w.order = memory_zeroed(n, sizeof *w.order);
    w.coming = memory_doubles(n);
    w.number = memory_doubles(n);
    w.random = memory_doubles(n);
    w.schedule = memory_doubles(schedule_work(paths->eta));
    int failed = !w.rows || !w.sums || !w.last || !w.order || !w.coming || !w.number || !w.random || !w.schedule;
    if (!failed && process->visits)
        failed = grow_slots(&w, SLOTS_LEAST);
    *out = w;
    if (failed) {
        path_window_clear(out);
        return context_out_of_memory(ctx, "the inputs of paths", 8.0 * (double)(rows_of(k, process) * n));
    }
    for (int g = 0; g < WINDOW_GRIDS; g++)
        for (int c = 0; c < cells_of(g); c++) {
            window_cell *cell = &out->cell[g][c];
            cell->xi = at;
            at += MOMENTS * k * n;
            if (process->diffuses) {
                cell->noise = at;
                cell->bridge = at + n;
                at += (1 + k) * n;
            }
        }
    return SGDMFT_OK;
}

void path_window_clear(path_window *w)
{
    free(w->rows);
    free(w->count);
    free(w->fine);
    free(w->list);
    free(w->last);
    free(w->order);
    free(w->time);
    free(w->eta);
    free(w->path);
    free(w->sums);
    free(w->coming);
    free(w->number);
    free(w->random);
    free(w->schedule);
    for (int g = 0; g < WINDOW_GRIDS; g++)
        for (int c = 0; c < WINDOW_CELLS; c++) {
            free(w->cell[g][c].groups);
            free(w->cell[g][c].lane);
            free(w->cell[g][c].place);
        }
    memset(w, 0, sizeof *w);
}

/* The moments of the fine cells, and W at their ends. */
static void draw_moments(const window_source *source, path_window *w, int index)
{
    const time_grid *grid = source->grid[0];
    size_t width = w->k * w->n;
    memset(w->sums, 0, sizeof(double) * width);
    for (int c = 0; c < WINDOW_CELLS; c++) {
        uint64_t cell = (uint64_t)(index * WINDOW_CELLS + c);
        double *xi = w->cell[0][c].xi, root = sqrt(grid->h[cell]);
        for (size_t row = 0; row < MOMENTS * w->k; row++)
            random_normals(key_of(source, PURPOSE_MOMENTS), cell * MOMENTS * w->k + row, w->first, w->n,
                           xi + row * w->n);
        double *at = w->sums + (size_t)c * width;
        for (size_t x = 0; x < width; x++)
            at[width + x] = at[x] + root * xi[x];
    }
}

/* The moments of the cells of a coarse grid from those of their halves. */
static void coarsen_moments(const window_source *source, path_window *w, int grid, int index)
{
    const time_grid *fine = source->grid[grid - 1];
    size_t width = w->k * w->n;
    for (int c = 0; c < cells_of(grid); c++) {
        const double *h = fine->h + (size_t)index * (size_t)cells_of(grid - 1) + 2 * c;
        moment_map map = moment_map_of(h[0] / (h[0] + h[1]));
        double *out = w->cell[grid][c].xi;
        memset(out, 0, sizeof *out * MOMENTS * width);
        for (int part = 0; part < 2; part++) {
            const double *xi = w->cell[grid - 1][2 * c + part].xi;
            double root = sqrt(map.share[part]), mean = root * map.onto_mean[part], slope = root * map.onto_slope[part];
            for (size_t x = 0; x < width; x++) {
                out[x] += root * xi[x];
                out[width + x] += mean * xi[x] + slope * xi[width + x];
            }
        }
    }
}

/* Factors of the covariance of the bridge at the visits of one lane to one cell, row by row. */
enum { BRIDGE_MOST = 24 };
typedef struct bridge_factor {
    int n;
    double place[BRIDGE_MOST], line[BRIDGE_MOST][BRIDGE_MOST];
} bridge_factor;

static double bridge_covariance(double u, double v)
{
    return fmin(u, v) - u * v - moment_slope_integral(u) * moment_slope_integral(v);
}

/* Adds a visit at place u. Visits beyond BRIDGE_MOST, whose number no path of a reasonable step has, count as if the
   first ones had not been. */
static const double *bridge_add(bridge_factor *b, double u)
{
    if (b->n == BRIDGE_MOST)
        b->n = 0;
    double *line = b->line[b->n];
    for (int j = 0; j <= b->n; j++) {
        double sum = bridge_covariance(u, j < b->n ? b->place[j] : u);
        const double *other = b->line[j];
        for (int l = 0; l < j; l++)
            sum -= line[l] * other[l];
        if (j == b->n)
            line[j] = sqrt(fmax(sum, 0));
        else
            line[j] = other[j] > 0 ? sum / other[j] : 0;
    }
    b->place[b->n++] = u;
    return line;
}

/* W at the visits of one lane. The normals are in w->path, and are replaced. */
static void lane_path(path_window *w, const time_grid *grid, int index, size_t p)
{
    size_t k = w->k, n = w->n, width = k * n;
    bridge_factor bridge = {.n = 0};
    double normal[BRIDGE_MOST][MATRIX_MAX];
    int cell = -1;
    for (int s = 0; s < w->slots; s++) {
        double t = w->time[(size_t)s * n + p];
        int c = cell < 0 ? 0 : cell;
        if (t == HUGE_VAL)
            break;
        while (c + 1 < WINDOW_CELLS && t >= grid->t[index * WINDOW_CELLS + c + 1])
            c++;
        if (c != cell)
            bridge.n = 0;
        cell = c;
        w->fine[(size_t)s * n + p] = c;
        double h = grid->h[index * WINDOW_CELLS + c], root = sqrt(h), u = (t - grid->t[index * WINDOW_CELLS + c]) / h;
        const double *line = bridge_add(&bridge, u), *xi = w->cell[0][c].xi;
        int last = bridge.n - 1;
        for (size_t a = 0; a < k; a++) {
            double *W = w->path + ((size_t)s * k + a) * n + p, sum = 0;
            normal[last][a] = *W;
            for (int j = 0; j <= last; j++)
                sum += line[j] * normal[j][a];
            *W = w->sums[(size_t)c * width + a * n + p] +
                 root * (u * xi[a * n + p] + moment_slope_integral(u) * xi[width + a * n + p] + sum);
        }
    }
}

static int compare_keys(const void *x, const void *y)
{
    const lane_order *a = x, *b = y;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->lane < b->lane ? -1 : a->lane > b->lane;
}

/* The next visits of all lanes, as seen from the beginning of the window. Visits that are independent of each other
   come after a new waiting time, whatever was drawn before; a process with epochs has one visit in each of them. */
static void draw_next(const window_source *source, path_window *w, int index, const double *key)
{
    const visit_law *law = source->paths->process->visits;
    double t = source->grid[0]->t[index * WINDOW_CELLS], shift;
    int renewal = source->grid[0]->renewal[index * WINDOW_CELLS];
    if (law->epoch > 0 && index > 0 && !renewal)
        return;
    random_uniforms(key_of(source, PURPOSE_FIRST_VISITS), (uint64_t)index, w->first, 1, &shift);
    for (size_t p = 0; p < w->n; p++)
        w->order[p] = (lane_order){key[p], p};
    qsort(w->order, w->n, sizeof *w->order, compare_keys);
    for (size_t j = 0; j < w->n; j++) {
        size_t p = w->order[j].lane;
        double u = shift + (double)j * GOLDEN;
        u -= floor(u);
        /* neither no time at all, nor, for a process with epochs, rounded up to the end of the epoch */
        w->coming[p] = law->time((size_t)w->number[p], t, fmin(fmax(u, 0x1p-53), 1 - 0x1p-30), 0);
    }
}

/* The visits of the window. Returns as path_window_draw. */
static sgdmft_status draw_visits(sgdmft_context *ctx, const window_source *source, path_window *w, int index,
                                 const double *key)
{
    const visit_law *law = source->paths->process->visits;
    const time_grid *grid = source->grid[0];
    size_t n = w->n, k = w->k;
    double end = grid->t[(index + 1) * WINDOW_CELLS];
    w->slots = 0;
    w->listed = 0;
    draw_next(source, w, index, key);
    for (int some = 1; some;) {
        some = 0;
        for (size_t p = 0; p < n && !some; p++)
            some = w->coming[p] < end;
        if (!some)
            break;
        if (context_stop_now(ctx))
            return SGDMFT_ERR_INTERRUPTED;
        int s = w->slots++;
        if (w->slots > w->most_slots && grow_slots(w, 2 * w->most_slots))
            return SGDMFT_ERR_MEMORY;
        uint64_t item = ((uint64_t)index << SLOT_BITS) + (uint64_t)s;
        double *time = w->time + (size_t)s * n;
        random_uniforms(key_of(source, PURPOSE_LATER_VISITS), item, w->first, n, w->random);
        for (size_t a = 0; a < k; a++)
            random_normals(key_of(source, PURPOSE_VISIT_BRIDGE), item * k + a, w->first, n,
                           w->path + ((size_t)s * k + a) * n);
        for (size_t p = 0; p < n; p++) {
            int here = w->coming[p] < end;
            time[p] = here ? w->coming[p] : HUGE_VAL;
            if (!here)
                continue;
            w->list[w->listed++] = (uint32_t)((size_t)s * n + p);
            w->number[p]++;
            w->visits++;
            w->coming[p] = law->time((size_t)w->number[p], w->coming[p], w->random[p], 0);
        }
        schedule_values(source->paths->eta, w->schedule, n, time, w->eta + (size_t)s * n);
    }
    for (size_t p = 0; p < n; p++) {
        if (context_stop_now(ctx))
            return SGDMFT_ERR_INTERRUPTED;
        lane_path(w, grid, index, p);
    }
    return SGDMFT_OK;
}

/* Room for the visits of a cell. */
static int cell_room(window_cell *cell, size_t k, size_t groups, size_t visits)
{
    if (groups > cell->most_groups) {
        free(cell->groups);
        cell->groups = memory_raw(groups, sizeof *cell->groups);
        cell->most_groups = cell->groups ? groups : 0;
    }
    if (visits > cell->most_visits || !cell->lane) {
        size_t most = visits + visits / 4 + 16;
        free(cell->lane);
        free(cell->place);
        cell->lane = memory_raw(most, sizeof *cell->lane);
        cell->place = memory_raw((2 + k) * most, sizeof *cell->place);
        cell->most_visits = cell->lane && cell->place ? most : 0;
        cell->step = cell->place + most;
        cell->visit_bridge = cell->step + most;
    }
    return (groups == 0 || cell->groups) && cell->lane && cell->place ? 0 : -1;
}

/* The visits of a block to the cells of one grid, counted by their rank: how many visits of the same lane to the same
   cell came before. */
typedef struct visit_counts {
    size_t *count; /* [cell][slots] */
    int ranks[WINDOW_CELLS];
} visit_counts;

/* Runs over the visits of a grid in order of slots, calling with cell, rank, slot and lane. Non-zero if the caller
   asked to stop. */
typedef void (*visit_work)(path_window *w, void *user, int grid, int cell, int rank, int slot, size_t lane);

static int for_visits(sgdmft_context *ctx, path_window *w, int grid, visit_work work, void *user)
{
    size_t n = w->n;
    int *last = w->last, *rank = w->last + n;
    for (size_t p = 0; p < n; p++)
        last[p] = -1;
    for (size_t v = 0; v < w->listed; v++) {
        if (v % VISITS_BETWEEN == 0 && context_stop_now(ctx))
            return -1;
        size_t at = w->list[v], p = at % n;
        int cell = w->fine[at] >> grid;
        rank[p] = cell == last[p] ? rank[p] + 1 : 0;
        last[p] = cell;
        work(w, user, grid, cell, rank[p], (int)(at / n), p);
    }
    return 0;
}

static void count_visit(path_window *w, void *user, int grid, int cell, int rank, int slot, size_t lane)
{
    visit_counts *counts = user;
    (void)grid;
    (void)slot;
    (void)lane;
    counts->count[cell * w->slots + rank]++;
    if (rank >= counts->ranks[cell])
        counts->ranks[cell] = rank + 1;
}

/* Where visits go: the grid, its cells, and the numbers of visits. */
typedef struct visit_target {
    const time_grid *grid;
    int first; /* the number of cell 0 of the window */
    const visit_counts *counts;
} visit_target;

static void place_visit(path_window *w, void *user, int grid, int number, int rank, int slot, size_t p)
{
    const visit_target *to = user;
    window_cell *cell = &w->cell[grid][number];
    visit_group *group = &cell->groups[rank];
    size_t n = w->n, k = w->k, width = k * n, all = to->counts->count[number * w->slots + rank];
    size_t v = group->first + group->count++;
    double h = to->grid->h[to->first + number], root = sqrt(h);
    double u = (w->time[(size_t)slot * n + p] - to->grid->t[to->first + number]) / h;
    const double *cumulated = w->sums + (size_t)(number << grid) * width;
    cell->lane[v] = (int)p;
    cell->place[v] = u;
    cell->step[v] = w->eta[(size_t)slot * n + p];
    for (size_t a = 0; a < k; a++)
        cell->visit_bridge[k * group->first + a * all + (v - group->first)] =
            w->path[((size_t)slot * k + a) * n + p] - cumulated[a * n + p] -
            root * (u * cell->xi[a * n + p] + moment_slope_integral(u) * cell->xi[width + a * n + p]);
}

/* Sorts the visits of the window into the cells of a grid. Returns as path_window_draw. */
static sgdmft_status fill_cells(sgdmft_context *ctx, const window_source *source, path_window *w, int grid, int index)
{
    visit_counts counts = {w->count, {0}};
    memset(w->count, 0, sizeof *w->count * (size_t)(WINDOW_CELLS * w->slots));
    visit_target to = {source->grid[grid], index * cells_of(grid), &counts};
    if (for_visits(ctx, w, grid, count_visit, &counts))
        return SGDMFT_ERR_INTERRUPTED;
    for (int c = 0; c < cells_of(grid); c++) {
        window_cell *cell = &w->cell[grid][c];
        size_t visits = 0;
        for (int r = 0; r < counts.ranks[c]; r++)
            visits += counts.count[c * w->slots + r];
        if (cell_room(cell, w->k, (size_t)counts.ranks[c], visits))
            return SGDMFT_ERR_MEMORY;
        cell->n_groups = (size_t)counts.ranks[c];
        visits = 0;
        for (int r = 0; r < counts.ranks[c]; r++) {
            cell->groups[r] = (visit_group){visits, 0, r};
            visits += counts.count[c * w->slots + r];
        }
    }
    return for_visits(ctx, w, grid, place_visit, &to) ? SGDMFT_ERR_INTERRUPTED : SGDMFT_OK;
}

/* The increments of a process that diffuses and the bridge at its event in the middle of each cell. */
static void draw_steps(const window_source *source, path_window *w, int index)
{
    size_t n = w->n, k = w->k;
    const time_grid *grid = source->grid[0];
    for (int c = 0; c < WINDOW_CELLS; c++) {
        uint64_t cell = (uint64_t)(index * WINDOW_CELLS + c);
        double u = grid->middle[cell], scale = sqrt(grid->h[cell] * bridge_covariance(u, u));
        random_normals(key_of(source, PURPOSE_DIFFUSION), cell, w->first, n, w->cell[0][c].noise);
        for (size_t a = 0; a < k; a++)
            random_normals(key_of(source, PURPOSE_VISIT_BRIDGE), cell * k + a, w->first, n,
                           w->cell[0][c].bridge + a * n);
        for (size_t x = 0; x < k * n; x++)
            w->cell[0][c].bridge[x] *= scale;
    }
    for (int g = 1; g < WINDOW_GRIDS; g++)
        for (int c = 0; c < cells_of(g); c++) {
            window_cell *cell = &w->cell[g][c];
            const window_cell *part = &w->cell[g - 1][2 * c];
            size_t number = (size_t)index * (size_t)cells_of(g) + (size_t)c, width = k * n;
            cell_halves half = time_grid_halves(source->grid[g - 1], number);
            double u = source->grid[g]->middle[number], root = sqrt(source->grid[g]->h[number]);
            double first_root = sqrt(source->grid[g - 1]->h[2 * number]);
            for (size_t p = 0; p < n; p++)
                cell->noise[p] = half.a * part[0].noise[p] + half.b * part[1].noise[p];
            for (size_t x = 0; x < width; x++)
                cell->bridge[x] = first_root * part[0].xi[x] -
                                  root * (u * cell->xi[x] + moment_slope_integral(u) * cell->xi[width + x]);
        }
}

sgdmft_status path_window_draw(sgdmft_context *ctx, const window_source *source, path_window *w, int index,
                               const double *key)
{
    draw_moments(source, w, index);
    for (int g = 1; g < WINDOW_GRIDS; g++)
        coarsen_moments(source, w, g, index);
    if (!source->paths->process->visits) {
        draw_steps(source, w, index);
        return SGDMFT_OK;
    }
    sgdmft_status status = draw_visits(ctx, source, w, index, key);
    for (int g = 0; g < WINDOW_GRIDS && !status; g++)
        status = fill_cells(ctx, source, w, g, index);
    return status;
}
