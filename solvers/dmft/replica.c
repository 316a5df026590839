#include "solvers/dmft/replica.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "kernels/rows.h"
#include "merged/response.h"
#include "paths/last_visit.h"
#include "paths/observe.h"

static int most_slots(const path_ensemble *paths)
{
    int most = 1;
    for (size_t b = 0; b < paths->n_blocks; b++)
        if (paths->block[b].slots > most)
            most = paths->block[b].slots;
    return most;
}

/* Room for the sums of all parts, and for joining them. */
static sgdmft_status make_sums(sgdmft_context *ctx, replica *rep)
{
    const averages_layout *at = &rep->plan->at;
    size_t observables = rep->out->observables;
    size_t width = at->size + (rep->plan->last_visit ? at->size + observables : control_size(at));
    if (rep->merged && width < merged_replica_sums(rep->merged))
        width = merged_replica_sums(rep->merged);
    if (width < observables)
        width = observables;
    rep->sums = memory_doubles(share_count(rep->share) * width);
    rep->halves = memory_doubles(2 * width);
    rep->observed_correction = memory_doubles(observables);
    sgdmft_status status = share_room_new(ctx, rep->share, width, &rep->room);
    if (!status && (!rep->sums || !rep->halves || !rep->observed_correction))
        status = context_out_of_memory(ctx, "the averages over paths", 8.0 * PATH_PARTS * (double)width);
    return status;
}

static sgdmft_status make_blocks(sgdmft_context *ctx, const replica_source *source, replica *rep)
{
    const path_ensemble *paths = source->paths;
    sgdmft_status status = SGDMFT_OK;
    for (; rep->n_blocks < paths->n_blocks && !status; rep->n_blocks++) {
        const path_inputs *in = &paths->block[rep->n_blocks];
        path_block *block = &rep->block[rep->n_blocks];
        if (!share_owns(source->share, rep->n_blocks))
            continue;
        status = rep->merged ? merged_replica_block(ctx, rep->merged, rep->plan, in, rep->n_blocks, block)
                             : path_block_new(ctx, rep->plan, in, block);
    }
    for (size_t b = 0; b < rep->n_blocks; b++)
        rep->half_paths[b % 2] += (double)paths->block[b].n;
    for (int i = 0; i < rep->threads && !status; i++)
        status = path_workspace_new(ctx, rep->plan, paths->block[0].n, rep->merged ? 1 : most_slots(paths),
                                    &rep->workspace[i]);
    return status;
}

sgdmft_status replica_new(sgdmft_context *ctx, const replica_source *source, replica **result)
{
    replica *rep = calloc(1, sizeof *rep);
    size_t blocks = source->paths->n_blocks;
    if (!rep)
        return context_out_of_memory(ctx, "a replica", sizeof *rep);
    rep->ctx = ctx;
    rep->plan = source->plan;
    rep->grid = source->grid;
    rep->out = source->out;
    rep->kern = source->out->kern;
    rep->share = source->share;
    rep->threads = share_threads(source->share);
    rep->paths = source->paths->paths;
    rep->block = calloc(blocks, sizeof *rep->block);
    rep->workspace = calloc((size_t)rep->threads, sizeof *rep->workspace);
    sgdmft_status status = SGDMFT_OK;
    if (!rep->block || !rep->workspace)
        status = context_out_of_memory(ctx, "a replica", (double)(blocks * sizeof *rep->block));
    if (!status && source->merged)
        status = merged_replica_new(ctx, source->merged, rep->plan, blocks, rep->threads, source->paths->block[0].n,
                                    &rep->merged);
    if (!status) {
        rep->delta = rep->merged ? rep->merged->kern->delta : rep->kern->delta;
        rep->lambda = rep->merged ? rep->merged->kern->filter.lambda : rep->kern->filter.lambda;
        rep->white_noise = rep->plan->process->white_noise;
        status = make_sums(ctx, rep);
    }
    if (!status && !rep->merged)
        status = control_init(ctx, rep->kern, &rep->control);
    if (!status)
        status = make_blocks(ctx, source, rep);
    if (status)
        replica_free(rep);
    else
        *result = rep;
    return status;
}

