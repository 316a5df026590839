/* The random inputs of a block of paths: Gaussian rows, labels, visits, bridges; how they depend on seed and replica.
   */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paths/ensemble.h"
#include "support/check.h"
#include "support/plan.h"
#include "support/sample.h"
#include "support/visits_by_path.h"

#define TWO_STUDENTS                                                                                                   \
    "model: {students: 2, teachers: 2, label: \"s1 - 0.4*s2 + 0.3*eps1*eps2\", loss: \"(r1 + r2 - y)^2/2\"}, "         \
    "initial: {q: [[1.2, 0.1], [0.1, 0.8]], m: [[0.3, 0.2], [-0.1, 0.25]], rho: [[1.4, 0.35], [0.35, 0.9]]}"

static void two_students(test_plan *t, int paths, int steps, int seed)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(ctx,
                                           "{delta: 1.6, horizon: 2.3, eta: \"0.8/(1 + 0.2*t)\", " TWO_STUDENTS
                                           ", numerics: {paths: %d, steps: %d, seed: %d, grading: 1.4}}",
                                           paths, steps, seed);
    sgdmft_context_free(ctx);
    test_plan_init(t, problem);
}

/* All Gaussian rows together have exactly the covariance they should: rho for w*, the identity for the rest. */
static void test_second_moments(void **state)
{
    enum { STEPS = 14, FIELDS = 6, ROWS = FIELDS + 2 * STEPS };
    test_plan t;
    two_students(&t, 2500, STEPS, 5);
    path_ensemble *e = test_paths(&t, 3);
    for (int i = 0; i < ROWS; i++)
        for (int j = -1; j <= i; j++) {
            double sum = 0, want = j == i;
            for (size_t b = 0; b < e->n_blocks; b++) {
                size_t n = e->block[b].n;
                const double *x = inputs_gaussian(&e->block[b]);
                for (size_t p = 0; p < n; p++)
                    sum += x[(size_t)i * n + p] * (j < 0 ? 1 : x[(size_t)j * n + p]);
            }
            if (i < 2 && j >= 0)
                want = t.problem->initial.rho[i * 2 + j];
            check_near(sum / 2500, want, 1e-12, "rows %d and %d (-1: the mean)", i, j);
        }
    path_ensemble_free(e);
    test_plan_clear(&t);
}

static void test_labels(void **state)
{
    test_plan t;
    two_students(&t, 700, 10, 6);
    path_ensemble *e = test_paths(&t, 0);
    for (size_t b = 0; b < e->n_blocks; b++) {
        const path_inputs *in = &e->block[b];
        for (size_t p = 0; p < in->n; p++)
            check_near(in->y[p], in->wstar[p] - 0.4 * in->wstar[in->n + p] + 0.3 * in->eps[p] * in->eps[in->n + p],
                       1e-13, "label of lane %zu", p);
    }
    path_ensemble_free(e);
    test_plan_clear(&t);
}

/* Rows beyond those that matching touches show the innovations as drawn: still orthonormal, so the bisection that makes
   them from modes is. Rows are those of a graded grid, a quarter of the lanes is matched. */
static void test_modes_are_orthonormal(void **state)
{
    enum { STEPS = 60, PATHS = 128, FIRST = PATHS / 4, LAST = STEPS + 3, UNMATCHED = LAST - FIRST };
    size_t replicas = test_scaled(220, 60);
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx,
                                    "{delta: 1, horizon: 2, model: {label: \"s + eps\", loss: \"(r - y)^2/2\"}, "
                                    "numerics: {paths: %d, steps: %d, seed: 9, grading: 1.7}}",
                                    PATHS, STEPS));
    sample *s = calloc(UNMATCHED * UNMATCHED, sizeof *s);
    assert_non_null(s);
    for (uint32_t r = 0; r < replicas; r++) {
        path_ensemble *e = test_paths(&t, r);
        for (size_t b = 0; b < e->n_blocks; b++)
            for (size_t p = 0; p < e->block[b].n; p++) {
                const double *x = inputs_gaussian(&e->block[b]) + p;
                for (size_t i = 0; i < UNMATCHED; i++)
                    for (size_t j = 0; j <= i; j++)
                        sample_add(&s[i * UNMATCHED + j],
                                   x[(FIRST + i) * e->block[b].n] * x[(FIRST + j) * e->block[b].n]);
            }
        path_ensemble_free(e);
    }
    for (int i = 0; i < UNMATCHED; i++)
        for (int j = 0; j <= i; j++)
            check_z(s[i * UNMATCHED + j].mean, i == j, sample_se(&s[i * UNMATCHED + j]), 4.5, "innovations %d and %d",
                    i, j);
    free(s);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

