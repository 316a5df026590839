#include "coordinates/ensemble.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "coordinates/flow.h"
#include "core/arrays.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "kernels/innovations.h"
#include "kernels/response.h"
#include "kernels/response_sampled.h"
#include "paths/lanes.h"

/* Blocks are summed in this many parts, each always of the same blocks, and the parts then in order: sums do not depend
   on the number of threads. */
enum { PARTS = 8 };

/* Rounds of a step in one advance. They need not converge, as the passes around an advance repeat them. */
enum { ROUNDS = 2 };

/* If theta is smooth, a residual variance below this part of the variance of theta is rounding. */
static const double SMOOTH_FLOOR = 1e-7;

enum { ENSEMBLE_ARRAYS = 6 };

struct coordinate_ensemble {
    const penalty *pen;
    const initial_law *law;
    const path_ensemble *in;
    kernels *kern;
    int k, kstar, threads;
    size_t n_blocks;
    coordinate_block *block;
    flow_block *flow; /* NULL if the field has white noise, unless time is discrete */
    coordinate_step step;
    flow_step rows;
    double **work; /* [threads] of the penalty */
    size_t sums_size;
    double *sums;              /* [PARTS][sums_size] */
    double *mean;              /* [sums_size] */
    double *slopes;            /* [N][k][k] E[(penalty' - ridge theta) xi_c^T] */
    coordinate_record *record; /* not owned; NULL if nothing is to be kept */
};

double coordinate_ensemble_bytes(int k, int kstar, int steps, int on_path, double paths)
{
    double drawn = 8.0 * paths * (kstar + k * (steps + 1.0));
    return drawn + coordinate_block_bytes(k, steps, on_path, paths) + (on_path ? flow_block_bytes(k, steps, paths) : 0);
}

static void ensemble_arrays(coordinate_ensemble *e, size_t steps, array_row rows[ENSEMBLE_ARRAYS])
{
    size_t kk = (size_t)(e->k * e->k);
    const array_row all[ENSEMBLE_ARRAYS] = {
        {&e->sums, PARTS * e->sums_size, 0}, {&e->mean, e->sums_size, 0},    {&e->slopes, kk * steps, 0},
        {&e->rows.row, kk * steps, 0},       {&e->rows.half, kk * steps, 0}, {&e->rows.gamma, kk, 0},
    };
    memcpy(rows, all, sizeof all);
}

static sgdmft_status allocate(sgdmft_context *ctx, coordinate_ensemble *e)
{
    array_row rows[ENSEMBLE_ARRAYS];
    size_t k = (size_t)e->k, steps = (size_t)e->kern->steps;
    e->sums_size = k * (size_t)e->kstar + 3 * k * k + 2 * k * k * steps; /* the most that over_blocks is asked for */
    e->block = calloc(e->in->n_blocks, sizeof *e->block);
    e->work = calloc((size_t)e->threads, sizeof *e->work);
    ensemble_arrays(e, steps, rows);
    if (!e->block || !e->work || arrays_allocate(rows, ENSEMBLE_ARRAYS))
        return context_out_of_memory(ctx, "the averages over coordinates", arrays_bytes(rows, ENSEMBLE_ARRAYS));
    for (int i = 0; i < e->threads; i++)
        if (!(e->work[i] = memory_doubles(penalty_work(e->pen))))
            return context_out_of_memory(ctx, "the penalty", 8.0 * (double)penalty_work(e->pen));
    return coordinate_step_new(ctx, e->k, e->kstar, e->kern->steps, &e->step);
}

static sgdmft_status allocate_blocks(sgdmft_context *ctx, coordinate_ensemble *e)
{
    int smooth = !e->kern->white_noise || e->kern->discrete;
    sgdmft_status status = SGDMFT_OK;
    e->n_blocks = e->in->n_blocks;
    if (smooth && !(e->flow = calloc(e->n_blocks, sizeof *e->flow)))
        return context_out_of_memory(ctx, "the responses of coordinates", (double)(e->n_blocks * sizeof *e->flow));
    for (size_t b = 0; b < e->n_blocks && !status; b++) {
        status = coordinate_block_new(ctx, e->k, &e->in->block[b], smooth, &e->block[b]);
        if (!status && smooth)
            status = flow_block_new(ctx, e->k, e->kern->steps, e->in->block[b].n, &e->flow[b]);
    }
    return status;
}

