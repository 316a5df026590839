/* The linear model at every point x of its spectral law, and the two quantities that couple the points: the training
   risk P(t), twice the train loss, and its filtered values Y_x(t) = int_0^t exp(-2 a_x (t - u)) P(u) du. */
#ifndef SGDMFT_SOLVERS_LINEAR_MODES_H
#define SGDMFT_SOLVERS_LINEAR_MODES_H

#include <stddef.h>

#include "core/context.h"
#include "numerics/spectral_law.h"
#include "solvers/linear/model.h"

/* With a_x = eta x + lambda, E = exp(-a_x t), f = (1 - E) eta x / a_x = 1 - share_x - (1 - share_x) E. */
typedef struct linear_modes {
    linear_model model;
    spectral_law law;
    double horizon;  /* end of time, in the units in which E runs */
    double *decay;   /* a_x */
    double *share;   /* lambda / a_x, 1 where a_x = 0 */
    double rate;     /* no part of the solution changes faster than exp(+-rate t) */
    double tilt;     /* P decays like exp(-tilt t) or slower */
    double constant; /* limit of the source of P at late times */
} linear_modes;

sgdmft_status linear_modes_init(sgdmft_context *ctx, const linear_model *model, double horizon, linear_modes *out);
void linear_modes_clear(linear_modes *modes);

/* Number of points of the spectral law, known before anything is computed. */
double linear_modes_points(const linear_model *model, double horizon);

/* Coefficients of the source of P, the part due to the start and the labels alone: sum over points of
   square E^2 + single E, plus the constant. */
void linear_modes_source(const linear_modes *modes, double *square, double *single);

/* The source at time t. */
double linear_modes_free_risk(const linear_modes *modes, const double *square, const double *single, double t);

/* exp(tilt t) P(t) at steps + 1 nodes. */
typedef struct risk_curve {
    size_t steps;
    double h, tilt;
    double *value;
} risk_curve;

double risk_curve_at(const risk_curve *risk, double t);

/* P on two grids, the finer with twice the steps. */
typedef struct linear_risk {
    risk_curve fine, coarse;
    double change;   /* largest relative difference between them, up to `end` */
    double end;      /* time up to which P stays below the limit: the horizon, or earlier if the dynamics diverge */
    double largest;  /* P at `end` */
    double required; /* allowed change */
    int interrupted; /* the caller asked to stop */
} linear_risk;

/* Doubles the number of steps, at least `steps` at first, until the curve no longer changes. P above `limit` counts as
   divergence. The caller of the solve may stop it after every refinement. */
sgdmft_status linear_risk_solve(sgdmft_context *ctx, const linear_modes *modes, size_t steps, double limit,
                                linear_risk *out);
void linear_risk_clear(linear_risk *risk);

/* Steps of the first grid, known before anything is computed; fails if there are too many. */
double linear_risk_steps(const linear_model *model, double horizon, size_t steps);
sgdmft_status linear_risk_check(sgdmft_context *ctx, const linear_model *model, double horizon, size_t steps);

/* Y_x at ascending times t[count]: out[i * n + x] for point x of n. */
sgdmft_status linear_filtered_risk(sgdmft_context *ctx, const linear_modes *modes, const risk_curve *risk, size_t count,
                                   const double *t, double *out);

#endif
