/* Z = t: the kick of a step whose gradient is taken in the middle of the step, at a position that the kick itself
   moves. With the position r that the path has there without the kick, and A the response of this position to it,

     kick = length g(rho),   rho + A kick = r,   length = eta h.

   This is the implicit midpoint rule. Where g is monotone, as for a convex loss, there is one solution at any length.
   Where it is not, as rho + A length g(rho) may decrease, the step is divided into parts of equal length: part by part

     rho_s + A kick_s = r_{s-1},   r_s = r_{s-1} - 2 A kick_s,   r_0 = r,

   which is the flow of rho with the field held fixed, and kick is the sum. Both are symmetric schemes of order 2. */
#ifndef SGDMFT_PROCESS_MIDPOINT_H
#define SGDMFT_PROCESS_MIDPOINT_H

#include "process/kick.h"

/* As many parts are used as it takes for 1 + A length G to stay above 1/2 at r. */
enum { MIDPOINT_PARTS_MOST = 64 };

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
    return 5 * k + k * k + 3;
}

/* parts[n]: the numbers of parts, from 1 to MIDPOINT_PARTS_MOST, that a step from the positions r needs. Non-zero if a
   call-back asked to stop. */
int midpoint_parts(const midpoint_step *step, double *work, double *parts);

/* Computes the mean gradient g[k][n] of the step, so that kick = length g, and D[k][k][n], the derivative of the kick
   with respect to r. `rho`[k][n] is a first guess of the first part, and becomes its solution. Non-zero if a call-back
   asked to stop. */
typedef int (*midpoint_function)(const midpoint_step *step, const double *parts, double *work, double *rho, double *g,
                                 double *D);
int midpoint_kick(const midpoint_step *step, const double *parts, double *work, double *rho, double *g, double *D);

#endif
