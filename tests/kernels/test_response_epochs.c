/* The response where epochs begin anew: a path that is visited at t has had no visit since the epoch of t began at
   b(t). In place of the paths there is a memory kernel for the time before b(t),

     Q(t, s) = Gamma R(t, s) - M W(t, s),   W(t, s) = int_s^b(t) exp(- beta (t - u)) R(u, s) du,

   so that Q = Gamma R for s >= b(t), and Q jumps where an epoch begins. Within an epoch, with W continued to t by Z(t,
   s) = int_s^t exp(- beta (t - u)) R(u, s) du,

     R' = - (lambda + delta eta Gamma) R + delta eta M W,   W' = - beta W,   Z' = R - beta Z,

   and W becomes Z where an epoch begins: a product of matrix exponentials. Two students, matrices that do not commute.
   */
#include <gsl/gsl_linalg.h>
#include <math.h>

#include "kernel_case.h"
#include "kernels/innovations.h"

enum { K = 2, KK = 4, STATE = 3 * K, STEPS = 160 };

static const double GAMMA[KK] = {0.93, 0.31, 0.12, 0.55}, MEMORY[KK] = {0.81, -0.47, 0.36, 0.92};
static const double OUTER[KK] = {1.1, 0.3, 0.3, 0.7}, RHO[1] = {1.2}, P[KK] = {1.6, 0.3, 0.3, 1.2};
static const double BETA = 0.84, DELTA = 1.35, LAMBDA = 0.17, HORIZON = 2.57, ETA = 0.8, JUMP = 1.4137, COOLING = 0.7;

/* Just before or just after a time. */
typedef enum side { BEFORE, AFTER } side;

/* state[3 K][K]: the blocks R, W, Z, by `time` later at a constant eta. */
static void propagate(double time, double eta, double state[STATE * K])
{
    double a[STATE * STATE] = {0}, e[STATE * STATE], out[STATE * K] = {0};
    for (int i = 0; i < K; i++) {
        for (int j = 0; j < K; j++) {
            a[i * STATE + j] = -time * ((i == j ? LAMBDA : 0) + DELTA * eta * GAMMA[i * K + j]);
            a[i * STATE + K + j] = time * DELTA * eta * MEMORY[i * K + j];
        }
        a[(K + i) * STATE + K + i] = a[(2 * K + i) * STATE + 2 * K + i] = -time * BETA;
        a[(2 * K + i) * STATE + i] = time;
    }
    gsl_matrix_view from = gsl_matrix_view_array(a, STATE, STATE), to = gsl_matrix_view_array(e, STATE, STATE);
    assert_int_equal(gsl_linalg_exponential_ss(&from.matrix, &to.matrix, GSL_PREC_DOUBLE), 0);
    for (int i = 0; i < STATE; i++)
        for (int j = 0; j < K; j++)
            for (int l = 0; l < STATE; l++)
                out[i * K + j] += e[i * STATE + l] * state[l * K + j];
    memcpy(state, out, sizeof out);
}

/* The next time after t at which an epoch begins or eta jumps. */
static double next_break(double t)
{
    double begin = floor(t) + 1;
    return t < JUMP && JUMP < begin ? JUMP : begin;
}

/* R(t, s), and Q(t, s) on one side of t; eta is `late` from JUMP on. */
static void exact(double late, double t, double s, side at, double R[KK], double Q[KK])
{
    double state[STATE * K] = {1, 0, 0, 1}, now = s;
    while (now < t) {
        double end = fmin(next_break(now), t);
        propagate(end - now, now < JUMP ? ETA : late, state);
        now = end;
        if (now == floor(now) && (now < t || at == AFTER))
            memcpy(state + KK, state + 2 * KK, sizeof(double) * KK);
    }
    memcpy(R, state, sizeof(double) * KK);
    memset(Q, 0, sizeof(double) * KK);
    matrix_add_product(K, 1, GAMMA, state, Q);
    matrix_add_product(K, -1, MEMORY, state + KK, Q);
}

