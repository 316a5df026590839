#include "coordinates/ensemble.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "coordinates/block.h"
#include "coordinates/flow.h"
#include "paths/lanes.h"
#include "core/matrix.h"
#include "kernels/innovations.h"
#include "kernels/response_sampled.h"

/* Sums over blocks are made in this many parts, always of the same blocks, then joined in order. */
enum { PARTS = 8 };

/* Rounds of move and answer in an advance; the passes around it do the rest. */
enum { ROUNDS = 2 };

/* What a smooth process leaves of its variance below this part is rounding, not a direction of its own. */
static const double FLOW_FLOOR = 1e-7;

struct coordinate_ensemble {
    const penalty *pen;
    const initial_law *law;
    const path_ensemble *in;
    kernels *kern;
    int k, kstar, threads;
    size_t n_blocks;
    coordinate_block *block;
    flow_block *flow; /* NULL if the field has white noise */
    flow_step rows;
    coordinate_step step;
    double *coefficients; /* what `step` points to */
    double **work;        /* [threads] of the penalty */
    size_t sums_size;
    double *sums;   /* [PARTS][sums_size] */
    double *mean;   /* [sums_size] */
    double *slopes; /* [N][k][k] E[(penalty' - ridge theta) xi_c^T] */
    coordinate_record *record; /* not owned; NULL if nothing is to be kept */
};

double coordinate_ensemble_bytes(int k, int kstar, int steps, int singular, double paths)
{
    return 8.0 * paths * (kstar + k * (2.0 * steps + 9)) + (singular ? 0 : flow_block_bytes(k, steps, paths));
}

static sgdmft_status allocate_step(sgdmft_context *ctx, coordinate_ensemble *par)
{
    size_t k = (size_t)par->k, kstar = (size_t)par->kstar, n = (size_t)par->kern->steps, row = k * k * n;
    par->coefficients = memory_doubles(5 * row + 2 * k * kstar + 5 * k * k);
    par->sums_size = k * kstar + 3 * k * k + 2 * row; /* the most that one visit of all blocks adds up */
    par->sums = memory_doubles(PARTS * par->sums_size);
    par->mean = memory_doubles(par->sums_size);
    par->slopes = memory_doubles(row);
    if (!par->coefficients || !par->sums || !par->mean || !par->slopes)
        return context_out_of_memory(ctx, "the averages over coordinates", 8.0 * (double)(PARTS * par->sums_size));
    double *next = par->coefficients;
    par->step = (coordinate_step){.k = par->k, .kstar = par->kstar, .noise_scale = -sqrt(par->kern->delta)};
    double **const parts[] = {&par->step.noise, &par->step.memory_kernel, &par->step.V,     &par->step.teacher,
                              &par->step.M,     &par->step.start,  &par->step.N,     &par->step.inverse,
                              &par->rows.row,   &par->rows.half,   &par->rows.gamma, &par->rows.own};
    const size_t sizes[] = {row, row, row, k * kstar, k * kstar, k * k, k * k, k * k, row, row, k * k, k * k};
    for (size_t p = 0; p < sizeof sizes / sizeof *sizes; next += sizes[p], p++)
        *parts[p] = next;
    par->step.own = par->rows.own;
    return SGDMFT_OK;
}

static sgdmft_status allocate_flow(sgdmft_context *ctx, coordinate_ensemble *par)
{
    sgdmft_status status = SGDMFT_OK;
    par->flow = calloc(par->n_blocks, sizeof *par->flow);
    if (!par->flow)
        return context_out_of_memory(ctx, "the responses of coordinates", sizeof *par->flow);
    for (size_t b = 0; b < par->n_blocks && !status; b++)
        status = flow_block_new(ctx, par->k, par->kern->steps, par->in->block[b].n, &par->flow[b]);
    return status;
}

