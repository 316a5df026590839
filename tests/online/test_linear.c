/* The linear model, label s + sigma eps, loss (r - y)^2/2: m, q, R and C(t, s) in closed form, also across jumps of
   eta; two coupled students, whose response decays at different paces; stiff problems. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns/solution.h"
#include "online_case.h"

/* With eta constant: a = lambda + eta, b = 2 lambda + 2 eta - eta^2,
   m' = - a m + eta rho,   q' = - b q + (2 eta - 2 eta^2) m + eta^2 (rho + sigma^2) */
typedef struct linear {
    double lambda, rho, sigma;
} linear;

static double move_m(const linear *l, double eta, double t, double m)
{
    double a = l->lambda + eta, rest = eta * l->rho / a;
    return rest + (m - rest) * exp(-a * t);
}

static double move_q(const linear *l, double eta, double t, double m, double q)
{
    double a = l->lambda + eta, b = 2 * l->lambda + 2 * eta - eta * eta, rest = eta * l->rho / a;
    double constant = eta * eta * (l->rho + l->sigma * l->sigma), slope = 2 * eta - 2 * eta * eta;
    double decay = exp(-b * t), fall = (1 - decay) / b;
    return q * decay + (constant + slope * rest) * fall + slope * (m - rest) * (exp(-a * t) - decay) / (b - a);
}

static void check_point(const online_case *o, const linear *l, size_t i, double m, double q, double R)
{
    double loss = (q - 2 * m + l->rho + l->sigma * l->sigma) / 2;
    check_near(online_case_value(o, "m11", i), m, 1e-8, "m, time %zu", i);
    check_near(online_case_value(o, "q11", i), q, 1e-8, "q, time %zu", i);
    check_near(online_case_value(o, "test_loss", i), loss, 1e-8, "loss, time %zu", i);
    check_near(online_case_value(o, "R11", i), R, 1e-8, "R, time %zu", i);
    check_near(online_case_value(o, "test_excess", i), q - 2 * m + l->rho, 1e-8, "observable, time %zu", i);
}

#define MODEL                                                                                                          \
    "model: {label: s + 0.37*eps, loss: (r - y)^2/2}\nobservables: {excess: (r - s)^2}\n"                              \
    "initial: {q: 0.83, m: 0.21, rho: 1.16}\n"
static const linear model_line = {.lambda = 0.13, .rho = 1.16, .sigma = 0.37};

static void constant_step(void **state)
{
    online_case o = online_case_solve(1, "eta: 0.71\nlambda: 0.13\nhorizon: 7\n" MODEL
                                         "numerics: {grading: 1, steps: 14}\noutput: {times: 12}\n");
    const sgdmft_solution *s = o.solution;
    double a = 0.13 + 0.71;
    assert_true(s->n_times == 12 && s->n_grid == 15);
    for (size_t i = 0; i < s->n_times; i++) {
        double t = s->times[i];
        check_point(&o, &model_line, i, move_m(&model_line, 0.71, t, 0.21), move_q(&model_line, 0.71, t, 0.21, 0.83),
                    exp(-a * t));
    }
    for (size_t i = 0; i < s->n_grid; i++)
        for (size_t j = 0; j <= i; j++) {
            double decay = exp(-a * (s->t[i] - s->t[j])), m = move_m(&model_line, 0.71, s->t[j], 0.21);
            double q = move_q(&model_line, 0.71, s->t[j], 0.21, 0.83);
            check_near(s->t[i], 0.5 * (double)i, 1e-15, "node %zu", i);
            check_near(online_case_R(&o, i, j, 0, 0), decay, 1e-8, "R(t%zu, t%zu)", i, j);
            check_near(online_case_C(&o, i, j, 0, 0), decay * q + 0.71 / a * (1 - decay) * m, 1e-8, "C(t%zu, t%zu)", i,
                       j);
        }
    online_case_clear(&o);
}

