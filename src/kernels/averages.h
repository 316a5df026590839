/* The averages over paths at one node that close the equations, as one flat array, so that sums over blocks of paths
   are plain sums of vectors. E_A is the average over the law A(t_i) of a path given a visit at t_i (process/process.h),
   S_c the sum of the kicks in cell c, K_b = d r(t_i) / d w(T_b), and xi_c the normals of the innovation of cell c:

     gamma  [k][k]   E_A[G]                 outer [k][k]   E_A[g g^T]
     gr     [k][k]   E_A[g r^T]             gw0   [k][k]   E_A[g w(0)^T]
     mu     [k][k*]  E_A[g w*^T]
     rows   [cells before t_i][kinds][k][k]:
       VISITS        E_A[g S_c^T]; for a process without white noise E[S_last S_c^T] with the last cell before t_i
     and the rows of the estimator of the response (response.h), which are either
       RESPONSE_LEFT, RESPONSE_RIGHT
                     E_A[G sum_b K_b (1 - a_b)], E_A[G sum_b K_b a_b] over the events b in the cell, where a_b is the
                     place of the event in its cell, from 0 to 1
     or
       INNOVATION    E_A[g xi_c^T]
     or
       RESPONSE_CELL E[d S_last / d w_c], the change of the last kick with the field at the event of cell c
       CELL_SQUARE   the mean square of the same, component by component
       CELL_NORMAL   E[S_last xi_c^T]

   With response_midpoint, node i + 1 has the averages at the event of cell i, with g = S_i / (eta h) and with r as the
   kick has moved it there; gamma is not used. Before the kernel rows are made, RESPONSE_CELL is replaced by
   response_joint, and mu by response_midpoint_force.

   eta is not a factor of these averages. The law A(t) may jump at a node where an epoch begins. Averages then have two
   limits there: those just before the node end the cell before it, and those just after it start the next cell. */
#ifndef SGDMFT_KERNELS_AVERAGES_H
#define SGDMFT_KERNELS_AVERAGES_H

#include <stddef.h>

enum {
    VISITS = 0,
    RESPONSE_LEFT = 1,
    RESPONSE_RIGHT = 2,
    INNOVATION = 1,
    RESPONSE_CELL = 1,
    CELL_SQUARE = 2,
    CELL_NORMAL = 3
};

struct response_estimator;

typedef struct averages_layout {
    int k, kstar, steps;
    const struct response_estimator *response;
    size_t kinds;                           /* number of rows of a cell */
    size_t gamma, outer, gr, gw0, mu, rows; /* offsets */
    size_t size;                            /* doubles at node t_N, which has the most */
} averages_layout;

/* `kinds` is the number of rows of a cell: VISITS and those of the response. */
static inline averages_layout averages_layout_with(int k, int kstar, int steps,
                                                   const struct response_estimator *response, size_t kinds)
{
    size_t kk = (size_t)(k * k);
    averages_layout at = {.k = k, .kstar = kstar, .steps = steps, .response = response, .kinds = kinds};
    at.outer = kk;
    at.gr = 2 * kk;
    at.gw0 = 3 * kk;
    at.mu = 4 * kk;
    at.rows = at.mu + (size_t)(k * kstar);
    at.size = at.rows + (size_t)steps * at.kinds * kk;
    return at;
}

/* The offset of the rows of a cell. With cell = i it is also the number of doubles in use at node i. */
static inline size_t averages_used(const averages_layout *at, int cell)
{
    return at->rows + (size_t)cell * at->kinds * (size_t)(at->k * at->k);
}

/* The row [k][k] of one kind of a cell. */
static inline const double *averages_row(const averages_layout *at, const double *averages, int cell, int kind)
{
    return averages + averages_used(at, cell) + (size_t)kind * (size_t)(at->k * at->k);
}

#endif
