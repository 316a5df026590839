/* The exact method for batches that are a fraction of the data (solvers/linear/discrete.c): against polynomials of the
   spectrum, closed recursions of one pass, known numbers, and sampled paths. */
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/memory.h"
#include "core/random.h"
#include "linear_case.h"
#include "problem/problem.h"

/* ---- gradient descent, eigenvector by eigenvector ---- */

typedef struct descent {
    double delta, eta, slower, lambda, beta, q, m, rho, noise; /* the step is eta / (1 + slower k) */
    double b;                                                  /* time of a step; the mean over batches has b eta */
} descent;

enum { STEPS = 40 };

/* E_k and u_k at one eigenvalue: theta_k = E_k theta(0) + u_k (x theta* + noise along it). */
typedef struct mode_path {
    double E[STEPS + 1], u[STEPS + 1];
} mode_path;

static mode_path mode_path_of(const descent *p, double x)
{
    mode_path path = {.E = {1}};
    for (int k = 0; k < STEPS; k++) {
        int before = k > 0 ? k - 1 : 0;
        double step = p->b * p->eta / (1 + p->slower * k), keep = 1 + p->beta - step * x - p->lambda * p->b;
        path.E[k + 1] = keep * path.E[k] - p->beta * path.E[before];
        path.u[k + 1] = keep * path.u[k] - p->beta * path.u[before] + step;
    }
    return path;
}

/* What the steps of gradient descent should give. */
typedef struct descent_values {
    double train[STEPS + 1], test[STEPS + 1], q[STEPS + 1], m[STEPS + 1], R[STEPS + 1];
    double C[STEPS + 1]; /* with step 3 */
} descent_values;

static void descent_solve(const descent *p, descent_values *out)
{
    ode_spectrum mu = ode_spectrum_of(p->delta);
    memset(out, 0, sizeof *out);
    for (int i = 0; i < mu.n; i++) {
        double x = mu.x[i], w = mu.weight[i];
        mode_path path = mode_path_of(p, x);
        for (int k = 0; k <= STEPS; k++) {
            double E = path.E[k], u = path.u[k], f = x * u, E3 = path.E[3], u3 = path.u[3];
            double error = E * E * p->q + 2 * E * (f - 1) * p->m + (f - 1) * (f - 1) * p->rho;
            out->m[k] += w * (E * p->m + f * p->rho);
            out->R[k] += w * E;
            out->q[k] += w * (E * E * p->q + 2 * E * f * p->m + f * f * p->rho + f * u * p->noise);
            out->C[k] += w * (E * E3 * p->q + x * (E * u3 + E3 * u) * p->m + x * u * u3 * (x * p->rho + p->noise));
            out->train[k] += w * (x * error + ((f - 1) * (f - 1) - 1) * p->noise) / (2 * p->delta);
        }
    }
    for (int k = 0; k <= STEPS; k++) {
        out->train[k] += p->noise / 2;
        out->test[k] = (out->q[k] - 2 * out->m[k] + p->rho + p->noise) / 2;
    }
}

static sgdmft_solution *solve_descent(sgdmft_context *ctx, const descent *p, const char *sampling)
{
    return SOLVE(ctx,
                 "delta: %.17g\neta: \"%.17g/(1 + %.17g*t)\"\nlambda: %.17g\nbatch_fraction: %.17g\nhorizon: %.17g\n"
                 "sampling: %s\nmomentum: {beta: %.17g}\ninitial: {q: %.17g, m: %.17g, rho: %.17g}\n"
                 "model: {label: \"s + %.17g*eps\", loss: \"(r - y)^2/2\"}\noutput: {times: %d}\n",
                 p->delta, p->eta, p->slower / p->b, p->lambda, p->b, STEPS * p->b, sampling, p->beta, p->q, p->m,
                 p->rho, sqrt(p->noise), STEPS + 1);
}

