/* The same paths on every second node: the Brownian motion that the fine innovations and bridges describe at the visits
   and nodes is, to rounding, that of the coarse ones; likewise the increments of a process that diffuses. */
#include <math.h>
#include <string.h>

#include "paths/coarsen.h"
#include "problem/problem.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/plan.h"
#include "support/visits_by_path.h"

/* The Brownian motion at a visit: innovations of the cells before, then chord and bridge in its own cell. */
static double brownian(const visits_by_path *v, const time_grid *grid, int k, int slot, size_t p, int c)
{
    const path_inputs *in = v->in;
    size_t at = (size_t)slot * in->n + p;
    double sum = in->visit_bridge[v->bridge[((size_t)slot * (size_t)k + (size_t)c) * in->n + p]];
    for (int cell = 0; cell <= v->cell[at]; cell++) {
        double increment = sqrt(grid->h[cell]) * in->xi[((size_t)cell * (size_t)k + (size_t)c) * in->n + p];
        sum += (cell < v->cell[at] ? 1 : v->place[at]) * increment;
    }
    return sum;
}

/* Fields and labels; one teacher, one noise. */
static void check_same_fields(const path_inputs *x, const path_inputs *y, size_t k)
{
    size_t row = sizeof(double) * x->n;
    assert_memory_equal(x->wstar, y->wstar, row);
    assert_memory_equal(x->z0, y->z0, k * row);
    assert_memory_equal(x->eps, y->eps, row);
    assert_memory_equal(x->y, y->y, row);
}

static void check_same_visits(const visits_by_path *x, const time_grid *fine, const visits_by_path *y,
                              const time_grid *grid, int k)
{
    size_t n = x->in->n;
    assert_memory_equal(x->visits, y->visits, sizeof(int) * n);
    assert_memory_equal(x->step, y->step, sizeof(double) * n * (size_t)x->in->slots);
    for (size_t p = 0; p < n; p++)
        for (int a = 0; a < x->visits[p]; a++) {
            size_t at = (size_t)a * n + p;
            assert_int_equal(y->cell[at], time_grid_cell(grid, x->time[at]));
            check_near(y->place[at], (x->time[at] - grid->t[y->cell[at]]) / grid->h[y->cell[at]], 1e-13, "place");
            for (int c = 0; c < k; c++)
                check_near(brownian(y, grid, k, a, p, c), brownian(x, fine, k, a, p, c), 1e-13,
                           "lane %zu, visit %d, component %d", p, a, c);
        }
}

static void check_same_paths(const path_ensemble *fine, const time_grid *fine_grid, const path_ensemble *coarse,
                             const time_grid *grid, int k)
{
    assert_int_equal(fine->n_blocks, coarse->n_blocks);
    assert_int_equal(fine->paths, coarse->paths);
    assert_true(fine->visits == coarse->visits);
    visits_by_path *u = visits_by_path_new(fine, k, fine_grid), *v = visits_by_path_new(coarse, k, grid);
    for (size_t b = 0; b < fine->n_blocks; b++) {
        const path_inputs *x = &fine->block[b], *y = &coarse->block[b];
        assert_int_equal(y->steps, grid->steps);
        assert_int_equal(x->n, y->n);
        assert_int_equal(x->slots, y->slots);
        check_same_fields(x, y, (size_t)k);
        check_same_visits(&u[b], fine_grid, &v[b], grid, k);
    }
    visits_by_path_free(fine, u);
    visits_by_path_free(coarse, v);
}

enum { GRID_COUNT = 4 };

/* On `grids` grids; of a process with epochs the nested grids of a solve have their beginnings as nodes. */
static void check_process(const sample_process *process, int grids)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    sgdmft_problem *problem =
        test_problem(ctx, "{delta: 1.6, horizon: 3.1, eta: \"1/(1 + t)\", "
                          "model: {students: 2, teachers: 1, label: \"s + 0.3*eps\", loss: \"(r1 + r2 - y)^2/2\"}, "
                          "numerics: {paths: 1500, steps: 40, seed: 21, grading: 1.35}}");
    problem->process = process;
    test_plan_init(&t, problem);
    time_grid *grid[GRID_COUNT];
    path_ensemble *paths[GRID_COUNT] = {test_paths(&t, 2)};
    check_ok(t.ctx, time_grid_new(t.ctx, 40, 3.1, 1.35, t.plan.eta, process->visits->epoch, &grid[0]));
    for (int g = 1; g < grids; g++) {
        check_ok(t.ctx, time_grid_coarsen(t.ctx, grid[g - 1], t.plan.eta, &grid[g]));
        check_ok(t.ctx, path_ensemble_coarsen(t.ctx, paths[g - 1], &t.plan.source, grid[g - 1], grid[g], &paths[g]));
        check_same_paths(paths[g - 1], grid[g - 1], paths[g], grid[g], 2);
        check_same_paths(paths[0], grid[0], paths[g], grid[g], 2);
        for (size_t b = 0; b < paths[g]->n_blocks; b++)
            check_visit_groups(&paths[g]->block[b]);
    }
    path_ensemble *again = test_paths(&t, 2); /* shared fields have not been changed */
    for (size_t b = 0; b < again->n_blocks; b++)
        check_same_fields(&again->block[b], &paths[grids - 1]->block[b], 2);
    path_ensemble_free(again);
    for (int g = 0; g < grids; g++) {
        path_ensemble_free(paths[g]);
        time_grid_free(grid[g]);
    }
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

