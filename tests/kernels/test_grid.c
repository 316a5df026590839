/* The time grid: nodes, cells, coarsening, interpolation. */
#include <math.h>

#include "core/random.h"
#include "kernels/grid.h"
#include "support/check.h"
#include "support/schedule.h"

typedef struct fixture {
    sgdmft_context *ctx;
    schedule *eta;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.ctx = check_context(1);
    check_ok(f.ctx, schedule_of(f.ctx, "0.8/(1 + 0.37*t)", 4, &f.eta));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    schedule_free(f->eta);
    sgdmft_context_free(f->ctx);
    return 0;
}

static time_grid *graded(const fixture *f, int steps, double horizon, double grading)
{
    time_grid *grid = NULL;
    check_ok(f->ctx, time_grid_new(f->ctx, steps, horizon, grading, f->eta, 0, &grid));
    return grid;
}

static void test_nodes(void **state)
{
    static const double grading[3] = {1, 1.37, 3};
    for (int g = 0; g < 3; g++) {
        time_grid *grid = graded(*state, 37, 3.71, grading[g]);
        assert_int_equal(grid->steps, 37);
        assert_true(grid->t[0] == 0);
        assert_true(grid->t[37] == 3.71);
        for (int i = 0; i < 37; i++) {
            check_near(grid->t[i], 3.71 * pow(i / 37.0, grading[g]), 1e-14, "node %d", i);
            check_near(grid->h[i], grid->t[i + 1] - grid->t[i], 1e-15, "width %d", i);
            assert_true(grid->h[i] > 0);
            check_near(grid->t[i] + grid->middle[i] * grid->h[i], 3.71 * pow((i + 0.5) / 37, grading[g]), 1e-14,
                       "middle %d", i);
            check_near(grid->eta_start[i], 0.8 / (1 + 0.37 * grid->t[i]), 1e-9, "eta, cell %d", i);
            check_near(grid->eta_end[i], 0.8 / (1 + 0.37 * grid->t[i + 1]), 1e-9, "eta, cell %d", i);
        }
        time_grid_free(grid);
    }
}

static void test_coarsen(void **state)
{
    const fixture *f = *state;
    time_grid *fine = graded(f, 26, 3.9, 1.7), *coarse = NULL;
    check_ok(f->ctx, time_grid_coarsen(f->ctx, fine, f->eta, &coarse));
    assert_int_equal(coarse->steps, 13);
    for (int i = 0; i <= 13; i++)
        assert_true(coarse->t[i] == fine->t[2 * i]);
    for (int i = 0; i < 13; i++) {
        check_near(coarse->h[i], fine->h[2 * i] + fine->h[2 * i + 1], 1e-14, "width %d", i);
        check_near(coarse->eta_start[i], fine->eta_start[2 * i], 1e-8, "eta, cell %d", i);
        check_near(coarse->eta_end[i], fine->eta_end[2 * i + 1], 1e-8, "eta, cell %d", i);
    }
    time_grid_free(fine);
    time_grid_free(coarse);
}

static int cell_by_search(const time_grid *grid, double t)
{
    int cell = 0;
    while (cell + 1 < grid->steps && grid->t[cell + 1] <= t)
        cell++;
    return cell;
}

/* Steps of length b, one eta in each, and the beginnings of epochs of 1/b steps. */
static void test_discrete(void **state)
{
    enum { STEPS = 11 };
    const fixture *f = *state;
    for (int epochs = 0; epochs < 2; epochs++) {
        time_grid *grid = NULL;
        check_ok(f->ctx, time_grid_discrete(f->ctx, STEPS, 0.25, f->eta, epochs, &grid));
        assert_true(grid->discrete && grid->steps == STEPS && grid->epoch == epochs);
        for (int i = 0; i <= STEPS; i++) {
            check_near(grid->t[i], 0.25 * i, 1e-15, "node %d", i);
            assert_int_equal(grid->history[i], epochs ? i / 4 * 4 : i);
            assert_int_equal(grid->renewal[i], epochs && i % 4 == 0);
            int count, first;
            double weights[4];
            first = time_grid_stencil(grid, 0.25 * i, &count, weights);
            assert_true(first == i && count == 1); /* nothing is between steps */
        }
        for (int i = 0; i < STEPS; i++) {
            check_near(grid->eta_start[i], 0.8 / (1 + 0.37 * 0.25 * i), 1e-8, "eta of step %d", i);
            assert_true(grid->eta_end[i] == grid->eta_start[i] && grid->eta_middle[i] == grid->eta_start[i]);
        }
        time_grid_free(grid);
    }
}

