#include "merged/normals.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"

/* Relative to the diagonal: rows may depend on each other, as a label on the teacher. */
static const double REGULAR = 1e-9;

/* Paths for each row that the normals are made uncorrelated with. */
static const double PATHS_PER_ROW = 4;

normals_layout normals_layout_of(const path_plan *plan, const merged_kernels *kern)
{
    const model_shape *shape = &plan->shape;
    normals_layout at = {.k = shape->k, .normals = MOMENTS * shape->k, .moving = 2 * shape->k};
    at.fixed = 1 + shape->kstar + shape->k + shape->noises + shape->labels;
    at.rows = at.normals + at.fixed + at.moving;
    at.features = kern->features;
    return at;
}

size_t normals_sums(const normals_layout *at)
{
    return (size_t)(at->rows * at->rows) + (size_t)((at->normals + at->moving) * at->features);
}

size_t normals_room(const normals_layout *at, size_t n)
{
    return (size_t)at->rows * n + (size_t)(at->k * at->features) + (size_t)at->normals * n;
}

static double *copy(double *to, const double *from, size_t count)
{
    memcpy(to, from, sizeof *to * count);
    return to + count;
}

/* Copies the rows one after the other: out[rows][n]. */
static void gather(const merged_block *block, const path_block *base, const path_plan *plan, const window_cell *cell,
                   double *out)
{
    const path_inputs *in = base->in;
    size_t k = (size_t)plan->shape.k, n = in->n;
    out = copy(out, cell->xi, MOMENTS * k * n);
    lanes_fill(n, 1, out);
    out = copy(out + n, in->wstar, (size_t)plan->shape.kstar * n);
    out = copy(out, in->z0, k * n);
    out = copy(out, in->eps, (size_t)plan->shape.noises * n);
    out = copy(out, in->y, (size_t)plan->shape.labels * n);
    out = copy(out, block->g_last, k * n);
    copy(out, base->r_last, k * n);
}

/* out[rows][features] += the products of `rows` rows, a multiple of k, with all innovations. */
static void add_past(const normals_layout *at, const merged_block *block, const merged_kernels *kern, int rows,
                     const double *x, size_t n, double *line, double *out)
{
    int k = at->k, columns = merged_features(kern);
    for (int first = 0; first < rows; first += k) {
        memset(line, 0, sizeof *line * (size_t)(k * columns));
        rows_outer(&block->innovations, MOMENTS * kern->cells.n, x + (size_t)first * n, line);
        for (int a = 0; a < k; a++)
            for (int f = 0; f < columns; f++)
                out[(first + a) * at->features + f] += line[a * columns + f];
    }
}

void normals_add(const normals_layout *at, const merged_block *block, const path_block *base, const path_plan *plan,
                 const merged_kernels *kern, const window_cell *cell, double *room, double *sums)
{
    size_t n = base->in->n;
    double *line = room + (size_t)at->rows * n, *past = sums + at->rows * at->rows;
    gather(block, base, plan, cell, room);
    lanes_outer(at->rows, at->rows, n, room, room, sums);
    add_past(at, block, kern, at->normals, room, n, line, past);
    add_past(at, block, kern, at->moving, room + (size_t)(at->normals + at->fixed) * n, n, line,
             past + at->normals * at->features);
}

int normals_change_new(const normals_layout *at, normals_change *out)
{
    size_t all = (size_t)(at->rows + at->features), normals = (size_t)at->normals;
    *out = (normals_change){.onto_rows = memory_doubles(normals * (size_t)at->rows),
                            .onto_past = memory_doubles(normals * (size_t)at->features),
                            .scale = memory_doubles(normals * normals),
                            .normal = memory_doubles(all * all),
                            .left = memory_doubles(2 * normals * all)};
    return out->onto_rows && out->onto_past && out->scale && out->normal && out->left ? 0 : -1;
}

void normals_change_clear(normals_change *change)
{
    free(change->onto_rows);
    free(change->onto_past);
    free(change->scale);
    free(change->normal);
    free(change->left);
    *change = (normals_change){0};
}

static void no_change(const normals_layout *at, normals_change *change)
{
    memset(change->onto_rows, 0, sizeof(double) * (size_t)(at->normals * at->rows));
    memset(change->onto_past, 0, sizeof(double) * (size_t)(at->normals * at->features));
    memset(change->scale, 0, sizeof(double) * (size_t)(at->normals * at->normals));
    for (int x = 0; x < at->normals; x++)
        change->scale[x * at->normals + x] = 1;
}

