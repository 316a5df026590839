/* The parameter side when the penalty is not a ridge: theta is a nonlinear process for each coordinate,

     d theta = - penalty'(theta) dt - delta eta X dt - sqrt(delta) dU,

   with dU the innovations and X = E[g | the field is theta's], the answer of the mean gradient to this path: linear,
   and known from how g correlates with the normals of the field. Writing a path in the same way as the field,

     theta(t_i) = M_i theta* + N_i u + sum_{j<i} V_ij zeta_j,   u = theta(0) - A theta*,
     X_i        = E[g w*^T] rho^{-1} theta* + E[g (w(0) - A w*)^T] P^+ u + sum_{j<i} E[g xi_j^T] zeta_j,

   where M, N are the regressions of theta(t_i) on theta*, u, and V the block Cholesky factor of what they leave, so that
   the zeta of a path are uncorrelated and of variance one over the sample. V is the field's V: the field then has the
   covariance of the sampled theta exactly, which as a matrix of averages is positive semi-definite.

   Coordinates are drawn from the law of (theta0, theta*) with quasi-random points and carried in lockstep with the paths
   of the samples; trapezoid rule in time. Their response comes from Stein's lemma (twotime/response_sampled.c), or from
   pathwise derivatives where the field has no white noise (flow.h). */
#ifndef SGDMFT_COORDINATES_ENSEMBLE_H
#define SGDMFT_COORDINATES_ENSEMBLE_H

#include "coordinates/record.h"
#include "paths/inputs.h"
#include "model/penalty.h"
#include "kernels/averages.h"
#include "kernels/kernels.h"

typedef struct coordinate_ensemble coordinate_ensemble;

/* The source of coordinates that belongs to a source of samples. */
path_source coordinate_source(const path_source *samples);

/* Draws coordinates: in each block wstar is theta*, z0 is u, xi the normals that drive theta. Their empirical second
   moments are those of the problem. path_ensemble_coarsen applies. */
sgdmft_status coordinates_draw(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                              path_ensemble **out);

/* `in` and `kern` must outlive the result; `kern` is prepared for sampled theta. */
sgdmft_status coordinate_ensemble_new(sgdmft_context *ctx, const penalty *pen, const initial_law *law, const path_ensemble *in,
                             kernels *kern, int threads, coordinate_ensemble **out);
void coordinate_ensemble_free(coordinate_ensemble *par);

/* Every accepted node goes into `record`, which must outlive `par`. */
void coordinate_ensemble_keep(coordinate_ensemble *par, coordinate_record *record);
double coordinate_ensemble_bytes(int k, int kstar, int steps, int singular, double paths);

/* Node 0, from the averages over samples there. */
void coordinate_ensemble_start(coordinate_ensemble *par, const averages_layout *at, const double *first);

/* As kernels_advance: all kernel rows of node i + 1 from the averages over samples at nodes i and i + 1. */
double coordinate_ensemble_advance(coordinate_ensemble *par, int i, const averages_layout *at, const double *now, const double *next);

/* Makes node i + 1 the last accepted one. */
void coordinate_ensemble_accept(coordinate_ensemble *par);

#endif
