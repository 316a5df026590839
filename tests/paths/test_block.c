/* A block of paths with visits against the equations in the head of paths/block.h, path by path: two students, a
   nonlinear loss, arbitrary kernels; visits that are independent, and visits once in every epoch. The paths are done
   again one at a time without groups, slots or lanes; derivatives by the chain rule are compared with differences of
   paths whose field was changed at one visit. */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "path_case.h"
#include "single_path.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/visits_by_path.h"

enum { PATHS = 192, PROCESSES = 2, ESTIMATORS = 2 };

static const char *const ESTIMATOR[ESTIMATORS] = {"response: pathwise, ", "response: stein, "};

typedef struct fixture {
    path_case c;
    visits_by_path *visits; /* of each block */
    const path_plan *plan;
    const time_grid *grid;
} fixture;

static void fixture_init(fixture *f, const char *dynamics, const char *response)
{
    path_case_init(&f->c, dynamics, &smooth_schedule, 2.6, response, PATHS);
    path_case_draw(&f->c, 31);
    f->plan = &f->c.t.plan.on_grid[GRID_FINE];
    f->grid = f->plan->grid;
    f->visits = visits_by_path_new(f->c.paths, K, f->grid);
}

static void fixture_clear(fixture *f)
{
    visits_by_path_free(f->c.paths, f->visits);
    path_case_clear(&f->c);
}

/* [process][estimator]: independent visits, visits once in every epoch. */
typedef struct all_fixtures {
    fixture f[PROCESSES][ESTIMATORS];
} all_fixtures;

static int setup(void **state)
{
    static all_fixtures all;
    const char *const dynamics[PROCESSES] = {"sgd", epoch_process.dynamics};
    for (int process = 0; process < PROCESSES; process++)
        for (int response = 0; response < ESTIMATORS; response++)
            fixture_init(&all.f[process][response], dynamics[process], ESTIMATOR[response]);
    *state = &all;
    return 0;
}

static int teardown(void **state)
{
    all_fixtures *all = *state;
    for (int process = 0; process < PROCESSES; process++)
        for (int response = 0; response < ESTIMATORS; response++)
            fixture_clear(&all->f[process][response]);
    return 0;
}

/* The case is one: two epochs begin, and every path is visited once in each. */
static void test_epochs(void **state)
{
    const all_fixtures *all = *state;
    const fixture *f = &all->f[1][0];
    int begin[2] = {0};
    for (int i = 1, found = 0; i < STEPS; i++)
        if (f->grid->renewal[i])
            begin[found++] = i;
    check_near(f->grid->t[begin[0]], 1, 1e-15, "first beginning");
    check_near(f->grid->t[begin[1]], 2, 1e-15, "second beginning");
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        for (size_t p = 0; p < f->c.paths->block[b].n; p++) {
            const visits_by_path *v = &f->visits[b];
            size_t n = f->c.paths->block[b].n;
            check_between(v->visits[p], 2, 3, "visits of path %zu", p);
            for (int a = 0; a < v->visits[p]; a++)
                assert_int_equal((int)floor(v->time[(size_t)a * n + p]), a);
        }
}

/* The node before which the visits count of a path that is visited just before node i: where the epoch of t_i began, or
   i. */
static int history_of(const fixture *f, int i)
{
    int begin = 0;
    if (f->plan->process->visits->epoch == 0)
        return i;
    while (f->grid->t[begin] < ceil(f->grid->t[i] - 1e-12) - 1 - 1e-12)
        begin++;
    return begin;
}

/* S of a cell, the newest being cell i. */
static double sum_of(const path_block *block, int i, size_t cell, size_t x)
{
    return cell == (size_t)i ? block->newest_sum[x] : block->history.kicks.exact[cell * K * block->in->n + x];
}

