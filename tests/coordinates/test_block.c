/* The time step of coordinates by itself, with coefficients that are given. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinates/block.h"
#include "support/check.h"
#include "support/plan.h"

static void test_rows(void **state)
{
    enum { K = 3, CELLS = 4, STRIDE = 12 };
    double blocks[CELLS * STRIDE], row[K * CELLS * K], back[CELLS * STRIDE];
    for (size_t i = 0; i < CELLS * STRIDE; i++)
        blocks[i] = back[i] = sin(1.3 * (double)i);
    coordinate_row_from_blocks(K, CELLS, blocks, STRIDE, row);
    for (size_t a = 0; a < K; a++)
        for (size_t j = 0; j < CELLS; j++)
            for (size_t b = 0; b < K; b++)
                assert_true(row[a * CELLS * K + j * K + b] == blocks[j * STRIDE + a * K + b]);
    for (size_t j = 0; j < CELLS; j++)
        memset(back + j * STRIDE, 0, sizeof(double) * K * K);
    coordinate_row_to_blocks(K, CELLS, row, STRIDE, back);
    assert_memory_equal(blocks, back, sizeof blocks);
}

enum { N = 5, CELLS = 6 };

/* A block of one student and teacher with a penalty, and its step. */
typedef struct fixture {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    penalty *pen;
    double *work, wstar[N], u[N], xi[CELLS * N];
    path_inputs in;
    coordinate_block block;
    coordinate_step step;
} fixture;

static void fixture_init(fixture *f, const char *text, int keeps_past)
{
    *f = (fixture){.ctx = check_context(1)};
    f->problem =
        test_problem(f->ctx, "delta: 2\nhorizon: 1\npenalty: '%s'\nmodel: {label: s, loss: '(r - y)^2/2'}\n", text);
    check_ok(f->ctx, penalty_new(f->ctx, f->problem, &f->pen));
    f->work = calloc(penalty_work(f->pen) + 1, sizeof *f->work);
    assert_non_null(f->work);
    for (size_t p = 0; p < N; p++) {
        f->wstar[p] = cos(3.0 * (double)p);
        f->u[p] = 0.4 + sin(2.0 * (double)p);
        for (size_t c = 0; c < CELLS; c++)
            f->xi[c * N + p] = cos(1.7 * (double)p + 2.3 * (double)c);
    }
    f->in = (path_inputs){.n = N, .steps = CELLS, .wstar = f->wstar, .z0 = f->u, .xi = f->xi};
    check_ok(f->ctx, coordinate_block_new(f->ctx, 1, &f->in, keeps_past, &f->block));
    check_ok(f->ctx, coordinate_step_new(f->ctx, 1, 1, CELLS, &f->step));
    memcpy(f->block.theta, f->u, sizeof f->u);
}

static void fixture_clear(fixture *f)
{
    coordinate_block_clear(&f->block);
    coordinate_step_clear(&f->step);
    penalty_free(f->pen);
    free(f->work);
    sgdmft_problem_free(f->problem);
    sgdmft_context_free(f->ctx);
}

static void solve_step(fixture *f, int cell)
{
    coordinate_block_prepare(&f->block, &f->step);
    for (int round = 0; round < 30; round++) {
        coordinate_block_move(&f->block, &f->step, f->pen, f->work);
        coordinate_block_update_drift(&f->block, &f->step);
    }
    coordinate_block_accept(&f->block, cell + 1);
}

