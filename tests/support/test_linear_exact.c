/* The exact solution of the linear model against numbers and formulas found elsewhere, before anything is compared
   with it. */
#include <math.h>

#include "support/check.h"
#include "support/linear_exact.h"

static const double STEP = 1e-3;

static linear_exact *solution(linear_problem p, double horizon, double step)
{
    linear_exact *e = linear_exact_new(&p, horizon, step);
    assert_non_null(e);
    return e;
}

/* Theory, section 3, to the four digits given there. */
static void test_anchors(void **state)
{
    static const double t[4] = {0, 0.5, 1, 2};
    static const double train[4] = {1.0050, .3772, .1888, .0700}, test[4] = {1.0050, .5478, .3515, .1856};
    static const double m[4] = {0, .4477, .6246, .7727}, q[4] = {1, .9809, .9422, .9066};
    linear_exact *e =
        solution((linear_problem){.eta = 1, .delta = 1.5, .q0 = 1, .m0 = 0, .rho = 1, .sigma = 0.1}, 2, STEP);
    for (int i = 0; i < 4; i++) {
        check_near(linear_exact_train(e, t[i]), train[i], 5.1e-5, "train loss at t = %g", t[i]);
        check_near(linear_exact_test(e, t[i]), test[i], 5.1e-5, "test loss at t = %g", t[i]);
        check_near(linear_exact_m(e, t[i]), m[i], 5.1e-5, "m at t = %g", t[i]);
        check_near(linear_exact_q(e, t[i]), q[i], 5.1e-5, "q at t = %g", t[i]);
    }
    linear_exact_free(e);
}

static void test_anchors_closed_form(void **state)
{
    static const double t[4] = {0, 0.5, 1, 2}, train[4] = {.5, .1860492, .0920323, .0329356};
    /* only |theta - theta*|^2 matters: 1 = q0 - 2 m0 + rho */
    linear_exact *e = solution((linear_problem){.eta = 1, .delta = 1.5, .q0 = 0.75, .m0 = 0.4, .rho = 1.05}, 2, STEP);
    for (int i = 0; i < 4; i++)
        check_near(linear_exact_train(e, t[i]), train[i], 5.1e-8, "train loss at t = %g", t[i]);
    linear_exact_free(e);
}

/* Paquette, Lee, Pedregosa, Paquette 2021, Theorem 3. The law nu by a midpoint rule of its own. */
static double paquette_train(double delta, double eta, double distance, double t)
{
    double c = 1 / delta, gamma = eta * delta, half = 1 - eta / 2;
    double omega = half * half * (8 / gamma - (1 + c) * (1 + c)) / 4, x0 = (1 + c) * half / 2;
    double centre = 1 + c, radius = 2 * sqrt(c), sum = 0;
    enum { POINTS = 4000 };
    for (int j = 0; j < POINTS; j++) {
        double phi = M_PI * (j + 0.5) / POINTS, x = centre + radius * cos(phi), height = radius * sin(phi);
        double density = height * height / (2 * M_PI * c * x) * M_PI / POINTS;
        sum += density * x * exp(-2 * gamma * x * t) / ((x - x0) * (x - x0) + omega);
    }
    return distance / gamma * half * sum;
}

static void test_closed_form(void **state)
{
    static const double delta[4] = {0.6, 1.25, 2.3, 5}, eta[4] = {0.7, 1.1, 0.45, 0.8};
    for (int i = 0; i < 4; i++) {
        linear_problem p = {.eta = eta[i], .delta = delta[i], .q0 = 1.3, .m0 = 0.37, .rho = 0.9};
        linear_exact *e = solution(p, 2.25, STEP / 2);
        for (double t = 0; t < 2.3; t += 0.75)
            check_near(linear_exact_train(e, t), paquette_train(delta[i], eta[i], p.q0 - 2 * p.m0 + p.rho, t), 1e-9,
                       "train loss at t = %g, delta = %g, eta = %g", t, delta[i], eta[i]);
        linear_exact_free(e);
    }
}