/* delta, eta, slower, lambda, beta, q, m, rho, noise, b */
static const descent descents[] = {
    {3, 0.1, 0, 0.05, 0, 1, 0.2, 1, 0.04, 1},         {0.4, 0.3, 0, 0, 0, 1, 0, 1, 0.01, 1},
    {1.5, 0.25, 0, 0.2, 0.6, 0.7, -0.3, 1.3, 0.5, 1}, {0.6, 0.4, 0, 0.1, 0.9, 1.2, 0.5, 0.8, 0.3, 1},
    {1, 0.3, 0.05, 0, 0.3, 1, 0.1, 1, 0.09, 1},       {5, 0.2, 0.1, 0.3, 0, 2, 0.4, 1, 0.2, 1},
};

/* All of the data in every step, where there is nothing to average over: all samplings are the same. */
static void test_full_batch(void **state)
{
    static const char *const sampling[3] = {"replacement", "reshuffle", "cyclic"};
    sgdmft_context *ctx = check_context(1);
    for (size_t c = 0; c < sizeof descents / sizeof *descents; c++) {
        descent_values want;
        descent_solve(&descents[c], &want);
        sgdmft_solution *s = solve_descent(ctx, &descents[c], sampling[c % 3]);
        assert_int_equal(s->n_times, STEPS + 1);
        for (size_t k = 0; k <= STEPS; k++) {
            ode_values at = {want.train[k], want.test[k], want.q[k], want.m[k], want.R[k], 0};
            linear_case_compare(s, k, &at, 3e-12, "full batch");
            check_near(s->C[k * s->n_grid + 3], want.C[k], 3e-12, "C(%zu, 3), case %zu", k, c);
            check_near(s->C[3 * s->n_grid + k], want.C[k], 3e-12, "C(3, %zu), case %zu", k, c);
        }
        check_near(linear_case_value(s, "q11", 5), want.q[5], 3e-12, "q");
        for (size_t i = 0; i < s->n_curves; i++)
            assert_true(s->curves[i].se[7] == 0 && s->curves[i].step_error[7] == 0);
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* The mean over independent batches is gradient descent with the step b eta. */
static void test_mean_over_batches(void **state)
{
    sgdmft_context *ctx = check_context(1);
    for (size_t c = 0; c < sizeof descents / sizeof *descents; c++) {
        descent p = descents[c];
        descent_values want;
        p.b = c % 2 ? 0.3 : 0.125;
        descent_solve(&p, &want);
        sgdmft_solution *s = solve_descent(ctx, &p, "replacement");
        for (size_t k = 0; k <= STEPS; k++) {
            check_near(linear_case_value(s, "m11", k), want.m[k], 1e-12, "m after %zu steps, case %zu", k, c);
            check_near(linear_case_value(s, "R11", k), want.R[k], 1e-12, "R after %zu steps, case %zu", k, c);
            check_near(s->R[k * s->n_grid], want.R[k], 1e-12, "R on the grid");
            assert_true(linear_case_value(s, "q11", k) >= want.q[k] - 1e-12);
        }
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* Numbers found elsewhere (theory, section 5). */
static void test_known_numbers(void **state)
{
    static const double m[4] = {.2, .43, .5555, .6308};
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = SOLVE(ctx, "delta: 3\neta: 0.1\nlambda: 0.05\nbatch_fraction: 1\nhorizon: 199\n"
                                    "initial: {m: 0.2}\n" PLAIN "output: {times: 1000}\n");
    assert_int_equal(s->n_times, 200); /* one for each step */
    for (size_t k = 0; k < 4; k++)
        check_near(linear_case_value(s, "m11", k), m[k], 5.1e-5, "m after %zu steps", k);
    check_near(linear_case_value(s, "m11", 199), .8139, 5.1e-5, "m after 199 steps");
    sgdmft_solution_free(s);
    sgdmft_context_free(ctx);
}

/* ---- the first epoch, in which every sample is fresh ---- */

/* No sample is visited twice, so that r = w at a visit, and theta sees independent forces. */
static void test_first_epoch(void **state)
{
    static const char *const sampling[2] = {"reshuffle", "cyclic"};
    double delta = 1.7, eta = 0.8, lambda = 0.3, b = 0.1, noise = 0.25, rho = 1.2;
    sgdmft_context *ctx = check_context(1);
    for (int c = 0; c < 2; c++) {
        sgdmft_solution *s = SOLVE(ctx,
                                   "delta: 1.7\neta: 0.8\nlambda: 0.3\nbatch_fraction: 0.1\nsampling: %s\nhorizon: 2\n"
                                   "initial: {q: 0.9, m: 0.3, rho: 1.2}\n"
                                   "model: {label: \"s + 0.5*eps\", loss: \"(r - y)^2/2\"}\noutput: {times: 21}\n",
                                   sampling[c]);
        double m = 0.3, q = 0.9, pull = delta * eta * b, decay = lambda * b;
        for (size_t k = 0; k <= 10; k++) {
            double error = q - 2 * m + rho + noise;
            check_near(linear_case_value(s, "m11", k), m, 1e-13, "m after %zu steps, %s", k, sampling[c]);
            check_near(linear_case_value(s, "q11", k), q, 1e-13, "q after %zu steps, %s", k, sampling[c]);
            check_near(linear_case_value(s, "test_loss", k), error / 2, 1e-13, "test loss after %zu steps", k);
            double mean = (1 - decay - pull), other = mean * m + pull * rho;
            q = mean * mean * q + 2 * mean * pull * m + pull * pull * rho + pull * eta * error;
            m = other;
        }
        sgdmft_solution_free(s);
    }
    sgdmft_context_free(ctx);
}

/* ---- sampled paths ---- */

enum { PATH_STEPS = 12, PATH_LAWS = 4, PLACES = 4 };
enum { PURPOSE_GAUSSIANS = 7001, PURPOSE_BATCHES = 7002 };

typedef struct path_case {
    const char *sampling;
    int law; /* 0: independent, 1: reshuffle, 2: cyclic */
    double lambda, beta;
} path_case;

static const path_case path_cases[PATH_LAWS] = {
    {"replacement", 0, 0.2, 0.5}, {"reshuffle", 1, 0.1, 0}, {"cyclic", 2, 0, 0}, {"reshuffle", 1, 0, 0.7}};

static const double path_delta = 1.3, path_eta = 0.7, path_b = 1.0 / PLACES, path_sigma = 0.5;

/* Which batches a path is in. */
static void draw_batches(int law, uint64_t path, int *in)
{
    double u[PATH_STEPS];
    random_uniforms((random_key){.seed = 5, .purpose = PURPOSE_BATCHES}, path, 0, PATH_STEPS, u);
    for (int k = 0; k < PATH_STEPS; k++) {
        int epoch = law == 2 ? 0 : k / PLACES;
        in[k] = law == 0 ? u[k] < path_b : (int)(u[epoch] * PLACES) == k % PLACES;
    }
}

/* The Cholesky factor of the covariance of (w*, w_0, ..., w_N). */
static gsl_matrix *field_factor(const sgdmft_solution *s)
{
    size_t nodes = PATH_STEPS + 1;
    gsl_matrix *a = gsl_matrix_alloc(nodes + 1, nodes + 1);
    gsl_matrix_set(a, 0, 0, 1);
    for (size_t i = 0; i < nodes; i++) {
        gsl_matrix_set(a, 0, i + 1, s->m[i]);
        gsl_matrix_set(a, i + 1, 0, s->m[i]);
        for (size_t j = 0; j < nodes; j++)
            gsl_matrix_set(a, i + 1, j + 1, s->C[i * s->n_grid + j]);
    }
    assert_int_equal(gsl_linalg_cholesky_decomp1(a), 0);
    return a;
}

/* Sums over paths, with those of squares for their standard errors. */
typedef struct path_sums {
    double risk[2][PATH_STEPS + 1];              /* g_k^2 / 2 */
    double signal[2][PATH_STEPS];                /* eta S_k g_k w* */
    double force[2][PATH_STEPS][PATH_STEPS + 1]; /* eta S_k g_k r_l, l <= k + 1 */
} path_sums;

static void add(double *sum, size_t apart, double value)
{
    sum[0] += value;
    sum[apart] += value * value;
}

static void add_path(const sgdmft_solution *s, const gsl_matrix *factor, int law, uint64_t path, path_sums *sums)
{
    double xi[PATH_STEPS + 3], w[PATH_STEPS + 2] = {0}, r[PATH_STEPS + 1], g[PATH_STEPS + 1];
    int in[PATH_STEPS + 1] = {0};
    random_normals((random_key){.seed = 5, .purpose = PURPOSE_GAUSSIANS}, path, 0, PATH_STEPS + 3, xi);
    draw_batches(law, path, in);
    for (size_t i = 0; i < PATH_STEPS + 2; i++)
        for (size_t j = 0; j <= i; j++)
            w[i] += gsl_matrix_get(factor, i, j) * xi[j];
    double y = w[0] + path_sigma * xi[PATH_STEPS + 2];
    for (size_t k = 0; k <= PATH_STEPS; k++) {
        r[k] = w[k + 1];
        for (size_t l = 0; l < k; l++)
            r[k] -= s->R[k * s->n_grid + l + 1] * path_eta * in[l] * g[l];
        g[k] = r[k] - y;
        add(&sums->risk[0][k], PATH_STEPS + 1, g[k] * g[k] / 2);
    }
    for (size_t k = 0; k < PATH_STEPS; k++) {
        add(&sums->signal[0][k], PATH_STEPS, path_eta * in[k] * g[k] * w[0]);
        for (size_t l = 0; l <= k + 1; l++)
            add(&sums->force[0][k][l], PATH_STEPS * (PATH_STEPS + 1), path_eta * in[k] * g[k] * r[l]);
    }
}

static void check_mean(const double *sum, size_t apart, size_t n, double want, const char *what, size_t k, size_t l)
{
    double mean = sum[0] / (double)n, square = sum[apart] / (double)n;
    check_z(mean, want, sqrt((square - mean * mean) / (double)n), 4, "%s (%zu, %zu)", what, k, l);
}

/* x_{k+1} of the filter without the force. */
static double filtered(const path_case *c, double now, double before)
{
    return now + c->beta * (now - before) - c->lambda * path_b * now;
}

/* Paths that are drawn with the C, m and R of the solution and with the law of the batches have its train loss, and
   theta moves against the mean of their forces: m, and C by x_{k+1} theta_l = ... - delta E[eta S_k g_k r_l]. */
static void check_paths(const path_case *c, const sgdmft_solution *s, const path_sums *sums, size_t n)
{
    size_t nodes = s->n_grid;
    for (size_t k = 0; k <= PATH_STEPS; k++)
        check_mean(&sums->risk[0][k], PATH_STEPS + 1, n, linear_case_value(s, "train_loss", k), c->sampling, k, k);
    for (size_t k = 0; k < PATH_STEPS; k++) {
        size_t before = k > 0 ? k - 1 : 0;
        double m = (filtered(c, s->m[k], s->m[before]) - s->m[k + 1]) / path_delta;
        check_mean(&sums->signal[0][k], PATH_STEPS, n, m, "mean force along theta*", k, 0);
        for (size_t l = 0; l <= k + 1; l++) {
            const double *C = s->C + l * nodes; /* symmetric */
            double want = (filtered(c, C[k], C[before]) - C[k + 1]) / path_delta;
            check_mean(&sums->force[0][k][l], PATH_STEPS * (PATH_STEPS + 1), n, want, "mean force along theta", k, l);
        }
    }
}

static void test_sampled_paths(void **state)
{
    size_t n = test_scaled(100000, 4000);
    sgdmft_context *ctx = check_context(1);
    path_sums *sums = malloc(sizeof *sums);
    for (int c = 0; c < PATH_LAWS; c++) {
        const path_case *p = &path_cases[c];
        sgdmft_solution *s = SOLVE(ctx,
                                   "delta: %.17g\neta: %.17g\nlambda: %.17g\nsampling: %s\nbatch_fraction: %.17g\n"
                                   "momentum: {beta: %.17g}\nhorizon: %d\ninitial: {m: 0.3}\n"
                                   "model: {label: \"s + 0.5*eps\", loss: \"(r - y)^2/2\"}\noutput: {times: 13}\n",
                                   path_delta, path_eta, p->lambda, p->sampling, path_b, p->beta, PATH_STEPS / PLACES);
        gsl_matrix *factor = field_factor(s);
        memset(sums, 0, sizeof *sums);
        for (size_t path = 0; path < n; path++)
            add_path(s, factor, p->law, path, sums);
        check_paths(p, s, sums, n);
        gsl_matrix_free(factor);
        sgdmft_solution_free(s);
    }
    free(sums);
    sgdmft_context_free(ctx);
}

/* ---- limits of the method ---- */

/* Full-batch gradient descent is stable if and only if eta (1 + sqrt delta)^2 + lambda < 2 (1 + beta). */
static void test_stability(void **state)
{
    static const char text[] = "delta: 1.5\neta: %.17g\nlambda: 0.1\nbatch_fraction: 1\nmomentum: {beta: %g}\n"
                               "horizon: 2000\n" PLAIN "output: {times: 3}\n";
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *s = NULL;
    for (int c = 0; c < 2; c++) {
        double beta = 0.5 * c, root = 1 + sqrt(1.5), edge = (2 * (1 + beta) - 0.1) / (root * root);
        s = SOLVE(ctx, text, 0.995 * edge, beta);
        assert_int_equal(s->status, SGDMFT_OK);
        sgdmft_solution_free(s);
        sgdmft_problem *problem = test_problem(ctx, text, 1.02 * edge, beta);
        check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_DIVERGED,
                      "full-batch gradient descent is unstable");
        assert_true(s->n_times >= 1 && s->n_grid > 10 && s->n_grid < 2001);
        assert_true(isfinite(s->C[s->n_grid * s->n_grid - 1]));
        sgdmft_solution_free(s);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

static void test_choice(void **state)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_problem *problem = test_problem(
        ctx, "delta: 1.5\nbatch_fraction: 0.25\nsampling: cyclic\nhorizon: 3.6\n" PLAIN "output: {times: 5}\n");
    sgdmft_cost cost;
    assert_string_equal(sgdmft_solver_chosen(ctx, problem), "exact linear");
    check_ok(ctx, sgdmft_estimate_cost(ctx, problem, &cost));
    check_between(cost.memory_bytes, 1e3, 1e6, "memory");
    sgdmft_solution *s = linear_case_solve(ctx, problem);
    static const double times[5] = {0, 1, 1.75, 2.75, 3.5}; /* steps 0, 3.5, 7, 10.5 and 14 of 14 */
    for (size_t i = 0; i < 5; i++)
        check_near(s->times[i], times[i], 1e-12, "output time %zu", i);
    sgdmft_solution_free(s);
    problem =
        test_problem(ctx, "delta: 1.5\nbatch_fraction: 0.001\nhorizon: 10\n" PLAIN "numerics: {method: linear}\n");
    check_failure(ctx, sgdmft_solve(ctx, problem, &s), SGDMFT_ERR_UNSUPPORTED, "would make 10000 steps");
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_batch),    cmocka_unit_test(test_mean_over_batches),
        cmocka_unit_test(test_known_numbers), cmocka_unit_test(test_first_epoch),
        cmocka_unit_test(test_sampled_paths), cmocka_unit_test(test_stability),
        cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests_name("linear batches", tests, NULL, NULL);
}
