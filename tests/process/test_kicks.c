/* The kick of a process without jumps over one step, against exact flows and exact Ito moments. Averages over the
   Brownian increment are Gauss-Hermite sums, one node per lane, so that there is no noise: errors of one kick fall
   eightfold with each halving of the cell, which makes the schemes of order 2. */
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/gauss.h"
#include "process/brownian.h"
#include "process/drift.h"
#include "support/check.h"
#include "support/plan.h"

enum { LANES = 4096, NODES = 24, HALVINGS = 5 };

typedef struct fixture {
    test_plan t;
    model_work *model;
    double *work;
    size_t n; /* lanes of the step */
    double t_lane[LANES], y[LANES];
} fixture;

/* `loss` in r1 .. rk; labels are zero in all lanes. */
static void fixture_init(fixture *f, int k, const char *loss)
{
    sgdmft_context *ctx = check_context(1);
    test_plan_init(&f->t, test_problem(ctx,
                                       "{dynamics: sme, delta: 1, horizon: 1, model: {students: %d, label: \"s\", "
                                       "loss: \"%s\"}, numerics: {paths: 100, steps: 4}}",
                                       k, loss));
    sgdmft_context_free(ctx);
    check_ok(f->t.ctx, model_work_new(f->t.ctx, f->t.plan.m, LANES, &f->model));
    f->work = memory_doubles(kick_work((size_t)k) * LANES);
    assert_non_null(f->work);
    for (size_t p = 0; p < LANES; p++)
        f->t_lane[p] = 0.3;
    memset(f->y, 0, sizeof f->y);
}

static void fixture_clear(fixture *f)
{
    model_work_free(f->model);
    free(f->work);
    test_plan_clear(&f->t);
}

static int gradient_at(void *user, const double *r, double *g, double *G)
{
    const fixture *f = user;
    return model_gradient(f->t.plan.m, f->model, f->n, f->t_lane, r, f->y, g, G);
}

static void kick_with(fixture *f, kick_function scheme, size_t n, double eta, double h, const double *noise,
                      const double *r, double *kick, double *D)
{
    f->n = n;
    kick_step step = {.k = (size_t)f->t.plan.problem->model.students,
                      .n = n,
                      .eta = eta,
                      .h = h,
                      .noise = noise,
                      .r = r,
                      .gradient = gradient_at,
                      .user = f};
    assert_int_equal(scheme(&step, f->work, kick, D), 0);
}

/* Prints one line of a table of errors, halving h from the left to the right, and checks that they fall eightfold. */
static void check_local_order(const double error[HALVINGS], const char *name)
{
    print_message("%-28s", name);
    for (int i = 0; i < HALVINGS; i++)
        print_message(" %9.2e", error[i]);
    print_message("  ratios");
    for (int i = 1; i < HALVINGS; i++)
        print_message(" %5.2f", error[i - 1] / error[i]);
    print_message("\n");
    check_between(error[HALVINGS - 2] / error[HALVINGS - 1], 7.2, 8.8, "%s, ratio of errors", name);
}

/* d rho = - eta rho dt and d rho = - eta tanh(rho) dt, whose sinh decays exponentially. */
static void test_drift_flow(void **state)
{
    static const double start[3] = {0.4, -1.3, 2.1};
    for (int nonlinear = 0; nonlinear < 2; nonlinear++) {
        fixture f;
        double error[HALVINGS], slope[HALVINGS], h = 0.4, eta = 1.3;
        fixture_init(&f, 1, nonlinear ? "log(cosh(r - y))" : "(r - y)^2/2");
        for (int i = 0; i < HALVINGS; i++, h /= 2) {
            double kick[3], D[3];
            kick_with(&f, drift_kick, 3, eta, h, NULL, start, kick, D);
            error[i] = slope[i] = 0;
            for (int p = 0; p < 3; p++) {
                double decay = exp(-eta * h), end = decay * start[p], derivative = decay;
                if (nonlinear) {
                    end = asinh(decay * sinh(start[p]));
                    derivative = decay * cosh(start[p]) / cosh(end);
                }
                error[i] = fmax(error[i], fabs(start[p] - kick[p] - end));
                slope[i] = fmax(slope[i], fabs(1 - D[p] - derivative));
            }
        }
        check_local_order(error, nonlinear ? "drift, tanh: kick" : "drift, linear: kick");
        check_local_order(slope, nonlinear ? "drift, tanh: derivative" : "drift, linear: derivative");
        fixture_clear(&f);
    }
}

#define COUPLED "log(cosh(r1 - 0.5*r2)) + 0.3*r1^2*sin(r2) + 0.1*t*r2^2"

