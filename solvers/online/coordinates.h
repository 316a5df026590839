/* The coordinates of a replica where the penalty is not a ridge. As nothing is remembered, a coordinate is a diffusion

     d theta = - penalty'(theta) dtau - eta (Gamma theta + Gamma* theta*) dtau + eta E[g g^T]^{1/2} dB,

   driven by averages over fresh samples (online_rates.h), which the second moments of the coordinates fix. A step of
   width h is the trapezoid rule, with half of what the penalty takes at each end. With decay(x) what the penalty alone
   takes from x in h/2, which stays bounded where h penalty'(x) is not, and a guess of theta before the second half,

     guess = theta - decay(theta) - h eta (Gamma theta + Gamma* theta*) + sqrt(h) eta E[g g^T]^{1/2} xi
     base  = theta - decay(theta) - h/2 eta (Gamma theta + Gamma* theta*) - decay(guess)
     theta_next = P base + Q theta* + S xi,

   of weak order two as the noise does not depend on theta. The coefficients P, Q, S contain the averages at the end of
   the step, but the moments of theta_next follow from those of (base, theta*, xi): a step is made self-consistent
   without another look at the coordinates. */
#ifndef SGDMFT_SOLVERS_ONLINE_COORDINATES_H
#define SGDMFT_SOLVERS_ONLINE_COORDINATES_H

#include "paths/inputs.h"
#include "solvers/online/rates.h"

typedef struct online_coordinates online_coordinates;

enum { ONLINE_JOINT_MAX = 3 * MATRIX_MAX };

/* What drives the coordinates at one end of a cell. */
typedef struct online_drive {
    double eta;
    double gamma[MATRIX_MAX * MATRIX_MAX], gamma_star[MATRIX_MAX * MATRIX_MAX]; /* Gamma [k][k], Gamma* [k][k*] */
    double root[MATRIX_MAX * MATRIX_MAX];                                     /* [k][k] of E[g g^T] */
} online_drive;

/* `in` and `grid` must outlive the result. `in` holds theta*, u = theta(0) - A theta*, xi as coordinates_draw makes them. */
sgdmft_status online_coordinates_new(sgdmft_context *ctx, const online_setting *s, const path_ensemble *in,
                                     const time_grid *grid, int threads, online_coordinates **out);
void online_coordinates_free(online_coordinates *c);

/* Bytes of that many coordinates, with what they are drawn from. */
double online_coordinates_bytes(model_shape shape, int steps, double paths);

/* m[k][k*] and q[k][k] of node 0. */
void online_coordinates_start(online_coordinates *c, double *m, double *q);

/* base of cell i, and joint[n][n], n = k + k* + k, the second moments of (base, theta*, xi). */
void online_coordinates_prepare(online_coordinates *c, int i, const online_drive *now, double *joint);

/* theta at node i + 1; map[k][n] is (P, Q, S). */
void online_coordinates_move(online_coordinates *c, int i, const double *map);

/* Over the nodes 0 .. nodes - 1, for j <= i and at (i (i + 1)/2 + j) k k: C(t_i, t_j), and R(t_i, t_j), the mean
   derivative of theta(t_i) in theta(t_j); not a number if the gradient of the penalty jumps. gamma[nodes][k][k]. */
sgdmft_status online_coordinates_pairs(sgdmft_context *ctx, online_coordinates *c, int nodes, const double *gamma,
                                       double *C, double *R);

#endif
