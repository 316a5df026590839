#include "solvers/online/coordinates.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"

/* Blocks are summed in this many parts, and the parts are added in order, so that results do not depend on the number
   of threads. */
enum { PARTS = 8 };

/* The penalty alone is integrated in at most SUBSTEPS substeps, whose width times its largest curvature is STEEPNESS.
   */
static const double STEEPNESS = 1;
enum { SUBSTEPS = 1000 };

/* Work space of one thread for the lanes of a block. */
typedef struct coordinate_workspace {
    double *penalty;   /* work space of its expressions */
    double *joint;     /* [k + k* + k][n] base, theta*, xi */
    double *drift;     /* [k][n] Gamma theta + Gamma* theta* */
    double *moved;     /* [k][n] theta after an Euler step */
    double *slope;     /* [k][n] gradient of the penalty */
    double *next;      /* [k][n] the same after a step */
    double *curvature; /* [k k][n] Hessian of the penalty */
} coordinate_workspace;

struct online_coordinates {
    const online_plan *plan;
    const path_ensemble *in;
    const time_grid *grid;
    int k, kstar, threads;
    size_t lanes;   /* of the largest block */
    double **theta; /* [n_blocks] [steps + 1][k][n]; between prepare and move the newest node holds base */
    coordinate_workspace *workspace; /* [threads] */
    double *sums;                    /* [PARTS][ONLINE_JOINT_MAX^2] */
};

double online_coordinates_bytes(model_shape shape, int steps, double paths)
{
    return 8.0 * paths * (shape.kstar + shape.k * (2.0 * steps + 2));
}

static sgdmft_status workspace_init(sgdmft_context *ctx, const online_coordinates *c, coordinate_workspace *ws)
{
    size_t k = (size_t)c->k, kstar = (size_t)c->kstar, work = penalty_work(c->plan->penalty);
    ws->penalty = memory_doubles(work);
    size_t rows = (2 * k + kstar) + 4 * k + k * k;
    ws->joint = memory_doubles(rows * c->lanes);
    if (!ws->penalty || !ws->joint)
        return context_out_of_memory(ctx, "the coordinates", 8.0 * (double)(work + rows * c->lanes));
    ws->drift = ws->joint + (2 * k + kstar) * c->lanes;
    ws->moved = ws->drift + k * c->lanes;
    ws->slope = ws->moved + k * c->lanes;
    ws->next = ws->slope + k * c->lanes;
    ws->curvature = ws->next + k * c->lanes;
    return SGDMFT_OK;
}

static sgdmft_status allocate(sgdmft_context *ctx, online_coordinates *c)
{
    size_t nodes = (size_t)c->grid->steps + 1;
    c->theta = calloc(c->in->n_blocks, sizeof *c->theta);
    c->workspace = calloc((size_t)c->threads, sizeof *c->workspace);
    c->sums = memory_doubles(PARTS * ONLINE_JOINT_MAX * ONLINE_JOINT_MAX);
    int failed = !c->theta || !c->workspace || !c->sums;
    for (size_t b = 0; b < c->in->n_blocks && !failed; b++) {
        size_t n = c->in->block[b].n;
        c->lanes = n > c->lanes ? n : c->lanes;
        failed = !(c->theta[b] = memory_doubles(nodes * (size_t)c->k * n));
    }
    if (failed)
        return context_out_of_memory(ctx, "the coordinates", 8.0 * (double)(nodes * (size_t)c->k * c->in->paths));
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < c->threads && !status; i++)
        status = workspace_init(ctx, c, &c->workspace[i]);
    return status;
}

sgdmft_status online_coordinates_new(sgdmft_context *ctx, const online_plan *plan, const path_ensemble *in,
                                     const time_grid *grid, int threads, online_coordinates **out)
{
    online_coordinates *c = calloc(1, sizeof *c);
    if (!c)
        return context_out_of_memory(ctx, "the coordinates", sizeof *c);
    c->plan = plan;
    c->in = in;
    c->grid = grid;
    c->k = plan->shape.k;
    c->kstar = plan->shape.kstar;
    c->threads = threads < PARTS ? threads : PARTS;
    sgdmft_status status = allocate(ctx, c);
    if (status)
        online_coordinates_free(c);
    else
        *out = c;
    return status;
}

void online_coordinates_free(online_coordinates *c)
{
    if (!c)
        return;
    for (size_t b = 0; c->theta && b < c->in->n_blocks; b++)
        free(c->theta[b]);
    for (int i = 0; c->workspace && i < c->threads; i++) {
        free(c->workspace[i].penalty);
        free(c->workspace[i].joint);
    }
    free(c->theta);
    free(c->workspace);
    free(c->sums);
    free(c);
}

