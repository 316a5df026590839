/* The time grid of a process with epochs: every beginning of an epoch is a node of all three nested grids, and the
   grids know which visits a path lacks that is visited at a node. */
#include <math.h>

#include "kernels/grid.h"
#include "support/check.h"
#include "support/schedule.h"

enum { GRID_COUNT = 3, JUMPS_MOST = 4 };

/* Times are compared to this part of the horizon. */
static const double SAME = 1e-12;

/* A learning rate with jumps: eta before the first one, and after each. */
typedef struct jumping_eta {
    const char *text;
    int jumps;
    double at[JUMPS_MOST], eta[JUMPS_MOST + 1];
} jumping_eta;

/* Jumps far from the beginnings of epochs of length 1 and 0.7, just before, at and just after them, close to 0, and two
   in the middle of an epoch. */
static const jumping_eta ETAS[] = {
    {"0.83", 0, {0}, {0.83}},
    {"if(t < 0.4137, 0.83, 0.31)", 1, {0.4137}, {0.83, 0.31}},
    {"if(t < 1, 0.83, 0.31)", 1, {1}, {0.83, 0.31}},
    {"if(t < 0.7, 0.83, if(t < 2, 0.31, 0.57))", 2, {0.7, 2}, {0.83, 0.31, 0.57}},
    {"if(t < 0.99993, 0.83, 0.31)", 1, {0.99993}, {0.83, 0.31}},
    {"if(t < 1.00007, 0.83, 0.31)", 1, {1.00007}, {0.83, 0.31}},
    {"if(t < 0.0023, 0.83, if(t < 0.2, 0.31, if(t < 0.21, 0.57, 0.12)))",
     3,
     {0.0023, 0.2, 0.21},
     {0.83, 0.31, 0.57, 0.12}},
};

enum { ETA_COUNT = sizeof ETAS / sizeof *ETAS };

typedef struct grid_case {
    const jumping_eta *eta;
    int steps;
    double horizon, grading, epoch;
} grid_case;

/* The number of epochs that begin within (0, horizon). */
static int beginnings(const grid_case *c)
{
    int count = 0;
    while ((count + 1) * c->epoch < c->horizon - SAME * c->horizon)
        count++;
    return count;
}

static int is_beginning(const grid_case *c, double t)
{
    return fabs(t - c->epoch * round(t / c->epoch)) <= SAME * c->horizon;
}

/* The smallest number of steps: four for each of the parts into which beginnings and jumps divide the horizon. */
static int steps_least(const grid_case *c)
{
    int parts = 1 + beginnings(c);
    for (int j = 0; j < c->eta->jumps; j++)
        parts += c->eta->at[j] < c->horizon && !is_beginning(c, c->eta->at[j]);
    return 4 * parts;
}

static void describe(const grid_case *c, int g, const time_grid *grid, int node, const char *what)
{
    fail_msg("%s at node %d of %d (t = %.17g), grid %d: %d steps to %g, grading %g, epoch %g, eta %s", what, node,
             grid->steps, grid->t[node], g, c->steps, c->horizon, c->grading, c->epoch, c->eta->text);
}

/* The node at a time. */
static int node_at(const grid_case *c, int g, const time_grid *grid, double t)
{
    for (int i = 0; i <= grid->steps; i++)
        if (fabs(grid->t[i] - t) <= SAME * c->horizon)
            return i;
    fail_msg("%g is no node of grid %d: %d steps to %g, grading %g, epoch %g, eta %s", t, g, c->steps, c->horizon,
             c->grading, c->epoch, c->eta->text);
    return -1;
}

static void check_nodes(const grid_case *c, int g, const time_grid *grid)
{
    assert_int_equal(grid->steps, c->steps >> g);
    assert_true(grid->epoch == c->epoch);
    assert_true(grid->t[0] == 0);
    check_near(grid->t[grid->steps], c->horizon, 0, "last node");
    for (int i = 0; i < grid->steps; i++) {
        if (!(grid->t[i + 1] > grid->t[i]))
            describe(c, g, grid, i + 1, "the nodes do not ascend");
        check_near(grid->h[i], grid->t[i + 1] - grid->t[i], 0, "width of cell %d", i);
        if (!(grid->middle[i] > 0 && grid->middle[i] < 1))
            describe(c, g, grid, i, "the middle is outside of its cell");
    }
}