void replica_free(replica *rep)
{
    if (!rep)
        return;
    for (size_t b = 0; b < rep->n_blocks; b++)
        path_block_clear(&rep->block[b]);
    merged_replica_free(rep->merged);
    for (int i = 0; rep->workspace && i < rep->threads; i++)
        path_workspace_free(rep->workspace[i]);
    free(rep->block);
    free(rep->workspace);
    free(rep->sums);
    free(rep->halves);
    free(rep->observed_correction);
    share_room_clear(&rep->room);
    control_clear(&rep->control);
    free(rep);
}

/* 1 if averages are corrected by the control variable, which needs pathwise derivatives. Not without white noise, where
   the covariance of the innovations must stay positive semi-definite, nor in discrete time, with averages of its own. */
static int controlled(const replica *rep)
{
    return rep->plan->at.response->pathwise && rep->plan->process->white_noise && !rep->grid->discrete;
}

sgdmft_status replica_agree(sgdmft_context *ctx, const replica *rep, sgdmft_status status)
{
    return ranks_agree(ctx, share_ranks(rep->share), status);
}

/* Joins the sums of all parts into rep->halves. Non-zero if a part failed, on any rank. */
static int join(replica *rep, size_t width, int failed)
{
    int stop = (rep->stop_requested && *rep->stop_requested) || context_stop_now(rep->ctx);
    int flags = (failed ? SHARE_FAILED : 0) | (stop ? SHARE_STOP : 0);
    flags = share_join(rep->share, &rep->room, rep->sums, width, flags, rep->halves);
    if (rep->group_stopping && flags & (SHARE_STOP | SHARE_LOST))
        *rep->group_stopping = 1;
    return (flags & SHARE_FAILED) != 0;
}

int replica_for_blocks(replica *rep, size_t width, replica_block_work work, const void *user)
{
    size_t parts = share_count(rep->share), start = share_first(rep->share), step = share_size(rep->share);
    int failed = 0;
#pragma omp parallel for schedule(static, 1) num_threads(rep->threads) reduction(| : failed) if (rep->threads > 1)
    for (size_t i = 0; i < parts; i++) {
        double *sums = rep->sums + i * width;
        memset(sums, 0, sizeof *sums * width);
        for (size_t b = start + i * step; b < rep->n_blocks; b += PATH_PARTS)
            failed |= (width > 0 && context_stop_now(rep->ctx)) || work(rep, user, b, omp_get_thread_num(), sums);
    }
    return width > 0 ? join(rep, width, failed) : failed;
}

size_t replica_averages(const replica *rep, int node)
{
    return averages_used(&rep->plan->at, rep->merged ? merged_replica_groups(rep->merged, node) : node);
}

int replica_begin_step(replica *rep, int i, const double *now)
{
    return rep->merged ? merged_replica_begin(rep, i, now) : 0;
}

double replica_step_work(const replica *rep, int i)
{
    return rep->merged ? rep->merged->kern->cells.n + 1 : i + 1;
}

void replica_correlation(const replica *rep, int node, int start, double *C)
{
    const path_plan *plan = rep->plan;
    if (!rep->merged)
        kernels_correlation(rep->kern, plan->q0, plan->rho, node, start ? 0 : node, C);
    else if (start)
        merged_correlation_start(rep->merged->kern, node != rep->merged->node, C);
    else
        merged_correlation(rep->merged->kern, node != rep->merged->node, C);
}

/* m at a node. */
static const double *overlap_at(const replica *rep, int node)
{
    if (!rep->merged)
        return kernels_m(rep->kern, node);
    return node == rep->merged->node ? rep->merged->kern->m : rep->merged->kern->m_next;
}

