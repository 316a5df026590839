/* Gauss rules, by GSL, which calls its error handler when memory runs out: a program switches the default one, which
   aborts, off. */
#ifndef SGDMFT_NUMERICS_GAUSS_H
#define SGDMFT_NUMERICS_GAUSS_H

enum { GAUSS_ORDER_MAX = 512, GAUSS_LEGENDRE_MAX = 20 };

/* The Gauss-Hermite rule for the standard normal law: E f(z) = sum weight f(node), exact for polynomials of degree
   below 2 order. node[order] ascends and is exactly symmetric, as is weight[order]. Nodes are good to 1e-13 of the
   largest, weights above 1e-20 to 2e-13 relative, for 1 <= order <= GAUSS_ORDER_MAX. Returns 0, or -1 if there is no
   memory. */
int gauss_hermite(int order, double *node, double *weight);

/* The Gauss-Legendre rule on [0, 1]: int_0^1 f = sum weight f(node), exact for polynomials of degree below 2 order.
   node[order] ascends. 1 <= order <= GAUSS_LEGENDRE_MAX: for these GSL has tables that are good to the last digit,
   while most longer rules would be good to ten. Returns 0, or -1 if there is no memory. */
int gauss_legendre(int order, double *node, double *weight);

#endif