/* The history of lane p up to cell i against the kicks of the path. */
static void check_kicks(const fixture *f, const path_block *block, const visits_by_path *v, size_t p, int i,
                        double kick[VISITS_MOST][K])
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
            size_t x = c * n + p, row = cell;
            for (size_t j = 1; j <= cell; j++)
                row += f->grid->renewal[j]; /* two rows each */
            double before = cell > 0 ? moment[cell - 1] : 0, after = cell < (size_t)i ? sum[cell] - moment[cell] : 0;
            check_near(sum_of(block, i, cell, x), sum[cell], 1e-12, "kicks of cell %zu of path %zu", cell, p);
            check_near(sum_of(block, i, cell, x), own[cell], 1e-14, "kicks of cell %zu of path %zu, those of the block",
                       cell, p);
            const double *nodes = block->history.nodes.exact;
            if (cell > 0 && f->grid->renewal[cell]) {
                check_near(nodes[(row - 1) * K * n + x], before, 1e-12, "row before node %zu of path %zu", cell, p);
                before = 0;
            }
            check_near(nodes[row * K * n + x], before + after, 1e-12, "row of node %zu of path %zu", cell, p);
        }
        check_near(block->newest_moment[c * n + p], moment[i], 1e-12, "moment of cell %d of path %zu", i, p);
    }
}

/* The position of a path at node i if it were visited now: without the kicks since its epoch began. */
static void unvisited_of(const fixture *f, const visits_by_path *v, size_t p, const single_path *path, int i,
                         double r[K])
{
    path_case_field(&f->c, v->in, p, i, r);
    single_path_kicked(&f->c, v, p, path, history_of(f, i), i, r);
}

static void check_block(const fixture *f, const path_block *block, const visits_by_path *v, int i, double *apart)
{
    const double *unvisited = path_block_unvisited(block, f->plan);
    size_t n = block->in->n;
    for (size_t p = 0; p < n; p++) {
        single_path path = single_path_of(&f->c, v, p);
        double r[K];
        unvisited_of(f, v, p, &path, i + 1, r);
        for (size_t c = 0; c < K; c++) {
            check_near(block->r[c * n + p], path.r[i + 1][c], 1e-12, "r of path %zu at node %d", p, i + 1);
            check_near(unvisited[c * n + p], r[c], 1e-12, "r of path %zu at node %d, if visited now", p, i + 1);
            *apart = fmax(*apart, fabs(r[c] - path.r[i + 1][c]));
        }
        check_kicks(f, block, v, p, i, path.kick);
    }
}

static void test_single_paths(void **state)
{
    const all_fixtures *all = *state;
    for (int process = 0; process < PROCESSES; process++) {
        const fixture *f = &all->f[process][0];
        double apart = 0;
        test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
        test_blocks_start(&blocks);
        for (int i = 0; i < STEPS; i++) {
            test_blocks_advance(&blocks, f->c.kern, i);
            for (size_t b = 0; b < f->c.paths->n_blocks; b++) {
                assert_int_equal(blocks.block[b].unvisited != NULL, process);
                check_block(f, &blocks.block[b], &f->visits[b], i, &apart);
            }
            test_blocks_accept(&blocks);
        }
        check_between(apart, process ? 0.1 : 0, process ? 10 : 1e-15, "effect of the visits of the own epoch");
        test_blocks_clear(&blocks);
    }
}

/* Without single events, for Stein's lemma, the paths are the same. */
static void check_same_without_chains(const fixture *f, const fixture *stein)
{
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths), other = test_blocks_new(&stein->c.t, f->c.paths);
    test_blocks_start(&blocks);
    test_blocks_start(&other);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, f->c.kern, i);
        test_blocks_advance(&other, stein->c.kern, i);
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
                check_near(averages_row(&stein->plan->at, other.sums, cell, VISITS)[x],
                           averages_row(&f->plan->at, blocks.sums, cell, VISITS)[x], 1e-13,
                           "visits of cell %d at node %d, entry %d", cell, i + 1, x);
        test_blocks_accept(&blocks);
        test_blocks_accept(&other);
    }
    test_blocks_clear(&blocks);
    test_blocks_clear(&other);
}

static void test_same_without_chains(void **state)
{
    const all_fixtures *all = *state;
    for (int process = 0; process < PROCESSES; process++)
        check_same_without_chains(&all->f[process][0], &all->f[process][1]);
}

static void test_repeatable(void **state)
{
    const all_fixtures *all = *state;
    for (int process = 0; process < PROCESSES; process++)
        for (int response = 0; response < ESTIMATORS; response++)
            path_case_check_repeatable(&all->f[process][response].c);
}

/* Two limits of averages at a node: just before it, of paths that are visited now; just after it, where an epoch begins
   and all visits count. */
