/* The convolution Volterra equation of the second kind

     p(t) = f(t) + int_0^t k(t - s) p(s) ds

   on a uniform grid t_n = n h, in O(N log^2 N) operations and with an error of order h^(VOLTERRA_NODES + 1). */
#ifndef SGDMFT_NUMERICS_VOLTERRA_H
#define SGDMFT_NUMERICS_VOLTERRA_H

#include <stddef.h>

#include "core/context.h"

enum {
    VOLTERRA_NODES = 10,                 /* corrected nodes at each end of an integral */
    VOLTERRA_BEFORE = VOLTERRA_NODES - 1 /* values of the kernel at negative times */
};

/* source[n] = f(nh) and solution[n] for n = 0 .. steps; kernel[VOLTERRA_BEFORE + n] = k(nh) for
   n = -VOLTERRA_BEFORE .. steps, as the kernel has to be continued to negative times. steps >= 2 VOLTERRA_NODES.
   SGDMFT_ERR_NO_CONVERGENCE if h is too large for the kernel, SGDMFT_ERR_MEMORY. */
sgdmft_status volterra_solve(sgdmft_context *ctx, size_t steps, double h, const double *source, const double *kernel,
                             double *solution);

/* Interpolates values[0 .. steps] at t = place h, 0 <= place <= steps, by a polynomial through VOLTERRA_NODES nodes. */
double volterra_value(size_t steps, const double *values, double place);

/* Gregory's weights: int_0^{nh} g(t) dt = h sum_j (1 + end[j] + end[n - j]) g(jh), where end[j] = 0 from j =
   VOLTERRA_NODES on; exact for polynomials of degree VOLTERRA_NODES - 1, for every n >= VOLTERRA_NODES - 1. */
void volterra_gregory(double end[VOLTERRA_NODES]);

#endif
