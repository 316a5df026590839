/* From replicas to a solution: every number of the solution from the replicas' kernels by the formulas in the head of
   solvers/dmft/statistics.c, written out again. Output times are nodes of all grids, so nothing is interpolated. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "solvers/dmft/statistics.h"
#include "support/check.h"
#include "support/plan.h"
#include "support/sample.h"

enum { REPLICAS = 5, STEPS = 16, TIMES = 5, K = 2, KSTAR = 2, COLUMNS = 2 + 3 + 4 + 2 + 4 };

static const char *const NAMES[COLUMNS] = {"train_loss",  "test_loss", "q11", "q21", "q22",
                                           "m11",         "m12",       "m21", "m22", "train_margin",
                                           "test_margin", "R11",       "R12", "R21", "R22"};

typedef struct fixture {
    test_plan t;
    replica_result result[REPLICAS];
    sgdmft_solution *solution;
} fixture;

static int setup(void **state)
{
    static fixture f;
    sgdmft_context *ctx = check_context(1);
    test_plan_init(
        &f.t,
        test_problem(
            ctx,
            "{delta: 1.7, eta: 1.1, lambda: 0.2, horizon: 2, model: {students: 2, teachers: 2, "
            "label: \"tanh(s1) + 0.5*s2 + 0.2*eps\", predict: \"tanh(r1) + 0.5*r2\", loss: \"(f - y)^2/2\"}, "
            "initial: {q: [[1, 0.1], [0.1, 0.8]], m: [[0.3, 0.1], [0, 0.2]]}, observables: {margin: \"y*r1 + s2\"}, "
            "numerics: {grading: 1, paths: 400, replicas: %d, steps: %d, seed: 41}, output: {times: %d}}",
            REPLICAS, STEPS, TIMES));
    replica_set all = {.result = f.result, .asked = REPLICAS};
    check_ok(f.t.ctx, replica_set_solve(f.t.ctx, &f.t.plan, &all));
    assert_int_equal(all.count, REPLICAS);
    check_ok(f.t.ctx, replica_statistics(f.t.ctx, &f.t.plan, &all, NULL, &f.solution));
    sgdmft_context_free(ctx);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    sgdmft_solution_free(f->solution);
    for (int r = 0; r < REPLICAS; r++)
        replica_result_clear(&f->result[r]);
    test_plan_clear(&f->t);
    return 0;
}

/* Column `c` of one replica at a node. */
static double column(const fixture *f, int index, int grid, int node, int c)
{
    const grid_solution *solved = f->result[index].on_grid[grid];
    const path_plan *plan = &f->t.plan.on_grid[grid];
    const double *seen = solved->observed + (size_t)node * solved->observables;
    double C[K * K];
    kernels_correlation(solved->kern, plan->q0, plan->rho, node, node, C);
    if (c < 2)
        return seen[c];
    if (c < 5)
        return C[(int[]){0, 2, 3}[c - 2]];
    if (c < 9)
        return solved->kern->m[node * K * KSTAR + c - 5];
    if (c < 11)
        return seen[c - 7];
    return kernels_R(solved->kern, c - 11, node)[0];
}

/* Means over the replicas that solve all grids. */
typedef struct third {
    sample change, before; /* Y_2h - Y_h, X_2h - Y_2h */
} third;

static void third_add(third *x, double fine, double coarse, double check)
{
    double next = coarse + (coarse - check) / 3;
    sample_add(&x->change, next - fine - (fine - coarse) / 3);
    sample_add(&x->before, coarse - next);
}

/* The part of the change that is subtracted. */
static double taken_of(const third *x, int n)
{
    double change = 0, before = 0;
    for (int i = 0; i < n; i++) {
        change += x[i].change.mean * x[i].change.mean;
        before += x[i].before.mean * x[i].before.mean;
    }
    return change > before ? 0 : 1.0 / 15;
}

static void test_curves(void **state)
{
    const fixture *f = *state;
    int with = 0;
    assert_int_equal(f->solution->n_curves, COLUMNS);
    assert_int_equal(f->solution->n_times, TIMES);
    for (int c = 0; c < COLUMNS; c++) {
        const sgdmft_curve *curve = &f->solution->curves[c];
        sample value[TIMES] = {{0}};
        third step[TIMES] = {0};
        assert_string_equal(curve->name, NAMES[c]);
        for (int i = 0; i < TIMES; i++) {
            check_near(f->solution->times[i], 2.0 * i / (TIMES - 1), 1e-15, "output time");
            for (int r = 0; r < REPLICAS; r++) {
                double fine = column(f, r, GRID_FINE, i * STEPS / (TIMES - 1), c);
                double coarse = column(f, r, GRID_COARSE, i * STEPS / 2 / (TIMES - 1), c);
                sample_add(&value[i], fine + (fine - coarse) / 3);
                assert_int_equal(f->result[r].on_grid[GRID_CHECK] != NULL, r < 2);
                if (r < 2)
                    third_add(&step[i], fine, coarse, column(f, r, GRID_CHECK, i * STEPS / 4 / (TIMES - 1), c));
            }
        }
        double taken = taken_of(step, TIMES);
        with += taken > 0;
        for (int i = 0; i < TIMES; i++) {
            double change = step[i].change.mean, left = (0.2 - taken) * change;
            check_near(curve->value[i], value[i].mean - taken * change, 1e-13, "%s at output %d", curve->name, i);
            check_near(curve->step_error[i], left, 1e-13, "step error of %s at output %d", curve->name, i);
            /* output times are too far apart to count as nearby */
            check_near(curve->se[i], hypot(sample_se(&value[i]), left), 1e-12, "standard error of %s at output %d",
                       curve->name, i);
        }
    }
    check_between(with, 1, COLUMNS - 1, "curves with steps short enough for a fourth order, of %d", COLUMNS);
}