typedef enum side { BEFORE, AFTER, SIDES } side;

static int counted(const fixture *f, int i, side at)
{
    return at == BEFORE ? history_of(f, i) : i;
}

/* The averages just after the accepted node, as means over paths. */
static void renew(const test_blocks *blocks, const fixture *f, int node, double *sums)
{
    memset(sums, 0, sizeof(double) * f->plan->at.size);
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        assert_int_equal(path_block_renew(&blocks->block[b], f->plan, f->c.kern, node, blocks->workspace, sums), 0);
    for (size_t x = 0; x < f->plan->at.size; x++)
        sums[x] /= PATHS;
}

/* ---- responses ---- */

/* Positions of all paths at all nodes on both sides: out[side][node][K][path], paths in the order of blocks. */
enum { PLANE = (STEPS + 1) * K * PATHS };

static void copy_positions(const path_block *block, const double *r, size_t first, double *out)
{
    for (size_t c = 0; c < K; c++)
        memcpy(out + c * PATHS + first, r + c * block->in->n, sizeof(double) * block->in->n);
}

static void positions(const fixture *f, double *out)
{
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i <= STEPS; i++) {
        size_t first = 0, at = (size_t)i * K * PATHS;
        if (i > 0)
            test_blocks_advance(&blocks, f->c.kern, i - 1);
        for (size_t b = 0; b < f->c.paths->n_blocks && i > 0; first += f->c.paths->block[b].n, b++)
            copy_positions(&blocks.block[b], path_block_unvisited(&blocks.block[b], f->plan), first,
                           out + BEFORE * PLANE + at);
        if (i > 0)
            test_blocks_accept(&blocks);
        first = 0;
        for (size_t b = 0; b < f->c.paths->n_blocks; first += f->c.paths->block[b].n, b++)
            copy_positions(&blocks.block[b], blocks.block[b].r_last, first, out + AFTER * PLANE + at);
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

/* Rows of responses on both sides: row_of(rows, at, node, cell)[2][K K]. */
static double *row_of(double *rows, side at, int node, int cell)
{
    return rows + (((size_t)at * (STEPS + 1) + (size_t)node) * STEPS + (size_t)cell) * 2 * K * K;
}

/* Adds E[G K_b (1 - a)] and E[G K_b a] of visit number `slot` of one path, K_b = d r(t_i) / d w(T_b) from central
   differences. */
static void add_path_differences(const fixture *f, const visits_by_path *v, size_t p, size_t lane, int slot,
                                 double step, const double *r, const double *up, const double *down, double *rows)
{
    const double *s = any_bridge_root, determinant = s[0] * s[3] - s[1] * s[2];
    const double inverse[K * K] = {s[3] / determinant, -s[1] / determinant, -s[2] / determinant, s[0] / determinant};
    size_t visit = (size_t)slot * v->in->n + p;
    for (side at = BEFORE; at < SIDES; at++)
        for (int i = v->cell[visit] + 1; i <= STEPS; i++) {
            double slope[K * K], change[K * K] = {0}, position[K], g[K], G[K * K];
            for (int a = 0; a < K; a++) {
                size_t here = (size_t)at * PLANE + ((size_t)i * K + (size_t)a) * PATHS + lane;
                position[a] = r[here];
                for (size_t c = 0; c < K; c++) /* a shift of the bridge moves w by - the root */
                    slope[a * K + (int)c] =
                        (down[c * SIDES * PLANE + here] - up[c * SIDES * PLANE + here]) / (2 * step);
            }
            for (int x = 0; x < K * K; x++)
                for (int c = 0; c < K; c++)
                    change[x] += slope[x / K * K + c] * inverse[c * K + x % K];
            path_case_gradient(&f->c, f->grid->t[i], position, v->in->y[p], g, G);
            double *row = row_of(rows, at, i, v->cell[visit]);
            for (int x = 0; x < K * K; x++)
                for (int c = 0; c < K; c++) {
                    double value = G[x / K * K + c] * change[c * K + x % K] / PATHS;
                    row[x] += value * (1 - v->place[visit]);
                    row[K * K + x] += value * v->place[visit];
                }
        }
}

static void add_differences(const fixture *f, int slot, const double *r, double *up, double *down, double *rows)
{
    const double step = 1e-5;
    size_t lane = 0;
    for (int c = 0; c < K; c++) {
        shift_bridges(f, slot, c, step);
        positions(f, up + (size_t)c * SIDES * PLANE);
        shift_bridges(f, slot, c, -2 * step);
        positions(f, down + (size_t)c * SIDES * PLANE);
        shift_bridges(f, slot, c, step);
    }
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        for (size_t p = 0; p < f->c.paths->block[b].n; p++, lane++)
            if (slot < f->visits[b].visits[p])
                add_path_differences(f, &f->visits[b], p, lane, slot, step, r, up, down, rows);
}

/* Rows of cells that do not count have no derivatives at all. */
static void check_responses_at(const fixture *f, side at, int i, const double *sums, double *rows)
{
    for (int cell = 0; cell < i; cell++)
        for (int kind = 0; kind < 2; kind++) {
            const double *got = averages_row(&f->plan->at, sums, cell, RESPONSE_LEFT + kind);
            const double *want = row_of(rows, at, i, cell) + kind * K * K;
            for (int x = 0; x < K * K; x++) {
                check_near(got[x], want[x], 1e-7, "response at node %d, side %d, to cell %d, kind %d, entry %d", i, at,
                           cell, kind, x);
                if (cell >= counted(f, i, at))
                    assert_true(got[x] == 0);
            }
        }
}

static void check_responses(const fixture *f)
{
    int slots = 0;
    double *r = memory_doubles(SIDES * PLANE), *up = memory_doubles(K * SIDES * PLANE);
    double *down = memory_doubles(K * SIDES * PLANE), *rows = memory_doubles(SIDES * (STEPS + 1) * STEPS * 2 * K * K);
    double *after = memory_doubles(f->plan->at.size);
    assert_true(r && up && down && rows && after);
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        slots = f->c.paths->block[b].slots > slots ? f->c.paths->block[b].slots : slots;
    positions(f, r);
    for (int slot = 0; slot < slots; slot++)
        add_differences(f, slot, r, up, down, rows);
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 1; i <= STEPS; i++) {
        test_blocks_advance(&blocks, f->c.kern, i - 1);
        check_responses_at(f, BEFORE, i, blocks.sums, rows);
        test_blocks_accept(&blocks);
        if (!f->grid->renewal[i])
            continue;
        renew(&blocks, f, i, after);
        check_responses_at(f, AFTER, i, after, rows);
    }
    test_blocks_clear(&blocks);
    free(r);
    free(up);
    free(down);
    free(rows);
    free(after);
}

