/* The fitted step rule against exact integrals. That the balance of variance makes (9) hold is checked with whole
   solves (tests/dmft/test_identities.c). */
#include <math.h>

#include "kernel_case.h"
#include "kernels/fitting.h"

static const double DECAYS[] = {1e-5, 1e-3, 0.00999, 0.01001, 0.7, 3, 25};
enum { COUNT = sizeof DECAYS / sizeof *DECAYS };

/* Weights are exact for constants and for exponentials, in both directions of time. */
static void test_weights(void **state)
{
    for (int c = 0; c < COUNT; c++) {
        double x = DECAYS[c], omega = fitting_omega(x);
        check_near(omega + (1 - omega) * exp(-x), -expm1(-x) / x, 1e-13, "integral of exp(-x u), x = %g", x);
        check_near((1 - omega) * exp(-x) + omega, -expm1(-x) / x, 1e-13, "mean of exp(-x (1 - u)), x = %g", x);
        check_near(omega + fitting_omega(-x), 1, 1e-13, "reversed time, x = %g", x);
    }
    assert_true(fitting_omega(0) == 0.5);
}

/* The decay in a cell from the curvature at both of its ends: none where the rule is not fitted or where G is negative,
   and no more than exponentials allow. */
static void check_decay(int fitted, double curvature, double want)
{
    kernel_case c = kernel_case_new((kernel_case_plan){.k = 2,
                                                       .kstar = 1,
                                                       .steps = 8,
                                                       .fitted = fitted,
                                                       .delta = 2.4,
                                                       .lambda = 0.3,
                                                       .horizon = 2,
                                                       .eta = "if(t < 1, 0.8, 0.4)",
                                                       .response = &response_stein});
    int cell = c.grid->steps - 1;
    for (int a = 0; a < 2; a++) {
        c.now[c.at.gamma + (size_t)(3 * a)] = curvature * (1 + a);
        c.next[c.at.gamma + (size_t)(3 * a)] = 2 * curvature * (1 + a);
    }
    fitting_set(c.kern, cell, &c.at, c.now, c.next);
    check_near(c.kern->fit[cell], want, 1e-13, "decay with curvature %g", curvature);
    check_near(c.kern->fit_end[cell], fitting_omega(want), 1e-15, "weight with curvature %g", curvature);
    assert_true(c.kern->fit[0] == 0 && c.kern->fit_end[0] == 0.5);
    kernel_case_clear(&c);
}

static void test_set(void **state)
{
    /* h = 1/4, mean of eta tr G / k = 0.4 * 1.5 * 1.5 * 0.7 */
    check_decay(1, 0.7, 0.25 * (0.3 + 3.4 * 0.4 * 1.5 * 1.5 * 0.7));
    check_decay(0, 0.7, 0);
    check_decay(1, -2, 0);
    check_decay(1, 1e4, 30);
}

/* A step of df/dt = - a f, h = 1, where the rate of the fit is a fifth too large: the error is less than 0.35 of that
   of the trapezoid rule. */
static void test_decay(void **state)
{
    for (int c = 0; c < 2; c++) {
        double a = c == 0 ? 1 : 2, x = a * 1.2, error[2];
        for (int fitted = 0; fitted < 2; fitted++) {
            double omega = fitting_omega(fitted ? x : 0);
            error[fitted] = fabs((1 - omega * a) / (1 + (1 - omega) * a) - exp(-a));
        }
        check_between(error[1], 0, 0.35 * error[0], "error of a step with decay %g", a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_decay),
    };
    return cmocka_run_group_tests_name("fitted step rule", tests, NULL, NULL);
}
