#include "sample/field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "problem/problem.h"

enum { L = SAMPLE_LANES };

/* out[k][k] = E (w_{i+1} - w_i) (w_{j+1} - w_j)^T */
static void increments(const sgdmft_problem *problem, const data_law *law, const two_time *x, size_t i, size_t j,
                       double *out)
{
    field_moments at[4];
    for (size_t a = 0; a < 4; a++)
        field_moments_between(problem, law, x, i + a / 2, j + a % 2, &at[a]);
    for (int c = 0; c < x->k * x->k; c++)
        out[c] = at[3].C[c] - at[2].C[c] - at[1].C[c] + at[0].C[c];
}

/* Increments of neighbouring cells have no white noise in common: their covariance, divided by both widths, is that of
   the smooth part of dw/dt. In the variance of an increment, the smooth part is h^2 times as much. */
void field_white_noise(const sgdmft_problem *problem, const data_law *law, const two_time *x, double *rate)
{
    size_t k = (size_t)x->k, kk = k * k, cells = x->n - 1;
    for (size_t i = 0; i < cells; i++) {
        double h = x->t[i + 1] - x->t[i], own[MATRIX_MAX * MATRIX_MAX], next[MATRIX_MAX * MATRIX_MAX];
        double smooth[MATRIX_MAX * MATRIX_MAX] = {0};
        int neighbours = 0;
        for (size_t j = i > 0 ? i - 1 : i + 1; j < cells && j <= i + 1; j += 2, neighbours++) {
            increments(problem, law, x, i, j, next);
            for (size_t c = 0; c < kk; c++)
                smooth[c] += (next[c] + next[c % k * k + c / k]) / (2 * h * (x->t[j + 1] - x->t[j]));
        }
        increments(problem, law, x, i, i, own);
        for (size_t c = 0; c < kk; c++)
            rate[i * kk + c] = own[c] / h - (neighbours > 0 ? smooth[c] / neighbours : 0) * h;
    }
}

static sgdmft_status set_bridge(sgdmft_context *ctx, const sgdmft_problem *problem, const data_law *law,
                                field_process *process)
{
    size_t kk = (size_t)(process->x.k * process->x.k), cells = process->x.n - 1;
    double inverse[MATRIX_MAX * MATRIX_MAX];
    double *rate = memory_doubles(cells * kk);
    process->bridge = memory_doubles(cells * kk);
    if (!rate || !process->bridge) {
        free(rate);
        return context_out_of_memory(ctx, "the bridges of the field", 16.0 * (double)(cells * kk));
    }
    field_white_noise(problem, law, &process->x, rate);
    int failed = 0;
    for (size_t i = 0; i < cells; i++)
        failed |= matrix_psd_root(process->x.k, rate + i * kk, process->bridge + i * kk, inverse);
    free(rate);
    return failed ? context_fail(ctx, SGDMFT_ERR_NON_FINITE, "C: the increments of the field have no finite variance")
                  : SGDMFT_OK;
}

sgdmft_status field_process_init(sgdmft_context *ctx, const sgdmft_problem *problem, const data_law *law,
                                 const two_time *x, field_process *out)
{
    *out = (field_process){.x = *x};
    sgdmft_status status = gaussian_process_of_field(ctx, problem, law, x, &out->nodes);
    int needed = problem->process->white_noise && problem->process->events != EVENTS_FRESH &&
                 !problem_uses_recursion(problem); /* there all events are at nodes */
    return status || !needed ? status : set_bridge(ctx, problem, law, out);
}

void field_process_clear(field_process *process)
{
    gaussian_process_clear(&process->nodes);
    free(process->bridge);
    process->bridge = NULL;
}

/* Adds the bridges of one path at its events, one after the other. A bridge that has the value b at time a and ends at
   time e has at t the mean b (e-t)/(e-a) and the variance (t-a)(e-t)/(e-a) times the rate. */
static void add_bridges(const field_process *process, random_key key, uint64_t path, size_t lane,
                        const event_list *events, double *w_event)
{
    enum { CHUNK = 16 };
    const two_time *x = &process->x;
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
        double keep = left > 0 ? (end - now) / left : 0, sd = left > 0 ? sqrt((now - last) * keep) : 0;
        for (size_t a = 0; a < k; a++) {
            beta[a] = keep * beta[a] + sd * z[slot % CHUNK * k + a];
            for (size_t b = 0; b < k; b++)
                w_event[(slot * k + b) * L + lane] += process->bridge[(cell * k + b) * k + a] * beta[a];
        }
        last = now;
    }
}

void field_at_events(const field_process *process, uint64_t seed, uint64_t block, const event_list *events,
                     const double *w, double *w_event)
{
    size_t k = (size_t)process->x.k;
    random_key key = {.seed = seed, .replica = 0, .purpose = SAMPLE_BRIDGE};
    for (size_t slot = 0; slot < events->slots; slot++)
        for (size_t a = 0; a < k; a++)
            for (size_t p = 0; p < L; p++) {
                size_t at = slot * L + p;
                const double *low = w + (events->cell[at] * k + a) * L + p, *high = low + k * L;
                w_event[(slot * k + a) * L + p] = *low + events->place[at] * (*high - *low);
            }
    for (size_t p = 0; p < L && process->bridge; p++)
        add_bridges(process, key, block * L + p, p, events, w_event);
}
