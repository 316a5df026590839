/* A block of paths against the equations in the head of paths/block.h, path by path: two students, a nonlinear loss,
   arbitrary kernels. The paths are done again one at a time without groups, slots or lanes; what the chain rule gives
   is compared with differences of paths whose field was changed at one visit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "path_case.h"
#include "support/check.h"
#include "support/visits_by_path.h"

enum { PATHS = 192, MOST = 64 };

typedef struct fixture {
    path_case c;
    visits_by_path *visits; /* of each block */
} fixture;

static void fixture_init(fixture *f, const char *response)
{
    path_case_init(&f->c, "sgd", 2.6, response, PATHS);
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

/* R(t, s) component c: bilinear between nodes, linear in t - s in the diagonal cell. */
static double response(const kernels *kern, int c, double t, double s)
{
    const time_grid *grid = kern->grid;
    int i = time_grid_cell(grid, t), j = time_grid_cell(grid, s);
    double x = (t - grid->t[i]) / grid->h[i], z = (s - grid->t[j]) / grid->h[j], one = c % (K + 1) == 0;
    if (i == j)
        return one + (x - z) * (kernels_R(kern, c, i + 1)[i] - one);
    double low = (1 - z) * kernels_R(kern, c, i)[j] + z * kernels_R(kern, c, i)[j + 1];
    double high = (1 - z) * kernels_R(kern, c, i + 1)[j] + z * kernels_R(kern, c, i + 1)[j + 1];
    return (1 - x) * low + x * high;
}

/* One path: kicks at its visits, positions at the nodes. */
static void single_path(const path_case *c, const visits_by_path *v, size_t p, double kick[MOST][K],
                        double r[STEPS + 1][K])
{
    const path_inputs *in = v->in;
    const time_grid *grid = c->kern->grid;
    assert_true(v->visits[p] < MOST);
    for (int a = 0; a < v->visits[p]; a++) {
        size_t at = (size_t)a * in->n + p;
        double T = v->time[at], low[K], high[K], position[K], g[K], G[K * K];
        int cell = time_grid_cell(grid, T);
        path_case_field(c, in, p, cell, low);
        path_case_field(c, in, p, cell + 1, high);
        double x = (T - grid->t[cell]) / grid->h[cell];
        for (int b = 0; b < K; b++) {
            position[b] = (1 - x) * low[b] + x * high[b];
            for (int l = 0; l < K; l++)
                position[b] -=
                    any_spread[b * K + l] * in->visit_bridge[v->bridge[((size_t)a * K + (size_t)l) * in->n + p]];
            for (int d = 0; d < a; d++)
                for (int l = 0; l < K; l++)
                    position[b] -= response(c->kern, b * K + l, T, v->time[(size_t)d * in->n + p]) * kick[d][l];
        }
        path_case_gradient(c, T, position, in->y[p], g, G);
        for (int b = 0; b < K; b++)
            kick[a][b] = path_case_eta(T) * g[b];
    }
    for (int i = 0; i <= STEPS; i++) {
        path_case_field(c, in, p, i, r[i]);
        for (int b = 0; b < v->visits[p] && v->time[(size_t)b * in->n + p] < grid->t[i]; b++) {
            size_t at = (size_t)b * in->n + p;
            int j = v->cell[at];
            for (int x = 0; x < K * K; x++) {
                double left = kernels_R(c->kern, x, i)[j], right = kernels_R(c->kern, x, i)[j + 1];
                r[i][x / K] -= (left + v->place[at] * (right - left)) * kick[b][x % K];
            }
        }
    }
}

/* What the block keeps of the kicks of lane p up to cell i, from those of the path. */
static void check_kicks(const path_block *block, const visits_by_path *v, size_t p, int i, double kick[MOST][K])
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
            size_t at = (cell * K + c) * n + p;
            check_near(block->sum[at], sum[cell], 1e-12, "kicks of cell %zu of path %zu", cell, p);
            check_near(block->sum[at], own[cell], 1e-14, "kicks of cell %zu of path %zu, those of the block", cell, p);
            check_near(block->moment[at], moment[cell], 1e-12, "moment of cell %zu of path %zu", cell, p);
        }
    }
}

static void test_single_paths(void **state)
{
    const fixture *f = *state;
    test_run run = test_run_new(&f->c.t, f->c.paths);
    test_run_start(&run);
    for (int i = 0; i < STEPS; i++) {
        test_run_advance(&run, f->c.kern, i);
        for (size_t b = 0; b < f->c.paths->n_blocks; b++)
            for (size_t p = 0; p < f->c.paths->block[b].n; p++) {
                double kick[MOST][K], r[STEPS + 1][K];
                single_path(&f->c, &f->visits[b], p, kick, r);
                for (size_t c = 0; c < K; c++)
                    check_near(run.block[b].r[c * f->c.paths->block[b].n + p], r[i + 1][c], 1e-12,
                               "r of path %zu at node %d", p, i + 1);
                check_kicks(&run.block[b], &f->visits[b], p, i, kick);
            }
        test_run_accept(&run);
    }
    test_run_clear(&run);
}