static void test_responses(void **state)
{
    const all_fixtures *all = *state;
    for (int process = 0; process < PROCESSES; process++)
        check_responses(&all->f[process][0]);
}

/* ---- the other averages of kernels/averages.h, from the paths done again ---- */

static void add_averages(const fixture *f, const visits_by_path *v, size_t p, const single_path *path, side at, int i,
                         double *want)
{
    const averages_layout *layout = &f->plan->at;
    const path_inputs *in = v->in;
    double r[K], g[K], G[K * K], start[K];
    if (at == BEFORE)
        unvisited_of(f, v, p, path, i, r);
    else
        memcpy(r, path->r[i], sizeof r);
    path_case_gradient(&f->c, f->grid->t[i], r, in->y[p], g, G);
    path_case_start(&f->c, in, p, start);
    for (size_t x = 0; x < K * K; x++) {
        want[layout->gamma + x] += G[x] / PATHS;
        want[layout->outer + x] += g[x / K] * g[x % K] / PATHS;
        want[layout->gr + x] += g[x / K] * r[x % K] / PATHS;
        want[layout->gw0 + x] += g[x / K] * start[x % K] / PATHS;
        for (int a = 0; a < v->visits[p] && v->cell[(size_t)a * in->n + p] < counted(f, i, at); a++)
            want[averages_used(layout, v->cell[(size_t)a * in->n + p]) + VISITS * K * K + x] +=
                g[x / K] * path->kick[a][x % K] / PATHS;
        for (int cell = 0; cell < i && !layout->response->pathwise; cell++)
            want[averages_used(layout, cell) + INNOVATION * K * K + x] +=
                g[x / K] * in->xi[((size_t)cell * K + x % K) * in->n + p] / PATHS;
    }
    for (size_t a = 0; a < K; a++)
        want[layout->mu + a] += g[a] * in->wstar[p] / PATHS;
}