static double *theta_at(const online_coordinates *c, size_t block, int node)
{
    return c->theta[block] + (size_t)node * (size_t)c->k * c->in->block[block].n;
}

/* Work on one block at node or in cell i. What is to be averaged is added to the sums of the part. */
typedef void (*block_work)(const online_coordinates *c, size_t block, int i, const void *argument,
                           coordinate_workspace *ws, double *sums);

/* Does the work on all blocks; mean[size] is the mean over coordinates of what the work has added. */
static void over_blocks(const online_coordinates *c, block_work work, int i, const void *argument, size_t size,
                        double *mean)
{
#pragma omp parallel for schedule(static, 1) num_threads(c->threads) if (c->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        double *sums = c->sums + (size_t)part * ONLINE_JOINT_MAX * ONLINE_JOINT_MAX;
        memset(sums, 0, sizeof(double) * size);
        for (size_t b = (size_t)part; b < c->in->n_blocks; b += PARTS)
            work(c, b, i, argument, &c->workspace[omp_get_thread_num()], sums);
    }
    for (size_t x = 0; x < size; x++) {
        mean[x] = 0;
        for (size_t part = 0; part < PARTS; part++)
            mean[x] += c->sums[part * ONLINE_JOINT_MAX * ONLINE_JOINT_MAX + x] / (double)c->in->paths;
    }
}

static void start_block(const online_coordinates *c, size_t block, int i, const void *argument,
                        coordinate_workspace *ws, double *sums)
{
    const path_inputs *in = &c->in->block[block];
    double *theta = theta_at(c, block, 0);
    memcpy(theta, in->z0, sizeof(double) * (size_t)c->k * in->n);
    lanes_combine(c->k, c->kstar, (size_t)c->kstar, in->n, c->plan->start.a, in->wstar, theta);
    lanes_outer(c->k, c->kstar, in->n, theta, in->wstar, sums);
    lanes_outer(c->k, c->k, in->n, theta, theta, sums + c->k * c->kstar);
}

void online_coordinates_start(online_coordinates *c, double *m, double *q)
{
    size_t overlap = (size_t)(c->k * c->kstar), kk = (size_t)(c->k * c->k);
    double mean[2 * MATRIX_MAX * MATRIX_MAX];
    over_blocks(c, start_block, 0, NULL, overlap + kk, mean);
    memcpy(m, mean, sizeof(double) * overlap);
    memcpy(q, mean + overlap, sizeof(double) * kk);
}

static double largest(const double *x, size_t n)
{
    double most = 0;
    for (size_t p = 0; p < n; p++)
        most = fmax(most, fabs(x[p]));
    return most;
}

/* Moves theta[k][n] by the penalty alone for a time, by Heun's rule in steps that follow the curvature. */
static void decay(const online_coordinates *c, coordinate_workspace *ws, size_t n, double time, double *theta)
{
    const penalty *pen = c->plan->penalty;
    size_t width = (size_t)c->k * n;
    double left = time;
    for (int i = 0; i < SUBSTEPS && left > 0; i++) {
        penalty_hessian(pen, ws->penalty, n, n, theta, ws->curvature);
        double steep = largest(ws->curvature, (size_t)c->k * width);
        double h = steep * left > STEEPNESS && i + 1 < SUBSTEPS ? STEEPNESS / steep : left;
        penalty_gradient(pen, ws->penalty, n, n, theta, ws->slope);
        for (size_t p = 0; p < width; p++)
            ws->moved[p] = theta[p] - h * ws->slope[p];
        penalty_gradient(pen, ws->penalty, n, n, ws->moved, ws->next);
        for (size_t p = 0; p < width; p++)
            theta[p] -= 0.5 * h * (ws->slope[p] + ws->next[p]);
        left -= h;
    }
}

