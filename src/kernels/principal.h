/* Principal axes of the field: coordinates of the start and the innovations in which most of the field depends on few
   of them. The field of a replica is

       w(t_i) = ... + R(t_i, 0) B z0 + sum_j V_ij xi_j = ... + U_i (z0, xi)

   with independent standard normals z0 and xi_j. For any orthogonal matrix Q, (z0, xi) = Q z has independent standard
   normal coordinates z. If the first columns of Q are the principal directions of all U_i, most of the field depends on
   the first z. Quasi-random points, whose first dimensions are the most uniform, then integrate better.

   The directions are found on a grid of half as many cells. There, a pair of cells with widths h1, h2 has the sum

       x = a xi_1 + b xi_2,   a = sqrt(h1 / (h1 + h2)),   b = sqrt(h2 / (h1 + h2))

   as its innovation, and the remaining coordinate is y = b xi_1 - a xi_2. So the coordinates are first those of z0 and
   all x along their principal directions, then all y. In discrete time, where there is no coarser grid, they are found
   on the grid itself, and all coordinates are x. */
#ifndef SGDMFT_KERNELS_PRINCIPAL_H
#define SGDMFT_KERNELS_PRINCIPAL_H

#include "kernels/kernels.h"

/* Q is orthogonal. Its columns are the principal directions, that of the largest variance first. Row a belongs to
   component a of z0, row (j + 1) k + a to component a of the innovation x of coarse cell j. */
typedef struct principal_axes {
    size_t size; /* k (steps + 1) of the grid on which they were found */
    double *Q;   /* [size][size] */
} principal_axes;

/* The axes from the kernels of a solve on that grid. Each node counts in proportion to the time around it;
   B[k][k] is the root in w(0) = A w* + B z0. *out is owned by the caller (principal_axes_free). */
sgdmft_status principal_axes_new(sgdmft_context *ctx, const kernels *kern, const double *B, principal_axes **out);

/* Sends the axes of rank 0, or NULL, to all ranks of the context. Collective call: every rank of the context makes
   it. */
sgdmft_status principal_axes_broadcast(sgdmft_context *ctx, principal_axes **axes);
void principal_axes_free(principal_axes *axes);

/* Turns coordinates z into z0[k][n] and innovations x[steps][k][n] of the cells of `fine`, in place: the first k
   coordinates are in z0, the others in x. `work` has (steps + 1) k n doubles. */
void principal_axes_apply(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, double *work,
                          double *z0, double *x);

/* The inverse for the first k coordinates: out[k][n] from z0 and x. */
void principal_axes_leading(const principal_axes *axes, const time_grid *fine, size_t k, size_t n, const double *z0,
                            const double *x, double *out);

#endif
