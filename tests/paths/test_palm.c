/* Averages over paths against closed forms: a linear process with fixed kernels, see linear_flow.h. The visit sums are
   Palm expectations: they contain the effect of the inserted visit, its jump and everything after it. Standard errors
   come from independent replicas. About 150 numbers are compared: the bound 4.5 makes a chance failure as rare
   as 4 makes one for a single number. */
#include <math.h>
#include <stdlib.h>

#include "flow_case.h"
#include "support/check.h"
#include "support/sample.h"

enum { ROW_KINDS = 3 };
enum { STEPS = 40, NODES = 3, CELLS = 4, PATHS = 3000 };
static const int NODE[NODES] = {6, 19, STEPS};
static const double BOUND = 4.5;

typedef struct averages {
    sample plain[4 * FLOW_BLOCK + FLOW_MOST]; /* gamma, outer, gr, gw0, mu in the order of kernels/averages.h */
    sample row[CELLS][ROW_KINDS][FLOW_BLOCK];
} averages;

/* The newest cell, the first, and two between. */
static int cell_of(int node, int which)
{
    return (int[]){node - 1, 0, node / 3, node - 3}[which];
}

static void collect(const linear_flow *f, const test_plan *t, const kernels *kern, uint32_t replica,
                    averages seen[NODES])
{
    const averages_layout *at = &t->plan.on_grid[GRID_FINE].at;
    path_ensemble *paths = test_paths(t, replica);
    test_blocks blocks = test_blocks_new(t, paths);
    test_blocks_start(&blocks);
    for (int i = 0, which = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, kern, i);
        test_blocks_accept(&blocks);
        if (i + 1 != NODE[which])
            continue;
        for (size_t x = 0; x < at->rows; x++)
            sample_add(&seen[which].plain[x], blocks.sums[x]);
        for (int c = 0; c < CELLS; c++)
            for (int kind = 0; kind < ROW_KINDS; kind++)
                for (int x = 0; x < f->k * f->k; x++)
                    sample_add(&seen[which].row[c][kind][x],
                               averages_row(at, blocks.sums, cell_of(NODE[which], c), kind)[x]);
        which++;
    }
    test_blocks_clear(&blocks);
    path_ensemble_free(paths);
}

static void compare_plain(const linear_flow *f, const averages_layout *at, double time, const averages *seen)
{
    flow_moments x = flow_at(f, time);
    double want[4 * FLOW_BLOCK + FLOW_MOST];
    for (int c = 0; c < f->k * f->k; c++)
        want[at->gamma + (size_t)c] = f->H[c];
    flow_gg(f, &x, want + at->outer);
    flow_gr(f, &x, want + at->gr);
    flow_gw0(f, &x, want + at->gw0);
    flow_mu(f, &x, want + at->mu);
    for (size_t c = 0; c < at->rows; c++)
        check_z(seen->plain[c].mean, want[c], sample_se(&seen->plain[c]) + 1e-12, BOUND, "k = %d, t = %g, average %zu",
                f->k, time, c);
}

static void compare_rows(const linear_flow *f, const time_grid *grid, int node, const averages *seen)
{
    for (int c = 0; c < CELLS; c++) {
        int cell = cell_of(node, c);
        double want[ROW_KINDS][FLOW_BLOCK];
        flow_response(f, grid->t[node], grid->t[cell], grid->t[cell + 1], want[RESPONSE_LEFT], want[RESPONSE_RIGHT]);
        flow_visits(f, grid->t[node], grid->t[cell], grid->t[cell + 1], want[VISITS]);
        for (int kind = 0; kind < ROW_KINDS; kind++)
            for (int x = 0; x < f->k * f->k; x++)
                check_z(seen->row[c][kind][x].mean, want[kind][x], sample_se(&seen->row[c][kind][x]), BOUND,
                        "k = %d, node %d, cell %d, kind %d, entry %d", f->k, node, cell, kind, x);
    }
}

/* The standard errors are small: a few per cent of the value in a single cell. */
static void check_resolution(const averages *seen)
{
    for (int c = 0; c < CELLS; c++) {
        const sample *s = &seen->row[c][RESPONSE_LEFT][0];
        check_between(sample_se(s) / fabs(s->mean), 0, 0.05 / sqrt(test_scale()), "relative error, cell number %d", c);
    }
}

static void check_flow(flow_case *of)
{
    const linear_flow *f = &of->flow;
    const test_plan *t = &of->t;
    const time_grid *grid = t->plan.grid[GRID_FINE];
    kernels *kern = test_kernels(t);
    averages *seen = calloc(NODES, sizeof *seen);
    assert_non_null(seen);
    flow_kernels(f, kern);
    for (uint32_t r = 0; r < test_scaled(40, 12); r++)
        collect(f, t, kern, r, seen);
    for (int which = 0; which < NODES; which++) {
        compare_plain(f, &t->plan.on_grid[GRID_FINE].at, grid->t[NODE[which]], &seen[which]);
        compare_rows(f, grid, NODE[which], &seen[which]);
        check_resolution(&seen[which]);
    }
    free(seen);
    kernels_free(kern);
    flow_case_clear(of);
}

static void test_one_student(void **state)
{
    flow_case c;
    flow_case_init(&c, 1, 1.6, "response: pathwise, paths: %d, steps: %d, seed: 51", PATHS, STEPS);
    check_flow(&c);
}

static void test_two_students(void **state)
{
    flow_case c;
    flow_case_init(&c, 2, 1.6, "response: pathwise, paths: %d, steps: %d, seed: 52", PATHS, STEPS);
    check_flow(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_student),
        cmocka_unit_test(test_two_students),
    };
    return cmocka_run_group_tests_name("Palm averages", tests, NULL, NULL);
}
