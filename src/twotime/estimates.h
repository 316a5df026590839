/* Averages over paths that close the equations at one grid node t_i, as one flat array so that sums over blocks of
   paths are plain vector sums. With E the mean over paths, S_c = sum of step * g over the visits of a path in cell c
   (step = eta times the mark of the visit), K_b = d r(t_i) / d w(T_b):

     gamma  [k][k]   E[G]                 outer [k][k]   E[g g^T]
     gr     [k][k]   E[g r^T]             gw0   [k][k]   E[g w(0)^T]
     mu     [k][k*]  E[g w*^T]
     rows   [cells before t_i][3][k][k]:
       RESPONSE_LEFT, RESPONSE_RIGHT   E[G sum_b K_b (1 - a_b)], E[G sum_b K_b a_b] over visits b in the cell, where
                                       a_b is the place of the visit in its cell, from 0 to 1
       VISITS                          E[g S_c^T] */
#ifndef SGDMFT_ESTIMATES_H
#define SGDMFT_ESTIMATES_H

#include <stddef.h>

enum { RESPONSE_LEFT = 0, RESPONSE_RIGHT = 1, VISITS = 2, ROW_KINDS = 3 };

typedef struct estimates_layout {
    int k, kstar, steps;
    size_t gamma, outer, gr, gw0, mu, rows; /* offsets */
    size_t size;                            /* doubles in all, for node t_N */
} estimates_layout;

static inline estimates_layout estimates_layout_of(int k, int kstar, int steps)
{
    size_t kk = (size_t)(k * k);
    estimates_layout at = {.k = k, .kstar = kstar, .steps = steps};
    at.outer = kk;
    at.gr = 2 * kk;
    at.gw0 = 3 * kk;
    at.mu = 4 * kk;
    at.rows = at.mu + (size_t)(k * kstar);
    at.size = at.rows + (size_t)steps * ROW_KINDS * kk;
    return at;
}

/* Doubles in use at node `node`. */
static inline size_t estimates_used(const estimates_layout *at, int node)
{
    return at->rows + (size_t)node * ROW_KINDS * (size_t)(at->k * at->k);
}

static inline const double *estimates_row(const estimates_layout *at, const double *estimates, int cell, int kind)
{
    return estimates + at->rows + ((size_t)cell * ROW_KINDS + (size_t)kind) * (size_t)(at->k * at->k);
}

#endif
