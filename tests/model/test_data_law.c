/* The law of the data: moments of the field by enumeration of all samples of a small dimension, and the regression of the
   field on the signal by the moments that it has to give back. */
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "model/data_law.h"
#include "support.h"
#include "support/check.h"

enum { K = 3, KSTAR = 2, N = MATRIX_MAX * MATRIX_MAX };

static const double rho[] = {1.3, 0.4, 0.4, 0.8};
static const double m[] = {0.1, 0.3, 0, -0.2, 0.6, 0};
static const double q[] = {1.3, 0.4, 0, 0.4, 0.8, 0.1, 0, 0.1, 2};

static data_law law_of(int k, int kstar, const double *C, const double *overlap, const double *teacher)
{
    sgdmft_problem p = {.source = "case.yaml",
                        .model = {.students = k, .teachers = kstar},
                        .initial = {(double *)C, (double *)overlap, (double *)teacher}};
    sgdmft_context *ctx = new_context();
    data_law law;
    check_ok(ctx, data_law_init(ctx, &p, &law));
    sgdmft_context_free(ctx);
    return law;
}

static data_law law_of_example(void)
{
    return law_of(K, KSTAR, q, m, rho);
}

static void draw(uint64_t item, int count, double *out)
{
    random_normals((random_key){4711, 3, 79}, item, 0, (size_t)count, out);
}

/* out = a b^T, [rows][inner] and [columns][inner] */
static void outer(int rows, int inner, int columns, const double *a, const double *b, double *out)
{
    memset(out, 0, sizeof(double) * (size_t)(rows * columns));
    matrix_accumulate_t(rows, inner, columns, 1, a, b, out);
}

static void check_block(int count, const double *got, const double *want, double tolerance, const char *what)
{
    for (int c = 0; c < count; c++)
        check_near(got[c], want[c], tolerance, "%s, entry %d", what, c);
}

/* Data with independent signs as entries, all 2^d samples of them: averages over samples are exact. */
static void test_moments_of_all_sign_samples(void **state)
{
    enum { D = 7, SAMPLES = 1 << D };
    double theta[K * D], teacher[KSTAR * D], C[N], overlap[N], R[N] = {0}, R_w[N];
    double w[K * SAMPLES], s[KSTAR * SAMPLES], mean[N];
    draw(1, K * D, theta);
    draw(2, KSTAR * D, teacher);
    for (int a = 0; a < K; a++)
        for (int p = 0; p < SAMPLES; p++) {
            w[a * SAMPLES + p] = 0;
            for (int j = 0; j < D; j++)
                w[a * SAMPLES + p] += theta[a * D + j] * (p >> j & 1 ? 1 : -1) / sqrt(D);
        }
    for (int a = 0; a < KSTAR; a++)
        for (int p = 0; p < SAMPLES; p++) {
            s[a * SAMPLES + p] = 0;
            for (int j = 0; j < D; j++)
                s[a * SAMPLES + p] += teacher[a * D + j] * (p >> j & 1 ? 1 : -1) / sqrt(D);
        }
    double second[N];
    outer(K, D, K, theta, theta, C);
    outer(K, D, KSTAR, theta, teacher, overlap);
    outer(KSTAR, D, KSTAR, teacher, teacher, second);
    for (int c = 0; c < K * K; c++)
        C[c] /= D;
    for (int c = 0; c < K * KSTAR; c++)
        overlap[c] /= D;
    for (int c = 0; c < KSTAR * KSTAR; c++)
        second[c] /= D;
    data_law law = law_of(K, KSTAR, C, overlap, second);
    field_moments field;
    data_law_field(&law, &(theta_moments){C, overlap, second}, &field);
    outer(K, SAMPLES, K, w, w, mean);
    for (int c = 0; c < K * K; c++)
        check_near(mean[c] / SAMPLES, field.C[c], 1e-14, "E w w^T, entry %d", c);
    outer(K, SAMPLES, KSTAR, w, s, mean);
    for (int c = 0; c < K * KSTAR; c++)
        check_near(mean[c] / SAMPLES, field.m[c], 1e-14, "E w s^T, entry %d", c);
    outer(KSTAR, SAMPLES, KSTAR, s, s, mean);
    for (int c = 0; c < KSTAR * KSTAR; c++)
        check_near(mean[c] / SAMPLES, field.rho[c], 1e-14, "E s s^T, entry %d", c);

    /* A visit moves theta by a multiple of x and so its own preactivation by |x|^2 = 1 times that. */
    for (int a = 0; a < K; a++)
        R[a * K + a] = 1;
    data_law_response(&law, R, R_w);
    check_block(K * K, R_w, R, 0, "R_w(t, t)");
    assert_true(data_law_shares_response(&law));
}

