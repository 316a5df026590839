#include "path_case.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "problem/problem.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/explicit_flow.h"

const double any_bridge_root[K * K] = {0.6, 0.15, 0.15, 0.4};

void any_kernels(kernels *kern, unsigned seed)
{
    int k = kern->k;
    double z[400];
    random_normals((random_key){seed, 0, 81}, 0, 0, 400, z);
    for (int i = 0; i <= kern->steps; i++)
        for (int c = 0; c < k * k; c++)
            for (int j = 0; j < i; j++)
                kernels_R(kern, c, i)[j] = (c % (k + 1) == 0 ? 0.6 : 0.1) + 0.2 * z[(i * 31 + j * 7 + c * 3) % 400];
    for (int i = 1; i <= kern->steps; i++)
        for (int a = 0; a < k; a++) {
            for (int x = 0; x < k * i; x++)
                kernels_V(kern, i, a)[x] = 0.5 * z[(i * 17 + a * 5 + x) % 400];
            kern->F[i * k + a] = 0.4 * z[(i * 3 + a) % 400];
        }
    for (int i = 0; i < kern->steps; i++)
        memcpy(kern->bridge + i * k * k, any_bridge_root, sizeof(double) * (size_t)(k * k));
}

static double smooth_eta(double t)
{
    return 0.9 / (1 + 0.15 * t);
}

static double jumping_eta(double t)
{
    return t < 1.7 ? 0.9 : 0.5;
}

const case_schedule smooth_schedule = {"0.9/(1 + 0.15*t)", smooth_eta};
const case_schedule jumping_schedule = {"if(t < 1.7, 0.9, 0.5)", jumping_eta};

void path_case_init(path_case *c, const char *dynamics, const case_schedule *eta, double horizon, const char *numerics,
                    int paths)
{
    sgdmft_context *ctx = check_context(1);
    int epochs = strcmp(dynamics, epoch_process.dynamics) == 0, steps = strcmp(dynamics, explicit_flow.dynamics) == 0;
    sgdmft_problem *problem = test_problem(
        ctx,
        "{dynamics: %s, delta: 1.3, horizon: %g, eta: \"%s\", "
        "model: {students: 2, teachers: 1, label: \"s + 0.3*eps\", predict: \"tanh(r1) + 0.6*tanh(r1 - 0.5*r2)\", "
        "loss: \"(f - y)^2/2 + 0.1*r2^2*tanh(r1) + 0.05*t*r1^2\"}, "
        "initial: {q: [[1.2, 0.1], [0.1, 0.8]], m: [[0.3], [-0.1]], rho: 1.3}, "
        "observables: {one: 1, fixed: \"s*eps\", moving: \"tanh(r1)*r2\"}, "
        "numerics: {%spaths: %d, steps: %d, seed: 31, grading: 1.2}}",
        epochs  ? "sgd"
        : steps ? "gradient-flow"
                : dynamics,
        horizon, eta->text, numerics, paths, STEPS);
    *c = (path_case){.eta = eta};
    if (epochs)
        problem->process = &epoch_process;
    if (steps)
        problem->process = &explicit_flow;
    test_plan_init(&c->t, problem);
    sgdmft_context_free(ctx);
    test_plan_exact(&c->t);
    assert_int_equal(c->t.plan.grid[GRID_FINE]->steps, STEPS);
}

void path_case_draw(path_case *c, unsigned kernel_seed)
{
    c->paths = test_paths(&c->t, 0);
    c->kern = test_kernels(&c->t);
    any_kernels(c->kern, kernel_seed);
    check_ok(c->t.ctx, path_workspace_new(c->t.ctx, &c->t.plan.on_grid[GRID_FINE], 1, STEPS, &c->one));
}

void path_case_clear(path_case *c)
{
    path_workspace_free(c->one);
    path_ensemble_free(c->paths);
    kernels_free(c->kern);
    test_plan_clear(&c->t);
}

void path_case_start(const path_case *c, const path_inputs *in, size_t p, double w[K])
{
    const data_law *law = &c->t.plan.law;
    for (int a = 0; a < K; a++) {
        w[a] = law->start_onto_signal[a] * in->wstar[p];
        for (int l = 0; l < K; l++)
            w[a] += law->start_root[a * K + l] * in->z0[(size_t)l * in->n + p];
    }
}

void path_case_field(const path_case *c, const path_inputs *in, size_t p, int node, double w[K])
{
    double start[K];
    path_case_start(c, in, p, start);
    for (int a = 0; a < K; a++) {
        w[a] = c->kern->F[node * K + a] * in->wstar[p];
        for (int b = 0; b < K; b++)
            w[a] += kernels_R(c->kern, a * K + b, node)[0] * start[b];
        for (int x = 0; x < K * node; x++)
            w[a] += kernels_V(c->kern, node, a)[x] * in->xi[(size_t)x * in->n + p];
    }
}

void path_case_gradient(const path_case *c, double t, const double r[K], double y, double g[K], double G[K * K])
{
    assert_int_equal(model_gradient(c->t.plan.m, c->one->model, 1, &t, r, &y, g, G), 0);
}

void path_case_check_repeatable(const path_case *c)
{
    size_t size = c->t.plan.on_grid[GRID_FINE].at.size;
    double *once = memory_doubles(size);
    test_blocks blocks = test_blocks_new(&c->t, c->paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, c->kern, i);
        memcpy(once, blocks.sums, sizeof(double) * size);
        test_blocks_advance(&blocks, c->kern, i);
        assert_memory_equal(once, blocks.sums, sizeof(double) * size);
        test_blocks_accept(&blocks);
    }
    free(once);
    test_blocks_clear(&blocks);
}
