/* The random numbers of sampled paths: which of them serves which purpose, and how a block draws them. */
#ifndef SGDMFT_SAMPLE_DRAWS_H
#define SGDMFT_SAMPLE_DRAWS_H

#include <stdint.h>

#include "core/random.h"

/* Purposes of random_key. The item of a draw is the number of the path. */
enum {
    SAMPLE_LAW = 200,   /* (theta(0), theta*) */
    SAMPLE_COORDINATES, /* normals of theta^t */
    SAMPLE_TEACHER,     /* w* */
    SAMPLE_FIELD,       /* w^t at the nodes */
    SAMPLE_NOISE,       /* eps */
    SAMPLE_VISITS,      /* times of visits */
    SAMPLE_INCREMENTS,  /* increments of a process that diffuses */
    SAMPLE_BRIDGE,      /* w^t between the nodes */
    SAMPLE_MIXTURE      /* points of the law that histograms are averaged over */
};

/* Paths of a block. Path number p is lane p % SAMPLE_LANES of block p / SAMPLE_LANES. A block is always drawn as a
   whole, so that a path does not depend on how many there are. */
enum { SAMPLE_LANES = 64 };

/* x[n][SAMPLE_LANES] = draws 0 .. n - 1 of the paths of a block by `draw` (random_normals or random_uniforms); `row`
   has room for n doubles. */
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
