/* From replicas to a solution: every number of the solution from the replicas' kernels by the formulas in the heads
   of solvers/common/statistics.h and step_errors.h, written out again. Output times are nodes of all grids, so nothing
   is interpolated, but in test_nearby. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "solvers/dmft/statistics.h"
#include "support/check.h"
#include "support/plan.h"
#include "support/sample.h"

enum { REPLICAS = 5, STEPS = 16, TIMES = 5, MANY = 17, K = 2, KSTAR = 2, COLUMNS = 2 + 3 + 4 + 2 + 4 };

/* The error over standard error of 5 replicas is Student's t. Half of the quantile at 97.725 % with 1.5 * 4 degrees of
   freedom, from the incomplete beta function: P(|t| > 2 * 1.2583) = I(6/(6 + t^2); 3, 1/2) = 0.0455 with
   I(x; 3, 1/2) = 1 - sqrt(1 - x) (1 + x/2 + 3 x^2/8). */
static const double WIDENING = 1.258264174060814;

static const char *const NAMES[COLUMNS] = {"train_loss",  "test_loss", "q11", "q21", "q22",
                                           "m11",         "m12",       "m21", "m22", "train_margin",
                                           "test_margin", "R11",       "R12", "R21", "R22"};

typedef struct fixture {
    test_plan t;
    replica_result result[REPLICAS];
    sgdmft_solution *solution; /* at TIMES output times */
    sgdmft_solution *dense;    /* at MANY */
    curve_errors errors;       /* of that */
} fixture;

/* The statistics at fewer output times than were solved for. */
static sgdmft_solution *at_few_times(fixture *f, const replica_set *all)
{
    sgdmft_problem few = *f->t.problem;
    dmft_plan plan = f->t.plan;
    sgdmft_solution *out = NULL;
    few.output.times = TIMES;
    plan.problem = &few;
    check_ok(f->t.ctx, replica_statistics(f->t.ctx, &plan, all, NULL, &out));
    return out;
}

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
            REPLICAS, STEPS, MANY));
    replica_set all = {.result = f.result, .asked = REPLICAS};
    check_ok(f.t.ctx, replica_set_solve(f.t.ctx, &f.t.plan, &all));
    assert_int_equal(all.count, REPLICAS);
    check_ok(f.t.ctx, replica_statistics(f.t.ctx, &f.t.plan, &all, &f.errors, &f.dense));
    f.solution = at_few_times(&f, &all);
    sgdmft_context_free(ctx);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    sgdmft_solution_free(f->solution);
    sgdmft_solution_free(f->dense);
    curve_errors_clear(&f->errors);
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

/* The same at any time, by the stencil of the grid. */
static double interpolated(const fixture *f, int index, int grid, double t, int c)
{
    double weights[4], sum = 0;
    int count, first = time_grid_stencil(f->t.plan.grid[grid], t, &count, weights);
    for (int i = 0; i < count; i++)
        sum += weights[i] * column(f, index, grid, first + i, c);
    return sum;
}

/* Differences between grids over replicas: their means and standard errors. */
typedef struct grids {
    sample fine, coarse, change; /* X_2h - X_h, X_4h - X_2h, Y_2h - Y_h */
} grids;

static void grids_add(grids *x, double fine, double coarse, double check)
{
    sample_add(&x->fine, coarse - fine);
    sample_add(&x->coarse, check - coarse);
    sample_add(&x->change, (4 * coarse - check) / 3 - (4 * fine - coarse) / 3);
}

/* The mean square of a difference along a curve, and that of its noise. */
static void mean_squares(const grids *x, int n, size_t member, double *all, double *noise)
{
    *all = *noise = 0;
    for (int i = 0; i < n; i++) {
        const sample *s = (const sample *)(const void *)((const char *)&x[i] + member);
        *all += s->mean * s->mean / n;
        *noise += pow(WIDENING * sample_se(s), 2) / n;
    }
}

/* The part of Y_2h - Y_h that is subtracted: a fifteenth if its mean square is less than half of that of
   X_2h - Y_2h = (X_4h - X_2h) / 3. */
static double taken_of(const grids *x, int n)
{
    double change, before, noise;
    mean_squares(x, n, offsetof(grids, change), &change, &noise);
    mean_squares(x, n, offsetof(grids, coarse), &before, &noise);
    return change > 0.5 * before / 9 ? 0 : 1.0 / 15;
}

