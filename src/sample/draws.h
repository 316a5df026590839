/* Which random number of a sampled path serves which purpose; the item of every draw is the number of the path. */
#ifndef SGDMFT_SAMPLE_DRAWS_H
#define SGDMFT_SAMPLE_DRAWS_H

#include <stdint.h>
#include <string.h>

#include "core/random.h"

enum {
    SAMPLE_LAW = 200,   /* (theta0, theta*) */
    SAMPLE_COORDINATES, /* the Gaussian part of theta^t */
    SAMPLE_TEACHER,     /* w* */
    SAMPLE_FIELD,       /* w^t at the nodes */
    SAMPLE_NOISE,       /* eps */
    SAMPLE_VISITS,      /* waiting times */
    SAMPLE_DRIVER,      /* increments of a Brownian driver */
    SAMPLE_BRIDGE,      /* w^t between the nodes */
    SAMPLE_MIXTURE      /* points of the law that histograms are averaged over */
};

/* Paths that are drawn together. Path number p is lane p % SAMPLE_LANES of block p / SAMPLE_LANES, always: what is not
   wanted of a block is drawn all the same. */
enum { SAMPLE_LANES = 64 };

/* x[n][SAMPLE_LANES] = draws 0 .. n - 1 of the paths of a block by `draw` (random_normals or random_uniforms); `row` has
   room for n doubles. */
static inline void sample_draw(void (*draw)(random_key, uint64_t, uint64_t, size_t, double *), uint64_t seed,
                               uint32_t purpose, uint64_t block, size_t n, double *row, double *x)
{
    random_key key = {.seed = seed, .replica = 0, .purpose = purpose};
    for (size_t p = 0; p < SAMPLE_LANES; p++) {
        draw(key, block * SAMPLE_LANES + p, 0, n, row);
        for (size_t i = 0; i < n; i++)
            x[i * SAMPLE_LANES + p] = row[i];
    }
}

#endif
