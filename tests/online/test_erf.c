/* Committee machines with erf units against the closed forms of online_committee.h, which are checked first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "numerics/gauss.h"
#include "online_case.h"
#include "online_committee.h"

enum { ORDER = 60 };

typedef struct rule {
    double node[GAUSS_ORDER_MAX], weight[GAUSS_ORDER_MAX];
} rule;

/* Lower triangular root of an n x n covariance. */
static void cholesky(int n, const double *c, double *l)
{
    memset(l, 0, sizeof(double) * (size_t)(n * n));
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = c[i * n + j];
            for (int a = 0; a < j; a++)
                sum -= l[i * n + a] * l[j * n + a];
            l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
        }
}

static double unit(double x)
{
    return erf(x * M_SQRT1_2);
}

static double slope(double x)
{
    return sqrt(M_2_PI) * exp(-x * x / 2);
}

typedef double (*integrand)(const double *x);

static double f_f(const double *x)
{
    return unit(x[0]) * unit(x[1]);
}
static double s_s(const double *x)
{
    return slope(x[0]) * slope(x[1]);
}
static double s_x_f(const double *x)
{
    return slope(x[0]) * x[1] * unit(x[2]);
}
static double s_s_f_f(const double *x)
{
    return slope(x[0]) * slope(x[1]) * unit(x[2]) * unit(x[3]);
}

/* E f(x), x of covariance c: brute force. */
static double integrate(int n, const double *c, integrand f, const rule *r, int order)
{
    double l[16], z[4], x[4], sum = 0;
    int index[4] = {0}, d = 0;
    cholesky(n, c, l);
    while (d < n) {
        double weight = 1;
        for (int i = 0; i < n; i++) {
            z[i] = r->node[index[i]];
            weight *= r->weight[index[i]];
        }
        for (int i = 0; i < n; i++) {
            x[i] = 0;
            for (int j = 0; j <= i; j++)
                x[i] += l[i * n + j] * z[j];
        }
        sum += weight * f(x);
        for (d = 0; d < n && ++index[d] == order; d++)
            index[d] = 0;
    }
    return sum;
}

static void closed_forms_are_right(void **state)
{
    static const double c[16] = {0.83,  0.21, -0.34, 0.15, 0.21, 1.17,  0.42, -0.27,
                                 -0.34, 0.42, 0.95,  0.31, 0.15, -0.27, 0.31, 0.64};
    double two[4] = {c[0], c[2], c[2], c[10]}, three[3][3], four[4][4];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            four[i][j] = c[i * 4 + j];
            if (i < 3 && j < 3)
                three[i][j] = c[i * 4 + j];
        }
    rule r;
    gauss_hermite(ORDER, r.node, r.weight);
    check_near(committee_i2(c[0], c[2], c[10]), integrate(2, two, f_f, &r, ORDER), 1e-10, "I2");
    check_near(committee_slopes(c[0], c[2], c[10]), integrate(2, two, s_s, &r, ORDER), 1e-10, "E f' f'");
    check_near(committee_i3((const double(*)[3])three), integrate(3, (double *)three, s_x_f, &r, ORDER), 1e-10, "I3");
    gauss_hermite(32, r.node, r.weight);
    check_near(committee_i4((const double(*)[4])four), integrate(4, (double *)four, s_s_f_f, &r, 32), 1e-7, "I4");
}

/* All curves of a solution against the closed forms, from output time to output time. */
static void compare(const online_case *o, const committee *c, const committee_state *start, double tolerance)
{
    committee_state x = *start;
    const sgdmft_solution *s = o->solution;
    assert_int_equal(s->status, SGDMFT_OK);
    for (size_t i = 0; i < s->n_times; i++) {
        char name[32];
        if (i > 0)
            committee_move(c, s->times[i] - s->times[i - 1], 400, &x);
        check_near(online_case_value(o, "test_loss", i), committee_loss(c, &x), tolerance, "loss, time %zu", i);
        check_near(online_case_value(o, "train_loss", i), committee_loss(c, &x), tolerance, "loss, time %zu", i);
        for (int a = 0; a < c->k; a++) {
            for (int b = 0; b < c->ks; b++) {
                snprintf(name, sizeof name, "m%d%d", a + 1, b + 1);
                check_near(online_case_value(o, name, i), x.m[a * c->ks + b], tolerance, "%s, time %zu", name, i);
            }
            for (int b = 0; b < c->k; b++) {
                snprintf(name, sizeof name, "R%d%d", a + 1, b + 1);
                check_near(online_case_value(o, name, i), x.R[a * c->k + b], tolerance, "%s, time %zu", name, i);
                snprintf(name, sizeof name, "q%d%d", a + 1, b + 1);
                if (b <= a)
                    check_near(online_case_value(o, name, i), x.q[a * c->k + b], tolerance, "%s, time %zu", name, i);
            }
        }
    }
}

