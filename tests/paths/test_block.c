/* A block of paths against the equations in the head of paths/block.h, path by path: two students, a nonlinear loss,
   arbitrary kernels. The paths are done again one at a time without groups, slots or lanes; derivatives by
   the chain rule are compared with differences of paths whose field was changed at one visit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "path_case.h"
#include "single_path.h"
#include "support/check.h"
#include "support/visits_by_path.h"

enum { PATHS = 192 };

typedef struct fixture {
    path_case c;
    visits_by_path *visits; /* of each block */
} fixture;

static void fixture_init(fixture *f, const char *response)
{
    path_case_init(&f->c, "sgd", &smooth_schedule, 2.6, response, PATHS);
    path_case_draw(&f->c, 31);
    f->visits = visits_by_path_new(f->c.paths, K, f->c.kern->grid);
}

static void fixture_clear(fixture *f)
{
    visits_by_path_free(f->c.paths, f->visits);
    path_case_clear(&f->c);
}

static int setup(void **state)
{
    static fixture f;
    fixture_init(&f, "response: pathwise, ");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_clear(*state);
    return 0;
}

/* S of a cell, the newest being cell i. */
static double sum_of(const path_block *block, int i, size_t cell, size_t x)
{
    return cell == (size_t)i ? block->newest_sum[x] : block->history.kicks.exact[cell * K * block->in->n + x];
}

/* The history of lane p up to cell i against the kicks of the path. */
static void check_kicks(const path_block *block, const visits_by_path *v, size_t p, int i, double kick[VISITS_MOST][K])
{
    size_t n = block->in->n;
    for (size_t c = 0; c < K; c++) {
        double sum[STEPS] = {0}, own[STEPS] = {0}, moment[STEPS] = {0};
        for (size_t a = 0; a < (size_t)v->visits[p] && v->cell[a * n + p] <= i; a++) {
            int cell = v->cell[a * n + p];
            double of_block = block->chains->kick[(a * K + c) * n + p];
            check_near(of_block, kick[a][c], 1e-12, "kick %zu of path %zu", a, p);
            assert_int_equal(block->chains->cell[a * n + p], cell);
            assert_true(block->chains->place[a * n + p] == v->place[a * n + p]);
            sum[cell] += kick[a][c];
            own[cell] += of_block;
            moment[cell] += v->place[a * n + p] * kick[a][c];
        }
        for (size_t cell = 0; cell <= (size_t)i; cell++) {
            size_t x = c * n + p;
            double row = (cell < (size_t)i ? sum[cell] - moment[cell] : 0) + (cell > 0 ? moment[cell - 1] : 0);
            check_near(sum_of(block, i, cell, x), sum[cell], 1e-12, "kicks of cell %zu of path %zu", cell, p);
            check_near(sum_of(block, i, cell, x), own[cell], 1e-14, "kicks of cell %zu of path %zu, those of the block",
                       cell, p);
            check_near(block->history.nodes.exact[cell * K * n + x], row, 1e-12, "row of node %zu of path %zu", cell,
                       p);
        }
        check_near(block->newest_moment[c * n + p], moment[i], 1e-12, "moment of cell %d of path %zu", i, p);
    }
}

static void test_single_paths(void **state)
{
    const fixture *f = *state;
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, f->c.kern, i);
        for (size_t b = 0; b < f->c.paths->n_blocks; b++)
            for (size_t p = 0; p < f->c.paths->block[b].n; p++) {
                single_path path = single_path_of(&f->c, &f->visits[b], p);
                for (size_t c = 0; c < K; c++)
                    check_near(blocks.block[b].r[c * f->c.paths->block[b].n + p], path.r[i + 1][c], 1e-12,
                               "r of path %zu at node %d", p, i + 1);
                check_kicks(&blocks.block[b], &f->visits[b], p, i, path.kick);
            }
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
}