/* The same for the limit of small steps: the mean of eta, also where it jumps in the middle of a step; corners there and
   where epochs begin. */
static void test_small_steps(void **state)
{
    const fixture *f = *state;
    schedule *eta;
    time_grid *grid = NULL;
    check_ok(f->ctx, schedule_of(f->ctx, "if(t < 1.35, 1 + t, 0.5)", 3, &eta));
    check_ok(f->ctx, time_grid_discrete(f->ctx, 12, 0.25, eta, 0, &grid));
    check_ok(f->ctx, time_grid_small_steps(f->ctx, eta, 1, grid));
    for (int i = 0; i < 12; i++) {
        double t = 0.25 * i, want = t < 1.2 ? 1 + t + 0.125 : t > 1.3 ? 0.5 : (0.1 * 2.3 + 0.15 * 0.5) / 0.25;
        check_near(grid->eta_start[i], want, 1e-9, "eta of step %d", i);
        assert_true(grid->eta_end[i] == grid->eta_start[i]);
        assert_int_equal(grid->corner[i], i % 4 == 0 || i == 5 || i == 6);
    }
    time_grid_free(grid);
    schedule_free(eta);
}

static void test_cell(void **state)
{
    static const int steps[4] = {1, 2, 23, 64};
    enum { TIMES = 500 };
    double u[TIMES];
    random_uniforms((random_key){8231, 0, 77}, 0, 0, TIMES, u);
    for (int g = 0; g < 4; g++) {
        time_grid *grid = graded(*state, steps[g], 2.93, 1.4);
        for (int j = 0; j < TIMES; j++)
            assert_int_equal(time_grid_cell(grid, 2.93 * u[j]), cell_by_search(grid, 2.93 * u[j]));
        for (int i = 0; i < grid->steps; i++) {
            assert_int_equal(time_grid_cell(grid, grid->t[i]), i);
            assert_int_equal(time_grid_cell(grid, nextafter(grid->t[i + 1], 0)), i);
        }
        assert_int_equal(time_grid_cell(grid, 2.93), grid->steps - 1);
        time_grid_free(grid);
    }
}

static double polynomial(int degree, double t)
{
    static const double c[4] = {0.731, -1.377, 0.4519, 0.2867};
    double sum = 0;
    for (int i = degree; i >= 0; i--)
        sum = sum * t + c[i];
    return sum;
}

/* Interpolation is exact for cubics, or for polynomials of degree `steps` on fewer than four nodes. */
static void test_stencil_is_exact(void **state)
{
    static const int steps[5] = {1, 2, 3, 4, 31};
    for (int g = 0; g < 5; g++) {
        time_grid *grid = graded(*state, steps[g], 3.3, 1.6);
        int degree = steps[g] < 3 ? steps[g] : 3;
        for (int j = 0; j <= 400; j++) {
            double t = j == 400 ? 3.3 : 3.3 * j / 400, weights[4], sum = 0, total = 0;
            int count, first = time_grid_stencil(grid, t, &count, weights);
            int cell = time_grid_cell(grid, t);
            assert_true(first >= 0 && count >= 1 && count <= degree + 1 && first + count <= steps[g] + 1);
            if (count == 4 && cell >= 1 && cell + 2 <= steps[g])
                assert_int_equal(first, cell - 1); /* in the middle, where the error is smallest */
            for (int i = 0; i < count; i++) {
                sum += weights[i] * polynomial(degree, grid->t[first + i]);
                total += weights[i];
            }
            check_near(sum, polynomial(degree, t), 1e-12, "%d steps, t = %g", steps[g], t);
            check_near(total, 1, 1e-13, "weights, %d steps, t = %g", steps[g], t);
        }
        time_grid_free(grid);
    }
}

