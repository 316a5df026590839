/* Response and overlap from averages with known exact solutions. */
#include <complex.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

#include "kernel_case.h"

/* Without memory the scheme is the trapezoid rule for dR/dt = - (lambda + delta eta gamma) R, cell by cell. */
static void test_trapezoid(void **state)
{
    const double delta = 1.3, lambda = 0.37, gamma = 0.83;
    kernel_case c = kernel_case_new((kernel_case_plan){.k = 1,
                                                       .kstar = 1,
                                                       .steps = 24,
                                                       .delta = delta,
                                                       .lambda = lambda,
                                                       .horizon = 3,
                                                       .eta = "if(t < 1.5, 1.1, 0.4)"});
    c.now[c.at.gamma] = c.next[c.at.gamma] = gamma;
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < 24; i++)
        kernels_advance(c.kern, i, &c.at, c.now, c.next);
    for (int j = 0; j <= 24; j++) {
        double want = 1;
        for (int i = j; i <= 24; i++) {
            check_near(kernels_R(c.kern, 0, i)[j], want, 1e-9, "R(t_%d, t_%d)", i, j);
            double half = 0.0625 * (lambda + delta * gamma * (i < 12 ? 1.1 : 0.4));
            want *= (1 - half) / (1 + half);
        }
        for (int i = 0; i < j; i++)
            assert_true(kernels_R(c.kern, 0, i)[j] == 0);
    }
    kernel_case_clear(&c);
}

/* Largest error of R(t, s) = exp(- lambda (t - s) - delta gamma int_s^t eta) on a graded grid. */
static double decay_error(int steps)
{
    const double delta = 1.7, lambda = 0.29, gamma = 0.61;
    kernel_case c = kernel_case_new((kernel_case_plan){.k = 1,
                                                       .kstar = 1,
                                                       .steps = steps,
                                                       .delta = delta,
                                                       .lambda = lambda,
                                                       .horizon = 2.2,
                                                       .grading = 1.5,
                                                       .eta = "0.9/(1 + 0.6*t)"});
    c.now[c.at.gamma] = gamma;
    memcpy(c.next, c.now, sizeof(double) * c.at.size);
    kernels_start(c.kern, &c.at, c.now);
    double worst = 0;
    for (int i = 0; i < steps; i++)
        kernels_advance(c.kern, i, &c.at, c.now, c.next);
    for (int i = 0; i <= steps; i++)
        for (int j = 0; j <= i; j++) {
            double t = c.grid->t[i], s = c.grid->t[j], area = 1.5 * log((1 + 0.6 * t) / (1 + 0.6 * s));
            double exact = exp(-lambda * (t - s) - delta * gamma * area);
            worst = fmax(worst, fabs(kernels_R(c.kern, 0, i)[j] - exact));
        }
    kernel_case_clear(&c);
    return worst;
}

static void test_decay_order(void **state)
{
    double e1 = decay_error(40), e2 = decay_error(80), e3 = decay_error(160);
    check_between(e1 / e2, 3.8, 4.2, "error ratio, 40 and 80 steps");
    check_between(e2 / e3, 3.8, 4.2, "error ratio, 80 and 160 steps");
    check_between(e3, 0, 5e-5, "error at 160 steps");
}

/* Memory: Q(t, s) = Gamma R(t, s) - int_s^t exp(- beta (t - u)) M R(u, s) du with 2 x 2 matrices that do not commute.
   With Z(t) = int_s^t exp(- beta (t - u)) R(u, s) du the equations are linear with constant coefficients:
   R' = - (lambda + delta eta Gamma) R + delta eta M Z,   Z' = R - beta Z. */
static const double GAMMA[4] = {0.93, 0.31, 0.12, 0.55}, MEMORY[4] = {0.41, -0.27, 0.36, 0.72};
static const double BETA = 0.84, DELTA = 1.35, LAMBDA = 0.17, ETA = 0.8, HORIZON = 2.4, COOLING = 0.7;

static void exact_response(double time, double out[4])
{
    double a[16] = {0};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            a[i * 4 + j] = -time * ((i == j ? LAMBDA : 0) + DELTA * ETA * GAMMA[i * 2 + j]);
            a[i * 4 + j + 2] = time * DELTA * ETA * MEMORY[i * 2 + j];
            a[(i + 2) * 4 + j] = i == j ? time : 0;
            a[(i + 2) * 4 + j + 2] = i == j ? -time * BETA : 0;
        }
    double e[16];
    gsl_matrix_view from = gsl_matrix_view_array(a, 4, 4), to = gsl_matrix_view_array(e, 4, 4);
    assert_int_equal(gsl_linalg_exponential_ss(&from.matrix, &to.matrix, GSL_PREC_DOUBLE), 0);
    for (int i = 0; i < 4; i++)
        out[i] = e[i / 2 * 4 + i % 2];
}