/* Without single events, for Stein's lemma, the paths are the same. */
static void test_same_without_chains(void **state)
{
    const fixture *f = *state;
    fixture stein;
    fixture_init(&stein, "response: stein, ");
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths), other = test_blocks_new(&stein.c.t, f->c.paths);
    test_blocks_start(&blocks);
    test_blocks_start(&other);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, f->c.kern, i);
        test_blocks_advance(&other, stein.c.kern, i);
        for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
            size_t width = K * f->c.paths->block[b].n;
            assert_non_null(blocks.block[b].chains);
            assert_null(other.block[b].chains);
            for (size_t x = 0; x < width; x++)
                check_near(other.block[b].r[x], blocks.block[b].r[x], 1e-13, "r at node %d, entry %zu", i + 1, x);
            for (size_t x = 0; x < width * (size_t)(i + 1); x++)
                check_near(sum_of(&other.block[b], i, x / width, x % width),
                           sum_of(&blocks.block[b], i, x / width, x % width), 1e-13, "kicks of cells, entry %zu", x);
        }
        for (int cell = 0; cell <= i; cell++)
            for (int x = 0; x < K * K; x++)
                check_near(averages_row(&stein.c.t.plan.on_grid[GRID_FINE].at, other.sums, cell, VISITS)[x],
                           averages_row(&f->c.t.plan.on_grid[GRID_FINE].at, blocks.sums, cell, VISITS)[x], 1e-13,
                           "visits of cell %d at node %d, entry %d", cell, i + 1, x);
        test_blocks_accept(&blocks);
        test_blocks_accept(&other);
    }
    test_blocks_clear(&blocks);
    test_blocks_clear(&other);
    fixture_clear(&stein);
}

static void test_repeatable(void **state)
{
    const fixture *f = *state;
    path_case_check_repeatable(&f->c);
}

/* Positions of all paths at all nodes: out[node][K][path], paths in the order of blocks. */
static void positions(const fixture *f, double *out)
{
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i <= STEPS; i++) {
        if (i > 0) {
            test_blocks_advance(&blocks, f->c.kern, i - 1);
            test_blocks_accept(&blocks);
        }
        size_t first = 0;
        for (size_t b = 0; b < f->c.paths->n_blocks; first += f->c.paths->block[b].n, b++)
            for (size_t c = 0; c < K; c++)
                memcpy(out + ((size_t)i * K + c) * PATHS + first, blocks.block[b].r_last + c * f->c.paths->block[b].n,
                       sizeof(double) * f->c.paths->block[b].n);
    }
    test_blocks_clear(&blocks);
}

/* Moves the bridge of visit number `slot` of every path that has one. */
static void shift_bridges(const fixture *f, int slot, int component, double by)
{
    for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
        path_inputs *in = &f->c.paths->block[b];
        for (size_t p = 0; p < in->n; p++)
            if (slot < f->visits[b].visits[p])
                in->visit_bridge[f->visits[b].bridge[((size_t)slot * K + (size_t)component) * in->n + p]] += by;
    }
}

/* Adds E[G K_b (1 - a)] and E[G K_b a] of visit number `slot`, K_b = d r(t_i) / d w(T_b) from central differences:
   rows[node][cell][2][K K]. */
static void add_differences(const fixture *f, int slot, const double *r, double *up, double *down, double *rows)
{
    const double step = 1e-5, *s = any_bridge_root, determinant = s[0] * s[3] - s[1] * s[2];
    const double inverse[K * K] = {s[3] / determinant, -s[1] / determinant, -s[2] / determinant, s[0] / determinant};
    size_t plane = (size_t)(STEPS + 1) * K * PATHS;
    for (int c = 0; c < K; c++) {
        shift_bridges(f, slot, c, step);
        positions(f, up + (size_t)c * plane);
        shift_bridges(f, slot, c, -2 * step);
        positions(f, down + (size_t)c * plane);
        shift_bridges(f, slot, c, step);
    }
    size_t lane = 0;
    for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
        const visits_by_path *v = &f->visits[b];
        const path_inputs *in = v->in;
        for (size_t p = 0; p < in->n; p++, lane++) {
            if (slot >= v->visits[p])
                continue;
            size_t at = (size_t)slot * in->n + p;
            for (int i = v->cell[at] + 1; i <= STEPS; i++) {
                double slope[K * K], change[K * K] = {0}, position[K], g[K], G[K * K];
                for (int a = 0; a < K; a++) {
                    size_t here = ((size_t)i * K + (size_t)a) * PATHS + lane;
                    position[a] = r[here];
                    for (int c = 0; c < K; c++) /* a shift of the bridge moves w by - the root */
                        slope[a * K + c] = (down[(size_t)c * plane + here] - up[(size_t)c * plane + here]) / (2 * step);
                }
                for (int x = 0; x < K * K; x++)
                    for (int c = 0; c < K; c++)
                        change[x] += slope[x / K * K + c] * inverse[c * K + x % K];
                path_case_gradient(&f->c, f->c.kern->grid->t[i], position, in->y[p], g, G);
                double *row = rows + ((size_t)i * (size_t)STEPS + (size_t)v->cell[at]) * 2 * K * K;
                for (int x = 0; x < K * K; x++)
                    for (int c = 0; c < K; c++) {
                        double value = G[x / K * K + c] * change[c * K + x % K] / PATHS;
                        row[x] += value * (1 - v->place[at]);
                        row[K * K + x] += value * v->place[at];
                    }
            }
        }
    }
}

