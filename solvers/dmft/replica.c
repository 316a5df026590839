#include "solvers/dmft/replica.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "kernels/fitting.h"
#include "kernels/rows.h"
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

sgdmft_status replica_new(sgdmft_context *ctx, const path_plan *plan, const path_ensemble *paths, grid_solution *out,
                          const time_grid *grid, const path_share *share, replica **result)
{
    replica *rep = calloc(1, sizeof *rep);
    if (!rep)
        return context_out_of_memory(ctx, "a replica", sizeof *rep);
    rep->plan = plan;
    rep->grid = grid;
    rep->out = out;
    rep->kern = out->kern;
    rep->share = share;
    rep->threads = share_threads(share);
    rep->paths = paths->paths;
    rep->block = calloc(paths->n_blocks, sizeof *rep->block);
    rep->workspace = calloc((size_t)rep->threads, sizeof *rep->workspace);
    size_t width = plan->at.size + (plan->last_visit ? plan->at.size + out->observables : control_size(&plan->at));
    if (width < out->observables)
        width = out->observables;
    rep->sums = memory_doubles(share_count(share) * width);
    rep->halves = memory_doubles(2 * width);
    rep->observed_correction = memory_doubles(out->observables);
    sgdmft_status status = share_room_new(ctx, share, width, &rep->room);
    if (!status && (!rep->block || !rep->workspace || !rep->sums || !rep->halves || !rep->observed_correction))
        status = context_out_of_memory(ctx, "the averages over paths", 8.0 * PATH_PARTS * (double)width);
    if (!status)
        status = control_init(ctx, rep->kern, &rep->control);
    for (; rep->block && rep->n_blocks < paths->n_blocks && !status; rep->n_blocks++)
        if (share_owns(share, rep->n_blocks))
            status = path_block_new(ctx, plan, &paths->block[rep->n_blocks], &rep->block[rep->n_blocks]);
    for (size_t b = 0; b < rep->n_blocks; b++)
        rep->half_paths[b % 2] += (double)paths->block[b].n;
    for (int i = 0; i < rep->threads && !status; i++)
        status = path_workspace_new(ctx, plan, paths->block[0].n, most_slots(paths), &rep->workspace[i]);
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
   the covariance of the innovations must stay positive semi-definite. */
static int controlled(const replica *rep)
{
    return rep->plan->at.response->pathwise && rep->plan->process->white_noise;
}

sgdmft_status replica_agree(sgdmft_context *ctx, const replica *rep, sgdmft_status status)
{
    return ranks_agree(ctx, share_ranks(rep->share), status);
}

/* Joins the sums of all parts into rep->halves. Non-zero if a call-back asked to stop, on any rank. */
static int join(replica *rep, size_t width, int failed)
{
    int flags = (failed ? SHARE_FAILED : 0) | (rep->stop_requested && *rep->stop_requested ? SHARE_STOP : 0);
    flags = share_join(rep->share, &rep->room, rep->sums, width, flags, rep->halves);
    if (rep->group_stopping && flags & (SHARE_STOP | SHARE_LOST))
        *rep->group_stopping = 1;
    return (flags & SHARE_FAILED) != 0;
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
    *plain = extra->controlled ? at->size : averages_used(at, node);
    *all = *plain + (extra->controlled ? control_size(at) : 0) + (extra->integrated ? *plain + extra->observed : 0);
}

/* Advances one block and adds its sums: the plain ones to `sums`, the others to `more`. */
static int advance_block(const replica *rep, size_t b, int cell, const extra_sums *extra, path_workspace *workspace,
                         double *sums, double *more)
{
    path_block *block = &rep->block[b];
    if (cell < 0)
        return path_block_start(block, rep->plan, workspace, sums);
    if (path_block_advance(block, rep->plan, rep->kern, cell, workspace, sums))
        return -1;
    if (extra->controlled)
        control_sums(&rep->control, block, rep->plan, rep->kern, workspace, more);
    if (!extra->integrated)
        return 0;
    double *observed = extra->observed ? more + averages_used(&rep->plan->at, cell + 1) : NULL;
    if (observed && path_observe_train(block, rep->plan, cell + 1, -1, workspace, observed))
        return -1;
    return last_visit_averages(block, rep->plan, rep->kern, cell + 1, workspace, more, observed);
}

/* Sums over all blocks into rep->halves: at node 0 for cell = -1, otherwise at node cell + 1. The blocks of a part
   depend neither on the threads nor on the ranks. */
static int sum_blocks(replica *rep, int cell, const extra_sums *extra)
{
    size_t plain, width, parts = share_count(rep->share), start = share_first(rep->share);
    int failed = 0;
    sums_width(rep, cell + 1, extra, &plain, &width);
#pragma omp parallel for schedule(static, 1) num_threads(rep->threads) reduction(| : failed) if (rep->threads > 1)
    for (size_t i = 0; i < parts; i++) {
        double *sums = rep->sums + i * width;
        memset(sums, 0, sizeof(double) * width);
        for (size_t b = start + i * share_size(rep->share); b < rep->n_blocks; b += PATH_PARTS)
            failed |= advance_block(rep, b, cell, extra, rep->workspace[omp_get_thread_num()], sums, sums + plain);
    }
    return join(rep, width, failed);
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
    for (size_t i = 0; i < averages_used(at, node); i++)
        averages[i] = (half[0].plain[i] + half[1].plain[i]) / (double)rep->paths;
    if (extra->controlled)
        control_apply(&rep->control, at, half, averages);
    else if (node == 0)
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

int replica_renew(replica *rep, int node, double *averages)
{
    size_t width = averages_used(&rep->plan->at, node), parts = share_count(rep->share),
           start = share_first(rep->share);
    int failed = 0;
#pragma omp parallel for schedule(static, 1) num_threads(rep->threads) reduction(| : failed) if (rep->threads > 1)
    for (size_t i = 0; i < parts; i++) {
        double *sums = rep->sums + i * width;
        memset(sums, 0, sizeof(double) * width);
        for (size_t b = start + i * share_size(rep->share); b < rep->n_blocks; b += PATH_PARTS)
            failed |= path_block_renew(&rep->block[b], rep->plan, rep->kern, node, rep->workspace[omp_get_thread_num()],
                                       sums);
    }
    failed = join(rep, width, failed);
    for (size_t i = 0; i < width; i++)
        averages[i] = (rep->halves[i] + rep->halves[width + i]) / (double)rep->paths;
    return failed;
}

void replica_accept(replica *rep)
{
    if (controlled(rep))
        control_accept(&rep->control, rep->kern);
    for (size_t b = 0; b < rep->n_blocks; b++)
        if (share_owns(rep->share, b))
            path_block_accept(&rep->block[b], rep->plan);
}

void replica_rows_start(replica *rep, const double *first)
{
    kernels_start(rep->kern, &rep->plan->at, first);
    if (rep->coordinates)
        coordinate_ensemble_start(rep->coordinates, &rep->plan->at, first);
}

double replica_rows(replica *rep, int i, const double *now, const double *next)
{
    if (rep->coordinates)
        return coordinate_ensemble_advance(rep->coordinates, i, &rep->plan->at, now, next);
    /* different machines may round differently, but must take the same decisions */
    return ranks_take_first(share_ranks(rep->share), kernels_advance(rep->kern, i, &rep->plan->at, now, next));
}

void replica_rows_renew(replica *rep, int node, const double *after)
{
    if (rep->coordinates)
        coordinate_ensemble_renew(rep->coordinates, node, &rep->plan->at, after);
    else
        kernels_renew(rep->kern, node, &rep->plan->at, after);
}

void replica_rows_accept(replica *rep)
{
    if (rep->coordinates)
        coordinate_ensemble_accept(rep->coordinates);
}

static int observe_block(const replica *rep, size_t b, int node, const field_regression *fresh,
                         path_workspace *workspace, double *sums)
{
    const path_block *block = &rep->block[b];
    if (path_observe_train(block, rep->plan, node, 1, workspace, sums))
        return -1;
    return path_observe_test(block, rep->plan, node, fresh, workspace, sums);
}

/* The law of the field of a fresh sample at a node. */
static int regress_field(const replica *rep, int node, field_regression *out)
{
    const path_plan *plan = rep->plan;
    double C[MATRIX_MAX * MATRIX_MAX];
    field_moments field;
    kernels_correlation(rep->kern, plan->q0, plan->rho, node, node, C);
    data_law_field(plan->law, &(theta_moments){C, kernels_m(rep->kern, node), plan->rho}, &field);
    return data_law_regress(plan->law, &field, out);
}

int replica_observe(replica *rep, int node)
{
    if (!rep->out->wanted[node])
        return 0;
    const path_plan *plan = rep->plan;
    size_t count = rep->out->observables;
    field_regression fresh;
    size_t parts = share_count(rep->share), start = share_first(rep->share), step = share_size(rep->share);
    int failed = regress_field(rep, node, &fresh);
#pragma omp parallel for schedule(static, 1) num_threads(rep->threads) reduction(| : failed) if (rep->threads > 1)
    for (size_t i = 0; i < parts; i++) {
        double *sums = rep->sums + i * count;
        memset(sums, 0, sizeof(double) * count);
        for (size_t b = start + i * step; b < rep->n_blocks; b += PATH_PARTS)
            failed |= observe_block(rep, b, node, &fresh, rep->workspace[omp_get_thread_num()], sums);
    }
    failed = join(rep, count, failed);
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
    kernels_correlation(rep->kern, plan->q0, plan->rho, node, node, C);
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

/* Adds the right-hand sides of the identities at one end of a cell: `weight` times that of (9) for dC(t,t)/dt, and
   `weight_single` times that of (8) for dC(t,0)/dt. */
static void add_identity_terms(replica *rep, int node, double eta, double weight, double weight_single,
                               const double *averages)
{
    const path_plan *plan = rep->plan;
    int k = plan->shape.k;
    size_t kk = (size_t)(k * k);
    double C[MATRIX_MAX * MATRIX_MAX], decay[MATRIX_MAX * MATRIX_MAX], decay_single[MATRIX_MAX * MATRIX_MAX];
    double delta = rep->kern->delta, *identity = rep->out->identity, *scale = rep->out->identity_scale;
    kernels_correlation(rep->kern, plan->q0, plan->rho, node, node, C);
    kernels_decay(rep->kern, node, 0, C, decay);
    kernels_correlation(rep->kern, plan->q0, plan->rho, node, 0, C);
    kernels_decay(rep->kern, node, 1, C, decay_single);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double drift = delta * eta * (averages[plan->at.gr + c] + averages[plan->at.gr + transposed]);
            double noise = rep->kern->white_noise ? delta * eta * eta * averages[plan->at.outer + c] : 0;
            double single = delta * eta * averages[plan->at.gw0 + c];
            identity[c] += weight * (-decay[c] - drift + noise);
            identity[kk + c] += weight_single * (-decay_single[c] - single);
            scale[c] += weight * (fabs(decay[c]) + fabs(drift) + noise);
            scale[kk + c] += weight_single * (fabs(decay_single[c]) + fabs(single));
        }
}

/* The integral over a cell: of (9) by the trapezoid rule, of (8) by the rule by which R and m are advanced. */
void replica_identity_cell(replica *rep, int cell, const double *now, const double *next)
{
    step_weights time = step_rule_time(rep->grid, cell), single = fitting_time(rep->kern, cell);
    add_identity_terms(rep, cell, rep->grid->eta_start[cell], time.start, single.start, now);
    add_identity_terms(rep, cell + 1, rep->grid->eta_end[cell], time.end, single.end, next);
}

void replica_identity_finish(replica *rep, int node)
{
    const path_plan *plan = rep->plan;
    size_t kk = (size_t)(plan->shape.k * plan->shape.k);
    double C[MATRIX_MAX * MATRIX_MAX];
    for (int which = 0; which < 2; which++) {
        kernels_correlation(rep->kern, plan->q0, plan->rho, node, which == 0 ? node : 0, C);
        for (size_t c = 0; c < kk; c++) {
            double *defect = &rep->out->identity[(size_t)which * kk + c];
            *defect = C[c] - plan->q0[c] - *defect;
            rep->out->identity_scale[(size_t)which * kk + c] += fabs(C[c]);
        }
    }
}