sgdmft_status coordinate_ensemble_new(sgdmft_context *ctx, const penalty *pen, const initial_law *law,
                                      const path_ensemble *in, kernels *kern, int threads, coordinate_ensemble **out)
{
    coordinate_ensemble *e = calloc(1, sizeof *e);
    if (!e)
        return context_out_of_memory(ctx, "the coordinates", sizeof *e);
    *e = (coordinate_ensemble){
        .pen = pen, .law = law, .in = in, .kern = kern, .k = kern->k, .kstar = kern->kstar, .threads = threads};
    sgdmft_status status = allocate(ctx, e);
    if (!status)
        status = allocate_blocks(ctx, e);
    if (status)
        coordinate_ensemble_free(e);
    else
        *out = e;
    return status;
}

void coordinate_ensemble_free(coordinate_ensemble *e)
{
    array_row rows[ENSEMBLE_ARRAYS];
    if (!e)
        return;
    for (size_t b = 0; b < e->n_blocks; b++)
        coordinate_block_clear(&e->block[b]);
    for (size_t b = 0; e->flow && b < e->n_blocks; b++)
        flow_block_clear(&e->flow[b]);
    for (int i = 0; e->work && i < e->threads; i++)
        free(e->work[i]);
    ensemble_arrays(e, 0, rows);
    arrays_free(rows, ENSEMBLE_ARRAYS);
    coordinate_step_clear(&e->step);
    free(e->block);
    free(e->flow);
    free(e->work);
    free(e);
}

void coordinate_ensemble_keep(coordinate_ensemble *e, coordinate_record *record)
{
    e->record = record;
}

/* A function of one block, which adds to `sums`. */
typedef void block_function(const coordinate_ensemble *e, size_t b, double *work, double *sums);

/* Calls `function` for all blocks and leaves the means over coordinates of its sums in e->mean[0 .. size - 1]. */
static void over_blocks(coordinate_ensemble *e, size_t size, block_function *function)
{
#pragma omp parallel for schedule(static, 1) num_threads(e->threads) if (e->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        double *sums = e->sums + (size_t)part * e->sums_size;
        memset(sums, 0, sizeof(double) * size);
        for (size_t b = (size_t)part; b < e->n_blocks; b += PARTS)
            function(e, b, e->work[omp_get_thread_num()], sums);
    }
    memset(e->mean, 0, sizeof(double) * size);
    for (int part = 0; part < PARTS; part++)
        for (size_t x = 0; x < size; x++)
            e->mean[x] += e->sums[(size_t)part * e->sums_size + x] / (double)e->in->paths;
}

/* out[k][k*] = x rho^{-1}: the regression on theta* of something with E[. theta*^T] = x. */
static void regress_on_teacher(const coordinate_ensemble *e, const double *x, double *out)
{
    int k = e->k, kstar = e->kstar;
    memset(out, 0, sizeof *out * (size_t)(k * kstar));
    matrix_accumulate(k, kstar, kstar, 1, x, e->kern->rho_inverse, out);
}

/* The coefficients of X on theta* and u, from averages over samples. */
static void set_drift_of_start(coordinate_ensemble *e, const averages_layout *at, const double *averages)
{
    const double *mu = averages + at->mu;
    regress_on_teacher(e, mu, e->step.drift_teacher);
    kernels_from_start(e->kern, mu, averages + at->gw0, e->step.drift_start);
}

