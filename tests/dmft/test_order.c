/* Order of SGD in the time step. The tables are printed. */
#include "order_table.h"
#include "support/check.h"
#include "support/linear_exact.h"

static void test_linear(void **state)
{
    const linear_problem p = {.eta = 1.1, .delta = 1.5, .lambda = 0.15, .q0 = 1, .m0 = 0.25, .rho = 1.2, .sigma = 0.3};
    const double T = 2;
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(
        &t,
        test_problem(ctx,
                     "{delta: 1.5, eta: 1.1, lambda: 0.15, horizon: 2, "
                     "model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}, "
                     "initial: {q: 1, m: 0.25, rho: 1.2}, "
                     "numerics: {grading: 1, response: pathwise, paths: %zu, steps: 80, seed: 71, tolerance: 1.0e-10}}",
                     test_scaled(8000, 600)));
    table_row rows[QUANTITIES] = {0};
    order_collect(&t, 14, rows);
    order_print(&t, rows);
    linear_exact *e = linear_exact_new(&p, T, 1e-3);
    const double exact[QUANTITIES] = {linear_exact_train(e, T),   linear_exact_test(e, T), linear_exact_q(e, T),
                                      linear_exact_m(e, T),       linear_exact_R(e, T, 0), linear_exact_C(e, T, T / 2),
                                      linear_exact_R(e, T, T / 2)};
    for (int x = 0; x < QUANTITIES; x++)
        order_check_extrapolated(&rows[x], exact[x], quantity_names[x]);
    order_check(rows, test_scale() < 1 ? 2 : 6);
    linear_exact_free(e);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

/* A nonlinear loss: against the finest grids. */
static void test_tanh(void **state)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(
        &t,
        test_problem(ctx,
                     "{delta: 2, eta: 1, horizon: 2, model: {label: \"tanh(s) + 0.3*eps\", "
                     "predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}, "
                     "initial: {q: 1, m: 0.2, rho: 1}, "
                     "numerics: {grading: 1, response: pathwise, paths: %zu, steps: 48, seed: 72, tolerance: 1.0e-10}}",
                     test_scaled(8000, 600)));
    table_row rows[QUANTITIES] = {0};
    order_collect(&t, 20, rows);
    order_print(&t, rows);
    for (int x = 0; x < QUANTITIES; x++)
        order_check_against_finest(&rows[x], quantity_names[x]);
    order_check(rows, test_scale() < 1 ? 0 : 3);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_tanh),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
