/* The control variable D = tr(g u^T) - tr(G dr/du) of paths/control.h, u the field without its teacher part: mean zero
   by Stein's lemma, for any kernels and any loss, since the field at a visit is the chord of Gaussian node values plus
   an independent bridge. So its mean over replicas is zero, and only with the right covariance row and response. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "path_case.h"
#include "paths/control.h"
#include "support/check.h"
#include "support/sample.h"

enum { NODES = 6, PATHS = 3000, MOST = K * K };

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

static void check_mean(const char *body)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx,
                                    "{delta: 1.3, horizon: 2.2, eta: 0.9, %s, "
                                    "numerics: {response: pathwise, paths: %d, steps: %d, seed: 65}}",
                                    body, PATHS, NODES));
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

static void test_one_student(void **state)
{
    check_mean("model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2 + 0.1*r^2\"}, "
               "initial: {q: 1.1, m: 0.4, rho: 0.9}");
}

static void test_two_students(void **state)
{
    check_mean("model: {students: 2, label: \"s + 0.3*eps\", predict: \"tanh(r1) + 0.6*tanh(r1 - 0.5*r2)\", "
               "loss: \"(f - y)^2/2 + 0.1*r1^2 + 0.2*r2^2\"}, "
               "initial: {q: [[1.1, 0.2], [0.2, 0.8]], m: [[0.4], [-0.2]], rho: 0.9}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_student),
        cmocka_unit_test(test_two_students),
    };
    return cmocka_run_group_tests_name("control variable", tests, NULL, NULL);
}