static void test_responses(void **state)
{
    const fixture *f = *state;
    int slots = 0;
    size_t plane = (size_t)(STEPS + 1) * K * PATHS, cells = (size_t)((STEPS + 1) * STEPS);
    double *r = memory_doubles(plane), *up = memory_doubles(K * plane), *down = memory_doubles(K * plane);
    double *rows = memory_doubles(cells * 2 * K * K);
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        slots = f->c.paths->block[b].slots > slots ? f->c.paths->block[b].slots : slots;
    positions(f, r);
    for (int slot = 0; slot < slots; slot++)
        add_differences(f, slot, r, up, down, rows);
    const averages_layout *at = &f->c.t.plan.on_grid[GRID_FINE].at;
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 1; i <= STEPS; i++) {
        test_blocks_advance(&blocks, f->c.kern, i - 1);
        for (int cell = 0; cell < i; cell++)
            for (int kind = 0; kind < 2; kind++) {
                const double *got = averages_row(at, blocks.sums, cell, RESPONSE_LEFT + kind);
                const double *want = rows + (((size_t)i * (size_t)STEPS + (size_t)cell) * 2 + (size_t)kind) * K * K;
                for (int x = 0; x < K * K; x++)
                    check_near(got[x], want[x], 1e-7, "response at node %d to cell %d, kind %d, entry %d", i, cell,
                               kind, x);
            }
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    free(r);
    free(up);
    free(down);
    free(rows);
}

/* The other averages of kernels/averages.h, from positions and kicks. */
static void test_averages(void **state)
{
    const fixture *f = *state;
    const averages_layout *at = &f->c.t.plan.on_grid[GRID_FINE].at;
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        double *want = memory_doubles(at->size);
        test_blocks_advance(&blocks, f->c.kern, i);
        for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
            const visits_by_path *v = &f->visits[b];
            const path_inputs *in = v->in;
            for (size_t p = 0; p < in->n; p++) {
                double r[K] = {blocks.block[b].r[p], blocks.block[b].r[in->n + p]}, g[K], G[K * K], start[K];
                path_case_gradient(&f->c, f->c.kern->grid->t[i + 1], r, in->y[p], g, G);
                path_case_start(&f->c, in, p, start);
                for (size_t x = 0; x < K * K; x++) {
                    want[at->gamma + x] += G[x] / PATHS;
                    want[at->outer + x] += g[x / K] * g[x % K] / PATHS;
                    want[at->gr + x] += g[x / K] * r[x % K] / PATHS;
                    want[at->gw0 + x] += g[x / K] * start[x % K] / PATHS;
                    for (size_t a = 0; a < (size_t)v->visits[p] && v->cell[a * in->n + p] <= i; a++)
                        want[averages_used(at, v->cell[a * in->n + p]) + VISITS * K * K + x] +=
                            g[x / K] * blocks.block[b].chains->kick[(a * K + x % K) * in->n + p] / PATHS;
                }
                for (size_t a = 0; a < K; a++)
                    want[at->mu + a] += g[a] * in->wstar[p] / PATHS;
            }
        }
        for (size_t x = 0; x < at->rows; x++)
            check_near(blocks.sums[x], want[x], 1e-12, "average %zu at node %d", x, i + 1);
        for (int cell = 0; cell <= i; cell++)
            for (int x = 0; x < K * K; x++)
                check_near(averages_row(at, blocks.sums, cell, VISITS)[x], averages_row(at, want, cell, VISITS)[x],
                           1e-12, "visits of cell %d at node %d, entry %d", cell, i + 1, x);
        for (size_t x = averages_used(at, i + 1); x < at->size; x++)
            assert_true(blocks.sums[x] == 0);
        free(want);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_paths), cmocka_unit_test(test_same_without_chains),
        cmocka_unit_test(test_repeatable),   cmocka_unit_test(test_responses),
        cmocka_unit_test(test_averages),
    };
    return cmocka_run_group_tests_name("block", tests, setup, teardown);
}