/* Mean of Q(t, s) over s in a cell, by Gauss-Legendre with four points. */
static void cell_mean(double late, double t, double low, double high, side at, double out[KK])
{
    static const double node[2] = {0.339981043584856, 0.861136311594053},
                        weight[2] = {0.652145154862546, 0.347854845137454};
    memset(out, 0, sizeof(double) * KK);
    for (int i = 0; i < 4; i++) {
        double R[KK], Q[KK], place = (i % 2 ? 1 : -1) * node[i / 2];
        exact(late, t, 0.5 * (low + high) + 0.5 * (high - low) * place, at, R, Q);
        for (int x = 0; x < KK; x++)
            out[x] += 0.5 * weight[i / 2] * Q[x];
    }
}

/* ---- averages that belong to this Q ---- */

typedef struct epoch_case {
    const response_estimator *response;
    int smooth, start; /* start: theta(0) varies given the teacher */
    double grading;
    const char *eta;
    int coarsened; /* from STEPS steps */
} epoch_case;

static double late_of(const kernel_case *c)
{
    return c->grid->eta_end[c->grid->steps - 1];
}

/* The node at b(t): a path that is visited at node i lacks its visits from there on. */
static int missing_since(const time_grid *grid, int i, side at)
{
    double begin = at == BEFORE ? fmax(ceil(grid->t[i] - 1e-12) - 1, 0) : floor(grid->t[i] + 1e-12);
    int b = 0;
    while (grid->t[b] < begin - 1e-12)
        b++;
    return b;
}

/* Derivatives along paths: the memory kernel against the linear weights of both ends of the cells that have visits. */
static void pathwise_rows(const kernel_case *c, int i, side at, double *averages)
{
    for (int cell = 0; cell < missing_since(c->grid, i, at); cell++) {
        double h = c->grid->h[cell], b = BETA * h, decay = exp(-BETA * (c->grid->t[i] - c->grid->t[cell]));
        double left = h * decay * (exp(b) - 1 - b) / (b * b), right = h * decay * ((b - 1) * exp(b) + 1) / (b * b);
        for (int x = 0; x < KK; x++) {
            kernel_case_row(c, averages, cell, RESPONSE_LEFT)[x] = -left * MEMORY[x];
            kernel_case_row(c, averages, cell, RESPONSE_RIGHT)[x] = -right * MEMORY[x];
        }
    }
}

/* E[g(t_i) xi_j^T] = - sqrt(delta) sum_{j <= c < i} Qm_c L_cj. With a smooth gradient those since b(t) must not be
   used. */
static void stein_rows(const kernel_case *c, int i, side at, double *averages)
{
    double *mean = memory_doubles((size_t)i * KK + 1);
    assert_non_null(mean);
    for (int cell = 0; cell < i; cell++)
        cell_mean(late_of(c), c->grid->t[i], c->grid->t[cell], c->grid->t[cell + 1], at, mean + cell * KK);
    for (int j = 0; j < i; j++) {
        double *row = kernel_case_row(c, averages, j, INNOVATION);
        memset(row, 0, sizeof(double) * KK);
        for (int cell = j; cell < i; cell++)
            matrix_add_product(K, -sqrt(DELTA), mean + cell * KK, kernels_L(c->kern, cell, j), row);
        for (int x = 0; x < KK && c->kern->smooth_gradient && j >= missing_since(c->grid, i, at); x++)
            row[x] = NAN;
    }
    free(mean);
}

/* Averages that are known before L is: Gamma, any smooth E[g S_j^T], and those with the start, of which m(0) = 0. */
static void known_averages(const kernel_case *c, int i, side at, double *averages)
{
    double R[KK], Q[KK], square[KK];
    memset(averages, 0, sizeof(double) * c->at.size);
    memcpy(averages + c->at.gamma, GAMMA, sizeof GAMMA);
    memcpy(averages + c->at.outer, OUTER, sizeof OUTER);
    exact(late_of(c), c->grid->t[i], 0, at, R, Q);
    memset(square, 0, sizeof square);
    matrix_add_product(K, 1, Q, P, square);
    memcpy(averages + c->at.gw0, square, sizeof square);
    for (int j = 0; j < i; j++)
        for (int x = 0; x < KK; x++)
            kernel_case_row(c, averages, j, VISITS)[x] =
                0.3 * c->grid->h[j] * OUTER[x] * exp(-(c->grid->t[i] - c->grid->t[j])) * (x == 1 ? 0.5 : 1);
}

