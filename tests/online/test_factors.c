/* Averages that are sums of products: against tensor rules over all variables, closed forms, and each other where
   covariances are singular or nearly so; which problems they are for; a plateau that sampling noise would cut short. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "online_case.h"
#include "solvers/online/law.h"

static const char *plateau_file;

typedef struct setting {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    online_plan *plan;
} setting;

static setting setting_new(const char *text)
{
    setting s = {.ctx = check_context(2)};
    s.problem = test_problem(s.ctx, "{dynamics: online, horizon: 1, %s}", text);
    check_ok(s.ctx, online_plan_new(s.ctx, s.problem, &s.plan));
    return s;
}

static void setting_clear(setting *s)
{
    online_plan_free(s->plan);
    sgdmft_problem_free(s->problem);
    sgdmft_context_free(s->ctx);
}

static online_law *by_factors(const setting *s, int order)
{
    online_law *law = NULL;
    check_ok(s->ctx, online_law_of_factors(s->ctx, s->plan, order, 2, &law));
    return law;
}

/* A tensor rule over all variables: order[0] for teachers and students, order[1] for noises. */
static online_law *by_points(const setting *s, const int order[2])
{
    int orders[ONLINE_DIMS_MAX];
    model_shape shape = s->plan->shape;
    online_law *law = NULL;
    online_points points;
    for (int i = 0; i < ONLINE_DIMS_MAX; i++)
        orders[i] = i < shape.kstar || i >= shape.kstar + shape.noises ? order[0] : order[1];
    check_ok(s->ctx, online_points_hermite(s->ctx, shape.kstar + shape.noises + shape.k, orders, &points));
    check_ok(s->ctx, online_law_new(s->ctx, s->plan, &points, 2, &law));
    return law;
}

static double largest(const double *x, const double *y)
{
    double most = 0;
    for (int i = 0; i < MATRIX_MAX * MATRIX_MAX; i++)
        most = fmax(most, fabs(x[i] - (y ? y[i] : 0)));
    return most;
}

/* All coefficients, losses and observables of two laws agree. */
static void agree(const setting *s, online_law *a, online_law *b, const double *m, const double *q, double tolerance)
{
    online_rates x, y;
    online_state at;
    const double *seen_x, *seen_y;
    int code;
    assert_int_equal(online_law_rates(a, 0, m, q, &x, &code), 0);
    assert_int_equal(online_law_rates(b, 0, m, q, &y, &code), 0);
    check_near(largest(x.gs, y.gs), 0, tolerance * (1 + largest(y.gs, NULL)), "E g w*");
    check_near(largest(x.gw, y.gw), 0, tolerance * (1 + largest(y.gw, NULL)), "E g w");
    check_near(largest(x.gg, y.gg), 0, tolerance * (1 + largest(y.gg, NULL)), "E g g");
    check_near(largest(x.gamma, y.gamma), 0, tolerance * (1 + largest(y.gamma, NULL)), "Gamma");
    check_near(largest(x.gamma_star, y.gamma_star), 0, tolerance * (1 + largest(y.gamma_star, NULL)), "Gamma*");
    assert_int_equal(online_state_set(s->plan, 0, m, q, &at), 0);
    online_law_observe(a, &at, &seen_x);
    online_law_observe(b, &at, &seen_y);
    for (int i = 0; i <= s->plan->shape.observables; i++)
        check_near(seen_x[i], seen_y[i], tolerance * (1 + fabs(seen_y[i])), "average %d", i);
}

static const double M[4] = {0.5, -0.1, 0.2, 0.45}, Q[4] = {0.9, 0.2, 0.2, 0.7};
#define START "initial: {rho: [[1.1, 0.2], [0.2, 0.9]]}"

static void against_tensor_rule(const char *text, int closed, int order, const int orders[2], double tolerance)
{
    setting s = setting_new(text);
    assert_true(s.plan->factors->usable);
    assert_int_equal(s.plan->factors->motion.n_general == 0, closed);
    online_law *a = by_factors(&s, order), *b = by_points(&s, orders);
    agree(&s, a, b, M, Q, tolerance);
    online_law_free(a);
    online_law_free(b);
    setting_clear(&s);
}

/* Different units with weights, noise that multiplies, observables that factor. */
static void entire_units(void **state)
{
    against_tensor_rule("model: {students: 2, teachers: 2, label: 'sin(s1) - 0.5*s2^2 + (0.3 + 0.1*s1)*eps', "
                        "predict: '0.8*sin(r1) - 0.3*cos(1.2*r2) + 0.1*r1*r2', loss: (f - y)^2/2}, "
                        "observables: {a: f*s1, b: (y - s2)^2*r1, c: eps*y}, " START,
                        0, 40, (int[]){20, 4}, 2e-9);
    against_tensor_rule("model: {students: 2, teachers: 2, label: 'sin(s1) - 0.5*s2^2 + 0.3*eps', "
                        "predict: '0.8*sin(r1) - 0.3*cos(1.2*r2)', loss: (f - y)^2/2}, " START,
                        0, 16, (int[]){20, 4}, 1e-6); /* a rule of Gauss, short of nodes for cos^2 */
}

