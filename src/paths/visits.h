/* The times of the visits of many paths, drawn by a law of visits (process/process.h). */
#ifndef SGDMFT_PATHS_VISITS_H
#define SGDMFT_PATHS_VISITS_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "core/random.h"
#include "paths/share.h"
#include "process/process.h"

/* Visits of many paths: path p has times time[first[p]] < ... < time[first[p + 1] - 1] in [0, horizon). */
typedef struct visit_list {
    size_t paths;
    size_t *first; /* [paths + 1] */
    double *time;
} visit_list;

/* Each visit takes one uniform number: the first `quasi` of each path come from Sobol' dimensions dimension, dimension + 1, ...,
   the others from the counter-based generator. */
sgdmft_status visit_list_draw(sgdmft_context *ctx, const visit_law *law, uint64_t seed, uint32_t replica, size_t paths,
                              double horizon, unsigned dimension, unsigned quasi, visit_list *out);
/* The same for the paths of this process alone, path p being of block p / lanes; the others have no visits. */
sgdmft_status visit_list_draw_shared(sgdmft_context *ctx, const visit_law *law, const path_share *share, size_t lanes,
                                     uint64_t seed, uint32_t replica, size_t paths, double horizon, unsigned dimension,
                                     unsigned quasi, visit_list *out);
void visit_list_clear(visit_list *list);

#endif
