#include "merged/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/arrays.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "kernels/start.h"
#include "merged/innovations.h"
#include "merged/response.h"

/* An eigenvalue of P below this fraction of q(0) is none: nothing can be correlated with the start. */
static const double SMALLEST_VARIANCE = 1e-8;

enum { ARRAYS_MOST = 32 };

/* The table of all arrays but those of the marks. Returns the number of its rows. */
static size_t list_arrays(merged_kernels *kern, array_row rows[ARRAYS_MOST])
{
    size_t k = (size_t)kern->k, kstar = (size_t)kern->kstar, kk = k * k, F = (size_t)kern->features, n = 0;
    size_t nodes = F / MOMENTS + k, overlap = k * kstar;
    rows[n++] = (array_row){&kern->q0, kk, 0};
    rows[n++] = (array_row){&kern->m0, overlap, 0};
    rows[n++] = (array_row){&kern->rho, kstar * kstar, 0};
    rows[n++] = (array_row){&kern->rho_inverse, kstar * kstar, 0};
    rows[n++] = (array_row){&kern->P, kk, 0};
    rows[n++] = (array_row){&kern->R, k * F, 0};
    rows[n++] = (array_row){&kern->Q, k * F, 0};
    rows[n++] = (array_row){&kern->R_next, k * F, 0};
    rows[n++] = (array_row){&kern->Q_next, k * F, 0};
    rows[n++] = (array_row){&kern->m, overlap, 0};
    rows[n++] = (array_row){&kern->F, overlap, 0};
    rows[n++] = (array_row){&kern->m_next, overlap, 0};
    rows[n++] = (array_row){&kern->F_next, overlap, 0};
    rows[n++] = (array_row){&kern->end, kk, 0};
    rows[n++] = (array_row){&kern->end_next, kk, 0};
    rows[n++] = (array_row){&kern->within, kk, 0};
    rows[n++] = (array_row){&kern->S, F * F, 0};
    rows[n++] = (array_row){&kern->gram, F * F, 0};
    rows[n++] = (array_row){&kern->mixture, F * F, 0};
    rows[n++] = (array_row){&kern->y_now, k * F, 0};
    rows[n++] = (array_row){&kern->y_next, k * F, 0};
    rows[n++] = (array_row){&kern->b, MOMENTS * k * F, 0};
    rows[n++] = (array_row){&kern->root, MOMENTS * k * MOMENTS * k, 0};
    rows[n++] = (array_row){&kern->bridge, kk, 0};
    rows[n++] = (array_row){&kern->scratch, F * F + 4 * MOMENTS * k * F, 0};
    rows[n++] = (array_row){&kern->fit, nodes * nodes + 2 * k * nodes + 4 * F, 0};
    return n;
}

/* Doubles of a mark. */
static size_t mark_size(const merged_kernels *kern)
{
    size_t k = (size_t)kern->k;
    return 5 * k * k + k * (size_t)kern->kstar + k * (size_t)kern->features;
}

static void set_shape(merged_kernels *kern, int k, int kstar, int cells)
{
    kern->k = k;
    kern->kstar = kstar;
    kern->features = MOMENTS * k * (cells + 1);
}

double merged_kernels_bytes(int k, int kstar, int cells, int marks)
{
    merged_kernels kern = {.k = 0};
    array_row rows[ARRAYS_MOST];
    set_shape(&kern, k, kstar, cells);
    return arrays_bytes(rows, list_arrays(&kern, rows)) + 8.0 * (marks + 1) * (double)mark_size(&kern);
}

/* P and its smallest eigenvalue. */
static void set_start(merged_kernels *kern)
{
    int k = kern->k;
    double largest = 0;
    start_covariance(k, kern->kstar, kern->q0, kern->m0, kern->rho_inverse, kern->P);
    for (int a = 0; a < k; a++)
        largest = fmax(largest, kern->q0[a * k + a]);
    kern->start_variance = matrix_smallest_eigenvalue(k, kern->P);
    if (!(kern->start_variance > SMALLEST_VARIANCE * largest))
        kern->start_variance = 0;
}

