/* The step rule and the filter: integrals over cells where eta varies and jumps, means over a kernel's earlier time,
   and steps of linear equations, against exact integrals and solutions. */
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>

#include "kernel_case.h"
#include "kernels/filter.h"
#include "kernels/step_rule.h"

enum { STEPS = 128, HALVINGS = 3 };
static const double DELTA = 1.37, LAMBDA = 0.43, HORIZON = 2.3, JUMP = 0.913;

static double eta(double t)
{
    return (t < JUMP ? 0.9 : 0.35) / (1 + 0.3 * t);
}

static const char ETA[] = "if(t < 0.913, 0.9, 0.35)/(1 + 0.3*t)";

/* The force of the samples without delta eta, which jumps with eta: its two limits at a time. */
static double force_after(double t)
{
    return cos(2.1 * t + 0.3) + (t < JUMP ? 0 : 0.8 * t);
}

static double force_before(double t)
{
    return cos(2.1 * t + 0.3) + (t <= JUMP ? 0 : 0.8 * t);
}

/* A grid of STEPS >> coarsened steps. */
static kernel_case case_new(int coarsened)
{
    return kernel_case_new((kernel_case_plan){.k = 1,
                                              .kstar = 1,
                                              .steps = STEPS,
                                              .coarsened = coarsened,
                                              .delta = DELTA,
                                              .lambda = LAMBDA,
                                              .horizon = HORIZON,
                                              .grading = 1.3,
                                              .eta = ETA});
}

/* Weights are half a cell each, times delta eta on its own side of the cell. */
static void test_weights(void **state)
{
    kernel_case c = case_new(1);
    const double *t = c.grid->t;
    for (int i = 0; i < c.grid->steps; i++) {
        step_weights time = step_rule_time(c.grid, i), rates = step_rule_rates(c.grid, DELTA, i);
        step_weights force = step_rule_force(c.grid, DELTA, i);
        double inside = 1e-7 * (t[i + 1] - t[i]), start = DELTA * eta(t[i] + inside),
               end = DELTA * eta(t[i + 1] - inside);
        check_near(time.start, 0.5 * (t[i + 1] - t[i]), 1e-16, "time at the start of cell %d", i);
        check_near(time.end, 0.5 * (t[i + 1] - t[i]), 1e-16, "time at the end of cell %d", i);
        check_near(rates.start, start, 1e-8, "rate at the start of cell %d", i);
        check_near(rates.end, end, 1e-8, "rate at the end of cell %d", i);
        check_near(force.start, time.start * rates.start, 1e-16, "force at the start of cell %d", i);
        check_near(force.end, time.end * rates.end, 1e-16, "force at the end of cell %d", i);
    }
    kernel_case_clear(&c);
}

/* Errors on grids that are each of every second node of the one before: the order in the step. */
static void check_order(const double error[HALVINGS], const char *name)
{
    print_message("%-28s %.2e %.2e %.2e, ratios %.3f %.3f\n", name, error[0], error[1], error[2], error[0] / error[1],
                  error[1] / error[2]);
    check_between(error[0] / error[1], 3.8, 4.2, "%s: error ratio", name);
    check_between(error[1] / error[2], 3.9, 4.1, "%s: error ratio", name);
    check_between(fabs(error[2]), 1e-12, 2e-4, "%s: error on the finest grid", name);
}

/* What is integrated, from 0 to t on both sides of the jump. */
typedef struct integrand {
    double (*f)(double u, double t);
    double t;
} integrand;

static double integral(const integrand *of)
{
    enum { POINTS = 40 };
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(POINTS);
    double sum = 0, low = 0, end[2] = {fmin(JUMP, of->t), of->t};
    for (int part = 0; part < 2; part++) {
        for (size_t x = 0; x < POINTS; x++) {
            double u, weight;
            gsl_integration_glfixed_point(low, end[part], x, &u, &weight, table);
            sum += weight * of->f(u, of->t);
        }
        low = end[part];
    }
    gsl_integration_glfixed_table_free(table);
    return sum;
}

static double plain(double u, double t)
{
    return DELTA * eta(u) * force_after(u);
}

static void test_integral(void **state)
{
    double error[HALVINGS], want = integral(&(integrand){plain, HORIZON});
    for (int g = 0; g < HALVINGS; g++) {
        kernel_case c = case_new(HALVINGS - 1 - g);
        error[g] = -want;
        for (int i = 0; i < c.grid->steps; i++) {
            step_weights w = step_rule_force(c.grid, DELTA, i);
            error[g] += w.start * force_after(c.grid->t[i]) + w.end * force_before(c.grid->t[i + 1]);
        }
        kernel_case_clear(&c);
    }
    check_order(error, "integral of a force");
}

/* The mean of a row over a cell, of a line and of a curve. */
static void test_mean(void **state)
{
    double error[HALVINGS];
    for (int g = 0; g < HALVINGS; g++) {
        kernel_case c = case_new(HALVINGS - 1 - g);
        const time_grid *grid = c.grid;
        double *row = memory_doubles((size_t)grid->steps + 1);
        assert_non_null(row);
        for (int j = 0; j <= grid->steps; j++)
            row[j] = 0.7 - 1.9 * grid->t[j];
        for (int cell = 0; cell < grid->steps; cell++)
            check_near(step_rule_mean(row, cell), 0.7 - 1.9 * (grid->t[cell] + 0.5 * grid->h[cell]), 1e-14,
                       "mean of a line");
        for (int j = 0; j <= grid->steps; j++)
            row[j] = exp(-1.3 * grid->t[j]);
        error[g] = -(1 - exp(-1.3 * HORIZON)) / 1.3;
        for (int cell = 0; cell < grid->steps; cell++)
            error[g] += grid->h[cell] * step_rule_mean(row, cell);
        free(row);
        kernel_case_clear(&c);
    }
    check_order(error, "integral of means");
}