/* The derivative is that of the scheme, not of the flow: two students, against differences of the kick. */
static void test_drift_derivative(void **state)
{
    enum { N = 5, K = 2 };
    static const double r[K * N] = {0.3, -1.2, 0.8, 1.9, -0.1, 0.7, 0.2, -1.1, 0.4, -0.6};
    const double step = 1e-5;
    fixture f;
    double kick[K * N], D[K * K * N], up[K * N], down[K * N], moved[K * N];
    fixture_init(&f, K, COUPLED);
    kick_with(&f, drift_kick, N, 0.9, 0.35, NULL, r, kick, D);
    kick_with(&f, drift_kick, N, 0.9, 0.35, NULL, r, moved, NULL);
    assert_memory_equal(kick, moved, sizeof kick); /* with and without the derivative */
    for (size_t b = 0; b < K; b++) {
        for (int side = 0; side < 2; side++) {
            memcpy(moved, r, sizeof moved);
            for (size_t p = 0; p < N; p++)
                moved[b * N + p] += side ? -step : step;
            kick_with(&f, drift_kick, N, 0.9, 0.35, NULL, moved, side ? down : up, NULL);
        }
        for (size_t a = 0; a < K; a++)
            for (size_t p = 0; p < N; p++)
                check_near(D[(a * K + b) * N + p], (up[a * N + p] - down[a * N + p]) / (2 * step), 1e-9,
                           "d kick %zu / d r %zu, lane %zu", a, b, p);
    }
    fixture_clear(&f);
}

/* E of a function of `dims` normals as a sum over the lanes of a product rule. */
typedef struct hermite {
    size_t n;
    int dims;
    double *z, *weight; /* [dims][n], [n] */
} hermite;

static hermite hermite_new(int dims, int order)
{
    double node[NODES], weight[NODES];
    hermite q = {.n = 1, .dims = dims};
    assert_int_equal(gauss_hermite(order, node, weight), 0);
    for (int d = 0; d < dims; d++)
        q.n *= (size_t)order;
    assert_true(q.n <= LANES);
    q.z = memory_doubles((size_t)dims * q.n);
    q.weight = memory_doubles(q.n);
    for (size_t p = 0; p < q.n; p++) {
        size_t rest = p;
        q.weight[p] = 1;
        for (int d = 0; d < dims; d++, rest /= (size_t)order) {
            q.z[(size_t)d * q.n + p] = node[rest % (size_t)order];
            q.weight[p] *= weight[rest % (size_t)order];
        }
    }
    return q;
}

static void hermite_clear(hermite *q)
{
    free(q->z);
    free(q->weight);
}

/* g linear: E rho^j = rho_0^j exp((- j eta + j (j - 1)/2 eta^2) h). */
static void test_brownian_moments(void **state)
{
    const double eta = 1.1, start = 0.8;
    fixture f;
    hermite q = hermite_new(1, NODES);
    fixture_init(&f, 1, "(r - y)^2/2");
    double *r = memory_doubles(q.n), *kick = memory_doubles(q.n), error[4][HALVINGS], variance[HALVINGS], h = 0.1;
    for (int i = 0; i < HALVINGS; i++, h /= 2) {
        double moment[5] = {0}, exact[5];
        for (size_t p = 0; p < q.n; p++)
            r[p] = start;
        kick_with(&f, brownian_kick, q.n, eta, h, q.z, r, kick, NULL);
        for (int j = 1; j <= 4; j++) {
            for (size_t p = 0; p < q.n; p++)
                moment[j] += q.weight[p] * pow(start - kick[p], j);
            exact[j] = pow(start, j) * exp((-j * eta + 0.5 * j * (j - 1) * eta * eta) * h);
            error[j - 1][i] = fabs(moment[j] - exact[j]);
        }
        variance[i] = fabs(moment[2] - moment[1] * moment[1] - exact[2] + exact[1] * exact[1]);
    }
    check_local_order(error[0], "Brownian, linear: mean");
    check_local_order(variance, "Brownian, linear: variance");
    check_local_order(error[2], "Brownian, linear: E rho^3");
    check_local_order(error[3], "Brownian, linear: E rho^4");
    free(r);
    free(kick);
    hermite_clear(&q);
    fixture_clear(&f);
}

/* Two students, g = A r: d/dh M = - eta (A M + M A^T) + eta^2 A M A^T for M = E rho rho^T, all four entries as one
   vector. */
