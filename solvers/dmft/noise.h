/* Is there noise in the field that the gradient could be correlated with? By Stein's lemma the response follows from
   the correlations with the white noise of the field, whose covariance is delta eta^2 E[g g^T]. Where that is singular,
   as for a start at a saddle of the loss or with students that are equal, nothing is known of the response in some
   direction. Directions on which the loss does not depend are no matter. */
#ifndef SGDMFT_SOLVERS_DMFT_NOISE_H
#define SGDMFT_SOLVERS_DMFT_NOISE_H

#include "solvers/dmft/plan.h"

/* *ratio becomes the smallest eigenvalue of E[g g^T] at t = 0, relative to its mean one or to E|G|^2 / k if that is
   larger; 1 if there is nothing to compare. The plan has its model and laws. Errors: SGDMFT_ERR_PLUGIN,
   SGDMFT_ERR_MEMORY. */
sgdmft_status noise_at_start(sgdmft_context *ctx, const dmft_plan *plan, double *ratio);

/* *rate becomes the fastest rate of relaxation of theta at t = 0, in a linear model exactly,

     eta |G| (1 + sqrt(delta))^2 + lambda,

   with the largest root mean square of a row of G. The plan has its grids as well. Errors as above. */
sgdmft_status rate_at_start(sgdmft_context *ctx, const dmft_plan *plan, double *rate);

#endif
