#include "sample/preactivations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "problem/problem.h"

enum { L = SAMPLE_LANES };

/* The response of the field: that of theta, or an array of its own. */
static sgdmft_status set_response(sgdmft_context *ctx, preactivation_process *process)
{
    size_t kk = (size_t)(process->x.k * process->x.k), blocks = process->x.n * process->x.n;
    process->R_w = process->x.R;
    if (data_law_shares_response(&process->law))
        return SGDMFT_OK;
    process->own_response = memory_doubles(blocks * kk);
    if (!process->own_response)
        return context_out_of_memory(ctx, "the response of the field", 8.0 * (double)(blocks * kk));
    for (size_t b = 0; b < blocks; b++)
        data_law_response(&process->law, process->x.R + b * kk, process->own_response + b * kk);
    process->R_w = process->own_response;
    return SGDMFT_OK;
}

/* A run with a merged history of many steps has two-time arrays at few of its nodes, between which the memory of a path
   cannot be interpolated. Nodes of the whole grid are never so many times further apart than its longest step. */
static const double FURTHER_APART = 3;

static sgdmft_status check_nodes(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x)
{
    double longest = problem->numerics.grading * problem->horizon / problem->numerics.steps, widest = 0;
    for (size_t i = 1; i < x->n; i++)
        widest = fmax(widest, x->t[i] - x->t[i - 1]);
    if (widest <= FURTHER_APART * longest)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                        "%s: the run has two-time arrays at %zu nodes of %d steps only, which is too few to sample "
                        "preactivations; hint: solve with numerics.history: full or at most 256 steps, or sample "
                        "coordinates",
                        problem->source, x->n, problem->numerics.steps);
}

sgdmft_status preactivation_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                        preactivation_process **out)
{
    *out = NULL;
    sgdmft_status status = two_time_check(ctx, x, problem);
    if (!status)
        status = check_nodes(ctx, problem, x);
    if (status)
        return status;
    preactivation_process *process = calloc(1, sizeof *process);
    if (!process)
        return context_out_of_memory(ctx, "the process of the preactivations", sizeof *process);
    process->events = problem->process;
    process->recursion = problem_uses_recursion(problem);
    process->x = *x;
    status = model_new(ctx, problem, &process->m);
    if (!status)
        status = schedule_new(ctx, problem, &process->eta);
    if (!status)
        status = data_law_init(ctx, problem, &process->law);
    if (!status)
        status = field_process_init(ctx, problem, &process->law, x, &process->field);
    if (!status)
        status = set_response(ctx, process);
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
    field_process_clear(&process->field);
    free(process->own_response);
    free(process);
}

sgdmft_status preactivation_paths_new(sgdmft_context *ctx, const preactivation_process *process,
                                      preactivation_paths **out)
{
    size_t k = (size_t)process->x.k, kstar = (size_t)process->x.kstar, n = process->x.n;
    size_t noises = (size_t)process->shape.noises, row = n * k > kstar + noises ? n * k : kstar + noises;
    *out = NULL;
    preactivation_paths *p = calloc(1, sizeof *p);
    if (!p)
        return context_out_of_memory(ctx, "a block of paths", sizeof *p);
    p->w = memory_doubles(n * k * L);
    p->normals = memory_doubles(n * k * L);
    p->wstar = memory_doubles(kstar * L);
    p->eps = memory_doubles(noises * L);
    p->y = memory_doubles((size_t)process->shape.labels * L);
    p->row = memory_doubles(row);
    p->eta_work = memory_doubles(schedule_work(process->eta));
    p->kick_work = memory_doubles(event_work(process->x.k));
    int failed = !p->w || !p->normals || !p->wstar || !p->eps || !p->y || !p->row || !p->eta_work || !p->kick_work;
    sgdmft_status status = failed ? context_out_of_memory(ctx, "a block of paths", 16.0 * (double)(n * k * L))
                                  : event_list_new(ctx, &p->events);
    if (!status)
        status = model_work_new(ctx, process->m, L, &p->model);
    if (status)
        preactivation_paths_free(p);
    else
        *out = p;
    return status;
}

void preactivation_paths_free(preactivation_paths *p)
{
    if (!p)
        return;
    event_list_clear(&p->events);
    model_work_free(p->model);
    free(p->w);
    free(p->normals);
    free(p->wstar);
    free(p->eps);
    free(p->y);
    free(p->w_event);
    free(p->r_event);
    free(p->kick);
    free(p->row);
    free(p->eta_work);
    free(p->kick_work);
    free(p);
}

/* w*, the label, and w at all nodes. Non-zero if a plug-in asked to stop. */
static int draw_sample(const preactivation_process *process, uint64_t seed, uint64_t number, preactivation_paths *p)
{
    const gaussian_process *nodes = &process->field.nodes;
    sample_draw(random_normals, seed, SAMPLE_TEACHER, number, (size_t)process->x.kstar, p->row, p->wstar);
    data_law_signals(&process->law, L, p->wstar);
    sample_draw(random_normals, seed, SAMPLE_FIELD, number, nodes->rest.n, p->row, p->normals);
    gaussian_process_draw(nodes, L, p->normals, NULL, p->wstar, p->w);
    sample_draw(random_normals, seed, SAMPLE_NOISE, number, (size_t)process->shape.noises, p->row, p->eps);
    return model_label(process->m, p->model, L, p->wstar, p->eps, p->y);
}