/* Polynomials are exact with few nodes. */
static void polynomials(void **state)
{
    against_tensor_rule("model: {students: 2, teachers: 2, label: 's1*s2 + 0.2*eps', predict: 'r1^2 + r2^2', "
                        "loss: (f - y)^2/2}, observables: {a: r1*s1*s2*r2}, " START,
                        0, 8, (int[]){8, 3}, 1e-12);
}

/* A factor of two variables. */
static void joint_factors(void **state)
{
    against_tensor_rule("model: {students: 2, teachers: 2, label: 'cos(s1) + s2', predict: 'sin(r1 + r2)', "
                        "loss: (f - y)^2/2}, " START,
                        0, 40, (int[]){20, 1}, 2e-9);
}

static void erf_units(void **state)
{
    against_tensor_rule(
        "model: {students: 2, teachers: 2, label: '0.7*erf(s1/sqrt(2)) + erf(s2) - 0.2*s1 + 0.3*eps', "
        "predict: 'erf(r1) - 0.6*erf(r2/2)', loss: (f - y)^2/2}, observables: {a: f^2, b: y*r1}, " START,
        1, 8, (int[]){28, 2}, 1e-7);
}

#define COMMITTEE(label, predict)                                                                                      \
    "model: {students: 3, teachers: 2, label: '" label "', predict: '" predict "', loss: (f - y)^2/2}, "               \
    "initial: {rho: [[1, 0], [0, 1]]}"

/* Students that come as close to the teachers as `near`, two of them to the same. */
static void specialised(double near, double *m, double *q)
{
    double far = sqrt(1 - near * near);
    static const int teacher[3] = {0, 1, 0};
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 2; b++)
            m[a * 2 + b] = b == teacher[a] ? near : 0;
        for (int b = 0; b < 3; b++)
            q[a * 3 + b] = (teacher[a] == teacher[b] ? near * near : 0) + (a == b ? far * far : 0);
    }
}

/* The same units, written so that they are not seen to be erf. Correlations of outer variables from none to one go
   through all rules for pairs, and through singular covariances. */
static void general_rules_against_closed(void **state)
{
    static const double nearness[] = {0, 0.5, 0.9, 0.97, 0.99, 0.9999, 0.9999999, 1};
    setting plain = setting_new(COMMITTEE("erf(s1) + erf(s2)", "erf(r1) + erf(r2) + erf(r3)"));
    setting other = setting_new(COMMITTEE("2 - erfc(s1) - erfc(s2)", "3 - erfc(r1) - erfc(r2) - erfc(r3)"));
    assert_true(plain.plan->factors->motion.n_general == 0 && other.plan->factors->motion.n_general > 0);
    online_law *a = by_factors(&other, 60), *b = by_factors(&plain, 8);
    double m[6], q[9];
    for (size_t i = 0; i < sizeof nearness / sizeof *nearness; i++) {
        specialised(nearness[i], m, q);
        agree(&plain, a, b, m, q, 1e-9);
    }
    online_law_free(a);
    online_law_free(b);
    setting_clear(&plain);
    setting_clear(&other);
}

/* tanh has poles near the axis: order and next order agree, also at strong correlations. */
static void poles(void **state)
{
    setting s = setting_new(COMMITTEE("tanh(s1) + tanh(s2)", "tanh(r1) + tanh(r2) + tanh(r3)"));
    online_law *a = by_factors(&s, 60), *b = by_factors(&s, 72);
    double m[6], q[9];
    for (int i = 0; i < 4; i++) {
        specialised((const double[]){0, 0.9, 0.99, 1}[i], m, q);
        agree(&s, a, b, m, q, 1e-8);
    }
    online_law_free(a);
    online_law_free(b);
    setting_clear(&s);
}

static void same_with_any_threads(void **state)
{
    setting s = setting_new(COMMITTEE("tanh(s1) + tanh(s2)", "tanh(r1) + tanh(r2) + tanh(r3)"));
    online_law *law[2] = {NULL, NULL};
    online_rates x, y;
    int code;
    double m[6], q[9];
    specialised(0.8, m, q);
    check_ok(s.ctx, online_law_of_factors(s.ctx, s.plan, 40, 1, &law[0]));
    check_ok(s.ctx, online_law_of_factors(s.ctx, s.plan, 40, 5, &law[1]));
    assert_int_equal(online_law_rates(law[0], 0, m, q, &x, &code), 0);
    assert_int_equal(online_law_rates(law[1], 0, m, q, &y, &code), 0);
    assert_memory_equal(&x, &y, sizeof x);
    online_law_free(law[0]);
    online_law_free(law[1]);
    setting_clear(&s);
}

