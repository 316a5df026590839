/* The history seam: what a path keeps of its past, how rows of the kernels contract with it, and how averages correlate
   with it. Nothing else reads these arrays.

   A path was kicked at its events b, and R is interpolated bilinearly in its two times. The integral of (1) therefore
   needs a few numbers for each node instead of one for each pair of events. With S_c the sum of the kicks of cell c,
   and B_c the sum of place * kick over them,

     int_0^t R(t, v) eta g(v) dZ(v) = sum_b R(t, T_b) kick_b
                                    = sum_j R(t, t_j) S_j + (R(t, t_{j+1}) - R(t, t_j)) B_j
                                    = sum_j R(t, t_j) K_j,   K_j = S_j - B_j + B_{j-1}.

   Where the step rule is fitted (kernels/fitting.h), R(t, s) follows an exponential between nodes in s, and psi(place)
   takes the part of the place in B_c.

   Where an epoch begins at node j, K_j is kept in its two parts B_{j-1} and S_j - B_j, so that the kicks before the
   node can be separated from those after it. */
#ifndef SGDMFT_PATHS_HISTORY_H
#define SGDMFT_PATHS_HISTORY_H

#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "paths/rows.h"

typedef struct path_history {
    path_rows normals;   /* xi_c of every cell, the normals of the innovations */
    path_rows kicks;     /* S_c of every cell before the newest one */
    path_rows nodes;     /* K_j in the order of the nodes; for the newest node, without the kicks after it */
    path_rows moments;   /* B_c of every cell, where the last visit is integrated out; otherwise empty */
    path_rows gradients; /* g at every node, where the last visit is integrated out; otherwise empty */
    int *row;            /* [steps + 1] the last row of `nodes` that belongs to node j: it takes S_j - B_j */
} path_history;

/* The sizes and the contents of a history. */
typedef struct history_plan {
    int k;
    size_t n; /* lanes */
    const time_grid *grid;
    int single;     /* 1: rows in single precision (rows.h) */
    int last_visit; /* 1: with moments and gradients, from which last_visit.c integrates */
} history_plan;

/* `xi` are the normals [steps][k][n]; they must outlive the history. Non-zero if memory runs out; *out must then still
   be cleared. */
int path_history_new(const history_plan *plan, double *xi, path_history *out);
void path_history_clear(path_history *h);

double path_history_bytes(const history_plan *plan);

/* Begins at node 0, before any event. zero[k][n] is all zeros. */
void path_history_start(const path_history *h, const double *zero);

/* own += sum_{j < node} V_{node,j} xi_j: the part of the field w(t_node) that comes from the innovations. */
void path_history_field(const path_history *h, const kernels *kern, int node, double *own);

/* r -= sum of R(t_node, T_b) kick_b over the events b in cells first .. last - 1. Each of `first` and `last` is a node
   at which an epoch begins, unless first = 0 or last = node. With last = node, the kicks of the newest cell, which ends
   there, are left out: they are not known yet. `row` is scratch for 2 k k node doubles: a node at which an epoch begins
   has two rows. */
void path_history_recall(const path_history *h, const kernels *kern, int node, int first, int last, double *row,
                         double *r);

/* For each of the first `cells` cells c, adds x y_c^T, summed over lanes, to row `kind` of the averages of cell c. x is
   [k][n], y one of the rows above, `row` scratch for k k cells doubles. */
void path_history_correlate(const path_rows *y, const averages_layout *at, int cells, int kind, const double *x,
                            double *row, double *sums);

/* Cell `cell` ends, and the sum and the moment of its kicks are S[k][n] and B[k][n]. zero[k][n] is all zeros. */
void path_history_close_cell(const path_history *h, const time_grid *grid, int cell, const double *S, const double *B,
                             const double *zero);

#endif