void replica_record(replica *rep, int node)
{
    const path_plan *plan = rep->plan;
    size_t k = (size_t)plan->shape.k, kk = k * k, at = (size_t)node, width = k * (size_t)plan->shape.kstar;
    grid_solution *out = rep->out;
    replica_correlation(rep, node, 0, out->C + at * kk);
    memcpy(out->m + at * width, overlap_at(rep, node), sizeof(double) * width);
    if (rep->merged) {
        merged_replica_record(rep->merged, node, out);
        return;
    }
    for (size_t c = 0; c < kk; c++) {
        out->R[at * kk + c] = kernels_R(rep->kern, (int)c, node)[0];
        out->Q[at * kk + c] = kernels_Q(rep->kern, (int)c, node)[node];
    }
}

/* The sums that are formed besides the plain ones. */
typedef struct extra_sums {
    int controlled;  /* 1: sums weighted by the control variable */
    int integrated;  /* 1: sums integrated over the last visit */
    size_t observed; /* number of sums of observables with them: integrated over the last visit minus plain */
} extra_sums;

/* The number of doubles before the extra sums, and the total number. */
static void sums_width(const replica *rep, int node, const extra_sums *extra, size_t *plain, size_t *all)
{
    const averages_layout *at = &rep->plan->at;
    *plain = extra->controlled ? at->size : replica_averages(rep, node);
    *all = *plain + (extra->controlled ? control_size(at) : 0) + (extra->integrated ? *plain + extra->observed : 0);
}

/* The step of all blocks. */
typedef struct block_step {
    int cell; /* from node `cell` to the next; -1: to node 0 */
    const extra_sums *extra;
    size_t plain; /* number of plain sums, before the others */
} block_step;

/* Advances one block and adds its sums. */
static int advance_block(replica *rep, const void *user, size_t b, int thread, double *sums)
{
    const block_step *step = user;
    path_block *block = &rep->block[b];
    path_workspace *workspace = rep->workspace[thread];
    int cell = step->cell;
    double *more = sums + step->plain;
    block->observed = rep->out->wanted[cell + 1];
    if (rep->merged ? merged_replica_advance(rep->merged, rep->plan, b, block, cell, workspace, sums)
        : cell < 0  ? path_block_start(block, rep->plan, rep->kern, workspace, sums)
                    : path_block_advance(block, rep->plan, rep->kern, cell, workspace, sums))
        return -1;
    if (step->extra->controlled)
        control_sums(&rep->control, block, rep->plan, rep->kern, workspace, more);
    if (!step->extra->integrated)
        return 0;
    double *observed = step->extra->observed ? more + replica_averages(rep, cell + 1) : NULL;
    if (observed && path_observe_train(block, rep->plan, cell + 1, -1, workspace, observed))
        return -1;
    if (rep->merged)
        return merged_replica_last_visit(rep->merged, rep->plan, b, block, cell, workspace, more, observed);
    return last_visit_averages(block, rep->plan, rep->kern, cell + 1, workspace, more, observed);
}

/* Sums over all blocks into rep->halves: at node 0 for cell = -1, otherwise at node cell + 1. */
static int sum_blocks(replica *rep, int cell, const extra_sums *extra)
{
    size_t plain, width;
    sums_width(rep, cell + 1, extra, &plain, &width);
    return replica_for_blocks(rep, width, advance_block, &(block_step){cell, extra, plain});
}

/* Means over paths from the sums over even and odd parts, corrected by the control variable if there is one. */
static void average(replica *rep, int node, const extra_sums *extra, double *averages)
{
    const averages_layout *at = &rep->plan->at;
    size_t plain, width;
    control_half half[2];
    sums_width(rep, node, extra, &plain, &width);
    for (size_t h = 0; h < 2; h++) {
        const double *sums = rep->halves + h * width;
        half[h] = (control_half){rep->half_paths[h], sums, extra->controlled ? sums + plain : NULL};
    }
    for (size_t i = 0; i < replica_averages(rep, node); i++)
        averages[i] = (half[0].plain[i] + half[1].plain[i]) / (double)rep->paths;
    if (extra->controlled)
        control_apply(&rep->control, at, half, averages);
    else if (node == 0 && !rep->merged)
        control_restart(&rep->control);
}