static void start_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block *block = &e->block[b];
    const path_inputs *in = block->in;
    int k = e->k, kstar = e->kstar;
    memcpy(block->theta, in->z0, sizeof(double) * (size_t)k * in->n);
    lanes_combine(k, kstar, (size_t)kstar, in->n, e->law->a, in->wstar, block->theta);
    coordinate_block_start(block, &e->step, e->pen, work);
    lanes_outer(k, k, in->n, block->slope, block->theta, sums);
    if (e->flow)
        flow_block_start(&e->flow[b], block, e->rows.gamma, e->pen, work);
}

void coordinate_ensemble_start(coordinate_ensemble *e, const averages_layout *at, const double *first)
{
    size_t kk = (size_t)(e->k * e->k);
    set_drift_of_start(e, at, first);
    if (e->flow) { /* X depends on theta(0) as on any other theta(t_j) */
        memcpy(e->rows.gamma, first + at->gamma, sizeof(double) * kk);
        memcpy(e->step.drift_start, first + at->gamma, sizeof(double) * kk);
    }
    over_blocks(e, kk, start_block);
    memcpy(e->kern->sampled->decay, e->mean, sizeof(double) * kk);
    memcpy(e->kern->sampled->decay + kk, e->mean, sizeof(double) * kk);
    if (e->record)
        coordinate_record_node(e->record, 0, &e->step, e->n_blocks, e->block);
}

/* If X depends on theta itself: the rows of flow.h at node i + 1 and the coefficients on theta* that remain. */
static void set_memory_of_path(coordinate_ensemble *e, int i, const averages_layout *at, const double *next)
{
    int k = e->k, kstar = e->kstar;
    size_t kk = (size_t)(k * k);
    double explained[MATRIX_MAX * MATRIX_MAX] = {0}; /* E[(X - drift_teacher theta*) theta*^T] */
    memcpy(e->rows.gamma, next + at->gamma, sizeof(double) * kk);
    for (int c = 0; c <= i; c++)
        for (size_t x = 0; x < kk; x++) {
            double right_before = c > 0 ? averages_row(at, next, c - 1, RESPONSE_RIGHT)[x] : 0;
            e->rows.row[(size_t)c * kk + x] = averages_row(at, next, c, RESPONSE_LEFT)[x] + right_before;
            e->rows.half[(size_t)c * kk + x] = right_before;
        }
    for (size_t x = 0; x < kk; x++)
        e->step.memory_end[x] = e->rows.gamma[x] + averages_row(at, next, i, RESPONSE_RIGHT)[x];
    for (int c = 0; c <= i + 1; c++)
        matrix_accumulate(k, k, kstar, 1, c <= i ? e->rows.row + (size_t)c * kk : e->step.memory_end,
                          e->kern->m + c * k * kstar, explained);
    matrix_accumulate(k, kstar, kstar, -1, explained, e->kern->rho_inverse, e->step.drift_teacher);
    memset(e->step.drift_start, 0, sizeof(double) * kk);
    coordinate_row_from_blocks(k, i + 1, e->rows.row, kk, e->step.memory_kernel);
}

/* The coefficients that do not change with the rounds. */
static void set_step(coordinate_ensemble *e, int i, const averages_layout *at, const double *next)
{
    const kernels *kern = e->kern;
    const time_grid *grid = kern->grid;
    size_t kk = (size_t)(e->k * e->k);
    coordinate_step_set_cell(&e->step, i, grid->h[i], kern->delta, grid->eta_start[i], grid->eta_end[i]);
    coordinate_row_from_blocks(e->k, i + 1, kernels_L(kern, i, 0), kk, e->step.L);
    set_drift_of_start(e, at, next);
    if (e->flow)
        set_memory_of_path(e, i, at, next);
    else
        coordinate_row_from_blocks(e->k, i + 1, averages_row(at, next, 0, INNOVATION), at->kinds * kk,
                                   e->step.memory_kernel);
}

static void prepare_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_prepare(&e->block[b], &e->step);
}