static int mark_new(const merged_kernels *kern, kernel_mark *mark)
{
    size_t k = (size_t)kern->k, kk = k * k;
    double *all = memory_doubles(mark_size(kern));
    if (!all)
        return -1;
    *mark = (kernel_mark){.all = all, .R = all, .Q = all + kk, .R_next = all + 2 * kk, .Q_next = all + 3 * kk};
    mark->start = all + 4 * kk;
    mark->teacher = all + 5 * kk;
    mark->onto = mark->teacher + k * (size_t)kern->kstar;
    return 0;
}

static int allocate(merged_kernels *kern)
{
    array_row rows[ARRAYS_MOST];
    int failed = arrays_allocate(rows, list_arrays(kern, rows));
    kern->mark = memory_zeroed((size_t)kern->most_marks, sizeof *kern->mark);
    for (int i = 0; i < kern->most_marks && kern->mark && !failed; i++)
        failed |= mark_new(kern, &kern->mark[i]);
    return failed || !kern->mark ? -1 : 0;
}

sgdmft_status merged_kernels_new(sgdmft_context *ctx, const merged_kernels_plan *plan, merged_kernels **out)
{
    const kernels_plan *base = &plan->base;
    int k = base->k, kstar = base->kstar;
    merged_kernels *kern = calloc(1, sizeof *kern);
    if (!kern)
        return context_out_of_memory(ctx, "the kernels", sizeof *kern);
    kern->delta = base->delta;
    kern->filter = base->filter;
    kern->smooth_gradient = base->smooth_gradient;
    kern->grid = base->grid;
    kern->most_marks = plan->marks + 1;
    int failed = cell_list_new(base->grid, plan->rule, &kern->cells);
    set_shape(kern, k, kstar, kern->cells.most);
    if (failed || allocate(kern)) {
        double bytes = merged_kernels_bytes(k, kstar, kern->cells.most, plan->marks);
        merged_kernels_free(kern);
        return context_out_of_memory(ctx, "the kernels", bytes);
    }
    memcpy(kern->q0, base->q0, sizeof(double) * (size_t)(k * k));
    memcpy(kern->m0, base->m0, sizeof(double) * (size_t)(k * kstar));
    memcpy(kern->m, base->m0, sizeof(double) * (size_t)(k * kstar));
    memcpy(kern->rho, base->rho, sizeof(double) * (size_t)(kstar * kstar));
    if (matrix_inverse(kstar, base->rho, kern->rho_inverse)) {
        merged_kernels_free(kern);
        return context_fail(ctx, SGDMFT_ERR_RANGE, "initial.rho: the matrix is singular; allowed: positive definite");
    }
    set_start(kern);
    kern->n_marks = 1;
    for (int a = 0; a < k; a++)
        kern->mark[0].R[a * k + a] = kern->mark[0].R_next[a * k + a] = kern->mark[0].start[a * k + a] = 1;
    *out = kern;
    return SGDMFT_OK;
}

void merged_kernels_free(merged_kernels *kern)
{
    array_row rows[ARRAYS_MOST];
    if (!kern)
        return;
    arrays_free(rows, list_arrays(kern, rows));
    for (int i = 0; kern->mark && i < kern->most_marks; i++)
        free(kern->mark[i].all);
    free(kern->mark);
    cell_list_clear(&kern->cells);
    free(kern);
}

int merged_visited_before(const merged_kernels *kern, int i)
{
    int history = kern->grid->history[i + 1], cells = kern->cells.n;
    if (history == i + 1)
        return cells + 1;
    while (cells > 0 && kern->cells.cell[cells - 1].start >= kern->grid->t[history])
        cells--;
    return cells;
}

/* The first cell from which on cells are those of the grid, none of them merged, if the last one ends at node i. */
static int first_unmerged(const merged_kernels *kern, int i)
{
    int c = kern->cells.n;
    while (c > 0 && i > 0 && kern->cells.cell[c - 1].start == kern->grid->t[i - 1]) {
        c--;
        i--;
    }
    return c;
}