/* Standard normal variables with exact second moments: the rows of a Hadamard matrix of order 8 but the constant one. */
static void exact_normals(int rows, double *z)
{
    for (int a = 0; a < rows; a++)
        for (int p = 0; p < 8; p++)
            z[a * 8 + p] = __builtin_popcount((unsigned)((a + 1) & p)) % 2 ? -1 : 1;
}

static void test_signals(void **state)
{
    data_law law = law_of_example();
    double s[KSTAR * 8], mean[N];
    exact_normals(KSTAR, s);
    data_law_signals(&law, 8, s);
    outer(KSTAR, 8, KSTAR, s, s, mean);
    for (int c = 0; c < KSTAR * KSTAR; c++)
        check_near(mean[c] / 8, rho[c], 1e-14, "E s s^T, entry %d", c);
    check_near(law.signal_root[1], 0, 0, "above the diagonal");
}

static void test_fresh_fields(void **state)
{
    data_law law = law_of_example();
    field_moments field;
    field_regression at;
    double z[(KSTAR + K) * 8], w[K * 8], mean[N];
    data_law_field(&law, &(theta_moments){q, m, rho}, &field);
    assert_int_equal(data_law_regress(&law, &field, &at), 0);
    for (int a = 0; a < K; a++)
        for (int b = 0; b < K; b++)
            check_near(at.root[a * K + b], at.root[b * K + a], 1e-15, "the root is symmetric");
    exact_normals(KSTAR + K, z);
    data_law_signals(&law, 8, z);
    data_law_fresh_fields(&law, &at, 8, z, z + KSTAR * 8, w);
    outer(K, 8, K, w, w, mean);
    for (int c = 0; c < K * K; c++)
        check_near(mean[c] / 8, q[c], 1e-14, "E w w^T, entry %d", c);
    outer(K, 8, KSTAR, w, z, mean);
    for (int c = 0; c < K * KSTAR; c++)
        check_near(mean[c] / 8, m[c], 1e-14, "E w s^T, entry %d", c);
}

/* At t = 0 the law is the same with another root. */
static void test_start(void **state)
{
    data_law law = law_of_example();
    field_regression at;
    field_moments field;
    double mean[N];
    data_law_field(&law, &(theta_moments){q, m, rho}, &field);
    assert_int_equal(data_law_regress(&law, &field, &at), 0);
    check_block(K * KSTAR, law.start_onto_signal, at.onto_signal, 1e-15, "onto_signal");
    outer(K, K, K, law.start_root, law.start_root, mean);
    check_block(K * K, mean, at.rest, 1e-14, "B B^T");
    for (int a = 0; a < K; a++)
        for (int b = a + 1; b < K; b++)
            check_near(law.start_root[a * K + b], 0, 0, "above the diagonal");
}

/* Monte-Carlo moments need not be those of a law: the field then has the nearest one. */
static void test_indefinite_moments(void **state)
{
    const double C[] = {0.5}, overlap[] = {0.9}, teacher[] = {1};
    data_law law = law_of(1, 1, (double[]){1}, (double[]){0}, teacher);
    field_moments field;
    field_regression at;
    data_law_field(&law, &(theta_moments){C, overlap, teacher}, &field);
    assert_int_equal(data_law_regress(&law, &field, &at), 0);
    check_near(at.rest[0], 0.5 - 0.81, 1e-15, "S");
    check_near(at.root[0], 0, 0, "its root");
    field.C[0] = NAN;
    assert_int_equal(data_law_regress(&law, &field, &at), -1);
}

static void test_singular_rho(void **state)
{
    double one[] = {1}, zero[] = {0};
    sgdmft_problem p = {.source = "case.yaml", .model = {.students = 1, .teachers = 1}, .initial = {one, zero, zero}};
    sgdmft_context *ctx = new_context();
    data_law law;
    check_failure(ctx, data_law_init(ctx, &p, &law), SGDMFT_ERR_RANGE, "case.yaml: initial.rho");
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments_of_all_sign_samples),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_fresh_fields),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_indefinite_moments),
        cmocka_unit_test(test_singular_rho),
    };
    return cmocka_run_group_tests_name("data law", tests, NULL, NULL);
}
