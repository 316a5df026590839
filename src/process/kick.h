/* The kick of a continuous process over one step, with the field held fixed: kick = r - rho at the end of the step,
   where

     d rho = - eta g(rho, y) dZ,   rho = r at its start. */
#ifndef SGDMFT_PROCESS_KICK_H
#define SGDMFT_PROCESS_KICK_H

#include <stddef.h>

/* Computes g[k][n] and, unless it is NULL, G[k][k][n] at the positions r[k][n] of the n lanes of a step. Non-zero if a
   call-back asked to stop. */
typedef int (*kick_gradient)(void *user, const double *r, double *g, double *G);

/* Computes g[points][k][n] at positions r[points][k][n], 1 <= points <= KICK_POINTS, in one call, for callers to whom
   each call is expensive. */
enum { KICK_POINTS = 3 };
typedef int (*kick_gradients)(void *user, size_t points, const double *r, double *g);

typedef struct kick_step {
    size_t k, n;         /* components, lanes */
    double eta, h;       /* step per visit, length of the step in time */
    const double *noise; /* [n] standard normals, dB = sqrt(h) noise; NULL for a process without Brownian motion */
    const double *r;     /* [k][n] position at the start of the step */
    kick_gradient gradient;
    kick_gradients gradients; /* NULL: `gradient` is called for each point */
    void *user;
} kick_step;

/* Computes kick[k][n] and, unless it is NULL, D[k][k][n], the derivative of the kick with respect to r. `work` has
   kick_work(k) n doubles. Non-zero if a call-back asked to stop. */
typedef int (*kick_function)(const kick_step *step, double *work, double *kick, double *D);

/* Doubles of scratch memory per lane. */
static inline size_t kick_work(size_t k)
{
    return 6 * k + 2 * k * k + 1;
}

#endif
