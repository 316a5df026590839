/* The Gaussian law at t = 0: its factors give the second moments back. */
#include <math.h>

#include "support.h"

#include "model/initial.h"

enum { N = 8 };

static double dot_rows(const double *a, const double *b, int i, int j, int n)
{
    double sum = 0;
    for (int l = 0; l < n; l++)
        sum += a[i * n + l] * b[j * n + l];
    return sum;
}

static void assert_lower(const double *a, int n)
{
    for (int i = 0; i < n; i++) {
        assert_true(a[i * n + i] >= 0);
        for (int j = i + 1; j < n; j++)
            assert_true(a[i * n + j] == 0);
    }
}

/* E theta* theta*^T = L L^T, E theta0 theta*^T = A L L^T, E theta0 theta0^T = (A L)(A L)^T + B B^T. */
static void check_moments(sgdmft_context *ctx, const sgdmft_problem *p, double tolerance)
{
    initial_law law;
    assert_int_equal(initial_law_init(ctx, p, &law), SGDMFT_OK);
    int k = p->model.students, ks = p->model.teachers;
    assert_int_equal(law.k, k);
    assert_int_equal(law.kstar, ks);
    assert_lower(law.chol_rho, ks);
    assert_lower(law.b, k);
    double al[N * N] = {0};
    for (int i = 0; i < k; i++)
        for (int j = 0; j < ks; j++)
            for (int l = 0; l < ks; l++)
                al[i * ks + j] += law.a[i * ks + l] * law.chol_rho[l * ks + j];
    for (int i = 0; i < ks; i++)
        for (int j = 0; j < ks; j++)
            assert_true(fabs(dot_rows(law.chol_rho, law.chol_rho, i, j, ks) - p->initial.rho[i * ks + j]) < tolerance);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < ks; j++)
            assert_true(fabs(dot_rows(al, law.chol_rho, i, j, ks) - p->initial.m[i * ks + j]) < tolerance);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            double q = dot_rows(al, al, i, j, ks) + dot_rows(law.b, law.b, i, j, k);
            assert_true(fabs(q - p->initial.q[i * k + j]) < tolerance);
        }
}

static void check_text(sgdmft_context *ctx, const char *initial)
{
    char *text = NULL;
    assert_true(asprintf(&text, TOP "%s", initial) > 0);
    sgdmft_problem *p = accepted(ctx, text, NULL, 0);
    check_moments(ctx, p, 1e-14);
    sgdmft_problem_free(p);
    free(text);
}

#define SHAPE(k, ks) "model: {students: " #k ", teachers: " #ks ", label: s1, loss: r1}\ninitial:\n"

static void by_hand(void **state)
{
    static const char *const list[] = {
        SHAPE(1, 1) "  {}\n",
        SHAPE(1, 1) "  {q: 0.73, m: -0.41, rho: 1.9}\n",
        SHAPE(1, 1) "  {q: 0}\n",                /* theta0 = 0 */
        SHAPE(1, 1) "  {q: 1, m: 1}\n",          /* theta0 = theta* */
        SHAPE(2, 1) "  {q: [[1, 1], [1, 1]]}\n", /* equal students */
        SHAPE(2, 1) "  {q: [[0, 0], [0, 0.7]]}\n",
        SHAPE(2, 1) "  {q: [[0.7, 0], [0, 0]]}\n",
        SHAPE(1, 3) "  {m: [[0.1, -0.2, 0.3]], rho: [[1.3, 0.4, 0], [0.4, 0.8, 0.1], [0, 0.1, 2]]}\n",
        SHAPE(3, 2) "  {q: [[1.3, 0.4, 0], [0.4, 0.8, 0.1], [0, 0.1, 2]], m: [[0.1, 0.3], [0, -0.2], [0.6, 0]]}\n",
        SHAPE(2, 2) "  {q: [[2, 1], [1, 2]], m: [[2, 1], [1, 2]], rho: [[2, 1], [1, 2]]}\n",
    };
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        check_text(ctx, list[i]);
    sgdmft_context_free(ctx);
}

static double next_uniform(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return (double)(*s >> 11) / 4503599627370496.0 - 1;
}

/* Moments F F^T of random factors of any rank, so that q - m rho^{-1} m^T is singular as often as not. */
static void fill_random(uint64_t *seed, int k, int ks, sgdmft_problem *p)
{
    double f[2 * N][2 * N];
    int n = k + ks, rank = ks + (int)((next_uniform(seed) + 1) * 0.5 * (k + 1));
    for (int i = 0; i < n; i++)
        for (int l = 0; l < rank; l++)
            f[i][l] = next_uniform(seed) + (i >= k && l == i - k ? 2.5 : 0); /* teachers are independent */
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int l = 0; l < rank; l++)
                sum += f[i][l] * f[j][l];
            if (i < k && j < k)
                p->initial.q[i * k + j] = sum;
            else if (i < k)
                p->initial.m[i * ks + j - k] = sum;
            else if (j >= k)
                p->initial.rho[(i - k) * ks + j - k] = sum;
        }
}

static void random_moments(void **state)
{
    uint64_t seed = 77003;
    sgdmft_context *ctx = new_context();
    for (int i = 0; i < 400; i++) {
        double q[N * N], m[N * N], rho[N * N];
        sgdmft_problem p = {.model = {.students = 1 + i % N, .teachers = 1 + i / N % N}, .initial = {q, m, rho}};
        fill_random(&seed, p.model.students, p.model.teachers, &p);
        check_moments(ctx, &p, 1e-12);
    }
    sgdmft_context_free(ctx);
}

/* The problem's check keeps this away from callers; still it must be an error and not a NaN. */
static void singular_rho(void **state)
{
    double one[] = {1}, zero[] = {0};
    sgdmft_problem p = {.source = "case.yaml",
                        .model = {.students = 1, .teachers = 1},
                        .initial = {one, zero, zero}};
    sgdmft_context *ctx = new_context();
    initial_law law;
    assert_int_equal(initial_law_init(ctx, &p, &law), SGDMFT_ERR_RANGE);
    assert_non_null(strstr(sgdmft_context_message(ctx), "initial.rho"));
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(random_moments),
        cmocka_unit_test(singular_rho),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
