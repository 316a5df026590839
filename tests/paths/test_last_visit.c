/* Averages integrated over the last visit: against closed forms, see linear_flow.h, with standard errors from
   independent replicas; and to rounding, path by path, against the formula in the head of paths/last_visit.h. */
#include "paths/coarsen.h"
#include "paths/last_visit.h"
#include "paths/observe.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "flow_case.h"
#include "single_path.h"
#include "support/check.h"
#include "support/sample.h"

/* Means over paths at the node that `blocks` has advanced to; `observed` may be NULL. */
static void integrate(const test_blocks *blocks, const path_plan *plan, const kernels *kern, int node, double *sums,
                      double *observed)
{
    double paths = (double)blocks->paths->paths;
    size_t observables = observed ? 2 + 2 * (size_t)plan->shape.observables : 0;
    memset(sums, 0, sizeof(double) * plan->at.size);
    if (observed)
        memset(observed, 0, sizeof(double) * observables);
    for (size_t b = 0; b < blocks->paths->n_blocks; b++)
        assert_int_equal(last_visit_averages(&blocks->block[b], plan, kern, node, blocks->workspace, sums, observed),
                         0);
    for (size_t x = 0; x < plan->at.size; x++)
        sums[x] /= paths;
    for (size_t x = 0; x < observables; x++)
        observed[x] /= paths;
}

/* ---- closed forms ---- */

/* Steps so small that the error of the linear interpolation in the time of the last visit does not show. About 170
   numbers are compared, hence the bound, see test_palm.c. */
enum { FLOW_STEPS = 80, FLOW_PATHS = 3000, NODES = 3, CELLS = 4 };
static const double BOUND = 4.5;
static const int NODE[NODES] = {20, 48, FLOW_STEPS};

/* Averages at one node, in the layout of kernels/averages.h. */
typedef struct averages {
    sample *plain, *integrated;
} averages;

static void averages_init(size_t size, averages *a)
{
    a->plain = memory_zeroed(size, sizeof *a->plain);
    a->integrated = memory_zeroed(size, sizeof *a->integrated);
    assert_true(a->plain && a->integrated);
}

static void averages_clear(averages *a)
{
    free(a->plain);
    free(a->integrated);
}

