/* Z = t: the kick of a step whose gradient is taken inside the step, at a position that the kick itself moves. With the
   position r that the path has there without the kick, and A the response of this position to it,

     kick = length g(rho),   rho + A kick = r,   length = eta h.

   For a position in the middle of the step this is the implicit midpoint rule. Solutions are stationary points of

     length loss(rho) + (rho - r)^T A^{-1} (rho - r) / 2.

   Where the loss is convex, there is one at any length. Where it is not, there may be several, and the path is at that
   minimum to which this function leads down from the position in the step before: paths stay in the minimum of their
   own where they are until it vanishes. */
#ifndef SGDMFT_PROCESS_MIDPOINT_H
#define SGDMFT_PROCESS_MIDPOINT_H

#include "process/kick.h"

typedef struct midpoint_step {
    size_t k, n;       /* components, lanes */
    double length;     /* eta h */
    const double *own; /* [k][k] A */
    const double *r;   /* [k][n] */
    kick_gradient gradient;
    void *user;
} midpoint_step;

/* Doubles of scratch memory per lane. */
static inline size_t midpoint_work(size_t k)
{
    return 3 * k + k * k + 2;
}

/* Computes the gradient g[k][n] at rho, so that kick = length g, and D[k][k][n], the derivative of the kick with
   respect to r. `rho`[k][n] is the position in the step before, and becomes the solution. Non-zero if a call-back asked
   to stop. */
typedef int (*midpoint_function)(const midpoint_step *step, double *work, double *rho, double *g, double *D);
int midpoint_kick(const midpoint_step *step, double *work, double *rho, double *g, double *D);

#endif
