/* Matching of the normals of a step, on blocks of paths with a history that is made up. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/random.h"
#include "merged/normals.h"
#include "support/check.h"
#include "support/plan.h"

enum {
    K = 2,
    NORMALS = MOMENTS * K,
    PATHS = 3000,
    CELLS_MOST = 3,
    PAST_MOST = CELLS_MOST * MOMENTS * K,
    ROWS_MOST = 40
};

/* The rows that never change: a constant, w*, z0 and eps, which follow each other in memory, and the label. */
enum { LABEL = 1 + 2 + K + 1 };

/* What normals are matched with. */
typedef struct history {
    test_plan t;
    path_ensemble *paths;
    merged_kernels *kern;
    normals_layout at;
    int past; /* rows of innovations */
    merged_block *block;
    path_block *base;
    window_cell *cell;
    double *sums, *room;
} history;

/* All rows of one block: normals, the rows that never change, gradients and positions, and innovations. */
static int list_rows(const history *h, size_t b, const double **row, double *innovations)
{
    const path_inputs *in = &h->paths->block[b];
    const model_shape *shape = &h->t.plan.on_grid[GRID_FINE].shape;
    const struct {
        const double *first;
        int count;
    } parts[] = {{h->cell[b].xi, NORMALS}, {in->wstar, shape->kstar}, {in->z0, K},
                 {in->eps, shape->noises}, {in->y, shape->labels},    {h->block[b].g_last, K},
                 {h->base[b].r_last, K},   {innovations, h->past}};
    int rows = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (int x = 0; x < parts[i].count; x++)
            row[rows++] = parts[i].first + (size_t)x * in->n;
    for (int group = 0; group * K < h->past; group++) {
        double room[K * 4096];
        assert_true(in->n <= 4096);
        memcpy(innovations + (size_t)group * K * in->n, rows_get(&h->block[b].innovations, group, room),
               sizeof(double) * K * in->n);
    }
    assert_true(rows <= ROWS_MOST);
    return rows;
}

/* Means and second moments of all rows over all paths; returns the number of rows. */
static int measure(const history *h, double *mean, double *product)
{
    int rows = 0;
    memset(mean, 0, sizeof(double) * ROWS_MOST);
    memset(product, 0, sizeof(double) * ROWS_MOST * ROWS_MOST);
    for (size_t b = 0; b < h->paths->n_blocks; b++) {
        const double *row[ROWS_MOST];
        size_t n = h->paths->block[b].n;
        double *innovations = memory_doubles(PAST_MOST * n);
        assert_non_null(innovations);
        rows = list_rows(h, b, row, innovations);
        for (int x = 0; x < rows; x++)
            for (size_t p = 0; p < n; p++) {
                mean[x] += row[x][p] / PATHS;
                for (int y = 0; y < rows; y++)
                    product[x * ROWS_MOST + y] += row[x][p] * row[y][p] / PATHS;
            }
        free(innovations);
    }
    return rows;
}

/* Innovations that are correlated with each other, but over all paths with none of the `count` rows that never change:
   what a regression on those leaves of normals. In single precision, as the solver has them. */
static void make_innovations(history *h, int count)
{
    double matrix[ROWS_MOST * ROWS_MOST] = {0}, right[ROWS_MOST * PAST_MOST] = {0};
    size_t n_blocks = h->paths->n_blocks;
    double **past = calloc(n_blocks, sizeof *past);
    assert_non_null(past);
    for (int run = 0; run < 2; run++)
        for (size_t b = 0; b < n_blocks; b++) {
            size_t n = h->paths->block[b].n;
            const double *fixed = h->paths->block[b].wstar;
            if (run == 0) {
                past[b] = memory_doubles(PAST_MOST * n);
                assert_non_null(past[b]);
                random_normals((random_key){61, 0, 80}, b, 0, (size_t)h->past * n, past[b]);
                for (size_t x = n; x < (size_t)h->past * n; x++)
                    past[b][x] += 0.4 * past[b][x - n];
            }
            for (size_t p = 0; p < n; p++) {
                double value[ROWS_MOST] = {1};
                for (int x = 1; x < count; x++)
                    value[x] = x == LABEL ? h->paths->block[b].y[p] : fixed[(size_t)(x - 1) * n + p];
                for (int x = 0; x < count; x++) {
                    for (int y = 0; run == 0 && y < count; y++)
                        matrix[x * count + y] += value[x] * value[y];
                    for (int f = 0; f < h->past; f++) {
                        if (run == 0)
                            right[x * h->past + f] += value[x] * past[b][(size_t)f * n + p];
                        else
                            past[b][(size_t)f * n + p] -= right[x * h->past + f] * value[x];
                    }
                }
            }
            if (run == 0 && b + 1 == n_blocks && h->past > 0)
                assert_int_equal(matrix_solve(count, matrix, (size_t)h->past, right), 0);
        }
    for (size_t b = 0; b < n_blocks; b++) {
        for (int group = 0; group * K < h->past; group++)
            rows_set(&h->block[b].innovations, group, past[b] + (size_t)group * K * h->paths->block[b].n);
        free(past[b]);
    }
    free(past);
}