/* It does not claim more: a quartic is missed, by an amount of order h^4. */
static void test_stencil_order(void **state)
{
    double error[2];
    for (int g = 0; g < 2; g++) {
        time_grid *grid = graded(*state, 20 << g, 2, 1);
        double weights[4], t = grid->t[7 << g] + 0.31 * grid->h[0];
        error[g] = -pow(t, 4);
        int count, first = time_grid_stencil(grid, t, &count, weights);
        for (int i = 0; i < count; i++)
            error[g] += weights[i] * pow(grid->t[first + i], 4);
        time_grid_free(grid);
    }
    check_between(error[0] / error[1], 15.5, 16.5, "error ratio of a quartic");
}

static void test_stencil_at_nodes(void **state)
{
    time_grid *grid = graded(*state, 19, 2.7, 2);
    for (int i = 0; i <= 19; i++) {
        double weights[4];
        int count, first = time_grid_stencil(grid, grid->t[i], &count, weights);
        assert_int_equal(first, i);
        assert_int_equal(count, 1);
        assert_true(weights[0] == 1);
    }
    time_grid_free(grid);
}

/* Jumps of eta are nodes of even index, seen from both sides, and interpolation stays on one side. */
static void test_jumps(void **state)
{
    static const double jump[2] = {1.3719, 2.0301};
    const fixture *f = *state;
    schedule *eta = NULL;
    check_ok(f->ctx, schedule_of(f->ctx, "if(t < 1.3719, 0.9, if(t < 2.0301, 0.31, 0.07))", 4, &eta));
    for (int steps = 8; steps <= 46; steps += 19) {
        time_grid *grid = NULL;
        double value[64], weights[4];
        int corners = 0, count;
        check_ok(f->ctx, time_grid_new(f->ctx, steps, 3.9, 1.4, eta, 0, &grid));
        for (int i = 0; i <= steps; i++) {
            assert_true(i == 0 || grid->t[i] > grid->t[i - 1]);
            if (!grid->corner[i])
                continue;
            assert_int_equal(i % 2, 0);
            check_near(grid->t[i], jump[corners], 1e-12, "jump %d", corners);
            check_near(grid->eta_end[i - 1], corners ? 0.31 : 0.9, 1e-15, "eta before jump %d", corners);
            check_near(grid->eta_start[i], corners ? 0.07 : 0.31, 1e-15, "eta after jump %d", corners);
            corners++;
        }
        assert_int_equal(corners, 2);
        assert_true(grid->t[steps] == 3.9);
        for (int i = 0; i <= steps; i++) /* a curve with two corners, linear in between */
            value[i] = fabs(grid->t[i] - jump[0]) + 2 * fabs(grid->t[i] - jump[1]);
        for (int p = 0; p <= 390; p++) {
            double t = 0.01 * p, sum = 0;
            int first = time_grid_stencil(grid, t, &count, weights);
            for (int j = 0; j < count; j++)
                sum += weights[j] * value[first + j];
            check_near(sum, fabs(t - jump[0]) + 2 * fabs(t - jump[1]), 1e-12, "curve with corners at %g", t);
        }
        time_grid_free(grid);
    }
    schedule_free(eta);
}