/* Moments of the spectrum: mass 1, mean delta, mean square delta + delta^2, ... */
static void test_spectral_law(void **state)
{
    static const double delta[5] = {0.31, 0.83, 1, 1.5, 3.7};
    for (int i = 0; i < 5; i++) {
        double d = delta[i];
        linear_exact *e = solution((linear_problem){.eta = 1, .delta = d, .q0 = 1, .rho = 1}, 0.1, 0.01);
        check_near(linear_exact_moment(e, 0), 1, 1e-13, "mass, delta = %g", d);
        check_near(linear_exact_moment(e, 1), d, 1e-13 * d, "first moment, delta = %g", d);
        check_near(linear_exact_moment(e, 2), d + d * d, 1e-13 * (d + d * d), "second moment, delta = %g", d);
        check_near(linear_exact_moment(e, 3), d + 3 * d * d + d * d * d, 1e-13 * (d + 3 * d * d + d * d * d),
                   "third moment, delta = %g", d);
        linear_exact_free(e);
    }
}

/* Halving the internal step changes nothing at the accuracy that is claimed. */
static void test_converged(void **state)
{
    linear_problem p = {.eta = 1.3,
                        .decay = 0.2,
                        .switch_at = 1,
                        .after = 0.6,
                        .delta = 0.7,
                        .lambda = 0.23,
                        .q0 = 1.1,
                        .m0 = 0.3,
                        .rho = 0.8,
                        .sigma = 0.4};
    linear_exact *coarse = solution(p, 2.5, 2e-3), *fine = solution(p, 2.5, 1e-3);
    for (double t = 0.25; t < 2.6; t += 0.377) {
        check_near(linear_exact_train(coarse, t), linear_exact_train(fine, t), 1e-9, "train loss at t = %g", t);
        check_near(linear_exact_q(coarse, t), linear_exact_q(fine, t), 1e-9, "q at t = %g", t);
        check_near(linear_exact_m(coarse, t), linear_exact_m(fine, t), 1e-9, "m at t = %g", t);
        check_near(linear_exact_C(coarse, t, 0.3 * t), linear_exact_C(fine, t, 0.3 * t), 1e-9, "C at t = %g", t);
    }
    linear_exact_free(coarse);
    linear_exact_free(fine);
}

/* Without steps everything decays by the ridge alone. */
static void test_ridge_alone(void **state)
{
    linear_problem p = {.eta = 0, .delta = 1.7, .lambda = 0.6, .q0 = 1.4, .m0 = -0.3, .rho = 1.2, .sigma = 0.5};
    linear_exact *e = solution(p, 2, STEP);
    check_near(linear_exact_q(e, 1.7), 1.4 * exp(-2 * 0.6 * 1.7), 1e-12, "q");
    check_near(linear_exact_m(e, 1.7), -0.3 * exp(-0.6 * 1.7), 1e-12, "m");
    check_near(linear_exact_C(e, 0.4, 1.7), 1.4 * exp(-0.6 * 2.1), 1e-12, "C");
    check_near(linear_exact_R(e, 1.7, 0.4), exp(-0.6 * 1.3), 1e-12, "R");
    linear_exact_free(e);
}

/* The identity for d/dt C(t,t) of theory section 2. Without teacher and noise y = 0, so that E[g r] = E[g^2] is twice
   the train loss and the identity joins q and the train loss. */
static void test_energy_balance(void **state)
{
    linear_problem p = {.eta = 0.9, .delta = 1.4, .lambda = 0.2, .q0 = 1.3};
    linear_exact *e = solution(p, 1.6, STEP);
    double h = 1e-3;
    for (double t = 0.1; t < 1.5; t += 0.45) {
        double slope = (linear_exact_q(e, t + h) - linear_exact_q(e, t - h)) / (2 * h);
        double risk = 2 * linear_exact_train(e, t);
        double want = -2 * p.lambda * linear_exact_q(e, t) + p.delta * (p.eta * p.eta - 2 * p.eta) * risk;
        check_near(slope, want, 3e-5, "dq/dt at t = %g", t);
    }
    linear_exact_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spectral_law),        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_anchors_closed_form), cmocka_unit_test(test_closed_form),
        cmocka_unit_test(test_converged),           cmocka_unit_test(test_ridge_alone),
        cmocka_unit_test(test_energy_balance),
    };
    return cmocka_run_group_tests_name("linear exact", tests, NULL, NULL);
}