/* Second moments of theta at the new node with theta*, u, itself and zeta, one after the other in e->mean. */
typedef struct moments {
    const double *teacher, *start, *self, *zeta; /* [k][k*], [k][k], [k][k], [k][i k] */
    size_t size;
} moments;

static moments moments_of(const coordinate_ensemble *e)
{
    size_t k = (size_t)e->k;
    const double *start = e->mean + k * (size_t)e->kstar, *self = start + k * k, *zeta = self + k * k;
    return (moments){e->mean, start, self, zeta, (size_t)(zeta - e->mean) + k * k * (size_t)e->step.cell};
}

static void add_moments(const coordinate_ensemble *e, const coordinate_block *block, double *sums)
{
    const path_inputs *in = block->in;
    const double *theta = block->theta_next;
    int k = e->k, kstar = e->kstar;
    lanes_outer(k, kstar, in->n, theta, in->wstar, sums);
    lanes_outer(k, k, in->n, theta, in->z0, sums += k * kstar);
    lanes_outer(k, k, in->n, theta, theta, sums += k * k);
    lanes_outer(k, k * e->step.cell, in->n, theta, block->zeta, sums += k * k);
}

static void move_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_move(&e->block[b], &e->step, e->pen, work);
    add_moments(e, &e->block[b], sums);
}

static void step_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_step(&e->block[b], &e->step, e->pen, work);
    add_moments(e, &e->block[b], sums);
}

static void find_zeta_of_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_find_zeta(&e->block[b], &e->step);
}

static void update_drift_of_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_update_drift(&e->block[b], &e->step);
}

/* rest[k][k] -= x[k][columns] y[k][columns]^T, term by term: every term that is explained makes the rest smaller, and
   with it the rounding errors of the next one. */
static void subtract_explained(int k, int columns, const double *x, const double *y, double *rest)
{
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            for (int c = 0; c < columns; c++)
                rest[a * k + b] -= x[a * columns + c] * y[b * columns + c];
}

/* The regressions of theta at the new node, and the root of the variance that they leave, V_{i+1,i}. -1 if that is not
   finite. */
static int regress(coordinate_ensemble *e, double *root)
{
    coordinate_step *step = &e->step;
    moments m = moments_of(e);
    int k = e->k, kstar = e->kstar, before = k * step->cell;
    double rest[MATRIX_MAX * MATRIX_MAX], scaled[MATRIX_MAX * MATRIX_MAX] = {0};
    regress_on_teacher(e, m.teacher, step->onto_teacher);
    memset(step->onto_start, 0, sizeof(double) * (size_t)(k * k));
    matrix_add_product(k, 1, m.start, e->kern->start_inverse, step->onto_start);
    memcpy(step->V, m.zeta, sizeof(double) * (size_t)(k * before));
    memcpy(rest, m.self, sizeof(double) * (size_t)(k * k));
    subtract_explained(k, kstar, step->onto_teacher, m.teacher, rest);
    matrix_add_product(k, 1, step->onto_start, e->law->b, scaled);
    subtract_explained(k, k, scaled, scaled, rest);
    subtract_explained(k, before, step->V, step->V, rest);
    double floor = e->flow ? SMOOTH_FLOOR * (m.self[0] + m.self[k * k - 1]) / 2 : 0;
    return matrix_psd_root_above(k, rest, floor, root, step->V_inverse);
}

/* Puts a new value in its place and returns how much it has changed relative to its size. */
static double replace(double *place, double value)
{
    double change = relative_change(*place, value, fabs(value));
    *place = value;
    return change;
}