static void exact_second_moments(const double A[4], double eta, double h, double M[4])
{
    double generator[16] = {0}, e[16], out[4] = {0};
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++)
            for (int c = 0; c < 2; c++) {
                generator[(a * 2 + b) * 4 + c * 2 + b] -= h * eta * A[a * 2 + c];
                generator[(a * 2 + b) * 4 + a * 2 + c] -= h * eta * A[b * 2 + c];
                for (int d = 0; d < 2; d++)
                    generator[(a * 2 + b) * 4 + c * 2 + d] += h * eta * eta * A[a * 2 + c] * A[b * 2 + d];
            }
    gsl_matrix_view from = gsl_matrix_view_array(generator, 4, 4), to = gsl_matrix_view_array(e, 4, 4);
    assert_int_equal(gsl_linalg_exponential_ss(&from.matrix, &to.matrix, GSL_PREC_DOUBLE), 0);
    for (int x = 0; x < 16; x++)
        out[x / 4] += e[x] * M[x % 4];
    memcpy(M, out, sizeof out);
}

static void test_brownian_students(void **state)
{
    static const double A[4] = {1.2, 0.4, 0.4, 0.7}, start[2] = {0.9, -0.5};
    const double eta = 0.9;
    fixture f;
    hermite q = hermite_new(1, NODES);
    fixture_init(&f, 2, "0.6*r1^2 + 0.4*r1*r2 + 0.35*r2^2");
    double *r = memory_doubles(2 * q.n), *kick = memory_doubles(2 * q.n), error[HALVINGS], h = 0.1;
    for (int i = 0; i < HALVINGS; i++, h /= 2) {
        double M[4] = {start[0] * start[0], start[0] * start[1], start[0] * start[1], start[1] * start[1]};
        exact_second_moments(A, eta, h, M);
        for (size_t p = 0; p < 2 * q.n; p++)
            r[p] = start[p / q.n];
        kick_with(&f, brownian_kick, q.n, eta, h, q.z, r, kick, NULL);
        error[i] = 0;
        for (size_t x = 0; x < 4; x++) {
            double sum = 0;
            for (size_t p = 0; p < q.n; p++)
                sum += q.weight[p] * (start[x / 2] - kick[x / 2 * q.n + p]) * (start[x % 2] - kick[x % 2 * q.n + p]);
            error[i] = fmax(error[i], fabs(sum - M[x]));
        }
    }
    check_local_order(error, "Brownian, two students");
    free(r);
    free(kick);
    hermite_clear(&q);
    fixture_clear(&f);
}

/* E f(rho) after `kicks` kicks of h / kicks each. */
static double nested(fixture *f, const hermite *q, int kicks, double eta, double h, double start)
{
    double *r = memory_doubles(q->n), *kick = memory_doubles(q->n), mean = 0;
    for (size_t p = 0; p < q->n; p++)
        r[p] = start;
    for (int d = 0; d < kicks; d++) {
        kick_with(f, brownian_kick, q->n, eta, h / kicks, q->z + (size_t)d * q->n, r, kick, NULL);
        for (size_t p = 0; p < q->n; p++)
            r[p] -= kick[p];
    }
    for (size_t p = 0; p < q->n; p++)
        mean += q->weight[p] * (sin(r[p]) + r[p] * r[p]);
    free(r);
    free(kick);
    return mean;
}

/* A nonlinear gradient: the generator in the limit h -> 0, and one kick against two of half the size. */
static void test_brownian_nonlinear(void **state)
{
    const double eta = 1.2, start = 0.6, g = tanh(start), tiny = 1e-5;
    fixture f;
    hermite q = hermite_new(2, NODES);
    double error[HALVINGS], h = 0.1;
    fixture_init(&f, 1, "log(cosh(r - y))");
    double slope = cos(start) + 2 * start, bend = -sin(start) + 2;
    double generator = -eta * g * slope + 0.5 * eta * eta * g * g * bend;
    double rate = (nested(&f, &q, 1, eta, tiny, start) - sin(start) - start * start) / tiny;
    check_near(rate, generator, 1e-4, "generator");
    for (int i = 0; i < HALVINGS; i++, h /= 2)
        error[i] = fabs(nested(&f, &q, 1, eta, h, start) - nested(&f, &q, 2, eta, h, start));
    check_local_order(error, "Brownian, tanh: halving");
    hermite_clear(&q);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drift_flow),         cmocka_unit_test(test_drift_derivative),
        cmocka_unit_test(test_brownian_moments),   cmocka_unit_test(test_brownian_students),
        cmocka_unit_test(test_brownian_nonlinear),
    };
    return cmocka_run_group_tests_name("kicks", tests, NULL, NULL);
}