static void collect(const test_plan *t, const kernels *kern, uint32_t replica, averages seen[NODES])
{
    const path_plan *plan = &t->plan.on_grid[GRID_FINE];
    double *sums = memory_doubles(plan->at.size);
    path_ensemble *paths = test_paths(t, replica);
    test_blocks blocks = test_blocks_new(t, paths);
    test_blocks_start(&blocks);
    for (int i = 0, which = 0; i < FLOW_STEPS; i++) {
        test_blocks_advance(&blocks, kern, i);
        if (i + 1 == NODE[which]) {
            integrate(&blocks, plan, kern, i + 1, sums, NULL);
            for (size_t x = 0; x < averages_used(&plan->at, i + 1); x++) {
                sample_add(&seen[which].plain[x], blocks.sums[x]);
                sample_add(&seen[which].integrated[x], sums[x]);
            }
            which++;
        }
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    path_ensemble_free(paths);
    free(sums);
}

/* The newest cell, the first, and two between. */
static int cell_of(int node, int which)
{
    return (int[]){node - 1, 0, node / 3, node - 3}[which];
}

/* Closed forms and their places among the averages. */
typedef struct known {
    size_t count, at[4 * FLOW_BLOCK + FLOW_MOST + 2 * CELLS * FLOW_BLOCK];
    double value[4 * FLOW_BLOCK + FLOW_MOST + 2 * CELLS * FLOW_BLOCK];
} known;

static void add_known(size_t at, size_t count, const double *value, known *out)
{
    for (size_t x = 0; x < count; x++) {
        out->at[out->count] = at + x;
        out->value[out->count++] = value[x];
    }
}

static known known_at(const linear_flow *f, const averages_layout *at, const time_grid *grid, int node)
{
    size_t kk = (size_t)(f->k * f->k);
    double value[FLOW_BLOCK];
    flow_moments x = flow_at(f, grid->t[node]);
    known out = {0};
    flow_gg(f, &x, value);
    add_known(at->outer, kk, value, &out);
    flow_gr(f, &x, value);
    add_known(at->gr, kk, value, &out);
    flow_gw0(f, &x, value);
    add_known(at->gw0, kk, value, &out);
    flow_mu(f, &x, value);
    add_known(at->mu, (size_t)f->k, value, &out);
    for (int c = 0; c < CELLS; c++) {
        int cell = cell_of(node, c);
        double low = grid->t[cell], high = grid->t[cell + 1];
        flow_visits(f, grid->t[node], low, high, value);
        add_known(averages_used(at, cell) + VISITS * kk, kk, value, &out);
        flow_innovation(f, grid->t[node], low, high, value);
        add_known(averages_used(at, cell) + INNOVATION * kk, kk, value, &out);
    }
    return out;
}

/* The sum of the squared standard errors of the known averages. */
static double noise(const known *want, const sample *seen)
{
    double sum = 0;
    for (size_t x = 0; x < want->count; x++)
        sum += sample_se(&seen[want->at[x]]) * sample_se(&seen[want->at[x]]);
    return sum;
}

static void compare(const linear_flow *f, const test_plan *t, int node, const averages *seen, double *squares,
                    double *plain_squares)
{
    known want = known_at(f, &t->plan.on_grid[GRID_FINE].at, t->plan.grid[GRID_FINE], node);
    for (size_t x = 0; x < want.count; x++) {
        const sample *s = &seen->integrated[want.at[x]];
        check_z(s->mean, want.value[x], sample_se(s), BOUND, "k = %d, node %d, average %zu", f->k, node, want.at[x]);
    }
    *squares += noise(&want, seen->integrated);
    *plain_squares += noise(&want, seen->plain);
}

static void check_flow(int students, int seed)
{
    flow_case c;
    averages seen[NODES];
    double squares = 0, plain_squares = 0;
    flow_case_init(&c, NULL, students, 1.6, "response: stein, paths: %d, steps: %d, seed: %d", FLOW_PATHS, FLOW_STEPS,
                   seed);
    kernels *kern = test_kernels(&c.t);
    flow_kernels(&c.flow, kern);
    for (int which = 0; which < NODES; which++)
        averages_init(c.t.plan.on_grid[GRID_FINE].at.size, &seen[which]);
    for (uint32_t r = 0; r < test_scaled(40, 24); r++)
        collect(&c.t, kern, r, seen);
    for (int which = 0; which < NODES; which++) {
        compare(&c.flow, &c.t, NODE[which], &seen[which], &squares, &plain_squares);
        averages_clear(&seen[which]);
    }
    print_message("k = %d: noise %.3f of that of plain averages of the same paths\n", students,
                  squares / plain_squares);
    check_between(squares / plain_squares, 0, 0.5, "noise, k = %d", students);
    kernels_free(kern);
    flow_case_clear(&c);
}

static void test_one_student(void **state)
{
    check_flow(1, 61);
}

static void test_two_students(void **state)
{
    check_flow(2, 62);
}

/* ---- path by path ---- */

enum { PATHS = 192, OBSERVED = 4 };

/* How far back the last visit is looked for, as in process/poisson.c; last_visit.c looks back 16 nodes at most. */
static const double WINDOW = 2;

typedef struct fixture {
    path_case c;
    visits_by_path *visits; /* of each block */
} fixture;

/* A visit just after or before the node `node`, in the cell `cell`; or none since node `node`, if the cell is -1. */
typedef struct insertion {
    double weight, eta;
    int node, cell;
} insertion;

/* Sums over paths of averages and observables at a node. */
typedef struct path_sums {
    double *sums, observed[OBSERVED]; /* the latter: loss and three observables */
} path_sums;

static void add_products(const fixture *f, const visits_by_path *v, size_t p, const single_path *path, int i,
                         const insertion *at, const double r[K], const double inserted[K], path_sums *out)
{
    const averages_layout *layout = &f->c.t.plan.on_grid[GRID_FINE].at;
    const path_inputs *in = v->in;
    double g[K], G[K * K], start[K];
    path_case_gradient(&f->c, f->c.kern->grid->t[i], r, in->y[p], g, G);
    path_case_start(&f->c, in, p, start);
    for (size_t a = 0; a < K; a++)
        out->sums[layout->mu + a] += at->weight * g[a] * in->wstar[p];
    for (size_t x = 0; x < K * K; x++) {
        double left = at->weight * g[x / K];
        size_t column = x % K;
        out->sums[layout->outer + x] += left * g[column];
        out->sums[layout->gr + x] += left * r[column];
        out->sums[layout->gw0 + x] += left * start[column];
        for (int b = 0; b < v->visits[p] && v->cell[(size_t)b * in->n + p] < at->node; b++)
            out->sums[averages_used(layout, v->cell[(size_t)b * in->n + p]) + VISITS * K * K + x] +=
                left * path->kick[b][column];
        if (at->cell >= 0)
            out->sums[averages_used(layout, at->cell) + VISITS * K * K + x] += left * inserted[column];
        for (int cell = 0; cell < i; cell++)
            out->sums[averages_used(layout, cell) + INNOVATION * K * K + x] +=
                left * in->xi[((size_t)cell * K + column) * in->n + p];
    }
}

static void add_observed(const fixture *f, const visits_by_path *v, size_t p, int i, double weight, const double r[K],
                         path_sums *out)
{
    const path_inputs *in = v->in;
    const double *t = &f->c.kern->grid->t[i];
    double value[OBSERVED];
    assert_int_equal(model_loss(f->c.t.plan.m, f->c.one->model, 1, t, r, in->y + p, value), 0);
    assert_int_equal(
        model_observables(f->c.t.plan.m, f->c.one->model, 1, t, r, in->wstar + p, in->eps + p, in->y + p, value + 1),
        0);
    for (int x = 0; x < OBSERVED; x++)
        out->observed[x] += weight * value[x];
}

static void add_insertion(const fixture *f, const visits_by_path *v, size_t p, const single_path *path, int i,
                          const insertion *at, path_sums *out)
{
    double r[K], inserted[K] = {0}, G[K * K];
    path_case_field(&f->c, v->in, p, i, r);
    single_path_kicked(&f->c, v, p, path, at->node, i, r);
    if (at->cell >= 0)
        path_case_gradient(&f->c, f->c.kern->grid->t[at->node], path->r[at->node], v->in->y[p], inserted, G);
    for (int a = 0; a < K; a++)
        inserted[a] *= at->eta;
    for (int x = 0; x < K * K; x++)
        r[x / K] -= kernels_R(f->c.kern, x, i)[at->node] * inserted[x % K];
    add_products(f, v, p, path, i, at, r, inserted, out);
    add_observed(f, v, p, i, at->weight, r, out);
}

static int first_of_window(const time_grid *grid, int i)
{
    int first = 0;
    while (grid->t[i] - grid->t[first] > WINDOW)
        first++;
    return first;
}

/* Integrals over a cell of exp(-(t - tau)) times a line that falls from 1 to 0 and one that rises from 0 to 1. */
static void weights(double t, double low, double high, double *falling, double *rising)
{
    enum { POINTS = 12 };
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(POINTS);
    *falling = *rising = 0;
    for (size_t x = 0; x < POINTS; x++) {
        double tau, weight;
        gsl_integration_glfixed_point(low, high, x, &tau, &weight, table);
        *falling += weight * exp(tau - t) * (high - tau) / (high - low);
        *rising += weight * exp(tau - t) * (tau - low) / (high - low);
    }
    gsl_integration_glfixed_table_free(table);
}

/* The path without a visit since the first node of the window, and with a visit at both ends of every cell since. */
static void add_path(const fixture *f, const visits_by_path *v, size_t p, int i, path_sums *out)
{
    const time_grid *grid = f->c.kern->grid;
    single_path path = single_path_of(&f->c, v, p);
    int first = first_of_window(grid, i);
    insertion none = {.weight = exp(grid->t[first] - grid->t[i]), .node = first, .cell = -1};
    add_insertion(f, v, p, &path, i, &none, out);
    for (int cell = first; cell < i; cell++) {
        insertion after = {.eta = grid->eta_start[cell], .node = cell, .cell = cell};
        insertion before = {.eta = grid->eta_end[cell], .node = cell + 1, .cell = cell};
        weights(grid->t[i], grid->t[cell], grid->t[cell + 1], &after.weight, &before.weight);
        add_insertion(f, v, p, &path, i, &after, out);
        add_insertion(f, v, p, &path, i, &before, out);
    }
}

/* One scale for all entries of a kind, so that small ones are not asked for more than rounding allows. */
static void check_same(const averages_layout *at, int node, const path_sums *got, const path_sums *want,
                       double tolerance)
{
    double scale = 0;
    size_t used = averages_used(at, node);
    for (size_t x = at->outer; x < used; x++)
        scale = fmax(scale, fabs(want->sums[x]));
    for (size_t x = 0; x < at->size; x++)
        if (x < at->outer || x >= used)
            assert_true(got->sums[x] == 0);
        else
            check_near(got->sums[x], want->sums[x], tolerance * scale, "average %zu at node %d", x, node);
    for (int x = 0; x < OBSERVED; x++)
        check_near(got->observed[x], want->observed[x], tolerance * (1 + fabs(want->observed[x])),
                   "observable %d at node %d", x, node);
}

static void check_node(const fixture *f, const test_blocks *blocks, int node, double tolerance)
{
    const path_plan *plan = &f->c.t.plan.on_grid[GRID_FINE];
    double observed[2 * OBSERVED];
    path_sums got = {.sums = memory_doubles(plan->at.size)}, want = {.sums = memory_doubles(plan->at.size)};
    integrate(blocks, plan, f->c.kern, node, got.sums, observed);
    for (int x = 0; x < OBSERVED; x++) {
        got.observed[x] = observed[2 * x];
        assert_true(observed[2 * x + 1] == 0);
    }
    for (size_t b = 0; b < f->c.paths->n_blocks; b++)
        for (size_t p = 0; p < f->c.paths->block[b].n; p++)
            add_path(f, &f->visits[b], p, node, &want);
    for (size_t x = 0; x < plan->at.size; x++)
        want.sums[x] /= PATHS;
    for (int x = 0; x < OBSERVED; x++)
        want.observed[x] /= PATHS;
    check_same(&plan->at, node, &got, &want, tolerance);
    free(got.sums);
    free(want.sums);
}

static void fixture_init(const case_schedule *eta, double horizon, fixture *f)
{
    path_case_init(&f->c, "sgd", eta, horizon, "response: stein, ", PATHS);
    path_case_draw(&f->c, 41);
    f->visits = visits_by_path_new(f->c.paths, K, f->c.kern->grid);
}

static void fixture_clear(fixture *f)
{
    visits_by_path_free(f->c.paths, f->visits);
    path_case_clear(&f->c);
}

static void check_paths(const case_schedule *eta, double horizon, double tolerance)
{
    fixture f;
    fixture_init(eta, horizon, &f);
    test_blocks blocks = test_blocks_new(&f.c.t, f.c.paths);
    test_blocks_start(&blocks);
    for (int node = 1; node <= STEPS; node++) {
        test_blocks_advance(&blocks, f.c.kern, node - 1);
        check_node(&f, &blocks, node, tolerance);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    fixture_clear(&f);
}

/* eta is continuous, and the grid takes it 1e-9 of a cell inside the nodes, hence the tolerance. */
static void test_paths_smooth(void **state)
{
    check_paths(&smooth_schedule, 1.9, 1e-9);
}

static void test_paths_jump(void **state)
{
    check_paths(&jumping_schedule, 1.9, 1e-12);
}

/* The windows of late nodes begin late, and one begins at the jump. */
static void test_paths_window(void **state)
{
    fixture f;
    int met = 0;
    fixture_init(&jumping_schedule, 4.4, &f);
    const time_grid *grid = f.c.kern->grid;
    for (int node = 1; node <= STEPS; node++)
        met |= grid->corner[first_of_window(grid, node)];
    assert_true(met);
    fixture_clear(&f);
    check_paths(&jumping_schedule, 4.4, 1e-12);
}

/* Observables that do not depend on r keep their average, since the weights of a path add up to 1. */
static void test_weights(void **state)
{
    fixture f;
    fixture_init(&jumping_schedule, 4.4, &f);
    const path_plan *plan = &f.c.t.plan.on_grid[GRID_FINE];
    double *sums = memory_doubles(plan->at.size), observed[2 * OBSERVED];
    test_blocks blocks = test_blocks_new(&f.c.t, f.c.paths);
    test_blocks_start(&blocks);
    for (int node = 1; node <= STEPS; node++) {
        double plain[2 * OBSERVED] = {0};
        test_blocks_advance(&blocks, f.c.kern, node - 1);
        for (size_t b = 0; b < f.c.paths->n_blocks; b++)
            assert_int_equal(path_observe_train(&blocks.block[b], plan, node, 1, blocks.workspace, plain), 0);
        integrate(&blocks, plan, f.c.kern, node, sums, observed);
        check_near(observed[2], 1, 1e-14, "1 at node %d", node);
        check_near(observed[4], plain[4] / PATHS, 1e-14, "s eps at node %d", node);
        assert_true(fabs(observed[6] - plain[6] / PATHS) > 1e-6);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    free(sums);
    fixture_clear(&f);
}

/* ---- order in the step ---- */

enum { GRID_COUNT = 4, ORDER_STEPS = 16, ORDER_PATHS = 4000 };
static const double HORIZON = 0.5;

/* Integrated averages at the horizon, which is near enough for little noise. */
static void at_horizon(const test_plan *t, const linear_flow *f, const path_ensemble *paths, const time_grid *grid,
                       double *out)
{
    path_plan plan = t->plan.on_grid[GRID_FINE];
    kernels *kern = NULL;
    plan.grid = grid;
    plan.at = averages_layout_of(plan.shape.k, plan.shape.kstar, grid->steps, plan.at.response);
    check_ok(t->ctx, dmft_plan_kernels(t->ctx, &t->plan, grid, &kern));
    flow_kernels(f, kern);
    double *sums = memory_doubles(plan.at.size);
    test_blocks blocks = test_blocks_new_on(t, &plan, paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < grid->steps; i++) {
        test_blocks_advance(&blocks, kern, i);
        if (i + 1 == grid->steps)
            integrate(&blocks, &plan, kern, i + 1, sums, NULL);
        test_blocks_accept(&blocks);
    }
    for (size_t x = plan.at.outer; x < plan.at.rows; x++)
        out[x] = sums[x];
    test_blocks_clear(&blocks);
    kernels_free(kern);
    free(sums);
}

/* The differences between grids of the same paths have little noise: each grid has every second node of the one before.
   */
static void add_replica(const flow_case *c, uint32_t replica, time_grid *const grid[GRID_COUNT],
                        sample change[GRID_COUNT - 1][4 * FLOW_BLOCK + FLOW_MOST])
{
    path_ensemble *paths[GRID_COUNT] = {test_paths(&c->t, replica)};
    double at[GRID_COUNT][4 * FLOW_BLOCK + FLOW_MOST] = {0};
    for (int g = 0; g < GRID_COUNT; g++) {
        if (g > 0)
            check_ok(c->t.ctx,
                     path_ensemble_coarsen(c->t.ctx, paths[g - 1], &c->t.plan.source, grid[g - 1], grid[g], &paths[g]));
        at_horizon(&c->t, &c->flow, paths[g], grid[g], at[g]);
    }
    for (int g = 1; g < GRID_COUNT; g++)
        for (size_t x = 0; x < c->t.plan.on_grid[GRID_FINE].at.rows; x++)
            sample_add(&change[g - 1][x], at[g][x] - at[g - 1][x]);
    for (int g = 0; g < GRID_COUNT; g++)
        path_ensemble_free(paths[g]);
}

/* The noise that is left is a few per cent of the finest change. */
static void check_slopes(const averages_layout *at, sample change[GRID_COUNT - 1][4 * FLOW_BLOCK + FLOW_MOST])
{
    double size[GRID_COUNT - 1], error[GRID_COUNT - 1];
    for (int g = 0; g < GRID_COUNT - 1; g++) {
        double squares = 0, noise_squares = 0;
        for (size_t x = at->outer; x < at->rows; x++) {
            squares += change[g][x].mean * change[g][x].mean;
            noise_squares += sample_variance(&change[g][x]) / (double)change[g][x].n;
        }
        size[g] = sqrt(squares);
        error[g] = sqrt(noise_squares) / size[g];
        print_message("change %.3g, its noise %.2g of it\n", size[g], error[g]);
    }
    for (int g = 1; g < GRID_COUNT - 1; g++) {
        check_between(error[g - 1], 0, 0.12 / sqrt(test_scale()), "noise on grid %d", g - 1);
        check_between(log2(size[g] / size[g - 1]), 1.7, 2.3, "order from grid %d", g - 1);
    }
}

static void test_order(void **state)
{
    flow_case c;
    time_grid *grid[GRID_COUNT];
    sample change[GRID_COUNT - 1][4 * FLOW_BLOCK + FLOW_MOST] = {0};
    flow_case_init(&c, NULL, 1, HORIZON, "response: stein, paths: %d, steps: %d, seed: 63", ORDER_PATHS, ORDER_STEPS);
    check_ok(c.t.ctx, time_grid_new(c.t.ctx, ORDER_STEPS, HORIZON, 1.2, c.t.plan.eta, 0, &grid[0]));
    for (int g = 1; g < GRID_COUNT; g++)
        check_ok(c.t.ctx, time_grid_coarsen(c.t.ctx, grid[g - 1], c.t.plan.eta, &grid[g]));
    for (uint32_t r = 0; r < test_scaled(40, 12); r++)
        add_replica(&c, r, grid, change);
    const averages_layout *at = &c.t.plan.on_grid[GRID_FINE].at;
    check_slopes(at, change);
    for (int g = 0; g < GRID_COUNT; g++)
        time_grid_free(grid[g]);
    flow_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_student), cmocka_unit_test(test_two_students), cmocka_unit_test(test_paths_smooth),
        cmocka_unit_test(test_paths_jump),  cmocka_unit_test(test_paths_window), cmocka_unit_test(test_weights),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests_name("last visit", tests, NULL, NULL);
}