/* Component c of R_w(t_i, T) for an event at `place` of `cell`, i > cell. */
static double response_to_node(const preactivation_process *process, size_t i, size_t cell, double place, size_t c)
{
    size_t kk = (size_t)(process->x.k * process->x.k);
    const double *row = process->R_w + (i * process->x.n + cell) * kk;
    if (process->recursion)
        return row[kk + c];
    return row[c] + place * (row[kk + c] - row[c]);
}

/* Component c of R_w(T', T) for an event at `place` of `cell`, and an earlier one at `from_place` of cell `from`. */
static double response_between(const preactivation_process *process, size_t cell, double place, size_t from,
                               double from_place, size_t c)
{
    if (process->recursion)
        return response_to_node(process, cell, from, from_place, c);
    if (from == cell) {
        double now = response_to_node(process, cell, cell, 0, c),
               later = response_to_node(process, cell + 1, cell, 0, c);
        return now + (place - from_place) * (later - now);
    }
    double low = response_to_node(process, cell, from, from_place, c);
    double high = response_to_node(process, cell + 1, from, from_place, c);
    return low + place * (high - low);
}

/* Subtracts from r at slot `slot` what is left of the earlier kicks. */
static void subtract_kicks(const preactivation_process *process, const event_list *events, const double *kick,
                           size_t slot, double *r)
{
    size_t k = (size_t)process->x.k;
    for (size_t b = 0; b < slot; b++)
        for (size_t a = 0; a < k; a++)
            for (size_t c = 0; c < k; c++)
                for (size_t p = 0; p < L; p++) {
                    size_t at = slot * L + p, from = b * L + p;
                    r[a * L + p] -= response_between(process, events->cell[at], events->place[at], events->cell[from],
                                                     events->place[from], a * k + c) *
                                    kick[(b * k + c) * L + p];
                }
}

static int make_room(const preactivation_process *process, preactivation_paths *p)
{
    size_t slots = p->events.slots, n = slots * (size_t)process->x.k * L;
    if (slots <= p->room)
        return 0;
    double **fields[] = {&p->w_event, &p->r_event, &p->kick};
    for (size_t i = 0; i < 3; i++) {
        double *grown = realloc(*fields[i], n * sizeof *grown);
        if (!grown)
            return -1;
        *fields[i] = grown;
    }
    p->room = slots;
    return 0;
}

sgdmft_status preactivation_paths_draw(const preactivation_process *process, uint64_t seed, uint64_t number,
                                       preactivation_paths *p)
{
    size_t width = (size_t)process->x.k * L;
    if (draw_sample(process, seed, number, p))
        return SGDMFT_ERR_PLUGIN;
    if (event_list_draw(process->events, &process->x, process->eta, p->eta_work, seed, number, &p->events) ||
        make_room(process, p))
        return SGDMFT_ERR_MEMORY;
    if (process->recursion)
        event_list_gather(&process->x, &p->events);
    field_at_events(&process->field, seed, number, &p->events, p->w, p->w_event);
    for (size_t slot = 0; slot < p->events.slots; slot++) {
        double *r = p->r_event + slot * width;
        memcpy(r, p->w_event + slot * width, width * sizeof *r);
        subtract_kicks(process, &p->events, p->kick, slot, r);
        if (event_kick(process->events, process->m, p->model, &p->events, slot, r, p->y, p->kick_work,
                       p->kick + slot * width))
            return SGDMFT_ERR_PLUGIN;
    }
    return SGDMFT_OK;
}

sgdmft_status preactivation_paths_report(sgdmft_context *ctx, sgdmft_status status)
{
    if (status == SGDMFT_ERR_PLUGIN)
        return context_fail(ctx, status, "model: a call-back asked to stop");
    return status ? context_out_of_memory(ctx, "the visits of a block of paths", 0) : SGDMFT_OK;
}

void preactivation_paths_at(const preactivation_process *process, const preactivation_paths *p, size_t node, double *r)
{
    const event_list *events = &p->events;
    size_t k = (size_t)process->x.k;
    memcpy(r, p->w + node * k * L, k * L * sizeof *r);
    for (size_t b = 0; b < events->slots; b++)
        for (size_t a = 0; a < k; a++)
            for (size_t c = 0; c < k; c++)
                for (size_t lane = 0; lane < L; lane++) {
                    size_t from = b * L + lane;
                    if (events->cell[from] < node)
                        r[a * L + lane] -=
                            response_to_node(process, node, events->cell[from], events->place[from], a * k + c) *
                            p->kick[(b * k + c) * L + lane];
                }
}