/* The regressions of theta as rows of the kernels at node i + 1. Returns their largest change, or NaN. */
static double set_rows(coordinate_ensemble *e)
{
    kernels *kern = e->kern;
    const coordinate_step *step = &e->step;
    int k = e->k, kstar = e->kstar, before = k * step->cell, node = step->cell + 1;
    double root[MATRIX_MAX * MATRIX_MAX], change = 0;
    if (regress(e, root))
        return NAN;
    for (int a = 0; a < k; a++) {
        double *V = kernels_V(kern, node, a);
        for (int c = 0; c < before + k; c++) {
            double value = c < before ? step->V[a * before + c] : root[a * k + c - before];
            if (!isfinite(value))
                return NAN;
            change = fmax(change, replace(&V[c], value));
        }
    }
    memcpy(kern->sampled->V_inverse + step->cell * k * k, step->V_inverse, sizeof(double) * (size_t)(k * k));
    memcpy(kern->sampled->onto_start + node * k * k, step->onto_start, sizeof(double) * (size_t)(k * k));
    double *m = kern->m + node * k * kstar, *F = kern->F + node * k * kstar;
    for (int c = 0; c < k * kstar; c++)
        change = fmax(change, replace(&m[c], moments_of(e).teacher[c]));
    memcpy(F, step->onto_teacher, sizeof(double) * (size_t)(k * kstar));
    matrix_accumulate(k, k, kstar, -1, step->onto_start, e->law->a, F);
    return change;
}

/* Second moments of the new penalty', one after the other in the sums: with theta, with theta(0), then those of theta
   with itself, and of penalty' and theta with the xi so far. */
static void slopes_of_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block *block = &e->block[b];
    const path_inputs *in = block->in;
    int k = e->k, columns = k * (e->step.cell + 1);
    size_t n = in->n;
    double *start = block->theta_known; /* its content is not needed any more */
    memcpy(start, in->z0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, e->kstar, (size_t)e->kstar, n, e->law->a, in->wstar, start);
    lanes_outer(k, k, n, block->slope_next, block->theta_next, sums);
    lanes_outer(k, k, n, block->slope_next, start, sums + k * k);
    lanes_outer(k, k, n, block->theta_next, block->theta_next, sums + 2 * k * k);
    lanes_outer(k, columns, n, block->slope_next, in->xi, sums + 3 * k * k);
    lanes_outer(k, columns, n, block->theta_next, in->xi, sums + 3 * k * k + k * columns);
}

/* E[penalty' theta^T] E[theta theta^T]^{-1}, or 0 if there is no such matrix. */
static void nearest_ridge(int k, const double *slope_theta, const double *theta_theta, double *ridge)
{
    double root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], full[MATRIX_MAX * MATRIX_MAX] = {0};
    memset(ridge, 0, sizeof(double) * (size_t)(k * k));
    if (matrix_psd_root(k, theta_theta, root, inverse))
        return;
    matrix_add_product(k, 1, inverse, inverse, full);
    matrix_add_product(k, 1, slope_theta, full, ridge);
}

/* The ridge nearest to the penalty, and the correlation of the rest of penalty' with the xi, for the response. */
static void set_slopes(coordinate_ensemble *e)
{
    size_t k = (size_t)e->k, kk = k * k, node = (size_t)e->step.cell + 1, columns = k * node;
    over_blocks(e, 3 * kk + 2 * k * columns, slopes_of_block);
    memcpy(e->kern->sampled->decay + 2 * node * kk, e->mean, sizeof(double) * 2 * kk);
    double *ridge = e->kern->sampled->ridge + node * kk;
    nearest_ridge(e->k, e->mean, e->mean + 2 * kk, ridge);
    const double *slope = e->mean + 3 * kk, *theta = slope + k * columns;
    for (size_t a = 0; a < k; a++)
        for (size_t c = 0; c < columns; c++) {
            double rest = slope[a * columns + c];
            for (size_t l = 0; l < k; l++)
                rest -= ridge[a * k + l] * theta[l * columns + c];
            e->slopes[c / k * kk + a * k + c % k] = rest;
        }
}

static void responses_of_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    flow_block_advance(&e->flow[b], &e->block[b], &e->step, &e->rows, e->pen, work, sums);
}

static void step_responses_of_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    flow_block_step(&e->flow[b], &e->block[b], &e->step, e->pen, work, sums);
}