/* The large modes are quasi-random, the small ones are not: fourth moments of the whole increment and of one cell
   against independent sampling with matched second moments, where their variance is 24 / paths. */
static void test_quasi_random_modes(void **state)
{
    enum { STEPS = 64, PATHS = 1024 };
    size_t replicas = test_scaled(100, 60);
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx,
                                    "{delta: 1, horizon: 2, model: {label: \"s + eps\", loss: \"(r - y)^2/2\"}, "
                                    "numerics: {paths: %d, steps: %d, seed: 10}}",
                                    PATHS, STEPS));
    sample whole = {0}, one = {0};
    for (uint32_t r = 0; r < replicas; r++) {
        path_ensemble *e = test_paths(&t, r);
        double sum[2] = {0};
        for (size_t b = 0; b < e->n_blocks; b++)
            for (size_t p = 0; p < e->block[b].n; p++) {
                double end = 0;
                for (int c = 0; c < STEPS; c++)
                    end += e->block[b].xi[(size_t)c * e->block[b].n + p] / sqrt(STEPS);
                sum[0] += pow(end, 4) / PATHS;
                sum[1] += pow(e->block[b].xi[20 * e->block[b].n + p], 4) / PATHS;
            }
        sample_add(&whole, sum[0]);
        sample_add(&one, sum[1]);
        path_ensemble_free(e);
    }
    check_z(whole.mean, 3, sample_se(&whole), 4, "fourth moment of the whole increment");
    check_z(one.mean, 3, fmax(sample_se(&one), 3.0 / PATHS), 4, "fourth moment of the increment of a cell");
    check_between(sample_variance(&whole) * PATHS / 24, 0, 0.3, "variance of the fourth moment, whole increment");
    check_between(sample_variance(&one) * PATHS / 24, 0.5, 1.7, "variance of the fourth moment, one cell");
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

/* Cells, places, steps and groups fit together. Steps were found from the times that were drawn. */
static void check_visits(const visits_by_path *v, const time_grid *grid)
{
    const path_inputs *in = v->in;
    for (size_t p = 0; p < in->n; p++)
        for (int a = 0; a < v->visits[p]; a++) {
            size_t at = (size_t)a * in->n + p;
            int cell = v->cell[at];
            double time = (0.8 / v->step[at] - 1) / 0.2;
            assert_true(grid->t[cell] <= v->time[at] && v->time[at] < grid->t[cell + 1]);
            assert_true(a == 0 || v->time[at] > v->time[at - in->n]);
            check_near(v->place[at], (time - grid->t[cell]) / grid->h[cell], 1e-13, "place");
            check_near(v->step[at], 0.8 / (1 + 0.2 * v->time[at]), 1e-14, "step of a visit");
        }
    check_visit_groups(in);
    for (size_t g = 0; g < in->group_first[in->steps]; g++)
        for (size_t i = in->groups[g].first + 1; i < in->groups[g].first + in->groups[g].count; i++)
            assert_true(in->visit_lane[i] > in->visit_lane[i - 1]);
}

static void check_ensemble(int by_visits)
{
    test_plan t;
    two_students(&t, 1777, 9, 8);
    t.plan.source.by_visits = by_visits;
    path_ensemble *e = test_paths(&t, 1);
    visits_by_path *v = visits_by_path_new(e, 2, t.plan.grid[GRID_FINE]);
    size_t lanes = 0;
    double visits = 0;
    int most = 0;
    for (size_t b = 0; b < e->n_blocks; b++) {
        check_visits(&v[b], t.plan.grid[GRID_FINE]);
        lanes += e->block[b].n;
        for (size_t p = 0; p < e->block[b].n; p++) {
            assert_true(!by_visits || v[b].visits[p] >= most); /* sorted, so that blocks are dense */
            most = v[b].visits[p];
            visits += most;
        }
    }
    assert_int_equal(lanes, 1777);
    assert_true(visits == e->visits);
    visits_by_path_free(e, v);
    path_ensemble_free(e);
    test_plan_clear(&t);
}

