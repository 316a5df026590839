/* The normals of a replica: teacher, start, label noise, innovations, and the increments of a process that diffuses. Only the drawing of an
   ensemble (ensemble.c) uses this. */
#ifndef SGDMFT_PATHS_DRAW_H
#define SGDMFT_PATHS_DRAW_H

#include "core/random.h"
#include "paths/ensemble.h"
#include "paths/purposes.h"

/* How the Sobol' dimensions are dealt out: first what fixes the sample, then leading modes of the innovations, then visits,
   then the other modes, then increments of the process. */
typedef struct dimension_plan {
    unsigned fields; /* z*, z0 and eps: dimensions 0 .. fields - 1 */
    unsigned lead;   /* modes of each component before the visits */
    unsigned visits; /* waiting times */
    unsigned modes;  /* quasi-random modes of the innovations per component, and of the process if it diffuses */
} dimension_plan;

/* The most leading modes that are quasi-random: of one component of the innovations, and of all. */
enum { QUASI_MODES = 64, QUASI_MODES_ALL = 192 };

static inline unsigned quasi_modes(unsigned components)
{
    unsigned share = QUASI_MODES_ALL / components;
    return share < QUASI_MODES ? share : QUASI_MODES;
}

typedef struct draw {
    const path_source *source;
    const time_grid *grid;
    model_shape shape;
    dimension_plan plan;
    uint32_t replica;
    size_t lanes;
    size_t *order; /* the path at lane q % lanes of block q / lanes is order[q], or q if NULL */
    path_ensemble *ensemble;
} draw;

static inline random_key draw_key(const draw *d, uint32_t purpose)
{
    return (random_key){d->source->problem->numerics.seed, d->replica, purpose};
}

/* Of the first waiting time. */
static inline unsigned draw_visits_dimension(const draw *d)
{
    return d->plan.fields + d->plan.lead * (unsigned)d->shape.k;
}

static inline size_t draw_path(const draw *d, size_t q)
{
    return d->order ? d->order[q] : q;
}

/* The Gaussian rows of all blocks. Collective call: every rank of the share makes it. */
sgdmft_status draw_gaussians(sgdmft_context *ctx, const draw *d);

#endif