void merged_kernels_predict(const merged_kernels *kern, int i, const averages_layout *at, const double *before,
                            const double *now, double *next)
{
    const double *h = kern->grid->h;
    int cells = kern->cells.n, recent = first_unmerged(kern, i) + 1;
    size_t cell = MOMENTS * at->kinds * (size_t)(at->k * at->k), used = at->rows + (size_t)cells * cell;
    double ratio = i > 0 ? h[i] / h[i - 1] : 0;
    memcpy(next, now, sizeof(double) * used);
    memset(next + used, 0, sizeof(double) * cell);
    if (kern->grid->renewal[i] || i == 0)
        return;
    /* the newest cell begins as the one before it was at its end */
    for (size_t x = used; x < used + cell; x++)
        next[x] = ratio * now[x - cell];
    size_t linear = i > 1 && recent < cells ? at->rows + (size_t)recent * cell : i > 1 ? used - cell : at->rows;
    for (size_t x = 0; x < linear; x++)
        next[x] += ratio * (now[x] - before[x]);
    /* a recent cell changes as the one before it did at the same age */
    for (size_t x = linear; i > 1 && x < used; x++)
        next[x] += ratio * (now[x - cell] - before[x - cell]);
}

void merged_kernels_start(merged_kernels *kern, const averages_layout *at, const double *first)
{
    response_merged_start(kern, at, first);
}

double merged_kernels_advance(merged_kernels *kern, int i, const averages_layout *at, const double *now,
                              const double *next)
{
    double innovation = innovations_merged(kern, i, at, now, next);
    double response = response_merged(kern, i, at, now, next);
    return larger_change(innovation, response);
}

static start_moments moments_of(const merged_kernels *kern)
{
    return (start_moments){kern->k, kern->kstar, kern->q0, kern->m0, kern->rho};
}

/* out[e] = scale sum_f row_f S_fe over n features. */
static void row_times_S(const merged_kernels *kern, int n, const double *row, double scale, double *out)
{
    size_t F = (size_t)kern->features;
    memset(out, 0, sizeof(double) * (size_t)n);
    for (int f = 0; f < n; f++) {
        double x = scale * row[f];
        const double *S = kern->S + (size_t)f * F;
        for (int e = 0; e < n; e++)
            out[e] += x * S[e];
    }
}

static double dot(int n, const double *x, const double *y)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

void merged_correlation(const merged_kernels *kern, int next, double *C)
{
    int k = kern->k, n = merged_features(kern) + (next ? cell_features(kern) : 0);
    size_t F = (size_t)kern->features;
    const kernel_mark *start = &kern->mark[0];
    const double *R0 = next ? start->R_next : start->R, *teacher = next ? kern->F_next : kern->F;
    const double *R = next ? kern->R_next : kern->R;
    double *line = kern->scratch;
    memset(C, 0, sizeof(double) * (size_t)(k * k));
    start_moments moments = moments_of(kern);
    start_add_correlation(&moments, R0, teacher, R0, teacher, C);
    for (int a = 0; a < k; a++) {
        row_times_S(kern, n, R + (size_t)a * F, kern->delta, line);
        for (int b = 0; b < k; b++)
            C[a * k + b] += dot(n, line, R + (size_t)b * F);
    }
}

void merged_correlation_start(const merged_kernels *kern, int next, double *C)
{
    const kernel_mark *start = &kern->mark[0];
    memset(C, 0, sizeof(double) * (size_t)(kern->k * kern->k));
    start_moments moments = moments_of(kern);
    start_add_correlation(&moments, next ? start->R_next : start->R, next ? kern->F_next : kern->F, start->start,
                          start->teacher, C);
}

/* The covariances of theta at a mark with the newest innovation, from those with the others: E[theta(s) U_new^T] =
   E[theta(s) U_old^T] b^T. */
static void extend_mark(const merged_kernels *kern, kernel_mark *mark)
{
    int k = kern->k, old = merged_features(kern), more = cell_features(kern);
    size_t F = (size_t)kern->features;
    for (int a = 0; a < k; a++)
        for (int x = 0; x < more; x++)
            mark->onto[(size_t)a * F + (size_t)(old + x)] =
                dot(old, mark->onto + (size_t)a * F, kern->b + (size_t)x * F);
}

static void swap(double **x, double **y)
{
    double *keep = *x;
    *x = *y;
    *y = keep;
}