/* What is left of |X_2h - X_h| by the ratio of the differences. *how: which case it was. */
static double part_of(const grids *x, int n, int *how)
{
    double fine, coarse, noise, noise_coarse;
    mean_squares(x, n, offsetof(grids, fine), &fine, &noise);
    mean_squares(x, n, offsetof(grids, coarse), &coarse, &noise_coarse);
    *how = 0;
    if (fine - noise <= 3 * noise)
        return 0;
    double ratio = sqrt(fmax(coarse - noise_coarse, 0) / (fine - noise));
    *how = ratio < 2.5 ? 1 : 2;
    if (ratio < 2.5)
        return fmax(1 / (fmax(ratio, 1.2) - 1) - 1.0 / 3, 1.0 / 3);
    return fmax(fabs(1 / (fmin(ratio, 8) - 1) - 1.0 / 3), 0.05);
}

/* All curves, [column][time]. */
typedef struct expected {
    double value[COLUMNS][TIMES], noise[COLUMNS][TIMES], bar[COLUMNS][TIMES], scale[COLUMNS][TIMES];
    int taken, cases[3];
} expected;

/* Every curve by itself. */
static void expect_alone(const fixture *f, int c, expected *e)
{
    grids step[TIMES] = {0};
    double all, noise;
    int how;
    for (int i = 0; i < TIMES; i++) {
        sample value = {0};
        for (int r = 0; r < REPLICAS; r++) {
            double fine = column(f, r, GRID_FINE, i * STEPS / (TIMES - 1), c);
            double coarse = column(f, r, GRID_COARSE, i * STEPS / 2 / (TIMES - 1), c);
            sample_add(&value, (4 * fine - coarse) / 3);
            grids_add(&step[i], fine, coarse, column(f, r, GRID_CHECK, i * STEPS / 4 / (TIMES - 1), c));
        }
        e->value[c][i] = value.mean;
        e->noise[c][i] = sample_se(&value);
    }
    double taken = taken_of(step, TIMES), part = part_of(step, TIMES, &how);
    e->taken += taken > 0;
    e->cases[how]++;
    mean_squares(step, TIMES, offsetof(grids, change), &all, &noise);
    double sure = all > noise ? sqrt((all - noise) / all) : 0;
    for (int i = 0; i < TIMES; i++) {
        double change = step[i].change.mean;
        e->value[c][i] -= taken * change;
        e->bar[c][i] = copysign(fmax(sure * (0.2 - taken) * fabs(change), part * fabs(step[i].fine.mean)), change);
    }
}

/* Natural scales: a loss and q_aa count as a hundredth of their largest value at least, overlaps as the product of the
   lengths, observables as their largest value, R as 1. */
static double scale_of(const fixture *f, int c, int i)
{
    const sgdmft_curve *curves = f->solution->curves;
    double q[K], largest = 0, teacher = 1;
    for (int j = 0; j < TIMES; j++)
        largest = fmax(largest, fabs(curves[c].value[j]));
    for (int a = 0; a < K; a++) {
        const double *own = curves[a == 0 ? 2 : 4].value;
        double most = 0;
        for (int j = 0; j < TIMES; j++)
            most = fmax(most, fabs(own[j]));
        q[a] = fmax(fabs(own[i]), 0.01 * most);
    }
    if (c < 2)
        return fmax(fabs(curves[c].value[i]), 0.01 * largest);
    if (c < 5)
        return c == 2 ? q[0] : c == 4 ? q[1] : sqrt(q[0] * q[1]);
    if (c < 9)
        return sqrt(q[(c - 5) / KSTAR] * teacher);
    return c < 11 ? largest : 1;
}

/* The bar of a curve is at least 0.3 of the largest one of all curves but R at that time, in units of the scales. */
static void join(expected *e)
{
    for (int i = 0; i < TIMES; i++) {
        double largest = 0;
        for (int c = 0; c < 11; c++)
            largest = fmax(largest, fabs(e->bar[c][i]) / e->scale[c][i]);
        for (int c = 0; c < COLUMNS; c++)
            e->bar[c][i] = copysign(fmax(fabs(e->bar[c][i]), 0.3 * largest * e->scale[c][i]), e->bar[c][i]);
    }
}

/* The relative defect of the identity of C_aa(t,t) that is not noise. */
static double untrusted_part(const fixture *f)
{
    double largest = 0;
    for (int i = 0; i < 3; i += 2) {
        const sgdmft_identity *of = &f->solution->identities[i];
        largest = fmax(largest, (fabs(of->defect) - 2 * of->se) / of->scale);
    }
    return largest;
}

/* Output times 0, 0.5, ..., 2: those within a tenth of the horizon are none but the time itself, as are those within a
   fifth. So pooling does nothing, and neither do bars nearby. */