/* eta = 0.9 before 2.3, 0.25 until 4, 0.6 after: jumps on and off the output times, one of them at a grid node. */
static void jumps_of_eta(void **state)
{
    static const double eta[3] = {0.9, 0.25, 0.6}, until[3] = {2.3, 4, 6};
    online_case o =
        online_case_solve(1, "eta: \"if(t < 2.3, 0.9, if(t <= 4, 0.25, 0.6))\"\nlambda: 0.13\nhorizon: 6\n" MODEL
                             "numerics: {grading: 1, steps: 12}\noutput: {times: 21}\n");
    const sgdmft_solution *s = o.solution;
    double m = 0.21, q = 0.83, R = 1, from = 0;
    int part = 0;
    for (size_t i = 0; i < s->n_times; i++) {
        double t = s->times[i];
        while (t > until[part]) {
            double span = until[part] - from;
            q = move_q(&model_line, eta[part], span, m, q);
            m = move_m(&model_line, eta[part], span, m);
            R *= exp(-(0.13 + eta[part]) * span);
            from = until[part++];
        }
        check_point(&o, &model_line, i, move_m(&model_line, eta[part], t - from, m),
                    move_q(&model_line, eta[part], t - from, m, q), R * exp(-(0.13 + eta[part]) * (t - from)));
    }
    /* few steps: the jumps are not found by trial and error */
    assert_true(s->info.steps < 400);
    online_case_clear(&o);
}

/* g = H r - K y with H = [[1.25, 0.5], [0.5, 1]]: R(t, s) = exp(-(lambda + eta H)(t - s)). */
static void coupled_students(void **state)
{
    online_case o = online_case_solve(
        2, "eta: 0.8\nlambda: 0.05\nhorizon: 60\nmodel: {students: 2, teachers: 3, label: [s1 - 0.3*s3, s2 + 0.2*eps], "
           "loss: (r1 - y1)^2/2 + (r2 - y2 + 0.5*r1)^2/2}\n"
           "initial: {q: [[0.5, 0.1], [0.1, 0.4]], m: [[0.2, 0, 0.1], [0, -0.1, 0.3]]}\n"
           "numerics: {steps: 30, grading: 1.2}\noutput: {times: 4}\n");
    const sgdmft_solution *s = o.solution;
    double root = sqrt(0.125 * 0.125 + 0.25), mean = 1.125;
    for (size_t j = 0; j < s->n_grid; j++)
        for (size_t i = j; i < s->n_grid && i < j + 4; i++) {
            double t = s->t[i] - s->t[j], low = exp(-(0.05 + 0.8 * (mean - root)) * t);
            double high = exp(-(0.05 + 0.8 * (mean + root)) * t);
            /* projectors (1 +- (H - mean)/root)/2 */
            double deviation[4] = {0.125 / root, 0.5 / root, 0.5 / root, -0.125 / root};
            for (int c = 0; c < 4; c++) {
                double one = c % 3 == 0, want = (one * (low + high) + deviation[c] * (high - low)) / 2;
                check_near(online_case_R(&o, i, j, c / 2, c % 2), want, 2e-8, "R(t%zu, t%zu) %d", i, j, c);
            }
            check_near(online_case_C(&o, i, i, 0, 1), online_case_C(&o, i, i, 1, 0), 0, "C(t, t)");
        }
    /* at rest E[g w*^T] = - lambda/eta m: (H + lambda/eta) m = K E[y w*^T] = [[1, 0.5], [0, 1]] [[1, 0, -0.3], [0, 1,
       0]] */
    double h11 = 1.25 + 0.05 / 0.8, h22 = 1 + 0.05 / 0.8, det = h11 * h22 - 0.25;
    double right[6] = {1, 0.5, -0.3, 0, 1, 0};
    const double *m = s->m + (s->n_grid - 1) * 6;
    for (int c = 0; c < 3; c++) {
        check_near(m[c], (h22 * right[c] - 0.5 * right[3 + c]) / det, 1e-8, "m1%d at rest", c + 1);
        check_near(m[3 + c], (h11 * right[3 + c] - 0.5 * right[c]) / det, 1e-8, "m2%d at rest", c + 1);
    }
    online_case_clear(&o);
}

/* A strong ridge, for which the explicit method would need 40 steps per unit of time: the implicit one takes over. */
static void stiff_problem(void **state)
{
    linear l = {.lambda = 40, .rho = 1.16, .sigma = 0.37};
    online_case o = online_case_solve(1, "eta: 0.71\nlambda: 40\nhorizon: 300\n" MODEL
                                         "numerics: {grading: 1, steps: 4}\noutput: {times: 4}\n");
    for (size_t i = 0; i < 4; i++) {
        double t = o.solution->times[i];
        check_point(&o, &l, i, move_m(&l, 0.71, t, 0.21), move_q(&l, 0.71, t, 0.21, 0.83), exp(-40.71 * t));
    }
    assert_true(o.solution->info.steps < 8000);
    online_case_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_step),
        cmocka_unit_test(jumps_of_eta),
        cmocka_unit_test(coupled_students),
        cmocka_unit_test(stiff_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
