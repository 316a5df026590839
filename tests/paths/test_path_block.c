/* A block of paths against the equations in the head of paths/block.h, path by path: two students, a nonlinear loss,
   arbitrary kernels. The paths are done again one at a time without groups, slots or lanes; what the chain rule gives
   is compared with differences of paths whose field was changed at one visit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "support/check.h"
#include "support/setting.h"

enum { K = 2, STEPS = 8, PATHS = 192, MOST = 64 };

static const double SPREAD[K * K] = {0.6, 0.15, 0.15, 0.4};

typedef struct fixture {
    test_setting t;
    path_ensemble *paths;
    kernels *kern;
} fixture;

/* Kernels without structure: what the path equations need is only that R(t, t) = 1. */
static kernels *any_kernels(const test_setting *t)
{
    kernels *kern = test_kernels(t);
    double z[400];
    random_normals((random_key){31, 0, 81}, 0, 0, 400, z);
    for (int i = 0; i <= STEPS; i++)
        for (int c = 0; c < K * K; c++)
            for (int j = 0; j < i; j++)
                kernels_R(kern, c, i)[j] = (c % (K + 1) == 0 ? 0.6 : 0.1) + 0.2 * z[(i * 31 + j * 7 + c * 3) % 400];
    for (int i = 1; i <= STEPS; i++)
        for (int a = 0; a < K; a++) {
            for (int x = 0; x < K * i; x++)
                kernels_V(kern, i, a)[x] = 0.5 * z[(i * 17 + a * 5 + x) % 400];
            kern->F[i * K + a] = 0.4 * z[(i * 3 + a) % 400];
        }
    for (int i = 0; i < STEPS; i++)
        memcpy(kern->bridge + i * K * K, SPREAD, sizeof SPREAD);
    return kern;
}

