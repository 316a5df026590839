/* The rule by which cells are merged, and the march of a list of cells over a grid. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "merged/cells.h"
#include "support/check.h"
#include "support/schedule.h"

/* Far above the rounding that the rule allows for, 1e-9 of the time, and far below the width of any cell here. */
static const double SLACK = 1e-8;

static time_grid *grid_of(int steps, double horizon, double grading, double epoch)
{
    sgdmft_context *ctx = check_context(1);
    schedule *eta = NULL;
    time_grid *grid = NULL;
    check_ok(ctx, schedule_of(ctx, "0.7", horizon, &eta));
    check_ok(ctx, time_grid_new(ctx, steps, horizon, grading, eta, epoch, &grid));
    schedule_free(eta);
    sgdmft_context_free(ctx);
    return grid;
}

/* The beginning of the epoch that contains t, from multiples and not from floor, or t without epochs. */
static double epoch_start(const cell_rule *rule, double t)
{
    double start = 0;
    while (rule->epoch > 0 && start + rule->epoch <= t + SLACK)
        start += rule->epoch;
    return rule->epoch > 0 ? start : t;
}

/* Whether two neighbouring cells are to be merged at time t, by more (slack > 0) or less than the slack. */
static int to_merge(const cell_rule *rule, double t, const merged_cell *first, const merged_cell *second, double slack)
{
    return second->end - first->start <= rule->ratio * (t - second->end) + slack &&
           second->end <= t - rule->recent + slack && second->end <= epoch_start(rule, t) + slack;
}

static void check_tiles(const cell_list *list, double t)
{
    assert_true(list->n > 0 && list->n <= list->most);
    assert_true(list->cell[0].start == 0);
    assert_true(list->cell[list->n - 1].end == t);
    for (int c = 0; c < list->n; c++) {
        assert_true(list->cell[c].end > list->cell[c].start);
        if (c > 0)
            assert_true(list->cell[c].start == list->cell[c - 1].end);
    }
}

typedef struct walk {
    int most, merges;
    double mean;
} walk;

/* A march as the solver makes it: every merge is allowed, and none that is due is left out. */
static walk walk_over(const time_grid *grid, cell_rule rule)
{
    cell_list list;
    walk w = {0};
    assert_int_equal(cell_list_new(grid, rule, &list), 0);
    for (int i = 0; i < grid->steps; i++) {
        double t = grid->t[i + 1];
        cell_list_add(&list, grid->t[i], t);
        w.most = list.n > w.most ? list.n : w.most;
        w.mean += (double)list.n / grid->steps;
        for (int c = cell_list_pair(&list, t, 0); c >= 0; c = cell_list_pair(&list, t, c)) {
            merged_cell first = list.cell[c], second = list.cell[c + 1];
            int before = list.n;
            assert_true(to_merge(&rule, t, &first, &second, SLACK));
            double share = cell_list_merge(&list, c);
            check_near(share, (first.end - first.start) / (second.end - first.start), 1e-14, "share at t = %g", t);
            assert_int_equal(list.n, before - 1);
            assert_true(list.cell[c].start == first.start && list.cell[c].end == second.end);
            check_tiles(&list, t);
            w.merges++;
        }
        check_tiles(&list, t);
        for (int c = 0; c + 1 < list.n; c++)
            assert_false(to_merge(&rule, t, &list.cell[c], &list.cell[c + 1], -SLACK));
    }
    /* all that is left of the cells are those that were not merged */
    assert_int_equal(list.n, grid->steps - w.merges);
    assert_int_equal(list.most, w.most);
    cell_list_clear(&list);
    return w;
}

static const cell_rule RULES[] = {{0.8, 0, 0}, {0.25, 0, 0}, {1.2, 3, 0}, {0.8, 0, 1}, {0.5, 0.4, 2}};
enum { RULE_COUNT = sizeof RULES / sizeof *RULES };

/* cell_rule_count knows the size of a real march, and its mean. */
static void test_rule(void **state)
{
    for (int r = 0; r < RULE_COUNT; r++)
        for (int graded = 0; graded < 2; graded++) {
            time_grid *grid = grid_of(320, 20, graded ? 1.7 : 1, RULES[r].epoch);
            walk w = walk_over(grid, RULES[r]);
            double mean = 0;
            assert_true(w.merges > 100);
            assert_int_equal(cell_rule_count(grid, RULES[r], &mean), w.most);
            check_near(mean, w.mean, 1e-10, "mean number of cells, rule %d, grid %d", r, graded);
            time_grid_free(grid);
        }
}

/* Pairs that are due and pairs that are not, on both sides of each condition. */
static void test_conditions(void **state)
{
    merged_cell cells[4] = {{0, 1}, {1, 2}, {2, 3}, {3, 4}};
    cell_list list = {.rule = {.ratio = 1}, .n = 4, .most = 4, .cell = cells};
    assert_int_equal(cell_list_pair(&list, 4, 0), 0);
    assert_int_equal(cell_list_pair(&list, 4, 1), -1);
    assert_int_equal(cell_list_pair(&list, 3.99, 0), -1);
    assert_int_equal(cell_list_pair(&list, 5, 1), 1);
    list.rule.recent = 2.01;
    assert_int_equal(cell_list_pair(&list, 4, 0), -1);
    assert_int_equal(cell_list_pair(&list, 4.02, 0), 0);
    list.rule = (cell_rule){.ratio = 1, .epoch = 3};
    assert_int_equal(cell_list_pair(&list, 4, 0), 0);
    assert_int_equal(cell_list_pair(&list, 5.5, 1), 1);
    assert_int_equal(cell_list_pair(&list, 5.5, 2), -1);
    list.rule.epoch = 4;
    /* the epoch from 0 to 4 is not over before t = 4 */
    assert_int_equal(cell_list_pair(&list, 3.999, 0), -1);
    list.rule.ratio = 10;
    assert_int_equal(cell_list_pair(&list, 3.999, 0), -1);
    assert_int_equal(cell_list_pair(&list, 4, 0), 0);
    assert_int_equal(cell_list_pair(&list, 7, 2), 2);
    list.rule.epoch = 3;
    assert_int_equal(cell_list_pair(&list, 5, 2), -1);
}

/* The number of cells grows like the logarithm of the horizon, between two bounds. A merged cell that ended at age a is
   at most `ratio` a wide, so that ages grow from cell to cell by at most a factor 1 + ratio; a pair that is not merged
   is wider than ratio a, so that they grow from pair to pair by at least that. Pairs that are too recent, or in an
   epoch that is not over, have two steps each. */
static void test_logarithm(void **state)
{
    const double h = 0.125;
    for (int r = 0; r < RULE_COUNT; r++)
        for (int steps = 512; steps <= 8192; steps *= 4) {
            cell_rule rule = RULES[r];
            time_grid *grid = grid_of(steps, steps * h, 1, rule.epoch);
            double mean, growth = log(1 + rule.ratio), young = rule.recent + rule.epoch + 2 * h;
            int most = cell_rule_count(grid, rule, &mean);
            double least = log(steps * h / (h / rule.ratio + young)) / growth;
            check_between(most, least, 2 * (log(steps * h / young) / growth + young / (2 * h) + 2), "%d steps, rule %d",
                          steps, r);
            check_between(mean, 0.5 * least, most, "mean of %d steps, rule %d", steps, r);
            time_grid_free(grid);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_logarithm),
    };
    return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
