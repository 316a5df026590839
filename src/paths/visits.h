/* The times of the visits of many paths, drawn from a law of visits (process/process.h). */
#ifndef SGDMFT_PATHS_VISITS_H
#define SGDMFT_PATHS_VISITS_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "core/random.h"
#include "paths/share.h"
#include "process/process.h"

/* Path p is visited at the times time[first[p]] < ... < time[first[p + 1] - 1] in [0, horizon). */
typedef struct visit_list {
    size_t paths;
    size_t *first; /* [paths + 1] */
    double *time;
} visit_list;

/* Draws the visits of all paths. Each visit takes one uniform number: the first `quasi` numbers of a path come from the
   Sobol' dimensions dimension, dimension + 1, ..., the others from the counter-based generator. *out is owned by the
   caller (visit_list_clear). */
sgdmft_status visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica, size_t paths,
                              double horizon, double b, unsigned dimension, unsigned quasi, visit_list *out);

/* Draws the visits of the paths of this rank alone, where path p belongs to block p / lanes; other paths get none. */
sgdmft_status visit_list_draw_shared(sgdmft_context *ctx, const visit_law *law, const path_share *share, size_t lanes,
                                     uint64_t seed, uint32_t replica, size_t paths, double horizon, double b,
                                     unsigned dimension, unsigned quasi, visit_list *out);
void visit_list_clear(visit_list *list);

#endif
