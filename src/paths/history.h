/* The history seam: what a path keeps of its past, how rows of the kernels contract with it, and how averages correlate with it.
   Nothing else reads these arrays.

   A path was kicked at its events b, and R is bilinear in its two times. So its memory is a few numbers for each node and not for
   each pair of events. With S_c the sum of the kicks of cell c and B_c that of place * kick,

     sum_b R(t, T_b) kick_b = sum_j R(t, t_j) S_j + (R(t, t_{j+1}) - R(t, t_j)) B_j
                            = sum_j R(t, t_j) K_j,   K_j = S_j - B_j + B_{j-1}.

   Where an epoch begins at node j, K_j is kept in two parts, B_{j-1} and S_j - B_j, so that the kicks before the node can be
   had without those after it. */
#ifndef SGDMFT_PATHS_HISTORY_H
#define SGDMFT_PATHS_HISTORY_H

#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "paths/rows.h"

typedef struct path_history {
    path_rows normals;   /* of the cells: xi_c of the innovations */
    path_rows kicks;     /* of the cells before the newest: S_c */
    path_rows nodes;     /* K_j in the order of the nodes; of the newest node, without the kicks of its cell */
    path_rows moments;   /* of the cells: B_c, where the last visit is integrated out; otherwise empty */
    path_rows gradients; /* of the nodes: g, likewise */
    int *first;          /* [steps + 1] the row of `nodes` at which node j begins */
} path_history;

/* What a history is made for. */
typedef struct history_plan {
    int k;
    size_t n; /* lanes */
    const time_grid *grid;
    int single;     /* 1: rows in single precision, see rows.h */
    int last_visit; /* 1: with moments and gradients */
} history_plan;

/* `xi` are the normals [steps][k][n], which have to live longer. Non-zero if there is no memory; *out is then still to be cleared. */
int path_history_new(const history_plan *plan, double *xi, path_history *out);
void path_history_clear(path_history *h);

/* Bytes of a history. */
double path_history_bytes(const history_plan *plan);

/* Nothing has happened yet. `zero` are k n zeros. */
void path_history_start(const path_history *h, const double *zero);

/* own += sum_{j < node} V_{node,j} xi_j: the part of the field that is made of innovations. */
void path_history_field(const path_history *h, const kernels *kern, int node, double *own);

/* r -= sum over the kicks in cells first .. last - 1 of R(t_node, T_b) kick_b, where an epoch begins at `first` and `last`, or they
   are 0 and `node`; with last = node, without the kicks of the cell that ends there. `row` has room for 2 k k node numbers,
   since beginnings of epochs add rows. */
void path_history_recall(const path_history *h, const kernels *kern, int node, int first, int last, double *row,
                         double *r);

/* Adds x y_c^T summed over lanes to row `kind` of the averages of the first `cells` cells, x[k][n], y one of the rows above. `row` has
   room for k k cells numbers. */
void path_history_correlate(const path_rows *y, const averages_layout *at, int cells, int kind, const double *x,
                            double *row, double *sums);

/* Cell `cell` ends, with S and B. `zero` are k n zeros. */
void path_history_close_cell(const path_history *h, const time_grid *grid, int cell, const double *S, const double *B,
                             const double *zero);

#endif
