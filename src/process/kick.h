/* The kick of a process without jumps over one step, with the field held fixed: the change of

     d rho = - eta g(rho, y) dZ,   rho = r at first,   kick = r - rho at the end. */
#ifndef SGDMFT_PROCESS_KICK_H
#define SGDMFT_PROCESS_KICK_H

#include <stddef.h>

/* g[k][n] and, unless it is NULL, G[k][k][n] at position r[k][n], for the n lanes of a step. Non-zero if a plug-in
   asked to stop. */
typedef int (*kick_gradient)(void *user, const double *r, double *g, double *G);

/* g[points][k][n] at positions r[points][k][n], 1 <= points <= KICK_POINTS: several calls of kick_gradient in one, for
   callers to whom a call is expensive. */
enum { KICK_POINTS = 3 };
typedef int (*kick_gradients)(void *user, size_t points, const double *r, double *g);

typedef struct kick_step {
    size_t k, n;   /* components, lanes */
    double eta, h; /* step per visit, length of the step in time */
    const double
        *noise;      /* [n] standard normals: the increment of the Brownian motion is sqrt(h) noise; NULL without it */
    const double *r; /* [k][n] position at the start of the step */
    kick_gradient gradient;
    kick_gradients gradients; /* NULL: `gradient` is called for each point */
    void *user;
} kick_step;

/* kick[k][n] and, unless it is NULL, D[k][k][n], the derivative of the kick in r. `work` has kick_work(k) n doubles.
   Non-zero if a plug-in asked to stop. */
typedef int (*kick_function)(const kick_step *step, double *work, double *kick, double *D);

static inline size_t kick_work(size_t k)
{
    return 6 * k + 2 * k * k + 1;
}

#endif
