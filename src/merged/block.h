/* A block of paths with a merged history: the moments of kicks and innovations of every cell of the list, and the step
   from one node to the next.

   The field and the memory of a path at t_{i+1}, without the newest cell, are one sum over features,

     r'(t_{i+1}) = (R_0 A + F) w* + R_0 B z0 - sum_f R_f (K_f + sqrt(delta) U_f),

   a visit at place x of the newest cell has the position

     r(T) = (1 - x) r(t_i) + x r' - bridge - sqrt(delta) int_0^x R(T, y) dU(y) - sum over earlier visits b of
            R(T, T_b) kick_b,   R(T, T - l) = 1 + l/h (R(t_{i+1}, t_i) - 1),

   with dU = (U_0 + U_1 phi_1) dy in the cell, and r(t_{i+1}) = r' - R_new (K_new + sqrt(delta) U_new). */
#ifndef SGDMFT_MERGED_BLOCK_H
#define SGDMFT_MERGED_BLOCK_H

#include "merged/kernels.h"
#include "merged/window.h"
#include "paths/block.h"

/* The number of nodes at which g is kept: as many as visits are inserted at, and the newest one. */
enum { GRADIENTS = 18 };

/* The history of a block and its state during a step. Inputs and positions are in the path_block: in, r, r_last and
   unvisited. */
typedef struct merged_block {
    path_rows kicks, innovations; /* groups: moment a of cell c is group 2 c + a */
    double *K, *U;                /* [MOMENTS][k][n] moments of the newest cell */
    double *predicted;            /* [k][n] y_now U: the rate of the part of dU that the past predicts, at t_i */
    double *g_last;               /* [k][n] g at t_i */
    path_rows gradients;          /* g at the last GRADIENTS nodes, where the last visit is integrated out */
    double *room;                 /* [(MOMENTS + 1) k + 4][n] scratch of a pass */
} merged_block;

/* `cells` is the largest number of cells, with the newest one. */
sgdmft_status merged_block_new(sgdmft_context *ctx, const path_plan *plan, const path_inputs *in, int cells,
                               path_block *base, merged_block *out);
void merged_block_clear(merged_block *block);
double merged_block_bytes(const path_plan *plan, double cells);

/* g at a node, at most GRADIENTS - 1 before the newest one: in place, or in `room` for k n doubles. */
static inline const double *merged_block_gradient(const merged_block *block, int node, double *room)
{
    return rows_get(&block->gradients, node % GRADIENTS, room);
}

/* Node 0: adds the averages. */
int merged_block_start(merged_block *block, path_block *base, const path_plan *plan, path_workspace *s, double *sums);

/* Once before the passes of a step: the prediction at t_i. */
void merged_block_prepare(merged_block *block, const path_block *base, const merged_kernels *kern);

/* Advances to just before node i + 1, and adds the averages there. Non-zero if a call-back asked to stop. */
int merged_block_advance(merged_block *block, path_block *base, const path_plan *plan, const merged_kernels *kern,
                         int i, const window_cell *cell, path_workspace *s, double *sums);

/* Averages just after node i, at which an epoch begins, once it is accepted. */
int merged_block_renew(merged_block *block, const path_block *base, const path_plan *plan, const merged_kernels *kern,
                       int i, path_workspace *s, double *sums);

/* Adds the covariances of the kicks of the newest cell with all others, out[MOMENTS k][features], and keeps it. The
   kernels must not have accepted the step yet. */
void merged_block_accept(merged_block *block, path_block *base, const merged_kernels *kern, path_workspace *s,
                         double *gram);

/* Merges cell c with the one after it, of n_cells. */
void merged_block_merge(merged_block *block, int n_cells, int c, const moment_map *map);

#endif