/* The averages at node i: integrals of the kernel against the linear weights of both ends of every cell. */
static void memory_averages(const kernel_case *c, int i, double *averages)
{
    memcpy(averages + c->at.gamma, GAMMA, sizeof GAMMA);
    for (int cell = 0; cell < i; cell++) {
        double h = c->grid->h[cell], b = BETA * h, start = exp(-BETA * (c->grid->t[i] - c->grid->t[cell]));
        double left = h * start * (exp(b) - 1 - b) / (b * b), right = h * start * ((b - 1) * exp(b) + 1) / (b * b);
        for (int x = 0; x < 4; x++) {
            kernel_case_row(c, averages, cell, RESPONSE_LEFT)[x] = -left * MEMORY[x];
            kernel_case_row(c, averages, cell, RESPONSE_RIGHT)[x] = -right * MEMORY[x];
        }
    }
}

/* Error of R(T, s) at the node nearest to s = place T. */
static double memory_error(int steps, double grading, double place)
{
    kernel_case c = kernel_case_new((kernel_case_plan){.k = 2,
                                                       .kstar = 1,
                                                       .steps = steps,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .grading = grading,
                                                       .eta = "0.8"});
    memory_averages(&c, 0, c.now);
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < steps; i++) {
        memory_averages(&c, i, c.now);
        memory_averages(&c, i + 1, c.next);
        kernels_advance(c.kern, i, &c.at, c.now, c.next);
    }
    int j = (int)lround(place * steps);
    double exact[4], worst = 0;
    exact_response(HORIZON - c.grid->t[j], exact);
    for (int x = 0; x < 4; x++)
        worst = fmax(worst, fabs(kernels_R(c.kern, x, steps)[j] - exact[x]));
    kernel_case_clear(&c);
    return worst;
}

static void test_memory_order(void **state)
{
    static const double place[3] = {0, 0.25, 0.75}, grading[2] = {1, 1.6};
    for (int g = 0; g < 2; g++)
        for (int p = 0; p < 3; p++) {
            double e1 = memory_error(32, grading[g], place[p]), e2 = memory_error(64, grading[g], place[p]);
            double e3 = memory_error(128, grading[g], place[p]);
            check_between(e1 / e2, 3.6, 4.4, "error ratio, 32 and 64 steps, s = %g T", place[p]);
            check_between(e2 / e3, 3.8, 4.2, "error ratio, 64 and 128 steps, s = %g T", place[p]);
            check_between(e3, 1e-12, 2e-4, "error at 128 steps");
        }
}

/* Overlaps: m' = - lambda m - delta eta(t) mu(t) with mu(t) = amplitude cos(omega t + phase), entry by entry, and
   eta(t) = ETA exp(- COOLING t). */
typedef struct wave {
    double amplitude[6], omega[6], phase[6];
} wave;

static wave make_wave(void)
{
    wave w;
    double z[18];
    kernel_case_normals(1, 18, z);
    for (int x = 0; x < 6; x++) {
        w.amplitude[x] = 0.4 * z[x];
        w.omega[x] = 1 + fabs(z[6 + x]);
        w.phase[x] = z[12 + x];
    }
    return w;
}

static void wave_averages(const kernel_case *c, const wave *w, double t, double *averages)
{
    for (int x = 0; x < 6; x++)
        averages[c->at.mu + (size_t)x] = w->amplitude[x] * cos(w->omega[x] * t + w->phase[x]);
    memcpy(averages + c->at.gamma, GAMMA, sizeof GAMMA);
}

static double wave_exact(const wave *w, const double *m0, int x, double t)
{
    double complex source = I * w->omega[x] - COOLING;
    double complex driven = cexp(I * w->phase[x]) * (cexp(source * t) - exp(-LAMBDA * t)) / (LAMBDA + source);
    return exp(-LAMBDA * t) * m0[x] - DELTA * ETA * w->amplitude[x] * creal(driven);
}

static const double M0[6] = {0.3, -0.2, 0.45, 0.15, 0.6, -0.35};
static const double RHO[9] = {1.3, 0.2, -0.4, 0.2, 0.9, 0.31, -0.4, 0.31, 1.7};