static void prepare_block(const online_coordinates *c, size_t block, int i, const void *argument,
                          coordinate_workspace *ws, double *sums)
{
    const online_coefficients *now = argument;
    const path_inputs *in = &c->in->block[block];
    int k = c->k, kstar = c->kstar;
    size_t n = in->n, width = (size_t)k * n, overlap = (size_t)kstar * n;
    double h = c->grid->h[i], noise = sqrt(h) * now->eta, *guess = ws->joint, *drift = ws->drift;
    const double *theta = theta_at(c, block, i), *xi = in->xi + (size_t)i * width;
    double *base = theta_at(c, block, i + 1);
    memcpy(base, theta, sizeof(double) * width);
    decay(c, ws, n, 0.5 * h, base);
    memset(drift, 0, sizeof(double) * width);
    lanes_combine(k, k, (size_t)k, n, now->gamma, theta, drift);
    lanes_combine(k, kstar, (size_t)kstar, n, now->gamma_star, in->wstar, drift);
    memset(guess, 0, sizeof(double) * width);
    lanes_combine(k, k, (size_t)k, n, now->root, xi, guess);
    for (size_t p = 0; p < width; p++) {
        guess[p] = base[p] - h * now->eta * drift[p] + noise * guess[p];
        base[p] -= 0.5 * h * now->eta * drift[p] + guess[p];
    }
    decay(c, ws, n, 0.5 * h, guess);
    for (size_t p = 0; p < width; p++)
        base[p] += guess[p];
    memcpy(ws->joint, base, sizeof(double) * width);
    memcpy(ws->joint + width, in->wstar, sizeof(double) * overlap);
    memcpy(ws->joint + width + overlap, xi, sizeof(double) * width);
    lanes_outer(2 * k + kstar, 2 * k + kstar, n, ws->joint, ws->joint, sums);
}

void online_coordinates_prepare(online_coordinates *c, int i, const online_coefficients *now, double *joint)
{
    size_t n = (size_t)(2 * c->k + c->kstar);
    over_blocks(c, prepare_block, i, now, n * n, joint);
}

static void move_block(const online_coordinates *c, size_t block, int i, const void *argument, coordinate_workspace *ws,
                       double *sums)
{
    const path_inputs *in = &c->in->block[block];
    int k = c->k, kstar = c->kstar, columns = 2 * k + kstar;
    size_t n = in->n, width = (size_t)k * n, overlap = (size_t)kstar * n;
    double *theta = theta_at(c, block, i + 1);
    memcpy(ws->joint, theta, sizeof(double) * width);
    memcpy(ws->joint + width, in->wstar, sizeof(double) * overlap);
    memcpy(ws->joint + width + overlap, in->xi + (size_t)i * width, sizeof(double) * width);
    memset(theta, 0, sizeof(double) * width);
    lanes_combine(k, columns, (size_t)columns, n, argument, ws->joint, theta);
}

void online_coordinates_move(online_coordinates *c, int i, const double *map)
{
    over_blocks(c, move_block, i, map, 0, NULL);
}

/* Work space of one thread for the two-time averages of a block. */
typedef struct pair_work {
    double *penalty;
    double *start, *end; /* [k k][n] penalty'' + eta Gamma at both ends of a cell */
    double *cell;        /* [k k][n] derivative over the cell */
    double *D, *D_next;  /* [nodes][k k][n] derivatives in theta(t_j) */
    double *space;
} pair_work;

static size_t pair_doubles(const online_coordinates *c, int nodes)
{
    return (2 * (size_t)nodes + 3) * (size_t)(c->k * c->k) * c->lanes + penalty_work(c->plan->penalty);
}

static int pair_work_init(const online_coordinates *c, int nodes, pair_work *w)
{
    size_t plane = (size_t)(c->k * c->k) * c->lanes;
    w->space = memory_doubles(pair_doubles(c, nodes));
    if (!w->space)
        return -1;
    w->start = w->space;
    w->end = w->start + plane;
    w->cell = w->end + plane;
    w->D = w->cell + plane;
    w->D_next = w->D + (size_t)nodes * plane;
    w->penalty = w->D_next + (size_t)nodes * plane;
    return 0;
}

static void linearise(const online_coordinates *c, size_t block, int node, double eta, const double *gamma,
                      double *work, double *out)
{
    size_t n = c->in->block[block].n;
    penalty_hessian(c->plan->penalty, work, n, n, theta_at(c, block, node), out);
    for (int a = 0; a < c->k * c->k; a++)
        for (size_t p = 0; p < n; p++)
            out[(size_t)a * n + p] += eta * gamma[a];
}

/* (1 + x + x^2/2)^{-1}, x = h/2 (start + end), of every lane: exp(-x) to second order, and small where x is large. */
static void propagate(int k, size_t n, double h, const double *start, const double *end, double *out)
{
    for (size_t p = 0; p < n; p++) {
        double x[MATRIX_MAX * MATRIX_MAX], left[MATRIX_MAX * MATRIX_MAX], right[MATRIX_MAX * MATRIX_MAX];
        for (int a = 0; a < k * k; a++) {
            right[a] = a % (k + 1) == 0;
            x[a] = 0.5 * h * (start[(size_t)a * n + p] + end[(size_t)a * n + p]);
            left[a] = right[a] + x[a];
        }
        matrix_add_product(k, 0.5, x, x, left);
        int singular = matrix_solve(k, left, (size_t)k, right);
        for (int a = 0; a < k * k; a++)
            out[(size_t)a * n + p] = singular ? NAN : right[a];
    }
}