/* Where eta jumps, every jump is a node of even index, and the nodes remain a grid. */
static void test_nodes_on_jumps(void **state)
{
    static const struct {
        const char *eta;
        int count;
        double at[3];
    } cases[3] = {
        {"if(t < 0.8137, 1.2, 0.4)", 1, {0.8137}},
        {"1 - 0.3*(t > 0.1) - 0.3*(t > 0.15) - 0.3*(t > 2.9)", 3, {0.1, 0.15, 2.9}},
        {"if(t < 0.002, 0.5, 1) + (t > 2.999)", 2, {0.002, 2.999}},
    };
    static const double grading[2] = {1, 1.6};
    static const int steps[3] = {8, 20, 64};
    const fixture *f = *state;
    for (int x = 0; x < 18; x++) {
        int c = x % 3, n = steps[x / 3 % 3];
        schedule *eta = NULL;
        time_grid *grid = NULL, *coarse = NULL;
        check_ok(f->ctx, schedule_of(f->ctx, cases[c].eta, 3, &eta));
        check_ok(f->ctx, time_grid_new(f->ctx, n, 3, grading[x / 9], eta, 0, &grid));
        check_ok(f->ctx, time_grid_coarsen(f->ctx, grid, eta, &coarse));
        assert_true(grid->t[0] == 0 && grid->t[n] == 3);
        int corners = 0, coarse_corners = 0;
        for (int i = 0; i < n; i++) {
            assert_true(grid->t[i + 1] > grid->t[i]);
            corners += grid->corner[i];
        }
        for (int i = 0; i < n / 2; i++)
            coarse_corners += coarse->corner[i];
        assert_int_equal(corners, cases[c].count);
        assert_int_equal(coarse_corners, cases[c].count);
        for (int i = 0; i < n / 2 && n == 64; i++)
            assert_true(!coarse->corner[i] || i % 2 == 0); /* a node of the next coarser grid, too */
        for (int j = 0; j < cases[c].count; j++) {
            int node = time_grid_cell(grid, cases[c].at[j] * (1 + 1e-14));
            check_near(grid->t[node], cases[c].at[j], 1e-13, "%s, %d steps, jump %d", cases[c].eta, n, j);
            assert_int_equal(node % 2, 0);
            assert_true(grid->corner[node]);
        }
        time_grid_free(grid);
        time_grid_free(coarse);
        schedule_free(eta);
    }
}

/* More jumps than a grid can hold: still a grid. */
static void test_more_jumps_than_nodes(void **state)
{
    const fixture *f = *state;
    schedule *eta = NULL;
    time_grid *grid = NULL;
    check_ok(f->ctx, schedule_of(f->ctx, "1 + 0.5*sign(sin(9*t))", 3, &eta));
    check_ok(f->ctx, time_grid_new(f->ctx, 6, 3, 1, eta, 0, &grid));
    assert_true(grid->t[0] == 0 && grid->t[6] == 3);
    for (int i = 0; i < 6; i++)
        assert_true(grid->t[i + 1] > grid->t[i]);
    time_grid_free(grid);
    schedule_free(eta);
}

/* Interpolation does not reach across a jump: exact for curves that are cubic on either side of it. */
static void test_stencil_stops_at_jumps(void **state)
{
    const fixture *f = *state;
    schedule *eta = NULL;
    time_grid *grid = NULL;
    check_ok(f->ctx, schedule_of(f->ctx, "if(t < 1.137, 1, 0.3)", 3, &eta));
    check_ok(f->ctx, time_grid_new(f->ctx, 18, 3, 1.2, eta, 0, &grid));
    double at_jump = polynomial(3, 1.137);
    for (int j = 0; j <= 300; j++) {
        double t = 3.0 * j / 300, weights[4], sum = 0;
        int count, first = time_grid_stencil(grid, t, &count, weights);
        for (int i = 0; i < count; i++) {
            double node = grid->t[first + i], late = node - 1.137;
            sum += weights[i] * (late < 1e-9 ? polynomial(3, node) : at_jump + late * polynomial(2, node));
        }
        double want = t < 1.137 ? polynomial(3, t) : at_jump + (t - 1.137) * polynomial(2, t);
        check_near(sum, want, 1e-12, "t = %g", t);
    }
    time_grid_free(grid);
    schedule_free(eta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_coarsen),
        cmocka_unit_test(test_cell),
        cmocka_unit_test(test_discrete),
        cmocka_unit_test(test_small_steps),
        cmocka_unit_test(test_stencil_is_exact),
        cmocka_unit_test(test_stencil_order),
        cmocka_unit_test(test_stencil_at_nodes),
        cmocka_unit_test(test_nodes_on_jumps),
        cmocka_unit_test(test_more_jumps_than_nodes),
        cmocka_unit_test(test_stencil_stops_at_jumps),
        cmocka_unit_test(test_jumps),
    };
    return cmocka_run_group_tests_name("grid", tests, setup, teardown);
}