/* The differences between the averages integrated over the last visit and the plain ones: of all averages except gamma,
   and of observables. */
static void integrated_correction(replica *rep, int node, const extra_sums *extra, double *correction)
{
    size_t plain, width;
    sums_width(rep, node, extra, &plain, &width);
    const double *even = rep->halves, *odd = rep->halves + width;
    memset(correction, 0, sizeof(double) * rep->plan->at.outer);
    for (size_t i = rep->plan->at.outer; i < plain; i++)
        correction[i] = (even[plain + i] - even[i] + odd[plain + i] - odd[i]) / (double)rep->paths;
    for (size_t i = 0; i < extra->observed; i++)
        rep->observed_correction[i] = (even[2 * plain + i] + odd[2 * plain + i]) / (double)rep->paths;
}

int replica_start(replica *rep, double *averages)
{
    extra_sums none = {0, 0, 0};
    int failed = sum_blocks(rep, -1, &none);
    average(rep, 0, &none, averages);
    return failed;
}

int replica_advance(replica *rep, int cell, double *averages, double *correction)
{
    extra_sums extra = {controlled(rep), correction != NULL, rep->out->wanted[cell + 1] ? rep->out->observables : 0};
    if (extra.controlled)
        control_prepare(&rep->control, rep->kern, rep->plan->law->start_root, cell + 1);
    int failed = sum_blocks(rep, cell, &extra);
    average(rep, cell + 1, &extra, averages);
    if (correction)
        integrated_correction(rep, cell + 1, &extra, correction);
    return failed;
}

static int renew_block(replica *rep, const void *user, size_t b, int thread, double *sums)
{
    int node = *(const int *)user;
    path_workspace *workspace = rep->workspace[thread];
    if (rep->merged)
        return merged_replica_renew(rep->merged, rep->plan, b, &rep->block[b], node, workspace, sums);
    return path_block_renew(&rep->block[b], rep->plan, rep->kern, node, workspace, sums);
}

int replica_renew(replica *rep, int node, double *averages)
{
    size_t width = replica_averages(rep, node);
    int failed = replica_for_blocks(rep, width, renew_block, &node);
    for (size_t i = 0; i < width; i++)
        averages[i] = (rep->halves[i] + rep->halves[width + i]) / (double)rep->paths;
    return failed;
}

int replica_accept(replica *rep, double *before, double *now)
{
    if (rep->merged)
        return merged_replica_accept(rep, before, now);
    if (controlled(rep))
        control_accept(&rep->control, rep->kern);
    for (size_t b = 0; b < rep->n_blocks; b++)
        if (share_owns(rep->share, b))
            path_block_accept(&rep->block[b], rep->plan);
    return 0;
}

void replica_rows_start(replica *rep, const double *first)
{
    if (rep->merged) {
        merged_kernels_start(rep->merged->kern, &rep->plan->at, first);
        return;
    }
    kernels_start(rep->kern, &rep->plan->at, first);
    if (rep->coordinates)
        coordinate_ensemble_start(rep->coordinates, &rep->plan->at, first);
}

double replica_rows(replica *rep, int i, const double *now, const double *next)
{
    if (rep->coordinates && rep->grid->discrete)
        return coordinate_ensemble_step(rep->coordinates, i, &rep->plan->at, now);
    if (rep->coordinates)
        return coordinate_ensemble_advance(rep->coordinates, i, &rep->plan->at, now, next);
    double change = rep->merged ? merged_kernels_advance(rep->merged->kern, i, &rep->plan->at, now, next)
                                : kernels_advance(rep->kern, i, &rep->plan->at, now, next);
    /* different machines may round differently, but must take the same decisions */
    return ranks_take_first(share_ranks(rep->share), change);
}