/* Flags of renewal are where epochs begin and nowhere else, and a curve has a corner there. */
static void check_beginnings(const grid_case *c, int g, const time_grid *grid)
{
    int flags = 0;
    for (int e = 0; e * c->epoch <= c->horizon * (1 + SAME); e++) {
        int node = node_at(c, g, grid, fmin(e * c->epoch, c->horizon));
        if (!grid->renewal[node])
            describe(c, g, grid, node, "no flag of renewal");
        if (node > 0 && node < grid->steps && !grid->corner[node])
            describe(c, g, grid, node, "no corner");
        flags++;
    }
    for (int i = 0; i <= grid->steps; i++)
        flags -= grid->renewal[i];
    assert_int_equal(flags, 0);
}

/* A path that is visited just before a node lacks its visits since the epoch that ends at the node or contains it
   began. */
static void check_history(const grid_case *c, int g, const time_grid *grid)
{
    assert_int_equal(grid->history[0], 0);
    for (int i = 1; i <= grid->steps; i++) {
        double begin = 0;
        while (begin + c->epoch < grid->t[i] - SAME * c->horizon)
            begin += c->epoch;
        int want = node_at(c, g, grid, begin);
        if (grid->history[i] != want)
            describe(c, g, grid, i, "wrong history");
    }
}

/* Jumps are nodes, one each, with eta of both sides. */
static void check_jumps(const grid_case *c, int g, const time_grid *grid)
{
    int corners = 0, others = 0;
    for (int j = 0; j < c->eta->jumps; j++) {
        if (!(c->eta->at[j] < c->horizon))
            continue;
        int node = node_at(c, g, grid, c->eta->at[j]);
        if (!grid->corner[node])
            describe(c, g, grid, node, "no corner at a jump");
        check_near(grid->eta_end[node - 1], c->eta->eta[j], 1e-15, "eta before jump %d", j);
        check_near(grid->eta_start[node], c->eta->eta[j + 1], 1e-15, "eta after jump %d", j);
        others += !is_beginning(c, c->eta->at[j]);
    }
    for (int i = 0; i <= grid->steps; i++)
        corners += grid->corner[i];
    assert_int_equal(corners, others + beginnings(c));
}

static void check_case(sgdmft_context *ctx, const grid_case *c)
{
    schedule *eta = NULL;
    time_grid *grid[GRID_COUNT] = {NULL};
    check_ok(ctx, schedule_of(ctx, c->eta->text, c->horizon, &eta));
    for (int short_of = 1; short_of <= 4; short_of += 3)
        if (steps_least(c) - short_of > 0)
            check_failure(
                ctx, time_grid_new(ctx, steps_least(c) - short_of, c->horizon, c->grading, eta, c->epoch, &grid[0]),
                SGDMFT_ERR_CONFLICT, "numerics.steps");
    check_ok(ctx, time_grid_new(ctx, c->steps, c->horizon, c->grading, eta, c->epoch, &grid[0]));
    for (int g = 1; g < GRID_COUNT; g++)
        check_ok(ctx, time_grid_coarsen(ctx, grid[g - 1], eta, &grid[g]));
    for (int g = 0; g < GRID_COUNT; g++) {
        check_nodes(c, g, grid[g]);
        check_beginnings(c, g, grid[g]);
        check_history(c, g, grid[g]);
        check_jumps(c, g, grid[g]);
        for (int i = 0; i <= grid[g]->steps && g > 0; i++)
            assert_true(grid[g]->t[i] == grid[g - 1]->t[2 * i]);
    }
    for (int g = 0; g < GRID_COUNT; g++)
        time_grid_free(grid[g]);
    schedule_free(eta);
}

/* From the smallest number of steps on; horizons that end in the middle of an epoch, at its end, just after it, or
   before the first one ends. */
static void test_beginnings_are_nodes(void **state)
{
    static const double gradings[] = {1, 1.2, 1.6, 3}, epochs[] = {1, 0.7};
    static const double horizons[] = {0.69, 1, 1.0004, 2.1, 2.63, 3, 7.41};
    static const int more[] = {0, 4, 8, 20, 64};
    sgdmft_context *ctx = check_context(1);
    for (size_t h = 0; h < sizeof horizons / sizeof *horizons; h++)
        for (size_t e = 0; e < 2; e++)
            for (size_t x = 0; x < ETA_COUNT; x++)
                for (size_t g = 0; g < 4; g++)
                    for (size_t n = 0; n < sizeof more / sizeof *more; n++) {
                        grid_case c = {&ETAS[x], 0, horizons[h], gradings[g], epochs[e]};
                        c.steps = steps_least(&c) + more[n];
                        check_case(ctx, &c);
                    }
    sgdmft_context_free(ctx);
}