static void test_visits_and_groups(void **state)
{
    check_ensemble(0);
    check_ensemble(1);
}

/* Many visits of a lane in one cell. */
static void test_crowded_cells(void **state)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    int most = 0;
    test_plan_init(&t, test_problem(ctx, "{delta: 1.6, horizon: 100, eta: \"0.8/(1 + 0.2*t)\", " TWO_STUDENTS
                                         ", numerics: {paths: 300, steps: 4, seed: 12, grading: 1}}"));
    path_ensemble *e = test_paths(&t, 0);
    visits_by_path *v = visits_by_path_new(e, 2, t.plan.grid[GRID_FINE]);
    for (size_t b = 0; b < e->n_blocks; b++) {
        const path_inputs *in = &e->block[b];
        check_visits(&v[b], t.plan.grid[GRID_FINE]);
        for (size_t g = 0; g < in->group_first[in->steps]; g++)
            most = in->groups[g].rank > most ? in->groups[g].rank : most;
    }
    check_between(most, 35, 70, "most visits in one cell"); /* of 25 on average */
    visits_by_path_free(e, v);
    path_ensemble_free(e);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

/* The bridge at a visit: a Brownian bridge of unit rate over the cell. Normalised second and fourth moments, covariance
   of two visits in one cell, no correlation with the innovation of the cell or between components. */
static void test_bridge(void **state)
{
    enum { STEPS = 4, PATHS = 4000 };
    size_t replicas = test_scaled(12, 3);
    test_plan t;
    two_students(&t, PATHS, STEPS, 11);
    const time_grid *grid = t.plan.grid[GRID_FINE];
    sample square = {0}, fourth = {0}, pair = {0}, own = {0}, components = {0}, next = {0};
    for (uint32_t r = 0; r < replicas; r++) {
        path_ensemble *e = test_paths(&t, r);
        visits_by_path *all = visits_by_path_new(e, 2, grid);
        for (size_t b = 0; b < e->n_blocks; b++) {
            const path_inputs *in = &e->block[b];
            const visits_by_path *v = &all[b];
            size_t n = in->n;
            for (size_t p = 0; p < n; p++)
                for (int a = 0; a < v->visits[p]; a++) {
                    size_t at = (size_t)a * n + p, cell = (size_t)v->cell[at];
                    const size_t *bridge = v->bridge + 2 * (size_t)a * n + p;
                    double low = grid->t[cell], high = grid->t[cell + 1], T = v->time[at];
                    double unit = sqrt((T - low) * (high - T) / (high - low)), first = in->visit_bridge[bridge[0]];
                    double x = first / unit, y = in->visit_bridge[bridge[n]] / unit;
                    sample_add(&square, (x * x + y * y) / 2);
                    sample_add(&fourth, (pow(x, 4) + pow(y, 4)) / 2);
                    sample_add(&components, x * y);
                    sample_add(&own, x * in->xi[2 * cell * n + p]);
                    if (a + 1 == v->visits[p])
                        continue;
                    double later = v->time[at + n], other = in->visit_bridge[bridge[2 * n]];
                    if (v->cell[at + n] == v->cell[at])
                        sample_add(&pair, first * other / ((T - low) * (high - later) / (high - low)));
                    else
                        sample_add(&next, x * other);
                }
        }
        visits_by_path_free(e, all);
        path_ensemble_free(e);
    }
    check_z(square.mean, 1, sample_se(&square), 4, "variance of the bridge");
    check_z(fourth.mean, 3, sample_se(&fourth), 4, "fourth moment of the bridge");
    check_z(pair.mean, 1, sample_se(&pair), 4, "covariance of two visits in a cell");
    check_z(components.mean, 0, sample_se(&components), 4, "bridges of two components");
    check_z(own.mean, 0, sample_se(&own), 4, "bridge and innovation of the cell");
    check_z(next.mean, 0, sample_se(&next), 4, "bridges of two cells");
    test_plan_clear(&t);
}

