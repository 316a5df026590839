/* Averages over a fresh sample: point sets, their weights, counts and matching; fields, and jumps of eta. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/online/law.h"
#include "support/check.h"
#include "support/plan.h"

static double double_factorial(int n)
{
    return n <= 0 ? 1 : n * double_factorial(n - 2);
}

/* E z1^p1 z2^p2 z3^p3 */
static double average(const online_points *points, const int power[3])
{
    double sum = 0;
    for (size_t b = 0; b < points->n_blocks; b++) {
        size_t n = points->lanes[b];
        for (size_t p = 0; p < n; p++) {
            double term = points->block[b][3 * n + p];
            for (int d = 0; d < 3; d++)
                term *= pow(points->block[b][(size_t)d * n + p], power[d]);
            sum += term;
        }
    }
    return sum;
}

static void tensor_rules(void **state)
{
    sgdmft_context *ctx = check_context(1);
    static const int order[3] = {20, 3, 31}, powers[][3] = {{0, 0, 0}, {2, 2, 0}, {4, 4, 6}, {1, 2, 3}, {6, 0, 2}};
    online_points points;
    size_t count, capped;
    check_ok(ctx, online_points_count(ctx, 3, order, 100000, &count));
    check_ok(ctx, online_points_count(ctx, 3, order, 100, &capped));
    assert_true(count < 20 * 3 * 31 && count > 20 * 3 * 31 / 2 && capped == 101);
    check_ok(ctx, online_points_hermite(ctx, 3, order, &points));
    assert_int_equal(points.n, count);
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        double want = 1;
        for (int d = 0; d < 3; d++)
            want *= powers[i][d] % 2 ? 0 : double_factorial(powers[i][d] - 1);
        check_near(average(&points, powers[i]), want, 1e-12 * (1 + want), "tensor average %zu", i);
    }
    online_points_clear(&points);
    sgdmft_context_free(ctx);
}

static void sobol_points_are_matched(void **state)
{
    sgdmft_context *ctx = check_context(1);
    online_points points, other;
    random_key key = {.seed = 91, .replica = 3, .purpose = 1};
    check_ok(ctx, online_points_sobol(ctx, key, 3, 5003, &points));
    key.replica = 4;
    check_ok(ctx, online_points_sobol(ctx, key, 3, 5003, &other));
    assert_true(points.block[1][7] != other.block[1][7]);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b <= a; b++) {
            int second[3] = {0}, first[3] = {0};
            first[a] = 1;
            second[a]++;
            second[b]++;
            check_near(average(&points, first), 0, 1e-14, "mean %d", a);
            check_near(average(&points, second), a == b, 1e-12, "covariance %d %d", a, b);
        }
    check_near(average(&points, (int[3]){0, 0, 0}), 1, 1e-12, "weights");
    check_near(average(&points, (int[3]){4, 0, 0}), 3, 0.02, "fourth moment");
    check_near(average(&points, (int[3]){2, 0, 2}), 1, 0.02, "mixed moment");
    online_points_clear(&points);
    online_points_clear(&other);
    sgdmft_context_free(ctx);
}

/* Covariance of (w, w*) and of w with z through averages of a bilinear loss, k = 2, k* = 2. */
static void fields_have_their_covariance(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(
        ctx, "{dynamics: online, horizon: 1, model: {students: 2, teachers: 2, label: [s1, s2, eps2], "
             "loss: r1^2/2 + r2^2/2 - y1*r2}, initial: {rho: [[1.3, 0.4], [0.4, 0.9]]},"
             "observables: {a: r1*r2, b: r1*s1, c: r1*s2, d: r2*s1, e: s1*s2, f: r2^2, g: r1*eps2, h: eps1^2*eps2^4}}");
    static const int order[6] = {5, 6, 5, 5, 5, 6};
    static const double m[4] = {0.3, -0.2, 0.5, 0.1}, q[4] = {0.8, 0.25, 0.25, 1.1};
    static const double want[] = {0.25, 0.3, -0.2, 0.5, 0.4, 1.1, 0, 3};
    online_plan *plan = NULL;
    online_law *law = NULL;
    online_points points;
    online_state at;
    online_averages mean;
    const double *seen;
    check_ok(ctx, online_plan_new(ctx, problem, &plan));
    check_ok(ctx, online_points_hermite(ctx, 6, order, &points));
    check_ok(ctx, online_law_new(ctx, plan, &points, 3, &law));
    assert_int_equal(online_state_set(plan, 0.7, m, q, &at), 0);
    assert_int_equal(online_law_observe(law, &at, &seen), 0);
    check_near(seen[0], (0.8 + 1.1) / 2 - 0.5, 1e-12, "loss");
    for (int i = 0; i < 8; i++)
        check_near(seen[1 + i], want[i], 1e-12, "observable %d", i);
    /* g = (r1, r2 - s1) */
    assert_int_equal(online_law_averages(law, &at, 1, &mean), 0);
    check_near(mean.gs[0], 0.3, 1e-12, "E g1 s1");
    check_near(mean.gs[2], 0.5 - 1.3, 1e-12, "E g2 s1");
    check_near(mean.gs[3], 0.1 - 0.4, 1e-12, "E g2 s2");
    check_near(mean.gg[1], 0.25 - 0.3, 1e-12, "E g1 g2");
    check_near(mean.gg[3], 1.1 - 2 * 0.5 + 1.3, 1e-12, "E g2 g2");
    check_near(mean.G[0], 1, 1e-12, "E G11");
    check_near(mean.G[1], 0, 1e-12, "E G12");
    for (int c = 0; c < 4; c++) /* Gamma = 1, so E g z^T = B */
        check_near(mean.gz[c], at.field.root[c], 1e-12, "E g z");
    online_law_free(law);
    online_plan_free(plan);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

/* The jumps of eta that the integration must not step over. */
static size_t count_jumps(const char *eta, eta_jump *first)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem =
        test_problem(ctx, "{dynamics: online, horizon: 10, eta: \"%s\", model: {label: s, loss: (r - y)^2/2}}", eta);
    online_plan *plan = NULL;
    check_ok(ctx, online_plan_new(ctx, problem, &plan));
    size_t n = plan->n_jumps;
    if (n > 0)
        *first = plan->jump[0];
    online_plan_free(plan);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return n;
}

static void jumps_of_eta_are_found(void **state)
{
    eta_jump jump = {0};
    assert_int_equal(count_jumps("if(t < 3.17, 1, 0.1)", &jump), 1);
    assert_true(jump.before < 3.17 && jump.after >= 3.17 && jump.after - jump.before < 1e-14);
    assert_int_equal(count_jumps("if(t <= 2.5, 0.8*exp(-t), 0.3)", &jump), 1);
    assert_true(jump.before == 2.5 && jump.after > 2.5 && jump.after - jump.before < 1e-14);
    assert_int_equal(count_jumps("1/(1 + t)", &jump), 0);
    assert_int_equal(count_jumps("0.3 + max(0, t - 4)", &jump), 0);
    assert_int_equal(count_jumps("0.5 + 0.4*sign(sin(3*t))", &jump), 9);
    check_near(jump.after, 3.14159265358979 / 3, 1e-12, "first switch");
    assert_int_equal(count_jumps("0.7", &jump), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensor_rules),
        cmocka_unit_test(sobol_points_are_matched),
        cmocka_unit_test(fields_have_their_covariance),
        cmocka_unit_test(jumps_of_eta_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