sgdmft_status coordinate_ensemble_new(sgdmft_context *ctx, const penalty *pen, const initial_law *law, const path_ensemble *in,
                             kernels *kern, int threads, coordinate_ensemble **out)
{
    coordinate_ensemble *par = calloc(1, sizeof *par);
    if (!par)
        return context_out_of_memory(ctx, "the coordinates", sizeof *par);
    par->pen = pen;
    par->law = law;
    par->in = in;
    par->kern = kern;
    par->k = kern->k;
    par->kstar = kern->kstar;
    par->threads = threads;
    par->block = calloc(in->n_blocks, sizeof *par->block);
    par->work = calloc((size_t)threads, sizeof *par->work);
    sgdmft_status status = par->block && par->work ? allocate_step(ctx, par)
                                                   : context_out_of_memory(ctx, "the coordinates", 8.0 * threads);
    for (int i = 0; i < threads && !status; i++)
        if (!(par->work[i] = memory_doubles(penalty_work(pen))))
            status = context_out_of_memory(ctx, "the penalty", 8.0 * (double)penalty_work(pen));
    for (; par->block && par->n_blocks < in->n_blocks && !status; par->n_blocks++)
        status =
            coordinate_block_new(ctx, par->k, &in->block[par->n_blocks], !kern->white_noise, &par->block[par->n_blocks]);
    if (!status && !kern->white_noise)
        status = allocate_flow(ctx, par);
    if (status)
        coordinate_ensemble_free(par);
    else
        *out = par;
    return status;
}

void coordinate_ensemble_free(coordinate_ensemble *par)
{
    if (!par)
        return;
    for (size_t b = 0; b < par->n_blocks; b++)
        coordinate_block_clear(&par->block[b]);
    for (size_t b = 0; par->flow && b < par->n_blocks; b++)
        flow_block_clear(&par->flow[b]);
    free(par->flow);
    for (int i = 0; par->work && i < par->threads; i++)
        free(par->work[i]);
    free(par->block);
    free(par->work);
    free(par->coefficients);
    free(par->sums);
    free(par->mean);
    free(par->slopes);
    free(par);
}

/* Runs `visit` over all blocks and leaves the mean of what it adds to its sums in par->mean[0 .. size - 1]. */
static void over_blocks(coordinate_ensemble *par, size_t size,
                        void (*visit)(const coordinate_ensemble *, coordinate_block *, double *, double *))
{
#pragma omp parallel for schedule(static, 1) num_threads(par->threads) if (par->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        double *sums = par->sums + (size_t)part * par->sums_size;
        memset(sums, 0, sizeof(double) * size);
        for (size_t b = (size_t)part; b < par->n_blocks; b += PARTS)
            visit(par, &par->block[b], par->work[omp_get_thread_num()], sums);
    }
    memset(par->mean, 0, sizeof(double) * size);
    for (int part = 0; part < PARTS; part++)
        for (size_t x = 0; x < size; x++)
            par->mean[x] += par->sums[(size_t)part * par->sums_size + x] / (double)par->in->paths;
}

/* X at a node from averages over samples there: on theta* and u. */
static void answer_to_fields(const coordinate_ensemble *par, const averages_layout *at, const double *averages)
{
    int k = par->k, kstar = par->kstar;
    double own[MATRIX_MAX * MATRIX_MAX];
    memset(par->step.teacher, 0, sizeof(double) * (size_t)(k * kstar));
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            for (int c = 0; c < kstar; c++)
                par->step.teacher[a * kstar + b] +=
                    averages[at->mu + (size_t)(a * kstar + c)] * par->kern->rho_inverse[c * kstar + b];
    /* E[g (w(0) - A w*)^T] */
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            own[a * k + b] = averages[at->gw0 + (size_t)(a * k + b)];
            for (int c = 0; c < kstar; c++)
                own[a * k + b] -= averages[at->mu + (size_t)(a * kstar + c)] * par->law->a[b * kstar + c];
        }
    memset(par->step.start, 0, sizeof(double) * (size_t)(k * k));
    matrix_add_product(k, 1, own, par->kern->start_inverse, par->step.start);
}

static flow_block *flow_of(const coordinate_ensemble *par, const coordinate_block *block)
{
    return &par->flow[block - par->block];
}

static void visit_start(const coordinate_ensemble *par, coordinate_block *block, double *work, double *sums)
{
    const path_inputs *in = block->in;
    int k = par->k, kstar = par->kstar;
    size_t n = in->n, bytes = sizeof(double) * (size_t)k * n;
    memcpy(block->theta, in->z0, bytes);
    lanes_combine(k, kstar, (size_t)kstar, n, par->law->a, in->wstar, block->theta);
    penalty_gradient(par->pen, work, n, n, block->theta, block->slope);
    memset(block->X, 0, bytes);
    lanes_combine(k, kstar, (size_t)kstar, n, par->step.teacher, in->wstar, block->X);
    lanes_combine(k, k, (size_t)k, n, par->step.start, in->z0, block->X);
    memcpy(block->X_next, block->X, bytes);
    memcpy(block->slope_next, block->slope, bytes);
    memcpy(block->theta_next, block->theta, bytes);
    lanes_outer(k, k, n, block->slope, block->theta, sums);
    coordinate_block_keep(block, 0);
    if (par->flow)
        flow_block_start(flow_of(par, block), block, par->rows.gamma, par->pen, work);
}