static void check_averages_at(const fixture *f, side at, int i, const double *sums)
{
    const averages_layout *layout = &f->plan->at;
    double *want = memory_doubles(layout->size);
    assert_non_null(want);
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        for (size_t p = 0; p < f->c.paths->block[b].n; p++) {
            single_path path = single_path_of(&f->c, &f->visits[b], p);
            add_averages(f, &f->visits[b], p, &path, at, i, want);
        }
    for (size_t x = 0; x < layout->rows; x++)
        check_near(sums[x], want[x], 1e-12, "average %zu at node %d, side %d", x, i, at);
    for (int cell = 0; cell < i; cell++)
        for (int kind = 0; kind <= !layout->response->pathwise; kind++)
            for (int x = 0; x < K * K; x++)
                check_near(averages_row(layout, sums, cell, kind)[x], averages_row(layout, want, cell, kind)[x], 1e-12,
                           "row %d of cell %d at node %d, side %d, entry %d", kind, cell, i, at, x);
    for (size_t x = averages_used(layout, i); x < layout->size; x++)
        assert_true(sums[x] == 0);
    free(want);
}

static void check_averages(const fixture *f)
{
    double *after = memory_doubles(f->plan->at.size);
    test_blocks blocks = test_blocks_new(&f->c.t, f->c.paths);
    test_blocks_start(&blocks);
    for (int i = 1; i <= STEPS; i++) {
        test_blocks_advance(&blocks, f->c.kern, i - 1);
        check_averages_at(f, BEFORE, i, blocks.sums);
        test_blocks_accept(&blocks);
        if (!f->grid->renewal[i])
            continue;
        renew(&blocks, f, i, after);
        check_averages_at(f, AFTER, i, after);
    }
    test_blocks_clear(&blocks);
    free(after);
}

static void test_averages(void **state)
{
    const all_fixtures *all = *state;
    for (int process = 0; process < PROCESSES; process++)
        for (int response = 0; response < ESTIMATORS; response++)
            check_averages(&all->f[process][response]);
}

/* ---- memory ---- */

static double allocated(void)
{
    struct mallinfo2 now = mallinfo2();
    return (double)now.uordblks + (double)now.hblkhd;
}

/* The estimate against the memory that the allocator has given out for the inputs and the blocks of an ensemble. Inputs
   of visits count as many as the most visited lane has. */
static void check_bytes(const char *dynamics, const char *response, int single)
{
    path_case c;
    path_case_init(&c, dynamics, &smooth_schedule, 2.6, response, 4000);
    path_plan plan = c.t.plan.on_grid[GRID_FINE];
    plan.single = single;
    double start = allocated(), want = 0;
    c.paths = test_paths(&c.t, 0);
    path_block *block = calloc(c.paths->n_blocks, sizeof *block);
    assert_non_null(block);
    for (size_t b = 0; b < c.paths->n_blocks; b++) {
        check_ok(c.t.ctx, path_block_new(c.t.ctx, &plan, &c.paths->block[b], &block[b]));
        want += path_block_bytes(&plan, c.paths->block[b].n, c.paths->block[b].slots);
    }
    double got = allocated() - start;
    print_message("%s, %s%s: estimate over memory %.3f\n", dynamics, response, single ? "single precision" : "",
                  want / got);
    if (got > 0) /* not if another allocator is in place */
        check_between(want / got, 0.97, 1.3, "%s, %s: estimate over memory", dynamics, response);
    for (size_t b = 0; b < c.paths->n_blocks; b++)
        path_block_clear(&block[b]);
    free(block);
    path_case_clear(&c);
}

static void test_bytes(void **state)
{
    for (int response = 0; response < ESTIMATORS; response++) {
        check_bytes("sgd", ESTIMATOR[response], response);
        check_bytes(epoch_process.dynamics, ESTIMATOR[response], response);
    }
    check_bytes("sme", "", 1);
    check_bytes("gradient-flow", "", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_single_paths),
        cmocka_unit_test(test_same_without_chains),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests_name("block", tests, setup, teardown);
}
