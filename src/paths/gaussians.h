/* Draws the normals of a replica: those of the teacher, the start, the label noise and the innovations, and the
   increments of a process that diffuses. A part of ensemble.c, which alone uses it. */
#ifndef SGDMFT_PATHS_GAUSSIANS_H
#define SGDMFT_PATHS_GAUSSIANS_H

#include "core/random.h"
#include "paths/ensemble.h"
#include "paths/purposes.h"

/* How the Sobol' dimensions are assigned. The first dimensions are the most uniform, so they go to the numbers that
   matter most: first those that fix the sample, then the leading modes of the innovations, the visits, the other modes,
   and the increments of the process. */
typedef struct dimension_plan {
    unsigned fields; /* z*, z0 and eps: dimensions 0 .. fields - 1 */
    unsigned lead;   /* modes of each component before the visits */
    unsigned visits; /* quasi-random times of visits of a path */
    unsigned modes;  /* quasi-random modes of the innovations per component, and of the process if it diffuses */
} dimension_plan;

/* The largest numbers of quasi-random modes: for one component of the innovations, and for all components together. */
enum { QUASI_MODES = 64, QUASI_MODES_ALL = 192 };

static inline unsigned quasi_modes(unsigned components)
{
    unsigned share = QUASI_MODES_ALL / components;
    return share < QUASI_MODES ? share : QUASI_MODES;
}

/* The drawing of one ensemble. */
typedef struct draw {
    const path_source *source;
    const time_grid *grid;
    model_shape shape;
    dimension_plan plan;
    uint32_t replica;
    size_t lanes;
    size_t *order; /* [paths] the path at position q, or NULL if it is q */
    path_ensemble *ensemble;
} draw;

/* The stream of random numbers for a purpose. */
static inline random_key draw_key(const draw *d, uint32_t purpose)
{
    return (random_key){d->source->problem->numerics.seed, d->replica, purpose};
}

/* The Sobol' dimension of the first visit. */
static inline unsigned draw_visits_dimension(const draw *d)
{
    return d->plan.fields + d->plan.lead * (unsigned)d->shape.k;
}

/* The path at position q: lane q % lanes of block q / lanes. */
static inline size_t draw_path(const draw *d, size_t q)
{
    return d->order ? d->order[q] : q;
}

/* Draws the Gaussian rows of all blocks and matches their moments. Collective call: every rank of the share makes
   it. */
sgdmft_status draw_gaussians(sgdmft_context *ctx, const draw *d);

#endif
