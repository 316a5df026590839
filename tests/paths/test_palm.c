/* Averages over paths against closed forms: a linear process with fixed kernels, see linear_flow.h. The visit sums are
   Palm expectations: they contain the effect of the inserted visit, its jump and everything after it. Standard errors
   come from independent replicas. About 150 numbers are compared: the bound 4.5 makes a chance failure as rare
   as 4 makes one for a single number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow_case.h"
#include "support/check.h"
#include "support/epoch_process.h"
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
    flow_case_init(&c, NULL, 1, 1.6, "response: pathwise, paths: %d, steps: %d, seed: 51", PATHS, STEPS);
    check_flow(&c);
}

static void test_two_students(void **state)
{
    flow_case c;
    flow_case_init(&c, NULL, 2, 1.6, "response: pathwise, paths: %d, steps: %d, seed: 52", PATHS, STEPS);
    check_flow(&c);
}

/* ---- averages given a visit, against the visits ---- */

/* Campbell's formula: the sum of phi over the visits in a cell, phi being known before the visit, is on average the
   integral of E_A[phi] over the cell. phi = eta g w*^T and eta g w(0)^T, which are among the averages at nodes. Nothing
   is assumed of the law of the visits, nor of the paths. */
enum { FORMULAS = FLOW_MOST + FLOW_BLOCK };

typedef struct formula {
    sample left, difference;
} formula;

/* E[S w*^T], E[S w(0)^T] of the cell that the blocks have advanced over, in the order of the averages. */
static void sums_over_visits(const flow_case *c, const test_blocks *blocks, double *out)
{
    size_t k = (size_t)c->flow.k;
    memset(out, 0, sizeof(double) * FORMULAS);
    for (size_t b = 0; b < blocks->paths->n_blocks; b++) {
        const path_inputs *in = &blocks->paths->block[b];
        const double *S = blocks->block[b].newest_sum;
        for (size_t p = 0; p < in->n; p++)
            for (size_t a = 0; a < k; a++) {
                out[a] += S[a * in->n + p] * in->wstar[p] / (double)blocks->paths->paths;
                for (size_t l = 0; l < k; l++) {
                    double w0 = c->t.plan.law.start_onto_signal[l] * in->wstar[p];
                    for (size_t x = 0; x < k; x++)
                        w0 += c->t.plan.law.start_root[l * k + x] * in->z0[x * in->n + p];
                    out[k + a * k + l] += S[a * in->n + p] * w0 / (double)blocks->paths->paths;
                }
            }
    }
}

/* The averages just after the accepted node in the place of those just before it. */
static void renew(test_blocks *blocks, const kernels *kern, int node)
{
    memset(blocks->sums, 0, sizeof(double) * blocks->plan->at.size);
    for (size_t b = 0; b < blocks->paths->n_blocks; b++)
        assert_int_equal(path_block_renew(&blocks->block[b], blocks->plan, kern, node, blocks->workspace, blocks->sums),
                         0);
    for (size_t x = 0; x < blocks->plan->at.size; x++)
        blocks->sums[x] /= (double)blocks->paths->paths;
}

static void copy_averages(const test_blocks *blocks, int k, double *out)
{
    const averages_layout *at = &blocks->plan->at;
    memcpy(out, blocks->sums + at->mu, sizeof(double) * (size_t)k);
    memcpy(out + k, blocks->sums + at->gw0, sizeof(double) * (size_t)(k * k));
}

static void collect_formulas(const flow_case *c, const kernels *kern, uint32_t replica, formula seen[STEPS][FORMULAS])
{
    const time_grid *grid = c->t.plan.grid[GRID_FINE];
    int k = c->flow.k;
    double now[FORMULAS], next[FORMULAS], left[FORMULAS];
    path_ensemble *paths = test_paths(&c->t, replica);
    test_blocks blocks = test_blocks_new(&c->t, paths);
    test_blocks_start(&blocks);
    copy_averages(&blocks, k, now);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, kern, i);
        copy_averages(&blocks, k, next);
        sums_over_visits(c, &blocks, left);
        for (int x = 0; x < k + k * k; x++) {
            sample_add(&seen[i][x].left, left[x]);
            sample_add(&seen[i][x].difference,
                       left[x] - 0.5 * grid->h[i] * (grid->eta_start[i] * now[x] + grid->eta_end[i] * next[x]));
        }
        test_blocks_accept(&blocks);
        if (grid->renewal[i + 1]) {
            renew(&blocks, kern, i + 1);
            copy_averages(&blocks, k, next);
        }
        memcpy(now, next, sizeof now);
    }
    test_blocks_clear(&blocks);
    path_ensemble_free(paths);
}

/* Cell by cell, beyond the error of the trapezoid rule. */
static void check_formulas(const sample_process *process, int students, int seed)
{
    flow_case c;
    flow_case_init(&c, process, students, 2.6, "response: stein, paths: %d, steps: %d, seed: %d", PATHS, STEPS, seed);
    kernels *kern = test_kernels(&c.t);
    formula(*seen)[FORMULAS] = calloc(STEPS, sizeof *seen);
    double squares = 0;
    int count = 0;
    assert_non_null(seen);
    flow_kernels(&c.flow, kern);
    for (uint32_t r = 0; r < 40; r++) /* standard errors of fewer replicas are too uncertain for 640 numbers */
        collect_formulas(&c, kern, r, seen);
    for (int i = 0; i < STEPS; i++)
        for (int x = 0; x < students + students * students; x++, count++) {
            const formula *f = &seen[i][x];
            double se = sample_se(&f->difference);
            check_near(f->difference.mean, 0, BOUND * se + 3e-3 * fabs(f->left.mean), "k = %d, cell %d, formula %d",
                       students, i, x);
            squares += f->difference.mean * f->difference.mean / (se * se);
        }
    print_message("k = %d: root mean square of %d z is %.2f\n", students, count, sqrt(squares / count));
    free(seen);
    kernels_free(kern);
    flow_case_clear(&c);
}

static void test_independent_visits(void **state)
{
    check_formulas(NULL, 1, 53);
    check_formulas(NULL, 2, 54);
}

static void test_visits_with_epochs(void **state)
{
    check_formulas(&epoch_process, 1, 55);
    check_formulas(&epoch_process, 2, 56);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_student),
        cmocka_unit_test(test_two_students),
        cmocka_unit_test(test_independent_visits),
        cmocka_unit_test(test_visits_with_epochs),
    };
    return cmocka_run_group_tests_name("Palm averages", tests, NULL, NULL);
}