static void averages_at(const kernel_case *c, int i, side at, double *averages)
{
    known_averages(c, i, at, averages);
    if (c->at.response->pathwise)
        pathwise_rows(c, i, at, averages);
}

/* ---- the march ---- */

/* Q = Gamma R to rounding where no visit lies between. By Stein's lemma, b(t) itself is the end of what is smoothed,
   unless it is 0, and nothing is known where the gradient jumps. */
static void check_unvisited(const kernel_case *c, int i, side at)
{
    int first = missing_since(c->grid, i, at);
    if (!c->at.response->pathwise && first > 0)
        first++;
    for (int j = first; j <= i && c->kern->smooth_gradient; j++) {
        double R[KK], want[KK] = {0};
        kernels_block(c->kern, i, j, R);
        matrix_add_product(K, 1, GAMMA, R, want);
        for (int x = 0; x < KK; x++)
            check_near(kernels_Q(c->kern, x, i)[j], want[x], 1e-14, "Q(t_%d, t_%d), entry %d", i, j, x);
    }
}

/* The row of node i anew from averages just after it: Q changes and R does not. */
static void renew(kernel_case *c, int i)
{
    double *R = memory_doubles(KK * c->kern->stride);
    assert_non_null(R);
    for (int x = 0; x < KK; x++)
        memcpy(R + (size_t)x * c->kern->stride, kernels_R(c->kern, x, i), sizeof(double) * c->kern->stride);
    averages_at(c, i, AFTER, c->next);
    if (!c->at.response->pathwise)
        stein_rows(c, i, AFTER, c->next);
    kernels_renew(c->kern, i, &c->at, c->next);
    for (int x = 0; x < KK; x++)
        assert_memory_equal(R + (size_t)x * c->kern->stride, kernels_R(c->kern, x, i),
                            sizeof(double) * c->kern->stride);
    check_unvisited(c, i, AFTER);
    free(R);
}

/* Largest errors of rows at the horizon, and of Q just before and after the second beginning. */
typedef struct row_errors {
    double R, Q, before, after;
} row_errors;

static double error_of_Q(const kernel_case *c, int i, side at)
{
    double worst = 0, R[KK], Q[KK];
    for (int j = 0; j <= i; j++) {
        exact(late_of(c), c->grid->t[i], c->grid->t[j], at, R, Q);
        for (int x = 0; x < KK; x++)
            worst = fmax(worst, fabs(kernels_Q(c->kern, x, i)[j] - Q[x]));
    }
    return worst;
}

static double error_of_R(const kernel_case *c, int i)
{
    double worst = 0, R[KK], Q[KK];
    for (int j = 0; j <= i; j++) {
        exact(late_of(c), c->grid->t[i], c->grid->t[j], BEFORE, R, Q);
        for (int x = 0; x < KK; x++)
            worst = fmax(worst, fabs(kernels_R(c->kern, x, i)[j] - R[x]));
    }
    return worst;
}

static row_errors solve(epoch_case s)
{
    static const double zero[KK] = {0}, m0[K] = {0};
    kernel_case c = kernel_case_new((kernel_case_plan){.k = K,
                                                       .kstar = 1,
                                                       .steps = STEPS,
                                                       .coarsened = s.coarsened,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .grading = s.grading,
                                                       .epoch = 1,
                                                       .eta = s.eta,
                                                       .q0 = s.start ? P : zero,
                                                       .m0 = m0,
                                                       .rho = RHO,
                                                       .response = s.response});
    row_errors error = {0};
    c.kern->smooth_gradient = s.smooth;
    averages_at(&c, 0, AFTER, c.next);
    kernels_start(c.kern, &c.at, c.next);
    for (int i = 0; i < c.grid->steps; i++) {
        memcpy(c.now, c.next, sizeof(double) * c.at.size);
        averages_at(&c, i + 1, BEFORE, c.next);
        if (!s.response->pathwise) {
            innovations_row(c.kern, i, &c.at, c.now, c.next);
            stein_rows(&c, i + 1, BEFORE, c.next);
        }
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
        assert_true(kernels_advance(c.kern, i, &c.at, c.now, c.next) == 0);
        check_unvisited(&c, i + 1, BEFORE);
        int second = c.grid->t[i + 1] == 2;
        if (second)
            error.before = error_of_Q(&c, i + 1, BEFORE);
        if (c.grid->renewal[i + 1])
            renew(&c, i + 1);
        if (second)
            error.after = error_of_Q(&c, i + 1, AFTER);
    }
    error.R = error_of_R(&c, c.grid->steps);
    error.Q = error_of_Q(&c, c.grid->steps, BEFORE);
    kernel_case_clear(&c);
    return error;
}

