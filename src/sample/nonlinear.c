#include "sample/nonlinear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinates/block.h"
#include "core/memory.h"
#include "kernels/recursion.h"
#include "model/initial.h"
#include "paths/lanes.h"
#include "problem/problem.h"
#include "sample/draws.h"

enum { L = SAMPLE_LANES };

enum { ROUNDS_MOST = 200 };

/* A step is solved when a round changes no theta by more than this, relative to max(1, |theta|). */
static const double SOLVED = 1e-12;

struct nonlinear_process {
    int k, kstar;
    int on_path;     /* 1 if X depends on theta itself */
    int recursion;   /* 1 in discrete time */
    size_t n, cells; /* nodes; cells before the last one */
    size_t *node;    /* [n] */
    penalty *pen;
    initial_law law;
    coordinate_step *step;  /* [cells + 1], that with index i ends at node i */
    coordinate_step *after; /* [cells + 1] coefficients of X just after node i; empty where they do not change */
};

/* The step that ends at node i. */
static sgdmft_status set_step(sgdmft_context *ctx, double delta, const two_time *x, size_t i, coordinate_step *step)
{
    const solution_coordinates *p = x->coordinates;
    int k = x->k;
    size_t kk = (size_t)(k * k), kkstar = (size_t)(k * x->kstar), n = x->n, cells = n - 1;
    sgdmft_status status = coordinate_step_new(ctx, k, x->kstar, (int)i, step);
    if (status)
        return status;
    memcpy(step->drift_teacher, p->drift_teacher + i * kkstar, sizeof(double) * kkstar);
    memcpy(step->drift_start, p->drift_start + i * kk, sizeof(double) * kk);
    if (i == 0)
        return SGDMFT_OK;
    coordinate_step_set_cell(step, (int)i - 1, x->t[i] - x->t[i - 1], delta, p->eta_start[i - 1], p->eta_end[i - 1]);
    coordinate_row_from_blocks(k, (int)i, p->L + (i - 1) * cells * kk, kk, step->L);
    coordinate_row_from_blocks(k, (int)i, p->memory_kernel + i * n * kk, kk, step->memory_kernel);
    coordinate_row_from_blocks(k, (int)i - 1, p->V + i * cells * kk, kk, step->V);
    memcpy(step->memory_end, p->memory_kernel + (i * n + i) * kk, sizeof(double) * kk);
    memcpy(step->onto_teacher, p->onto_teacher + i * kkstar, sizeof(double) * kkstar);
    memcpy(step->onto_start, p->onto_start + i * kk, sizeof(double) * kk);
    memcpy(step->V_inverse, p->V_inverse + (i - 1) * kk, sizeof(double) * kk);
    return SGDMFT_OK;
}

static int same(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* The coefficients of X just after node i > 0, unless they are those of the step that ends there. */
static sgdmft_status set_renewal(sgdmft_context *ctx, const two_time *x, size_t i, coordinate_step *step)
{
    const solution_coordinates *p = x->coordinates;
    int k = x->k;
    size_t kk = (size_t)(k * k), kkstar = (size_t)(k * x->kstar), memory = i * x->n * kk;
    if (!p->memory_kernel_after || (same(p->drift_teacher_after + i * kkstar, p->drift_teacher + i * kkstar, kkstar) &&
                                    same(p->drift_start_after + i * kk, p->drift_start + i * kk, kk) &&
                                    same(p->memory_kernel_after + memory, p->memory_kernel + memory, i * kk)))
        return SGDMFT_OK;
    sgdmft_status status = coordinate_step_new(ctx, k, x->kstar, (int)i, step);
    if (status)
        return status;
    step->cell = (int)i - 1;
    memcpy(step->drift_teacher, p->drift_teacher_after + i * kkstar, sizeof(double) * kkstar);
    memcpy(step->drift_start, p->drift_start_after + i * kk, sizeof(double) * kk);
    coordinate_row_from_blocks(k, (int)i, p->memory_kernel_after + memory, kk, step->memory_kernel);
    return SGDMFT_OK;
}

static sgdmft_status fill(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, const size_t *node,
                          nonlinear_process *process)
{
    process->node = malloc(process->n * sizeof *node);
    process->step = calloc(process->cells + 1, sizeof *process->step);
    process->after = calloc(process->cells + 1, sizeof *process->after);
    if (!process->node || !process->step || !process->after)
        return context_out_of_memory(ctx, "the process of the coordinates",
                                     (double)(process->cells * sizeof *process->step));
    memcpy(process->node, node, process->n * sizeof *node);
    sgdmft_status status = penalty_new(ctx, problem, &process->pen);
    if (!status)
        status = initial_law_init(ctx, problem, &process->law);
    for (size_t i = 0; i <= process->cells && !status; i++)
        status = set_step(ctx, problem->delta, x, i, &process->step[i]);
    for (size_t i = 1; i <= process->cells && !status; i++) {
        filter f = recursion_filter(problem->lambda, problem->momentum.rate, problem->momentum.beta, x->t[1] - x->t[0]);
        process->step[i].beta = f.beta;
        process->step[i].gain = f.gain;
    }
    for (size_t i = 1; i < process->cells && !status; i++)
        status = set_renewal(ctx, x, i, &process->after[i]);
    return status;
}

sgdmft_status nonlinear_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                    const size_t *node, nonlinear_process **out)
{
    *out = NULL;
    nonlinear_process *process = calloc(1, sizeof *process);
    if (!process)
        return context_out_of_memory(ctx, "the process of the coordinates", sizeof *process);
    *process = (nonlinear_process){.k = x->k,
                                   .kstar = x->kstar,
                                   .on_path = !problem->process->white_noise || problem_uses_recursion(problem),
                                   .recursion = problem_uses_recursion(problem),
                                   .n = n,
                                   .cells = node[n - 1]};
    sgdmft_status status = fill(ctx, problem, x, node, process);
    if (status)
        nonlinear_process_free(process);
    else
        *out = process;
    return status;
}