static int same_bytes(const path_inputs *a, const path_inputs *b, int steps)
{
    size_t visits = a->visits, rows = (size_t)(6 + 2 * steps);
    return a->n == b->n && a->slots == b->slots && visits == b->visits &&
           memcmp(inputs_gaussian(a), inputs_gaussian(b), sizeof(double) * rows * a->n) == 0 &&
           memcmp(a->y, b->y, sizeof(double) * a->n) == 0 &&
           memcmp(a->visit_lane, b->visit_lane, sizeof(int) * visits) == 0 &&
           memcmp(a->visit_slot, b->visit_slot, sizeof(int) * visits) == 0 &&
           memcmp(a->visit_place, b->visit_place, sizeof(double) * visits) == 0 &&
           memcmp(a->visit_step, b->visit_step, sizeof(double) * visits) == 0 &&
           memcmp(a->visit_bridge, b->visit_bridge, sizeof(double) * 2 * visits) == 0;
}

static void test_determinism(void **state)
{
    enum { STEPS = 12 };
    test_plan t, other;
    two_students(&t, 900, STEPS, 12);
    two_students(&other, 900, STEPS, 13);
    path_ensemble *a = test_paths(&t, 4), *b = test_paths(&t, 4);
    path_ensemble *replica = test_paths(&t, 5), *seed = test_paths(&other, 4);
    assert_int_equal(a->n_blocks, b->n_blocks);
    for (size_t i = 0; i < a->n_blocks; i++) {
        assert_true(same_bytes(&a->block[i], &b->block[i], STEPS));
        assert_false(same_bytes(&a->block[i], &replica->block[i], STEPS));
        assert_false(same_bytes(&a->block[i], &seed->block[i], STEPS));
    }
    path_ensemble_free(a);
    path_ensemble_free(b);
    path_ensemble_free(replica);
    path_ensemble_free(seed);
    test_plan_clear(&t);
    test_plan_clear(&other);
}

/* Averages of neighbouring replicas have nothing in common. (Single paths may: their quasi-random numbers are two
   randomisations of the same points.) */
static void test_replicas(void **state)
{
    enum { KINDS = 3 };
    size_t replicas = test_scaled(150, 60);
    test_plan t;
    two_students(&t, 256, 8, 14);
    sample product[KINDS] = {0};
    double before[KINDS] = {0};
    for (uint32_t r = 0; r < replicas; r++) {
        path_ensemble *e = test_paths(&t, r);
        visits_by_path *v = visits_by_path_new(e, 2, t.plan.grid[GRID_FINE]);
        double mean[KINDS] = {0};
        for (size_t b = 0; b < e->n_blocks; b++)
            for (size_t p = 0; p < e->block[b].n; p++) {
                const path_inputs *in = &e->block[b];
                mean[0] += (in->y[p] * in->y[p] - v[b].visits[p]) / 256;
                mean[1] += pow(in->z0[p], 3) / 256;
                mean[2] += v[b].visits[p] > 0 ? in->visit_bridge[v[b].bridge[p]] / 256 : 0;
            }
        visits_by_path_free(e, v);
        path_ensemble_free(e);
        double centre[KINDS] = {1.4 - 2 * 0.4 * 0.35 + 0.16 * 0.9 + 0.09 - 2.3, 0, 0};
        for (int i = 0; i < KINDS; i++) {
            mean[i] -= centre[i];
            if (r > 0)
                sample_add(&product[i], mean[i] * before[i]);
            before[i] = mean[i];
        }
    }
    for (int i = 0; i < KINDS; i++)
        check_z(product[i].mean, 0, sample_se(&product[i]), 4, "neighbouring replicas, average %d", i);
    test_plan_clear(&t);
}

static void test_non_finite_label(void **state)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(
        &t,
        test_problem(
            ctx, "{delta: 1, horizon: 1, model: {label: \"log(s)\", loss: \"(r - y)^2/2\"}, numerics: {paths: 256}}"));
    path_ensemble *e = NULL;
    check_failure(t.ctx, path_ensemble_new(t.ctx, &t.plan.source, t.plan.grid[GRID_FINE], 0, &e), SGDMFT_ERR_NON_FINITE,
                  "label");
    assert_null(e);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_moments),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_modes_are_orthonormal),
        cmocka_unit_test(test_quasi_random_modes),
        cmocka_unit_test(test_visits_and_groups),
        cmocka_unit_test(test_crowded_cells),
        cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_replicas),
        cmocka_unit_test(test_non_finite_label),
    };
    return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