void coordinate_ensemble_start(coordinate_ensemble *par, const averages_layout *at, const double *first)
{
    size_t kk = (size_t)(par->k * par->k);
    answer_to_fields(par, at, first);
    if (par->flow) { /* u is answered like any kick */
        memcpy(par->rows.gamma, first + at->gamma, sizeof(double) * kk);
        memcpy(par->step.start, first + at->gamma, sizeof(double) * kk);
    }
    over_blocks(par, kk, visit_start);
    memcpy(par->kern->sampled->decay, par->mean, sizeof(double) * kk);
    memcpy(par->kern->sampled->decay + kk, par->mean, sizeof(double) * kk);
    if (par->record)
        coordinate_record_node(par->record, 0, &par->step, par->n_blocks, par->block);
}

/* Rows of flow.h at node i + 1, and with them X on theta itself: the field's own part is in the past. */
static void answer_to_past(coordinate_ensemble *par, int i, const averages_layout *at, const double *next)
{
    int k = par->k, kstar = par->kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * kstar);
    double explained[MATRIX_MAX * MATRIX_MAX] = {0};
    memcpy(par->rows.gamma, next + at->gamma, sizeof(double) * kk);
    for (int c = 0; c <= i; c++)
        for (size_t x = 0; x < kk; x++) {
            double right_before = c > 0 ? averages_row(at, next, c - 1, RESPONSE_RIGHT)[x] : 0;
            par->rows.row[(size_t)c * kk + x] = averages_row(at, next, c, RESPONSE_LEFT)[x] + right_before;
            par->rows.half[(size_t)c * kk + x] = right_before;
        }
    for (size_t x = 0; x < kk; x++)
        par->rows.own[x] = par->rows.gamma[x] + averages_row(at, next, i, RESPONSE_RIGHT)[x];
    for (int c = 0; c <= i + 1; c++) {
        const double *row = c <= i ? par->rows.row + (size_t)c * kk : par->rows.own;
        const double *m = par->kern->m + (size_t)c * overlap;
        for (int a = 0; a < k; a++)
            for (int b = 0; b < kstar; b++)
                for (int l = 0; l < k; l++)
                    explained[a * kstar + b] += row[a * k + l] * m[l * kstar + b];
    }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            for (int c = 0; c < kstar; c++)
                par->step.teacher[a * kstar + b] -= explained[a * kstar + c] * par->kern->rho_inverse[c * kstar + b];
    memset(par->step.start, 0, sizeof(double) * kk);
}

/* The coefficients that do not change in the rounds. */
static void set_step(coordinate_ensemble *par, int i, const averages_layout *at, const double *next)
{
    const kernels *kern = par->kern;
    coordinate_step *step = &par->step;
    size_t k = (size_t)par->k, columns = k * (size_t)(i + 1);
    step->i = i;
    step->half = 0.5 * kern->grid->h[i];
    step->now = kern->delta * kern->grid->eta_start[i];
    step->then = kern->delta * kern->grid->eta_end[i];
    answer_to_fields(par, at, next);
    if (par->flow)
        answer_to_past(par, i, at, next);
    for (size_t j = 0; j <= (size_t)i; j++) {
        const double *L = kernels_L(kern, i, (int)j);
        const double *answer = par->flow ? par->rows.row + j * k * k : averages_row(at, next, (int)j, INNOVATION);
        for (size_t a = 0; a < k; a++)
            for (size_t b = 0; b < k; b++) {
                step->noise[a * columns + j * k + b] = L[a * k + b];
                step->memory_kernel[a * columns + j * k + b] = answer[a * k + b];
            }
    }
}

static void visit_prepare(const coordinate_ensemble *par, coordinate_block *block, double *work, double *sums)
{
    coordinate_block_prepare(block, &par->step);
}

