/* The control variable D = tr(g u^T) - tr(G dr/du) of paths/control.h, u the field without its teacher part: mean zero
   by Stein's lemma, for any kernels and any loss, since the field at a visit is the chord of Gaussian node values plus
   an independent bridge. So its mean over replicas is zero, and only with the right covariance row and response. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/random.h"
#include "kernels/response_pathwise.h"
#include "path_case.h"
#include "paths/control.h"
#include "problem/problem.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/explicit_flow.h"
#include "support/sample.h"

enum { NODES = 12, PATHS = 3000 };

/* Means of D at every node, plain and with the covariance row scaled by `wrong`. */
static void collect(const test_plan *t, const kernels *kern, uint32_t replica, double wrong, sample *mean,
                    sample *square)
{
    const path_plan *plan = &t->plan.on_grid[GRID_FINE];
    size_t kk = (size_t)(kern->k * kern->k), size = plan->at.size;
    double *sums = memory_doubles(size);
    double *weighted = memory_doubles(size + 2 + kk);
    path_ensemble *paths = test_paths(t, replica);
    test_blocks blocks = test_blocks_new(t, paths);
    control_state control; /* without a regression from a node before */
    check_ok(t->ctx, control_init(t->ctx, kern, &control));
    test_blocks_start(&blocks);
    for (int i = 0; i < NODES; i++) {
        memset(weighted, 0, sizeof(double) * (size + 2 + kk));
        control_prepare(&control, kern, t->plan.law.start_root, i + 1);
        for (size_t x = 0; x < kk * kern->stride; x++)
            control.covariance[x] *= wrong;
        for (size_t b = 0; b < paths->n_blocks; b++) {
            assert_int_equal(path_block_advance(&blocks.block[b], plan, kern, i, blocks.workspace, sums), 0);
            control_sums(&control, &blocks.block[b], plan, kern, blocks.workspace, weighted);
        }
        sample_add(&mean[i], weighted[size] / PATHS);
        sample_add(&square[i], weighted[size + 1] / PATHS);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    path_ensemble_free(paths);
    control_clear(&control);
    free(sums);
    free(weighted);
}

/* `process` NULL: independent visits. */
static void check_mean(const sample_process *process, const char *body)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    sgdmft_problem *problem = test_problem(ctx,
                                           "{delta: 1.3, horizon: 2.2, eta: 0.9, %s, "
                                           "numerics: {response: pathwise, paths: %d, steps: %d, seed: 65}}",
                                           body, PATHS, NODES);
    if (process)
        problem->process = process;
    test_plan_init(&t, problem);
    kernels *kern = test_kernels(&t);
    any_kernels(kern, 33);
    sample mean[NODES] = {0}, square[NODES] = {0}, wrong[NODES] = {0}, unused[NODES] = {0};
    for (uint32_t r = 0; r < test_scaled(40, 12); r++) {
        collect(&t, kern, r, 1, mean, square);
        collect(&t, kern, r, 0.9, wrong, unused);
    }
    double far = 0;
    for (int i = 0; i < NODES; i++) {
        double bias = 3 * sqrt(square[i].mean) / PATHS; /* moments are matched, so replicas are not quite unbiased */
        check_near(mean[i].mean, 0, 4 * sample_se(&mean[i]) + bias, "mean of the control variable at node %d", i + 1);
        far = fmax(far, fabs(wrong[i].mean) / sample_se(&wrong[i]));
        print_message("node %d: mean % .1e, standard error %.1e, deviation %.2f\n", i + 1, mean[i].mean,
                      sample_se(&mean[i]), sqrt(square[i].mean));
    }
    check_between(far, 10, INFINITY, "standard errors by which a wrong covariance shows");
    kernels_free(kern);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

#define ONE                                                                                                            \
    "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2 + 0.1*r^2\"}, "                   \
    "initial: {q: 1.1, m: 0.4, rho: 0.9}"
#define TWO                                                                                                            \
    "model: {students: 2, label: \"s + 0.3*eps\", predict: \"tanh(r1) + 0.6*tanh(r1 - 0.5*r2)\", "                     \
    "loss: \"(f - y)^2/2 + 0.1*r1^2 + 0.2*r2^2\"}, "                                                                   \
    "initial: {q: [[1.1, 0.2], [0.2, 0.8]], m: [[0.4], [-0.2]], rho: 0.9}"

static void test_one_student(void **state)
{
    check_mean(NULL, ONE);
}

static void test_two_students(void **state)
{
    check_mean(NULL, TWO);
}

/* Of paths that are visited at the node, where visits depend on each other. */
static void test_epochs(void **state)
{
    check_mean(&epoch_process, ONE);
    check_mean(&epoch_process, TWO);
}

/* Of a process with one event per cell. */
static void test_steps(void **state)
{
    check_mean(&explicit_flow, "dynamics: gradient-flow, " ONE);
    check_mean(&explicit_flow, "dynamics: gradient-flow, " TWO);
}

/* ---- the regression on the control variable ---- */

enum { SAMPLES = 400 };

/* Averages of quantities x0 + slope D of known slope, without other noise: the correction takes the mean of D away. */
static void test_apply(void **state)
{
    const averages_layout at = averages_layout_with(1, 1, 4, &response_pathwise, 3);
    double x0[64], slope[64], D[SAMPLES], plain[2][64] = {{0}}, weighted[2][64] = {{0}}, averages[64] = {0};
    control_state control = {.node = 3};
    control_half half[2];
    size_t used = averages_used(&at, 3), size = control_size(&at);
    assert_true(size <= 64 && used < at.size && size == at.size + 3);
    random_normals((random_key){411, 0, 95}, 0, 0, 64, x0);
    random_normals((random_key){411, 0, 95}, 1, 0, 64, slope);
    random_normals((random_key){411, 0, 95}, 2, 0, SAMPLES, D);
    for (int p = 0; p < SAMPLES; p++) {
        int which = p % 3 == 0;
        D[p] = 0.3 + D[p]; /* far from the mean that it should have */
        for (size_t x = 0; x < used; x++) {
            double value = x0[x] + slope[x] * D[p];
            plain[which][x] += value;
            weighted[which][x] += value * D[p];
            averages[x] += value / SAMPLES;
        }
        weighted[which][at.size] += D[p];
        weighted[which][at.size + 1] += D[p] * D[p];
        half[which].paths = which ? (SAMPLES + 2) / 3 : SAMPLES - (SAMPLES + 2) / 3;
    }
    for (size_t x = used; x < at.size; x++) { /* rows of later nodes */
        averages[x] = x0[x];
        plain[0][x] = weighted[1][x] = 50;
    }
    for (int which = 0; which < 2; which++) {
        half[which].plain = plain[which];
        half[which].weighted = weighted[which];
    }
    control_apply(&control, &at, half, averages);
    for (size_t x = 0; x < at.size; x++)
        check_near(averages[x], x0[x], 1e-12, "average %zu", x); /* those beyond the node stay as they are */
}

/* Each half is corrected with the slope of the other one, so that the correction of noise that has nothing to do with D
   has mean zero: with slopes of the own half it would not. */
static void test_apply_is_unbiased(void **state)
{
    enum { FEW = 12, TRIALS = 20000 };
    const averages_layout at = averages_layout_with(1, 1, 4, &response_pathwise, 3);
    size_t trials = test_scaled(TRIALS, 4000);
    sample correction = {0};
    for (size_t trial = 0; trial < trials; trial++) {
        double z[FEW], plain[2][64] = {{0}}, weighted[2][64] = {{0}}, averages[64] = {0};
        control_state control = {.node = 3};
        control_half half[2];
        random_normals((random_key){412, 0, 95}, trial, 0, FEW, z);
        for (int p = 0; p < FEW; p++) {
            double D = z[p], value = z[p] * z[p] * z[p] * z[p] - 3; /* depends on D, but is not correlated with it */
            plain[p % 2][0] += value;
            weighted[p % 2][0] += value * D;
            averages[0] += value / FEW;
            weighted[p % 2][at.size] += D;
            weighted[p % 2][at.size + 1] += D * D;
        }
        for (int which = 0; which < 2; which++)
            half[which] = (control_half){FEW / 2, plain[which], weighted[which]};
        double before = averages[0];
        control_apply(&control, &at, half, averages);
        sample_add(&correction, averages[0] - before);
    }
    check_z(correction.mean, 0, sample_se(&correction), 4, "mean of the correction");
}

/* A gradient that is linear in u and w* leaves nothing for the control variable of the next node: its coefficients are
   minus those of the gradient. */
static void test_accept(void **state)
{
    static const double A[K * K] = {0.7, -0.3, 0.5, 1.2}, B[K] = {0.4, -0.9}; /* g = A u + B w* */
    static const double own[K * K] = {1.3, 0.4, 0.4, 0.9}, rho = 1.7;
    kernels kern = {.k = K, .kstar = 1, .rho_inverse = (double[]){1 / rho}};
    control_state control = {0};
    memcpy(control.own, own, sizeof own);
    matrix_add_product(K, 1, A, own, control.gu);
    for (int a = 0; a < K; a++)
        control.mu[a] = B[a] * rho;
    control_accept(&control, &kern);
    for (int x = 0; x < K * K; x++)
        check_near(control.onto_own[x], -A[x], 1e-13, "coefficient on u, entry %d", x);
    for (int a = 0; a < K; a++)
        check_near(control.onto_teacher[a], -B[a], 1e-14, "coefficient on w*, entry %d", a);
    control_restart(&control);
    control_accept(&control, &kern);
    for (int x = 0; x < K * K; x++)
        assert_true(control.onto_own[x] == 0 && (x >= K || control.onto_teacher[x] == 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_student), cmocka_unit_test(test_two_students),
        cmocka_unit_test(test_epochs),      cmocka_unit_test(test_steps),
        cmocka_unit_test(test_apply),       cmocka_unit_test(test_apply_is_unbiased),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests_name("control variable", tests, NULL, NULL);
}
