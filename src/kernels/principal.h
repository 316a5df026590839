/* Coordinates of start and innovations in which few move the field much. The field of a replica is

       w(t_i) = ... + R(t_i, 0) B z0 + sum_j V_ij xi_j = ... + U_i (z0, xi)

   with independent standard normals z0 and xi_j. Any orthogonal matrix Q makes others, z, with (z0, xi) = Q z; where
   its first columns are the principal directions of all U_i, most of the field depends on the first z alone.
   Quasi-random points, whose first dimensions are the best, gain by that.

   The directions are found on a grid of half as many cells. There each pair of cells with widths h1, h2 has the sum

       x = a xi_1 + b xi_2,   a = sqrt(h1 / (h1 + h2)),   b = sqrt(h2 / (h1 + h2))

   as its innovation; what is left is y = b xi_1 - a xi_2. So first come the principal directions of z0 and all x, then
   all y. */
#ifndef SGDMFT_KERNELS_PRINCIPAL_H
#define SGDMFT_KERNELS_PRINCIPAL_H

#include "kernels/kernels.h"

typedef struct principal_axes {
    size_t size; /* k for z0, and k times the steps of the coarse grid */
    double *Q;   /* [size][size], by columns, see below */
} principal_axes;

/* Q is orthogonal, its columns are the directions, largest first. Row a makes component a of z0, row (j + 1) k + a that
   of the innovation of coarse cell j. */

/* From the kernels of a solve on the coarse grid, each node counting like the time around it; w(0) = A w* + B z0,
   B[k][k]. */
sgdmft_status principal_axes_new(sgdmft_context *ctx, const kernels *kern, const double *B, principal_axes **out);

/* Together: those of rank 0, or none if it has none, for all ranks of the context. */
sgdmft_status principal_axes_broadcast(sgdmft_context *ctx, principal_axes **axes);
void principal_axes_free(principal_axes *axes);

/* Turns coordinates into z0[k][n] and innovations x[steps][k][n] of the cells of `fine`, in place. Those that belong to
   z0's rows are the first ones. `work` has (steps + 1) k n doubles. */
void principal_axes_apply(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, double *work,
                          double *z0, double *x);

/* The first k coordinates of z0 and x: out[k][n]. */
void principal_axes_leading(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, const double *z0,
                            const double *x, double *out);

#endif
