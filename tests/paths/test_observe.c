/* Loss and observables at the nodes, path by path: over the training law they are averages of the paths as they are,
   even where the averages that close the equations are of paths that are visited now; over the test law of fields of
   fresh samples. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "path_case.h"
#include "paths/observe.h"
#include "single_path.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/visits_by_path.h"

enum { PATHS = 150, OBSERVABLES = 3, SUMS = 2 + 2 * OBSERVABLES };

/* Of one path: loss, 1, s eps and tanh(r1) r2. */
static void add_values(const path_case *c, const path_inputs *in, size_t p, double t, const double r[K],
                       double sum[1 + OBSERVABLES])
{
    double loss, s = in->wstar[p], y = in->y[p], f = tanh(r[0]) + 0.6 * tanh(r[0] - 0.5 * r[1]);
    loss = 0.5 * (f - y) * (f - y) + 0.1 * r[1] * r[1] * tanh(r[0]) + 0.05 * t * r[0] * r[0];
    sum[0] += loss;
    sum[1] += 1;
    sum[2] += s * in->eps[p];
    sum[3] += tanh(r[0]) * r[1];
}

/* Any law of fresh fields given the signal. */
static const field_regression fresh = {
    .onto_signal = {0.37, -0.21}, .rest = {0, 0, 0, 0}, .root = {0.8, 0.25, 0.25, 0.6}};

static void check_sums(const char *what, int node, const double got[SUMS], int test, const double want[1 + OBSERVABLES])
{
    for (int x = 0; x <= OBSERVABLES; x++) {
        check_near(got[2 * x + test], want[x], 1e-12 * (1 + fabs(want[x])), "%s, observable %d at node %d", what, x,
                   node);
        assert_true(got[2 * x + !test] == 0);
    }
}

static void check_node(const path_case *c, const test_blocks *blocks, const visits_by_path *visits, int node)
{
    const path_plan *plan = blocks->plan;
    const double weight = 0.7;
    double train[SUMS] = {0}, half[SUMS] = {0}, test[SUMS] = {0};
    double want_train[1 + OBSERVABLES] = {0}, want_half[1 + OBSERVABLES] = {0}, want_test[1 + OBSERVABLES] = {0};
    for (size_t b = 0; b < blocks->paths->n_blocks; b++) {
        const path_block *block = &blocks->block[b];
        const path_inputs *in = block->in;
        assert_int_equal(path_observe_train(block, plan, node, 1, blocks->workspace, train), 0);
        assert_int_equal(path_observe_train(block, plan, node, weight, blocks->workspace, half), 0);
        assert_int_equal(path_observe_test(block, plan, node, &fresh, blocks->workspace, test), 0);
        for (size_t p = 0; p < in->n; p++) {
            single_path path = single_path_of(c, &visits[b], p);
            double w[K];
            for (size_t a = 0; a < K; a++) {
                w[a] = fresh.onto_signal[a] * in->wstar[p];
                for (size_t l = 0; l < K; l++)
                    w[a] += fresh.root[a * K + l] * in->test[l * in->n + p];
            }
            add_values(c, in, p, plan->grid->t[node], path.r[node], want_train);
            add_values(c, in, p, plan->grid->t[node], w, want_test);
        }
    }
    for (int x = 0; x <= OBSERVABLES; x++)
        want_half[x] = weight * want_train[x];
    check_sums("train", node, train, 0, want_train);
    check_sums("train, weighted", node, half, 0, want_half);
    check_sums("test", node, test, 1, want_test);
}

static void check_process(const char *dynamics)
{
    path_case c;
    path_case_init(&c, dynamics, &smooth_schedule, 2.6, "response: stein, ", PATHS);
    path_case_draw(&c, 43);
    visits_by_path *visits = visits_by_path_new(c.paths, K, c.t.plan.grid[GRID_FINE]);
    test_blocks blocks = test_blocks_new(&c.t, c.paths);
    test_blocks_start(&blocks);
    for (int node = 1; node <= STEPS; node++) {
        test_blocks_advance(&blocks, c.kern, node - 1);
        check_node(&c, &blocks, visits, node);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    visits_by_path_free(c.paths, visits);
    path_case_clear(&c);
}

static void test_independent_visits(void **state)
{
    check_process("sgd");
}

static void test_visits_with_epochs(void **state)
{
    check_process(epoch_process.dynamics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_independent_visits),
        cmocka_unit_test(test_visits_with_epochs),
    };
    return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