/* Gradients and positions that depend on everything before them. */
static void make_moving_rows(history *h)
{
    for (size_t b = 0; b < h->paths->n_blocks; b++) {
        const path_inputs *in = &h->paths->block[b];
        double room[K * 4096];
        const double *U = h->past > 0 ? rows_get(&h->block[b].innovations, 1, room) : in->z0;
        for (size_t x = 0; x < K * in->n; x++) {
            h->base[b].r_last[x] = in->z0[x] + 0.3 * in->wstar[x] - 0.5 * U[x];
            h->block[b].g_last[x] = h->base[b].r_last[x] - in->y[x % in->n] + 0.1 * pow(h->base[b].r_last[x], 2);
        }
    }
}

/* `label` is one that depends on the teacher and its noise linearly (`linear`), which makes it a redundant row, or not.
 */
static void history_new(int cells, int linear, history *h)
{
    sgdmft_context *ctx = check_context(1);
    merged_kernels_plan plan;
    memset(h, 0, sizeof *h);
    test_plan_init(&h->t,
                   test_problem(ctx,
                                "{delta: 1.6, horizon: 4, eta: 0.7, model: {students: 2, teachers: 2, label: "
                                "\"%s\", loss: \"(r1 + r2 - y)^2/2\"}, numerics: {paths: %d, steps: 16, seed: 5, "
                                "history: merged}}",
                                linear ? "s1 - 0.4*s2 + 0.3*eps" : "s1*s2 + 0.3*eps", PATHS));
    sgdmft_context_free(ctx);
    h->paths = test_paths(&h->t, 0);
    dmft_plan_merged(&h->t.plan, GRID_FINE, &plan);
    check_ok(h->t.ctx, merged_kernels_new(h->t.ctx, &plan, &h->kern));
    const time_grid *grid = h->kern->grid;
    for (int c = 0; c < cells; c++)
        cell_list_add(&h->kern->cells, grid->t[c], grid->t[c + 1]);
    h->past = merged_features(h->kern);
    h->at = normals_layout_of(&h->t.plan.on_grid[GRID_FINE], h->kern);
    h->block = calloc(h->paths->n_blocks, sizeof *h->block);
    h->base = calloc(h->paths->n_blocks, sizeof *h->base);
    h->cell = calloc(h->paths->n_blocks, sizeof *h->cell);
    h->sums = memory_doubles(normals_sums(&h->at));
    h->room = memory_doubles(normals_room(&h->at, h->paths->block[0].n));
    assert_true(h->block && h->base && h->cell && h->sums && h->room);
    for (size_t b = 0; b < h->paths->n_blocks; b++) {
        const path_inputs *in = &h->paths->block[b];
        assert_true(in->n <= h->paths->block[0].n);
        check_ok(h->t.ctx, merged_block_new(h->t.ctx, &h->t.plan.on_grid[GRID_FINE], in, h->kern->cells.most,
                                            &h->base[b], &h->block[b]));
        h->cell[b].xi = memory_doubles(NORMALS * in->n);
        assert_non_null(h->cell[b].xi);
        random_normals((random_key){62, 0, 80}, b, 0, NORMALS * in->n, h->cell[b].xi);
    }
    make_innovations(h, linear ? LABEL : LABEL + 1);
    make_moving_rows(h);
}

static void history_clear(history *h)
{
    for (size_t b = 0; b < h->paths->n_blocks; b++) {
        merged_block_clear(&h->block[b]);
        path_block_clear(&h->base[b]);
        free(h->cell[b].xi);
    }
    free(h->block);
    free(h->base);
    free(h->cell);
    free(h->sums);
    free(h->room);
    merged_kernels_free(h->kern);
    path_ensemble_free(h->paths);
    test_plan_clear(&h->t);
}

