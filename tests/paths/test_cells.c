/* The drivers of SME and gradient flow path by path: the paths are done again one at a time from the equations in the
   heads of paths/block.h and paths/driver.h, with two students, a nonlinear loss, arbitrary kernels and events away from
   the middle of their cells. What the chain rule gives is compared with differences of paths whose field was shifted
   at one event. The kick itself is that of test_kicks.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "paths/driver.h"
#include "paths/kicks.h"
#include "support/check.h"
#include "support/setting.h"

enum { K = 2, STEPS = 8, PATHS = 128 };

static const double SPREAD[K * K] = {0.6, 0.15, 0.15, 0.4};

typedef struct fixture {
    test_setting t;
    path_ensemble *paths;
    kernels *kern;
    path_scratch *one; /* of a single lane */
} fixture;

/* Kernels without structure: what the path equations need is only that R(t, t) = 1. */
static kernels *any_kernels(const test_setting *t)
{
    kernels *kern = test_kernels(t);
    double z[400];
    random_normals((random_key){37, 0, 81}, 0, 0, 400, z);
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

/* On a coarse grid events are not in the middle. */
static void move_events(time_grid *grid)
{
    for (int i = 0; i < grid->steps; i++) {
        grid->middle[i] = 0.35 + 0.05 * i;
        grid->eta_middle[i] = 0.9 / (1 + 0.15 * (grid->t[i] + grid->middle[i] * grid->h[i]));
    }
}

static void fixture_init(fixture *f, const char *dynamics)
{
    sgdmft_context *ctx = check_context(1);
    test_setting_init(
        &f->t,
        test_problem(
            ctx,
            "{dynamics: %s, delta: 1.3, horizon: 2.2, eta: \"0.9/(1 + 0.15*t)\", "
            "model: {students: 2, teachers: 1, label: \"s + 0.3*eps\", predict: \"tanh(r1) + 0.6*tanh(r1 - 0.5*r2)\", "
            "loss: \"(f - y)^2/2 + 0.1*r2^2*r1 + 0.05*t*r1^2\"}, "
            "initial: {q: [[1.2, 0.1], [0.1, 0.8]], m: [[0.3], [-0.1]], rho: 1.3}, "
            "numerics: {paths: %d, steps: %d, seed: 31, grading: 1.2}}",
            dynamics, PATHS, STEPS));
    sgdmft_context_free(ctx);
    move_events(f->t.s.grid[LEVEL_FINE]);
    f->paths = test_paths(&f->t, 0);
    f->kern = any_kernels(&f->t);
    check_ok(f->t.ctx, path_scratch_new(f->t.ctx, &f->t.s.set[LEVEL_FINE], 1, STEPS + 1, &f->one));
}

static void fixture_clear(fixture *f)
{
    path_scratch_free(f->one);
    path_ensemble_free(f->paths);
    kernels_free(f->kern);
    test_setting_clear(&f->t);
}

/* R(T_a, T_b) component c between two events: bilinear between nodes, linear in t - s in one cell. */
static double between_events(const kernels *kern, int c, int a, int b)
{
    double x = kern->grid->middle[a], z = kern->grid->middle[b], one = c % (K + 1) == 0;
    if (a == b)
        return one;
    double low = (1 - z) * kernels_R(kern, c, a)[b] + z * kernels_R(kern, c, a)[b + 1];
    double high = (1 - z) * kernels_R(kern, c, a + 1)[b] + z * kernels_R(kern, c, a + 1)[b + 1];
    return (1 - x) * low + x * high;
}

/* R(t_node, T_b) */
static double at_node(const kernels *kern, int c, int node, int b)
{
    double z = kern->grid->middle[b];
    return (1 - z) * kernels_R(kern, c, node)[b] + z * kernels_R(kern, c, node)[b + 1];
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

/* A shift of the field at one event. */
typedef struct shift {
    int event, component;
    double by;
} shift;

/* One path: kicks of the cells, positions at the nodes. */
static void single_path(const fixture *f, const path_inputs *in, size_t p, shift moved, double kick[][K], double r[][K])
{
    const time_grid *grid = f->kern->grid;
    const path_setting *set = &f->t.s.set[LEVEL_FINE];
    int diffuses = in->noise != NULL;
    for (int a = 0; a < f->kern->steps; a++) {
        double x = grid->middle[a], low[K], high[K], position[K];
        node_field(f, in, p, a, low);
        node_field(f, in, p, a + 1, high);
        for (int c = 0; c < K; c++) {
            position[c] = (1 - x) * low[c] + x * high[c];
            if (a == moved.event && c == moved.component)
                position[c] += moved.by;
            for (int l = 0; l < K && diffuses; l++)
                position[c] -= SPREAD[c * K + l] * in->bridge[((size_t)a * K + (size_t)l) * in->n + p];
            for (int b = 0; b < a; b++)
                for (int l = 0; l < K; l++)
                    position[c] -= between_events(f->kern, c * K + l, a, b) * kick[b][l];
        }
        kick_cell cell = {.n = 1,
                          .t = grid->t[a] + x * grid->h[a],
                          .eta = 0.9 / (1 + 0.15 * (grid->t[a] + x * grid->h[a])),
                          .h = grid->h[a],
                          .noise = diffuses ? in->noise + (size_t)a * in->n + p : NULL,
                          .r = position,
                          .y = in->y + p};
        assert_int_equal((diffuses ? kick_brownian : kick_drift)(set, &cell, f->one, kick[a], NULL), 0);
    }
    for (int i = 0; i <= f->kern->steps; i++) {
        node_field(f, in, p, i, r[i]);
        for (int b = 0; b < i; b++)
            for (int x = 0; x < K * K; x++)
                r[i][x / K] -= at_node(f->kern, x, i, b) * kick[b][x % K];
    }
}

static const shift NONE = {-1, 0, 0};

static void check_paths(const char *dynamics)
{
    fixture f;
    fixture_init(&f, dynamics);
    int steps = f.kern->steps;
    test_run run = test_run_new(&f.t, f.paths);
    test_run_start(&run);
    for (int i = 0; i < steps; i++) {
        test_run_advance(&run, f.kern, i);
        for (size_t b = 0; b < f.paths->n_blocks; b++) {
            const path_inputs *in = &f.paths->block[b];
            assert_int_equal(in->slots, steps);
            for (size_t p = 0; p < in->n; p++) {
                double kick[STEPS + 1][K], r[STEPS + 2][K];
                single_path(&f, in, p, NONE, kick, r);
                for (size_t c = 0; c < K; c++) {
                    check_near(run.block[b].r[c * in->n + p], r[i + 1][c], 1e-12, "%s: r of path %zu at node %d",
                               dynamics, p, i + 1);
                    for (size_t a = 0; a <= (size_t)i; a++)
                        check_near(run.block[b].kick[(a * K + c) * in->n + p], kick[a][c], 1e-12,
                                   "%s: kick %zu of path %zu", dynamics, a, p);
                }
            }
        }
        test_run_accept(&run);
    }
    test_run_clear(&run);
    fixture_clear(&f);
}

static void test_single_paths(void **state)
{
    check_paths("gradient-flow");
    check_paths("sme");
}

static void gradient(const fixture *f, double t, const double *r, double y, double *g, double *G)
{
    assert_int_equal(model_gradient(f->t.s.m, f->one->model, 1, &t, r, &y, g, G), 0);
}

/* Adds what one path gives: d kick_a / d w(T_c) to chain[a][c], and E[G K_c] (1 - z, z) to rows[node][c]. */
static void add_path(const fixture *f, const path_inputs *in, size_t p, double chain[][STEPS + 1][K * K],
                     double rows[][STEPS + 1][2][K * K])
{
    const double step = 1e-5;
    const time_grid *grid = f->kern->grid;
    double kick[STEPS + 1][K], r[STEPS + 2][K], up[STEPS + 2][K], down[STEPS + 2][K];
    double kick_up[STEPS + 1][K], kick_down[STEPS + 1][K];
    single_path(f, in, p, NONE, kick, r);
    for (int c = 0; c < f->kern->steps; c++)
        for (int l = 0; l < K; l++) {
            single_path(f, in, p, (shift){c, l, step}, kick_up, up);
            single_path(f, in, p, (shift){c, l, -step}, kick_down, down);
            for (int a = c; a < f->kern->steps; a++)
                for (int b = 0; b < K; b++)
                    chain[a][c][b * K + l] = (kick_up[a][b] - kick_down[a][b]) / (2 * step);
            for (int i = c + 1; i <= f->kern->steps; i++) {
                double g[K], G[K * K];
                gradient(f, grid->t[i], r[i], in->y[p], g, G);
                for (int b = 0; b < K; b++) {
                    double sum = 0;
                    for (int d = 0; d < K; d++)
                        sum += G[b * K + d] * (up[i][d] - down[i][d]) / (2 * step);
                    rows[i][c][0][b * K + l] += (1 - grid->middle[c]) * sum / PATHS;
                    rows[i][c][1][b * K + l] += grid->middle[c] * sum / PATHS;
                }
            }
        }
}

/* Chains of the block, event by event, and the averages made from them. */
static void test_responses(void **state)
{
    static double chain[PATHS][STEPS + 1][STEPS + 1][K * K], rows[STEPS + 2][STEPS + 1][2][K * K];
    fixture f;
    fixture_init(&f, "gradient-flow");
    const estimates_layout *at = &f.t.s.set[LEVEL_FINE].at;
    size_t lane = 0;
    for (size_t b = 0; b < f.paths->n_blocks; b++)
        for (size_t p = 0; p < f.paths->block[b].n; p++)
            add_path(&f, &f.paths->block[b], p, chain[lane++], rows);
    test_run run = test_run_new(&f.t, f.paths);
    test_run_start(&run);
    for (int i = 1; i <= f.kern->steps; i++) {
        test_run_advance(&run, f.kern, i - 1);
        for (int c = 0; c < i; c++)
            for (int kind = 0; kind < 2; kind++)
                for (int x = 0; x < K * K; x++)
                    check_near(estimates_row(at, run.sums, c, RESPONSE_LEFT + kind)[x], rows[i][c][kind][x], 1e-8,
                               "response at node %d to cell %d, kind %d, entry %d", i, c, kind, x);
        lane = 0;
        for (size_t b = 0; b < f.paths->n_blocks; b++)
            for (size_t p = 0; p < f.paths->block[b].n; p++, lane++)
                for (size_t a = (size_t)i - 1, c = 0; c <= a; c++)
                    for (size_t x = 0; x < K * K; x++)
                        check_near(run.block[b].chain[((a * (a + 1) / 2 + c) * K * K + x) * f.paths->block[b].n + p],
                                   chain[lane][a][c][x], 1e-7, "chain (%zu, %zu) of path %zu, entry %zu", a, c, lane,
                                   x);
        test_run_accept(&run);
    }
    test_run_clear(&run);
    fixture_clear(&f);
}

/* Rows of events: a drift correlates kicks with kicks, a diffusion gradients with kicks and normals. */
static void check_rows(const char *dynamics)
{
    fixture f;
    fixture_init(&f, dynamics);
    const path_setting *set = &f.t.s.set[LEVEL_FINE];
    int diffuses = set->driver->singular;
    assert_int_equal(set->at.response, diffuses ? RESPONSE_STEIN : RESPONSE_PATHWISE);
    test_run run = test_run_new(&f.t, f.paths);
    test_run_start(&run);
    for (int i = 1; i <= f.kern->steps; i++) {
        double want[STEPS + 1][2][K * K] = {{{0}}};
        test_run_advance(&run, f.kern, i - 1);
        for (size_t b = 0; b < f.paths->n_blocks; b++) {
            const path_inputs *in = &f.paths->block[b];
            for (size_t p = 0; p < in->n; p++) {
                double kick[STEPS + 1][K], r[STEPS + 2][K], g[K], G[K * K];
                single_path(&f, in, p, NONE, kick, r);
                gradient(&f, f.kern->grid->t[i], r[i], in->y[p], g, G);
                for (int c = 0; c < i; c++)
                    for (int x = 0; x < K * K; x++) {
                        want[c][0][x] += (diffuses ? g[x / K] : kick[i - 1][x / K]) * kick[c][x % K] / PATHS;
                        want[c][1][x] += g[x / K] * in->xi[(size_t)(c * K + x % K) * in->n + p] / PATHS;
                    }
            }
        }
        for (int c = 0; c < i; c++)
            for (int x = 0; x < K * K; x++) {
                check_near(estimates_row(&set->at, run.sums, c, VISITS)[x], want[c][0][x], 1e-12,
                           "%s: kicks of cell %d at node %d", dynamics, c, i);
                if (diffuses)
                    check_near(estimates_row(&set->at, run.sums, c, INNOVATION)[x], want[c][1][x], 1e-12,
                               "%s: normals of cell %d at node %d", dynamics, c, i);
            }
        for (size_t x = estimates_used(&set->at, i); x < set->at.size; x++)
            assert_true(run.sums[x] == 0);
        test_run_accept(&run);
    }
    test_run_clear(&run);
    fixture_clear(&f);
}

static void test_rows(void **state)
{
    check_rows("gradient-flow");
    check_rows("sme");
}

/* Repeating a step with the same kernels changes nothing: passes may be repeated. */
static void test_repeatable(void **state)
{
    static const char *const dynamics[2] = {"gradient-flow", "sme"};
    for (int d = 0; d < 2; d++) {
        fixture f;
        fixture_init(&f, dynamics[d]);
        size_t size = f.t.s.set[LEVEL_FINE].at.size;
        double *once = memory_doubles(size);
        test_run run = test_run_new(&f.t, f.paths);
        test_run_start(&run);
        for (int i = 0; i < f.kern->steps; i++) {
            test_run_advance(&run, f.kern, i);
            memcpy(once, run.sums, sizeof(double) * size);
            test_run_advance(&run, f.kern, i);
            assert_memory_equal(once, run.sums, sizeof(double) * size);
            test_run_accept(&run);
        }
        free(once);
        test_run_clear(&run);
        fixture_clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_paths),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_repeatable),
    };
    return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