/* The means of products of the regressors, fixed and moving rows and then all features, and in `left` those with the
   normals [normals][size]. Innovations are uncorrelated with the fixed rows, and have the covariance S. */
static int make_equations(const normals_layout *at, const merged_kernels *kern, double paths, const double *sums,
                          normals_change *change)
{
    int others = at->fixed + at->moving, past = merged_features(kern), size = others + past;
    const double *with_past = sums + at->rows * at->rows;
    for (int x = 0; x < size; x++)
        for (int y = 0; y <= x; y++) {
            double value = 0;
            if (x < others)
                value = sums[(at->normals + x) * at->rows + at->normals + y] / paths;
            else if (y >= others)
                value = kern->S[(size_t)(x - others) * (size_t)at->features + (size_t)(y - others)];
            else if (y >= at->fixed)
                value = with_past[(at->normals + y - at->fixed) * at->features + x - others] / paths;
            change->normal[x * size + y] = change->normal[y * size + x] = value;
        }
    for (int x = 0; x < size; x++) {
        double *diagonal = &change->normal[x * size + x];
        *diagonal = *diagonal > 0 ? *diagonal * (1 + REGULAR) : 1;
    }
    for (int z = 0; z < at->normals; z++)
        for (int x = 0; x < size; x++)
            change->left[z * size + x] =
                (x < others ? sums[z * at->rows + at->normals + x] : with_past[z * at->features + x - others]) / paths;
    return size;
}

/* The inverse of the Cholesky factor of the covariance that is left, in change->scale. */
static int make_scale(const normals_layout *at, double *covariance, normals_change *change)
{
    int n = at->normals;
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', n, covariance, n) ||
        LAPACKE_dtrtri(LAPACK_ROW_MAJOR, 'L', 'N', n, covariance, n))
        return -1;
    for (int x = 0; x < n; x++)
        for (int y = 0; y <= x; y++)
            change->scale[x * n + y] = covariance[x * n + y];
    return 0;
}

void normals_solve(const normals_layout *at, const merged_kernels *kern, double paths, const double *sums,
                   normals_change *change)
{
    int others = at->fixed + at->moving, n = at->normals;
    double covariance[4 * MATRIX_MAX * MATRIX_MAX];
    no_change(at, change);
    if (paths < PATHS_PER_ROW * (others + merged_features(kern)))
        return;
    int size = make_equations(at, kern, paths, sums, change);
    double *solved = change->left + (size_t)n * (size_t)size;
    memcpy(solved, change->left, sizeof *solved * (size_t)(n * size));
    if (LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', size, n, change->normal, size, solved, size))
        return;
    for (int z = 0; z < n; z++)
        for (int y = 0; y < n; y++) {
            double sum = sums[z * at->rows + y] / paths;
            for (int x = 0; x < size; x++)
                sum -= change->left[z * size + x] * solved[y * size + x];
            covariance[z * n + y] = sum;
        }
    if (make_scale(at, covariance, change))
        return;
    for (int z = 0; z < n; z++)
        for (int x = 0; x < size; x++) {
            double coefficient = -solved[(size_t)z * (size_t)size + (size_t)x];
            if (x < others)
                change->onto_rows[z * at->rows + n + x] = coefficient;
            else
                change->onto_past[z * at->features + x - others] = coefficient;
        }
}

void normals_apply(const normals_layout *at, const merged_block *block, const path_block *base, const path_plan *plan,
                   const merged_kernels *kern, const normals_change *change, window_cell *cell, double *room)
{
    int k = at->k, normals = at->normals, columns = merged_features(kern);
    size_t n = base->in->n;
    double *line = room + (size_t)at->rows * n, *left = line + (size_t)(k * at->features);
    gather(block, base, plan, cell, room);
    memcpy(left, cell->xi, sizeof *left * (size_t)normals * n);
    lanes_combine(normals, at->rows, (size_t)at->rows, n, change->onto_rows, room, left);
    for (int first = 0; first < normals && columns > 0; first += k) {
        for (int a = 0; a < k; a++)
            for (int f = 0; f < columns; f++)
                line[a * columns + f] = change->onto_past[(first + a) * at->features + f];
        rows_combine(&block->innovations, MOMENTS * kern->cells.n, (size_t)columns, line, left + (size_t)first * n);
    }
    memset(cell->xi, 0, sizeof *left * (size_t)normals * n);
    lanes_combine(normals, normals, (size_t)normals, n, change->scale, left, cell->xi);
}
