/* Gradient flow with kicks in the middle of cells, path by path: the paths are done again one at a time from the
   equations in the head of kernels/response_midpoint.h, with two students, a nonlinear loss, arbitrary kernels and a
   grid whose events would not be in the middle. Derivatives are compared with differences of paths whose field was
   shifted in one cell. The kick itself is tested in process/test_midpoint.c. */
#include "paths/midpoint_events.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "kernels/response_midpoint.h"
#include "path_case.h"
#include "support/check.h"

enum { PATHS = 96 };

static void case_init(path_case *f)
{
    path_case_init(f, "gradient-flow", &smooth_schedule, 2.2, "", PATHS);
    for (int i = 0; i < STEPS; i++)
        f->t.plan.grid[GRID_FINE]->middle[i] = 0.35 + 0.02 * i;
    path_case_draw(f, 37);
    assert_ptr_equal(f->t.plan.on_grid[GRID_FINE].at.response, &response_midpoint);
}

/* The mean of R(t_i, .) over cell j, component c. */
static double cell_mean(const kernels *kern, int c, int i, int j)
{
    return 0.5 * (kernels_R(kern, c, i)[j] + kernels_R(kern, c, i)[j + 1]);
}

typedef struct gradient_source {
    const path_case *f;
    double t;
    const double *y;
} gradient_source;

static int gradient_at(void *user, const double *r, double *g, double *G)
{
    const gradient_source *source = user;
    const path_plan *plan = &source->f->t.plan.on_grid[GRID_FINE];
    return model_gradient(plan->m, source->f->one->model, 1, &source->t, r, source->y, g, G);
}

typedef struct shift {
    int cell, component;
    double by;
} shift;

static const shift NONE = {-1, 0, 0};

static double eta_of_cell(const path_case *f, int a)
{
    const time_grid *grid = f->kern->grid;
    return 0.5 * (f->eta->eta(grid->t[a]) + f->eta->eta(grid->t[a + 1]));
}

/* One path: kicks of the cells, and positions in their middle with half of the kick done. */
static void single_path(const path_case *f, const path_inputs *in, size_t p, shift moved, double kick[][K],
                        double middle[][K])
{
    const time_grid *grid = f->kern->grid;
    double rho[K];
    for (int a = 0; a < STEPS; a++) {
        double low[K], high[K], r[K], g[K], D[K * K], own[K * K], work[3 * K + K * K + 2];
        path_case_field(f, in, p, a, low);
        path_case_field(f, in, p, a + 1, high);
        for (int c = 0; c < K; c++) {
            r[c] = 0.5 * (low[c] + high[c]) + (a == moved.cell && c == moved.component ? moved.by : 0);
            for (int b = 0; b < a; b++)
                for (int l = 0; l < K; l++)
                    r[c] -= 0.5 * (cell_mean(f->kern, c * K + l, a, b) + cell_mean(f->kern, c * K + l, a + 1, b)) *
                            kick[b][l];
        }
        for (int x = 0; x < K * K; x++)
            own[x] = 0.25 * (kernels_R(f->kern, x, a + 1)[a] + (x % (K + 1) == 0));
        gradient_source source = {f, grid->t[a] + 0.5 * grid->h[a], in->y + p};
        midpoint_step step = {.k = K,
                              .n = 1,
                              .length = eta_of_cell(f, a) * grid->h[a],
                              .own = own,
                              .r = r,
                              .gradient = gradient_at,
                              .user = &source};
        if (a == 0)
            memcpy(rho, r, sizeof r);
        assert_int_equal(midpoint_kick(&step, work, rho, g, D), 0);
        for (int c = 0; c < K; c++) {
            kick[a][c] = step.length * g[c];
            middle[a][c] = r[c];
        }
        for (int x = 0; x < K * K; x++)
            middle[a][x / K] -= own[x] * kick[a][x % K];
    }
}

/* Position at a node. */
static void position(const path_case *f, const path_inputs *in, size_t p, int node, double kick[][K], double r[K])
{
    path_case_field(f, in, p, node, r);
    for (int b = 0; b < node; b++)
        for (int x = 0; x < K * K; x++)
            r[x / K] -= cell_mean(f->kern, x, node, b) * kick[b][x % K];
}

/* Sums over paths. */
typedef struct want {
    double outer[STEPS][K * K], gr[STEPS][K * K], mu[STEPS][K], gw0[STEPS][K * K];
    double kicks[STEPS][STEPS][K * K], response[STEPS][STEPS][K * K];
    double normal[STEPS][STEPS][K * K], square[STEPS][STEPS][K * K];
} want;