static void who_factors(void **state)
{
    static const struct {
        const char *model;
        int usable;
    } cases[] = {
        {"students: 4, teachers: 1, label: s, predict: tanh(r1)*r2 + r3 + r4, loss: (f - y)^2/2", 1},
        {"students: 4, teachers: 1, label: s, predict: 'tanh(r1 + r2 + r3 + r4)', loss: (f - y)^2/2", 0},
        {"students: 4, teachers: 1, label: s, predict: r1 + r2 + r3 + tanh(r4), loss: softplus(-f*y)", 0},
        {"students: 4, teachers: 1, label: s, predict: relu(r1) + r2 + r3 + r4, loss: (f - y)^2/2", 0},
        {"students: 4, teachers: 1, label: s, predict: r1 + r2 + r3 + tanh(r4*t), loss: (f - y)^2/2", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        assert_true(asprintf(&text, "model: {%s}", cases[i].model) > 0);
        setting s = setting_new(text);
        assert_int_equal(s.plan->factors->usable, cases[i].usable);
        assert_true(cases[i].usable == (s.plan->factors->why[0] == 0));
        setting_clear(&s);
        free(text);
    }
}

/* The motion is exact; of two observables one is no sum of products and is sampled along it. */
static void observables_that_do_not_factor(void **state)
{
    online_case o = online_case_solve(
        1, "eta: 0.5\nhorizon: 2\nmodel: {students: 3, teachers: 3, label: erf(s1) + erf(s2) + erf(s3), "
           "predict: erf(r1) + erf(r2) + erf(r3), loss: (f - y)^2/2}\n"
           "observables: {square: (f - y)^2, wrong: 'if(f*y < 0, 1, 0)'}\noutput: {times: 3}\n"
           "numerics: {steps: 4, replicas: 4, paths: 2048}\n");
    for (size_t i = 0; i < 3; i++) {
        assert_true(online_case_se(&o, "q11", i) == 0 && online_case_se(&o, "test_square", i) == 0);
        check_near(online_case_value(&o, "test_square", i), 2 * online_case_value(&o, "test_loss", i), 1e-12, "square");
        check_between(online_case_se(&o, "test_wrong", i), 1e-6, 0.05, "error of a sampled average");
        check_between(online_case_value(&o, "test_wrong", i), 0.02, 0.6, "share of wrong signs");
    }
    for (size_t i = 0; i < o.solution->n_identities; i++)
        check_near(o.solution->identities[i].defect, 0, 1e-12, "%s", o.solution->identities[i].name);
    online_case_clear(&o);
}

/* Eight students of four teachers. Values by closed forms and a Runge-Kutta method elsewhere. */
static void plateau(void **state)
{
    static const struct {
        size_t row;
        double risk;
    } want[] = {{0, .0612152926}, {1, .0028543}, {3, .0025625}, {5, .0021800}, {6, .0016507}, {10, .00025073}};
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = NULL;
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_problem_read(ctx, plateau_file, NULL, 0, &problem));
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    online_case o = {ctx, problem, solution};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        check_near(online_case_value(&o, "test_eg", want[i].row), want[i].risk, 1e-4 * want[i].risk, "risk, row %zu",
                   want[i].row);
        assert_true(online_case_se(&o, "test_eg", want[i].row) == 0);
    }
    online_case_clear(&o);
}

/* The same with sampled averages, whose noise ends the plateau too early in every replica. Their spread is no measure
   of that; with the difference that half of the points make, errors are what they are said to be. */
static void sampled_plateau(void **state)
{
    static const struct {
        size_t row;
        double risk;
    } want[] = {{0, .0612152926}, {1, .0028543}, {3, .0025625}, {5, .0021800}, {6, .0016507}, {10, .00025073}};
    static const char *const sets[] = {"numerics.averages=sampled", "numerics.paths=5000", "numerics.replicas=4"};
    sgdmft_context *ctx = check_context(2);
    online_case o = {.ctx = ctx};
    check_ok(ctx, sgdmft_problem_read(ctx, plateau_file, sets, 3, &o.problem));
    check_ok(ctx, sgdmft_solve(ctx, o.problem, &o.solution));
    assert_int_equal(o.solution->info.replicas, 4);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        check_z(online_case_value(&o, "test_eg", want[i].row), want[i].risk, online_case_se(&o, "test_eg", want[i].row),
                4, "risk, row %zu", want[i].row);
    check_between(online_case_value(&o, "test_eg", 5), 0.0010, 0.0019, "risk with too early an escape");
    check_between(online_case_se(&o, "test_eg", 5), 2e-4, 2e-3, "its error");
    online_case_clear(&o);
}

int main(int argc, char **argv)
{
    assert(argc == 2);
    plateau_file = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entire_units),
        cmocka_unit_test(polynomials),
        cmocka_unit_test(joint_factors),
        cmocka_unit_test(erf_units),
        cmocka_unit_test(general_rules_against_closed),
        cmocka_unit_test(poles),
        cmocka_unit_test(same_with_any_threads),
        cmocka_unit_test(who_factors),
        cmocka_unit_test(observables_that_do_not_factor),
        cmocka_unit_test(plateau),
        cmocka_unit_test(sampled_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