static const committee one = {.k = 1, .ks = 1, .eta = 1.3, .lambda = 0.07, .sigma = 0.3, .rho = {1.2}};
#define ONE                                                                                                            \
    "eta: 1.3\nlambda: 0.07\nhorizon: 8\n"                                                                             \
    "model: {label: erf(s/sqrt(2)) + 0.3*eps, predict: erf(r/sqrt(2)), loss: (f - y)^2/2}\n"                           \
    "initial: {q: 0.7, m: -0.15, rho: 1.2}\noutput: {times: 7}\nnumerics: {grading: 1, steps: 10}\n"

static void one_unit(void **state)
{
    committee_state start = {.m = {-0.15}, .q = {0.7}, .R = {1}};
    online_case o = online_case_solve(1, ONE);
    compare(&o, &one, &start, 1e-7);
    for (size_t c = 0; c < o.solution->n_curves; c++)
        for (size_t i = 0; i < o.solution->n_times; i++) {
            assert_true(o.solution->curves[c].se[i] == 0);
            check_near(o.solution->curves[c].step_error[i], 0, 1e-7, "error estimate of %s",
                       o.solution->curves[c].name);
        }
    assert_true(o.solution->info.replicas == 1 && o.solution->info.step_error_max > 0);
    online_case_clear(&o);
}

/* The default tolerance can be lowered by two orders. */
static void high_accuracy(void **state)
{
    committee_state start = {.m = {-0.15}, .q = {0.7}, .R = {1}};
    online_case o = online_case_solve(1, "eta: 1.3\nlambda: 0.07\nhorizon: 3\n"
                                         "model: {label: erf(s/sqrt(2)) + 0.3*eps, predict: erf(r/sqrt(2)), "
                                         "loss: (f - y)^2/2}\ninitial: {q: 0.7, m: -0.15, rho: 1.2}\n"
                                         "output: {times: 4}\nnumerics: {grading: 1, steps: 4, tolerance: 1e-10}\n");
    compare(&o, &one, &start, 2e-10);
    online_case_clear(&o);
}

static void two_units(void **state)
{
    committee c = {.k = 2, .ks = 2, .eta = 0.8, .lambda = 0.03, .sigma = 0, .rho = {1.1, 0.2, 0.2, 0.9}};
    committee_state start = {.m = {0.3, 0.1, -0.05, 0.2}, .q = {0.6, 0.1, 0.1, 0.9}, .R = {1, 0, 0, 1}};
    online_case o = online_case_solve(
        2, "eta: 0.8\nlambda: 0.03\nhorizon: 4\nmodel: {students: 2, teachers: 2, "
           "label: erf(s1/sqrt(2)) + erf(s2/sqrt(2)), predict: erf(r1/sqrt(2)) + erf(r2/sqrt(2)), loss: (f - y)^2/2}\n"
           "initial: {q: [[0.6, 0.1], [0.1, 0.9]], m: [[0.3, 0.1], [-0.05, 0.2]], rho: [[1.1, 0.2], [0.2, 0.9]]}\n"
           "output: {times: 5}\nnumerics: {grading: 1, steps: 8, tolerance: 1e-7}\n");
    compare(&o, &c, &start, 1e-7);
    for (size_t i = 0; i < o.solution->n_identities; i++)
        check_near(o.solution->identities[i].defect, 0, 1e-9, "%s", o.solution->identities[i].name);
    assert_int_equal(o.solution->n_identities, 4);
    online_case_clear(&o);
}

/* Label noise, more students than teachers. */
static void two_students_of_one_teacher(void **state)
{
    committee c = {.k = 2, .ks = 1, .eta = 0.6, .lambda = 0, .sigma = 0.5, .rho = {1}};
    committee_state start = {.m = {0.2, -0.1}, .q = {0.4, 0, 0, 0.5}, .R = {1, 0, 0, 1}};
    online_case o = online_case_solve(1, "eta: 0.6\nhorizon: 6\nmodel: {students: 2, "
                                         "label: erf(s/sqrt(2)) + 0.5*eps, "
                                         "predict: erf(r1/sqrt(2)) + erf(r2/sqrt(2)), loss: (f - y)^2/2}\n"
                                         "initial: {q: [[0.4, 0], [0, 0.5]], m: [[0.2], [-0.1]]}\n"
                                         "output: {times: 4}\nnumerics: {grading: 1, steps: 8, tolerance: 1e-7}\n");
    compare(&o, &c, &start, 1e-7);
    online_case_clear(&o);
}

