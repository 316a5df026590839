#include "sample/events.h"

#include <math.h>
#include <stdlib.h>

/* CHUNK: uniform numbers that are drawn at a time, and slots that there is room for at first. */
enum { L = SAMPLE_LANES, CHUNK = 16 };

static int make_room(event_list *list, size_t slots)
{
    if (slots <= list->room)
        return 0;
    size_t room = slots < 2 * list->room ? 2 * list->room : slots, n = room * L;
    double **fields[] = {&list->time, &list->place, &list->eta, &list->length, &list->noise};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        double *grown = realloc(*fields[i], n * sizeof *grown);
        if (!grown)
            return -1;
        *fields[i] = grown;
    }
    size_t *cell = realloc(list->cell, n * sizeof *cell);
    if (!cell)
        return -1;
    list->cell = cell;
    list->room = room;
    return 0;
}

sgdmft_status event_list_new(sgdmft_context *ctx, event_list *list)
{
    *list = (event_list){.slots = 0};
    list->count = calloc(L, sizeof *list->count);
    return list->count && !make_room(list, CHUNK) ? SGDMFT_OK
                                                  : context_out_of_memory(ctx, "the events of a block of paths", 0);
}

void event_list_clear(event_list *list)
{
    free(list->count);
    free(list->cell);
    free(list->time);
    free(list->place);
    free(list->eta);
    free(list->length);
    free(list->noise);
    *list = (event_list){.slots = 0};
}

static void put(const two_time *x, event_list *list, size_t slot, size_t lane, double time, double length)
{
    size_t at = slot * L + lane;
    list->time[at] = time;
    list->length[at] = length;
    list->noise[at] = 0;
    list->cell[at] = two_time_cell(x, time, &list->place[at]);
}

/* The visits of one path up to the end of the grid. */
static int draw_visits(const visit_law *law, double b, const two_time *x, random_key key, uint64_t path, size_t lane,
                       event_list *list)
{
    double end = x->t[x->n - 1], time = 0, u[CHUNK];
    for (size_t slot = 0;; slot++) {
        if (slot % CHUNK == 0)
            random_uniforms(key, path, slot, CHUNK, u);
        time = law->time(slot, time, 1 - u[slot % CHUNK], b);
        if (time >= end) {
            list->count[lane] = (int)slot;
            return 0;
        }
        if (make_room(list, slot + 1))
            return -1;
        put(x, list, slot, lane, time, 0);
        if (slot + 1 > list->slots)
            list->slots = slot + 1;
    }
}

static int draw_all_visits(const visit_law *law, double b, const two_time *x, uint64_t seed, uint64_t block,
                           event_list *list)
{
    random_key key = {.seed = seed, .replica = 0, .purpose = SAMPLE_VISITS};
    list->slots = 0;
    for (size_t lane = 0; lane < L; lane++)
        if (draw_visits(law, b, x, key, block * L + lane, lane, list))
            return -1;
    for (size_t lane = 0; lane < L; lane++)
        for (size_t slot = (size_t)list->count[lane]; slot < list->slots; slot++)
            put(x, list, slot, lane, x->t[x->n - 1], 0);
    return 0;
}

/* Equal steps within each cell. */
static int place_steps(const two_time *x, double longest, event_list *list)
{
    list->slots = 0;
    for (size_t i = 0; i + 1 < x->n; i++) {
        double h = x->t[i + 1] - x->t[i];
        size_t parts = (size_t)ceil(h / longest * (1 - 1e-12));
        if (make_room(list, list->slots + parts))
            return -1;
        for (size_t part = 0; part < parts; part++, list->slots++)
            for (size_t lane = 0; lane < L; lane++)
                put(x, list, list->slots, lane, x->t[i] + h * ((double)part + 0.5) / (double)parts, h / (double)parts);
    }
    for (size_t lane = 0; lane < L; lane++)
        list->count[lane] = (int)list->slots;
    return 0;
}

static int draw_noise(uint64_t seed, uint64_t block, event_list *list)
{
    double *row = malloc((list->slots + 1) * sizeof *row);
    if (row)
        sample_draw(random_normals, seed, SAMPLE_INCREMENTS, block, list->slots, row, list->noise);
    free(row);
    return row ? 0 : -1;
}

int event_list_draw(const sample_process *process, const two_time *x, const schedule *eta, double *work, uint64_t seed,
                    uint64_t block, event_list *list)
{
    int failed = 0;
    list->slots = 0;
    if (process->visits)
        failed = draw_all_visits(process->visits, x->t[1] - x->t[0], x, seed, block, list);
    else if (process->events == EVENTS_STEPS)
        failed = place_steps(x, process->sample_step, list) || (process->diffuses && draw_noise(seed, block, list));
    if (failed)
        return -1;
    schedule_values(eta, work, list->slots * L, list->time, list->eta);
    for (size_t lane = 0; lane < L; lane++)
        for (size_t slot = (size_t)list->count[lane]; slot < list->slots; slot++)
            list->eta[slot * L + lane] = 0;
    return 0;
}

void event_list_gather(const two_time *x, event_list *list)
{
    for (size_t at = 0; at < list->slots * L; at++) {
        list->time[at] = x->t[list->cell[at]];
        list->place[at] = 0;
    }
}

/* The gradient of a block of paths at the time of one event. */
typedef struct gradient_source {
    const model *m;
    model_work *work;
    const double *time, *y;
} gradient_source;

static int gradient_at(void *user, const double *r, double *g, double *G)
{
    const gradient_source *source = user;
    return model_gradient(source->m, source->work, L, source->time, r, source->y, g, G);
}

size_t event_work(int k)
{
    return kick_work((size_t)k) * L;
}

int event_kick(const sample_process *process, const model *m, model_work *of_model, const event_list *list, size_t slot,
               const double *r, const double *y, double *work, double *kick)
{
    size_t k = (size_t)model_get_shape(m).k, at = slot * L;
    gradient_source source = {.m = m, .work = of_model, .time = list->time + at, .y = y};
    if (process->events == EVENTS_STEPS) {
        kick_step step = {.k = k,
                          .n = L,
                          .eta = list->eta[at],
                          .h = list->length[at],
                          .noise = process->diffuses ? list->noise + at : NULL,
                          .r = r,
                          .gradient = gradient_at,
                          .user = &source};
        return process->kick(&step, work, kick, NULL);
    }
    if (gradient_at(&source, r, kick, NULL))
        return -1;
    for (size_t i = 0; i < k * L; i++)
        kick[i] *= list->eta[at + i % L];
    return 0;
}
