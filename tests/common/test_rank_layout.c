/* Which rank solves which replica: everyone has at most one group, and the slowest as little to do as can be. */
#include "solvers/common/rank_layout.h"
#include "support/check.h"

static void check_plan(int n_ranks, int replicas, size_t blocks, int whole, int groups, int size)
{
    rank_layout plan = rank_layout_plan(n_ranks, replicas, blocks, whole);
    assert_int_equal(plan.groups, groups);
    assert_int_equal(plan.size, size);
    int members[64] = {0};
    assert_true(groups <= 64);
    for (int r = 0; r < n_ranks; r++) {
        int group = rank_layout_group(&plan, n_ranks, r);
        assert_true(group >= -1 && group < groups);
        if (group >= 0) {
            assert_true(r >= rank_layout_leader(&plan, n_ranks, group));
            members[group]++;
        }
    }
    for (int g = 0; g < groups; g++) {
        assert_int_equal(members[g], size);
        assert_int_equal(rank_layout_group(&plan, n_ranks, rank_layout_leader(&plan, n_ranks, g)), g);
    }
    assert_int_equal(rank_layout_leader(&plan, n_ranks, 0), 0);
}

static void test_replicas_first(void **state)
{
    check_plan(1, 8, 131, 0, 1, 1);
    check_plan(2, 8, 131, 0, 2, 1);
    check_plan(8, 8, 131, 0, 8, 1);
}

static void test_then_paths(void **state)
{
    check_plan(16, 8, 131, 0, 8, 2);
    check_plan(17, 8, 131, 0, 8, 2); /* one has nothing to do */
    check_plan(2, 3, 131, 0, 1, 2);  /* three replicas of half the time, not two rounds of whole ones */
    check_plan(6, 8, 131, 0, 2, 3);
    check_plan(1000, 8, 4000, 0, 8, 64); /* no more parts */
    check_plan(100, 2, 9, 0, 2, 9);      /* no more blocks */
}

static void test_whole(void **state)
{
    check_plan(16, 8, 131, 1, 8, 1);
    check_plan(2, 3, 131, 1, 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_replicas_first), cmocka_unit_test(test_then_paths),
                                       cmocka_unit_test(test_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