static double overlap_error(int steps, const wave *w)
{
    kernel_case c = kernel_case_new((kernel_case_plan){.k = 2,
                                                       .kstar = 3,
                                                       .steps = steps,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .eta = "0.8*exp(-0.7*t)",
                                                       .m0 = M0,
                                                       .rho = RHO});
    wave_averages(&c, w, 0, c.now);
    kernels_start(c.kern, &c.at, c.now);
    double worst = 0;
    for (int i = 0; i < steps; i++) {
        wave_averages(&c, w, c.grid->t[i], c.now);
        wave_averages(&c, w, c.grid->t[i + 1], c.next);
        kernels_advance(c.kern, i, &c.at, c.now, c.next);
        const double *m = c.kern->m + 6 * (i + 1), *F = c.kern->F + 6 * (i + 1);
        for (int x = 0; x < 6; x++) {
            worst = fmax(worst, fabs(m[x] - wave_exact(w, M0, x, c.grid->t[i + 1])));
            /* F rho = m - R(., 0) m(0) */
            double left = 0, right = m[x];
            for (int l = 0; l < 3; l++)
                left += F[x / 3 * 3 + l] * RHO[l * 3 + x % 3];
            for (int l = 0; l < 2; l++)
                right -= kernels_R(c.kern, x / 3 * 2 + l, i + 1)[0] * M0[l * 3 + x % 3];
            check_near(left, right, 1e-14, "F rho at node %d, entry %d", i + 1, x);
        }
    }
    kernel_case_clear(&c);
    return worst;
}

static void test_overlap(void **state)
{
    wave w = make_wave();
    double e1 = overlap_error(30, &w), e2 = overlap_error(60, &w), e3 = overlap_error(120, &w);
    check_between(e1 / e2, 3.7, 4.3, "error ratio, 30 and 60 steps");
    check_between(e2 / e3, 3.8, 4.2, "error ratio, 60 and 120 steps");
    check_between(e3, 1e-12, 5e-4, "error at 120 steps");
}

static void test_singular_rho(void **state)
{
    static const double rho[4] = {1, 0.5, 2, 1}, q0[1] = {1}, m0[2] = {0, 0};
    kernel_case c =
        kernel_case_new((kernel_case_plan){.k = 1, .kstar = 1, .steps = 4, .delta = 1, .horizon = 1, .eta = "1"});
    kernels *kern = NULL;
    kernels_plan plan = {
        .k = 1, .kstar = 2, .delta = 1, .white_noise = 1, .grid = c.grid, .q0 = q0, .m0 = m0, .rho = rho};
    check_failure(c.ctx, kernels_new(c.ctx, &plan, &kern), SGDMFT_ERR_RANGE, "initial.rho");
    assert_null(kern);
    kernel_case_clear(&c);
}

/* The residual of a pass is the change it makes: zero when repeated, of the size of a change in the averages, NaN when
   something is not finite. */
static void test_residual(void **state)
{
    kernel_case c = kernel_case_new(
        (kernel_case_plan){.k = 2, .kstar = 1, .steps = 8, .delta = 1.4, .lambda = 0.1, .horizon = 2, .eta = "0.8"});
    memory_averages(&c, 0, c.now);
    double outer[4] = {0.7, 0.2, 0.2, 0.5};
    kernels_start(c.kern, &c.at, c.now);
    for (int i = 0; i < 3; i++) {
        memory_averages(&c, i, c.now);
        memory_averages(&c, i + 1, c.next);
        memcpy(c.now + c.at.outer, outer, sizeof outer);
        memcpy(c.next + c.at.outer, outer, sizeof outer);
        assert_true(kernels_advance(c.kern, i, &c.at, c.now, c.next) > 1e-3);
        assert_true(kernels_advance(c.kern, i, &c.at, c.now, c.next) == 0);
    }
    const double nudge = 1e-6, half = 0.125;
    c.next[c.at.mu] += nudge;
    check_near(kernels_advance(c.kern, 2, &c.at, c.now, c.next), half * 1.4 * 0.8 * nudge / (1 + half * 0.1), 1e-13,
               "residual of a change in mu");
    c.next[c.at.gamma + 3] += nudge;
    check_between(kernels_advance(c.kern, 2, &c.at, c.now, c.next), 0.02 * nudge, nudge,
                  "residual of a change in gamma");
    c.next[c.at.outer] += nudge;
    check_between(kernels_advance(c.kern, 2, &c.at, c.now, c.next), 0.02 * nudge, nudge,
                  "residual of a change in E g g^T");
    static const size_t kinds = 3;
    for (size_t which = 0; which < kinds; which++) {
        size_t at = (size_t[]){c.at.gamma, c.at.outer, c.at.mu}[which];
        double keep = c.next[at];
        c.next[at] = which == 1 ? INFINITY : NAN;
        assert_true(isnan(kernels_advance(c.kern, 2, &c.at, c.now, c.next)));
        c.next[at] = keep;
    }
    kernel_case_clear(&c);
}

