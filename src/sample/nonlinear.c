#include "sample/nonlinear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "coordinates/block.h"
#include "paths/lanes.h"
#include "model/initial.h"
#include "problem/problem.h"
#include "sample/draws.h"

enum { L = SAMPLE_LANES };

enum { ROUNDS_MOST = 200 };

/* Change of theta by a round, relative to max(1, |theta|), at which a step counts as solved. */
static const double SOLVED = 1e-12;

struct nonlinear_process {
    int k, kstar;
    int on_past;     /* 1 if X is an answer to theta itself */
    size_t n, cells; /* times; cells before the last */
    size_t *node;    /* [n] */
    penalty *pen;
    initial_law law;
    double *first_teacher, *first_start; /* X at t = 0; not owned */
    coordinate_step *step;                /* [cells] */
    double *coefficients;                /* noise, answer and V of the steps */
};

/* Row i of blocks [.][k][k], the first `columns` of them, as a matrix [k][columns k]. */
static void take_row(size_t k, size_t columns, const double *blocks, double *out)
{
    for (size_t j = 0; j < columns; j++)
        for (size_t a = 0; a < k; a++)
            memcpy(out + a * columns * k + j * k, blocks + (j * k + a) * k, sizeof *out * k);
}

static sgdmft_status set_steps(sgdmft_context *ctx, double delta, const two_time *x, nonlinear_process *process)
{
    const solution_coordinates *p = x->coordinates;
    size_t k = (size_t)process->k, kk = k * k, width = k * (size_t)process->kstar, all = x->n - 1,
           cells = process->cells;
    size_t size = 3 * kk * cells * (cells + 1) / 2;
    process->step = calloc(cells + 1, sizeof *process->step);
    process->coefficients = memory_doubles(size);
    if (!process->step || !process->coefficients)
        return context_out_of_memory(ctx, "the process of the coordinates", 8.0 * (double)size);
    process->first_teacher = p->drift_teacher;
    process->first_start = p->drift_start;
    double *next = process->coefficients;
    for (size_t i = 0; i < cells; i++) {
        size_t row = kk * (i + 1), at = i + 1;
        process->step[i] = (coordinate_step){.i = (int)i,
                                            .k = process->k,
                                            .kstar = process->kstar,
                                            .half = 0.5 * (x->t[i + 1] - x->t[i]),
                                            .now = delta * p->eta_start[i],
                                            .then = delta * p->eta_end[i],
                                            .noise = next,
                                            .noise_scale = -sqrt(delta),
                                            .teacher = p->drift_teacher + at * width,
                                            .start = p->drift_start + at * kk,
                                            .memory_kernel = next + row,
                                            .own = p->memory_kernel + (at * x->n + at) * kk,
                                            .M = p->onto_teacher + at * width,
                                            .N = p->onto_start + at * kk,
                                            .V = next + 2 * row,
                                            .inverse = p->V_inverse + i * kk};
        take_row(k, i + 1, p->L + i * all * kk, process->step[i].noise);
        take_row(k, i + 1, p->memory_kernel + at * x->n * kk, process->step[i].memory_kernel);
        take_row(k, i, p->V + at * all * kk, process->step[i].V);
        next += 3 * row;
    }
    return SGDMFT_OK;
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
                                   .on_past = !problem->process->white_noise,
                                   .n = n,
                                   .cells = node[n - 1]};
    process->node = malloc(n * sizeof *node);
    sgdmft_status status = SGDMFT_OK;
    if (process->node)
        memcpy(process->node, node, n * sizeof *node);
    else
        status = context_out_of_memory(ctx, "the process of the coordinates", (double)(n * sizeof *node));
    if (!status)
        status = penalty_new(ctx, problem, &process->pen);
    if (!status)
        status = initial_law_init(ctx, problem, &process->law);
    if (!status)
        status = set_steps(ctx, problem->delta, x, process);
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
    free(process->node);
    penalty_free(process->pen);
    free(process->step);
    free(process->coefficients);
    free(process);
}

/* Arrays [k][L] of a block and of its steps: theta, X, slope now and next, base, known; u; theta of the round before. */
enum { WIDTHS = 10 };

static size_t run_work(const nonlinear_process *process)
{
    size_t k = (size_t)process->k, cells = process->cells;
    return k * L * (WIDTHS + k + cells + (process->on_past ? cells + 1 : 0)) + penalty_work(process->pen);
}

/* A row of draws. */
static size_t row_room(const nonlinear_process *process, const coordinates_law *law)
{
    size_t normals = process->cells * (size_t)process->k, dims = (size_t)coordinates_law_dims(law);
    return normals > dims ? normals : dims;
}

size_t nonlinear_process_work(const nonlinear_process *process, const coordinates_law *law)
{
    size_t starts = (size_t)process->k * L, normals = process->cells * starts, dims = (size_t)coordinates_law_dims(law);
    return starts + normals + run_work(process) + row_room(process, law) + dims * L + coordinates_law_work(law);
}