/* theta at the new node, and its second moments with theta*, u, zeta, itself. */
static void visit_move(const coordinate_ensemble *par, coordinate_block *block, double *work, double *sums)
{
    const path_inputs *in = block->in;
    int k = par->k, kstar = par->kstar, i = par->step.i;
    const double *theta = block->theta_next;
    coordinate_block_move(block, &par->step, par->pen, work);
    lanes_outer(k, kstar, in->n, theta, in->wstar, sums);
    lanes_outer(k, k, in->n, theta, in->z0, sums + k * kstar);
    lanes_outer(k, k, in->n, theta, theta, sums + k * kstar + k * k);
    lanes_outer(k, k * i, in->n, theta, block->zeta, sums + k * kstar + 2 * k * k);
}

static void visit_answer(const coordinate_ensemble *par, coordinate_block *block, double *work, double *sums)
{
    coordinate_block_remember(block, &par->step);
}

/* Adds -x x^T, x[k][columns]. */
static void remove_square(int k, int columns, const double *x, double *rest)
{
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            for (int c = 0; c < columns; c++)
                rest[a * k + b] -= x[a * columns + c] * x[b * columns + c];
}

/* M, N and V of node i + 1 from the moments in par->mean, into the step and the kernels. */
static double set_rows(coordinate_ensemble *par)
{
    kernels *kern = par->kern;
    coordinate_step *step = &par->step;
    int k = par->k, kstar = par->kstar, i = step->i;
    const double *m = par->mean, *mu = m + k * kstar, *square = mu + k * k, *mzeta = square + k * k;
    double rest[MATRIX_MAX * MATRIX_MAX], root[MATRIX_MAX * MATRIX_MAX], scaled[MATRIX_MAX * MATRIX_MAX] = {0};
    memset(step->M, 0, sizeof(double) * (size_t)(k * kstar));
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            for (int c = 0; c < kstar; c++)
                step->M[a * kstar + b] += m[a * kstar + c] * kern->rho_inverse[c * kstar + b];
    memset(step->N, 0, sizeof(double) * (size_t)(k * k));
    matrix_add_product(k, 1, mu, kern->start_inverse, step->N);
    memcpy(step->V, mzeta, sizeof(double) * (size_t)(k * k * i));
    memcpy(rest, square, sizeof(double) * (size_t)(k * k));
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            for (int c = 0; c < kstar; c++)
                rest[a * k + b] -= step->M[a * kstar + c] * m[b * kstar + c];
    matrix_add_product(k, 1, step->N, par->law->b, scaled);
    remove_square(k, k, scaled, rest);
    remove_square(k, k * i, step->V, rest);
    double floor = par->flow ? FLOW_FLOOR * (square[0] + square[k * k - 1]) / 2 : 0;
    if (matrix_psd_root_above(k, rest, floor, root, step->inverse))
        return NAN;
    double change = 0;
    for (int a = 0; a < k; a++) {
        double *V = kernels_V(kern, i + 1, a);
        for (int c = 0; c < k * (i + 1); c++) {
            double value = c < k * i ? step->V[a * k * i + c] : root[a * k + c - k * i];
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(V[c], value, fabs(value)));
            V[c] = value;
        }
    }
    memcpy(kern->sampled->V_inverse + (size_t)i * (size_t)(k * k), step->inverse, sizeof(double) * (size_t)(k * k));
    memcpy(kern->sampled->onto_start + (size_t)(i + 1) * (size_t)(k * k), step->N, sizeof(double) * (size_t)(k * k));
    double *overlap = kern->m + (size_t)(i + 1) * (size_t)(k * kstar),
           *F = kern->F + (size_t)(i + 1) * (size_t)(k * kstar);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            int c = a * kstar + b;
            change = fmax(change, relative_change(overlap[c], m[c], fabs(m[c])));
            overlap[c] = m[c];
            F[c] = step->M[c];
            for (int l = 0; l < k; l++)
                F[c] -= step->N[a * k + l] * par->law->a[l * kstar + b];
        }
    return change;
}

static void visit_slopes(const coordinate_ensemble *par, coordinate_block *block, double *work, double *sums)
{
    const path_inputs *in = block->in;
    int k = par->k, i = par->step.i;
    size_t n = in->n;
    lanes_outer(k, k, n, block->slope_next, block->theta_next, sums);
    /* theta(0) = A theta* + u, in base, which the next pass makes anew */
    memcpy(block->base, in->z0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, par->kstar, (size_t)par->kstar, n, par->law->a, in->wstar, block->base);
    lanes_outer(k, k, n, block->slope_next, block->base, sums + k * k);
    lanes_outer(k, k, n, block->theta_next, block->theta_next, sums + 2 * k * k);
    lanes_outer(k, k * (i + 1), n, block->slope_next, in->xi, sums + 3 * k * k);
    lanes_outer(k, k * (i + 1), n, block->theta_next, in->xi, sums + 3 * k * k + k * k * (i + 1));
}

