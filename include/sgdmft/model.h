/* A model by call-backs: a label and a loss that expressions cannot say, as functions of the program that calls the
   library (sgdmft_problem_set_model). A shared object for the program `sgdmft` is a plug-in (sgdmft/plugin.h).

   Block layout: arrays are component-major, component c of sample p of a block of n samples at x[c * n + p].
   The call-backs run on several threads at once, with the same `user`, and must change nothing there that another call
   reads. They return 0, or non-zero to abort the solve (SGDMFT_ERR_PLUGIN). */
#ifndef SGDMFT_MODEL_H
#define SGDMFT_MODEL_H

#include <stddef.h>

#include "export.h"

SGDMFT_BEGIN_DECLS

#define SGDMFT_MODEL_ABI 1

typedef struct sgdmft_model {
    int abi;          /* SGDMFT_MODEL_ABI */
    const char *name; /* for messages and files; NULL: "unnamed" */
    int students;     /* k, 1..8 */
    int teachers;     /* k*, 1..8 */
    int noises;       /* number of independent standard normals eps of a label, 0..8 */
    int labels;       /* number of components of y, 1..8 */
    void *user;       /* passed to the call-backs as it is */

    /* y[labels * n] from s[teachers * n] and eps[noises * n]. */
    int (*label)(void *user, size_t n, const double *s, const double *eps, double *y);

    /* Any of loss[n], g[students * n] (d loss/dr) and G[students * students * n] (d^2 loss/dr_a dr_b at component
       a * students + b, symmetric) is NULL where it is not needed. t[n] is the time of each sample, r[students * n] its
       preactivations. g must not jump in r: G would have a delta function, which averages over samples cannot see.
       All else is checked with random samples before a solve. */
    int (*loss)(void *user, size_t n, const double *t, const double *r, const double *y, double *loss, double *g,
                double *G);
} sgdmft_model;

SGDMFT_END_DECLS

#endif