static int setup(void **state)
{
    static fixture f;
    sgdmft_context *ctx = check_context(1);
    test_setting_init(
        &f.t,
        test_problem(
            ctx,
            "{delta: 1.3, horizon: 2.6, eta: \"0.9/(1 + 0.15*t)\", "
            "model: {students: 2, teachers: 1, label: \"s + 0.3*eps\", predict: \"tanh(r1) + 0.6*tanh(r1 - 0.5*r2)\", "
            "loss: \"(f - y)^2/2 + 0.1*r2^2*r1 + 0.05*t*r1^2\"}, "
            "initial: {q: [[1.2, 0.1], [0.1, 0.8]], m: [[0.3], [-0.1]], rho: 1.3}, "
            "numerics: {paths: %d, steps: %d, seed: 31, grading: 1.2}}",
            PATHS, STEPS));
    sgdmft_context_free(ctx);
    f.paths = test_paths(&f.t, 0);
    f.kern = any_kernels(&f.t);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    path_ensemble_free(f->paths);
    kernels_free(f->kern);
    test_setting_clear(&f->t);
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

/* Field at a node for one path. */
static void node_field(const fixture *f, const path_inputs *in, size_t p, int node, double w[K])
{
    const initial_law *law = &f->t.s.law;
    for (int a = 0; a < K; a++) {
        w[a] = f->kern->F[node * K + a] * in->wstar[p];
        for (int c = 0; c < K; c++) {
            double start = law->a[c] * in->wstar[p];
            for (int b = 0; b < K; b++)
                start += law->b[c * K + b] * in->z0[(size_t)b * in->n + p];
            w[a] += kernels_R(f->kern, a * K + c, node)[0] * start;
        }
        for (int x = 0; x < K * node; x++)
            w[a] += kernels_V(f->kern, node, a)[x] * in->xi[(size_t)x * in->n + p];
    }
}

static void gradient(const fixture *f, model_work *work, double t, const double *r, double y, double *g, double *G)
{
    assert_int_equal(model_gradient(f->t.s.m, work, 1, &t, r, &y, g, G), 0);
}

/* One path: kicks at its visits, positions at the nodes. */
static void single_path(const fixture *f, model_work *work, const path_inputs *in, size_t p, double kick[MOST][K],
                        double r[STEPS + 1][K])
{
    const time_grid *grid = f->kern->grid;
    int steps = grid->steps;
    for (int a = 0; a < in->visits[p]; a++) {
        size_t at = (size_t)a * in->n + p;
        double T = in->time[at], low[K], high[K], position[K], g[K], G[K * K];
        int cell = time_grid_cell(grid, T);
        node_field(f, in, p, cell, low);
        node_field(f, in, p, cell + 1, high);
        double x = (T - grid->t[cell]) / grid->h[cell];
        for (int c = 0; c < K; c++) {
            position[c] = (1 - x) * low[c] + x * high[c];
            for (int l = 0; l < K; l++)
                position[c] -= SPREAD[c * K + l] * in->bridge[((size_t)a * K + (size_t)l) * in->n + p];
            for (int b = 0; b < a; b++)
                for (int l = 0; l < K; l++)
                    position[c] -= response(f->kern, c * K + l, T, in->time[(size_t)b * in->n + p]) * kick[b][l];
        }
        gradient(f, work, T, position, in->y[p], g, G);
        for (int c = 0; c < K; c++)
            kick[a][c] = 0.9 / (1 + 0.15 * T) * g[c];
    }
    for (int i = 0; i <= steps; i++) {
        node_field(f, in, p, i, r[i]);
        for (int b = 0; b < in->visits[p] && in->time[(size_t)b * in->n + p] < grid->t[i]; b++) {
            size_t at = (size_t)b * in->n + p;
            int j = in->cell[at];
            for (int x = 0; x < K * K; x++) {
                double left = kernels_R(f->kern, x, i)[j], right = kernels_R(f->kern, x, i)[j + 1];
                r[i][x / K] -= (left + in->place[at] * (right - left)) * kick[b][x % K];
            }
        }
    }
}

static void test_single_paths(void **state)
{
    const fixture *f = *state;
    model_work *work = NULL;
    check_ok(f->t.ctx, model_work_new(f->t.ctx, f->t.s.m, 1, &work));
    int steps = f->kern->steps;
    test_run run = test_run_new(&f->t, f->paths);
    test_run_start(&run);
    for (int i = 0; i < steps; i++) {
        test_run_advance(&run, f->kern, i);
        for (size_t b = 0; b < f->paths->n_blocks; b++) {
            const path_inputs *in = &f->paths->block[b];
            for (size_t p = 0; p < in->n; p++) {
                double kick[MOST][K], r[STEPS + 1][K];
                assert_true(in->visits[p] < MOST);
                single_path(f, work, in, p, kick, r);
                for (size_t c = 0; c < K; c++) {
                    check_near(run.block[b].r[c * in->n + p], r[i + 1][c], 1e-12, "r of path %zu at node %d", p, i + 1);
                    for (int a = 0; a < in->visits[p] && in->cell[(size_t)a * in->n + p] <= i; a++)
                        check_near(run.block[b].kick[((size_t)a * K + c) * in->n + p], kick[a][c], 1e-12,
                                   "kick %d of path %zu", a, p);
                }
            }
        }
        test_run_accept(&run);
    }
    test_run_clear(&run);
    model_work_free(work);
}

/* Repeating a step with the same kernels changes nothing: passes may be repeated. */
static void test_repeatable(void **state)
{
    const fixture *f = *state;
    size_t size = f->t.s.set[LEVEL_FINE].at.size;
    double *once = memory_doubles(size);
    test_run run = test_run_new(&f->t, f->paths);
    test_run_start(&run);
    for (int i = 0; i < f->kern->steps; i++) {
        test_run_advance(&run, f->kern, i);
        memcpy(once, run.sums, sizeof(double) * size);
        test_run_advance(&run, f->kern, i);
        assert_memory_equal(once, run.sums, sizeof(double) * size);
        test_run_accept(&run);
    }
    free(once);
    test_run_clear(&run);
}

/* Positions of all paths at all nodes: out[node][K][path], paths in the order of blocks. */
static void positions(const fixture *f, double *out)
{
    test_run run = test_run_new(&f->t, f->paths);
    test_run_start(&run);
    for (int i = 0; i <= f->kern->steps; i++) {
        if (i > 0) {
            test_run_advance(&run, f->kern, i - 1);
            test_run_accept(&run);
        }
        size_t first = 0;
        for (size_t b = 0; b < f->paths->n_blocks; first += f->paths->block[b].n, b++)
            for (size_t c = 0; c < K; c++)
                memcpy(out + ((size_t)i * K + c) * PATHS + first, run.block[b].r + c * f->paths->block[b].n,
                       sizeof(double) * f->paths->block[b].n);
    }
    test_run_clear(&run);
}

/* Moves the bridge of visit number `slot` of every path that has one. */
static void shift_bridges(const fixture *f, int slot, int component, double by)
{
    for (size_t b = 0; b < f->paths->n_blocks; b++) {
        path_inputs *in = &f->paths->block[b];
        for (size_t p = 0; p < in->n && slot < in->slots; p++)
            in->bridge[((size_t)slot * K + (size_t)component) * in->n + p] += by;
    }
}

/* Adds E[G K_b (1 - a)] and E[G K_b a] of visit number `slot`, K_b = d r(t_i) / d w(T_b) from central differences:
   rows[node][cell][2][K K]. */
static void add_differences(const fixture *f, model_work *work, int slot, const double *r, double *up, double *down,
                            double *rows)
{
    const double step = 1e-5, determinant = SPREAD[0] * SPREAD[3] - SPREAD[1] * SPREAD[2];
    const double inverse[K * K] = {SPREAD[3] / determinant, -SPREAD[1] / determinant, -SPREAD[2] / determinant,
                                   SPREAD[0] / determinant};
    int steps = f->kern->steps;
    size_t plane = (size_t)(steps + 1) * K * PATHS;
    for (int c = 0; c < K; c++) {
        shift_bridges(f, slot, c, step);
        positions(f, up + (size_t)c * plane);
        shift_bridges(f, slot, c, -2 * step);
        positions(f, down + (size_t)c * plane);
        shift_bridges(f, slot, c, step);
    }
    size_t lane = 0;
    for (size_t b = 0; b < f->paths->n_blocks; b++) {
        const path_inputs *in = &f->paths->block[b];
        for (size_t p = 0; p < in->n; p++, lane++) {
            if (slot >= in->visits[p])
                continue;
            size_t at = (size_t)slot * in->n + p;
            for (int i = in->cell[at] + 1; i <= steps; i++) {
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
                gradient(f, work, f->kern->grid->t[i], position, in->y[p], g, G);
                double *row = rows + ((size_t)i * (size_t)steps + (size_t)in->cell[at]) * 2 * K * K;
                for (int x = 0; x < K * K; x++)
                    for (int c = 0; c < K; c++) {
                        double value = G[x / K * K + c] * change[c * K + x % K] / PATHS;
                        row[x] += value * (1 - in->place[at]);
                        row[K * K + x] += value * in->place[at];
                    }
            }
        }
    }
}

static void test_responses(void **state)
{
    const fixture *f = *state;
    int steps = f->kern->steps, slots = 0;
    size_t plane = (size_t)(steps + 1) * K * PATHS, cells = (size_t)((steps + 1) * steps);
    double *r = memory_doubles(plane), *up = memory_doubles(K * plane), *down = memory_doubles(K * plane);
    double *rows = memory_doubles(cells * 2 * K * K);
    model_work *work = NULL;
    check_ok(f->t.ctx, model_work_new(f->t.ctx, f->t.s.m, 1, &work));
    for (size_t b = 0; b < f->paths->n_blocks; b++)
        slots = f->paths->block[b].slots > slots ? f->paths->block[b].slots : slots;
    positions(f, r);
    for (int slot = 0; slot < slots; slot++)
        add_differences(f, work, slot, r, up, down, rows);
    const estimates_layout *at = &f->t.s.set[LEVEL_FINE].at;
    test_run run = test_run_new(&f->t, f->paths);
    test_run_start(&run);
    for (int i = 1; i <= steps; i++) {
        test_run_advance(&run, f->kern, i - 1);
        for (int cell = 0; cell < i; cell++)
            for (int kind = 0; kind < 2; kind++) {
                const double *got = estimates_row(at, run.sums, cell, RESPONSE_LEFT + kind);
                const double *want = rows + (((size_t)i * (size_t)steps + (size_t)cell) * 2 + (size_t)kind) * K * K;
                for (int x = 0; x < K * K; x++)
                    check_near(got[x], want[x], 1e-7, "response at node %d to cell %d, kind %d, entry %d", i, cell,
                               kind, x);
            }
        test_run_accept(&run);
    }
    test_run_clear(&run);
    model_work_free(work);
    free(r);
    free(up);
    free(down);
    free(rows);
}

/* The other averages of estimates.h, from positions and kicks. */
static void test_averages(void **state)
{
    const fixture *f = *state;
    const estimates_layout *at = &f->t.s.set[LEVEL_FINE].at;
    const initial_law *law = &f->t.s.law;
    model_work *work = NULL;
    check_ok(f->t.ctx, model_work_new(f->t.ctx, f->t.s.m, 1, &work));
    test_run run = test_run_new(&f->t, f->paths);
    test_run_start(&run);
    for (int i = 0; i < f->kern->steps; i++) {
        double *want = memory_doubles(at->size);
        test_run_advance(&run, f->kern, i);
        for (size_t b = 0; b < f->paths->n_blocks; b++) {
            const path_inputs *in = &f->paths->block[b];
            for (size_t p = 0; p < in->n; p++) {
                double r[K] = {run.block[b].r[p], run.block[b].r[in->n + p]}, g[K], G[K * K], start[K];
                gradient(f, work, f->kern->grid->t[i + 1], r, in->y[p], g, G);
                for (int a = 0; a < K; a++)
                    start[a] =
                        law->a[a] * in->wstar[p] + law->b[a * K] * in->z0[p] + law->b[a * K + 1] * in->z0[in->n + p];
                for (size_t x = 0; x < K * K; x++) {
                    want[at->gamma + x] += G[x] / PATHS;
                    want[at->outer + x] += g[x / K] * g[x % K] / PATHS;
                    want[at->gr + x] += g[x / K] * r[x % K] / PATHS;
                    want[at->gw0 + x] += g[x / K] * start[x % K] / PATHS;
                    for (size_t a = 0; a < (size_t)in->visits[p] && in->cell[a * in->n + p] <= i; a++)
                        want[estimates_used(at, in->cell[a * in->n + p]) + VISITS * K * K + x] +=
                            g[x / K] * run.block[b].kick[(a * K + x % K) * in->n + p] / PATHS;
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
    model_work_free(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_paths),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_averages),
    };
    return cmocka_run_group_tests_name("path block", tests, setup, teardown);
}
