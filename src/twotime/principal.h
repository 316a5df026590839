/* Coordinates of the innovations in which few move the field much. The field of a replica is w(t_i) = ... + sum_j V_ij xi_j
   with independent standard normals xi_j. Any orthogonal matrix Q makes others, z, with xi = Q z; where its first columns are
   the principal directions of V, most of the field depends on the first z alone. Quasi-random points, whose first dimensions
   are the best, gain by that.

   The directions are found on a grid of half as many cells. There each pair of cells with widths h1, h2 has the sum

       x = a xi_1 + b xi_2,   a = sqrt(h1 / (h1 + h2)),   b = sqrt(h2 / (h1 + h2))

   as its innovation; what is left is y = b xi_1 - a xi_2. So first come the principal directions of all x, then all y. */
#ifndef SGDMFT_PRINCIPAL_H
#define SGDMFT_PRINCIPAL_H

#include "twotime/kernels.h"

typedef struct principal_axes {
    size_t size; /* k times the steps of the coarse grid */
    double *
        Q; /* [size][size] orthogonal, largest directions first: row j k + a makes component a of the innovation of coarse cell j */
} principal_axes;

/* From the kernels of a solve on the coarse grid, each node counting like the time around it. */
sgdmft_status principal_axes_new(sgdmft_context *ctx, const kernels *kern, principal_axes **out);

/* Together: those of rank 0, or none if it has none, for all ranks of the context. */
sgdmft_status principal_axes_broadcast(sgdmft_context *ctx, principal_axes **axes);
void principal_axes_free(principal_axes *axes);

/* Turns z into innovations of the cells of `fine`, in place: x[steps][k][n]. `work` is as large. */
void principal_axes_apply(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, double *work,
                          double *x);

#endif