/* Started from theta = 0 the covariance of (w, w*) is singular. */
static void start_from_zero(void **state)
{
    committee c = {.k = 1, .ks = 1, .eta = 0.9, .lambda = 0, .sigma = 0.4, .rho = {1}};
    committee_state start = {.R = {1}};
    online_case o = online_case_solve(1, "eta: 0.9\nhorizon: 5\n"
                                         "model: {label: erf(s/sqrt(2)) + 0.4*eps, predict: erf(r/sqrt(2)), "
                                         "loss: (f - y)^2/2}\ninitial: {q: 0, m: 0}\noutput: {times: 6}\n");
    compare(&o, &c, &start, 1e-7);
    online_case_clear(&o);
}

/* A student frozen at time s is a teacher without a voice: its overlap with the student that goes on is C(t, s). */
static void two_time_correlation(void **state)
{
    online_case o = online_case_solve(1, ONE);
    const sgdmft_solution *s = o.solution;
    size_t at = 4, n = s->n_grid;
    assert_int_equal(n, 11);
    char *text = NULL;
    double q = online_case_C(&o, at, at, 0, 0), m = s->m[at], left = 8 - s->t[at];
    assert_true(
        asprintf(&text,
                 "eta: 1.3\nlambda: 0.07\nhorizon: %.17g\nmodel: {teachers: 2, label: erf(s1/sqrt(2)) + 0.3*eps, "
                 "predict: erf(r/sqrt(2)), loss: (f - y)^2/2}\n"
                 "initial: {q: %.17g, m: [[%.17g, %.17g]], rho: [[1.2, %.17g], [%.17g, %.17g]]}\n"
                 "output: {times: 7}\nnumerics: {grading: 1, steps: 6}\n",
                 left, q, m, q * (1 - 1e-9), m, m, q) > 0);
    online_case frozen = online_case_solve(1, text);
    free(text);
    for (size_t i = at; i < n; i++) {
        check_near(online_case_value(&frozen, "m12", i - at), online_case_C(&o, i, at, 0, 0), 1e-7, "C(t%zu, t%zu)", i,
                   at);
        check_near(online_case_value(&frozen, "R11", i - at), online_case_R(&o, i, at, 0, 0), 1e-7, "R(t%zu, t%zu)", i,
                   at);
        assert_true(online_case_C(&o, i, at, 0, 0) == online_case_C(&o, at, i, 0, 0));
        assert_true(i == at || online_case_R(&o, at, i, 0, 0) == 0);
    }
    assert_true(online_case_R(&o, at, at, 0, 0) == 1);
    check_near(q, 0.9, 0.9, "q"); /* a number, not a NaN */
    online_case_clear(&frozen);
    online_case_clear(&o);
}

/* Both students start alike but for one part in a hundred: they stay so on a plateau, then each picks its teacher. */
static void plateau_and_escape(void **state)
{
    committee c = {.k = 2, .ks = 2, .eta = 1.5, .rho = {1, 0, 0, 1}};
    committee_state x = {.m = {1e-2}, .q = {0.2, 0, 0, 0.2}, .R = {1, 0, 0, 1}};
    double m11[6], m12[6], loss[6];
    online_case o = online_case_solve(
        1, "eta: 1.5\nhorizon: 125\nmodel: {students: 2, teachers: 2, label: erf(s1/sqrt(2)) + erf(s2/sqrt(2)), "
           "predict: erf(r1/sqrt(2)) + erf(r2/sqrt(2)), loss: (f - y)^2/2}\n"
           "initial: {q: [[0.2, 0], [0, 0.2]], m: [[0.01, 0], [0, 0]]}\n"
           "output: {times: 6}\nnumerics: {grading: 1, steps: 5, tolerance: 1e-4}\n");
    for (size_t i = 0; i < 6; i++) {
        if (i > 0)
            committee_move(&c, 25, 1500, &x);
        m11[i] = online_case_value(&o, "m11", i);
        m12[i] = online_case_value(&o, "m12", i);
        loss[i] = online_case_value(&o, "test_loss", i);
        check_near(m11[i], x.m[0], 1e-3, "m11, time %zu", i);
        check_near(loss[i], committee_loss(&c, &x), 1e-4, "loss, time %zu", i);
    }
    assert_true(m11[1] > 0.3 && fabs(m11[1] - m12[1]) < 0.05); /* plateau */
    assert_true(loss[1] < 0.1 * loss[0] && loss[2] > 0.5 * loss[1]);
    assert_true(m11[5] > 0.95 && m12[5] < 0.05 && loss[5] < 0.01 * loss[1]); /* after the escape */
    online_case_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms_are_right),
        cmocka_unit_test(one_unit),
        cmocka_unit_test(high_accuracy),
        cmocka_unit_test(two_units),
        cmocka_unit_test(two_students_of_one_teacher),
        cmocka_unit_test(start_from_zero),
        cmocka_unit_test(two_time_correlation),
        cmocka_unit_test(plateau_and_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