void replica_rows_renew(replica *rep, int node, const double *after)
{
    if (rep->merged)
        response_merged_renew(rep->merged->kern, &rep->plan->at, after);
    else if (rep->coordinates && rep->grid->discrete)
        coordinate_ensemble_close(rep->coordinates, node, &rep->plan->at, after);
    else if (rep->coordinates)
        coordinate_ensemble_renew(rep->coordinates, node, &rep->plan->at, after);
    else
        kernels_renew(rep->kern, node, &rep->plan->at, after);
}

void replica_rows_accept(replica *rep)
{
    if (rep->coordinates)
        coordinate_ensemble_accept(rep->coordinates);
}

/* The node at which observables are averaged, and the law of the field of a fresh sample there. */
typedef struct observation {
    int node;
    field_regression fresh;
} observation;

static int observe_block(replica *rep, const void *user, size_t b, int thread, double *sums)
{
    const observation *at = user;
    const path_block *block = &rep->block[b];
    if (path_observe_train(block, rep->plan, at->node, 1, rep->workspace[thread], sums))
        return -1;
    return path_observe_test(block, rep->plan, at->node, &at->fresh, rep->workspace[thread], sums);
}

/* The law of the field of a fresh sample at a node. */
static int regress_field(const replica *rep, int node, field_regression *out)
{
    const path_plan *plan = rep->plan;
    double C[MATRIX_MAX * MATRIX_MAX];
    field_moments field;
    replica_correlation(rep, node, 0, C);
    data_law_field(plan->law, &(theta_moments){C, overlap_at(rep, node), plan->rho}, &field);
    return data_law_regress(plan->law, &field, out);
}

int replica_observe(replica *rep, int node)
{
    if (!rep->out->wanted[node])
        return 0;
    const path_plan *plan = rep->plan;
    size_t count = rep->out->observables;
    observation at = {.node = node};
    int failed = regress_field(rep, node, &at.fresh);
    failed |= replica_for_blocks(rep, count, observe_block, &at);
    double *mean = rep->out->observed + (size_t)node * count;
    for (size_t i = 0; i < count; i++)
        mean[i] = (rep->halves[i] + rep->halves[count + i]) / (double)rep->paths;
    for (size_t i = 0; i < count && plan->last_visit && node > 0; i++)
        mean[i] += rep->observed_correction[i];
    return failed;
}

void replica_stop(replica *rep, sgdmft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_replace(&rep->out->message, format, args);
    va_end(args);
    rep->out->status = status;
}

/* The larger eta^2 of the two cells beside a node. */
static double eta_squared(const time_grid *grid, int node)
{
    double before = node > 0 ? grid->eta_end[node - 1] : 0, after = node < grid->steps ? grid->eta_start[node] : 0;
    return before > after ? before * before : after * after;
}

void replica_set_scales(replica *rep, const double *first)
{
    const path_plan *plan = rep->plan;
    double scale = matrix_trace(plan->shape.k, plan->q0) + matrix_trace(plan->shape.kstar, plan->rho);
    double step = eta_squared(rep->grid, 0) * matrix_trace(plan->shape.k, first + plan->at.outer);
    rep->limits = growth_limits_of(scale + step);
}

int replica_diverged(replica *rep, int node, const double *averages)
{
    const path_plan *plan = rep->plan;
    double C[MATRIX_MAX * MATRIX_MAX], t = rep->grid->t[node];
    replica_correlation(rep, node, 0, C);
    double step = eta_squared(rep->grid, node) * matrix_trace(plan->shape.k, averages + plan->at.outer);
    double moment = matrix_trace(plan->shape.k, C);
    int stable = step <= rep->limits.step && moment <= rep->limits.moment;
    if (ranks_take_first(share_ranks(rep->share), stable) != 0)
        return 0;
    replica_stop(rep, SGDMFT_ERR_DIVERGED,
                 "the dynamics diverge: at t = %.6g the mean squared step E|eta g|^2 is %.3g (limit %.3g) and the mean "
                 "square of theta is %.3g (limit %.3g); hint: lower eta, or shorten horizon to below %.6g",
                 t, step, rep->limits.step, moment, rep->limits.moment, t);
    return 1;
}
