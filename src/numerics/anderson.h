/* Anderson acceleration of a fixed-point iteration x = f(x) on plain arrays: the next iterate is the combination of the
   last few images whose residual f(x) - x is smallest in a weighted Euclidean norm (Anderson 1965; type II).

   SUNDIALS' fixed-point solver runs the whole iteration by itself on vectors of one length; here the vectors grow with
   every time step, and the iteration belongs to the caller, who measures convergence in other quantities and may stop
   for other reasons. */
#ifndef SGDMFT_NUMERICS_ANDERSON_H
#define SGDMFT_NUMERICS_ANDERSON_H

#include <stddef.h>

#include "core/context.h"

enum { ANDERSON_DEPTH_MOST = 5 };

typedef struct anderson {
    size_t capacity, size; /* largest and present length of x */
    int depth;             /* differences that are kept, at most */
    int stored;            /* differences in memory */
    int started;           /* 1 after the first iterate */
    double *space;
    double *image, *residual;                                                     /* of the last iterate */
    double *image_step[ANDERSON_DEPTH_MOST], *residual_step[ANDERSON_DEPTH_MOST]; /* differences, newest first */
    double *weight; /* [capacity] of each number in the norm, 1 unless the caller changes it */
} anderson;

/* `depth` is from 1 to ANDERSON_DEPTH_MOST. */
sgdmft_status anderson_init(sgdmft_context *ctx, size_t capacity, int depth, anderson *out);
void anderson_clear(anderson *a);

/* Forgets the past; the next vectors have `size` numbers. */
void anderson_restart(anderson *a, size_t size);

/* Given the iterate x and its image f, replaces f by the accelerated next iterate. The first call leaves f as it is. */
void anderson_next(anderson *a, const double *x, double *f);

#endif
