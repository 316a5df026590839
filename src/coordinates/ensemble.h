/* All coordinates of a replica, whose averages advance the two-time kernels if the penalty is not a ridge.

   The coefficients of a step (block.h) are averages, of two kinds. Averages over samples give the mean gradient X,
   since a sample's gradient g is correlated with the normals that make up its field w:

     X_i = E[g w*^T] rho^{-1} theta* + E[g (w(0) - A w*)^T] P^+ u + sum_{j<i} E[g xi_j^T] zeta_j,   P = Cov(w(0) | w*).

   Averages over coordinates give the regressions onto_teacher, onto_start and V of theta(t_i). The field is built from
   the same V: its covariance is then exactly the matrix of averages of theta, which is positive semi-definite.

   The coordinates advance in lockstep with the paths of the samples. Their response comes from Stein's lemma
   (kernels/response_sampled.c), or from derivatives along paths if the field has no white noise, and in discrete time
   (flow.h). */
#ifndef SGDMFT_COORDINATES_ENSEMBLE_H
#define SGDMFT_COORDINATES_ENSEMBLE_H

#include "coordinates/record.h"
#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "model/penalty.h"
#include "paths/ensemble.h"

typedef struct coordinate_ensemble coordinate_ensemble;

/* `in` as drawn by coordinates_draw, `kern` prepared for sampled theta (kernels_set_sampled). All arguments must
   outlive the result. */
sgdmft_status coordinate_ensemble_new(sgdmft_context *ctx, const penalty *pen, const initial_law *law,
                                      const path_ensemble *in, kernels *kern, int threads, coordinate_ensemble **out);
void coordinate_ensemble_free(coordinate_ensemble *ensemble); /* NULL is allowed */

/* Every node that is accepted from now on goes into `record`, which must outlive the ensemble. */
void coordinate_ensemble_keep(coordinate_ensemble *ensemble, coordinate_record *record);

/* Bytes of `paths` coordinates with the numbers that they are drawn from; `on_path` is 1 if X depends on theta
   itself. */
double coordinate_ensemble_bytes(int k, int kstar, int steps, int on_path, double paths);

/* Node 0, from the averages over samples there. */
void coordinate_ensemble_start(coordinate_ensemble *ensemble, const averages_layout *at, const double *first);

/* All kernel rows of node i + 1 from the averages over samples at nodes i and i + 1. As kernels_advance, it returns the
   largest change of a row relative to its scale, or NaN if something is not finite. */
double coordinate_ensemble_advance(coordinate_ensemble *ensemble, int i, const averages_layout *at, const double *now,
                                   const double *next);

/* The same in discrete time, from the averages at node i alone; and then X and Q at node i + 1, from those there. */
double coordinate_ensemble_step(coordinate_ensemble *ensemble, int i, const averages_layout *at, const double *now);
void coordinate_ensemble_close(coordinate_ensemble *ensemble, int node, const averages_layout *at,
                               const double *averages);

/* Makes node i + 1 the last accepted one. */
void coordinate_ensemble_accept(coordinate_ensemble *ensemble);

/* At an accepted node i > 0 where an epoch begins: X and Q from the averages over samples just after the node. */
void coordinate_ensemble_renew(coordinate_ensemble *ensemble, int i, const averages_layout *at, const double *after);

#endif