/* Propagates the derivatives of a block to node i and adds them to row i of R. */
static void add_response(const online_coordinates *c, size_t block, int i, const double *gamma, pair_work *w,
                         double *row)
{
    int k = c->k, kk = k * k;
    size_t n = c->in->block[block].n, plane = (size_t)kk * n;
    if (i > 0) {
        linearise(c, block, i, c->grid->eta_end[i - 1], gamma + i * kk, w->penalty, w->end);
        propagate(k, n, c->grid->h[i - 1], w->start, w->end, w->cell);
        lanes_multiply_each(k, n, i, w->cell, w->D, w->D_next);
        double *keep = w->D;
        w->D = w->D_next;
        w->D_next = keep;
    }
    for (int a = 0; a < kk; a++)
        for (size_t p = 0; p < n; p++)
            w->D[(size_t)i * plane + (size_t)a * n + p] = a % (k + 1) == 0;
    for (int a = 0; a < kk * (i + 1); a++)
        for (size_t p = 0; p < n; p++)
            row[a] += w->D[(size_t)a * n + p];
    if (i < c->grid->steps)
        linearise(c, block, i, c->grid->eta_start[i], gamma + i * kk, w->penalty, w->start);
}

/* Adds the products of theta(t_i) with theta(t_j), j <= i, to row i of C. */
static void add_correlation(const online_coordinates *c, size_t block, int i, double *row)
{
    size_t n = c->in->block[block].n;
    for (int j = 0; j <= i; j++)
        lanes_outer(c->k, c->k, n, theta_at(c, block, i), theta_at(c, block, j), row + j * c->k * c->k);
}

static void add_block(const online_coordinates *c, size_t block, int nodes, const double *gamma, pair_work *w,
                      double *C, double *R)
{
    int kk = c->k * c->k, with_response = !penalty_jumps(c->plan->penalty);
    for (int i = 0; i < nodes; i++) {
        size_t row = (size_t)i * (size_t)(i + 1) / 2 * (size_t)kk;
        add_correlation(c, block, i, C + row);
        if (with_response)
            add_response(c, block, i, gamma, w, R + row);
    }
}

/* Keeps R(t, t) alone, which is the identity; the rest is unknown. */
static void forget_response(int k, int nodes, double *R)
{
    for (int i = 0; i < nodes; i++)
        for (int j = 0; j <= i; j++)
            for (int a = 0; a < k * k; a++)
                *R++ = j < i ? NAN : a % (k + 1) == 0;
}

/* Means over all blocks from parts[PARTS][2][size], the sums of C and R. */
static void join(const online_coordinates *c, const double *parts, size_t size, double *C, double *R)
{
    for (size_t x = 0; x < size; x++) {
        C[x] = R[x] = 0;
        for (size_t part = 0; part < PARTS; part++) {
            C[x] += parts[2 * part * size + x];
            R[x] += parts[(2 * part + 1) * size + x];
        }
        C[x] /= (double)c->in->paths;
        R[x] /= (double)c->in->paths;
    }
}

sgdmft_status online_coordinates_pairs(sgdmft_context *ctx, online_coordinates *c, int nodes, const double *gamma,
                                       double *C, double *R)
{
    size_t size = (size_t)nodes * (size_t)(nodes + 1) / 2 * (size_t)(c->k * c->k);
    double *parts = memory_doubles(PARTS * 2 * size);
    pair_work *work = calloc((size_t)c->threads, sizeof *work);
    int failed = !parts || !work;
    for (int i = 0; i < c->threads && !failed; i++)
        failed = pair_work_init(c, nodes, &work[i]);
#pragma omp parallel for schedule(static, 1) num_threads(c->threads) if (c->threads > 1)
    for (int part = 0; part < (failed ? 0 : PARTS); part++) {
        double *sums = parts + 2 * (size_t)part * size;
        for (size_t b = (size_t)part; b < c->in->n_blocks; b += PARTS)
            add_block(c, b, nodes, gamma, &work[omp_get_thread_num()], sums, sums + size);
    }
    if (!failed)
        join(c, parts, size, C, R);
    if (!failed && penalty_jumps(c->plan->penalty))
        forget_response(c->k, nodes, R);
    for (int i = 0; work && i < c->threads; i++)
        free(work[i].space);
    free(work);
    free(parts);
    return failed ? context_out_of_memory(ctx, "the two-time averages", 16.0 * PARTS * (double)size) : SGDMFT_OK;
}
