/* The same paths on every second node: the Brownian motion that the fine innovations and bridges describe at the visits
   and nodes is, to rounding, that of the coarse ones. */
#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/setting.h"

/* The Brownian motion at a visit: innovations of the cells before, then chord and bridge in its own cell. */
static double brownian(const path_inputs *in, const time_grid *grid, int k, int slot, size_t p, int c)
{
    size_t at = (size_t)slot * in->n + p;
    double sum = in->bridge[((size_t)slot * (size_t)k + (size_t)c) * in->n + p];
    for (int cell = 0; cell <= in->cell[at]; cell++) {
        double increment = sqrt(grid->h[cell]) * in->xi[((size_t)cell * (size_t)k + (size_t)c) * in->n + p];
        sum += (cell < in->cell[at] ? 1 : in->place[at]) * increment;
    }
    return sum;
}

static void check_same_paths(const path_ensemble *fine, const time_grid *fine_grid, const path_ensemble *coarse,
                             const time_grid *grid, int k)
{
    assert_int_equal(fine->n_blocks, coarse->n_blocks);
    assert_int_equal(fine->paths, coarse->paths);
    assert_true(fine->visits == coarse->visits);
    for (size_t b = 0; b < fine->n_blocks; b++) {
        const path_inputs *x = &fine->block[b], *y = &coarse->block[b];
        assert_int_equal(y->steps, grid->steps);
        assert_int_equal(x->n, y->n);
        assert_memory_equal(x->visits, y->visits, sizeof(int) * x->n);
        assert_memory_equal(x->wstar, y->wstar, sizeof(double) * (size_t)(x->xi - x->wstar));
        assert_memory_equal(x->y, y->y, sizeof(double) * x->n);
        assert_memory_equal(x->time, y->time, sizeof(double) * x->n * (size_t)x->slots);
        assert_memory_equal(x->weight, y->weight, sizeof(double) * x->n * (size_t)x->slots);
        for (size_t p = 0; p < x->n; p++)
            for (int a = 0; a < x->visits[p]; a++) {
                size_t at = (size_t)a * x->n + p;
                assert_int_equal(y->cell[at], time_grid_cell(grid, y->time[at]));
                check_near(y->place[at], (y->time[at] - grid->t[y->cell[at]]) / grid->h[y->cell[at]], 1e-13, "place");
                for (int c = 0; c < k; c++)
                    check_near(brownian(y, grid, k, a, p, c), brownian(x, fine_grid, k, a, p, c), 1e-13,
                               "block %zu, lane %zu, visit %d, component %d", b, p, a, c);
            }
    }
}

/* Groups of the coarse grid: all visits, each once, in the order of time on each path. */
static void check_groups(const path_ensemble *e)
{
    for (size_t b = 0; b < e->n_blocks; b++) {
        const path_inputs *in = &e->block[b];
        int next[512] = {0};
        size_t total = 0;
        assert_true(in->n <= 512);
        for (int cell = 0; cell < in->steps; cell++)
            for (size_t g = in->group_first[cell]; g < in->group_first[cell + 1]; g++)
                for (size_t v = in->groups[g].first; v < in->groups[g].first + in->groups[g].count; v++) {
                    int p = in->visit_lane[v];
                    assert_int_equal(in->visit_slot[v], next[p]++);
                    assert_int_equal(in->cell[(size_t)in->visit_slot[v] * in->n + (size_t)p], cell);
                }
        for (size_t p = 0; p < in->n; p++) {
            assert_int_equal(next[p], in->visits[p]);
            total += (size_t)next[p];
        }
        size_t last = in->group_first[in->steps];
        assert_int_equal(total, last > 0 ? in->groups[last - 1].first + in->groups[last - 1].count : 0);
        assert_int_equal(in->slots_before[in->steps], in->slots);
    }
}

static void test_same_paths(void **state)
{
    enum { LEVEL_COUNT = 4 };
    sgdmft_context *ctx = check_context(1);
    test_setting t;
    test_setting_init(
        &t, test_problem(ctx, "{delta: 1.6, horizon: 3.1, eta: \"1/(1 + t)\", "
                              "model: {students: 2, teachers: 1, label: \"s + 0.3*eps\", loss: \"(r1 + r2 - y)^2/2\"}, "
                              "numerics: {paths: 1500, steps: 40, seed: 21, grading: 1.35}}"));
    time_grid *grid[LEVEL_COUNT];
    path_ensemble *paths[LEVEL_COUNT] = {test_paths(&t, 2)};
    check_ok(t.ctx, time_grid_new(t.ctx, 40, 3.1, 1.35, t.s.eta, &grid[0]));
    for (int level = 1; level < LEVEL_COUNT; level++) {
        check_ok(t.ctx, time_grid_coarsen(t.ctx, grid[level - 1], t.s.eta, &grid[level]));
        check_ok(t.ctx, path_ensemble_coarsen(t.ctx, paths[level - 1], &t.s.source, grid[level - 1], grid[level],
                                              &paths[level]));
        check_same_paths(paths[level - 1], grid[level - 1], paths[level], grid[level], 2);
        check_same_paths(paths[0], grid[0], paths[level], grid[level], 2);
        check_groups(paths[level]);
    }
    for (int level = 0; level < LEVEL_COUNT; level++) {
        path_ensemble_free(paths[level]);
        time_grid_free(grid[level]);
    }
    test_setting_clear(&t);
    sgdmft_context_free(ctx);
}

/* Coarse innovations keep exactly matched moments. */
static void test_moments_stay_matched(void **state)
{
    enum { STEPS = 16, PATHS = 2000 };
    sgdmft_context *ctx = check_context(1);
    test_setting t;
    test_setting_init(&t, test_problem(ctx,
                                       "{delta: 1, horizon: 2, model: {label: \"s\", loss: \"(r - y)^2/2\"}, "
                                       "numerics: {paths: %d, steps: %d, seed: 22, grading: 1.6}}",
                                       PATHS, STEPS));
    path_ensemble *fine = test_paths(&t, 0), *coarse = NULL;
    check_ok(t.ctx,
             path_ensemble_coarsen(t.ctx, fine, &t.s.source, t.s.grid[LEVEL_FINE], t.s.grid[LEVEL_COARSE], &coarse));
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
    test_setting_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_paths),
        cmocka_unit_test(test_moments_stay_matched),
    };
    return cmocka_run_group_tests_name("coarsen", tests, NULL, NULL);
}
