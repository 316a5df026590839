/* The Gauss-Legendre rule of 10 points, exact for polynomials of degree 19:
   int_{-1}^{1} f(u) du = sum_i weight_i (f(node_i) + f(-node_i)). */
#ifndef SGDMFT_NUMERICS_LEGENDRE_H
#define SGDMFT_NUMERICS_LEGENDRE_H

enum { LEGENDRE_HALF = 5, LEGENDRE_POINTS = 2 * LEGENDRE_HALF };

/* Point number i of the rule on [0, 1], in ascending order, and its weight. */
typedef struct legendre_point {
    double place, weight;
} legendre_point;

static inline legendre_point legendre(int i)
{
    static const double node[LEGENDRE_HALF] = {0.14887433898163121088, 0.43339539412924719080, 0.67940956829902440623,
                                               0.86506336668898451073, 0.97390652851717172008};
    static const double weight[LEGENDRE_HALF] = {0.29552422471475287017, 0.26926671930999635509, 0.21908636251598204400,
                                                 0.14945134915058059315, 0.06667134430868813759};
    int low = i < LEGENDRE_HALF, at = low ? LEGENDRE_HALF - 1 - i : i - LEGENDRE_HALF;
    return (legendre_point){0.5 + (low ? -0.5 : 0.5) * node[at], 0.5 * weight[at]};
}

#endif