void merged_kernels_accept(merged_kernels *kern, int i, const double *gram_new)
{
    int old = merged_features(kern), more = cell_features(kern), all = old + more;
    size_t F = (size_t)kern->features;
    for (int x = 0; x < more; x++)
        for (int f = 0; f < all; f++) {
            double value = gram_new[(size_t)x * F + (size_t)f];
            kern->gram[(size_t)(old + x) * F + (size_t)f] = value;
            kern->gram[(size_t)f * F + (size_t)(old + x)] = value;
        }
    for (int j = 0; j < kern->n_marks; j++) {
        extend_mark(kern, &kern->mark[j]);
        swap(&kern->mark[j].R, &kern->mark[j].R_next);
        swap(&kern->mark[j].Q, &kern->mark[j].Q_next);
    }
    swap(&kern->R, &kern->R_next);
    swap(&kern->Q, &kern->Q_next);
    swap(&kern->m, &kern->m_next);
    swap(&kern->F, &kern->F_next);
    swap(&kern->end, &kern->end_next);
    cell_list_add(&kern->cells, kern->grid->t[i], kern->grid->t[i + 1]);
    kern->prepared = 0;
}

void merged_row_merge(double *row, int width, int n_cells, int c, const moment_map *map, int moment)
{
    size_t w = (size_t)width;
    double *to = row + (size_t)(MOMENTS * c) * w;
    for (size_t x = 0; x < w; x++) {
        double mean = 0, slope = 0;
        for (int part = 0; part < 2; part++) {
            const double *from = to + (size_t)(MOMENTS * part) * w + x;
            double share = moment ? 1 : map->share[part];
            mean += share * from[0];
            slope += share * (map->onto_mean[part] * from[0] + map->onto_slope[part] * from[w]);
        }
        to[x] = mean;
        to[w + x] = slope;
    }
    size_t after = (size_t)(MOMENTS * (n_cells - c - 2)) * w;
    memmove(to + MOMENTS * w, to + 2 * MOMENTS * w, sizeof(double) * after);
}

/* Both sides of a covariance of moments. */
static void merge_covariance(const merged_kernels *kern, double *S, int c, const moment_map *map)
{
    int k = kern->k, n = kern->cells.n, F = kern->features, all = merged_features(kern);
    for (int f = 0; f < all; f++)
        merged_row_merge(S + (size_t)f * (size_t)F, k, n, c, map, 1);
    merged_row_merge(S, k * F, n, c, map, 1);
}

void merged_kernels_merge(merged_kernels *kern, int c, const moment_map *map)
{
    int k = kern->k, n = kern->cells.n;
    size_t F = (size_t)kern->features;
    double *rows[] = {kern->R, kern->Q};
    for (int r = 0; r < 2; r++)
        for (int a = 0; a < k; a++)
            merged_row_merge(rows[r] + (size_t)a * F, k, n, c, map, 0);
    for (int j = 0; j < kern->n_marks; j++)
        for (int a = 0; a < k; a++)
            merged_row_merge(kern->mark[j].onto + (size_t)a * F, k, n, c, map, 1);
    merge_covariance(kern, kern->S, c, map);
    merge_covariance(kern, kern->gram, c, map);
}

void merged_kernels_mark(merged_kernels *kern, double s)
{
    int k = kern->k, n = merged_features(kern);
    size_t F = (size_t)kern->features;
    if (kern->n_marks == kern->most_marks)
        return;
    kernel_mark *mark = &kern->mark[kern->n_marks++];
    mark->s = s;
    memset(mark->R, 0, sizeof(double) * (size_t)(k * k));
    for (int a = 0; a < k; a++) {
        mark->R[a * k + a] = 1;
        row_times_S(kern, n, kern->R + (size_t)a * F, -sqrt(kern->delta), mark->onto + (size_t)a * F);
    }
    memcpy(mark->Q, kern->end, sizeof(double) * (size_t)(k * k));
    memcpy(mark->start, kern->mark[0].R, sizeof(double) * (size_t)(k * k));
    memcpy(mark->teacher, kern->F, sizeof(double) * (size_t)(k * kern->kstar));
}

void merged_mark_correlation(const merged_kernels *kern, int index, double *C)
{
    int k = kern->k, n = merged_features(kern);
    size_t F = (size_t)kern->features;
    const kernel_mark *mark = &kern->mark[index];
    memset(C, 0, sizeof(double) * (size_t)(k * k));
    start_moments moments = moments_of(kern);
    start_add_correlation(&moments, kern->mark[0].R, kern->F, mark->start, mark->teacher, C);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            C[a * k + b] -= sqrt(kern->delta) * dot(n, kern->R + (size_t)a * F, mark->onto + (size_t)b * F);
}