/* Row i + 1 of R as the mean of derivatives along paths, which `advance` finds. Returns its largest change, or NaN. */
static double mean_response(coordinate_ensemble *e, int i, block_function *advance)
{
    size_t kk = (size_t)(e->k * e->k);
    double change = 0;
    over_blocks(e, kk * (size_t)(i + 1), advance);
    for (size_t x = 0; x < kk; x++)
        for (int j = 0; j <= i; j++) {
            double value = e->mean[(size_t)j * kk + x];
            if (!isfinite(value))
                return NAN;
            change = fmax(change, replace(kernels_R(e->kern, (int)x, i + 1) + j, value));
        }
    return change;
}

double coordinate_ensemble_advance(coordinate_ensemble *e, int i, const averages_layout *at, const double *now,
                                   const double *next)
{
    double innovation = innovations_row(e->kern, i, at, now, next), rows = 0;
    set_step(e, i, at, next);
    over_blocks(e, 0, prepare_block);
    for (int round = 0; round < ROUNDS; round++) {
        over_blocks(e, moments_of(e).size, move_block);
        double change = set_rows(e);
        if (isnan(change))
            return NAN;
        rows = fmax(rows, change);
        over_blocks(e, 0, update_drift_of_block);
    }
    set_slopes(e);
    double response =
        e->flow ? mean_response(e, i, responses_of_block) : response_sampled_advance(e->kern, i, at, next, e->slopes);
    if (isnan(innovation) || isnan(response))
        return NAN;
    return fmax(innovation, fmax(rows, response));
}

double coordinate_ensemble_step(coordinate_ensemble *e, int i, const averages_layout *at, const double *now)
{
    const kernels *kern = e->kern;
    double innovation = innovations_row(e->kern, i, at, now, now), eta = kern->grid->eta_start[i];
    coordinate_step_set_cell(&e->step, i, kern->grid->h[i], kern->delta, eta, eta);
    e->step.beta = kern->filter.beta;
    e->step.gain = kern->filter.gain;
    coordinate_row_from_blocks(e->k, i + 1, kernels_L(kern, i, 0), (size_t)(e->k * e->k), e->step.L);
    over_blocks(e, moments_of(e).size, step_block);
    double rows = set_rows(e);
    over_blocks(e, 0, find_zeta_of_block);
    return larger_change(innovation, larger_change(rows, mean_response(e, i, step_responses_of_block)));
}

static void close_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_close(&e->block[b], &e->step);
    flow_block_close(&e->flow[b], &e->block[b], &e->step, &e->rows);
}

void coordinate_ensemble_close(coordinate_ensemble *e, int node, const averages_layout *at, const double *averages)
{
    set_drift_of_start(e, at, averages);
    set_memory_of_path(e, node - 1, at, averages);
    over_blocks(e, 0, close_block);
    at->response->renew(e->kern, node, at, averages);
}

void coordinate_ensemble_accept(coordinate_ensemble *e)
{
    int node = e->step.cell + 1;
    for (size_t b = 0; b < e->n_blocks; b++)
        coordinate_block_accept(&e->block[b], node);
    for (size_t b = 0; e->flow && b < e->n_blocks; b++)
        flow_block_accept(&e->flow[b]);
    if (e->record)
        coordinate_record_node(e->record, node, &e->step, e->n_blocks, e->block);
}

static void renew_block(const coordinate_ensemble *e, size_t b, double *work, double *sums)
{
    coordinate_block_renew(&e->block[b], &e->step);
}

void coordinate_ensemble_renew(coordinate_ensemble *e, int i, const averages_layout *at, const double *after)
{
    size_t kk = (size_t)(e->k * e->k);
    set_drift_of_start(e, at, after);
    coordinate_row_from_blocks(e->k, i, averages_row(at, after, 0, INNOVATION), at->kinds * kk, e->step.memory_kernel);
    over_blocks(e, 0, renew_block);
    response_sampled_renew(e->kern, i, at, after);
    if (e->record)
        coordinate_record_renewal(e->record, i, &e->step);
}