static void start(const nonlinear_process *process, coordinate_block *block, double *work)
{
    const path_inputs *in = block->in;
    int k = process->k, kstar = process->kstar;
    penalty_gradient(process->pen, work, L, L, block->theta, block->slope);
    memset(block->X, 0, sizeof(double) * (size_t)k * L);
    lanes_combine(k, kstar, (size_t)kstar, L, process->first_teacher, in->wstar, block->X);
    lanes_combine(k, k, (size_t)k, L, process->first_start, in->z0, block->X);
    memcpy(block->X_next, block->X, sizeof(double) * (size_t)k * L);
    memcpy(block->slope_next, block->slope, sizeof(double) * (size_t)k * L);
    memcpy(block->theta_next, block->theta, sizeof(double) * (size_t)k * L);
    coordinate_block_keep(block, 0);
}

/* Takes theta into `before`; 1 if it was there already, in all lanes. */
static int settled(size_t width, const double *theta, double *before)
{
    int same = 1;
    for (size_t p = 0; p < width; p++)
        same &= fabs(theta[p] - before[p]) <= SOLVED * fmax(1, fabs(theta[p]));
    memcpy(before, theta, sizeof *theta * width);
    return same;
}

/* Where penalty' jumps, theta may come to rest on the jump: a round then goes from one side to the other, and one is as good
   as the other. */
static sgdmft_status solve_step(const nonlinear_process *process, const coordinate_step *step, coordinate_block *block,
                                double *before, double *work)
{
    size_t width = (size_t)process->k * L;
    int solved = 0;
    coordinate_block_prepare(block, step);
    memcpy(before, block->theta_next, sizeof *before * width);
    for (int round = 0; round < ROUNDS_MOST && !solved; round++) {
        coordinate_block_move(block, step, process->pen, work);
        coordinate_block_remember(block, step);
        solved = settled(width, block->theta_next, before);
    }
    if (!solved && !penalty_jumps(process->pen))
        return SGDMFT_ERR_NO_CONVERGENCE;
    coordinate_block_accept(block, step->i + 1);
    return SGDMFT_OK;
}

sgdmft_status nonlinear_process_run(const nonlinear_process *process, const double *theta0, double *thetastar,
                                    double *xi, double *work, double *theta)
{
    int k = process->k, kstar = process->kstar;
    size_t width = (size_t)k * L;
    double *u = work + 8 * width, *before = u + width, *curvature = before + width,
           *zeta = curvature + (size_t)k * width;
    double *past = zeta + process->cells * width, *rest = past + (process->on_past ? process->cells + 1 : 0) * width;
    path_inputs in = {.n = L, .steps = (int)process->cells, .wstar = thetastar, .z0 = u, .xi = xi};
    coordinate_block block = {.k = k,
                             .in = &in,
                             .theta = work,
                             .X = work + width,
                             .slope = work + 2 * width,
                             .theta_next = work + 3 * width,
                             .X_next = work + 4 * width,
                             .slope_next = work + 5 * width,
                             .base = work + 6 * width,
                             .known = work + 7 * width,
                             .curvature = curvature,
                             .zeta = zeta,
                             .past = process->on_past ? past : NULL};
    memcpy(block.theta, theta0, sizeof *u * width);
    /* u = theta0 - A theta* */
    memset(u, 0, sizeof *u * width);
    lanes_combine(k, kstar, (size_t)kstar, L, process->law.a, thetastar, u);
    for (size_t p = 0; p < width; p++)
        u[p] = theta0[p] - u[p];
    start(process, &block, rest);
    for (size_t i = 0, at = 0;; i++) {
        if (process->node[at] == i)
            memcpy(theta + at++ * width, block.theta, sizeof *theta * width);
        if (at == process->n)
            return SGDMFT_OK;
        sgdmft_status status = solve_step(process, &process->step[i], &block, before, rest);
        if (status)
            return status;
    }
}

sgdmft_status nonlinear_process_draw(const nonlinear_process *process, const coordinates_law *law, uint64_t seed,
                                     uint64_t block, double *work, double *theta, double *thetastar)
{
    size_t dims = (size_t)coordinates_law_dims(law), width = (size_t)process->k * L,
           normals = process->cells * (size_t)process->k;
    double *theta0 = work, *xi = theta0 + width, *run = xi + process->cells * width, *row = run + run_work(process);
    double *u = row + row_room(process, law), *scratch = u + dims * L;
    sample_draw(random_uniforms, seed, SAMPLE_LAW, block, dims, row, u);
    coordinates_law_map(law, scratch, L, u, theta0, thetastar);
    sample_draw(random_normals, seed, SAMPLE_COORDINATES, block, normals, row, xi);
    return nonlinear_process_run(process, theta0, thetastar, xi, run, theta);
}
