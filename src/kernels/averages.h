/* Averages over paths that close the equations at one grid node t_i, as one flat array so that sums over blocks of
   paths are plain vector sums. With E the mean over paths, S_c = sum of step * g over the events of a path in cell c
   (what the driver adds up to there), K_b = d r(t_i) / d w(T_b), xi_c the normals of the innovation of cell c:

     gamma  [k][k]   E[G]                 outer [k][k]   E[g g^T]
     gr     [k][k]   E[g r^T]             gw0   [k][k]   E[g w(0)^T]
     mu     [k][k*]  E[g w*^T]
     rows   [cells before t_i][kinds][k][k]:
       VISITS                          E[g S_c^T]; for a drift E[S_last S_c^T] with the cell that ends at t_i
     and, by the way in which the response is found,
       pathwise: RESPONSE_LEFT, RESPONSE_RIGHT
                                       E[G sum_b K_b (1 - a_b)], E[G sum_b K_b a_b] over events b in the cell, where
                                       a_b is the place of the event in its cell, from 0 to 1
       Stein:    INNOVATION            E[g xi_c^T] */
#ifndef SGDMFT_KERNELS_AVERAGES_H
#define SGDMFT_KERNELS_AVERAGES_H

#include <stddef.h>

enum { VISITS = 0, RESPONSE_LEFT = 1, RESPONSE_RIGHT = 2, INNOVATION = 1 };

typedef enum response_kind { RESPONSE_PATHWISE, RESPONSE_STEIN } response_kind;

typedef struct averages_layout {
    int k, kstar, steps;
    response_kind response;
    size_t kinds;                           /* rows of a cell */
    size_t gamma, outer, gr, gw0, mu, rows; /* offsets */
    size_t size;                            /* doubles in all, for node t_N */
} averages_layout;

static inline averages_layout averages_layout_of(int k, int kstar, int steps, response_kind response)
{
    size_t kk = (size_t)(k * k);
    averages_layout at = {.k = k, .kstar = kstar, .steps = steps, .response = response};
    at.kinds = response == RESPONSE_PATHWISE ? 3 : 2;
    at.outer = kk;
    at.gr = 2 * kk;
    at.gw0 = 3 * kk;
    at.mu = 4 * kk;
    at.rows = at.mu + (size_t)(k * kstar);
    at.size = at.rows + (size_t)steps * at.kinds * kk;
    return at;
}

/* Where the rows of cell `cell` begin; with cell = i, also the doubles in use at node i. */
static inline size_t averages_used(const averages_layout *at, int cell)
{
    return at->rows + (size_t)cell * at->kinds * (size_t)(at->k * at->k);
}

static inline const double *averages_row(const averages_layout *at, const double *averages, int cell, int kind)
{
    return averages + averages_used(at, cell) + (size_t)kind * (size_t)(at->k * at->k);
}

#endif