/* ---- the table of arrays ---- */

static void fill_arrays(kernels *kern, uint64_t item)
{
    array_row rows[KERNELS_ARRAYS_MOST];
    size_t n = kernels_arrays(kern, rows);
    for (size_t i = 0; i < n; i++)
        kernel_case_normals(item + i, rows[i].count, *rows[i].data);
}

static kernel_case case_with_arrays(int sampled)
{
    kernel_case c = kernel_case_new((kernel_case_plan){.k = 2,
                                                       .kstar = 3,
                                                       .steps = 7,
                                                       .delta = DELTA,
                                                       .lambda = LAMBDA,
                                                       .horizon = HORIZON,
                                                       .eta = "0.8",
                                                       .m0 = M0,
                                                       .rho = RHO});
    if (sampled)
        check_ok(c.ctx, kernels_set_sampled(c.ctx, c.kern));
    return c;
}

/* Rows are apart from each other, and their bytes are those that are promised without making them. */
static void test_array_table(void **state)
{
    for (int sampled = 0; sampled < 2; sampled++) {
        kernel_case c = case_with_arrays(sampled);
        array_row rows[KERNELS_ARRAYS_MOST];
        size_t n = kernels_arrays(c.kern, rows), kept = 0;
        assert_true(n > 0 && n <= KERNELS_ARRAYS_MOST);
        for (size_t i = 0; i < n; i++) {
            assert_true(*rows[i].data && rows[i].count > 0);
            kept += rows[i].kept != 0;
            for (size_t j = 0; j < i; j++)
                assert_true(rows[i].data != rows[j].data && *rows[i].data != *rows[j].data);
        }
        assert_true(kept > 0 && kept < n);
        assert_true(kernels_bytes(2, 3, 7, sampled) == arrays_bytes(rows, n));
        kernel_case_clear(&c);
    }
    assert_true(kernels_bytes(2, 3, 7, 1) > kernels_bytes(2, 3, 7, 0));
    assert_true(kernels_bytes(2, 3, 14, 0) > 3 * kernels_bytes(2, 3, 7, 0)); /* most have two times */
}

/* The arrays that are kept are all that the results are made of: C, m, R and the law of the field. */
static void test_kept_arrays(void **state)
{
    static const double q0[4] = {1.2, 0.3, 0.3, 0.9}, root[4] = {0.8, 0, 0.2, 0.7};
    for (int sampled = 0; sampled < 2; sampled++) {
        kernel_case from = case_with_arrays(sampled), to = case_with_arrays(sampled);
        array_row source[KERNELS_ARRAYS_MOST], target[KERNELS_ARRAYS_MOST];
        size_t n = kernels_arrays(from.kern, source);
        assert_int_equal(kernels_arrays(to.kern, target), n);
        fill_arrays(from.kern, 500);
        fill_arrays(to.kern, 600);
        for (size_t i = 0; i < n; i++) {
            assert_true(source[i].count == target[i].count && source[i].kept == target[i].kept);
            if (source[i].kept)
                memcpy(*target[i].data, *source[i].data, sizeof(double) * source[i].count);
        }
        size_t row = 4 * from.kern->stride;
        double *want = memory_doubles(row), *got = memory_doubles(row);
        assert_true(want && got);
        for (int i = 0; i <= 7; i++) {
            for (int j = 0; j <= 7; j++) {
                double C[4], D[4];
                kernels_correlation(from.kern, q0, RHO, i, j, C);
                kernels_correlation(to.kern, q0, RHO, i, j, D);
                assert_memory_equal(C, D, sizeof C);
            }
            kernels_own_covariance(from.kern, root, i, want);
            kernels_own_covariance(to.kern, root, i, got);
            assert_memory_equal(want, got, sizeof(double) * row);
            assert_memory_equal(kernels_m(from.kern, i), kernels_m(to.kern, i), sizeof M0);
            for (int x = 0; x < 4; x++) {
                assert_memory_equal(kernels_R(from.kern, x, i), kernels_R(to.kern, x, i),
                                    sizeof(double) * (size_t)(i + 1));
                assert_true(kernels_onto_start(from.kern, x, i) == kernels_onto_start(to.kern, x, i));
            }
        }
        free(want);
        free(got);
        kernel_case_clear(&from);
        kernel_case_clear(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trapezoid),   cmocka_unit_test(test_decay_order),  cmocka_unit_test(test_memory_order),
        cmocka_unit_test(test_overlap),     cmocka_unit_test(test_singular_rho), cmocka_unit_test(test_residual),
        cmocka_unit_test(test_array_table), cmocka_unit_test(test_kept_arrays),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
