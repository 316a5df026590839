/* The response by Stein's lemma: averages are made up from a known Q and the factor L of the case itself, and must give
   back R. Two students, matrices that do not commute. */
#include <gsl/gsl_linalg.h>
#include <math.h>

#include "kernel_case.h"
#include "kernels/innovations.h"

enum { K = 2, KK = 4 };

static const double GAMMA[KK] = {0.93, 0.31, 0.12, 0.55}, MEMORY[KK] = {0.41, -0.27, 0.36, 0.72};
static const double OUTER[KK] = {1.1, 0.3, 0.3, 0.7}, M0[2] = {0.4, -0.3}, RHO[1] = {1.2};
static const double BETA = 0.84, DELTA = 1.35, LAMBDA = 0.17, ETA = 0.8, HORIZON = 2.4;

/* As in test_kernels.c: Q(t, s) = Gamma R(t, s) - M Z(t, s), Z(t, s) = int_s^t exp(- beta (t - u)) R(u, s) du, so that
   R' = - (lambda + delta eta Gamma) R + delta eta M Z and Z' = R - beta Z. */
static void exact_kernels(double time, double R[KK], double Q[KK])
{
    double a[16] = {0}, e[16];
    for (int i = 0; i < K; i++)
        for (int j = 0; j < K; j++) {
            a[i * 4 + j] = -time * ((i == j ? LAMBDA : 0) + DELTA * ETA * GAMMA[i * K + j]);
            a[i * 4 + j + K] = time * DELTA * ETA * MEMORY[i * K + j];
            a[(i + K) * 4 + j] = i == j ? time : 0;
            a[(i + K) * 4 + j + K] = i == j ? -time * BETA : 0;
        }
    gsl_matrix_view from = gsl_matrix_view_array(a, 4, 4), to = gsl_matrix_view_array(e, 4, 4);
    assert_int_equal(gsl_linalg_exponential_ss(&from.matrix, &to.matrix, GSL_PREC_DOUBLE), 0);
    memset(Q, 0, sizeof(double) * KK);
    for (int x = 0; x < KK; x++)
        R[x] = e[x / K * 4 + x % K];
    for (int i = 0; i < K; i++)
        for (int j = 0; j < K; j++)
            for (int l = 0; l < K; l++)
                Q[i * K + j] += GAMMA[i * K + l] * e[l * 4 + j] - MEMORY[i * K + l] * e[(l + K) * 4 + j];
}

/* A Q(t, s) of the case's choice. */
typedef void (*response_function)(double t, double s, double Q[KK]);

static void memory_response(double t, double s, double Q[KK])
{
    double R[KK];
    exact_kernels(t - s, R, Q);
}

/* A polynomial of degree 2 in s. */
static void quadratic_response(double t, double s, double Q[KK])
{
    for (int x = 0; x < KK; x++)
        Q[x] = GAMMA[x] + (0.2 + 0.1 * x) * (t - s) - 0.3 * (t - s) * (t - s + 0.1 * x);
}

/* Mean over a cell, by Gauss-Legendre with four points. */
static void cell_mean(response_function Q, double t, double low, double high, double out[KK])
{
    static const double node[2] = {0.339981043584856, 0.861136311594053},
                        weight[2] = {0.652145154862546, 0.347854845137454};
    memset(out, 0, sizeof(double) * KK);
    for (int i = 0; i < 4; i++) {
        double value[KK], place = (i % 2 ? 1 : -1) * node[i / 2];
        Q(t, 0.5 * (low + high) + 0.5 * (high - low) * place, value);
        for (int x = 0; x < KK; x++)
            out[x] += 0.5 * weight[i / 2] * value[x];
    }
}

/* Averages at node i that do not depend on L: any smooth E[g S_j^T], Gamma, and those with the start. */
static void known_averages(const kernel_case *c, response_function Q, const double *P, int i, double *averages)
{
    const double *t = c->grid->t;
    double start[KK];
    memcpy(averages + c->at.outer, OUTER, sizeof OUTER);
    Q(t[i], t[i], averages + c->at.gamma);
    Q(t[i], 0, start);
    /* E[g w(0)^T] = Q(t, 0) P + E[g w*^T] A^T */
    for (int a = 0; a < K; a++) {
        averages[c->at.mu + (size_t)a] = 0.3 - 0.5 * a;
        for (int b = 0; b < K; b++) {
            averages[c->at.gw0 + (size_t)(a * K + b)] = averages[c->at.mu + (size_t)a] * M0[b] / RHO[0];
            for (int l = 0; l < K; l++)
                averages[c->at.gw0 + (size_t)(a * K + b)] += start[a * K + l] * P[l * K + b];
        }
    }
    for (int j = 0; j < i; j++)
        for (int x = 0; x < KK; x++)
            kernel_case_row(c, averages, j, VISITS)[x] =
                0.3 * c->grid->h[j] * OUTER[x] * exp(-(t[i] - t[j])) * (x == 1 ? 0.5 : 1);
}

/* E[g(t_{i+1}) xi_j^T] = - sqrt(delta) sum_{j <= c <= i} Qm_c L_cj */
static void innovation_rows(const kernel_case *c, response_function Q, int i)
{
    double *mean = memory_doubles((size_t)(i + 1) * KK);
    for (int cell = 0; cell <= i; cell++)
        cell_mean(Q, c->grid->t[i + 1], c->grid->t[cell], c->grid->t[cell + 1], mean + cell * KK);
    for (int j = 0; j <= i; j++) {
        double *row = kernel_case_row(c, c->next, j, INNOVATION);
        memset(row, 0, sizeof(double) * KK);
        for (int cell = j; cell <= i; cell++)
            matrix_add_product(K, -sqrt(DELTA), mean + cell * KK, kernels_L(c->kern, cell, j), row);
    }
    free(mean);
}