/* The message of a grid that is too small names the number that would do. */
static void test_too_few_steps(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule *eta = NULL;
    time_grid *grid = NULL;
    check_ok(ctx, schedule_of(ctx, "if(t < 0.4, 1, 0.3)", 5.5, &eta));
    check_failure(ctx, time_grid_new(ctx, 24, 5.5, 1, eta, 1, &grid), SGDMFT_ERR_CONFLICT, "value 24");
    check_failure(ctx, SGDMFT_ERR_CONFLICT, SGDMFT_ERR_CONFLICT, "allowed: 28 or more");
    assert_null(grid);
    check_ok(ctx, time_grid_new(ctx, 28, 5.5, 1, eta, 1, &grid));
    time_grid_free(grid);
    schedule_free(eta);
    sgdmft_context_free(ctx);
}

/* Visits that are independent renew nothing: no flags, and all visits of a path count. */
static void test_without_epochs(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule *eta = NULL;
    time_grid *grid[GRID_COUNT] = {NULL};
    check_ok(ctx, schedule_of(ctx, "if(t < 1, 1, 0.3)", 3, &eta));
    check_ok(ctx, time_grid_new(ctx, 28, 3, 1.4, eta, 0, &grid[0]));
    check_ok(ctx, time_grid_coarsen(ctx, grid[0], eta, &grid[1]));
    check_ok(ctx, time_grid_coarsen(ctx, grid[1], eta, &grid[2]));
    for (int g = 0; g < GRID_COUNT; g++) {
        assert_true(grid[g]->epoch == 0);
        for (int i = 0; i <= grid[g]->steps; i++) {
            assert_int_equal(grid[g]->renewal[i], 0);
            assert_int_equal(grid[g]->history[i], i);
        }
        time_grid_free(grid[g]);
    }
    schedule_free(eta);
    sgdmft_context_free(ctx);
}

/* Before the first epoch ends the nodes are those of a process without epochs, but no visit counts. */
static void test_first_epoch(void **state)
{
    static const double grading[2] = {1, 1.7};
    sgdmft_context *ctx = check_context(1);
    schedule *eta = NULL;
    check_ok(ctx, schedule_of(ctx, "0.8/(1 + 0.3*t)", 0.93, &eta));
    for (int x = 0; x < 2; x++) {
        time_grid *with = NULL, *without = NULL;
        check_ok(ctx, time_grid_new(ctx, 20, 0.93, grading[x], eta, 1, &with));
        check_ok(ctx, time_grid_new(ctx, 20, 0.93, grading[x], eta, 0, &without));
        assert_memory_equal(with->t, without->t, sizeof(double) * 21);
        assert_memory_equal(with->middle, without->middle, sizeof(double) * 20);
        assert_memory_equal(with->eta_start, without->eta_start, sizeof(double) * 20);
        assert_memory_equal(with->eta_end, without->eta_end, sizeof(double) * 20);
        for (int i = 0; i <= 20; i++) {
            assert_int_equal(with->history[i], 0);
            assert_int_equal(with->renewal[i], i == 0);
            assert_int_equal(with->corner[i], 0);
        }
        time_grid_free(with);
        time_grid_free(without);
    }
    schedule_free(eta);
    sgdmft_context_free(ctx);
}

/* Of an epoch, from its beginning on. */
static double cubic(int epoch, double t)
{
    return (epoch % 2 ? -0.9 : 0.6) * t + 0.7 * t * t - 0.4 * t * t * t;
}

/* Continuous, with a kink where an epoch begins. */
static double kinked(double t)
{
    double value = 0;
    int epoch = 0;
    for (; epoch + 1 <= t; epoch++)
        value += cubic(epoch, 1);
    return value + cubic(epoch, t - epoch);
}

/* Interpolation does not reach across beginnings: it is exact for a continuous curve that is a cubic in each epoch. */
static void test_interpolation(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule *eta = NULL;
    time_grid *grid = NULL;
    check_ok(ctx, schedule_of(ctx, "1", 3.4, &eta));
    check_ok(ctx, time_grid_new(ctx, 40, 3.4, 1.3, eta, 1, &grid));
    for (int j = 0; j <= 340; j++) {
        double t = 3.4 * j / 340, weights[4], sum = 0;
        int count, first = time_grid_stencil(grid, t, &count, weights);
        for (int i = 0; i < count; i++)
            sum += weights[i] * kinked(grid->t[first + i]);
        check_near(sum, kinked(t), 1e-12, "t = %g", t);
    }
    time_grid_free(grid);
    schedule_free(eta);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beginnings_are_nodes), cmocka_unit_test(test_too_few_steps),
        cmocka_unit_test(test_without_epochs),       cmocka_unit_test(test_first_epoch),
        cmocka_unit_test(test_interpolation),
    };
    return cmocka_run_group_tests_name("grid with epochs", tests, NULL, NULL);
}
