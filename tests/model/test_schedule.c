/* The schedule eta(t): values, one-sided values on a grid, refusals. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "support/check.h"
#include "support/schedule.h"
#include "kernels/grid.h"

static schedule *parse(sgdmft_context *ctx, const char *text, double horizon)
{
    schedule *s = NULL;
    check_ok(ctx, schedule_of(ctx, text, horizon, &s));
    return s;
}

static void test_values(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule *s = parse(ctx, "0.7*exp(-0.31*t) + t^2/(1 + t)", 5);
    double *work = memory_doubles(schedule_work(s)), t[517], eta[517];
    assert_non_null(work);
    for (int p = 0; p < 517; p++)
        t[p] = 0.00931 * p;
    schedule_values(s, work, 517, t, eta);
    for (int p = 0; p < 517; p++)
        check_near(eta[p], 0.7 * exp(-0.31 * t[p]) + t[p] * t[p] / (1 + t[p]), 1e-14, "eta(%g)", t[p]);
    free(work);
    schedule_free(s);
    sgdmft_context_free(ctx);
}

/* The values of a grid cell are those inside the cell, also at the node on which eta jumps. */
static void test_one_sided(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule *s = parse(ctx, "if(t < 1, 1.25, 0.3 + 0.1*t)", 2);
    time_grid *grid = NULL;
    check_ok(ctx, time_grid_new(ctx, 14, 2, 1, s, 0, &grid));
    int jump = time_grid_cell(grid, 1);
    check_near(grid->t[jump], 1, 1e-14, "node on the jump");
    for (int i = 0; i < 14; i++) {
        double start = i < jump ? 1.25 : 0.3 + 0.1 * grid->t[i];
        double end = i < jump ? 1.25 : 0.3 + 0.1 * grid->t[i + 1];
        assert_int_equal(grid->corner[i], i == jump);
        check_near(grid->eta_start[i], start, 1e-9, "eta at the start of cell %d", i);
        check_near(grid->eta_end[i], end, 1e-9, "eta at the end of cell %d", i);
    }
    time_grid_free(grid);
    schedule_free(s);
    sgdmft_context_free(ctx);
}

/* Jumps are found wherever the expression hides them; kinks and steep slopes are none. */
static void test_jumps(void **state)
{
    static const struct {
        const char *eta;
        int count;
        double at[3];
    } cases[6] = {
        {"if(t < 0.731, 1.2, 0.4)", 1, {0.731}},
        {"0.5 + 0.25*sign(t - 1.0625) + 0.1*(t > 2.3)", 2, {1.0625, 2.3}},
        {"if(t^2 < 2, 1, if(t < 2.5, 0.5 + 0.1*t, 0.1))", 2, {1.4142135623730951, 2.5}},
        {"if(t < 1, 1 - 0.5*t, 0.5)", 0, {0}},
        {"0.6 + 0.5*tanh(40*(t - 1.3))", 0, {0}},
        {"1/(1 + t)", 0, {0}},
    };
    sgdmft_context *ctx = check_context(1);
    for (int c = 0; c < 6; c++) {
        schedule *s = parse(ctx, cases[c].eta, 3);
        eta_jump *jump = NULL;
        size_t count = 0;
        check_ok(ctx, schedule_jumps(ctx, s, 3, &jump, &count));
        print_message("%s: %zu jumps\n", cases[c].eta, count);
        assert_int_equal(count, cases[c].count);
        for (size_t i = 0; i < count; i++) {
            check_near(jump[i].before, cases[c].at[i], 1e-13, "%s, before jump %zu", cases[c].eta, i);
            check_near(jump[i].after, cases[c].at[i], 1e-13, "%s, after jump %zu", cases[c].eta, i);
            assert_true(jump[i].before < jump[i].after);
        }
        free(jump);
        schedule_free(s);
    }
    sgdmft_context_free(ctx);
}

static void refused(const char *text, double horizon, sgdmft_status want, const char *part)
{
    sgdmft_context *ctx = check_context(1);
    schedule *s = NULL;
    check_failure(ctx, schedule_of(ctx, text, horizon, &s), want, part);
    check_failure(ctx, want, want, "schedule.yaml:7:");
    assert_null(s);
    sgdmft_context_free(ctx);
}

static void test_refusals(void **state)
{
    refused("1 - t/4", 5, SGDMFT_ERR_RANGE, "eta");
    refused("log(t - 1)", 5, SGDMFT_ERR_RANGE, "eta");
    refused("1/(t - t)", 5, SGDMFT_ERR_RANGE, "eta");
    refused("1 + * t", 5, SGDMFT_ERR_SYNTAX, "");
    refused("1 + tau", 5, SGDMFT_ERR_UNKNOWN_NAME, "tau");
    refused("exp(t, 2)", 5, SGDMFT_ERR_ARITY, "exp");
}

/* The range is that of the horizon: what happens later is of no interest. */
static void test_horizon_limits_the_check(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule_free(parse(ctx, "1 - t/4", 4));
    schedule_free(parse(ctx, "0", 4));
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_one_sided),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_horizon_limits_the_check),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
