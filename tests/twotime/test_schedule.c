/* The schedule eta(t): values, one-sided values on a grid, refusals. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "support/check.h"
#include "support/schedule.h"
#include "twotime/grid.h"

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

/* The values of a grid cell are those inside the cell, also where eta jumps at a node. */
static void test_one_sided(void **state)
{
    sgdmft_context *ctx = check_context(1);
    schedule *s = parse(ctx, "if(t < 1, 1.25, 0.3 + 0.1*t)", 2);
    time_grid *grid = NULL;
    check_ok(ctx, time_grid_new(ctx, 14, 2, 1, s, &grid));
    for (int i = 0; i < 14; i++) {
        double start = i < 7 ? 1.25 : 0.3 + 0.1 * grid->t[i];
        double end = i < 7 ? 1.25 : 0.3 + 0.1 * grid->t[i + 1];
        check_near(grid->eta_start[i], start, 1e-9, "eta at the start of cell %d", i);
        check_near(grid->eta_end[i], end, 1e-9, "eta at the end of cell %d", i);
    }
    time_grid_free(grid);
    schedule_free(s);
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
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_horizon_limits_the_check),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