static void test_same_paths(void **state)
{
    check_process(process_at(0), GRID_COUNT);
    check_process(&epoch_process, GRIDS);
}

/* Coarse innovations keep exactly matched moments. */
static void test_moments_stay_matched(void **state)
{
    enum { STEPS = 16, PATHS = 2000 };
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx,
                                    "{delta: 1, horizon: 2, model: {label: \"s\", loss: \"(r - y)^2/2\"}, "
                                    "numerics: {paths: %d, steps: %d, seed: 22, grading: 1.6}}",
                                    PATHS, STEPS));
    path_ensemble *fine = test_paths(&t, 0), *coarse = NULL;
    check_ok(t.ctx, path_ensemble_coarsen(t.ctx, fine, &t.plan.source, t.plan.grid[GRID_FINE], t.plan.grid[GRID_COARSE],
                                          &coarse));
    for (size_t i = 0; i < STEPS / 2; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t b = 0; b < coarse->n_blocks; b++) {
                const path_inputs *in = &coarse->block[b];
                for (size_t p = 0; p < in->n; p++)
                    sum += in->xi[i * in->n + p] * in->xi[j * in->n + p];
            }
            check_near(sum / PATHS, i == j, 1e-12, "coarse innovations %zu and %zu", i, j);
        }
    path_ensemble_free(fine);
    path_ensemble_free(coarse);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

/* Processes with one event per cell. */
#define PER_CELL                                                                                                       \
    "{dynamics: %s, delta: 1.6, horizon: 3.1, eta: \"1/(1 + t)\", "                                                    \
    "model: {students: 2, teachers: 1, label: \"s + 0.3*eps\", loss: \"(r1 + r2 - y)^2/2\"}, "                         \
    "numerics: {paths: 1500, steps: 40, seed: 23, grading: 1.35}}"

/* The Brownian motion of the process at a node. */
static double process_at_node(const path_inputs *in, const time_grid *grid, int node, size_t p)
{
    double sum = 0;
    for (int c = 0; c < node; c++)
        sum += sqrt(grid->h[c]) * in->noise[(size_t)c * in->n + p];
    return sum;
}

/* The field's Brownian motion, component c: at a node; at the event of a cell, with the bridge. */
static double field_at(const path_inputs *in, const time_grid *grid, size_t k, int node, size_t p, size_t c)
{
    double sum = 0;
    for (int cell = 0; cell < node; cell++)
        sum += sqrt(grid->h[cell]) * in->xi[((size_t)cell * k + c) * in->n + p];
    return sum;
}

static double field_at_event(const path_inputs *in, const time_grid *grid, size_t k, int cell, size_t p, size_t c)
{
    double low = field_at(in, grid, k, cell, p, c), high = field_at(in, grid, k, cell + 1, p, c);
    return low + grid->middle[cell] * (high - low) + in->bridge[((size_t)cell * k + c) * in->n + p];
}

/* Coarse events lie at the nodes left out, where the field is that of the fine grid; so are field and process at nodes.
   */
static void check_same_motion(const path_inputs *x, const time_grid *fine, const path_inputs *y, const time_grid *grid)
{
    assert_int_equal(y->slots, grid->steps);
    assert_int_equal(y->steps, grid->steps);
    check_same_fields(x, y, 2);
    for (size_t p = 0; p < x->n; p += 7)
        for (int cell = 0; cell < grid->steps; cell++) {
            if (y->noise)
                check_near(process_at_node(y, grid, cell + 1, p), process_at_node(x, fine, 2 * cell + 2, p), 1e-13,
                           "process");
            for (size_t c = 0; c < 2; c++) {
                check_near(field_at(y, grid, 2, cell + 1, p, c), field_at(x, fine, 2, 2 * cell + 2, p, c), 1e-13,
                           "field at node %d", cell + 1);
                if (y->bridge)
                    check_near(field_at_event(y, grid, 2, cell, p, c), field_at(x, fine, 2, 2 * cell + 1, p, c), 1e-13,
                               "field at the event of cell %d", cell);
            }
        }
}

