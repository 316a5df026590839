#include "sample/preactivations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"
#include "core/matrix.h"

enum { L = SAMPLE_LANES };

/* E (w_j - w_i)(w_b - w_a)^T, component (p, q) */
static double increments(const two_time *x, size_t i, size_t j, size_t a, size_t b, size_t c)
{
    return two_time_C(x, j, b)[c] - two_time_C(x, j, a)[c] - two_time_C(x, i, b)[c] + two_time_C(x, i, a)[c];
}

/* Increments of neighbouring cells have no white noise in common: their covariance per h h' is that of the smooth part of
   dw/dt, which also adds h^2 of it to the variance of an increment. */
void preactivation_white_noise(const two_time *x, double *rate)
{
    size_t kk = (size_t)(x->k * x->k), cells = x->n - 1;
    for (size_t i = 0; i < cells; i++)
        for (size_t c = 0; c < kk; c++) {
            size_t k = (size_t)x->k, flipped = c % k * k + c / k;
            double h = x->t[i + 1] - x->t[i], smooth = 0;
            int neighbours = 0;
            for (size_t j = i > 0 ? i - 1 : i + 1; j < cells && j <= i + 1; j += 2, neighbours++)
                smooth += (increments(x, i, i + 1, j, j + 1, c) + increments(x, i, i + 1, j, j + 1, flipped)) /
                          (2 * h * (x->t[j + 1] - x->t[j]));
            smooth = neighbours > 0 ? smooth / neighbours : 0;
            rate[i * kk + c] = increments(x, i, i + 1, i, i + 1, c) / h - smooth * h;
        }
}

static sgdmft_status set_bridge(sgdmft_context *ctx, preactivation_process *process)
{
    size_t kk = (size_t)(process->x.k * process->x.k), cells = process->x.n - 1;
    const sample_process *law = process->problem->process;
    double inverse[MATRIX_MAX * MATRIX_MAX];
    if (!law->white_noise || law->events == EVENTS_FRESH)
        return SGDMFT_OK; /* smooth, or with no event that would ask */
    double *rate = memory_doubles(cells * kk);
    process->bridge = memory_doubles(cells * kk);
    if (!rate || !process->bridge) {
        free(rate);
        return context_out_of_memory(ctx, "the bridges of the field", 16.0 * (double)(cells * kk));
    }
    preactivation_white_noise(&process->x, rate);
    int failed = 0;
    for (size_t i = 0; i < cells; i++)
        failed |= matrix_psd_root(process->x.k, rate + i * kk, process->bridge + i * kk, inverse);
    free(rate);
    return failed ? context_fail(ctx, SGDMFT_ERR_NON_FINITE, "C: the increments of the field have no finite variance")
                  : SGDMFT_OK;
}

/* m rho^-1 */
static void regress(const two_time *x, const double *rho_inverse, double *onto_teacher)
{
    size_t width = (size_t)(x->k * x->kstar);
    for (size_t i = 0; i < x->n; i++)
        for (int a = 0; a < x->k; a++)
            for (int b = 0; b < x->kstar; b++) {
                double sum = 0;
                for (int c = 0; c < x->kstar; c++)
                    sum += two_time_m(x, i)[a * x->kstar + c] * rho_inverse[c * x->kstar + b];
                onto_teacher[i * width + (size_t)(a * x->kstar + b)] = sum;
            }
}

static sgdmft_status set_field(sgdmft_context *ctx, preactivation_process *process)
{
    const two_time *x = &process->x;
    int kstar = x->kstar;
    size_t k = (size_t)x->k, n = x->n, size = n * k, width = k * (size_t)kstar;
    double rho[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX];
    memcpy(rho, process->problem->initial.rho, (size_t)(kstar * kstar) * sizeof *rho);
    for (int i = 0; i < kstar * kstar; i++)
        inverse[i] = i % (kstar + 1) == 0;
    if (matrix_solve(kstar, rho, (size_t)kstar, inverse))
        return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: initial.rho is singular", process->problem->source);
    double *K = malloc(size * size * sizeof *K);
    process->onto_teacher = memory_doubles(n * width);
    if (!K || !process->onto_teacher) {
        free(K);
        return context_out_of_memory(ctx, "the covariance of the field", 8.0 * (double)size * (double)size);
    }
    regress(x, inverse, process->onto_teacher);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            for (size_t a = 0; a < k; a++)
                for (size_t b = 0; b < k; b++) {
                    double known = 0;
                    for (int c = 0; c < kstar; c++)
                        known += process->onto_teacher[i * width + a * (size_t)kstar + (size_t)c] *
                                 two_time_m(x, j)[b * (size_t)kstar + (size_t)c];
                    K[(i * k + a) * size + j * k + b] = two_time_C(x, i, j)[a * k + b] - known;
                }
    return gaussian_root_new(ctx, size, K, &process->field);
}

