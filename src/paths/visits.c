#include "paths/visits.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "paths/purposes.h"

/* Paths whose quasi-random numbers are made at once, and numbers of the counter-based generator that are drawn at
   once; paths between two looks at the caller's wish to stop. */
enum { CHUNK = 1024, DRAWS = 32, PATHS_BETWEEN = 16 };

/* A list of times that grows. */
typedef struct list_builder {
    double *time;
    size_t used, capacity;
} list_builder;

static int append(list_builder *list, double time)
{
    if (list->used == list->capacity) {
        size_t capacity = 2 * list->capacity + 1024;
        double *grown = realloc(list->time, capacity * sizeof *grown);
        if (!grown)
            return -1;
        list->time = grown;
        list->capacity = capacity;
    }
    list->time[list->used++] = time;
    return 0;
}

/* Appends the visits of one path, whose quasi-random numbers are u[j * stride], j < quasi. Non-zero if memory runs
   out. */
static int draw_path(const visit_law *law, list_builder *list, random_key key, uint64_t path, double horizon, double b,
                     const double *u, size_t stride, unsigned quasi)
{
    double now = 0, more[DRAWS];
    size_t number = 0;
    for (unsigned j = 0; j < quasi; j++) {
        now = law->time(number++, now, u[j * stride], b);
        if (!(now < horizon))
            return 0;
        if (append(list, now))
            return -1;
    }
    for (uint64_t first = 0;; first += DRAWS) {
        random_uniforms(key, path, first, DRAWS, more);
        for (int j = 0; j < DRAWS; j++) {
            now = law->time(number++, now, more[j], b);
            if (!(now < horizon))
                return 0;
            if (append(list, now))
                return -1;
        }
    }
}

sgdmft_status visit_list_draw_shared(sgdmft_context *ctx, const visit_law *law, const path_share *share, size_t lanes,
                                     uint64_t seed, uint32_t replica, size_t paths, double horizon, double b,
                                     unsigned dimension, unsigned quasi, visit_list *out)
{
    random_key sobol = {seed, replica, PURPOSE_SOBOL}, philox = {seed, replica, PURPOSE_VISITS};
    list_builder list = {NULL, 0, 0};
    double *u = memory_doubles(lanes * (quasi ? quasi : 1));
    size_t *first = memory_zeroed(paths + 1, sizeof *first);
    int failed = !u || !first, stopped = 0;
    for (size_t start = 0; start < paths && !failed; start += lanes) {
        size_t n = paths - start < lanes ? paths - start : lanes;
        int ours = share_owns(share, start / lanes);
        for (unsigned j = 0; j < quasi && ours; j++)
            sobol_points(sobol, dimension + j, start, n, u + (size_t)j * lanes);
        for (size_t p = 0; p < n && !failed; p++) {
            stopped = p % PATHS_BETWEEN == 0 && context_stop_now(ctx);
            failed = stopped || (ours && draw_path(law, &list, philox, start + p, horizon, b, u + p, lanes, quasi));
            first[start + p + 1] = list.used;
        }
    }
    free(u);
    if (failed) {
        free(first);
        free(list.time);
        if (stopped)
            return context_interrupted(ctx, "the visits were drawn");
        return context_out_of_memory(ctx, "the visit times", 8.0 * (double)paths * (1 + horizon));
    }
    *out = (visit_list){paths, first, list.time};
    return SGDMFT_OK;
}

sgdmft_status visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica, size_t paths,
                              double horizon, double b, unsigned dimension, unsigned quasi, visit_list *out)
{
    return visit_list_draw_shared(ctx, law, NULL, CHUNK, seed, replica, paths, horizon, b, dimension, quasi, out);
}

void visit_list_clear(visit_list *list)
{
    free(list->first);
    free(list->time);
    memset(list, 0, sizeof *list);
}
