/* Labels and gradients with jumps and kinks, which quadrature cannot do and sampling must: against closed forms and
   one-dimensional integrals; sampling against quadrature; losses that are sampled along a march by quadrature. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "numerics/gauss.h"
#include "online_case.h"
#include "solvers/online/online.h"

/* Standard errors beyond which a difference is not by chance. With 8 replicas tails are those of Student's t with 7
   degrees of freedom: one comparison in 4000 passes 6. */
static const double Z = 6;

/* A one-dimensional system m, q, R of the tests, whose right side depends on averages. */
typedef struct averages {
    double gs, gr, gg, gamma, loss;
} averages;

typedef averages (*average_fn)(const void *user, double m, double q);

typedef struct system {
    average_fn average;
    const void *user;
    double eta, lambda;
} flow_system;

static void slope(const flow_system *f, const double *x, double *out)
{
    averages a = f->average(f->user, x[0], x[1]);
    out[0] = -f->lambda * x[0] - f->eta * a.gs;
    out[1] = -2 * f->lambda * x[1] - 2 * f->eta * a.gr + f->eta * f->eta * a.gg;
    out[2] = -(f->lambda + f->eta * a.gamma) * x[2];
}

static void move(const flow_system *f, double time, int steps, double *x)
{
    double h = time / steps, k[4][3], at[3];
    static const double before[4] = {0, 0.5, 0.5, 1}, weight[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    for (int i = 0; i < steps; i++) {
        for (int stage = 0; stage < 4; stage++) {
            for (int c = 0; c < 3; c++)
                at[c] = x[c] + (stage ? h * before[stage] * k[stage - 1][c] : 0);
            slope(f, at, k[stage]);
        }
        for (int c = 0; c < 3; c++)
            for (int stage = 0; stage < 4; stage++)
                x[c] += h * weight[stage] * k[stage][c];
    }
}

/* relu(r) learns relu(s), both Gaussian: the arc-cosine kernels of Cho & Saul. rho = 1. */
static averages relu_averages(const void *user, double m, double q)
{
    double cosine = m / sqrt(q), phi = acos(fmin(cosine, 1)), sine = sin(phi);
    double both = sqrt(q) * (sine + (M_PI - phi) * cosine) / (2 * M_PI); /* E relu(r) relu(s) */
    double half_square = (M_PI - phi + sine * cosine) / (2 * M_PI);      /* E 1(r > 0) relu(s)^2 */
    averages a = {.gs = m / 2 - half_square, .gr = q / 2 - both, .gg = q / 2 - 2 * both + half_square};
    /* g jumps by -relu(s) at r = 0 */
    a.gamma = 0.5 - sqrt(fmax(1 - m * m / q, 0)) / (2 * M_PI * sqrt(q));
    a.loss = (q / 2 - 2 * both + 0.5) / 2;
    return a;
}

static void check_curve(const online_case *o, const char *name, size_t i, double want, double largest_se)
{
    double se = online_case_se(o, name, i);
    check_z(online_case_value(o, name, i), want, se + 1e-12, Z, "%s, time %zu", name, i);
    check_between(se, 0, largest_se, "error of %s, time %zu", name, i);
}

/* All curves against the system integrated from output time to output time. */
static void compare(const online_case *o, const flow_system *f, double m, double q, double largest_se)
{
    double x[3] = {m, q, 1};
    const sgdmft_solution *s = o->solution;
    assert_int_equal(s->info.replicas, 8);
    for (size_t i = 0; i < s->n_times; i++) {
        if (i > 0)
            move(f, s->times[i] - s->times[i - 1], 40, x);
        check_curve(o, "m11", i, x[0], largest_se);
        check_curve(o, "q11", i, x[1], largest_se);
        check_curve(o, "R11", i, x[2], 10 * largest_se);
        check_curve(o, "test_loss", i, f->average(f->user, x[0], x[1]).loss, largest_se);
    }
}

#define NUMERICS "numerics: {replicas: 8, paths: 16384, steps: 10, seed: 5}\noutput: {times: 6}\n"

static void relu(void **state)
{
    flow_system f = {relu_averages, NULL, 0.8, 0.02};
    online_case o =
        online_case_solve(2, "eta: 0.8\nlambda: 0.02\nhorizon: 5\nmodel: {label: relu(s), predict: relu(r), "
                             "loss: (f - y)^2/2}\ninitial: {q: 0.8, m: 0.25}\n" NUMERICS);
    compare(&o, &f, 0.25, 0.8, 1e-3);
    assert_int_equal(o.solution->n_identities, 0);
    online_case_clear(&o);
}

/* At the start r is a function of s. The variance of z is then raised, which biases the response a little. */
static void relu_without_variance(void **state)
{
    flow_system f = {relu_averages, NULL, 0.8, 0};
    double x[3] = {0.5, 0.25, 1};
    online_case o = online_case_solve(2, "eta: 0.8\nhorizon: 2\nmodel: {label: relu(s), predict: relu(r), "
                                         "loss: (f - y)^2/2}\ninitial: {q: 0.25, m: 0.5}\n" NUMERICS);
    for (size_t i = 1; i < 6; i++) {
        move(&f, 0.4, 400, x);
        check_curve(&o, "m11", i, x[0], 1e-3);
        check_curve(&o, "q11", i, x[1], 1e-3);
        check_near(online_case_value(&o, "R11", i), x[2], 0.01 * x[2], "R, time %zu", i);
    }
    online_case_clear(&o);
}

/* Classification: label sign(v), v = s + a eps, loss a function of the margin u = y r. Given v, |v| = x, the margin is
   Gaussian with mean m x / rho_v and variance S = q - m^2 / rho_v; s = alpha v + beta r on average. */
typedef struct margin {
    double noise; /* a */
    int hinge;    /* 1: max(0, 1 - u), 0: softplus(-u) */
} margin;

/* Averages of h', h' u, h'^2, h'' and h over u of the given mean and variance. */
static void margin_averages(const margin *p, double mean, double variance, const double *node, const double *weight,
                            double out[5])
{
    double size = sqrt(fmax(variance, 0));
    memset(out, 0, 5 * sizeof *out);
    if (p->hinge) {
        double z = (1 - mean) / size, below = 0.5 * erfc(-z * M_SQRT1_2), density = exp(-z * z / 2) / sqrt(2 * M_PI);
        double first = mean * below - size * density; /* E u 1(u < 1) */
        out[0] = -below;
        out[1] = -first;
        out[2] = below;
        out[3] = density / size;
        out[4] = below - first;
        return;
    }
    for (int i = 0; i < 80; i++) {
        double u = mean + size * node[i], s = 1 / (1 + exp(u));
        double term[5] = {-s, -s * u, s * s, s * (1 - s), u > 0 ? log1p(exp(-u)) : log1p(exp(u)) - u};
        for (int c = 0; c < 5; c++)
            out[c] += weight[i] * term[c];
    }
}

static averages classify(const void *user, double m, double q)
{
    const margin *p = user;
    double node[GAUSS_ORDER_MAX], weight[GAUSS_ORDER_MAX], rho = 1 + p->noise * p->noise;
    double det = rho * q - m * m, alpha = (q - m * m) / det, beta = (rho * m - m) / det;
    averages a = {0};
    if (det <= 0) { /* r = 0 */
        alpha = 1 / rho;
        beta = 0;
    }
    gauss_hermite(80, node, weight);
    enum { CELLS = 400 };
    double h = 9.0 / CELLS;
    for (int i = 0; i <= CELLS; i++) { /* Simpson over |v| in units of its deviation */
        double x = h * i, mean[5], density = 2 * exp(-x * x / 2) / sqrt(2 * M_PI), v = sqrt(rho) * x;
        double w = density * h / 3 * (i == 0 || i == CELLS ? 1 : i % 2 ? 4 : 2);
        margin_averages(p, m * v / rho, q - m * m / rho, node, weight, mean);
        a.gr += w * mean[1];
        a.gg += w * mean[2];
        a.gamma += w * mean[3];
        a.loss += w * mean[4];
        a.gs += w * (alpha * v * mean[0] + beta * mean[1]);
    }
    return a;
}

static void noisy_signs(void **state)
{
    margin p = {.noise = 0.6};
    flow_system f = {classify, &p, 2, 0.05};
    online_case o = online_case_solve(2, "eta: 2\nlambda: 0.05\nhorizon: 5\n"
                                         "model: {label: sign(s + 0.6*eps), loss: softplus(-y*r)}\n"
                                         "initial: {q: 0.3, m: 0.1}\n" NUMERICS);
    compare(&o, &f, 0.1, 0.3, 0.01);
    assert_int_equal(o.solution->n_identities, 1);
    const sgdmft_identity *stein = &o.solution->identities[0];
    assert_string_equal(stein->name, "Stein 11");
    check_z(stein->defect, 0, stein->se, Z, "Stein's identity");
    check_between(stein->se, 1e-9, 1e-2, "its error");
    online_case_clear(&o);
}

/* From theta = 0 on, clean labels. */
static void signs_from_zero(void **state)
{
    margin p = {.noise = 0};
    flow_system f = {classify, &p, 1.5, 0};
    online_case o = online_case_solve(2, "eta: 1.5\nhorizon: 5\nmodel: {label: sign(s), loss: softplus(-y*r)}\n"
                                         "initial: {q: 0, m: 0}\n" NUMERICS);
    double x[3] = {0, 0, 1};
    for (size_t i = 0; i < 6; i++) {
        if (i > 0) /* sqrt(q) is not smooth at 0: many steps */
            move(&f, 1, 600 / (i * i), x);
        check_curve(&o, "m11", i, x[0], 0.01);
        check_curve(&o, "q11", i, x[1], 0.01);
    }
    online_case_clear(&o);
}

static void hinge(void **state)
{
    margin p = {.noise = 0.4, .hinge = 1};
    flow_system f = {classify, &p, 0.7, 0.1};
    online_case o = online_case_solve(2, "eta: 0.7\nlambda: 0.1\nhorizon: 5\n"
                                         "model: {label: sign(s + 0.4*eps), loss: \"max(0, 1 - y*r)\"}\n"
                                         "initial: {q: 0.5, m: -0.1}\n" NUMERICS);
    compare(&o, &f, -0.1, 0.5, 0.005);
    online_case_clear(&o);
}

/* Curves by quadrature are exact, the share of wrong signs is sampled: arccos(m / sqrt(q rho)) / pi. */
static void error_rate_along_a_smooth_march(void **state)
{
    online_case o = online_case_solve(2, "eta: 0.9\nhorizon: 4\nmodel: {label: tanh(s), predict: tanh(r), "
                                         "loss: (f - y)^2/2}\ninitial: {q: 0.8, m: 0.1, rho: 1.3}\n"
                                         "observables: {wrong: \"if(r*s < 0, 1, 0)\", product: r*s}\n" NUMERICS);
    for (size_t i = 0; i < o.solution->n_times; i++) {
        double m = online_case_value(&o, "m11", i), q = online_case_value(&o, "q11", i);
        check_z(online_case_value(&o, "test_wrong", i), acos(m / sqrt(1.3 * q)) / M_PI,
                online_case_se(&o, "test_wrong", i), Z, "share of wrong signs, time %zu", i);
        assert_true(online_case_value(&o, "test_wrong", i) == online_case_value(&o, "train_wrong", i));
        check_between(online_case_se(&o, "test_wrong", i), 1e-7, 1e-3, "its error");
        check_near(online_case_value(&o, "test_product", i), m, 1e-9, "E r s");
        assert_true(online_case_se(&o, "test_product", i) == 0 && online_case_se(&o, "test_loss", i) == 0);
    }
    online_case_clear(&o);
}

/* Six and seven directions: more than a product of rules can fill. */
static void many_directions(void **state)
{
    online_case o = online_case_solve(
        2, "eta: 0.5\nhorizon: 1\nmodel: {students: 3, teachers: 3, label: \"tanh(3*s1*s2 + s3) + 0.2*eps\", "
           "predict: tanh(2*r1*r2 + r3), loss: (f - y)^2/2}\n"
           "initial: {q: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], m: [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]}\n" NUMERICS);
    assert_int_equal(o.solution->info.replicas, 8);
    assert_true(online_case_se(&o, "q11", 5) > 0);
    for (size_t i = 0; i < o.solution->n_identities; i++)
        check_z(o.solution->identities[i].defect, 0, o.solution->identities[i].se, 8, "%s",
                o.solution->identities[i].name);
    online_case_clear(&o);
}

/* The same problem both ways. */
static void sampling_agrees_with_quadrature(void **state)
{
    online_case o =
        online_case_solve(2, "eta: 0.8\nlambda: 0.03\nhorizon: 4\nmodel: {students: 2, label: tanh(s) + 0.2*eps, "
                             "predict: tanh(r1) + r2/2, loss: (f - y)^2/2}\n"
                             "initial: {q: [[0.6, 0.1], [0.1, 0.9]], m: [[0.3], [-0.05]]}\n" NUMERICS);
    online_plan *plan = NULL;
    online_results results = {.points = 0};
    solve_progress progress = {.ctx = o.ctx};
    online_case sampled = {.ctx = o.ctx};
    check_ok(o.ctx, online_plan_new(o.ctx, o.problem, &plan));
    check_ok(o.ctx, online_solve_by_sampling(o.ctx, plan, &progress, &results));
    check_ok(o.ctx, online_solution(o.ctx, plan, &results, &sampled.solution));
    check_near(progress.done, 1, 1e-9, "progress");
    assert_int_equal(o.solution->info.replicas, 1);
    double worst = 0, squares = 0;
    size_t n = 0;
    for (size_t c = 0; c < o.solution->n_curves; c++)
        for (size_t i = 0; i < o.solution->n_times; i++) {
            const char *name = o.solution->curves[c].name;
            double se = online_case_se(&sampled, name, i), exact = online_case_value(&o, name, i);
            double z = (online_case_value(&sampled, name, i) - exact) / (se + 1e-9);
            check_between(se, 0, 1e-3, "error of %s", name);
            worst = fmax(worst, fabs(z));
            squares += z * z;
            n++;
        }
    check_between(worst, 0.1, Z, "worst deviation in standard errors");
    check_between(squares / (double)n, 0.02, 6, "mean square deviation in standard errors");
    for (size_t i = 0; i < o.solution->n_grid; i++) {
        check_near(online_case_C(&sampled, i, 0, 0, 1), online_case_C(&o, i, 0, 0, 1), 1e-3, "C(t%zu, 0)", i);
        check_near(online_case_R(&sampled, i, 0, 1, 0), online_case_R(&o, i, 0, 1, 0), 1e-3, "R(t%zu, 0)", i);
    }
    sgdmft_solution_free(sampled.solution);
    online_results_clear(&results);
    online_plan_free(plan);
    online_case_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu),
        cmocka_unit_test(relu_without_variance),
        cmocka_unit_test(noisy_signs),
        cmocka_unit_test(signs_from_zero),
        cmocka_unit_test(hinge),
        cmocka_unit_test(error_rate_along_a_smooth_march),
        cmocka_unit_test(many_directions),
        cmocka_unit_test(sampling_agrees_with_quadrature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