static void test_curves(void **state)
{
    const fixture *f = *state;
    static expected e;
    double defect = untrusted_part(f);
    int joined = 0;
    assert_int_equal(f->solution->n_curves, COLUMNS);
    assert_int_equal(f->solution->n_times, TIMES);
    for (int r = 0; r < REPLICAS; r++)
        assert_non_null(f->result[r].on_grid[GRID_CHECK]);
    for (int c = 0; c < COLUMNS; c++) {
        expect_alone(f, c, &e);
        for (int i = 0; i < TIMES; i++)
            e.scale[c][i] = scale_of(f, c, i);
    }
    expected alone = e;
    join(&e);
    for (int c = 0; c < COLUMNS; c++) {
        const sgdmft_curve *curve = &f->solution->curves[c];
        assert_string_equal(curve->name, NAMES[c]);
        for (int i = 0; i < TIMES; i++) {
            double step = hypot(e.bar[c][i], i > 0 ? defect * e.scale[c][i] : 0);
            joined += e.bar[c][i] != alone.bar[c][i];
            check_near(f->solution->times[i], 2.0 * i / (TIMES - 1), 1e-15, "output time");
            check_near(curve->value[i], e.value[c][i], 1e-13, "%s at output %d", curve->name, i);
            check_near(curve->step_error[i], e.bar[c][i], 1e-12, "step error of %s at output %d", curve->name, i);
            check_near(curve->se[i], hypot(WIDENING * e.noise[c][i], step), 1e-12, "standard error of %s at output %d",
                       curve->name, i);
        }
    }
    check_between(e.taken, 1, COLUMNS - 1, "curves with steps short enough for a fourth order, of %d", COLUMNS);
    check_between(joined, 1, COLUMNS * TIMES - 1, "bars that others raise");
    print_message("%d curves without an order, %d of low order, %d of second\n", e.cases[0], e.cases[1], e.cases[2]);
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

/* With output times close to each other, standard errors are those of all times nearby. Noise is pooled within a tenth
   of the horizon, bars are the largest within a fifth. */
static void test_nearby(void **state)
{
    const fixture *f = *state;
    const sgdmft_solution *s = f->dense;
    const curve_errors *errors = &f->errors;
    assert_int_equal(s->n_times, MANY);
    for (size_t c = 0; c < COLUMNS; c++) {
        double noise[MANY], scale[MANY];
        solution_natural_scale(s, f->t.problem->initial.rho, c, scale);
        for (int i = 0; i < MANY; i++) {
            sample value = {0};
            for (int r = 0; r < REPLICAS; r++) {
                double at[3];
                for (int grid = 0; grid < 2; grid++)
                    at[grid] = interpolated(f, r, grid, s->times[i], (int)c);
                sample_add(&value, (4 * at[0] - at[1]) / 3);
            }
            noise[i] = sample_se(&value);
            if (noise[i] < 1e-13 * fabs(value.mean))
                noise[i] = 0;
        }
        for (int i = 0; i < MANY; i++) {
            double squares = 0, bar = 0;
            int count = 0;
            for (int j = 0; j < MANY; j++) {
                double far = fabs(s->times[j] - s->times[i]) / 2;
                if (far <= 0.1 && noise[j] > 0) {
                    squares += pow(noise[j] / scale[j], 2);
                    count++;
                }
                if (j == i || (i > 0 && far <= 0.2))
                    bar = fmax(bar, fabs(s->curves[c].step_error[j]));
            }
            double pooled = noise[i] > 0 ? WIDENING * scale[i] * sqrt(squares / count) : 0;
            double step = hypot(bar, i > 0 ? errors->identity_defect * scale[i] : 0);
            check_near(s->curves[c].se[i], hypot(pooled, step), 1e-11, "standard error of %s at output %d", NAMES[c],
                       i);
            check_near(errors->noise[c * MANY + (size_t)i], pooled, 1e-11, "its noise");
            check_near(errors->step[c * MANY + (size_t)i], step, 1e-12, "its step error");
        }
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
        grids step = {0};
        for (int r = 0; r < REPLICAS; r++) {
            double fine = f->result[r].on_grid[GRID_FINE]->identity[want[i].at];
            double coarse = f->result[r].on_grid[GRID_COARSE]->identity[want[i].at];
            sample_add(&defect, fine + (fine - coarse) / 3);
            grids_add(&step, fine, coarse, f->result[r].on_grid[GRID_CHECK]->identity[want[i].at]);
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
        cmocka_unit_test(test_curves),     cmocka_unit_test(test_nearby),  cmocka_unit_test(test_two_time_arrays),
        cmocka_unit_test(test_identities), cmocka_unit_test(test_summary),
    };
    return cmocka_run_group_tests_name("statistics", tests, setup, teardown);
}