/* The covariance of the innovations over the paths, by which the solver knows them. */
static void set_covariance(history *h, const double *product)
{
    int first = NORMALS + h->at.fixed - 1 + h->at.moving;
    for (int x = 0; x < h->past; x++)
        for (int y = 0; y < h->past; y++)
            h->kern->S[(size_t)x * (size_t)h->kern->features + (size_t)y] =
                product[(first + x) * ROWS_MOST + first + y];
}

/* Sums over all blocks, and the change that is found as if they were over that many paths. */
static void match(history *h, double paths)
{
    normals_change change;
    const path_plan *plan = &h->t.plan.on_grid[GRID_FINE];
    assert_int_equal(normals_change_new(&h->at, &change), 0);
    for (size_t b = 0; b < h->paths->n_blocks; b++)
        normals_add(&h->at, &h->block[b], &h->base[b], plan, h->kern, &h->cell[b], h->room, h->sums);
    normals_solve(&h->at, h->kern, paths, h->sums, &change);
    for (size_t b = 0; b < h->paths->n_blocks; b++)
        normals_apply(&h->at, &h->block[b], &h->base[b], plan, h->kern, &change, &h->cell[b], h->room);
    normals_change_clear(&change);
}

/* Normals have mean 0, covariance 1, and none with anything else. Innovations are rounded to single precision, and the
   diagonal of the equations is larger by 1e-9 of itself. */
static void test_matched(void **state)
{
    const double tolerance = 1e-5;
    for (int linear = 0; linear < 2; linear++)
        for (int cells = 0; cells <= CELLS_MOST; cells += CELLS_MOST) {
            history h;
            double mean[ROWS_MOST], product[ROWS_MOST * ROWS_MOST], largest = 0;
            history_new(cells, linear, &h);
            int rows = measure(&h, mean, product);
            assert_int_equal(rows, NORMALS + h.at.fixed - 1 + h.at.moving + h.past);
            for (int x = 0; x < NORMALS; x++)
                for (int y = x + 1; y < rows; y++)
                    largest = fmax(largest, fabs(product[x * ROWS_MOST + y]));
            /* with plain normals, they are of the order of a few standard errors */
            assert_true(largest > 1 / sqrt(PATHS));
            set_covariance(&h, product);
            match(&h, PATHS);
            measure(&h, mean, product);
            for (int x = 0; x < NORMALS; x++) {
                check_near(mean[x], 0, tolerance, "mean of normal %d, %d cells", x, cells);
                for (int y = 0; y < rows; y++)
                    check_near(product[x * ROWS_MOST + y], x == y, tolerance, "normal %d with row %d, %d cells", x, y,
                               cells);
            }
            history_clear(&h);
        }
}

/* A change of the normals of the order of the root of rows per path, in which lanes keep their order. */
static void test_small_change(void **state)
{
    history h;
    double mean[ROWS_MOST], product[ROWS_MOST * ROWS_MOST], before = 0, change = 0;
    history_new(CELLS_MOST, 0, &h);
    int rows = measure(&h, mean, product);
    set_covariance(&h, product);
    size_t n = h.paths->block[0].n;
    double *keep = memory_doubles(NORMALS * n);
    assert_non_null(keep);
    memcpy(keep, h.cell[0].xi, sizeof *keep * NORMALS * n);
    match(&h, PATHS);
    for (size_t x = 0; x < NORMALS * n; x++) {
        before += keep[x] * keep[x];
        change += pow(h.cell[0].xi[x] - keep[x], 2);
    }
    check_between(sqrt(change / before), 0, 2 * sqrt((double)rows / PATHS), "change of the normals");
    free(keep);
    history_clear(&h);
}

/* With fewer than four paths for each row, they are left as they are. */
static void test_few_paths(void **state)
{
    for (int enough = 0; enough < 2; enough++) {
        history h;
        double mean[ROWS_MOST], product[ROWS_MOST * ROWS_MOST];
        history_new(CELLS_MOST, 0, &h);
        measure(&h, mean, product);
        set_covariance(&h, product);
        size_t bytes = sizeof(double) * NORMALS * h.paths->block[0].n;
        double *keep = malloc(bytes);
        assert_non_null(keep);
        memcpy(keep, h.cell[0].xi, bytes);
        match(&h, enough ? PATHS : 4 * (h.at.fixed + h.at.moving + h.past) - 1);
        assert_int_equal(memcmp(keep, h.cell[0].xi, bytes) != 0, enough);
        free(keep);
        history_clear(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matched),
        cmocka_unit_test(test_small_change),
        cmocka_unit_test(test_few_paths),
    };
    return cmocka_run_group_tests_name("normals", tests, NULL, NULL);
}