sgdmft_status preactivation_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                        preactivation_process **out)
{
    *out = NULL;
    sgdmft_status status = two_time_check(ctx, x, problem);
    if (status)
        return status;
    preactivation_process *process = calloc(1, sizeof *process);
    if (!process)
        return context_out_of_memory(ctx, "the process of the pre-activations", sizeof *process);
    process->problem = problem;
    process->x = *x;
    status = model_new(ctx, problem, &process->m);
    if (!status)
        status = schedule_new(ctx, problem, &process->eta);
    if (!status)
        status = initial_law_init(ctx, problem, &process->law);
    if (!status)
        status = set_field(ctx, process);
    if (!status)
        status = set_bridge(ctx, process);
    if (status) {
        preactivation_process_free(process);
        return status;
    }
    process->shape = model_get_shape(process->m);
    *out = process;
    return SGDMFT_OK;
}

void preactivation_process_free(preactivation_process *process)
{
    if (!process)
        return;
    model_free(process->m);
    schedule_free(process->eta);
    free(process->onto_teacher);
    gaussian_root_clear(&process->field);
    free(process->bridge);
    free(process);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A row of draws, or the work space of a kick; then that of eta. */
static size_t work_room(const preactivation_process *process)
{
    size_t row = larger(process->x.n * (size_t)process->x.k, (size_t)(process->x.kstar + process->shape.noises));
    return larger(row, event_work(process->x.k)) + schedule_work(process->eta);
}

sgdmft_status preactivation_block_new(sgdmft_context *ctx, const preactivation_process *process,
                                      preactivation_block **out)
{
    size_t k = (size_t)process->x.k, n = process->x.n;
    *out = NULL;
    preactivation_block *block = calloc(1, sizeof *block);
    if (!block)
        return context_out_of_memory(ctx, "a block of paths", sizeof *block);
    block->w = memory_doubles(n * k * L);
    block->normals = memory_doubles(n * k * L);
    block->wstar = memory_doubles((size_t)process->x.kstar * L);
    block->eps = memory_doubles((size_t)process->shape.noises * L);
    block->y = memory_doubles((size_t)process->shape.labels * L);
    block->work = memory_doubles(work_room(process));
    sgdmft_status status = event_list_new(ctx, &block->events);
    if (!status)
        status = model_work_new(ctx, process->m, L, &block->desk);
    if (!status && !(block->w && block->normals && block->wstar && block->eps && block->y && block->work))
        status = context_out_of_memory(ctx, "a block of paths", 16.0 * (double)(n * k * L));
    if (status)
        preactivation_block_free(block);
    else
        *out = block;
    return status;
}

void preactivation_block_free(preactivation_block *block)
{
    if (!block)
        return;
    event_list_clear(&block->events);
    model_work_free(block->desk);
    free(block->w);
    free(block->normals);
    free(block->wstar);
    free(block->eps);
    free(block->y);
    free(block->w_event);
    free(block->r_event);
    free(block->kick);
    free(block->work);
    free(block);
}

static void draw_field(const preactivation_process *process, uint64_t seed, uint64_t number, preactivation_block *block)
{
    int k = process->x.k, kstar = process->x.kstar;
    size_t size = process->field.n, width = (size_t)(k * kstar);
    memset(block->wstar, 0, (size_t)kstar * L * sizeof *block->wstar);
    sample_draw(random_normals, seed, SAMPLE_TEACHER, number, (size_t)kstar, block->work, block->normals);
    lanes_combine(kstar, kstar, (size_t)kstar, L, process->law.chol_rho, block->normals, block->wstar);
    sample_draw(random_normals, seed, SAMPLE_FIELD, number, size, block->work, block->normals);
    gaussian_root_apply(&process->field, L, block->normals, block->w);
    for (size_t i = 0; i < process->x.n; i++)
        lanes_combine(k, kstar, (size_t)kstar, L, process->onto_teacher + i * width, block->wstar,
                      block->w + i * (size_t)k * L);
}

/* The bridges of one path at its events, one after the other: given its value b at a and 0 at the end e of the cell, a
   bridge at t has mean b (e-t)/(e-a) and variance (t-a)(e-t)/(e-a) times the rate. */
static void bridge_path(const preactivation_process *process, random_key key, uint64_t path, size_t lane,
                        preactivation_block *block)
{
    enum { CHUNK = 16 };
    const two_time *x = &process->x;
    const event_list *events = &block->events;
    size_t k = (size_t)x->k, cell = (size_t)-1;
    double z[CHUNK * MATRIX_MAX], beta[MATRIX_MAX], last = 0;
    for (size_t slot = 0; slot < (size_t)events->count[lane]; slot++) {
        size_t at = slot * L + lane;
        if (slot % CHUNK == 0)
            random_normals(key, path, slot * k, CHUNK * k, z);
        if (events->cell[at] != cell) {
            cell = events->cell[at];
            last = x->t[cell];
            memset(beta, 0, sizeof beta);
        }
        double end = x->t[cell + 1], left = end - last, now = events->time[at];
        double keep = left > 0 ? (end - now) / left : 0, spread = left > 0 ? sqrt((now - last) * keep) : 0;
        for (size_t a = 0; a < k; a++) {
            beta[a] = keep * beta[a] + spread * z[slot % CHUNK * k + a];
            for (size_t b = 0; b < k; b++)
                block->w_event[(slot * k + b) * L + lane] += process->bridge[(cell * k + b) * k + a] * beta[a];
        }
        last = now;
    }
}

static void field_at_events(const preactivation_process *process, uint64_t seed, uint64_t number,
                            preactivation_block *block)
{
    const event_list *events = &block->events;
    size_t k = (size_t)process->x.k;
    random_key key = {.seed = seed, .replica = 0, .purpose = SAMPLE_BRIDGE};
    for (size_t slot = 0; slot < events->slots; slot++)
        for (size_t a = 0; a < k; a++)
            for (size_t p = 0; p < L; p++) {
                size_t at = slot * L + p;
                const double *low = block->w + (events->cell[at] * k + a) * L + p, *high = low + k * L;
                block->w_event[(slot * k + a) * L + p] = *low + events->place[at] * (*high - *low);
            }
    for (size_t p = 0; p < L && process->bridge; p++)
        bridge_path(process, key, number * L + p, p, block);
}

/* R(t_i, T) for an event at place `z` of `cell`, i > cell; component c. */
static double response_to_node(const two_time *x, size_t i, size_t cell, double z, size_t c)
{
    double before = two_time_R(x, i, cell)[c], after = two_time_R(x, i, cell + 1)[c];
    return before + z * (after - before);
}

/* R(T', T) for an event at place `place` of `cell`, and an earlier one at place `z` of `earlier`. */
static double response_between(const two_time *x, size_t cell, double place, size_t earlier, double z, size_t c)
{
    if (earlier == cell) {
        double one = c % (size_t)(x->k + 1) == 0;
        return one + (place - z) * (two_time_R(x, cell + 1, cell)[c] - one);
    }
    double low = response_to_node(x, cell, earlier, z, c), high = response_to_node(x, cell + 1, earlier, z, c);
    return low + place * (high - low);
}

/* Takes from r at slot `slot` what the earlier kicks left. */
static void remember(const two_time *x, const event_list *events, const double *kick, size_t slot, double *r)
{
    size_t k = (size_t)x->k;
    for (size_t b = 0; b < slot; b++)
        for (size_t a = 0; a < k; a++)
            for (size_t c = 0; c < k; c++)
                for (size_t p = 0; p < L; p++) {
                    size_t at = slot * L + p, from = b * L + p;
                    r[a * L + p] -= response_between(x, events->cell[at], events->place[at], events->cell[from],
                                                     events->place[from], a * k + c) *
                                    kick[(b * k + c) * L + p];
                }
}

static int make_room(const preactivation_process *process, preactivation_block *block)
{
    size_t slots = block->events.slots, n = slots * (size_t)process->x.k * L;
    if (slots <= block->room)
        return 0;
    double **fields[] = {&block->w_event, &block->r_event, &block->kick};
    for (size_t i = 0; i < 3; i++) {
        double *grown = realloc(*fields[i], n * sizeof *grown);
        if (!grown)
            return -1;
        *fields[i] = grown;
    }
    block->room = slots;
    return 0;
}

sgdmft_status preactivation_block_draw(const preactivation_process *process, uint64_t seed, uint64_t number,
                                       preactivation_block *block)
{
    const event_list *events = &block->events;
    size_t width = (size_t)process->x.k * L;
    double *eta_work = block->work + work_room(process) - schedule_work(process->eta);
    draw_field(process, seed, number, block);
    sample_draw(random_normals, seed, SAMPLE_NOISE, number, (size_t)process->shape.noises, block->work, block->eps);
    if (model_label(process->m, block->desk, L, block->wstar, block->eps, block->y))
        return SGDMFT_ERR_PLUGIN;
    if (event_list_draw(process->problem, &process->x, process->eta, eta_work, seed, number, &block->events) ||
        make_room(process, block))
        return SGDMFT_ERR_MEMORY;
    field_at_events(process, seed, number, block);
    for (size_t slot = 0; slot < events->slots; slot++) {
        double *r = block->r_event + slot * width;
        memcpy(r, block->w_event + slot * width, width * sizeof *r);
        remember(&process->x, events, block->kick, slot, r);
        if (event_kick(process->problem, process->m, block->desk, events, slot, r, block->y, block->work,
                       block->kick + slot * width))
            return SGDMFT_ERR_PLUGIN;
    }
    return SGDMFT_OK;
}

void preactivation_block_at(const preactivation_process *process, const preactivation_block *block, size_t node,
                            double *r)
{
    const event_list *events = &block->events;
    size_t k = (size_t)process->x.k;
    memcpy(r, block->w + node * k * L, k * L * sizeof *r);
    for (size_t b = 0; b < events->slots; b++)
        for (size_t a = 0; a < k; a++)
            for (size_t c = 0; c < k; c++)
                for (size_t p = 0; p < L; p++) {
                    size_t from = b * L + p;
                    if (events->cell[from] < node)
                        r[a * L + p] -=
                            response_to_node(&process->x, node, events->cell[from], events->place[from], a * k + c) *
                            block->kick[(b * k + c) * L + p];
                }
}
