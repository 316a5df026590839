/* Legendre moments of what happens in a cell of the history. With u the place in the cell, from 0 to 1, and the
   orthonormal polynomials

     phi_0 = 1,   phi_1 = sqrt(3) (2 u - 1),

   a measure dX on the cell has the moments X^a = int phi_a dX, and a function R the coefficients R^a = int phi_a R du.
   Then int R dX = sum_a R^a X^a for every R that is linear in the cell.

   Two neighbouring cells with parts `left` and `right` of the width of both make one. On each of them phi_a of the
   whole is a polynomial of the same degree in its own place, phi_a(whole) = sum_b A_ab phi_b(part), so that

     X^a = sum over the parts of sum_b A_ab X_part^b,   exactly, and
     R^a = sum over the parts of share sum_b A_ab R_part^b,   the projection of R onto lines. */
#ifndef SGDMFT_MERGED_MOMENTS_H
#define SGDMFT_MERGED_MOMENTS_H

enum { MOMENTS = 2 };

#define MOMENT_ROOT3 1.7320508075688772935

/* phi_1 */
static inline double moment_slope(double u)
{
    return MOMENT_ROOT3 * (2 * u - 1);
}

/* int_0^u phi_1 */
static inline double moment_slope_integral(double u)
{
    return MOMENT_ROOT3 * u * (u - 1);
}

/* A for both parts, given the share of the left one. A_00 = 1 and A_01 = 0. */
typedef struct moment_map {
    double share[2];
    double onto_mean[2];  /* A_10 */
    double onto_slope[2]; /* A_11 */
} moment_map;

static inline moment_map moment_map_of(double left)
{
    double right = 1 - left;
    return (moment_map){{left, right}, {-MOMENT_ROOT3 * right, MOMENT_ROOT3 * left}, {left, right}};
}

#endif