/* E[penalty' theta^T] E[theta theta^T]^{-1}: the ridge nearest to the penalty. */
static void nearest_ridge(const coordinate_ensemble *par, double *ridge)
{
    int k = par->k;
    double root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], full[MATRIX_MAX * MATRIX_MAX] = {0};
    memset(ridge, 0, sizeof(double) * (size_t)(k * k));
    if (matrix_psd_root(k, par->mean + 2 * k * k, root, inverse))
        return;
    matrix_add_product(k, 1, inverse, inverse, full);
    matrix_add_product(k, 1, par->mean, full, ridge);
}

static void set_slopes(coordinate_ensemble *par)
{
    size_t k = (size_t)par->k, kk = k * k, columns = k * (size_t)(par->step.i + 1), node = (size_t)par->step.i + 1;
    over_blocks(par, 3 * kk + 2 * k * columns, visit_slopes);
    memcpy(par->kern->sampled->decay + 2 * node * kk, par->mean, sizeof(double) * 2 * kk);
    double *ridge = par->kern->sampled->ridge + node * kk;
    nearest_ridge(par, ridge);
    const double *slope = par->mean + 3 * kk, *theta = slope + k * columns;
    for (size_t a = 0; a < k; a++)
        for (size_t c = 0; c < columns; c++) {
            double rest = slope[a * columns + c];
            for (size_t l = 0; l < k; l++)
                rest -= ridge[a * k + l] * theta[l * columns + c];
            par->slopes[c / k * kk + a * k + c % k] = rest;
        }
}

static void visit_flow(const coordinate_ensemble *par, coordinate_block *block, double *work, double *sums)
{
    flow_block_advance(flow_of(par, block), block, &par->step, &par->rows, par->pen, work, sums);
}

/* Row i + 1 of R as the mean of pathwise derivatives. */
static double response_of_flow(coordinate_ensemble *par, int i)
{
    size_t kk = (size_t)(par->k * par->k);
    over_blocks(par, kk * (size_t)(i + 1), visit_flow);
    double change = 0;
    for (size_t x = 0; x < kk; x++)
        for (int j = 0; j <= i; j++) {
            double *r = kernels_R(par->kern, (int)x, i + 1) + j, value = par->mean[(size_t)j * kk + x];
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(*r, value, fabs(value)));
            *r = value;
        }
    return change;
}

double coordinate_ensemble_advance(coordinate_ensemble *par, int i, const averages_layout *at, const double *now, const double *next)
{
    kernels *kern = par->kern;
    size_t k = (size_t)par->k, kstar = (size_t)par->kstar;
    double innovation = innovations_row(kern, i, at, now, next), rows = 0;
    set_step(par, i, at, next);
    over_blocks(par, 0, visit_prepare);
    for (int round = 0; round < ROUNDS; round++) {
        over_blocks(par, k * kstar + 2 * k * k + k * k * (size_t)i, visit_move);
        double change = set_rows(par);
        if (isnan(change))
            return NAN;
        rows = fmax(rows, change);
        over_blocks(par, 0, visit_answer);
    }
    set_slopes(par);
    double response = par->flow ? response_of_flow(par, i) : response_sampled_advance(kern, i, at, next, par->slopes);
    if (isnan(innovation) || isnan(response))
        return NAN;
    return fmax(innovation, fmax(rows, response));
}

void coordinate_ensemble_accept(coordinate_ensemble *par)
{
    for (size_t b = 0; b < par->n_blocks; b++)
        coordinate_block_accept(&par->block[b], par->step.i + 1);
    for (size_t b = 0; par->flow && b < par->n_blocks; b++)
        flow_block_accept(&par->flow[b]);
    if (par->record)
        coordinate_record_node(par->record, par->step.i + 1, &par->step, par->n_blocks, par->block);
}

void coordinate_ensemble_keep(coordinate_ensemble *par, coordinate_record *record)
{
    par->record = record;
}