static void add_path(const path_case *f, const path_inputs *in, size_t p, want *w)
{
    const double by = 1e-5;
    double kick[STEPS][K], up[STEPS][K], down[STEPS][K], middle[STEPS][K], unused[STEPS][K], start[K];
    single_path(f, in, p, NONE, kick, middle);
    path_case_start(f, in, p, start);
    for (int i = 0; i < STEPS; i++) {
        double length = eta_of_cell(f, i) * f->kern->grid->h[i];
        for (int x = 0; x < K * K; x++) {
            double g = kick[i][x / K] / length;
            w->outer[i][x] += g * kick[i][x % K] / length / PATHS;
            w->gr[i][x] += g * middle[i][x % K] / PATHS;
            w->gw0[i][x] += g * start[x % K] / PATHS;
            for (int c = 0; c <= i; c++) {
                w->kicks[i][c][x] += kick[i][x / K] * kick[c][x % K] / PATHS;
                w->normal[i][c][x] += kick[i][x / K] * in->xi[(size_t)(c * K + x % K) * in->n + p] / PATHS;
            }
        }
        for (int a = 0; a < K; a++)
            w->mu[i][a] += kick[i][a] / length * in->wstar[p] / PATHS;
    }
    for (int c = 0; c < STEPS; c++)
        for (int l = 0; l < K; l++) {
            single_path(f, in, p, (shift){c, l, by}, up, unused);
            single_path(f, in, p, (shift){c, l, -by}, down, unused);
            for (int i = c; i < STEPS; i++)
                for (int a = 0; a < K; a++) {
                    double x = (up[i][a] - down[i][a]) / (2 * by);
                    w->response[i][c][a * K + l] += x / PATHS;
                    w->square[i][c][a * K + l] += x * x / PATHS;
                }
        }
}

static void check_block(const path_case *f, const path_block *block, int node)
{
    const path_inputs *in = block->in;
    for (size_t p = 0; p < in->n; p++) {
        double kick[STEPS][K], middle[STEPS][K], r[K];
        single_path(f, in, p, NONE, kick, middle);
        position(f, in, p, node, kick, r);
        for (size_t c = 0; c < K; c++) {
            check_near(block->r[c * in->n + p], r[c], 1e-11, "r of path %zu at node %d", p, node);
            check_near(block->newest_sum[c * in->n + p], kick[node - 1][c], 1e-11, "kick of path %zu", p);
        }
    }
}

static void test_paths_and_averages(void **state)
{
    static want w;
    path_case f;
    case_init(&f);
    const averages_layout *at = &f.t.plan.on_grid[GRID_FINE].at;
    for (size_t b = 0; b < f.paths->n_blocks; b++)
        for (size_t p = 0; p < f.paths->block[b].n; p++)
            add_path(&f, &f.paths->block[b], p, &w);
    test_blocks blocks = test_blocks_new(&f.t, f.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, f.kern, i);
        for (size_t b = 0; b < f.paths->n_blocks; b++)
            check_block(&f, &blocks.block[b], i + 1);
        for (int x = 0; x < K * K; x++) {
            check_near(blocks.sums[at->outer + (size_t)x], w.outer[i][x], 1e-10, "E[g g^T] of cell %d", i);
            check_near(blocks.sums[at->gr + (size_t)x], w.gr[i][x], 1e-10, "E[g r^T] of cell %d", i);
            check_near(blocks.sums[at->gw0 + (size_t)x], w.gw0[i][x], 1e-10, "E[g w(0)^T] of cell %d", i);
            for (int c = 0; c <= i; c++) {
                check_near(averages_row(at, blocks.sums, c, VISITS)[x], w.kicks[i][c][x], 1e-11,
                           "kicks of cells %d and %d", i, c);
                check_near(averages_row(at, blocks.sums, c, RESPONSE_CELL)[x], w.response[i][c][x], 1e-7,
                           "response of cell %d to cell %d", i, c);
                check_near(averages_row(at, blocks.sums, c, CELL_NORMAL)[x], w.normal[i][c][x], 1e-11,
                           "kick of cell %d and normals of cell %d", i, c);
                check_near(averages_row(at, blocks.sums, c, CELL_SQUARE)[x], w.square[i][c][x], 1e-6,
                           "square of the response of cell %d to cell %d", i, c);
            }
        }
        for (int a = 0; a < K; a++)
            check_near(blocks.sums[at->mu + (size_t)a], w.mu[i][a], 1e-10, "E[g w*] of cell %d", i);
        for (size_t x = averages_used(at, i + 1); x < at->size; x++)
            assert_true(blocks.sums[x] == 0);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    path_case_clear(&f);
}

/* A second pass with the same kernels changes nothing, as every pass begins at the cell before. */
static void test_repeatable(void **state)
{
    path_case f;
    case_init(&f);
    size_t size = f.t.plan.on_grid[GRID_FINE].at.size;
    double *once = memory_doubles(size);
    test_blocks blocks = test_blocks_new(&f.t, f.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, f.kern, i);
        memcpy(once, blocks.sums, sizeof(double) * size);
        test_blocks_advance(&blocks, f.kern, i);
        for (size_t x = 0; x < size; x++)
            check_near(blocks.sums[x], once[x], 1e-12, "average %zu at node %d", x, i + 1);
        test_blocks_accept(&blocks);
    }
    free(once);
    test_blocks_clear(&blocks);
    path_case_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_and_averages),
        cmocka_unit_test(test_repeatable),
    };
    return cmocka_run_group_tests_name("midpoint events", tests, NULL, NULL);
}