static void test_two_time_arrays(void **state)
{
    const fixture *f = *state;
    const sgdmft_solution *s = f->solution;
    size_t n = STEPS + 1;
    assert_int_equal(s->n_grid, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double C[K * K] = {0}, R[K * K] = {0}, block[K * K];
            for (int r = 0; r < REPLICAS; r++) {
                const kernels *kern = f->result[r].on_grid[GRID_FINE]->kern;
                kernels_correlation(kern, f->t.plan.on_grid[GRID_FINE].q0, f->t.plan.on_grid[GRID_FINE].rho, (int)i,
                                    (int)j, block);
                for (int x = 0; x < K * K; x++) {
                    C[x] += block[x] / REPLICAS;
                    R[x] += j <= i ? kernels_R(kern, x, (int)i)[j] / REPLICAS : 0;
                }
            }
            for (size_t x = 0; x < K * K; x++) {
                check_near(s->C[(i * n + j) * K * K + x], C[x], 1e-13, "C at %zu %zu, entry %zu", i, j, x);
                check_near(s->R[(i * n + j) * K * K + x], R[x], 1e-13, "R at %zu %zu, entry %zu", i, j, x);
                check_near(s->C[(i * n + j) * K * K + x], s->C[(j * n + i) * K * K + x % K * K + x / K], 1e-13,
                           "C is symmetric");
            }
        }
    for (size_t i = 0; i < n; i++)
        for (size_t x = 0; x < K * KSTAR; x++) {
            double mean = 0;
            for (int r = 0; r < REPLICAS; r++)
                mean += f->result[r].on_grid[GRID_FINE]->kern->m[i * K * KSTAR + x] / REPLICAS;
            check_near(s->m[i * K * KSTAR + x], mean, 1e-14, "m at node %zu, entry %zu", i, x);
        }
}

/* The identities hold up to defects that the replicas define. */
static void test_identities(void **state)
{
    static const struct {
        const char *name;
        int at;
    } want[7] = {{"dC(t,t)/dt 11", 0}, {"dC(t,t)/dt 21", 2}, {"dC(t,t)/dt 22", 3}, {"dC(t,0)/dt 11", 4},
                 {"dC(t,0)/dt 12", 5}, {"dC(t,0)/dt 21", 6}, {"dC(t,0)/dt 22", 7}};
    const fixture *f = *state;
    assert_int_equal(f->solution->n_identities, 7);
    for (int i = 0; i < 7; i++) {
        sample defect = {0};
        third step = {0};
        for (int r = 0; r < REPLICAS; r++) {
            double fine = f->result[r].on_grid[GRID_FINE]->identity[want[i].at];
            double coarse = f->result[r].on_grid[GRID_COARSE]->identity[want[i].at];
            sample_add(&defect, fine + (fine - coarse) / 3);
            if (r < 2)
                third_add(&step, fine, coarse, f->result[r].on_grid[GRID_CHECK]->identity[want[i].at]);
        }
        double taken = taken_of(&step, 1), change = step.change.mean;
        assert_string_equal(f->solution->identities[i].name, want[i].name);
        check_near(f->solution->identities[i].defect, defect.mean - taken * change, 1e-14, "%s", want[i].name);
        check_near(f->solution->identities[i].se, hypot(sample_se(&defect), (0.2 - taken) * change), 1e-14,
                   "standard error of %s", want[i].name);
    }
}

/* The largest numbers of the summary are those of the parts. */
static void test_summary(void **state)
{
    const fixture *f = *state;
    double residual = 0, visits = 0;
    for (int r = 0; r < REPLICAS; r++) {
        visits += f->result[r].visits;
        for (int grid = 0; grid <= GRID_COARSE; grid++)
            for (int i = 0; i < f->result[r].on_grid[grid]->nodes; i++)
                residual = fmax(residual, f->result[r].on_grid[grid]->residual[i]);
    }
    assert_true(f->solution->info.residual_max == residual);
    assert_true(f->solution->info.visits == visits);
    for (int c = 0; c < COLUMNS; c++)
        for (int i = 0; i < TIMES; i++)
            assert_true(f->solution->curves[c].se[i] <= f->solution->info.se_max * 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_two_time_arrays),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_summary),
    };
    return cmocka_run_group_tests_name("statistics", tests, setup, teardown);
}