/* A nonlinear penalty, noise and a mean gradient of theta* and u: the trapezoid rule holds to the last digit. */
static void test_trapezoid(void **state)
{
    fixture f;
    fixture_init(&f, "0.5*log(cosh(2*th1))", 0);
    f.step.drift_teacher[0] = 0.3;
    f.step.drift_start[0] = -0.2;
    coordinate_block_start(&f.block, &f.step, f.pen, f.work);
    for (int cell = 0; cell < CELLS; cell++) {
        double before[N], X[N], h = 0.1 + 0.05 * cell;
        memcpy(before, f.block.theta, sizeof before);
        memcpy(X, f.block.X, sizeof X);
        coordinate_step_set_cell(&f.step, cell, h, 2, 1.5, 0.5);
        for (int j = 0; j <= cell; j++)
            f.step.L[j] = 0.1 * (j + 1);
        f.step.drift_teacher[0] += 0.1;
        solve_step(&f, cell);
        for (size_t p = 0; p < N; p++) {
            double noise = 0, after = f.block.theta[p];
            for (int j = 0; j <= cell; j++)
                noise += 0.1 * (j + 1) * f.xi[(size_t)j * N + p];
            double force = tanh(2 * before[p]) + 2 * 1.5 * X[p] + tanh(2 * after) + 2 * 0.5 * f.block.X[p];
            check_near(after, before[p] - h / 2 * force - sqrt(2) * noise, 1e-13, "theta after cell %d", cell);
            check_near(f.block.X[p], f.step.drift_teacher[0] * f.wstar[p] - 0.2 * f.u[p], 1e-14, "X");
        }
    }
    fixture_clear(&f);
}

/* X on zeta: zeta is what the regression leaves, and X is the same when it is computed anew. */
static void test_zeta(void **state)
{
    fixture f;
    fixture_init(&f, "0.1*th1^2", 0);
    coordinate_block_start(&f.block, &f.step, f.pen, f.work);
    for (int cell = 0; cell < CELLS; cell++) {
        double X[N];
        coordinate_step_set_cell(&f.step, cell, 0.2, 2, 1, 1);
        for (int j = 0; j <= cell; j++) {
            f.step.L[j] = j == cell;
            f.step.memory_kernel[j] = 0.05 * (j + 1);
            f.step.V[j] = 0.3;
        }
        f.step.onto_teacher[0] = 0.2;
        f.step.onto_start[0] = 0.7;
        f.step.V_inverse[0] = 1.25;
        solve_step(&f, cell);
        for (size_t p = 0; p < N; p++) {
            double rest = f.block.theta[p] - 0.2 * f.wstar[p] - 0.7 * f.u[p], memory = 0;
            for (int j = 0; j < cell; j++)
                rest -= 0.3 * f.block.zeta[(size_t)j * N + p];
            check_near(f.block.zeta[(size_t)cell * N + p], 1.25 * rest, 1e-13, "zeta");
            for (int j = 0; j <= cell; j++)
                memory += 0.05 * (j + 1) * f.block.zeta[(size_t)j * N + p];
            check_near(f.block.X[p], memory, 1e-13, "X");
        }
        memcpy(X, f.block.X, sizeof X);
        coordinate_block_renew(&f.block, &f.step);
        for (size_t p = 0; p < N; p++)
            check_near(f.block.X[p], X[p], 1e-14, "X anew");
    }
    fixture_clear(&f);
}

/* X on theta itself. */
static void test_past(void **state)
{
    fixture f;
    double path[(CELLS + 1) * N];
    fixture_init(&f, "0.1*th1^2", 1);
    coordinate_block_start(&f.block, &f.step, f.pen, f.work);
    memcpy(path, f.block.theta, sizeof(double) * N);
    for (int cell = 0; cell < CELLS; cell++) {
        coordinate_step_set_cell(&f.step, cell, 0.2, 2, 1, 1);
        for (int j = 0; j <= cell; j++)
            f.step.memory_kernel[j] = 0.1 * (j + 1);
        f.step.memory_end[0] = 0.5;
        solve_step(&f, cell);
        memcpy(path + (cell + 1) * N, f.block.theta, sizeof(double) * N);
        for (size_t p = 0; p < N; p++) {
            double X = 0.5 * f.block.theta[p];
            for (int j = 0; j <= cell; j++)
                X += 0.1 * (j + 1) * path[(size_t)j * N + p];
            check_near(f.block.X[p], X, 1e-13, "X at node %d", cell + 1);
        }
    }
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_trapezoid),
        cmocka_unit_test(test_zeta),
        cmocka_unit_test(test_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
