/* Matching the normals of a step. Before the first pass of a step, the normals xi of the newest cell are made exactly
   uncorrelated, as averages over the paths of the replica, with everything known before: a constant, the teacher, the
   start, label and its noise, gradient and position at t_i, and all innovations so far; then their covariance is made
   exactly one. So S is the covariance of the innovations over the paths themselves, and products of the normals with
   the past add no noise to any average: with plain normals the noise of the train loss was three times as large. */
#ifndef SGDMFT_MERGED_NORMALS_H
#define SGDMFT_MERGED_NORMALS_H

#include "merged/block.h"

/* The rows of a block that count, in this order: 2 k normals; 1, w*, z0, eps, y, which never change; g and r at t_i. */
typedef struct normals_layout {
    int k, normals, fixed, moving, rows;
    int features; /* stride of the products with innovations */
} normals_layout;

normals_layout normals_layout_of(const path_plan *plan, const merged_kernels *kern);

/* Doubles of the sums, and of scratch for a block of n lanes. */
size_t normals_sums(const normals_layout *at);
size_t normals_room(const normals_layout *at, size_t n);

/* Adds the sums of a block. */
void normals_add(const normals_layout *at, const merged_block *block, const path_block *base, const path_plan *plan,
                 const merged_kernels *kern, const window_cell *cell, double *room, double *sums);

/* The change of the normals from the sums over all paths. */
typedef struct normals_change {
    double *onto_rows;     /* [normals][rows] what is added: coefficients of the fixed and moving rows */
    double *onto_past;     /* [normals][features] and of the innovations */
    double *scale;         /* [normals][normals] lower triangular, applied last */
    double *normal, *left; /* scratch */
} normals_change;

int normals_change_new(const normals_layout *at, normals_change *out);
void normals_change_clear(normals_change *change);

/* Sets the change; the identity where there are too few paths or no solution. */
void normals_solve(const normals_layout *at, const merged_kernels *kern, double paths, const double *sums,
                   normals_change *change);

/* Changes the normals of a block. */
void normals_apply(const normals_layout *at, const merged_block *block, const path_block *base, const path_plan *plan,
                   const merged_kernels *kern, const normals_change *change, window_cell *cell, double *room);

#endif