void nonlinear_process_free(nonlinear_process *process)
{
    if (!process)
        return;
    for (size_t i = 0; process->step && i <= process->cells; i++)
        coordinate_step_clear(&process->step[i]);
    for (size_t i = 0; process->after && i <= process->cells; i++)
        coordinate_step_clear(&process->after[i]);
    free(process->step);
    free(process->after);
    free(process->node);
    penalty_free(process->pen);
    free(process);
}

size_t nonlinear_process_cells(const nonlinear_process *process)
{
    return process->cells;
}

struct nonlinear_workspace {
    path_inputs in; /* points to u and to arrays of the caller */
    coordinate_block block;
    double *u, *before; /* [k][L]; before: theta one round ago */
    double *penalty;
};

sgdmft_status nonlinear_workspace_new(sgdmft_context *ctx, const nonlinear_process *process, nonlinear_workspace **out)
{
    size_t width = (size_t)process->k * L;
    *out = NULL;
    nonlinear_workspace *work = calloc(1, sizeof *work);
    if (!work)
        return context_out_of_memory(ctx, "a block of coordinates", sizeof *work);
    work->in = (path_inputs){.n = L, .steps = (int)process->cells};
    work->u = memory_doubles(width);
    work->before = memory_doubles(width);
    work->penalty = memory_doubles(penalty_work(process->pen));
    sgdmft_status status = work->u && work->before && work->penalty
                               ? coordinate_block_new(ctx, process->k, &work->in, process->on_path, &work->block)
                               : context_out_of_memory(ctx, "a block of coordinates", 16.0 * (double)width);
    work->in.z0 = work->u;
    if (status)
        nonlinear_workspace_free(work);
    else
        *out = work;
    return status;
}

void nonlinear_workspace_free(nonlinear_workspace *work)
{
    if (!work)
        return;
    coordinate_block_clear(&work->block);
    free(work->u);
    free(work->before);
    free(work->penalty);
    free(work);
}

/* Whether theta is what it was one round ago, in all lanes. */
static int settled(size_t width, const double *theta, double *before)
{
    int same = 1;
    for (size_t p = 0; p < width; p++)
        same &= fabs(theta[p] - before[p]) <= SOLVED * fmax(1, fabs(theta[p]));
    memcpy(before, theta, sizeof *theta * width);
    return same;
}

/* Where penalty' jumps, theta may come to rest on the jump. Rounds then go from one side to the other, either of which
   is a solution up to the step error. */
static sgdmft_status solve_step(const nonlinear_process *process, size_t node, nonlinear_workspace *work)
{
    const coordinate_step *step = &process->step[node];
    size_t width = (size_t)process->k * L;
    int solved = 0;
    if (process->recursion) {
        coordinate_block_step(&work->block, step, process->pen, work->penalty);
        coordinate_block_close(&work->block, step);
        coordinate_block_accept(&work->block, (int)node);
        return SGDMFT_OK;
    }
    coordinate_block_prepare(&work->block, step);
    memcpy(work->before, work->block.theta_next, sizeof(double) * width);
    for (int round = 0; round < ROUNDS_MOST && !solved; round++) {
        coordinate_block_move(&work->block, step, process->pen, work->penalty);
        coordinate_block_update_drift(&work->block, step);
        solved = settled(width, work->block.theta_next, work->before);
    }
    if (!solved && !penalty_jumps(process->pen))
        return SGDMFT_ERR_NO_CONVERGENCE;
    coordinate_block_accept(&work->block, (int)node);
    if (process->after[node].memory_kernel)
        coordinate_block_renew(&work->block, &process->after[node]);
    return SGDMFT_OK;
}

sgdmft_status nonlinear_process_run(const nonlinear_process *process, const double *theta0, double *thetastar,
                                    double *xi, nonlinear_workspace *work, double *theta)
{
    int k = process->k, kstar = process->kstar;
    size_t width = (size_t)k * L;
    work->in.wstar = thetastar;
    work->in.xi = xi;
    memcpy(work->block.theta, theta0, sizeof *theta0 * width);
    /* u = theta(0) - A theta* */
    memset(work->u, 0, sizeof(double) * width);
    lanes_combine(k, kstar, (size_t)kstar, L, process->law.a, thetastar, work->u);
    for (size_t p = 0; p < width; p++)
        work->u[p] = theta0[p] - work->u[p];
    coordinate_block_start(&work->block, &process->step[0], process->pen, work->penalty);
    for (size_t i = 0, at = 0;; i++) {
        if (process->node[at] == i)
            memcpy(theta + at++ * width, work->block.theta, sizeof *theta * width);
        if (at == process->n)
            return SGDMFT_OK;
        sgdmft_status status = solve_step(process, i + 1, work);
        if (status)
            return status;
    }
}