static void check_events(const char *dynamics)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx, PER_CELL, dynamics));
    time_grid *grid[GRID_COUNT];
    path_ensemble *paths[GRID_COUNT] = {test_paths(&t, 2)};
    int diffuses = t.plan.on_grid[GRID_FINE].process->white_noise;
    check_ok(t.ctx, time_grid_new(t.ctx, 40, 3.1, 1.35, t.plan.eta, 0, &grid[0]));
    for (int g = 1; g < GRID_COUNT; g++) {
        check_ok(t.ctx, time_grid_coarsen(t.ctx, grid[g - 1], t.plan.eta, &grid[g]));
        check_ok(t.ctx, path_ensemble_coarsen(t.ctx, paths[g - 1], &t.plan.source, grid[g - 1], grid[g], &paths[g]));
        assert_true(paths[g]->visits == 1500.0 * grid[g]->steps);
        for (int i = 0; i < grid[g]->steps; i++) {
            double event = grid[g]->t[i] + grid[g]->middle[i] * grid[g]->h[i];
            check_near(event, grid[g - 1]->t[2 * i + 1], 1e-14, "time of the event of cell %d", i);
            check_near(grid[g]->eta_middle[i], 1 / (1 + event), 1e-14, "eta there");
        }
        for (size_t b = 0; b < paths[g]->n_blocks; b++) {
            const path_inputs *y = &paths[g]->block[b];
            assert_true((y->noise != NULL) == diffuses && (y->bridge != NULL) == diffuses);
            check_same_motion(&paths[g - 1]->block[b], grid[g - 1], y, grid[g]);
        }
    }
    for (int g = 0; g < GRID_COUNT; g++) {
        path_ensemble_free(paths[g]);
        time_grid_free(grid[g]);
    }
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

static void test_events(void **state)
{
    check_events("sme");
    check_events("gradient-flow");
}

/* Mean over paths of x y. */
static double mean_product(const path_ensemble *e, const double *(*x)(const path_inputs *), size_t i,
                           const double *(*y)(const path_inputs *), size_t j)
{
    double sum = 0;
    for (size_t b = 0; b < e->n_blocks; b++) {
        const path_inputs *in = &e->block[b];
        for (size_t p = 0; p < in->n; p++)
            sum += x(in)[i * in->n + p] * y(in)[j * in->n + p];
    }
    return sum / (double)e->paths;
}

static const double *noise_of(const path_inputs *in)
{
    return in->noise;
}

static const double *bridge_of(const path_inputs *in)
{
    return in->bridge;
}

static const double *xi_of(const path_inputs *in)
{
    return in->xi;
}

/* On both grids increments are standard normals, and bridges have variance x (1 - x) h, x their place in the cell; the
   motions of the field and of the process are independent. Standard errors of a product of normals: sqrt(2 / paths) on
   the diagonal at most. */
static void test_process_moments(void **state)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx, PER_CELL, "sme"));
    path_ensemble *e[GRIDS] = {test_paths(&t, 0)};
    for (int g = GRID_COARSE; g < GRIDS; g++)
        check_ok(t.ctx,
                 path_ensemble_coarsen(t.ctx, e[g - 1], &t.plan.source, t.plan.grid[g - 1], t.plan.grid[g], &e[g]));
    double se = sqrt(2.0 / 1500);
    for (int g = 0; g < GRIDS; g++) {
        const time_grid *grid = t.plan.grid[g];
        for (size_t i = 0; i < (size_t)grid->steps; i++) {
            double x = grid->middle[i], variance = x * (1 - x) * grid->h[i];
            check_z(mean_product(e[g], bridge_of, 2 * i, bridge_of, 2 * i) / variance, 1, se, 4.5, "bridge %zu", i);
            check_z(mean_product(e[g], bridge_of, 2 * i, bridge_of, 2 * i + 1) / variance, 0, se, 4.5,
                    "components of bridge %zu", i);
            check_z(mean_product(e[g], bridge_of, 2 * i, noise_of, i) / sqrt(variance), 0, se, 4.5,
                    "bridge and process, cell %zu", i);
            for (size_t j = 0; j <= i; j++) {
                check_z(mean_product(e[g], noise_of, i, noise_of, j), i == j, se, 4.5, "process, cells %zu and %zu", i,
                        j);
                check_z(mean_product(e[g], noise_of, i, xi_of, 2 * j), 0, se, 4.5,
                        "process and field, cells %zu and %zu", i, j);
            }
        }
    }
    for (int g = GRIDS - 1; g >= 0; g--)
        path_ensemble_free(e[g]);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_paths),
        cmocka_unit_test(test_moments_stay_matched),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_process_moments),
    };
    return cmocka_run_group_tests_name("coarsen", tests, NULL, NULL);
}