/* Without single events, for Stein's lemma, the paths are the same. */
static void test_same_without_chains(void **state)
{
    const fixture *f = *state;
    fixture stein;
    fixture_init(&stein, "response: stein, ");
    test_run run = test_run_new(&f->c.t, f->c.paths), other = test_run_new(&stein.c.t, f->c.paths);
    test_run_start(&run);
    test_run_start(&other);
    for (int i = 0; i < STEPS; i++) {
        test_run_advance(&run, f->c.kern, i);
        test_run_advance(&other, stein.c.kern, i);
        for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
            size_t width = K * f->c.paths->block[b].n;
            assert_non_null(run.block[b].chains);
            assert_null(other.block[b].chains);
            for (size_t x = 0; x < width; x++)
                check_near(other.block[b].r[x], run.block[b].r[x], 1e-13, "r at node %d, entry %zu", i + 1, x);
            for (size_t x = 0; x < width * (size_t)(i + 1); x++)
                check_near(other.block[b].sum[x], run.block[b].sum[x], 1e-13, "kicks of cells, entry %zu", x);
        }
        for (int cell = 0; cell <= i; cell++)
            for (int x = 0; x < K * K; x++)
                check_near(estimates_row(&stein.c.t.s.set[LEVEL_FINE].at, other.sums, cell, VISITS)[x],
                           estimates_row(&f->c.t.s.set[LEVEL_FINE].at, run.sums, cell, VISITS)[x], 1e-13,
                           "visits of cell %d at node %d, entry %d", cell, i + 1, x);
        test_run_accept(&run);
        test_run_accept(&other);
    }
    test_run_clear(&run);
    test_run_clear(&other);
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
    test_run run = test_run_new(&f->c.t, f->c.paths);
    test_run_start(&run);
    for (int i = 0; i <= STEPS; i++) {
        if (i > 0) {
            test_run_advance(&run, f->c.kern, i - 1);
            test_run_accept(&run);
        }
        size_t first = 0;
        for (size_t b = 0; b < f->c.paths->n_blocks; first += f->c.paths->block[b].n, b++)
            for (size_t c = 0; c < K; c++)
                memcpy(out + ((size_t)i * K + c) * PATHS + first, run.block[b].r_last + c * f->c.paths->block[b].n,
                       sizeof(double) * f->c.paths->block[b].n);
    }
    test_run_clear(&run);
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
    const double step = 1e-5, *s = any_spread, determinant = s[0] * s[3] - s[1] * s[2];
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
                    for (int c = 0; c < K; c++) /* a shift of the bridge moves w by - spread */
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
    const estimates_layout *at = &f->c.t.s.set[LEVEL_FINE].at;
    test_run run = test_run_new(&f->c.t, f->c.paths);
    test_run_start(&run);
    for (int i = 1; i <= STEPS; i++) {
        test_run_advance(&run, f->c.kern, i - 1);
        for (int cell = 0; cell < i; cell++)
            for (int kind = 0; kind < 2; kind++) {
                const double *got = estimates_row(at, run.sums, cell, RESPONSE_LEFT + kind);
                const double *want = rows + (((size_t)i * (size_t)STEPS + (size_t)cell) * 2 + (size_t)kind) * K * K;
                for (int x = 0; x < K * K; x++)
                    check_near(got[x], want[x], 1e-7, "response at node %d to cell %d, kind %d, entry %d", i, cell,
                               kind, x);
            }
        test_run_accept(&run);
    }
    test_run_clear(&run);
    free(r);
    free(up);
    free(down);
    free(rows);
}

/* The other averages of estimates.h, from positions and kicks. */
static void test_averages(void **state)
{
    const fixture *f = *state;
    const estimates_layout *at = &f->c.t.s.set[LEVEL_FINE].at;
    const initial_law *law = &f->c.t.s.law;
    test_run run = test_run_new(&f->c.t, f->c.paths);
    test_run_start(&run);
    for (int i = 0; i < STEPS; i++) {
        double *want = memory_doubles(at->size);
        test_run_advance(&run, f->c.kern, i);
        for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
            const visits_by_path *v = &f->visits[b];
            const path_inputs *in = v->in;
            for (size_t p = 0; p < in->n; p++) {
                double r[K] = {run.block[b].r[p], run.block[b].r[in->n + p]}, g[K], G[K * K], start[K];
                path_case_gradient(&f->c, f->c.kern->grid->t[i + 1], r, in->y[p], g, G);
                for (int a = 0; a < K; a++)
                    start[a] =
                        law->a[a] * in->wstar[p] + law->b[a * K] * in->z0[p] + law->b[a * K + 1] * in->z0[in->n + p];
                for (size_t x = 0; x < K * K; x++) {
                    want[at->gamma + x] += G[x] / PATHS;
                    want[at->outer + x] += g[x / K] * g[x % K] / PATHS;
                    want[at->gr + x] += g[x / K] * r[x % K] / PATHS;
                    want[at->gw0 + x] += g[x / K] * start[x % K] / PATHS;
                    for (size_t a = 0; a < (size_t)v->visits[p] && v->cell[a * in->n + p] <= i; a++)
                        want[estimates_used(at, v->cell[a * in->n + p]) + VISITS * K * K + x] +=
                            g[x / K] * run.block[b].chains->kick[(a * K + x % K) * in->n + p] / PATHS;
                }
                for (size_t a = 0; a < K; a++)
                    want[at->mu + a] += g[a] * in->wstar[p] / PATHS;
            }
        }
        for (size_t x = 0; x < at->rows; x++)
            check_near(run.sums[x], want[x], 1e-12, "average %zu at node %d", x, i + 1);
        for (int cell = 0; cell <= i; cell++)
            for (int x = 0; x < K * K; x++)
                check_near(estimates_row(at, run.sums, cell, VISITS)[x], estimates_row(at, want, cell, VISITS)[x],
                           1e-12, "visits of cell %d at node %d, entry %d", cell, i + 1, x);
        for (size_t x = estimates_used(at, i + 1); x < at->size; x++)
            assert_true(run.sums[x] == 0);
        free(want);
        test_run_accept(&run);
    }
    test_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_paths), cmocka_unit_test(test_same_without_chains),
        cmocka_unit_test(test_repeatable),   cmocka_unit_test(test_responses),
        cmocka_unit_test(test_averages),
    };
    return cmocka_run_group_tests_name("path block", tests, setup, teardown);
}