typedef struct stein_case {
    response_function Q;
    int steps, smooth, start; /* start: theta(0) varies given the teacher */
    double grading;
} stein_case;

static kernel_case solve(stein_case s)
{
    double q0[KK], P[KK];
    for (int x = 0; x < KK; x++) {
        P[x] = s.start ? (double[]){1.6, 0.3, 0.3, 1.2}[x] : 0;
        q0[x] = P[x] + M0[x / K] * M0[x % K] / RHO[0];
    }
    kernel_case c = kernel_case_new((kernel_case_plan){.k = K,
                                                       .kstar = 1,
                                                       .steps = s.steps,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .grading = s.grading,
                                                       .eta = "0.8",
                                                       .q0 = q0,
                                                       .m0 = M0,
                                                       .rho = RHO,
                                                       .response = &response_stein});
    c.kern->smooth_gradient = s.smooth;
    known_averages(&c, s.Q, P, 0, c.next);
    kernels_start(c.kern, &c.at, c.next);
    for (int i = 0; i < s.steps; i++) {
        memcpy(c.now, c.next, sizeof(double) * c.at.size);
        known_averages(&c, s.Q, P, i + 1, c.next);
        innovations_row(c.kern, i, &c.at, c.now, c.next);
        innovation_rows(&c, s.Q, i);
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
        assert_true(kernels_advance(c.kern, i, &c.at, c.now, c.next) == 0);
    }
    return c;
}

/* Means over cells and the response to the start come back to rounding, and so does a Q that is a polynomial. */
static void test_quadratic(void **state)
{
    for (int variant = 0; variant < 8; variant++) {
        stein_case s = {quadratic_response, 24, variant & 1, variant >> 1 & 1, variant & 4 ? 1.5 : 1};
        kernel_case c = solve(s);
        for (int i = 1; i <= s.steps; i++) {
            /* with few cells, the polynomials are of lower degree */
            if (i < 3)
                continue;
            for (int j = 0; j <= i; j++) {
                double want[KK];
                quadratic_response(c.grid->t[i], c.grid->t[j], want);
                for (int x = 0; x < KK; x++)
                    check_near(kernels_Q(c.kern, x, i)[j], want[x], 1e-8, "Q(t_%d, t_%d), entry %d, variant %d", i, j,
                               x, variant);
            }
        }
        kernel_case_clear(&c);
    }
}

/* Largest error of R(T, s) over all s. */
static double memory_error(int steps, int smooth, int start, double grading)
{
    kernel_case c = solve((stein_case){memory_response, steps, smooth, start, grading});
    double worst = 0;
    for (int j = 0; j <= steps; j++) {
        double R[KK], Q[KK];
        exact_kernels(HORIZON - c.grid->t[j], R, Q);
        for (int x = 0; x < KK; x++)
            worst = fmax(worst, fabs(kernels_R(c.kern, x, steps)[j] - R[x]));
    }
    kernel_case_clear(&c);
    return worst;
}

static void test_order(void **state)
{
    for (int variant = 0; variant < 8; variant++) {
        int smooth = variant & 1, start = variant >> 1 & 1;
        double grading = variant & 4 ? 1.5 : 1, error[3];
        for (int g = 0; g < 3; g++)
            error[g] = memory_error(40 << g, smooth, start, grading);
        print_message("gradient %s, start %s, grading %g: errors %.2e %.2e %.2e, ratios %.2f %.2f\n",
                      smooth ? "smooth" : "jumps ", start ? "random" : "fixed ", grading, error[0], error[1], error[2],
                      error[0] / error[1], error[1] / error[2]);
        /* the error of the polynomials is of third order, the rest of second */
        check_between(error[1] / error[2], 3.5, 9, "error ratio, variant %d", variant);
        check_between(error[2], 1e-12, 5e-4, "error at 160 steps, variant %d", variant);
    }
}

/* Where the gradient jumps E[G] is incomplete, and must not be used. */
static void test_gamma_unused(void **state)
{
    kernel_case right = solve((stein_case){memory_response, 16, 0, 1, 1});
    double keep = kernels_R(right.kern, 0, 16)[7];
    right.next[right.at.gamma] += 0.5;
    assert_true(kernels_advance(right.kern, 15, &right.at, right.now, right.next) == 0);
    assert_true(kernels_R(right.kern, 0, 16)[7] == keep);
    right.kern->smooth_gradient = 1;
    assert_true(kernels_advance(right.kern, 15, &right.at, right.now, right.next) > 1e-3);
    kernel_case_clear(&right);
}

/* Not a number in, not a number out. */
static void test_not_finite(void **state)
{
    kernel_case c = solve((stein_case){memory_response, 8, 1, 1, 1});
    kernel_case_row(&c, c.next, 3, INNOVATION)[1] = NAN;
    assert_true(isnan(kernels_advance(c.kern, 7, &c.at, c.now, c.next)));
    kernel_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quadratic),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_gamma_unused),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests_name("response by Stein's lemma", tests, NULL, NULL);
}