static double filtered(double u, double t)
{
    return exp(-LAMBDA * (t - u)) * plain(u, t);
}

/* dx/dt = - lambda x - delta eta f */
static void test_filter_steps(void **state)
{
    const double x0 = 0.83;
    double error[HALVINGS], want = exp(-LAMBDA * HORIZON) * x0 - integral(&(integrand){filtered, HORIZON});
    for (int g = 0; g < HALVINGS; g++) {
        kernel_case c = case_new(HALVINGS - 1 - g);
        double x = x0;
        for (int i = 0; i < c.grid->steps; i++) {
            filter_step step = filter_step_of(&c.kern->filter, c.grid, i);
            step_weights w = step_rule_force(c.grid, DELTA, i);
            double force = w.start * force_after(c.grid->t[i]) + w.end * force_before(c.grid->t[i + 1]);
            x = (step.keep * x - force) / step.divide;
        }
        error[g] = x - want;
        kernel_case_clear(&c);
    }
    check_order(error, "filter with a force");
}

/* Without a ridge the filter keeps its argument. */
static void test_no_ridge(void **state)
{
    kernel_case c = case_new(0);
    filter none = {0};
    for (int i = 0; i < c.grid->steps; i++) {
        filter_step step = filter_step_of(&none, c.grid, i);
        assert_true(step.keep == 1 && step.divide == 1);
    }
    kernel_case_clear(&c);
}

/* ---- the decay of C ---- */

enum { K = 2, KSTAR = 2, KK = K * K };
static const double Q0[KK] = {1.2, 0.3, 0.3, 0.8}, M0[K * KSTAR] = {0.4, -0.3, 0.15, 0.25};
static const double RHO[KSTAR * KSTAR] = {1.1, 0.2, 0.2, 0.9};

/* Kernels of a system without samples, which only decays. */
static kernel_case decaying(int coarsened)
{
    kernel_case c = kernel_case_new((kernel_case_plan){.k = K,
                                                       .kstar = KSTAR,
                                                       .steps = STEPS,
                                                       .coarsened = coarsened,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .eta = "0.7",
                                                       .q0 = Q0,
                                                       .m0 = M0,
                                                       .rho = RHO});
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < c.grid->steps; i++)
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
    return c;
}

/* - dC(t, t)/dt and - dC(t, 0)/dt from differences of C between neighbouring nodes. */
static double decay_error(int coarsened, int single)
{
    kernel_case c = decaying(coarsened);
    const double *t = c.grid->t;
    double worst = 0;
    for (int i = 1; i < c.grid->steps; i++) {
        double before[KK], here[KK], after[KK], got[KK];
        kernels_correlation(c.kern, Q0, RHO, i - 1, single ? 0 : i - 1, before);
        kernels_correlation(c.kern, Q0, RHO, i, single ? 0 : i, here);
        kernels_correlation(c.kern, Q0, RHO, i + 1, single ? 0 : i + 1, after);
        kernels_decay(c.kern, i, single, here, got);
        for (int x = 0; x < KK; x++)
            worst = fmax(worst, fabs(got[x] + (after[x] - before[x]) / (t[i + 1] - t[i - 1])));
    }
    kernel_case_clear(&c);
    return worst;
}

static void test_decay(void **state)
{
    for (int single = 0; single < 2; single++) {
        double error[HALVINGS];
        for (int g = 0; g < HALVINGS; g++)
            error[g] = decay_error(HALVINGS - 1 - g, single);
        check_order(error, single ? "decay of C(t, 0)" : "decay of C(t, t)");
    }
}

/* With sampled theta the averages of the coordinates take the place of lambda C: d/dt E[theta theta^T] has the
   transpose, too. */
static void test_sampled_decay(void **state)
{
    kernel_case c = decaying(0);
    check_ok(c.ctx, kernels_set_sampled(c.ctx, c.kern));
    for (int i = 0; i <= c.grid->steps; i += 17) {
        double *decay = c.kern->sampled->decay + (size_t)(2 * i) * KK, C[KK] = {NAN, NAN, NAN, NAN}, both[KK],
               single[KK];
        for (int x = 0; x < 2 * KK; x++)
            decay[x] = 0.1 * i + sqrt(2 + x);
        kernels_decay(c.kern, i, 0, C, both);
        kernels_decay(c.kern, i, 1, C, single);
        for (int a = 0; a < K; a++)
            for (int b = 0; b < K; b++) {
                check_near(both[a * K + b], 0.2 * i + sqrt(2 + a * K + b) + sqrt(2 + b * K + a), 1e-13, "node %d", i);
                check_near(single[a * K + b], 0.1 * i + sqrt(2 + KK + a * K + b), 1e-13, "node %d, to the start", i);
            }
    }
    kernel_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),       cmocka_unit_test(test_integral), cmocka_unit_test(test_mean),
        cmocka_unit_test(test_filter_steps),  cmocka_unit_test(test_no_ridge), cmocka_unit_test(test_decay),
        cmocka_unit_test(test_sampled_decay),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