/* At least second order. */
static void check_order(const char *name, const epoch_case *s, double one, double two, double three)
{
    print_message("%s, gradient %s, start %s, grading %g, %-6s errors %.2e %.2e %.2e, ratios %.2f %.2f\n",
                  s->response->name, s->smooth ? "smooth" : "jumps ", s->start ? "random" : "fixed ", s->grading, name,
                  one, two, three, one / two, two / three);
    check_between(two / three, 3.5, 40, "%s: error ratio of %s", s->response->name, name);
    check_between(three, 1e-12, 5e-4, "%s: error of %s at 160 steps", s->response->name, name);
}

static void check_orders(epoch_case s)
{
    row_errors error[3];
    for (int g = 0; g < 3; g++) {
        s.coarsened = 2 - g;
        error[g] = solve(s);
    }
    check_order("R", &s, error[0].R, error[1].R, error[2].R);
    check_order("Q", &s, error[0].Q, error[1].Q, error[2].Q);
    check_order("Q(2-)", &s, error[0].before, error[1].before, error[2].before);
    check_order("Q(2+)", &s, error[0].after, error[1].after, error[2].after);
}

static void test_pathwise(void **state)
{
    for (int g = 0; g < 4; g++)
        check_orders(
            (epoch_case){&response_pathwise, 1, 0, g & 1 ? 1.5 : 1, g & 2 ? "if(t < 1.4137, 0.8, 0.5)" : "0.8", 0});
}

/* Without a jump of eta, where R(t, .) has a kink that local polynomials miss by an error of first order. */
static void test_stein(void **state)
{
    for (int variant = 0; variant < 8; variant++)
        check_orders((epoch_case){&response_stein, variant & 1, variant >> 1 & 1, variant & 4 ? 1.5 : 1, "0.8", 0});
}

/* The case is one: with the visits of the own epoch, R is another. */
static void test_epochs_matter(void **state)
{
    double R[KK], Q[KK], Q_after[KK];
    exact(ETA, 2, 0.3, BEFORE, R, Q);
    exact(ETA, 2, 0.3, AFTER, R, Q_after);
    check_between(fabs(Q_after[0] - Q[0]), 0.05, 1, "jump of Q where an epoch begins");
}

/* ---- eta varies within cells ---- */

/* Without a memory kernel Q = Gamma R for all times, so that R(t, s) = exp(- lambda (t - s) - delta Gamma int_s^t eta),
   and it does not matter when epochs begin. */
static void cooling_exact(double t, double s, double R[KK])
{
    double a[KK], integral = ETA / COOLING * (exp(-COOLING * s) - exp(-COOLING * t));
    for (int x = 0; x < KK; x++)
        a[x] = -DELTA * integral * GAMMA[x] - (x % (K + 1) == 0 ? LAMBDA * (t - s) : 0);
    gsl_matrix_view from = gsl_matrix_view_array(a, K, K), to = gsl_matrix_view_array(R, K, K);
    assert_int_equal(gsl_linalg_exponential_ss(&from.matrix, &to.matrix, GSL_PREC_DOUBLE), 0);
}

