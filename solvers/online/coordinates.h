/* The coordinates of a replica where the penalty is not a ridge. As a sample is visited once, a coordinate is a
   diffusion without memory,

     d theta = - penalty'(theta) dtau - eta (Gamma theta + Gamma* theta*) dtau + eta E[g g^T]^{1/2} dB,

   whose coefficients are averages over fresh samples (law.h), which depend on theta through its second moments alone. A
   step of width h is the trapezoid rule, in which the penalty acts alone during h/2 at each end. With decay(x) the
   displacement of x by the penalty during h/2, which stays bounded where h penalty'(x) does not, and a guess of theta
   before the second half,

     guess = theta - decay(theta) - h eta (Gamma theta + Gamma* theta*) + sqrt(h) eta E[g g^T]^{1/2} xi
     base  = theta - decay(theta) - h/2 eta (Gamma theta + Gamma* theta*) - decay(guess)
     theta_next = P base + Q theta* + S xi.

   This is of weak order two, as the noise does not depend on theta. P, Q and S contain the averages at the end of the
   step, but the moments of theta_next follow from those of (base, theta*, xi), so that a step is made self-consistent
   without passing over the coordinates again. */
#ifndef SGDMFT_SOLVERS_ONLINE_COORDINATES_H
#define SGDMFT_SOLVERS_ONLINE_COORDINATES_H

#include "paths/ensemble.h"
#include "solvers/online/law.h"

typedef struct online_coordinates online_coordinates;

enum { ONLINE_JOINT_MAX = 3 * MATRIX_MAX };

/* Coefficients of the diffusion at the start of a cell. */
typedef struct online_coefficients {
    double eta;
    double gamma[MATRIX_MAX * MATRIX_MAX], gamma_star[MATRIX_MAX * MATRIX_MAX]; /* Gamma [k][k], Gamma* [k][k*] */
    double root[MATRIX_MAX * MATRIX_MAX];                                       /* [k][k] symmetric root of E[g g^T] */
} online_coefficients;

/* `in` holds theta*, u = theta(0) - A theta* and xi as coordinates_draw makes them. It and `grid` must outlive the
   result, which is freed with online_coordinates_free. */
sgdmft_status online_coordinates_new(sgdmft_context *ctx, const online_plan *plan, const path_ensemble *in,
                                     const time_grid *grid, int threads, online_coordinates **out);
void online_coordinates_free(online_coordinates *c);

/* Bytes of this many coordinates, with their random numbers. */
double online_coordinates_bytes(model_shape shape, int steps, double paths);

/* m[k][k*] and q[k][k] at node 0. */
void online_coordinates_start(online_coordinates *c, double *m, double *q);

/* Computes base of cell i, and joint[n][n], n = k + k* + k, the second moments of (base, theta*, xi). */
void online_coordinates_prepare(online_coordinates *c, int i, const online_coefficients *now, double *joint);

/* Computes theta at node i + 1. map[k][n] is (P, Q, S). */
void online_coordinates_move(online_coordinates *c, int i, const double *map);

/* C(t_i, t_j), and R(t_i, t_j), the mean derivative of theta(t_i) in theta(t_j), for j <= i < nodes, each at
   (i (i + 1)/2 + j) k k. gamma[nodes][k][k] is Gamma at the nodes. If the gradient of the penalty jumps, R is not a
   number for j < i. */
sgdmft_status online_coordinates_pairs(sgdmft_context *ctx, online_coordinates *c, int nodes, const double *gamma,
                                       double *C, double *R);

#endif