static void cooling_averages(const kernel_case *c, int i, double *averages)
{
    memset(averages, 0, sizeof(double) * c->at.size);
    memcpy(averages + c->at.gamma, GAMMA, sizeof GAMMA);
    memcpy(averages + c->at.outer, OUTER, sizeof OUTER);
}

/* E[g(t_i) xi_j^T] = - sqrt(delta) sum_{j <= c < i} Qm_c L_cj, the mean Qm_c by Simpson's rule. */
static void cooling_rows(const kernel_case *c, int i, double *averages)
{
    double mean[STEPS][KK] = {{0}}, R[KK];
    for (int cell = 0; cell < i; cell++)
        for (int x = 0; x < 3; x++) {
            cooling_exact(c->grid->t[i], c->grid->t[cell] + 0.5 * x * c->grid->h[cell], R);
            matrix_add_product(K, x == 1 ? 4.0 / 6 : 1.0 / 6, GAMMA, R, mean[cell]);
        }
    for (int j = 0; j < i; j++) {
        double *row = kernel_case_row(c, averages, j, INNOVATION);
        memset(row, 0, sizeof(double) * KK);
        for (int cell = j; cell < i; cell++)
            matrix_add_product(K, -sqrt(DELTA), mean[cell], kernels_L(c->kern, cell, j), row);
    }
}

static double cooling_error(const response_estimator *response, int smooth, double epoch, int coarsened)
{
    static const double zero[KK] = {0};
    kernel_case c = kernel_case_new((kernel_case_plan){.k = K,
                                                       .kstar = 1,
                                                       .steps = STEPS,
                                                       .coarsened = coarsened,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .epoch = epoch,
                                                       .eta = "0.8*exp(-0.7*t)",
                                                       .q0 = zero,
                                                       .m0 = zero,
                                                       .rho = RHO,
                                                       .response = response});
    double worst = 0, R[KK];
    c.kern->smooth_gradient = smooth;
    cooling_averages(&c, 0, c.next);
    kernels_start(c.kern, &c.at, c.next);
    for (int i = 0; i < c.grid->steps; i++) {
        memcpy(c.now, c.next, sizeof(double) * c.at.size);
        cooling_averages(&c, i + 1, c.next);
        if (!response->pathwise) {
            innovations_row(c.kern, i, &c.at, c.now, c.next);
            cooling_rows(&c, i + 1, c.next);
        }
        assert_false(isnan(kernels_advance(c.kern, i, &c.at, c.now, c.next)));
        if (c.grid->renewal[i + 1])
            kernels_renew(c.kern, i + 1, &c.at, c.next);
    }
    for (int j = 0; j <= c.grid->steps; j++) {
        cooling_exact(HORIZON, c.grid->t[j], R);
        for (int x = 0; x < KK; x++)
            worst = fmax(worst, fabs(kernels_R(c.kern, x, c.grid->steps)[j] - R[x]));
    }
    kernel_case_clear(&c);
    return worst;
}

/* No epochs, some, and one that is longer than the horizon. */
static void test_cooling(void **state)
{
    static const double epoch[3] = {0, 1, 5};
    for (int variant = 0; variant < 9; variant++) {
        const response_estimator *response = variant < 3 ? &response_pathwise : &response_stein;
        double error[3];
        for (int g = 0; g < 3; g++)
            error[g] = cooling_error(response, variant < 6, epoch[variant % 3], 2 - g);
        print_message("%s, epoch %g, gradient %s: errors %.2e %.2e %.2e, ratios %.2f %.2f\n", response->name,
                      epoch[variant % 3], variant < 6 ? "smooth" : "jumps", error[0], error[1], error[2],
                      error[0] / error[1], error[1] / error[2]);
        check_between(error[1] / error[2], 3.5, 4.5, "%s, epoch %g: error ratio", response->name, epoch[variant % 3]);
        check_between(error[2], 1e-12, 2e-4, "%s, epoch %g: error at 160 steps", response->name, epoch[variant % 3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_epochs_matter), cmocka_unit_test(test_pathwise),
                                       cmocka_unit_test(test_stein), cmocka_unit_test(test_cooling)};
    return cmocka_run_group_tests_name("response with epochs", tests, NULL, NULL);
}
